// NumPy's file of one array: a header in Python's words, then the values. Integers of widths that tensors do not have become int32
// where every value fits; column-major arrays and big-endian ones are brought into order.
import { failure, invalid, type SelfnormError } from '../../errors.js';
import { transpose } from '../../ops/transpose.js';
import { currentBackend } from '../../tensor/device.js';
import type { DType } from '../../tensor/dtype.js';
import { tidy } from '../../tensor/memory.js';
import { MAX_RANK, sizeOf, type Shape } from '../../tensor/shape.js';
import { makeFromBytes, type Tensor } from '../../tensor/tensor.js';

const MAGIC = '\x93NUMPY';
const INT32_MAX = 2 ** 31 - 1;

/** What a header says. */
interface NpyHeader {
  /** Kind and bytes of an element: 'f4'. */
  readonly type: string;
  readonly bigEndian: boolean;
  /** Column-major: the first axis runs fastest. */
  readonly fortranOrder: boolean;
  readonly shape: Shape;
  /** First byte of the values. */
  readonly dataStart: number;
}

/** NumPy's names of our dtypes, least byte first. bfloat16, which it lacks, is written as float32. */
const STORED: Readonly<Record<Exclude<DType, 'bfloat16'>, string>> = {
  float16: '<f2',
  float32: '<f4',
  float64: '<f8',
  int32: '<i4',
  uint8: '|u1',
  bool: '|b1',
};
/** Types whose bytes are ours. */
const SAME = new Map(Object.entries(STORED).map(([dtype, stored]) => [stored.slice(1), dtype as DType]));
/** Types that become int32, and how their values are looked at. */
const INTEGERS = {
  i1: Int8Array,
  i2: Int16Array,
  u2: Uint16Array,
  u4: Uint32Array,
  i8: BigInt64Array,
  u8: BigUint64Array,
} as const;
const isInteger = (type: string): type is keyof typeof INTEGERS => Object.hasOwn(INTEGERS, type);

/** Makes the error of a file. */
type Fault = (what: string) => SelfnormError;

function textOf(fault: Fault, bytes: Uint8Array): { text: string; dataStart: number } {
  if (bytes.length < 10 || Buffer.from(bytes.subarray(0, 6)).toString('latin1') !== MAGIC) {
    throw fault('expected an array of NumPy, which begins with \\x93NUMPY');
  }
  const major = bytes[6]!;
  if (major < 1 || major > 3) throw fault(`expected version 1, 2 or 3 of the format, got ${major}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const lengthBytes = major === 1 ? 2 : 4;
  const textStart = 8 + lengthBytes;
  if (bytes.length < textStart) throw fault('the header is cut off');
  const dataStart = textStart + (major === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (dataStart > bytes.length) throw fault(`expected a header up to byte ${dataStart}, got ${bytes.length} bytes`);
  return { text: Buffer.from(bytes.subarray(textStart, dataStart)).toString('latin1'), dataStart };
}

function parseHeader(fault: Fault, bytes: Uint8Array): NpyHeader {
  const { text, dataStart } = textOf(fault, bytes);
  const value = (key: string, pattern: string): string => {
    const found = new RegExp(`['"]${key}['"]\\s*:\\s*${pattern}`).exec(text)?.[1];
    if (found !== undefined) return found;
    throw fault(`header: expected a plain ${key}, got ${JSON.stringify(text.slice(0, 120).trim())}`);
  };
  const [, order, type] = /^([<>|=]?)(\w+)$/.exec(value('descr', `['"]([^'"]*)['"]`)) ?? [];
  if (order === undefined || type === undefined) throw fault('header: expected a descr as <f4');
  const shape = value('shape', '\\(([\\dL,\\s]*)\\)')
    .split(',')
    .map((size) => size.trim().replace(/L$/, ''))
    .filter((size) => size !== '')
    .map(Number);
  if (shape.length > MAX_RANK || !shape.every(Number.isSafeInteger) || !Number.isSafeInteger(sizeOf(shape))) {
    throw fault(`header: expected a shape of at most ${MAX_RANK} axes, got (${shape.join(', ')})`);
  }
  const fortranOrder = value('fortran_order', '(True|False)') === 'True';
  return { type, bigEndian: order === '>', fortranOrder, shape, dataStart };
}

/** A copy of the values with the least byte first, where they may be looked at as numbers. */
function ordered(bytes: Uint8Array, width: number, bigEndian: boolean): Uint8Array {
  const copy = Buffer.from(new ArrayBuffer(bytes.length));
  copy.set(bytes);
  if (!bigEndian) return copy;
  if (width === 2) return copy.swap16();
  return width === 4 ? copy.swap32() : width === 8 ? copy.swap64() : copy;
}

function asInt32(fault: Fault, type: keyof typeof INTEGERS, bytes: Uint8Array): Uint8Array {
  const values = new INTEGERS[type](bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length / Number(type[1]));
  const result = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value > INT32_MAX || value < -INT32_MAX - 1) {
      throw fault(`expected integers that int32 holds, got ${value} at element ${i}`);
    }
    result[i] = Number(value);
  }
  return new Uint8Array(result.buffer);
}

