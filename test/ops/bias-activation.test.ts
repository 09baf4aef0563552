// What fused layers are built from: bias with activation against the two ops apart, for every activation of the table, to
// second derivatives; and PReLU's gradients for every way of sharing slopes.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import type { Tensor } from '../../src/index.js';
import { SelfnormError, type ErrorCode } from '../../src/errors.js';
import { activationNamed, type ActivationName } from '../../src/ops/activation.js';
import { activationTable } from '../../src/tensor/activation-facts.js';
import { biasActivation } from '../../src/ops/bias-activation.js';
import type { DType } from '../../src/tensor/dtype.js';
import { expectClose } from '../harness/compare.js';
import { FINITE_DIFFERENCE, stepFor } from '../tolerance.js';

const host = (t: Tensor): { shape: readonly number[]; data: ArrayLike<number> } => ({
  shape: t.shape,
  data: t.dataSync(),
});

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

/** Values of both signs off the activations' kinks, on a grid that every float dtype holds exactly. */
function tensorOf(shape: number[], seed: number, dtype: DType = 'float64'): Tensor {
  let state = seed;
  const values = Float64Array.from({ length: product(shape) }, () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (((state >> 16) % 64) - 31.5) / 16;
  });
  return sn.tensor(values, shape, dtype);
}

describe.each([...activationTable().keys()] as ActivationName[])('bias and %s', (name) => {
  const parameters = activationNamed(name).parameters({});
  const fused = (x: Tensor, bias: Tensor): Tensor => biasActivation(x, bias, name, parameters);
  const apart = (x: Tensor, bias: Tensor): Tensor => activationNamed(name).apply(sn.add(x, bias), parameters);

  test.each([[[4, 3]], [[2, 5, 8]], [[7]], [[150, 20]], [[1500, 2]], [[0, 3]]])('of shape %j', (shape) => {
    for (const dtype of ['float64', 'float32'] as const) {
      const x = tensorOf(shape, 1, dtype);
      const bias = tensorOf(shape.slice(-1), 2, dtype);
      const dy = tensorOf(shape, 3, dtype);
      const expected = sn.valueAndGrads(apart)([x, bias], dy);
      const actual = sn.valueAndGrads(fused)([x, bias], dy);
      expectClose('value', host(actual.value), host(expected.value), dtype, 'elementwise');
      expectClose('dx', host(actual.grads[0]!), host(expected.grads[0]!), dtype, 'reduction');
      expectClose('dbias', host(actual.grads[1]!), host(expected.grads[1]!), dtype, 'composite');
      expectClose('without a tape', host(fused(x, bias)), host(expected.value), dtype, 'elementwise');
    }
    expect(fused(tensorOf(shape, 1), tensorOf(shape.slice(-1), 2)).shape).toEqual(shape);
  });

  test('has the second derivatives of the two ops apart', () => {
    const x = tensorOf([5, 3], 1);
    const bias = tensorOf([3], 2);
    const weights = [tensorOf([5, 3], 4), tensorOf([3], 5)];
    const first = (f: (x: Tensor, b: Tensor) => Tensor) => (t: Tensor, b: Tensor) => {
      const [dx, dBias] = sn.grads(f)([t, b], tensorOf([5, 3], 3));
      return sn.add(sn.sum(sn.mul(dx!, weights[0]!)), sn.sum(sn.mul(dBias!, weights[1]!)));
    };
    const expected = sn.grads(first(apart))([x, bias]);
    const actual = sn.grads(first(fused))([x, bias]);
    expect(actual.length).toBe(2);
    actual.forEach((gradient, i) => {
      expectClose(`second ${i}`, host(gradient), host(expected[i]!), 'float64', 'composite');
    });
  });
});

test('a bias of another dtype is brought to that of x', () => {
  const y = biasActivation(sn.ones([2, 2], 'float16'), sn.ones([2]), 'relu');
  expect(y.dtype).toBe('float16');
  expect([...y.dataSync()]).toEqual([2, 2, 2, 2]);
});

