// Normalisation beyond the stored references: batch normalisation by the batch's own moments, every axis and shape that
// parameters may have, half types, empty batches, second derivatives, bad input.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { SelfnormError, type ErrorCode } from '../../src/errors.js';
import { activationNamed, type ActivationName } from '../../src/ops/activation.js';
import { batchNormTraining } from '../../src/ops/batch-norm-training.js';
import { batchNormActivation } from '../../src/ops/normalisation.js';
import { activationTable } from '../../src/tensor/activation-facts.js';
import type { DType } from '../../src/tensor/dtype.js';
import { expectClose, expectWithin } from '../harness/compare.js';
import { FINITE_DIFFERENCE, stepFor } from '../tolerance.js';

function values(n: number, low: number, high: number, seed = 1): number[] {
  let state = seed * 2654435761;
  return Array.from({ length: n }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.fround(low + ((high - low) * state) / 2 ** 32);
  });
}

const random = (shape: number[], low = -2, high = 2, seed = 1, dtype: DType = 'float64'): sn.Tensor =>
  sn.tensor(
    values(
      shape.reduce((a, b) => a * b, 1),
      low,
      high,
      seed,
    ),
    shape,
    dtype,
  );

const host = (t: sn.Tensor): { shape: readonly number[]; data: ArrayLike<number> } => ({
  shape: t.shape,
  data: t.dataSync(),
});

/** The gradient of f with respect to each argument against central differences. */
function expectDifferences(f: (...xs: sn.Tensor[]) => sn.Tensor, xs: sn.Tensor[]): void {
  const found = sn.grads(f)(xs);
  expect(found.map(({ shape }) => shape)).toEqual(xs.map(({ shape }) => shape));
  xs.forEach((x, k) => {
    const at = Float64Array.from(x.dataSync());
    const differences = Array.from(at, (value, i) => {
      const moved = (by: number): number => {
        const near = at.slice();
        near[i] = value + by;
        const inputs = [...xs];
        inputs[k] = sn.tensor(near, x.shape, 'float64');
        return f(...inputs).dataSync()[0]!;
      };
      const step = stepFor(value);
      return (moved(step) - moved(-step)) / (2 * step);
    });
    expectWithin(
      `input ${k}`,
      host(found[k]!),
      { shape: x.shape, data: differences },
      (reference, scale) => 10 * FINITE_DIFFERENCE * Math.max(1, Math.abs(reference), scale),
    );
  });
}

/** As expectDifferences, and the same for sum(seed * gradients). */
function expectTwoDerivatives(f: (...xs: sn.Tensor[]) => sn.Tensor, xs: sn.Tensor[]): void {
  expectDifferences(f, xs);
  const slope = (...inputs: sn.Tensor[]): sn.Tensor =>
    sn
      .grads(f)(inputs)
      .map((gradient, k) => sn.sum(sn.mul(gradient, random([...gradient.shape], -1, 1, 20 + k))))
      .reduce((a, b) => sn.add(a, b));
  expectDifferences(slope, xs);
}

const weighted = (y: sn.Tensor): sn.Tensor => sn.sum(sn.mul(y, random([...y.shape], -1, 1, 9)));