/**
 * The array in a .npy file, on the current device: float16, float32, float64, uint8, int32 and bool as they are, other integers
 * as int32.
 * @param bytes The file.
 * @param source What errors call the file.
 * @param op Where errors say they were found.
 * @throws FileFormatError when the file is damaged, cut off or too long, of a dtype that tensors do not have, or holds an integer
 *   beyond int32.
 */
export function decodeNpy(bytes: Uint8Array, source = 'npy', op = 'decodeNpy'): Tensor {
  if (!(bytes instanceof Uint8Array)) throw invalid('ERR_ARGUMENT', op, 'bytes', 'the bytes of a file', bytes);
  const fault: Fault = (what) => failure('ERR_FILE_FORMAT', op, `${source}: ${what}`);
  const { type, bigEndian, fortranOrder, shape, dataStart } = parseHeader(fault, bytes);
  const dtype = SAME.get(type) ?? (isInteger(type) ? 'int32' : undefined);
  if (dtype === undefined) {
    const known = [...SAME.keys(), ...Object.keys(INTEGERS)].join(', ');
    throw fault(`dtype: expected one of ${known}, got ${type}`);
  }
  const width = Number(type[1]);
  const wanted = sizeOf(shape) * width;
  if (bytes.length - dataStart !== wanted) {
    const what = `${wanted} bytes for ${type} of shape (${shape.join(', ')})`;
    throw fault(`expected ${what}, got ${bytes.length - dataStart}`);
  }
  const data = bytes.subarray(dataStart);
  const wrong = dtype === 'bool' ? data.findIndex((value) => value > 1) : -1;
  if (wrong >= 0) throw fault(`expected 0 or 1, got ${data[wrong]!} at element ${wrong}`);
  const inOrder = bigEndian || isInteger(type) ? ordered(data, width, bigEndian) : data;
  const values = isInteger(type) ? asInt32(fault, type, inOrder) : inOrder;
  if (!fortranOrder || shape.length < 2) return makeFromBytes(currentBackend(), values, shape, dtype);
  return tidy(() => transpose(makeFromBytes(currentBackend(), values, shape.toReversed(), dtype)));
}

/** The header in front of values of that dtype and shape; the values begin at a multiple of 64 bytes. */
export function encodeNpyHeader(dtype: Exclude<DType, 'bfloat16'>, shape: Shape): Uint8Array {
  const tuple = shape.length === 1 ? `(${shape[0]!},)` : `(${shape.join(', ')})`;
  const text = `{'descr': '${STORED[dtype]}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const header = Buffer.alloc(10 + length, ' ');
  header.write(MAGIC, 'latin1');
  header.writeUInt8(1, 6);
  header.writeUInt8(0, 7);
  header.writeUInt16LE(length, 8);
  header.write(text, 10, 'latin1');
  header.write('\n', header.length - 1);
  return header;
}
