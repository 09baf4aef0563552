// Products large enough for the library, and what the fixtures leave out: dtypes, batches folded and walked, second
// derivatives, special values.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import type { Tensor } from '../../src/index.js';
import type { DType } from '../../src/tensor/dtype.js';
import { expectClose } from '../harness/compare.js';

const host = (t: Tensor): { shape: readonly number[]; data: ArrayLike<number> } => ({
  shape: t.shape,
  data: t.dataSync(),
});

/** Values on a grid of 1/8, exact in every float dtype. */
function grid(shape: number[], seed: number): Float64Array {
  const values = new Float64Array(shape.reduce((a, b) => a * b, 1));
  let state = seed;
  for (let i = 0; i < values.length; i++) {
    state = (state * 1103515245 + 12345) % 2147483648;
    values[i] = ((state >> 16) % 17) / 8 - 1;
  }
  return values;
}

interface Matrices {
  batch: number;
  m: number;
  n: number;
  k: number;
}

/** Float64 triple loop; `bStride` 0: one b for every batch. */
function reference(
  a: Float64Array,
  b: Float64Array,
  size: Matrices,
  tA: boolean,
  tB: boolean,
  bStride: number,
): Float64Array {
  const { batch, m, n, k } = size;
  const y = new Float64Array(batch * m * n);
  for (let z = 0; z < batch; z++)
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let d = 0; d < k; d++) {
          sum += a[z * m * k + (tA ? d * m + i : i * k + d)]! * b[z * bStride + (tB ? j * k + d : d * n + j)]!;
        }
        y[(z * m + i) * n + j] = sum;
      }
  return y;
}

const DTYPES: DType[] = ['float32', 'float64', 'bfloat16', 'float16', 'int32'];
const TRANSPOSES = [false, true].flatMap((a) => [false, true].map((b) => [a, b] as const));

describe.each(DTYPES)('matMul of %s', (dtype) => {
  const sizes: Matrices[] = [
    { batch: 1, m: 67, n: 45, k: 129 },
    { batch: 1, m: 1, n: 517, k: 130 },
    { batch: 3, m: 33, n: 31, k: 65 },
  ];
  const scale = dtype === 'int32' ? 8 : 1;
  test.each(sizes)('agrees with a float64 loop: $batch x $m x $n x $k, every transpose', (size) => {
    const { batch, m, n, k } = size;
    const a = grid([batch, m, k], 1).map((value) => value * scale);
    const b = grid([batch, k, n], 2).map((value) => value * scale);
    for (const [tA, tB] of TRANSPOSES) {
      const x = sn.tensor(a, [batch, ...(tA ? [k, m] : [m, k])], dtype);
      const w = sn.tensor(b, [batch, ...(tB ? [n, k] : [k, n])], dtype);
      const y = sn.matMul(x, w, tA, tB);
      expect(y.dtype).toBe(dtype);
      expectClose('y', host(y), { shape: [batch, m, n], data: reference(a, b, size, tA, tB, k * n) }, dtype, 'product');
    }
  });

  test('one b for every batch, whatever the rank it comes in', () => {
    const size = { batch: 4, m: 17, n: 33, k: 64 };
    const a = grid([4, 17, 64], 3).map((value) => value * scale);
    const b = grid([64, 33], 4).map((value) => value * scale);
    const expected = { shape: [4, 17, 33], data: reference(a, b, size, false, false, 0) };
    const x = sn.tensor(a, [4, 17, 64], dtype);
    expect(x.rank).toBe(3);
    for (const shape of [
      [64, 33],
      [1, 64, 33],
    ]) {
      expectClose('y', host(sn.matMul(x, sn.tensor(b, shape, dtype))), expected, dtype, 'product');
    }
    const turned = sn.tensor(a, [4, 64, 17], dtype);
    const y = sn.matMul(turned, sn.tensor(b, [64, 33], dtype), true);
    expectClose('y', host(y), { shape: [4, 17, 33], data: reference(a, b, size, true, false, 0) }, dtype, 'product');
  });
});

test('batch axes that do not merge are walked one by one', () => {
  const a = grid([2, 1, 3, 20, 30], 5);
  const b = grid([4, 1, 30, 25], 6);
  const y = sn.matMul(sn.tensor(a, [2, 1, 3, 20, 30]), sn.tensor(b, [4, 1, 30, 25]));
  expect(y.shape).toEqual([2, 4, 3, 20, 25]);
  const expected = new Float64Array(y.size);
  for (let z = 0; z < 24; z++) {
    const from = Math.floor(z / 12) * 3 + (z % 3);
    const one = reference(
      a.slice(from * 600, (from + 1) * 600),
      b.slice((Math.floor(z / 3) % 4) * 750),
      { batch: 1, m: 20, n: 25, k: 30 },
      false,
      false,
      0,
    );
    expected.set(one, z * 500);
  }
  expectClose('y', host(y), { shape: y.shape, data: expected }, 'float32', 'product');
});

test('operands of two dtypes meet in the wider one', () => {
  const f32 = sn.ones([2, 2]);
  expect(sn.matMul(f32, sn.ones([2, 2], 'float64')).dtype).toBe('float64');
  expect(sn.matMul(f32, sn.ones([2, 2], 'int32')).dtype).toBe('float32');
  expect(sn.matMul(sn.ones([2, 2], 'bool'), sn.ones([2, 2], 'bool')).dtype).toBe('int32');
});

test('NaN and infinity pass through the library', () => {
  const a = new Float32Array(64 * 64).fill(1);
  a[0] = NaN;
  a[64] = Infinity;
  const y = sn.matMul(sn.tensor(a, [64, 64]), sn.ones([64, 64])).dataSync();
  expect(y[0]).toBeNaN();
  expect(y[64]).toBe(Infinity);
  expect(y[128]).toBe(64);
});

test('outerProduct is every product of two elements', () => {
  const y = sn.outerProduct([1, 2, 3], [4, 5]);
  expect(y.arraySync()).toEqual([
    [4, 5],
    [8, 10],
    [12, 15],
  ]);
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
  expect(message(() => sn.matMul(sn.zeros([2, 3]), sn.zeros([4, 3] as number[])))).toBe(
    "matMul: b: expected axis -2 to equal a's inner axis 3 (a is [2,3]), got [4,3]; did you mean transposeB: true?",
  );
  expect(message(() => sn.matMul(sn.zeros([3]), sn.zeros([3, 1])))).toBe(
    'matMul: a: expected a rank of at least 2, got [3]; use dot() for vectors',
  );
  expect(message(() => sn.matMul(sn.zeros([2, 2, 3]), sn.zeros([3, 3, 1])))).toMatch(/^matMul: b: expected batch axes/);
  expect(message(() => sn.dot(sn.zeros([2]), sn.zeros([3])))).toMatch(/^dot: t2: expected axis 0 to equal/);
  expect(message(() => sn.outerProduct(sn.zeros([2, 1]), [1]))).toBe('outerProduct: v1: expected rank 1, got [2,1]');
});