describe('batchNormTraining', () => {
  const shapes = [[1, 3], [70, 3], [2, 5, 3, 2], [40, 8], [3, 300], [7]];
  test.each(shapes.map((shape) => [shape]))('%j: moments and result in float32 and float64', (shape) => {
    const channels = shape[shape.length - 1]!;
    for (const dtype of ['float32', 'float64'] as const) {
      const x = random(shape, 1, 5, 1, dtype);
      const scale = random([channels], 0.5, 2, 2, dtype);
      const offset = random([channels], -1, 1, 3, dtype);
      const data = x.dataSync();
      const rows = data.length / channels;
      const mean = new Float64Array(channels);
      const variance = new Float64Array(channels);
      data.forEach((value, i) => (mean[i % channels]! += value / rows));
      data.forEach((value, i) => (variance[i % channels]! += (value - mean[i % channels]!) ** 2 / rows));
      const expected = Array.from(data, (value, i) => {
        const k = i % channels;
        return ((value - mean[k]!) / Math.sqrt(variance[k]! + 0.01)) * scale.dataSync()[k]! + offset.dataSync()[k]!;
      });
      const found = batchNormTraining(x, scale, offset, 0.01);
      expect(found.y.dtype).toBe(dtype);
      expectClose('y', host(found.y), { shape, data: expected }, dtype, 'composite');
      expectClose('mean', host(found.mean), { shape: [channels], data: mean }, dtype, 'reduction');
      expectClose('variance', host(found.variance), { shape: [channels], data: variance }, dtype, 'reduction');
    }
  });

  test.each([[[4, 3]], [[2, 3, 2, 2]], [[1, 2]]])('%j: derivatives, once and twice', (shape) => {
    const channels = shape[shape.length - 1]!;
    const f = (x: sn.Tensor, scale?: sn.Tensor, offset?: sn.Tensor): sn.Tensor =>
      weighted(batchNormTraining(x, scale ?? null, offset ?? null, 0.1).y);
    const x = random(shape);
    const scale = random([channels], 0.5, 2, 2);
    const offset = random([channels], -1, 1, 3);
    expectTwoDerivatives(f, [x, scale, offset]);
    expectTwoDerivatives(f, [x]);
    expectTwoDerivatives((a, b) => weighted(batchNormTraining(a, null, b, 0.1).y), [x, offset]);
  });

  test.each([3, 32])('many rows of %i channels agree with the same in float64', (channels) => {
    const shape = [3001, channels];
    const gradients = (dtype: DType): sn.Tensor[] =>
      sn.grads((x, scale, offset) => sn.sum(sn.square(batchNormTraining(x, scale, offset).y)))([
        random(shape, 99, 101, 1, dtype),
        random([channels], 0.5, 2, 2, dtype),
        random([channels], -1, 1, 3, dtype),
      ]);
    const reference = gradients('float64');
    const found = gradients('float32');
    expect(found.length).toBe(3);
    // The mean, near 100, is rounded to float32: 4e-6 of a deviation of about 0.6.
    [2e-3, 1e-4, 1e-4].forEach((allowed, i) =>
      expectWithin(`gradient ${i}`, host(found[i]!), host(reference[i]!), (_, scale) => allowed * scale),
    );
  });

  test.each(['float16', 'bfloat16'] as const)('%s input, float32 moments', (dtype) => {
    const x = random([50, 4], 10, 12, 1, dtype);
    const { y, mean, variance } = batchNormTraining(x, null, null);
    expect([y.dtype, mean.dtype, variance.dtype]).toEqual([dtype, 'float32', 'float32']);
    const exact = batchNormTraining(sn.cast(x, 'float64'), null, null);
    expectClose('mean', host(mean), host(exact.mean), 'float32', 'reduction');
    expectClose('variance', host(variance), host(exact.variance), 'float32', 'composite');
    expectClose('y', host(y), host(exact.y), dtype, 'elementwise');
  });

  test('moments of an empty batch are NaN, of no channels empty', () => {
    const { y, mean } = batchNormTraining(sn.zeros([0, 2]), null, null);
    expect(y.shape).toEqual([0, 2]);
    expect([...mean.dataSync()]).toEqual([NaN, NaN]);
    expect(batchNormTraining(sn.zeros([2, 0]), null, null).mean.shape).toEqual([0]);
  });
});

describe('batchNorm', () => {
  const x = random([2, 3, 4]);
  const parameters: readonly (readonly [string, number[], number[]])[] = [
    ['channels', [4], [4]],
    ['channels with leading ones', [1, 1, 4], [4]],
    ['the last two axes', [3, 4], [3, 4]],
    ['one number', [], []],
    ['another axis than the last', [3, 1], [3, 1]],
    ['different shapes', [2, 1, 1], [4]],
  ];
  test.each(parameters)('parameters for %s: value and derivatives', (_name, shape, other) => {
    const mean = random(shape, -1, 1, 2);
    const variance = random(other, 0.5, 2, 3);
    const offset = random(other, -1, 1, 4);
    const scale = random(shape, 0.5, 2, 5);
    const composed = sn.add(sn.mul(sn.div(sn.sub(x, mean), sn.sqrt(sn.add(variance, 0.1))), scale), offset);
    expectClose('y', host(sn.batchNorm(x, mean, variance, offset, scale, 0.1)), host(composed), 'float64', 'composite');
    expectTwoDerivatives(
      (...p) => weighted(sn.batchNorm(p[0]!, p[1]!, p[2]!, p[3], p[4], 0.1)),
      [x, mean, variance, offset, scale],
    );
  });

  test('half input keeps its dtype, with float32 parameters', () => {
    const y = sn.batchNorm(sn.ones([2, 3], 'bfloat16'), sn.zeros([3]), sn.ones([3]), sn.tensor([1, 2, 3]), null, 0);
    expect(y.dtype).toBe('bfloat16');
    expect([...y.dataSync()]).toEqual([2, 3, 4, 2, 3, 4]);
  });

  test('an empty batch gives an empty result and gradients of zero', () => {
    const [dx, dMean, dScale] = sn.grads((a, mean, scale) => sn.sum(sn.batchNorm(a, mean, sn.ones([2]), null, scale)))([
      sn.zeros([0, 2]),
      sn.zeros([2]),
      sn.ones([2]),
    ]);
    expect(dx!.shape).toEqual([0, 2]);
    expect([...dMean!.dataSync(), ...dScale!.dataSync()].map(Math.abs)).toEqual([0, 0, 0, 0]);
  });
});

