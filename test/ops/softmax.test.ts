// Softmax beyond the stored references: other axes than the last, half types, long rows, empty ones.
import { expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { expectClose } from '../harness/compare.js';

const host = (t: sn.Tensor): { shape: readonly number[]; data: ArrayLike<number> } => ({
  shape: t.shape,
  data: t.dataSync(),
});
const wave = (n: number): number[] => Array.from({ length: n }, (_, i) => Math.fround(4 * Math.sin(i * 1.7)));

test.each([0, 1, -2, -1])('axis %i of [2, 3, 4]: shares of exponentials, and their gradient', (axis) => {
  const x = sn.tensor(wave(24), [2, 3, 4], 'float64');
  const seed = sn.tensor(wave(24).reverse(), [2, 3, 4], 'float64');
  const composed = (z: sn.Tensor): sn.Tensor => sn.div(sn.exp(z), sn.sum(sn.exp(z), axis, true));
  expect(sn.softmax(x, axis).shape).toEqual(x.shape);
  expectClose('softmax', host(sn.softmax(x, axis)), host(composed(x)), 'float64', 'composite');
  expectClose('log', host(sn.logSoftmax(x, axis)), host(sn.log(composed(x))), 'float64', 'composite');
  for (const [f, g] of [
    [(z: sn.Tensor) => sn.softmax(z, axis), composed],
    [(z: sn.Tensor) => sn.logSoftmax(z, axis), (z: sn.Tensor) => sn.log(composed(z))],
  ] as const) {
    expectClose('gradient', host(sn.grad(f)(x, seed)), host(sn.grad(g)(x, seed)), 'float64', 'composite');
  }
});

test.each(['float16', 'bfloat16'] as const)('%s shares are rounded once', (dtype) => {
  for (const n of [9, 300]) {
    const x = sn.tensor(wave(5 * n), [5, n], dtype);
    const exact = sn.cast(x, 'float64');
    expect(sn.softmax(x).dtype).toBe(dtype);
    expectClose('softmax', host(sn.softmax(x)), host(sn.softmax(exact)), dtype, 'elementwise');
    expectClose('log', host(sn.logSoftmax(x)), host(sn.logSoftmax(exact)), dtype, 'elementwise');
  }
});

test('a row of 100000 adds up to 1', () => {
  const y = sn.softmax(sn.tensor(wave(100000), [1, 100000])).dataSync();
  let total = 0;
  for (const share of y) total += share;
  expect(Math.abs(total - 1) <= 1e-6).toBe(true);
});

test.each([[[0, 3]], [[3, 0]], [[0]]])('%j gives an empty result', (shape) => {
  expect(sn.softmax(sn.zeros(shape)).shape).toEqual(shape);
  expect(sn.grad((x) => sn.logSoftmax(x))(sn.zeros(shape)).shape).toEqual(shape);
});
