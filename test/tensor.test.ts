// Tensors as values: what tensor() takes, what reading gives back, text, copies, variables, and the small functions around
// devices. Memory is tensor-memory.test.ts, several devices are devices.test.ts.
import { describe, expect, test } from 'vitest';
import * as sn from '../src/index.js';
import type { DType, TensorLike } from '../src/index.js';

const list = (x: sn.Tensor): number[] => [...x.dataSync()];
const wrong = <T>(value: unknown): T => value as T;

describe('creation from host values', () => {
  test('numbers, booleans and nested arrays', () => {
    expect(sn.tensor(3).shape).toEqual([]);
    expect(sn.tensor([[1, 2, 3]]).shape).toEqual([1, 3]);
    expect(sn.tensor([true, false]).dtype).toBe('bool');
    expect(list(sn.tensor([[true], [false]]))).toEqual([1, 0]);
    expect(list(sn.tensor([1, 2, 3, 4], [2, 2]))).toEqual([1, 2, 3, 4]);
  });

  test('empty arrays keep their shape', () => {
    expect(sn.tensor([]).shape).toEqual([0]);
    expect(sn.tensor([[]]).shape).toEqual([1, 0]);
    expect(sn.tensor([[], []]).arraySync()).toEqual([[], []]);
    expect(sn.tensor([], [0, 3]).arraySync()).toEqual([]);
    expect(sn.tensor([], [2, 0]).arraySync()).toEqual([[], []]);
  });

  const typed: readonly (readonly [TensorLike, DType])[] = [
    [new Float32Array([1, 2]), 'float32'],
    [new Float64Array([1, 2]), 'float32'],
    [new Int32Array([1, 2]), 'int32'],
    [new Uint8Array([1, 2]), 'int32'],
    [new Uint8ClampedArray([1, 2]), 'int32'],
  ];
  test.each(typed)('typed array %#', (values, dtype) => {
    const x = sn.tensor(wrong<number[]>(values));
    expect(x.dtype).toBe(dtype);
    expect(list(x)).toEqual([1, 2]);
  });

  test('a part of a larger buffer, shared memory and a detached buffer', () => {
    const whole = new Float32Array([1, 2, 3, 4]);
    expect(list(sn.tensor(whole.subarray(1, 3)))).toEqual([2, 3]);
    expect(list(sn.tensor(new Float64Array([1, 2, 3]).subarray(2), [1], 'float64'))).toEqual([3]);
    const shared = new Float32Array(new SharedArrayBuffer(8));
    shared.set([5, 6]);
    expect(list(sn.tensor(shared))).toEqual([5, 6]);
    structuredClone(whole, { transfer: [whole.buffer] });
    expect(() => sn.tensor(whole)).toThrow(/^tensor: values: .*transferred/);
  });

  test('the values are copied', () => {
    const values = new Float32Array([1, 2]);
    const x = sn.tensor(values);
    values[0] = 9;
    expect(list(x)).toEqual([1, 2]);
  });

  test('rows may be typed arrays', () => {
    expect(sn.tensor(wrong<number[][]>([new Float32Array([1, 2]), new Float32Array([3, 4])])).arraySync()).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(() => sn.tensor(wrong<number[][]>([new Float32Array(2), new Float32Array(3)]))).toThrow(/ragged/);
  });

  test.each([
    ['a hole', () => sn.tensor(wrong<number[]>([1, , 3]))], // eslint-disable-line no-sparse-arrays
    ['a string', () => sn.tensor(wrong<number[]>('12'))],
    ['null', () => sn.tensor(wrong<number[]>(null))],
    ['BigInts', () => sn.tensor(wrong<number[]>(new BigInt64Array(2)))],
    ['ragged', () => sn.tensor(wrong<number[]>([1, [2]]))],
    ['ragged the other way', () => sn.tensor(wrong<number[]>([[1], 2]))],
    [
      'an array that holds itself',
      () => {
        const cycle: unknown[] = [];
        cycle.push(cycle);
        return sn.tensor(wrong<number[]>(cycle));
      },
    ],
  ])('%s is refused', (_what, call) => {
    expect(call).toThrow(/^tensor: values: expected /);
  });

  test('every dtype keeps its values, NaN is true as a bool', () => {
    for (const dtype of ['float32', 'float16', 'bfloat16', 'float64', 'int32', 'uint8'] as const)
      expect(list(sn.tensor([0, 1, 100], [3], dtype))).toEqual([0, 1, 100]);
    expect(list(sn.tensor([0, 2, NaN, -0], [4], 'bool'))).toEqual([0, 1, 1, 0]);
    expect(list(sn.tensor([0, 2, NaN, -0], [4]).cast('bool'))).toEqual([0, 1, 1, 0]);
  });

  test("changing the array given as a shape does not change the tensor's", () => {
    const shape = [2, 3];
    const made = [sn.zeros(shape), sn.tensor([1, 2, 3, 4, 5, 6], shape), sn.fill(shape, 7)];
    shape[0] = 99;
    for (const x of made) expect(x.shape).toEqual([2, 3]);
    expect(made[0]!.add(made[1]!).shape).toEqual([2, 3]);
  });

  test("a tensor's own shape cannot be changed under the native side", () => {
    const x = sn.zeros([2, 3]);
    const y = x.neg();
    expect(() => {
      wrong<number[]>(y.shape)[0] = 99;
    }).toThrow(TypeError);
    expect(x.shape).toEqual([2, 3]);
  });
});