describe.each([...activationTable().values()])(
  'batch normalisation ending with $name',
  ({ name: given, parameters }) => {
    const name = given as ActivationName;
    // Other parameters than the defaults, where there are some: they must arrive.
    const activation = { name, parameters: parameters.map(({ fallback }) => 0.75 * fallback) };
    const apply = (z: sn.Tensor): sn.Tensor => activationNamed(name).apply(z, activation.parameters);
    const shape = [9, 3];
    const x = random(shape);
    const scale = random([3], 0.5, 2, 2);
    const offset = random([3], -1, 1, 3);

    test('gives the activation of the normalised batch, and its derivatives, once and twice', () => {
      const fused = (...p: sn.Tensor[]): sn.Tensor =>
        weighted(batchNormTraining(p[0]!, p[1]!, p[2]!, 0.1, activation).y);
      const composed = (...p: sn.Tensor[]): sn.Tensor => weighted(apply(batchNormTraining(p[0]!, p[1]!, p[2]!, 0.1).y));
      const second =
        (f: typeof fused) =>
        (...p: sn.Tensor[]): sn.Tensor =>
          sn
            .grads(f)(p)
            .map((gradient, k) => sn.sum(sn.mul(gradient, random([...gradient.shape], -1, 1, 20 + k))))
            .reduce((a, b) => sn.add(a, b));
      for (const derive of [(f: typeof fused) => f, second]) {
        const found = sn.valueAndGrads(derive(fused))([x, scale, offset]);
        const expected = sn.valueAndGrads(derive(composed))([x, scale, offset]);
        expectClose('value', host(found.value), host(expected.value), 'float64', 'composite');
        expect(found.grads).toHaveLength(3);
        found.grads.forEach((gradient, i) =>
          expectClose(`gradient ${i}`, host(gradient), host(expected.grads[i]!), 'float64', 'composite'),
        );
      }
    });

    test('with given moments is one op, and differentiates', () => {
      const [mean, variance] = [random([3], -1, 1, 4), random([3], 0.5, 2, 5)];
      const fused = (...p: sn.Tensor[]): sn.Tensor =>
        batchNormActivation(p[0]!, p[1]!, p[2]!, offset, scale, 0.1, activation);
      const composed = (...p: sn.Tensor[]): sn.Tensor => apply(sn.batchNorm(p[0]!, p[1]!, p[2]!, offset, scale, 0.1));
      const moments = [x, mean, variance];
      expectClose('value', host(fused(...moments)), host(composed(...moments)), 'float64', 'composite');
      const found = sn.grads((...p) => weighted(fused(...p)))(moments);
      const expected = sn.grads((...p) => weighted(composed(...p)))(moments);
      expect(found).toHaveLength(3);
      found.forEach((gradient, i) =>
        expectClose(`gradient ${i}`, host(gradient), host(expected[i]!), 'float64', 'composite'),
      );
      // One axis that the kernel does not take.
      const other = [random([9, 1], -1, 1, 4), random([9, 1], 0.5, 2, 5)];
      expectClose('other axis', host(fused(x, ...other)), host(composed(x, ...other)), 'float64', 'composite');
    });
  },
);

test('the fused gradients repeat bit for bit', () => {
  const [x, scale, offset] = [random([3001, 33], -2, 2, 1, 'float32'), sn.ones([33]), sn.zeros([33])];
  const activation = { name: 'selu', parameters: activationNamed('selu').parameters({}) } as const;
  const gradients = (): number[][] =>
    sn
      .grads((...p) => weighted(batchNormTraining(p[0]!, p[1]!, p[2]!, 0.001, activation).y))([x, scale, offset])
      .map((gradient) => [...gradient.dataSync()]);
  const first = gradients();
  expect(first.map(({ length }) => length)).toEqual([3001 * 33, 33, 33]);
  expect(gradients()).toEqual(first);
});

