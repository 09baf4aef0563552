// Fused product and convolution, large enough for the library, against the same thing made of single ops in float64; every
// activation of the table, gradients of gradients, NaN, and bad input.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import type { Tensor } from '../../src/index.js';
import { activationNamed, type ActivationName } from '../../src/ops/activation.js';
import { activationTable } from '../../src/tensor/activation-facts.js';
import type { DType } from '../../src/tensor/dtype.js';
import { expectClose } from '../harness/compare.js';

const host = (t: Tensor): { shape: readonly number[]; data: ArrayLike<number> } => ({
  shape: t.shape,
  data: t.dataSync(),
});

/** Values on a grid of 1/64 in [-0.5, 0.5]; small, so that sums stay where activations bend. */
function grid(shape: number[], seed: number): Tensor {
  const values = new Float64Array(shape.reduce((a, b) => a * b, 1));
  let state = seed;
  for (let i = 0; i < values.length; i++) {
    state = (state * 1103515245 + 12345) % 2147483648;
    values[i] = ((state >> 16) % 33) / 64 - 0.25;
  }
  return sn.tensor(values, shape, 'float64');
}

const NAMES = [...activationTable().keys()] as ActivationName[];

/** The activation by its op of its own, with default parameters. */
const apply = (name: ActivationName, x: Tensor): Tensor =>
  activationNamed(name).apply(x, activationNamed(name).parameters({}));

interface Fusion {
  name: string;
  inputs: number[][];
  fused: (name: ActivationName, ...xs: Tensor[]) => Tensor;
  composed: (name: ActivationName, ...xs: Tensor[]) => Tensor;
}

const FUSIONS: Fusion[] = [
  {
    name: 'fused.matMul',
    inputs: [[65, 40], [40, 33], [33]],
    fused: (activation, a, b, bias) => sn.fused.matMul({ a: a, b: b, bias: bias, activation }),
    composed: (name, a, b, bias) => apply(name, sn.add(sn.matMul(a, b), bias)),
  },
  {
    name: 'fused.matMul of batches, b transposed',
    inputs: [
      [3, 17, 40],
      [33, 40],
      [1, 33],
    ],
    fused: (activation, a, b, bias) => sn.fused.matMul({ a: a, b: b, transposeB: true, bias: bias, activation }),
    composed: (name, a, b, bias) => apply(name, sn.add(sn.matMul(a, b, false, true), bias)),
  },
  {
    name: 'fused.matMul with dropout',
    inputs: [[65, 40], [40, 33], [33]],
    fused: (activation, a, b, bias) =>
      sn.fused.matMul({ a: a, b: b, bias: bias, activation, dropout: { rate: 0.3, seed: 11 } }),
    composed: (name, a, b, bias) => sn.dropout(apply(name, sn.add(sn.matMul(a, b), bias)), 0.3, 11),
  },
  {
    name: 'fused.matMul of batches with alpha dropout',
    inputs: [[3, 17, 40], [40, 33], [33]],
    fused: (activation, a, b, bias) =>
      sn.fused.matMul({ a: a, b: b, bias: bias, activation, dropout: { rate: 0.3, kind: 'alphaDropout', seed: 11 } }),
    composed: (name, a, b, bias) => sn.alphaDropout(apply(name, sn.add(sn.matMul(a, b), bias)), 0.3, 11),
  },
  {
    name: 'fused.conv2d',
    inputs: [[2, 9, 8, 5], [3, 3, 5, 18], [18]],
    fused: (activation, x, filter, bias) =>
      sn.fused.conv2d({ x: x, filter: filter, strides: 1, pad: 'same', bias: bias, activation }),
    composed: (name, x, filter, bias) => apply(name, sn.add(sn.conv2d(x, filter, 1, 'same'), bias)),
  },
];