describe('reading', () => {
  test('data and dataSync agree, and nest as array', async () => {
    for (const dtype of ['float32', 'float16', 'float64', 'int32', 'uint8', 'bool'] as const) {
      const x = sn.tensor([[1, 0], [1, 1]], [2, 2], dtype); // prettier-ignore
      expect(await x.data()).toEqual(x.dataSync());
      expect(await x.array()).toEqual([
        [1, 0],
        [1, 1],
      ]);
      expect(x.arraySync()).toEqual(await x.array());
    }
    expect(await sn.scalar(4).array()).toBe(4);
    expect(sn.zeros([0]).dataSync()).toEqual(new Float32Array(0));
    expect(await sn.zeros([0]).data()).toEqual(new Float32Array(0));
  });

  test('what was read does not change when the tensor does', async () => {
    const v = sn.variable(new Float32Array(2 ** 20).fill(1));
    const now = v.dataSync();
    const pending = v.data();
    v.assign(sn.zeros([2 ** 20]));
    expect(now[5]).toBe(1);
    expect((await pending)[5]).toBe(1);
    expect((await v.data())[5]).toBe(0);
  });

  test('reading a disposed tensor is an error that says so', async () => {
    const x = sn.ones([2]);
    x.dispose();
    await expect(x.data()).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
    await expect(x.array()).rejects.toMatchObject({ code: 'ERR_DISPOSED' });
    expect(() => x.arraySync()).toThrow(/disposed/);
  });

  test('a value is still read when the tensor is disposed of meanwhile', async () => {
    const x = sn.fill([2 ** 20], 3);
    const pending = x.data();
    x.dispose();
    sn.fill([2 ** 20], 4);
    expect((await pending)[7]).toBe(3);
  });
});

describe('text', () => {
  const text = (x: sn.Tensor): string => x.toString().replace(/^[^\n]*\n/, '');
  test('shape and dtype first, then the values', () => {
    expect(sn.tensor([[1, 2.5], [NaN, -Infinity]]).toString()).toBe('float32 [2,2]\n[[1, 2.5],\n [NaN, -Infinity]]'); // prettier-ignore
    expect(text(sn.scalar(3))).toBe('3');
    expect(text(sn.tensor([true, false]))).toBe('[true, false]');
    expect(text(sn.tensor([0.1]))).toBe('[0.1]');
  });
  test('empty ones, and long ones shortened', () => {
    expect(text(sn.zeros([0]))).toBe('[]');
    expect(text(sn.zeros([2, 0]))).toBe('[[],\n []]');
    expect(text(sn.range(0, 10))).toBe('[0, 1, 2, ..., 7, 8, 9]');
    expect(String(sn.zeros([0, 3]))).toBe('float32 [0,3]\n[]');
  });
  test('a disposed tensor has text too', () => {
    const x = sn.ones([2]);
    x.dispose();
    expect(String(x)).toMatch(/disposed.*\[2\]/);
  });
});

describe('copies', () => {
  const copies: readonly (readonly [string, (x: sn.Tensor) => sn.Tensor])[] = [
    ['clone', (x) => x.clone()],
    ['reshape to its own shape', (x) => x.reshape([2, 2])],
    ['reshape', (x) => x.reshape([-1])],
    ['cast to its own dtype', (x) => x.cast('float32')],
    ['squeeze of nothing', (x) => x.squeeze()],
    ['broadcastTo its own shape', (x) => x.broadcastTo([2, 2])],
    ['slice of everything', (x) => x.slice(0)],
    ['concat of one', (x) => sn.concat([x])],
  ];
  test.each(copies)('%s gives a tensor of its own, from a variable one that does not change', (_name, copy) => {
    const x = sn.tensor([1, 2, 3, 4], [2, 2]);
    const y = copy(x);
    expect(y).not.toBe(x);
    x.dispose();
    expect(list(y)).toEqual([1, 2, 3, 4]);
    const v = sn.variable(y.reshape([2, 2]));
    const z = copy(v);
    v.assign(sn.zeros([2, 2]));
    expect(list(z)).toEqual([1, 2, 3, 4]);
  });

  test('views of views, off every alignment, compute', () => {
    const x = sn.range(0, 100);
    const part = x.slice(3, 90).slice(2, 80).slice(1);
    expect(list(part.neg())).toEqual(Array.from({ length: 79 }, (_, i) => -(i + 6)));
    const bytes = sn.tensor(Array.from({ length: 40 }, (_, i) => i % 2), [40], 'bool').slice(3).logicalNot(); // prettier-ignore
    expect(list(bytes)).toEqual(Array.from({ length: 37 }, (_, i) => i % 2));
    x.dispose();
    expect(list(part).slice(0, 2)).toEqual([6, 7]);
  });
});

