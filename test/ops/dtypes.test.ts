// Which dtype comes out, and the half types against float32 rounded.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import type { DType } from '../../src/index.js';
import { activationNamed, type ActivationName } from '../../src/ops/activation.js';
import { activationTable } from '../../src/tensor/activation-facts.js';
import { expectClose } from '../harness/compare.js';

const one = (dtype: DType): sn.Tensor => sn.ones([2], dtype);

describe('dtypes of results', () => {
  const rows: readonly (readonly [DType, DType, DType])[] = [
    ['float32', 'float32', 'float32'],
    ['int32', 'float32', 'float32'],
    ['bool', 'int32', 'int32'],
    ['bool', 'bool', 'int32'],
    ['uint8', 'uint8', 'int32'],
    ['uint8', 'float16', 'float16'],
    ['float16', 'bfloat16', 'float32'],
    ['bfloat16', 'float32', 'float32'],
    ['float32', 'float64', 'float64'],
  ];
  test.each(rows)('%s + %s is %s', (a, b, result) => {
    expect(sn.add(one(a), one(b)).dtype).toBe(result);
    expect(sn.add(one(b), one(a)).dtype).toBe(result);
  });

  test('a plain number takes the dtype of the tensor beside it', () => {
    expect(one('float16').mul(2).dtype).toBe('float16');
    expect(sn.sub(1, one('float64')).dtype).toBe('float64');
    expect(one('int32').add(1).dtype).toBe('int32');
    expect(one('int32').add(0.5).dtype).toBe('float32');
  });

  test('comparisons are bool, float functions of integers float32', () => {
    expect(sn.less(one('int32'), 2).dtype).toBe('bool');
    expect(sn.exp(one('int32')).dtype).toBe('float32');
    expect(sn.relu(one('bool')).dtype).toBe('float32');
    expect(sn.neg(one('int32')).dtype).toBe('int32');
  });

  test('int32 divided by int32 rounds down, as tfjs does', () => {
    const a = sn.tensor([7, -7, 1], [3], 'int32');
    const b = sn.tensor([2, 2, 0], [3], 'int32');
    expect([...sn.div(a, b).dataSync()]).toEqual([3, -4, 0]);
  });

  test('half types are read as float32 and created from it', () => {
    const values = [1, 1 / 3, 65504, 1e-7, -Infinity, NaN];
    const half = sn.tensor(values, [6], 'float16').dataSync();
    expect(half).toBeInstanceOf(Float32Array);
    expect([...half]).toEqual([1, 0.333251953125, 65504, 1.1920928955078125e-7, -Infinity, NaN]);
    expect([...sn.tensor(values, [6], 'bfloat16').dataSync()].slice(0, 2)).toEqual([1, 0.333984375]);
  });

  test('half types are rounded once: of two neighbours the nearer one, however close the tie', () => {
    // float32 would round both to the tie, 1 + 2^-11, and from there to 1.
    const [above, below] = [1 + 2 ** -11 + 2 ** -40, 1 + 2 ** -11 - 2 ** -40];
    expect([...sn.tensor([above, below, -above], [3], 'float16').dataSync()]).toEqual([1 + 2 ** -10, 1, -1 - 2 ** -10]);
    const wide = sn.tensor([above, below, 65520 - 2 ** -20], [3], 'float64');
    expect([...wide.cast('float16').dataSync()]).toEqual([1 + 2 ** -10, 1, 65504]);
    const whole = sn.tensor([2 ** 30 + 2 ** 22 + 1, 2 ** 30 + 2 ** 22], [2], 'int32');
    expect([...whole.cast('bfloat16').dataSync()]).toEqual([2 ** 30 + 2 ** 23, 2 ** 30]);
  });

  test('integers are limited to the integers between the bounds', () => {
    const x = sn.tensor([-9, -1, 0, 1, 2, 3, 9], [7], 'int32');
    expect([...sn.clipByValue(x, 0.5, 2.5).dataSync()]).toEqual([1, 1, 1, 1, 2, 2, 2]);
    expect([...sn.clipByValue(x, -2.5, -0.5).dataSync()]).toEqual([-2, -1, -1, -1, -1, -1, -1]);
    expect([...sn.clipByValue(x, -Infinity, 2).dataSync()]).toEqual([-9, -1, 0, 1, 2, 2, 2]);
    expect(() => sn.clipByValue(x, 0.25, 0.75)).toThrow(
      "clipByValue: min, max: expected an integer between them, as x is int32, got [0.25,0.75]; use x.cast('float32')",
    );
    expect([...sn.clipByValue(x.cast('float32'), 0.25, 0.75).dataSync()]).toEqual([
      0.25, 0.25, 0.25, 0.75, 0.75, 0.75, 0.75,
    ]);
  });
});

describe.each(['float16', 'bfloat16'] as const)('%s', (dtype) => {
  const values = Float32Array.from({ length: 515 }, (_, i) => (i - 257) / 32);
  const x = sn.tensor(values, [515], dtype);
  const wide = x.cast('float32');

  test.each([...activationTable().keys()] as ActivationName[])('%s is the float32 result, rounded', (name) => {
    const parameters = activationNamed(name).parameters({});
    const half = activationNamed(name).apply(x, parameters);
    expect(half.dtype).toBe(dtype);
    const expected = activationNamed(name).apply(wide, parameters).cast(dtype);
    expectClose(
      name,
      { shape: [515], data: half.dataSync() },
      { shape: [515], data: expected.dataSync() },
      'float32',
      'exact',
    );
  });

  test('sums accumulate in float32', () => {
    // In half arithmetic the sum would stop growing long before.
    expect(sn.ones([5000], dtype).sum().cast('float32').dataSync()[0]).toBe(dtype === 'float16' ? 5000 : 4992);
  });

  test('gradients have the dtype', () => {
    expect(sn.grad((t) => t.tanh().mul(t))(x).dtype).toBe(dtype);
  });
});
