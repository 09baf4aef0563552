// Losses beyond the stored references: reductions against a float64 loop, extremes, half types, empty batches, second
// derivatives, bad input.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { SelfnormError, type ErrorCode } from '../../src/errors.js';
import type { DType } from '../../src/tensor/dtype.js';
import { expectClose, expectWithin } from '../harness/compare.js';
import { FINITE_DIFFERENCE, stepFor } from '../tolerance.js';

const { losses, Reduction } = sn;

/** The same values on every run, in [low, high). */
function values(n: number, low: number, high: number, seed = 1): number[] {
  let state = seed * 2654435761;
  return Array.from({ length: n }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.fround(low + ((high - low) * state) / 2 ** 32);
  });
}

const host = (t: sn.Tensor): { shape: readonly number[]; data: ArrayLike<number> } => ({
  shape: t.shape,
  data: t.dataSync(),
});

/** What plain JavaScript may pass: the types would refuse it. */
const wrong = <T>(value: unknown): T => value as T;

describe('reductions', () => {
  const losses23 = [1, 2, 3, 4, 5, 6];
  const rows: readonly (readonly [string, number[], number[], Record<string, number>])[] = [
    ['full weights', [2, 3], [1, 0, 2, 0, 0, 3], { SUM: 25, MEAN: 25 / 6, SUM_BY_NONZERO_WEIGHTS: 25 / 3 }],
    ['a weight for each column', [3], [1, 0, 2], { SUM: 23, MEAN: 23 / 6, SUM_BY_NONZERO_WEIGHTS: 23 / 4 }],
    ['a weight for each row', [2, 1], [2, 0], { SUM: 12, MEAN: 12 / 6, SUM_BY_NONZERO_WEIGHTS: 12 / 3 }],
    ['one weight', [], [2], { SUM: 42, MEAN: 42 / 12, SUM_BY_NONZERO_WEIGHTS: 42 / 6 }],
    ['negative weights', [3], [1, -1, 1], { SUM: 7, MEAN: 7 / 2, SUM_BY_NONZERO_WEIGHTS: 7 / 6 }],
    ['no weight but 0', [3], [0, 0, 0], { SUM: 0, MEAN: NaN, SUM_BY_NONZERO_WEIGHTS: NaN }],
  ];
  test.each(rows)('%s', (_name, shape, weights, expected) => {
    const x = sn.tensor(losses23, [2, 3]);
    const w = sn.tensor(weights, shape);
    for (const [mode, value] of Object.entries(expected)) {
      const reduced = losses.computeWeightedLoss(x, w, Reduction[mode as keyof typeof Reduction]);
      expectClose(mode, host(reduced), { shape: [], data: [value] }, 'float32', 'reduction');
    }
    const each = losses.computeWeightedLoss(x, w, Reduction.NONE);
    expect(each.shape).toEqual([2, 3]);
  });

  test('the numbers of Reduction are those of tfjs', () => {
    const { NONE, MEAN, SUM, SUM_BY_NONZERO_WEIGHTS } = Reduction;
    expect([NONE, MEAN, SUM, SUM_BY_NONZERO_WEIGHTS]).toEqual([0, 1, 2, 3]);
  });

  test('integer and boolean weights and labels are numbers', () => {
    const x = sn.tensor([1, 2, 4]);
    const mask = sn.tensor([true, false, true]);
    expect(losses.computeWeightedLoss(x, mask).dataSync()[0]).toBe(2.5);
    expect(losses.meanSquaredError(sn.tensor([1, 1, 1], [3], 'int32'), x, mask).dataSync()[0]).toBe(4.5);
  });
});

