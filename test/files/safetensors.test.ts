// safetensors: files of Python's library read and written byte for byte, every dtype bit for bit, every damaged file named.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { topLevelKeys } from '../../src/files/json-keys.js';
import { currentBackend } from '../../src/tensor/device.js';
import { DTYPE_BYTES, DTYPES, type DType } from '../../src/tensor/dtype.js';
import { makeFromBytes } from '../../src/tensor/tensor.js';
import { numbers, type StoredTensor } from '../harness/fixtures.js';

const FIXTURES = fileURLToPath(new URL('../fixtures/safetensors/', import.meta.url));
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'selfnorm-safetensors-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const bytesOf = (tensor: sn.Tensor): Uint8Array => new Uint8Array(tensor.backend.addon.readSync(tensor.id));

describe("a file of Python's library", () => {
  test('has the values of all dtypes, shapes and names', () => {
    const { tensors, metadata } = sn.readSafetensors(`${FIXTURES}all-dtypes.safetensors`);
    const wanted = JSON.parse(readFileSync(`${FIXTURES}all-dtypes.json`, 'utf8')) as Record<string, StoredTensor>;
    expect(metadata).toEqual({ format: 'pt' });
    expect([...tensors.keys()].sort()).toEqual(Object.keys(wanted).sort());
    for (const [name, stored] of Object.entries(wanted)) {
      const tensor = tensors.get(name)!;
      expect([tensor.dtype, tensor.shape]).toEqual([stored.dtype, stored.shape]);
      const values = Array.from(tensor.dataSync());
      // Object.is, as toEqual is: -0 is not 0.
      if (name !== 'special') expect(values.map((x) => x + 0)).toEqual([...numbers(stored)].map((x) => x + 0));
    }
    expect([...tensors.get('special')!.dataSync()]).toEqual([-0, Infinity, -Infinity, 2 ** -149]);
  });

  test('comes back byte for byte', () => {
    const { tensors, metadata } = sn.readSafetensors(`${FIXTURES}all-dtypes.safetensors`);
    sn.writeSafetensors(join(folder, 'copy'), [...tensors].reverse(), metadata);
    expect(readFileSync(join(folder, 'copy')).equals(readFileSync(`${FIXTURES}all-dtypes.safetensors`))).toBe(true);
  });

  test('of a dtype that tensors do not have is refused by name', () => {
    const before = sn.memory().numTensors;
    expect(() => sn.readSafetensors(`${FIXTURES}unsupported.safetensors`)).toThrow(
      /unsupported.safetensors: byte 9: tensor "step": dtype: expected one of F64, .*, got I64$/,
    );
    expect(sn.memory().numTensors).toBe(before);
  });
});

describe('any bits come back', () => {
  test.each(DTYPES)('%s', (dtype: DType) => {
    const width = DTYPE_BYTES[dtype];
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 4 }),
        fc.integer(),
        (shape: readonly number[], seed) => {
          const bytes = new Uint8Array(shape.reduce((a, b) => a * b, 1) * width);
          let state = seed;
          for (let i = 0; i < bytes.length; i++) {
            state = (Math.imul(state, 1664525) + 1013904223) | 0;
            bytes[i] = dtype === 'bool' ? (state >>> 24) & 1 : state >>> 24;
          }
          const path = join(folder, 'bits');
          const made = makeFromBytes(currentBackend(), bytes, shape, dtype);
          sn.writeSafetensors(path, { made }, { note: 'ü' });
          const { tensors, metadata } = sn.readSafetensors(path);
          const read = tensors.get('made')!;
          expect(metadata).toEqual({ note: 'ü' });
          expect([read.shape, read.dtype]).toEqual([shape, dtype]);
          expect(Buffer.from(bytesOf(read)).equals(bytes)).toBe(true);
          for (const tensor of [made, read]) tensor.dispose();
        },
      ),
      { numRuns: 30 },
    );
  });

  test('also of variables and of parts of other tensors', () => {
    const whole = sn.variable(sn.range(0, 12));
    const path = join(folder, 'parts');
    sn.writeSafetensors(path, { whole, part: sn.slice(sn.reshape(sn.range(0, 12), [3, 4]), 1, 1) });
    const { tensors } = sn.readSafetensors(path);
    expect([...tensors.get('whole')!.dataSync()]).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(tensors.get('part')!.arraySync()).toEqual([[4, 5, 6, 7]]);
  });
});

