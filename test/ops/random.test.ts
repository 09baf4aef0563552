// Random tensors: moments within five standard errors, limits, quantiles, and seeds that repeat.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';

const N = 2 ** 20;

/** Mean and variance in double. */
function momentsOf(values: ArrayLike<number>): { mean: number; variance: number } {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  const mean = sum / values.length;
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i]! - mean) ** 2;
  return { mean, variance: squares / values.length };
}

/** The largest distance between the sample's distribution function and the given one (Kolmogorov and Smirnov). */
function distance(values: ArrayLike<number>, distribution: (x: number) => number): number {
  const sorted = Float64Array.from(values).sort();
  let worst = 0;
  sorted.forEach((x, i) => (worst = Math.max(worst, Math.abs((i + 0.5) / sorted.length - distribution(x)))));
  return worst;
}
/** Exceeded once in a million samples of this size. */
const LIMIT = 2.7 / Math.sqrt(N);

/** Standard normal distribution function, to 1e-7 (Abramowitz & Stegun 26.2.17). */
function normalCdf(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const tail =
    (Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI)) *
    t *
    (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return x > 0 ? 1 - tail : tail;
}

describe.each(['float32', 'float64'] as const)('%s', (dtype) => {
  test('uniform numbers fill [minval, maxval)', () => {
    const values = sn.randomUniform([N], -2, 6, dtype, 1).dataSync();
    expect(values.every((x) => x >= -2 && x < 6)).toBe(true);
    expect(distance(values, (x) => (x + 2) / 8)).toBeLessThan(LIMIT);
  });

  test('normal numbers have the mean, the deviation and the shape', () => {
    const values = sn.randomNormal([N], 3, 2, dtype, 2).dataSync();
    const { mean, variance } = momentsOf(values);
    expect(Math.abs(mean - 3)).toBeLessThan((5 * 2) / Math.sqrt(N));
    expect(Math.abs(variance - 4)).toBeLessThan(5 * 4 * Math.sqrt(2 / N));
    expect(distance(values, (x) => normalCdf((x - 3) / 2))).toBeLessThan(LIMIT);
    expect(values.every(Number.isFinite)).toBe(true);
  });

  test('truncated normal numbers stay within two deviations', () => {
    const values = sn.truncatedNormal([N], 1, 0.5, dtype, 3).dataSync();
    expect(values.every((x) => Math.abs(x - 1) <= 1.0001)).toBe(true);
    const mass = normalCdf(2) - normalCdf(-2);
    expect(distance(values, (x) => (normalCdf((x - 1) / 0.5) - normalCdf(-2)) / mass)).toBeLessThan(LIMIT);
  });
});

test('int32 draws every whole number of the range alike', () => {
  const values = sn.randomUniform([N], -3, 4, 'int32', 4).dataSync();
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  expect([...counts.keys()].sort((a, b) => a - b)).toEqual([-3, -2, -1, 0, 1, 2, 3]);
  for (const count of counts.values()) expect(Math.abs(count - N / 7)).toBeLessThan(5 * Math.sqrt(N / 7));
});

test('a seed repeats, setSeed starts the sequence again, and draws differ', () => {
  const first = (): number[] => [...sn.randomNormal([8]).dataSync()];
  expect([...sn.randomNormal([8], 0, 1, 'float32', 9).dataSync()]).toEqual([
    ...sn.randomNormal([8], 0, 1, 'float32', 9).dataSync(),
  ]);
  sn.setSeed(5);
  const run = [first(), first()];
  sn.setSeed(5);
  expect([first(), first()]).toEqual(run);
  expect(run[0]).not.toEqual(run[1]);
});

test.each([
  ['a bool dtype', () => sn.randomNormal([2], 0, 1, 'bool'), /randomNormal: dtype/],
  ['a NaN mean', () => sn.randomNormal([2], NaN), /randomNormal: parameters/],
  ['a fractional seed', () => sn.randomUniform([2], 0, 1, 'float32', 0.5), /randomUniform: seed/],
])('%s is refused', (_what, call, message) => {
  expect(call).toThrow(message);
});