describe('extremes', () => {
  test('sigmoidCrossEntropy is exact at logits of 1e4 and precise where the loss is small', () => {
    const logits = [1e4, -1e4, 1e4, -1e4, 20, -20, 0];
    const labels = [1, 0, 0, 1, 1, 0, 0.5];
    const small = Math.log1p(Math.exp(-20));
    const expected = [0, 0, 1e4, 1e4, small, small, Math.LN2];
    const f = (x: sn.Tensor): sn.Tensor => losses.sigmoidCrossEntropy(labels, x, undefined, 0, Reduction.NONE);
    const found = f(sn.tensor(logits));
    expected.forEach((value, i) => {
      expectClose(
        `logit ${logits[i]}`,
        { shape: [], data: [found.dataSync()[i]!] },
        { shape: [], data: [value] },
        'float32',
        'elementwise',
      );
    });
    const gradient = sn.grad(f)(sn.tensor(logits)).dataSync();
    const sigmoid20 = 1 / (1 + Math.exp(20));
    [0, 0, 1, -1, -sigmoid20, sigmoid20, 0].forEach((value, i) => {
      expect(Math.abs(gradient[i]! - value) <= 1e-6 * Math.abs(value)).toBe(true);
    });
  });

  test.each([4, 100])('softmax cross-entropy of %i classes is finite at logits of 1e4 and with masked classes', (n) => {
    const logits = Array.from({ length: 3 * n }, () => 0);
    logits[0] = 1e4;
    logits[n] = -1e4;
    logits[2 * n] = -Infinity;
    const labels = [0, 0, 1];
    const expected = [0, 1e4 + Math.log(n - 1), Math.log(n - 1)];
    const onehot = labels.flatMap((label) => Array.from({ length: n }, (_, i) => (i === label ? 1 : 0)));
    const sparse = losses.sparseSoftmaxCrossEntropy(
      sn.tensor(labels, [3], 'int32'),
      sn.tensor(logits, [3, n]),
      undefined,
      Reduction.NONE,
    );
    const dense = losses.softmaxCrossEntropy(
      sn.tensor(onehot, [3, n]),
      sn.tensor(logits, [3, n]),
      undefined,
      0,
      Reduction.NONE,
    );
    for (const found of [sparse, dense]) {
      expected.forEach((value, row) => {
        expect(Math.abs(found.dataSync()[row]! - value) <= 2e-7 * Math.max(1, value)).toBe(true);
      });
    }
    const gradient = sn
      .grad((x) => losses.sparseSoftmaxCrossEntropy(sn.tensor(labels, [3], 'int32'), x))(sn.tensor(logits, [3, n]))
      .dataSync();
    expect(gradient.every(Number.isFinite)).toBe(true);
    expect(gradient[2 * n]).toBe(0);
  });

  test.each([3, 80])('a label out of range gives NaN in its row of %i classes only', (n) => {
    const f = (x: sn.Tensor): sn.Tensor =>
      losses.sparseSoftmaxCrossEntropy(sn.tensor([n, 1, -1], [3], 'int32'), x, undefined, Reduction.NONE);
    const loss = f(sn.zeros([3, n])).dataSync();
    expect([...loss].map(Number.isNaN)).toEqual([true, false, true]);
    const gradient = sn
      .grad(f)(sn.zeros([3, n]))
      .dataSync();
    expect([...gradient].map(Number.isNaN)).toEqual(Array.from({ length: 3 * n }, (_, i) => Math.floor(i / n) !== 1));
  });
});

describe('against a float64 loop', () => {
  const [rows, classes] = [37, 71];
  const logits = values(rows * classes, -4, 4);
  const numbers = Array.from({ length: rows }, (_, row) => (row * 7) % classes);

  function reference(smoothing: number): { loss: number[]; gradient: number[] } {
    const loss: number[] = [];
    const gradient: number[] = [];
    for (let row = 0; row < rows; row++) {
      const x = logits.slice(row * classes, (row + 1) * classes);
      const total = Math.log(x.reduce((sum, one) => sum + Math.exp(one), 0));
      const target = x.map((_, i) => (i === numbers[row] ? 1 - smoothing : 0) + smoothing / classes);
      loss.push(x.reduce((sum, one, i) => sum + target[i]! * (total - one), 0));
      gradient.push(...x.map((one, i) => Math.exp(one - total) - target[i]!));
    }
    return { loss, gradient };
  }

  test.each(['float32', 'float64', 'float16', 'bfloat16'] as const)('%s: loss in at least float32', (dtype) => {
    // Half logits are the values they round to: the reference must see the same.
    const given = sn.tensor(logits, [rows, classes], dtype);
    given.dataSync().forEach((value, i) => (logits[i] = value));
    const labels = sn.tensor(numbers, [rows], 'int32');
    const onehot = sn.cast(
      sn.equal(
        sn.expandDims(labels, -1),
        sn.tensor(
          Array.from({ length: classes }, (_, i) => i),
          [classes],
          'int32',
        ),
      ),
      dtype,
    );
    const wide: DType = dtype === 'float64' ? dtype : 'float32';
    for (const smoothing of [0, 0.1]) {
      const expected = reference(smoothing);
      const f = (x: sn.Tensor): sn.Tensor =>
        smoothing === 0
          ? losses.sparseSoftmaxCrossEntropy(labels, x, undefined, Reduction.NONE)
          : losses.softmaxCrossEntropy(onehot, x, undefined, smoothing, Reduction.NONE);
      const loss = f(given);
      expect(loss.dtype).toBe(wide);
      expectClose('loss', host(loss), { shape: [rows], data: expected.loss }, wide, 'composite');
      const gradient = sn.grad(f)(given);
      expect(gradient.dtype).toBe(dtype);
      expectClose('gradient', host(gradient), { shape: [rows, classes], data: expected.gradient }, dtype, 'composite');
    }
  });

  test.each(['float16', 'bfloat16'] as const)('%s operands are summed in float32', (dtype) => {
    const n = 4096;
    const loss = losses.meanSquaredError(sn.zeros([n], dtype), sn.ones([n], dtype), undefined, Reduction.SUM);
    expect(loss.dtype).toBe('float32');
    expect(loss.dataSync()[0]).toBe(n);
    const gradient = sn.grad((x) => losses.meanSquaredError(sn.zeros([n], dtype), x))(sn.ones([n], dtype));
    expect(gradient.dtype).toBe(dtype);
    expect(gradient.dataSync()[0]).toBe(2 / n);
  });
});