const SHARINGS: readonly (readonly [x: number[], alpha: number[]])[] = [
  [[6], [6]],
  [[4, 3], [3]],
  [[4, 3], []],
  [
    [4, 3],
    [4, 1],
  ],
  [[200, 90], [90]],
  [[3000, 4], [4]],
  [
    [4, 3000],
    [4, 1],
  ],
  [
    [2, 3, 4, 5],
    [1, 1, 5],
  ],
  [
    [2, 3, 4, 5],
    [3, 1, 1],
  ],
  [
    [2, 3, 4, 5],
    [2, 1, 4, 1],
  ],
  [
    [2, 3, 4, 5],
    [1, 3, 1, 5],
  ],
  [[0, 3], [3]],
];

test.each(SHARINGS)('prelu of %j with slopes %j', (shape, alphaShape) => {
  const apart = (x: Tensor, alpha: Tensor): Tensor => sn.where(sn.greater(x, 0), x, sn.mul(x, alpha));
  for (const dtype of ['float64', 'float32'] as const) {
    const inputs = [tensorOf(shape, 1, dtype), tensorOf(alphaShape, 2, dtype)];
    const dy = tensorOf(shape, 3, dtype);
    const expected = sn.valueAndGrads(apart)(inputs, dy);
    const actual = sn.valueAndGrads((x, alpha) => sn.prelu(x, alpha))(inputs, dy);
    expect(actual.value.shape).toEqual(shape);
    expectClose('value', host(actual.value), host(expected.value), dtype, 'elementwise');
    expectClose('dx', host(actual.grads[0]!), host(expected.grads[0]!), dtype, 'elementwise');
    expectClose('dalpha', host(actual.grads[1]!), host(expected.grads[1]!), dtype, 'composite');
  }
});

test('prelu has second derivatives', () => {
  const x = tensorOf([4, 3], 1);
  const alpha = tensorOf([3], 2);
  // The gradient by alpha, seeded with x squared: it depends on x in two ways.
  const first = (t: Tensor): Tensor =>
    sn.sum(sn.mul(sn.grad((a) => sn.mul(sn.prelu(t, a), sn.square(t)))(alpha), alpha));
  const found = sn.grad(first)(x).dataSync();
  const values = Float64Array.from(x.dataSync());
  values.forEach((value, i) => {
    const step = stepFor(value);
    const at = (moved: number): number => {
      const copy = values.slice();
      copy[i] = moved;
      return first(sn.tensor(copy, [4, 3], 'float64')).dataSync()[0]!;
    };
    const expected = (at(value + step) - at(value - step)) / (2 * step);
    const difference = Math.abs(found[i]! - expected);
    expect(difference <= FINITE_DIFFERENCE * 100 * Math.max(1, Math.abs(expected))).toBe(true);
  });
});

test('prelu of integers, numbers and as a method', () => {
  expect([...sn.prelu(sn.tensor([-4, 4], [2], 'int32'), 0.5).dataSync()]).toEqual([-2, 4]);
  expect(sn.prelu(sn.tensor([-4], [1], 'int32'), 0.5).dtype).toBe('float32');
  expect([...sn.tensor([-1, NaN, 0]).prelu([0.25]).dataSync()]).toEqual([-0.25, NaN, 0]);
  expect([
    ...sn
      .grad((x) => sn.prelu(x, 0.25))([-1, 0, 1])
      .dataSync(),
  ]).toEqual([0.25, 0.25, 1]);
});

const refused: readonly (readonly [what: string, call: () => unknown, code: ErrorCode, text: RegExp])[] = [
  [
    'slopes of another size',
    () => sn.prelu(sn.ones([2, 3]), sn.ones([2])),
    'ERR_SHAPE',
    /^prelu: alpha: .*\[2,3\].*\[2\]/,
  ],
  [
    'slopes larger than x',
    () => sn.prelu(sn.ones([3]), sn.ones([2, 3])),
    'ERR_SHAPE',
    /^prelu: alpha: .*\[3\].*\[2,3\]/,
  ],
  ['slopes that widen x', () => sn.prelu(sn.ones([2, 1]), sn.ones([2, 3])), 'ERR_SHAPE', /^prelu: alpha: /],
  ['slopes that are missing', () => sn.prelu(1, undefined as unknown as Tensor), 'ERR_ARGUMENT', /^prelu: alpha: /],
];

test.each(refused)('%s are refused', (_what, call, code, text) => {
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
