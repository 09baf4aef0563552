// NumPy's archives: what numpy wrote comes in with its values, what is written here has the bytes that numpy writes, and a damaged
// archive is one error.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { zipOf } from '../../src/files/zip.js';
import * as sn from '../../src/index.js';
import { encodeNpyHeader } from '../../src/interchange/numpy/npy.js';
import { liveTensors } from '../harness/live-tensors.js';
import { bits, convNet, fillWeights, weightsOf } from '../models/saved-models.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/numpy/${name}`, import.meta.url));
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'selfnorm-npz-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const { arrays } = JSON.parse(readFileSync(fixture('arrays.json'), 'utf8')) as {
  arrays: Record<string, { shape: number[]; values: string[] }>;
};
const NUMBERS: Readonly<Record<string, number>> = { True: 1, False: 0, inf: Infinity, '-inf': -Infinity, nan: NaN };
const DTYPES: Readonly<Record<string, sn.DType>> = {
  float16: 'float16',
  float64: 'float64',
  bool: 'bool',
  uint8: 'uint8',
  'big/float16': 'float16',
  'big/float64': 'float64',
};

describe('what numpy wrote', () => {
  test('has its names, shapes, dtypes and values, in any order of bytes and axes', async () => {
    const tensors = await sn.loadNpz(fixture('arrays.npz'));
    expect([...tensors.keys()]).toEqual(Object.keys(arrays));
    for (const [name, { shape, values }] of Object.entries(arrays)) {
      const tensor = tensors.get(name)!;
      const integer = name.includes('int') && name !== 'uint8';
      expect([name, tensor.dtype]).toEqual([name, DTYPES[name] ?? (integer ? 'int32' : 'float32')]);
      expect([name, tensor.shape]).toEqual([name, shape]);
      const wanted = values.map((value) => NUMBERS[value] ?? Number(value));
      const found = [...tensor.dataSync()];
      expect([name, found]).toEqual([name, tensor.dtype === 'float32' ? wanted.map(Math.fround) : wanted]);
    }
  });

  test('comes from bytes, and packed; some of it alone', async () => {
    const tensors = await sn.loadNpz(readFileSync(fixture('packed.npz')), { names: ['one'] });
    expect([...tensors.keys()]).toEqual(['one']);
    expect([...tensors.get('one')!.dataSync()]).toEqual(arrays['float32']!.values.map(Number).map(Math.fround));
  });

  test.each([
    ['complex', /refused.npz: complex: dtype: expected one of .*, got c8/],
    ['text', /dtype: expected one of .*, got U1/],
    ['date', /header: expected a descr as <f4/],
    ['record', /header: expected a plain descr, got /],
    ['large', /expected integers that int32 holds, got 2147483648 at element 1/],
    ['very large', /expected integers that int32 holds, got 9223372036854775808 at element 0/],
    ['readme.txt', /expected an array readme.txt, got complex.npy, /],
  ])('but tensors cannot hold (%s) is refused', async (name, message) => {
    const before = await liveTensors();
    await expect(sn.loadNpz(fixture('refused.npz'), { names: [name] })).rejects.toThrow(message);
    expect(await liveTensors()).toBe(before);
  });
});

test('tensors of every dtype come back bit for bit, bfloat16 as float32', async () => {
  const path = join(folder, 'all.npz');
  const values = sn.tensor([[0, 1, 2.5], [-0.75, 1e4, 3]]); // prettier-ignore
  const dtypes = ['float32', 'float16', 'float64', 'int32', 'uint8', 'bool', 'bfloat16'] as const;
  const tensors = new Map<string, sn.Tensor>(dtypes.map((dtype) => [dtype, sn.cast(sn.abs(values), dtype)]));
  tensors.set('scalar/of no axes', sn.scalar(3));
  for (const compress of [false, true]) {
    const before = await liveTensors();
    await sn.saveNpz(path, tensors, { compress });
    expect(await liveTensors()).toBe(before);
    const found = await sn.loadNpz(path);
    expect([...found.keys()]).toEqual([...tensors.keys()]);
    for (const [name, tensor] of tensors) {
      const wanted = tensor.dtype === 'bfloat16' ? sn.cast(tensor, 'float32') : tensor;
      const got = found.get(name)!;
      expect([name, got.dtype, got.shape, bits(got)]).toEqual([name, wanted.dtype, wanted.shape, bits(wanted)]);
    }
  }
});

test('a file written here has the bytes of numpy.save', async () => {
  const [name] = ['float32'];
  const { shape, values } = arrays[name]!;
  await sn.saveNpz(join(folder, 'a.npz'), { [name]: sn.tensor(values.map(Number), shape) });
  // numpy's archives are not packed, so that its file of the array stands in them as it is.
  const header = encodeNpyHeader('float32', shape);
  const theirs = readFileSync(fixture('arrays.npz'));
  const ours = readFileSync(join(folder, 'a.npz'));
  const data = Buffer.from(Float32Array.from(values.map(Number)).buffer);
  const file = Buffer.concat([header, data]);
  expect(theirs.includes(file)).toBe(true);
  expect(ours.includes(file)).toBe(true);
});

test("a model's weights go through .npz as through .safetensors", async () => {
  const model = convNet();
  const wanted = weightsOf(model);
  for (const name of ['w.npz', 'deep/w.npz', 'w.safetensors']) {
    await model.saveWeights(`file://${join(folder, name)}`);
    fillWeights(model, 9);
    await model.loadWeights(join(folder, name));
    expect(weightsOf(model)).toEqual(wanted);
  }
  expect(readdirSync(folder).sort()).toEqual(['deep', 'w.npz', 'w.safetensors']);
  const other = sn.sequential({ layers: [sn.layers.dense({ units: 1, inputShape: [2], name: 'other' })] });
  await expect(other.loadWeights(join(folder, 'w.npz'))).rejects.toThrow(/w\.npz: weights of .*: has no other\/kernel/);
});