describe('derivatives', () => {
  const labels = sn.tensor([0, 2, 1], [3], 'int32');
  const probabilities = sn.tensor([0.2, 0.5, 0.3, 0, 0.1, 0.9, 0.6, 0.2, 0.2], [3, 3], 'float64');
  const x = sn.tensor(values(9, -2, 2), [3, 3], 'float64');
  const logits = sn.tensor(values(9, -2, 2, 3), [3, 3], 'float64');
  const weights = sn.tensor([0.5, 2, -1], [3], 'float64');
  const table: readonly (readonly [string, (x: sn.Tensor) => sn.Tensor])[] = [
    ['softmax cross-entropy', (z) => losses.softmaxCrossEntropy(probabilities, z, weights, 0.1)],
    ['sparse softmax cross-entropy', (z) => losses.sparseSoftmaxCrossEntropy(labels, z, weights)],
    ['labels of softmax cross-entropy', (l) => losses.softmaxCrossEntropy(sn.square(l), logits, weights, 0.1)],
    ['sigmoid cross-entropy', (z) => losses.sigmoidCrossEntropy(probabilities, z, undefined, 0.1)],
    ['weights', (w) => losses.softmaxCrossEntropy(probabilities, logits, sn.sum(w, 1), 0, Reduction.MEAN)],
  ];
  test.each(table)('first and second derivatives of %s meet central differences', (_name, f) => {
    const seed = sn.tensor(values(9, -1, 1, 2), [3, 3], 'float64');
    const slope = (z: sn.Tensor): sn.Tensor => sn.sum(sn.mul(sn.grad(f)(z), seed));
    for (const g of [f, slope]) {
      const found = sn.grad(g)(x);
      expect(found.shape).toEqual([3, 3]);
      const at = x.dataSync();
      const differences = Array.from(at, (value, i) => {
        const moved = (by: number): number => {
          const near = Float64Array.from(at);
          near[i] = value + by;
          return g(sn.tensor(near, [3, 3], 'float64')).dataSync()[0]!;
        };
        const step = stepFor(value);
        return (moved(step) - moved(-step)) / (2 * step);
      });
      expectWithin(
        'derivative',
        host(found),
        { shape: [3, 3], data: differences },
        (reference, scale) => 10 * FINITE_DIFFERENCE * Math.max(1, Math.abs(reference), scale),
      );
    }
  });

  test('a gradient survives a tidy inside the function', () => {
    const g = sn.grad((z) => sn.tidy(() => losses.sparseSoftmaxCrossEntropy(labels, z)))(sn.zeros([3, 3]));
    expect(g.dtype).toBe('float32');
    expectClose(
      'gradient',
      host(g),
      { shape: [3, 3], data: [-2, 1, 1, 1, 1, -2, 1, -2, 1].map((v) => v / 9) },
      'float32',
      'reduction',
    );
  });
});

