// Pooling against float64 loops in every dtype, ties and NaN, gradients of gradients and bad input.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import type { Tensor } from '../../src/index.js';
import type { DType } from '../../src/tensor/dtype.js';
import { expectClose } from '../harness/compare.js';

const host = (t: Tensor): { shape: readonly number[]; data: ArrayLike<number> } => ({
  shape: t.shape,
  data: t.dataSync(),
});

/** Integers in [-8, 8]: many ties, exact in every dtype. */
function integers(size: number, seed: number): Float64Array {
  const values = new Float64Array(size);
  let state = seed;
  for (let i = 0; i < size; i++) {
    state = (state * 1103515245 + 12345) % 2147483648;
    values[i] = ((state >> 16) % 17) - 8;
  }
  return values;
}

interface Case {
  x: [number, number, number, number];
  size: [number, number];
  strides: [number, number];
  pad: 'same' | 'valid' | number;
}

/** Calls `visit(output, cells)` for every output element with the input elements of its window, in row-major order. */
function windows(c: Case, visit: (output: number, cells: number[]) => void): number[] {
  const [batch, height, width, channels] = c.x;
  const outputs = [height, width].map((size, axis) => {
    const [filter, stride] = [c.size[axis]!, c.strides[axis]!];
    if (c.pad === 'same') {
      const count = Math.ceil(size / stride);
      return [count, Math.floor(Math.max((count - 1) * stride + filter - size, 0) / 2)] as const;
    }
    const pad = c.pad === 'valid' ? 0 : c.pad;
    return [Math.floor((size + 2 * pad - filter) / stride) + 1, pad] as const;
  });
  const [[rows, top], [columns, left]] = outputs as [readonly [number, number], readonly [number, number]];
  let output = 0;
  for (let b = 0; b < batch; b++)
    for (let r = 0; r < rows; r++)
      for (let q = 0; q < columns; q++)
        for (let d = 0; d < channels; d++) {
          const cells: number[] = [];
          for (let i = 0; i < c.size[0]; i++)
            for (let j = 0; j < c.size[1]; j++) {
              const row = r * c.strides[0] - top + i;
              const column = q * c.strides[1] - left + j;
              if (row < 0 || row >= height || column < 0 || column >= width) continue;
              cells.push(((b * height + row) * width + column) * channels + d);
            }
          visit(output++, cells);
        }
  return [batch, rows, columns, channels];
}

const CASES: Case[] = [
  { x: [2, 8, 8, 32], size: [2, 2], strides: [2, 2], pad: 'valid' },
  { x: [2, 9, 7, 19], size: [3, 3], strides: [2, 2], pad: 'same' },
  { x: [1, 6, 7, 17], size: [3, 2], strides: [1, 1], pad: 'same' },
  { x: [3, 7, 9, 1], size: [2, 3], strides: [3, 2], pad: 'valid' },
  { x: [1, 5, 5, 16], size: [3, 3], strides: [2, 2], pad: 1 },
  { x: [1, 4, 4, 3], size: [1, 1], strides: [2, 2], pad: 'valid' },
];