test('no tensors, or notes alone, make a file', () => {
  sn.writeSafetensors(join(folder, 'none'), {});
  expect(sn.readSafetensors(join(folder, 'none'))).toEqual({ tensors: new Map(), metadata: {} });
  sn.writeSafetensors(join(folder, 'notes'), [], { a: 'b' });
  expect(sn.readSafetensors(join(folder, 'notes')).metadata).toEqual({ a: 'b' });
});

/** A file of a header and so many bytes of data. */
function fileOf(header: string | Uint8Array, dataBytes: number, length?: bigint): Buffer {
  const bytes = Buffer.from(header as string);
  const first = Buffer.alloc(8);
  first.writeBigUInt64LE(length ?? BigInt(bytes.length));
  return Buffer.concat([first, bytes, Buffer.alloc(dataBytes, 2)]);
}
const a = (dtype: string, shape: string, offsets: string): string =>
  `{"a":{"dtype":${dtype},"shape":${shape},"data_offsets":${offsets}}}`;
const two = (first: string, second: string): string =>
  `{"a":{"dtype":"U8","shape":[2],"data_offsets":${first}},"b":{"dtype":"U8","shape":[2],"data_offsets":${second}}}`;
const good = a('"F32"', '[2]', '[0,8]');
const same = '{"dtype":"U8","shape":[2],"data_offsets":[0,2]}';