describe('empty batches', () => {
  const calls: readonly (readonly [string, (reduction: sn.Reduction) => sn.Tensor, number[]])[] = [
    ['meanSquaredError', (r) => losses.meanSquaredError(sn.zeros([0, 3]), sn.zeros([0, 3]), undefined, r), [0, 3]],
    [
      'softmaxCrossEntropy',
      (r) => losses.softmaxCrossEntropy(sn.zeros([0, 3]), sn.zeros([0, 3]), undefined, 0, r),
      [0],
    ],
    [
      'sparseSoftmaxCrossEntropy',
      (r) => losses.sparseSoftmaxCrossEntropy(sn.zeros([0], 'int32'), sn.zeros([0, 3]), undefined, r),
      [0],
    ],
  ];
  test.each(calls)('%s: the sum is 0, the mean NaN', (_name, call, shape) => {
    expect(call(Reduction.NONE).shape).toEqual(shape);
    expect(call(Reduction.SUM).dataSync()[0]).toBe(0);
    expect(call(Reduction.MEAN).dataSync()[0]).toBeNaN();
    expect(call(Reduction.SUM_BY_NONZERO_WEIGHTS).dataSync()[0]).toBeNaN();
  });
});

const a23 = (): sn.Tensor => sn.zeros([2, 3]);
const bad: readonly (readonly [string, () => unknown, ErrorCode, RegExp])[] = [
  [
    'labels of another shape',
    () => losses.meanSquaredError(sn.zeros([3]), a23()),
    'ERR_SHAPE',
    /^losses\.meanSquaredError: labels: .*\[2,3\].*got \[3\]/,
  ],
  [
    'weights that do not broadcast',
    () => losses.absoluteDifference(a23(), a23(), sn.zeros([2])),
    'ERR_SHAPE',
    /^losses\.absoluteDifference: /,
  ],
  [
    'weights larger than the losses',
    () => losses.computeWeightedLoss(sn.zeros([3]), a23()),
    'ERR_SHAPE',
    /^losses\.computeWeightedLoss: weights: .*\[3\].*got \[2,3\]/,
  ],
  [
    'an unknown reduction',
    () => losses.computeWeightedLoss(a23(), undefined, wrong('mean')),
    'ERR_ARGUMENT',
    /reduction: .*got "mean"/,
  ],
  ['reduction 4', () => losses.hingeLoss(a23(), a23(), undefined, wrong(4)), 'ERR_ARGUMENT', /hingeLoss: reduction: /],
  ['a delta of 0', () => losses.huberLoss(a23(), a23(), undefined, 0), 'ERR_ARGUMENT', /huberLoss: delta: .*got 0/],
  ['a NaN delta', () => losses.huberLoss(a23(), a23(), undefined, NaN), 'ERR_ARGUMENT', /huberLoss: delta: .*got NaN/],
  ['a negative epsilon', () => losses.logLoss(a23(), a23(), undefined, -1), 'ERR_ARGUMENT', /logLoss: epsilon: /],
  [
    'label smoothing above 1',
    () => losses.sigmoidCrossEntropy(a23(), a23(), undefined, 1.5),
    'ERR_ARGUMENT',
    /sigmoidCrossEntropy: labelSmoothing: .*got 1\.5/,
  ],
  [
    'NaN label smoothing',
    () => losses.softmaxCrossEntropy(a23(), a23(), undefined, NaN),
    'ERR_ARGUMENT',
    /softmaxCrossEntropy: labelSmoothing: .*got NaN/,
  ],
  [
    'labels of other classes',
    () => losses.softmaxCrossEntropy(sn.zeros([2, 4]), a23()),
    'ERR_SHAPE',
    /onehotLabels: .*\[2,3\].*got \[2,4\]/,
  ],
  [
    'scalar logits',
    () => losses.softmaxCrossEntropy(sn.scalar(1), sn.scalar(1)),
    'ERR_SHAPE',
    /logits: .*at least 1 class/,
  ],
  [
    'no classes',
    () => losses.softmaxCrossEntropy(sn.zeros([2, 0]), sn.zeros([2, 0])),
    'ERR_SHAPE',
    /logits: .*got \[2,0\]/,
  ],
  [
    'float class numbers',
    () => losses.sparseSoftmaxCrossEntropy(sn.zeros([2]), a23()),
    'ERR_DTYPE',
    /labels: expected an int32 tensor, got "float32"/,
  ],
  [
    'too many class numbers',
    () => losses.sparseSoftmaxCrossEntropy(sn.zeros([3], 'int32'), a23()),
    'ERR_SHAPE',
    /labels: .*\[2\], got \[3\]/,
  ],
  ['an axis that is not there', () => losses.cosineDistance(a23(), a23(), 2), 'ERR_ARGUMENT', /cosineDistance: axis: /],
  ['softmax of a scalar', () => sn.softmax(1), 'ERR_ARGUMENT', /^softmax: dim: /],
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
  expect((caught as SelfnormError).message).not.toContain('\n');
});