describe.each(['float32', 'float64', 'bfloat16', 'float16'] as DType[])('pooling of %s', (dtype) => {
  test.each(CASES)('maxPool takes the first of equal elements: $x, $size, $strides, $pad', (c) => {
    const x = integers(
      c.x.reduce((a, b) => a * b, 1),
      1,
    );
    const y: number[] = [];
    const winners: number[] = [];
    const shape = windows(c, (_, cells) => {
      const winner = cells.reduce((best, cell) => (x[cell]! > x[best]! ? cell : best));
      winners.push(winner);
      y.push(x[winner]!);
    });
    const dy = integers(y.length, 2);
    const dx = new Float64Array(x.length);
    winners.forEach((winner, i) => (dx[winner]! += dy[i]!));
    const g = integers(x.length, 3);
    const input = sn.tensor(x, c.x, dtype);
    const seed = sn.tensor(dy, shape, dtype);
    const pool = (a: Tensor): Tensor => sn.maxPool(a, c.size, c.strides, c.pad);
    const { value, grad } = sn.valueAndGrad(pool)(input, seed);
    expect(value.shape).toEqual(shape);
    expectClose('y', host(value), { shape, data: y }, dtype, 'exact');
    expectClose('dx', host(grad), { shape: c.x, data: dx }, dtype, 'exact');
    const second = sn.grad((d) => sn.grad(pool)(input, d))(seed, sn.tensor(g, c.x, dtype));
    expectClose('second', host(second), { shape, data: winners.map((winner) => g[winner]!) }, dtype, 'exact');
  });

  test.each(CASES)('avgPool does not count padding: $x, $size, $strides, $pad', (c) => {
    const x = integers(
      c.x.reduce((a, b) => a * b, 1),
      1,
    );
    const y: number[] = [];
    const covered: number[][] = [];
    const shape = windows(c, (_, cells) => {
      covered.push(cells);
      y.push(cells.reduce((sum, cell) => sum + x[cell]!, 0) / cells.length);
    });
    const dy = integers(y.length, 2);
    const dx = new Float64Array(x.length);
    covered.forEach((cells, i) => cells.forEach((cell) => (dx[cell]! += dy[i]! / cells.length)));
    const input = sn.tensor(x, c.x, dtype);
    const seed = sn.tensor(dy, shape, dtype);
    const pool = (a: Tensor): Tensor => sn.avgPool(a, c.size, c.strides, c.pad);
    const { value, grad } = sn.valueAndGrad(pool)(input, seed);
    expect(value.dtype).toBe(dtype);
    expectClose('y', host(value), { shape, data: y }, dtype, 'reduction');
    expectClose('dx', host(grad), { shape: c.x, data: dx }, dtype, 'reduction');
    // Linear: the derivative by dy, seeded with x, is the pooled x again.
    const second = sn.grad((d) => sn.grad(pool)(input, d))(seed, input);
    expectClose('second', host(second), { shape, data: y }, dtype, 'reduction');
  });
});

test('integers keep their dtype', () => {
  const x = sn.tensor(new Int32Array([1, 2, 3, 5]), [2, 2, 1]);
  const max = sn.maxPool(x, 2, 1, 'valid');
  expect([max.dtype, max.shape, max.dataSync()[0]]).toEqual(['int32', [1, 1, 1], 5]);
  const mean = sn.avgPool(x, 2, 1, 'valid');
  expect([mean.dtype, mean.dataSync()[0]]).toEqual(['int32', 2]);
});

test('NaN wins its window and gets its gradient', () => {
  const x = sn.tensor([1, NaN, NaN, 2, 3, 4, 5, 6], [2, 4, 1]);
  const { value, grad } = sn.valueAndGrad((a) => sn.maxPool(a, 2, 2, 'valid'))(x);
  expect([...value.dataSync()]).toEqual([NaN, NaN]);
  expect([...grad.dataSync()]).toEqual([0, 1, 1, 0, 0, 0, 0, 0]);
});

test('an empty batch gives an empty result', () => {
  expect(sn.maxPool(sn.zeros([0, 4, 4, 2]), 2, 2, 'same').shape).toEqual([0, 2, 2, 2]);
  expect(sn.avgPool(sn.zeros([0, 4, 4, 2]), 2, 2, 'same').shape).toEqual([0, 2, 2, 2]);
});

test('errors name the op, the argument and what came', () => {
  const x = sn.zeros([1, 4, 4, 1]);
  const wrong = (value: unknown): never => value as never;
  expect(() => sn.maxPool(x, 0, 1, 'same')).toThrow(/^maxPool: filterSize: .*got 0/);
  expect(() => sn.avgPool(x, 2, [1, 2, 3] as never, 'same')).toThrow(/^avgPool: strides: .*\[1,2,3\]/);
  expect(() => sn.maxPool(x, 5, 1, 'valid')).toThrow(/^maxPool: pad: expected the window to fit/);
  expect(() => sn.maxPool(x, 2, 1, wrong('full'))).toThrow(/^maxPool: pad: .*"full"/);
  expect(() => sn.maxPool(x, 2, 1, 'same', wrong('ceil'))).toThrow(/^maxPool: dimRoundingMode: .*"ceil"/);
  expect(() => sn.avgPool(sn.zeros([4, 4]), 2, 1, 'same')).toThrow(/^avgPool: x: .*\[4,4\]/);
});