describe.each(FUSIONS)('$name', ({ inputs, fused, composed }) => {
  describe.each(['float32', 'bfloat16'] as DType[])('of %s', (dtype) => {
    test.each(NAMES)('agrees in value and gradients with single ops in float64: %s', (name) => {
      const exact = inputs.map((shape, i) => grid(shape, i + 1));
      const given = exact.map((x) => sn.cast(x, dtype));
      const reference = sn.valueAndGrads((...xs) => composed(name, ...xs))(exact);
      const found = sn.valueAndGrads((...xs) => fused(name, ...xs))(given);
      expect(found.value.dtype).toBe(dtype);
      // bfloat16's rounding moves a few sums over a kink, where the slope jumps: the gradients are float32's to check.
      expectClose('value', host(found.value), host(reference.value), dtype, 'product');
      if (dtype === 'bfloat16') return;
      found.grads.forEach((gradient, i) => {
        expectClose(`gradient ${i}`, host(gradient), host(reference.grads[i]!), dtype, 'composite');
      });
    });
  });

  test.each(NAMES)('second derivatives are those of single ops: %s', (name) => {
    const xs = inputs.map((shape, i) => grid(shape, i + 1));
    const second = (f: (...inputs: Tensor[]) => Tensor): Tensor[] =>
      sn.grads((...ys) => {
        const first = sn.grads(f)(ys);
        return first.map((g) => sn.sum(sn.square(g))).reduce((a, b) => sn.add(a, b));
      })(xs);
    const found = second((...ys) => fused(name, ...ys));
    const expected = second((...ys) => composed(name, ...ys));
    expect(found.length).toBe(inputs.length);
    found.forEach((gradient, i) => {
      expectClose(`second ${i}`, host(gradient), host(expected[i]!), 'float64', 'composite');
    });
  });

  test.each(NAMES)('NaN and infinity are what single ops make of them: %s', (name) => {
    for (const special of [NaN, Infinity, -Infinity]) {
      const xs = inputs.map((shape) => sn.zeros(shape));
      const bias = new Float32Array(inputs[2]!.at(-1)!);
      bias[3] = special;
      xs[2] = sn.tensor(bias, inputs[2]);
      const found = fused(name, ...xs).dataSync();
      const expected = composed(name, ...xs).dataSync();
      expect([found[0], found[3]]).toEqual([expected[0], expected[3]]);
    }
  });
});

describe('bias and activation of fused.matMul', () => {
  const [a, b] = [grid([4, 6], 1), grid([6, 5], 2)];
  const plain = sn.matMul(a, b);

  test.each([[[5]], [[1, 5]], [[4, 1]], [[4, 5]], [[]], [[1]]])('a bias of shape %j broadcasts', (shape) => {
    const bias = grid(shape, 3);
    const f = (x: Tensor, w: Tensor, c: Tensor): Tensor => sn.fused.matMul({ a: x, b: w, bias: c, activation: 'tanh' });
    const g = (x: Tensor, w: Tensor, c: Tensor): Tensor => sn.tanh(sn.add(sn.matMul(x, w), c));
    const found = sn.valueAndGrads(f)([a, b, bias]);
    const expected = sn.valueAndGrads(g)([a, b, bias]);
    expectClose('value', host(found.value), host(expected.value), 'float64', 'product');
    found.grads.forEach((one, i) =>
      expectClose(`gradient ${i}`, host(one), host(expected.grads[i]!), 'float64', 'product'),
    );
    expect(found.grads[2]!.shape).toEqual(shape);
  });

  test('parameters reach the activation', () => {
    const check = (found: Tensor, expected: Tensor): void => {
      expectClose('value', host(found), host(expected), 'float64', 'product');
      expect(found.shape).toEqual([4, 5]);
    };
    check(
      sn.fused.matMul({ a, b, activation: 'selu', alpha: 2, scale: 0.5 }),
      sn.selu(plain, { alpha: 2, scale: 0.5 }),
    );
    check(sn.fused.matMul({ a, b, activation: 'softplus', beta: 3 }), sn.softplus(plain, 3));
    check(sn.fused.matMul({ a, b, activation: 'leakyRelu', alpha: 0 }), sn.relu(plain));
    check(sn.fused.matMul({ a, b, activation: 'leakyrelu', leakyreluAlpha: 0.3 }), sn.leakyRelu(plain, 0.3));
    const slopes = grid([5], 4);
    check(sn.fused.matMul({ a, b, activation: 'prelu', preluActivationWeights: slopes }), sn.prelu(plain, slopes));
  });

  test('integers are multiplied as such, and become float32 for an activation', () => {
    const x = sn.tensor([[1, -2]], undefined, 'int32');
    const w = sn.tensor([[3], [4]], undefined, 'int32');
    expect(sn.fused.matMul({ a: x, b: w }).dtype).toBe('int32');
    const y = sn.fused.matMul({ a: x, b: w, activation: 'sigmoid' });
    expect([y.dtype, y.dataSync()[0]]).toEqual(['float32', expect.closeTo(0.0066928509, 7)]);
  });

  test('dropout in the op gives the bits of the op of its own, and so do its gradients', () => {
    for (const dtype of ['float32', 'float16', 'bfloat16'] as const) {
      for (const activation of ['linear', 'selu', 'gelu'] as const) {
        const xs = [sn.cast(a, dtype), sn.cast(b, dtype)];
        const found = sn.valueAndGrads((x, w) =>
          sn.fused.matMul({ a: x, b: w, activation, dropout: { rate: 0.4, kind: 'alphaDropout', seed: 3 } }),
        )(xs);
        const expected = sn.valueAndGrads((x, w) =>
          sn.alphaDropout(sn.fused.matMul({ a: x, b: w, activation }), 0.4, 3),
        )(xs);
        expect(found.value.dataSync()).toEqual(expected.value.dataSync());
        found.grads.forEach((one, i) => expect(one.dataSync()).toEqual(expected.grads[i]!.dataSync()));
      }
    }
  });

  test('a rate that rounds to nothing draws nothing', () => {
    const y = sn.fused.matMul({ a, b, dropout: { rate: 0, seed: 5 } });
    expect(y.dataSync()).toEqual(sn.fused.matMul({ a, b }).dataSync());
  });

  test('dropout behind prelu, and behind a bias along another axis', () => {
    const [slopes, bias] = [grid([5], 4), grid([4, 1], 3)];
    const found = sn.fused.matMul({
      a,
      b,
      bias,
      activation: 'prelu',
      preluActivationWeights: slopes,
      dropout: { rate: 0.5, seed: 2 },
    });
    const expected = sn.dropout(sn.prelu(sn.add(plain, bias), slopes), 0.5, 2);
    expect(found.shape).toEqual([4, 5]);
    expectClose('value', host(found), host(expected), 'float64', 'product');
  });

  test('dropout follows, with the masks of the ops of that name', () => {
    for (const kind of ['dropout', 'alphaDropout'] as const) {
      const found = sn.fused.matMul({ a, b, activation: 'selu', dropout: { rate: 0.5, kind, seed: 7 } });
      const y = sn.selu(plain);
      const expected = kind === 'dropout' ? sn.dropout(y, 0.5, undefined, 7) : sn.alphaDropout(y, 0.5, 7);
      expectClose('value', host(found), host(expected), 'float64', 'product');
      expect(found.shape).toEqual([4, 5]);
    }
  });
});

