// Reductions beyond the fixtures: every pattern of axes at sizes around the kernels' chunks, dtypes, accuracy of long sums,
// gradients where formulas have holes, and what is refused.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import type { Tensor } from '../../src/index.js';
import { SelfnormError, type ErrorCode } from '../../src/errors.js';
import type { DType } from '../../src/tensor/dtype.js';
import { expectClose } from '../harness/compare.js';
import { FINITE_DIFFERENCE, stepFor } from '../tolerance.js';

const wrong = <T>(value: unknown): T => value as T;
const host = (t: Tensor): { shape: readonly number[]; data: ArrayLike<number> } => ({
  shape: t.shape,
  data: t.dataSync(),
});

/** Different values between 0.5 and 1.5, on a grid that every float dtype holds exactly. */
function values(n: number, seed = 1): Float64Array {
  const result = new Float64Array(n);
  let state = seed;
  for (let i = 0; i < n; i++) {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    result[i] = 0.5 + ((state >> 16) % 65) / 64;
  }
  return result;
}

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

/** Float64 loop over the elements of each output. */
function reference(
  x: Float64Array,
  shape: readonly number[],
  axes: readonly number[],
  reduce: (list: number[]) => number,
): { shape: number[]; data: number[] } {
  const kept = shape.filter((_, axis) => !axes.includes(axis));
  const lists: number[][] = Array.from({ length: product(kept) }, () => []);
  x.forEach((value, index) => {
    let rest = index;
    let output = 0;
    let stride = 1;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const position = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
      if (axes.includes(axis)) continue;
      output += position * stride;
      stride *= shape[axis]!;
    }
    lists[output]!.push(value);
  });
  return { shape: kept, data: lists.map(reduce) };
}

const sumOf = (list: number[]): number => list.reduce((a, b) => a + b, 0);

const PATTERNS: readonly (readonly [shape: number[], axes: number[]])[] = [
  [[], []],
  [[1], [0]],
  [[5000], [0]],
  [[40, 17], []],
  [[40, 17], [0]],
  [[40, 17], [1]],
  [[3, 2600], [1]],
  [[2600, 3], [0]],
  [[700, 130], [0]],
  [[20, 30, 40], [1]],
  [
    [20, 30, 40],
    [0, 2],
  ],
  [
    [6, 7, 8, 9],
    [0, 2],
  ],
  [
    [6, 7, 8, 9],
    [1, 3],
  ],
  [
    [3, 1, 5, 1, 7],
    [1, 2],
  ],
  [
    [2, 3, 2, 3, 2, 3],
    [0, 2, 4],
  ],
  [
    [2, 3, 2, 3, 2, 3],
    [1, 3, 5],
  ],
  [[0, 4], [0]],
  [[4, 0], [0]],
];

describe.each<DType>(['float32', 'float64', 'float16', 'bfloat16', 'int32'])('%s', (dtype) => {
  test.each(PATTERNS)('shape %j over %j', (shape, axes) => {
    const whole = dtype === 'int32';
    const x = values(product(shape)).map((value) => (whole ? Math.round(value * 64) - 60 : value));
    const tensor = sn.tensor(x, shape, dtype);
    const kind = whole ? 'exact' : 'reduction';
    expectClose('sum', host(sn.sum(tensor, axes)), reference(x, shape, axes, sumOf), dtype, kind);
    const mean = reference(x, shape, axes, (list) => sumOf(list) / list.length);
    expectClose('mean', host(sn.mean(tensor, axes)), mean, whole ? 'float32' : dtype, 'reduction');
    expect(sn.sum(tensor, axes, true).shape).toEqual(shape.map((size, i) => (axes.includes(i) ? 1 : size)));
    if (product(shape) === 0) return;
    expectClose(
      'max',
      host(sn.max(tensor, axes)),
      reference(x, shape, axes, (l) => Math.max(...l)),
      dtype,
      'exact',
    );
    expectClose(
      'min',
      host(sn.min(tensor, axes)),
      reference(x, shape, axes, (l) => Math.min(...l)),
      dtype,
      'exact',
    );
    if (whole) return;
    const log = reference(x, shape, axes, (list) => Math.log(sumOf(list.map(Math.exp))));
    expectClose('logSumExp', host(sn.logSumExp(tensor, axes)), log, dtype, 'reduction');
    const root = reference(x, shape, axes, (list) => Math.hypot(...list));
    if (axes.length === 1) expectClose('norm', host(sn.norm(tensor, 'euclidean', axes)), root, dtype, 'reduction');
  });
});