describe('layerNorm', () => {
  const x = random([2, 3, 4], 3, 7);
  test.each([[-1], [1], [0], [[1, 2]], [[0, 2]], [[0, 1, 2]]] as (number | number[])[][])(
    'over axis %j: value and derivatives',
    (axis) => {
      const axes = [axis].flat().map((one) => (one + 3) % 3);
      const sizes = axes.map((one) => x.shape[one]!);
      const wide = x.shape.map((size, i) => (axes.includes(i) ? size : 1));
      const scale = random(sizes, 0.5, 2, 2);
      const offset = random(sizes, -1, 1, 3);
      const { mean, variance } = sn.moments(x, axes, true);
      const normal = sn.div(sn.sub(x, mean), sn.sqrt(sn.add(variance, 0.1)));
      const composed = sn.add(sn.mul(normal, sn.reshape(scale, wide)), sn.reshape(offset, wide));
      expectClose('y', host(sn.layerNorm(x, axis, 0.1, scale, offset)), host(composed), 'float64', 'composite');
      expectTwoDerivatives((...p) => weighted(sn.layerNorm(p[0]!, axis, 0.1, p[1], p[2])), [x, scale, offset]);
      expectTwoDerivatives((a) => weighted(sn.layerNorm(a, axis, 0.1)), [x]);
      expectTwoDerivatives((a, b) => weighted(sn.layerNorm(a, axis, 0.1, null, b)), [x, offset]);
    },
  );

  test('many rows agree with the same in float64', () => {
    const gradients = (dtype: DType): sn.Tensor[] =>
      sn.grads((a, scale, offset) => sn.sum(sn.square(sn.layerNorm(a, -1, 0.001, scale, offset))))([
        random([301, 130], -2, 2, 1, dtype),
        random([130], 0.5, 2, 2, dtype),
        random([130], -1, 1, 3, dtype),
      ]);
    const reference = gradients('float64');
    const narrow = gradients('float32');
    expect(narrow.length).toBe(3);
    narrow.forEach((found, i) =>
      expectClose(`gradient ${i}`, host(found), host(reference[i]!), 'float32', 'composite'),
    );
  });

  test.each([[[0, 3]], [[3, 0]]])('%j: an empty result', (shape) => {
    expect(sn.layerNorm(sn.zeros(shape)).shape).toEqual(shape);
  });
});

const x23 = (): sn.Tensor => sn.zeros([2, 3]);
const bad: readonly (readonly [string, () => unknown, ErrorCode, RegExp])[] = [
  [
    'a mean of other channels',
    () => sn.batchNorm(x23(), sn.zeros([2]), sn.zeros([3])),
    'ERR_SHAPE',
    /^batchNorm: mean: .*\[2,3\].*got \[2\]/,
  ],
  [
    'a scale larger than x',
    () => sn.batchNorm(x23(), sn.zeros([3]), sn.zeros([3]), null, sn.zeros([1, 2, 3])),
    'ERR_SHAPE',
    /^batchNorm: scale: /,
  ],
  [
    'no variance',
    () => sn.batchNorm(x23(), sn.zeros([3]), undefined as unknown as sn.Tensor),
    'ERR_ARGUMENT',
    /^batchNorm: variance: .*got undefined/,
  ],
  [
    'a negative epsilon',
    () => sn.batchNorm(x23(), sn.zeros([3]), sn.zeros([3]), null, null, -1),
    'ERR_ARGUMENT',
    /^batchNorm: varianceEpsilon: .*got -1/,
  ],
  ['an axis that is not there', () => sn.layerNorm(x23(), 2), 'ERR_ARGUMENT', /^layerNorm: axis: .*got 2/],
  ['no axis', () => sn.layerNorm(x23(), []), 'ERR_ARGUMENT', /^layerNorm: axis: /],
  ['a NaN epsilon', () => sn.layerNorm(x23(), -1, NaN), 'ERR_ARGUMENT', /^layerNorm: epsilon: .*got NaN/],
  [
    'a scale of another size',
    () => sn.layerNorm(x23(), -1, 0.001, sn.zeros([2])),
    'ERR_SHAPE',
    /^layerNorm: scale: .*\[3\].*got \[2\]/,
  ],
];
test.each(bad)('bad input: %s', (_what, call, code, text) => {
  let caught: unknown;
  try {
    call();
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(SelfnormError);
  expect((caught as SelfnormError).code).toBe(code);
  expect((caught as SelfnormError).message).toMatch(text);
});