describe('a damaged archive is one error, and leaves nothing behind:', () => {
  const whole = readFileSync(fixture('packed.npz'));
  const refused = async (bytes: Uint8Array): Promise<string> => {
    const before = sn.memory().numTensors;
    const error: unknown = await sn.loadNpz(bytes).then(
      (found) => found,
      (fault: unknown) => fault,
    );
    if (error instanceof Map) {
      for (const tensor of error.values()) (tensor as sn.Tensor).dispose();
      return 'read';
    }
    expect(error).toBeInstanceOf(sn.SelfnormError);
    expect(sn.memory().numTensors).toBeLessThanOrEqual(before);
    return (error as Error).message;
  };

  test('cut off anywhere', async () => {
    for (let length = 0; length < whole.length; length += 13) {
      expect(await refused(whole.subarray(0, length))).toMatch(/^loadNpz: npz: .*the archive is damaged or cut off/);
    }
  });
  test('with any byte changed', async () => {
    const outcomes = { read: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(255), async (place, value) => {
        const bytes = Buffer.from(whole);
        bytes[place] = value;
        outcomes[(await refused(bytes)) === 'read' ? 'read' : 'refused']++;
      }),
      { seed: 7, numRuns: 150 },
    );
    expect(outcomes.refused).toBeGreaterThan(50);
  });
  const npy = async (header: string, data = 8): Promise<Uint8Array> => {
    const text = Buffer.from(header);
    const file = Buffer.concat([
      Buffer.from('\x93NUMPY\x01\x00', 'latin1'),
      Buffer.from([text.length, 0]),
      text,
      Buffer.alloc(data),
    ]);
    return Buffer.concat(await zipOf('test', [['a.npy', file]], false));
  };
  test.each<[string, string, RegExp]>([
    ['a shape beyond all memory', "{'descr': '<f4', 'fortran_order': False, 'shape': (9999999, 9999999), }", /npz: a: expected 399999920000004 bytes for f4 of shape \(9999999, 9999999\), got 8/], // prettier-ignore
    [
      'a shape beyond all numbers',
      `{'descr': '<f4', 'fortran_order': False, 'shape': (${'9'.repeat(40)},), }`,
      /a shape of at most 8 axes/,
    ],
    ['a negative size', "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }", /expected a plain shape/],
    ['nine axes', "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,2), }", /at most 8 axes/],
    ['no order', "{'descr': '<f4', 'shape': (2,), }", /expected a plain fortran_order/],
    ['no words', '', /expected a plain descr/],
    ['code', "{'descr': __import__('os'), 'fortran_order': False, 'shape': (2,)}", /expected a plain descr/],
    [
      'another length',
      "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }",
      /expected 12 bytes for f4 of shape \(3\), got 8/,
    ],
  ])('a header with %s', async (_, header, message) => {
    expect(await refused(await npy(header))).toMatch(message);
  });
  test('a bool that is neither', () => {
    const header = encodeNpyHeader('bool', [2]);
    expect(() => sn.decodeNpy(Buffer.concat([header, Buffer.of(1, 2)]))).toThrow(/expected 0 or 1, got 2 at element 1/);
    expect(() => sn.decodeNpy(Buffer.alloc(5))).toThrow(/expected an array of NumPy/);
    expect(() => sn.decodeNpy(header.subarray(0, 40))).toThrow(
      /expected a header up to byte 128, got 40 bytes|byte 64, got 40/,
    );
  });
  test('a size that no packing reaches', async () => {
    const bytes = Buffer.concat(await zipOf('test', [['a.npy', Buffer.alloc(3000)]], true));
    const claim = bytes.indexOf(Buffer.from([0x50, 0x4b, 1, 2])) + 24;
    bytes.writeUInt32LE(2 ** 31, claim);
    expect(await refused(bytes)).toMatch(
      /a\.npy: expected at most 1032 bytes for a packed one, got 2147483648 for \d+/,
    );
  });
});

test('what cannot be saved is refused', async () => {
  const save = (tensors: object): Promise<void> => sn.saveNpz(join(folder, 'a.npz'), tensors as never);
  await expect(save({ '../a': sn.scalar(1) })).rejects.toThrow(
    /tensors: expected names that are relative paths, got "..\/a.npy"/,
  );
  await expect(save([['a', sn.scalar(1)], ['a', sn.scalar(1)]])).rejects.toThrow(/each name once, got "a"/); // prettier-ignore
  await expect(save({ a: 3 })).rejects.toThrow(/saveNpz: a: expected a tensor, got 3/);
  await expect(sn.saveNpz('', {})).rejects.toThrow(/saveNpz: path: expected a path/);
  await expect(sn.loadNpz(3 as never)).rejects.toThrow(/loadNpz: source: expected a path, or bytes, got 3/);
  await expect(sn.loadNpz(join(folder, 'none.npz'))).rejects.toThrow(/none\.npz: the file does not exist/);
  writeFileSync(join(folder, 'text.npz'), 'no archive');
  await expect(sn.loadNpz(join(folder, 'text.npz'))).rejects.toThrow(/text\.npz: expected a zip archive, got: /);
  expect(readdirSync(folder)).toEqual(['text.npz']);
});