test('arguments are the first of the extremes, along short and long rows and columns', () => {
  for (const [shape, axis] of [
    [[40, 7], 1],
    [[40, 700], 1],
    [[700, 40], 0],
    [[3, 90, 5], 1],
    [[9000], 0],
  ] as const) {
    const x = values(product(shape)).map((value) => Math.round(value * 8));
    const tensor = sn.tensor(x, [...shape]);
    const first = (pick: (list: number[]) => number) => (list: number[]) => list.indexOf(pick(list));
    const largest = reference(
      x,
      shape,
      [axis],
      first((list) => Math.max(...list)),
    );
    const smallest = reference(
      x,
      shape,
      [axis],
      first((list) => Math.min(...list)),
    );
    expectClose('argMax', host(sn.argMax(tensor, axis)), largest, 'int32', 'exact');
    expectClose('argMin', host(sn.argMin(tensor, axis)), smallest, 'int32', 'exact');
  }
  expect(sn.argMax([1, NaN, 3, NaN]).dataSync()[0]).toBe(1);
  expect(sn.argMin([1, NaN, 0]).dataSync()[0]).toBe(1);
  expect(sn.argMax(5).dataSync()[0]).toBe(0);
});

test('bytes and booleans add up to int32, and their mean is float32', () => {
  const bytes = sn.tensor([200, 100, 255], [3], 'uint8');
  expect(sn.sum(bytes).dtype).toBe('int32');
  expect(sn.sum(bytes).dataSync()[0]).toBe(555);
  const flags = sn.tensor([true, false, true, true]);
  expect(sn.sum(flags).dataSync()[0]).toBe(3);
  expect(sn.mean(flags).dtype).toBe('float32');
  expect(sn.mean(flags).dataSync()[0]).toBe(0.75);
  expect(sn.prod(bytes).dtype).toBe('int32');
  expect(sn.max(bytes).dataSync()[0]).toBe(255);
});

test('a float32 mean of millions is accurate to 1e-6, along rows and columns', () => {
  const n = 2048 * 2048;
  const x = sn.fill([2048, 2048], 0.1);
  const exact = Math.fround(0.1);
  for (const mean of [sn.mean(x), sn.mean(x, 0), sn.mean(x, 1)]) {
    for (const value of mean.dataSync()) expect(Math.abs(value / exact - 1)).toBeLessThan(1e-6);
  }
  const drifting = Float32Array.from({ length: n }, (_, i) => 1 + Math.sin(i) * 0.5);
  const expected = drifting.reduce((a, b) => a + b, 0) / n;
  expect(Math.abs(sn.mean(drifting).dataSync()[0]! / expected - 1)).toBeLessThan(1e-6);
});

test('empty reductions give the identity', () => {
  const empty = sn.zeros([0, 2]);
  expect([...sn.sum(empty, 0).dataSync()]).toEqual([0, 0]);
  expect([...sn.prod(empty, 0).dataSync()]).toEqual([1, 1]);
  expect([...sn.mean(empty, 0).dataSync()]).toEqual([NaN, NaN]);
  expect([...sn.logSumExp(empty, 0).dataSync()]).toEqual([-Infinity, -Infinity]);
  expect([...sn.any(sn.cast(empty, 'bool'), 0).dataSync()]).toEqual([0, 0]);
  expect([...sn.all(sn.cast(empty, 'bool'), 0).dataSync()]).toEqual([1, 1]);
  expect(sn.sum(empty, 1).shape).toEqual([0]);
});

/** Central differences of the gradient of f, seeded with fixed weights. */
function expectSecond(what: string, f: (x: Tensor) => Tensor, x: Float64Array, shape: number[]): void {
  const weights = sn.tensor(values(x.length, 7), shape, 'float64');
  const first = (t: Tensor): Tensor => sn.sum(sn.mul(sn.grad(f)(t), weights));
  const found = sn
    .grad(first)(sn.tensor(x, shape, 'float64'))
    .dataSync();
  let compared = 0;
  x.forEach((value, i) => {
    const step = stepFor(value);
    const at = (moved: number): number => {
      const copy = x.slice();
      copy[i] = moved;
      return first(sn.tensor(copy, shape, 'float64')).dataSync()[0]!;
    };
    const expected = (at(value + step) - at(value - step)) / (2 * step);
    const allowed = FINITE_DIFFERENCE * 10 * Math.max(1, Math.abs(expected));
    if (!(Math.abs(found[i]! - expected) <= allowed)) {
      throw new Error(`${what}: element ${i}: expected ${expected}, got ${found[i]!}`);
    }
    compared++;
  });
  expect(compared).toBe(x.length);
}