describe('a damaged file is refused:', () => {
  test.each<[string, Buffer, string]>([
    ['empty', Buffer.alloc(0), "byte 0: expected 8 bytes that tell the header's length, got a file of 0 bytes"],
    [
      'too short for a length',
      Buffer.alloc(5),
      "byte 0: expected 8 bytes that tell the header's length, got a file of 5",
    ],
    [
      'another format',
      Buffer.from('\x89PNG\r\n\x1a\n and more'),
      'byte 0: expected a header of at most 100000000 bytes, got',
    ],
    ['a header over the limit', fileOf('{}', 0, 100_000_001n), 'bytes, got 100000001; is it a safetensors file?'],
    ['a header of 2^64 - 1 bytes', fileOf('{}', 0, 2n ** 64n - 1n), 'bytes, got 18446744073709551615; is it'],
    [
      'a header cut off',
      fileOf('{}', 0, 100n),
      'byte 0: expected a header of 100 bytes, got a file of 10; it is cut off',
    ],
    ['an empty header', fileOf('', 0), 'byte 8: expected a header that begins with "{", got an empty header; is it'],
    ['zeros', Buffer.alloc(64), 'byte 8: expected a header that begins with "{", got an empty header; is it'],
    ['another magic', fileOf('[]', 0), 'byte 8: expected a header that begins with "{", got "["; is it'],
    ['no UTF-8', fileOf(Buffer.from('{"\xff":1}', 'latin1'), 0), 'byte 10: expected UTF-8, got byte 0xff'],
    ['no JSON', fileOf('{"ü":1,,}', 0), 'byte 16: expected a header in JSON, got a text that is none'],
    ['a header that goes on', fileOf('{}{}', 0), 'byte 10: expected a header in JSON'],
    ['a bare value', fileOf('{"a":3}', 0), 'byte 9: tensor "a": expected {dtype, shape, data_offsets}'],
    ['an unknown dtype', fileOf(a('"F31"', '[2]', '[0,8]'), 8), 'byte 9: tensor "a": dtype: expected one of C64, F64,'],
    ['a dtype of another kind', fileOf(a('7', '[2]', '[0,8]'), 8), 'BOOL, got 7'],
    ['a dtype of every object', fileOf(a('"toString"', '[2]', '[0,8]'), 8), 'BOOL, got "toString"'],
    [
      'a negative size',
      fileOf(a('"U8"', '[-1]', '[0,8]'), 8),
      'tensor "a": shape: expected at most 8 sizes of at least 0',
    ],
    ['a broken size', fileOf(a('"U8"', '[1.5]', '[0,8]'), 8), 'at least 0, got [1.5]'],
    [
      'a shape beyond counting',
      fileOf(a('"U8"', '[4294967296,4294967296]', '[0,8]'), 8),
      'got [4294967296,4294967296]',
    ],
    ['rank 9', fileOf(a('"U8"', '[1,1,1,1,1,1,1,1,1]', '[0,1]'), 1), 'at most 8 sizes'],
    ['no shape', fileOf('{"a":{"dtype":"U8","data_offsets":[0,1]}}', 1), 'sizes of at least 0, got undefined'],
    ['one offset', fileOf(a('"U8"', '[2]', '[2]'), 2), 'tensor "a": data_offsets: expected [begin, end], got [2]'],
    ['offsets of text', fileOf(a('"U8"', '[2]', '["0","2"]'), 2), 'expected [begin, end], got ["0","2"]'],
    ['a negative offset', fileOf(a('"U8"', '[2]', '[-2,0]'), 2), 'expected [begin, end], got [-2,0]'],
    ['offsets the wrong way', fileOf(a('"U8"', '[2]', '[2,0]'), 2), 'expected 2 bytes for U8 of shape [2], got [2,0]'],
    [
      'offsets of another size',
      fileOf(a('"F32"', '[2]', '[0,7]'), 8),
      'expected 8 bytes for F32 of shape [2], got [0,7]',
    ],
    ['a file cut off', fileOf(good, 5), 'expected data up to byte 70, got a file of 67 bytes; it is cut off'],
    ['data of no tensor', fileOf(good, 11), "byte 70: expected the file's end, got 3 bytes of no tensor"],
    ['an offset far out', fileOf(two('[0,2]', '[9000,9002]'), 4), 'tensor "b": leaves a gap behind tensor "a"'],
    [
      'an overlap',
      fileOf(two('[0,2]', '[1,3]'), 4),
      'tensor "b": overlaps tensor "a": expected it at byte 115, got 114',
    ],
    ['one place twice', fileOf(two('[0,2]', '[0,2]'), 4), 'byte 61: tensor "b": overlaps tensor "a"'],
    ['a gap in front', fileOf(two('[1,3]', '[3,5]'), 5), 'tensor "a": leaves a gap behind the header'],
    ['a name twice', fileOf(`{"a":${same},"a":${same}}`, 2), 'byte 61: expected each name once, got "a" again'],
    [
      'a name twice, spelt apart',
      fileOf(`{"a":${same},"\\u0061":${same}}`, 2),
      'expected each name once, got "a" again',
    ],
    ['notes twice', fileOf('{"__metadata__":{},"__metadata__":{}}', 0), 'got "__metadata__" again'],
    ['notes of numbers', fileOf('{"__metadata__":{"a":1}}', 0), 'byte 9: __metadata__: expected an object of strings'],
    ['notes that are a list', fileOf('{"__metadata__":[]}', 0), 'byte 9: __metadata__: expected an object of strings'],
    ['a bool of 2', fileOf(a('"BOOL"', '[2]', '[0,2]'), 2), 'byte 63: tensor "a": expected 0 or 1, got 2'],
  ])('%s', (_, bytes, message) => {
    const path = join(folder, 'damaged');
    writeFileSync(path, bytes);
    const before = sn.memory().numTensors;
    const read = (): unknown => sn.readSafetensors(path);
    expect(read).toThrow(sn.FileFormatError);
    expect(read).toThrow(message);
    expect(read).toThrow(`safetensors: ${path}: byte `);
    expect(sn.memory().numTensors).toBe(before);
  });

  test('at any byte where it is cut, and at any bit that is turned in the header it says so or reads', () => {
    const whole = readFileSync(`${FIXTURES}all-dtypes.safetensors`);
    const path = join(folder, 'cut');
    for (let length = 0; length < whole.length; length += 7) {
      writeFileSync(path, whole.subarray(0, length));
      expect(() => sn.readSafetensors(path)).toThrow(sn.FileFormatError);
    }
    let refused = 0;
    for (let bit = 0; bit < 8 * 700; bit += 11) {
      const turned = Buffer.from(whole);
      turned[bit >> 3]! ^= 1 << (bit & 7);
      writeFileSync(path, turned);
      try {
        for (const tensor of sn.readSafetensors(path).tensors.values()) tensor.dispose();
      } catch (error) {
        expect(error).toBeInstanceOf(sn.FileFormatError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(200);
  });
});

describe('what the system refuses is said', () => {
  test('on reading', () => {
    expect(() => sn.readSafetensors(join(folder, 'none'))).toThrow(
      `read: ${join(folder, 'none')}: the file does not exist`,
    );
    expect(() => sn.readSafetensors(folder)).toThrow(`read: ${folder}: it is a folder`);
  });

  test('on writing, and the old file stays', () => {
    const path = join(folder, 'kept');
    sn.writeSafetensors(path, { x: sn.ones([2]) });
    const old = readFileSync(path);
    // A limit on file sizes refuses a write half way, as a full disk does.
    const program = `
      import(${JSON.stringify(join(process.cwd(), 'src/index.ts'))}).then((sn) => {
        try { sn.writeSafetensors(${JSON.stringify(path)}, { x: sn.ones([300000]) }); } catch (error) { console.log(error.message); }
      });`;
    const { stdout } = spawnSync(
      'bash',
      ['-c', `trap '' XFSZ; ulimit -f 64; exec ${process.execPath} --import tsx -e "$P"`],
      {
        encoding: 'utf8',
        env: { ...process.env, P: program, SELFNORM_DEVICE: 'cpu' },
      },
    );
    expect(stdout.trim()).toBe(`write: ${path}: the file is larger than the system allows`);
    expect(readFileSync(path).equals(old)).toBe(true);
    expect(readdirSync(folder)).toEqual(['kept']);
    mkdirSync(join(folder, 'dir', 'inner'), { recursive: true });
    expect(() => sn.writeSafetensors(join(folder, 'dir'), {})).toThrow(`write: ${join(folder, 'dir')}: it is a folder`);
  });

  test('and a tensor that cannot be read leaves the old file', () => {
    const path = join(folder, 'kept');
    sn.writeSafetensors(path, { x: sn.ones([2]) });
    const gone = sn.ones([3]);
    gone.dispose();
    expect(() => sn.writeSafetensors(path, { gone })).toThrow(/writeSafetensors: gone: expected a live tensor/);
    expect([...sn.readSafetensors(path).tensors.keys()]).toEqual(['x']);
    expect(readdirSync(folder)).toEqual(['kept']);
  });
});

test.each<[string, () => void, string]>([
  [
    'a name twice',
    () =>
      sn.writeSafetensors('x', [
        ['a', sn.scalar(1)],
        ['a', sn.scalar(1)],
      ]),
    'expected each name once, got "a"',
  ],
  ["the format's own name", () => sn.writeSafetensors('x', { __metadata__: sn.scalar(1) }), 'got "__metadata__"'],
  [
    'half a character',
    () => sn.writeSafetensors('x', { '\ud800': sn.scalar(1) }),
    'expected names that are valid text',
  ],
  ['numbers', () => sn.writeSafetensors('x', { a: 3 as never }), 'writeSafetensors: a: expected a tensor, got 3'],
  ['a note of a number', () => sn.writeSafetensors('x', {}, { n: 3 as never }), 'metadata.n: expected a string, got 3'],
])('%s is not written', (_, call, message) => {
  expect(call).toThrow(message);
  expect(call).toThrow(sn.ArgumentError);
});

test('keys of the outermost object, whatever is inside the others', () => {
  const json = ' { "a" : {"b":[{"c":"}\\"{"}]}, "d\\"\\\\" :"e:", "f":["g",{"h":1}] }';
  expect(topLevelKeys(json).map(({ key, at }) => [key, json[at]])).toEqual([
    ['a', '"'],
    ['d"\\', '"'],
    ['f', '"'],
  ]);
});