describe('numbers beside tensors', () => {
  test('a number that int32 cannot hold makes the result float32', () => {
    const x = sn.tensor([1], [1], 'int32');
    expect(list(x.add(3e9))).toEqual([3000000000]);
    expect(list(x.add(-1))).toEqual([0]);
    expect(x.add(2 ** 31 - 2).dtype).toBe('int32');
    expect(x.mul(Infinity).dtype).toBe('float32');
  });
});

describe('variables', () => {
  test('own copy, name, trainable and dtype', () => {
    const x = sn.ones([2]);
    const v = sn.variable(x, false, 'weights', 'float64');
    x.dispose();
    expect([v.name, v.trainable, v.dtype, v.device]).toEqual(['weights', false, 'float64', sn.device()]);
    expect(list(v)).toEqual([1, 1]);
    expect(sn.variable(1).name).not.toBe(sn.variable(1).name);
    expect(() => sn.variable(1, true, 'bad', wrong<DType>('float8'))).toThrow(/^variable: dtype: expected one of/);
  });

  test('assign takes tensors, and host values in the dtype of the variable', () => {
    const v = sn.variable(0);
    expect(list(v.assign(3))).toEqual([3]);
    for (const dtype of ['float32', 'float16', 'float64', 'int32', 'uint8'] as const) {
      const w = sn.variable([0, 0], true, undefined, dtype);
      expect(list(w.assign([1, 2]))).toEqual([1, 2]);
      expect(list(w.assign(new Float32Array([3, 4])))).toEqual([3, 4]);
      expect(list(w.assign(sn.tensor([5, 6], [2], dtype)))).toEqual([5, 6]);
      expect(w.dtype).toBe(dtype);
      const number = sn.variable(0, true, undefined, dtype);
      expect(list(number.assign(3))).toEqual([3]);
    }
    const flag = sn.variable([false, true]);
    expect(list(flag.assign([true, true]))).toEqual([1, 1]);
  });

  test('assign to itself, and of a tensor made from itself', () => {
    const v = sn.variable([1, 2, 3]);
    expect(list(v.assign(v))).toEqual([1, 2, 3]);
    v.assign(v.mul(2));
    v.assign(v.reshape([3, 1]).reshape([3]));
    expect(list(v)).toEqual([2, 4, 6]);
  });

  test('a refused value leaves the variable as it was', () => {
    const v = sn.variable([1, 2]);
    expect(() => v.assign([1, 2, 3])).toThrow(/^assign: value: .*shape \[2\]/);
    expect(() => v.assign(sn.tensor([1, 2], [2], 'int32'))).toThrow(/^assign: value: .*float32/);
    expect(() => v.assign(wrong<number[]>('x'))).toThrow(/^assign: value: /);
    expect(list(v)).toEqual([1, 2]);
    v.dispose();
    expect(() => v.assign([1, 2])).toThrow(/^assign: variable: .*disposed/);
  });

  test('a read under way does not move a variable to other memory', async () => {
    const v = sn.variable(new Float32Array(2 ** 19).fill(1));
    const before = sn.memory().numBytes;
    const pending = v.data();
    v.assign(sn.fill([2 ** 19], 2));
    expect((await pending)[0]).toBe(1);
    expect(sn.memory().numBytes).toBeLessThanOrEqual(before + 2 ** 21);
  });

  test('tidy leaves variables alone, dispose and using free them', () => {
    const before = sn.memory().numTensors;
    const v = sn.tidy(() => {
      const made = sn.variable([1]);
      return made;
    });
    sn.tidy(() => void v.add(1));
    expect(list(v)).toEqual([1]);
    {
      using w = sn.variable([2]);
      expect(w.isDisposed).toBe(false);
    }
    v.dispose();
    v.dispose();
    expect(sn.memory().numTensors).toBe(before);
  });
});

describe('devices and time', () => {
  test('the current device is listed, and withDevice gives the result and sets it back', async () => {
    const current = sn.device();
    expect(sn.devices().map((one) => one.device)).toContain(current);
    expect(sn.withDevice('cpu', () => sn.ones([1]).device)).toBe('cpu');
    await expect(sn.withDevice('cpu', () => Promise.resolve(sn.device()))).resolves.toBe('cpu');
    expect(() =>
      sn.withDevice('cpu', () => {
        throw new Error('inside');
      }),
    ).toThrow('inside');
    expect(sn.device()).toBe(current);
  });

  test('time waits for what it runs and passes its error on', async () => {
    const { kernelMs, wallMs } = await sn.time(() => sn.ones([1000]).exp());
    expect(kernelMs).toBeGreaterThan(0);
    expect(wallMs).toBeGreaterThanOrEqual(kernelMs);
    await expect(sn.time(() => Promise.reject(new Error('inside')))).rejects.toThrow('inside');
  });

  test('version is that of package.json', () => {
    expect(sn.version).toMatch(/^\d+\.\d+\.\d+/);
  });
});