test('errors name the op, the argument and what came', () => {
  const message = (body: () => unknown): string => {
    try {
      body();
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error('nothing was thrown');
  };
  const wrong = (value: unknown): never => value as never;
  const [a, b] = [sn.zeros([2, 3]), sn.zeros([3, 4])];
  expect(message(() => sn.fused.matMul({ a, b: a }))).toMatch(/^fused\.matMul: b: expected axis -2/);
  expect(message(() => sn.fused.matMul({ a, b, activation: wrong('swoosh') }))).toMatch(
    /^fused\.matMul: activation: .*"swoosh"/,
  );
  expect(message(() => sn.fused.matMul({ a, b, bias: sn.zeros([3]) }))).toMatch(
    /^fused\.matMul: bias: .*\[2,4\], got \[3\]/,
  );
  expect(message(() => sn.fused.matMul({ a, b, activation: 'elu', alpha: -1 }))).toMatch(/^elu: alpha: .*-1/);
  expect(message(() => sn.fused.matMul({ a, b, activation: 'prelu' }))).toMatch(
    /^fused\.matMul: preluActivationWeights: /,
  );
  expect(message(() => sn.fused.matMul({ a, b, dropout: { rate: 0.5, kind: wrong('drop') } }))).toMatch(
    /^fused\.matMul: dropout\.kind: .*"drop"/,
  );
  const image = { x: sn.zeros([1, 4, 4, 3]), filter: sn.zeros([3, 3, 3, 2]), strides: 1, pad: 'same' } as const;
  expect(message(() => sn.fused.conv2d({ ...image, bias: sn.zeros([3]) }))).toMatch(
    /^fused\.conv2d: bias: .*got \[3\]/,
  );
  expect(message(() => sn.fused.conv2d({ ...image, filter: sn.zeros([3, 3, 4, 2]) }))).toMatch(
    /^fused\.conv2d: filter: .* 4 .* 3/,
  );
});