test('a product with zeros has right gradients and second derivatives', () => {
  const x = sn.tensor(
    [
      [2, 0, 3],
      [0, 0, 5],
      [1, 2, 4],
    ],
    undefined,
    'float64',
  );
  const gradient = sn.grad((t) => sn.prod(t, 1))(x);
  expect([...gradient.dataSync()]).toEqual([0, 6, 0, 0, 0, 0, 8, 4, 2]);
  expectSecond('prod', (t) => sn.prod(t, 1), Float64Array.from([2, 0, 3, 0, 0, 5, 1, 2, 4]), [3, 3]);
  expectSecond('prod over [0, 2]', (t) => sn.prod(t, [0, 2]), values(12), [2, 3, 2]);
});

test('a norm of zero has gradient zero', () => {
  const x = sn.tensor([
    [0, 0],
    [3, 4],
  ]);
  const gradient = sn.grad((t) => sn.norm(t, 'euclidean', 1))(x);
  expect(gradient.shape).toEqual([2, 2]);
  expectClose('gradient', host(gradient), { shape: [2, 2], data: [0, 0, 0.6, 0.8] }, 'float32', 'reduction');
});

test('logSumExp of infinities, and its gradient where all is -Infinity', () => {
  const x = sn.tensor([
    [-Infinity, -Infinity],
    [-Infinity, 2],
    [Infinity, 1],
  ]);
  expect([...sn.logSumExp(x, 1).dataSync()]).toEqual([-Infinity, 2, Infinity]);
  const finite = sn.grad((t) => sn.logSumExp(t, 1))(sn.slice(x, [0, 0], [2, 2]));
  expect([...finite.dataSync()]).toEqual([0, 0, 0, 1]);
});

test('matrix norms take rows and columns in the order given', () => {
  const x = sn.tensor([
    [1, -2],
    [3, 4],
    [-5, 6],
  ]);
  expect(sn.norm(x, 1, [0, 1]).dataSync()[0]).toBe(12);
  expect(sn.norm(x, 1, [1, 0]).dataSync()[0]).toBe(11);
  expect(sn.norm(x, Infinity, [0, 1]).dataSync()[0]).toBe(11);
  expect(sn.norm(x, Infinity, [1, 0]).dataSync()[0]).toBe(12);
  expect(sn.norm(x, 1, [0, 1], true).shape).toEqual([1, 1]);
});

test('extremes give their gradient to every element that equals them', () => {
  const x = sn.tensor([
    [1, 3, 3],
    [2, 2, 2],
  ]);
  expect([
    ...sn
      .grad((t) => sn.max(t, 1))(x)
      .dataSync(),
  ]).toEqual([0, 1, 1, 1, 1, 1]);
  expect([
    ...sn
      .grad((t) => sn.min(t, 0))(x)
      .dataSync(),
  ]).toEqual([1, 0, 0, 0, 1, 1]);
});

const refused: readonly (readonly [what: string, call: () => unknown, code: ErrorCode, text: RegExp])[] = [
  ['max of nothing', () => sn.max(sn.zeros([2, 0]), 1), 'ERR_SHAPE', /^max: x: .*at least one.*\[2,0\]/],
  ['argMin of nothing', () => sn.argMin(sn.zeros([0])), 'ERR_SHAPE', /^argMin: x: /],
  ['any of numbers', () => sn.any(sn.ones([2])), 'ERR_DTYPE', /^any: x: .*bool.*float32/],
  ['a fractional axis', () => sn.mean(sn.ones([2]), 0.5), 'ERR_ARGUMENT', /^mean: axis: .*got 0\.5/],
  ['an axis as text', () => sn.prod(sn.ones([2]), wrong('0')), 'ERR_ARGUMENT', /^prod: axis: .*"0"/],
  ['keepDims as number', () => sn.sum(sn.ones([2]), 0, wrong(1)), 'ERR_ARGUMENT', /^sum: keepDims: .*boolean, got 1/],
  ['an unknown norm', () => sn.norm(sn.ones([2]), 3), 'ERR_ARGUMENT', /^norm: ord: .*got 3/],
  ['a spectral norm', () => sn.norm(sn.ones([2, 2]), 2, [0, 1]), 'ERR_ARGUMENT', /^norm: ord: .*matrices, got 2/],
  ['a norm of three axes', () => sn.norm(sn.ones([2, 2, 2]), 1, [0, 1, 2]), 'ERR_ARGUMENT', /^norm: axis: .*two/],
  ['argMax along a list', () => sn.argMax(sn.ones([2]), wrong([0])), 'ERR_ARGUMENT', /^argMax: axis: /],
  ['moments without input', () => sn.moments(wrong(undefined)), 'ERR_ARGUMENT', /^moments: x: .*undefined/],
];

test.each(refused)('%s is refused', (_what, call, code, text) => {
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
