// The header of a safetensors file: 8 bytes with its length, then JSON that tells each tensor's dtype, shape and place. Read as
// strictly as the format's own library does: places fill the rest of the file in order, with no gap and no overlap.
import { failure, type SelfnormError } from '../errors.js';
import type { DType } from '../tensor/dtype.js';
import { MAX_RANK, sizeOf, type Shape } from '../tensor/shape.js';
import { topLevelKeys } from './json-keys.js';

/** Bits of an element, for every dtype of the format: widest first, as files order tensors. */
const DTYPE_BITS: Readonly<Record<string, number>> = {
  C64: 64,
  F64: 64,
  I64: 64,
  U64: 64,
  F32: 32,
  U32: 32,
  I32: 32,
  BF16: 16,
  F16: 16,
  U16: 16,
  I16: 16,
  F8_E8M0: 8,
  F8_E4M3: 8,
  F8_E5M2: 8,
  I8: 8,
  U8: 8,
  BOOL: 8,
};

/** The format's names of our dtypes. */
export const STORED_DTYPE: Readonly<Record<DType, string>> = {
  float64: 'F64',
  float32: 'F32',
  int32: 'I32',
  bfloat16: 'BF16',
  float16: 'F16',
  uint8: 'U8',
  bool: 'BOOL',
};

/** What the format allows a header to take. */
export const MOST_HEADER_BYTES = 100_000_000;
/** The length in front of the header. */
export const LENGTH_BYTES = 8;

/** Where a file keeps a tensor. */
export interface StoredEntry {
  readonly name: string;
  /** The format's name: 'F32'. */
  readonly dtype: string;
  readonly shape: Shape;
  /** First byte, counted from the start of the file. */
  readonly start: number;
  readonly byteLength: number;
  /** Where the header names the tensor: for errors. */
  readonly namedAt: number;
}

/** What a header says. */
export interface Header {
  /** In the order of their places. */
  readonly entries: readonly StoredEntry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/** An error about one byte of a file. */
export function badFile(path: string, byte: number, what: string): SelfnormError {
  return failure('ERR_FILE_FORMAT', 'safetensors', `${path}: byte ${byte}: ${what}`);
}

/**
 * The header's length, from the first 8 bytes.
 * @throws FileFormatError when a file of `fileBytes` cannot have such a header.
 */
export function headerLength(path: string, first: Uint8Array, fileBytes: number): number {
  if (first.length < LENGTH_BYTES) {
    throw badFile(path, 0, `expected 8 bytes that tell the header's length, got a file of ${fileBytes} bytes`);
  }
  const length = new DataView(first.buffer, first.byteOffset).getBigUint64(0, true);
  if (length > MOST_HEADER_BYTES) {
    const limit = `at most ${MOST_HEADER_BYTES}`;
    throw badFile(path, 0, `expected a header of ${limit} bytes, got ${length}; is it a safetensors file?`);
  }
  if (LENGTH_BYTES + Number(length) > fileBytes) {
    throw badFile(path, 0, `expected a header of ${length} bytes, got a file of ${fileBytes}; it is cut off`);
  }
  return Number(length);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

function decode(path: string, bytes: Uint8Array): string {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const again = Buffer.from(text);
  const wrong = again.equals(bytes) ? -1 : bytes.findIndex((byte, i) => byte !== again[i]);
  if (wrong >= 0) throw badFile(path, LENGTH_BYTES + wrong, `expected UTF-8, got byte 0x${bytes[wrong]!.toString(16)}`);
  if (text[0] !== '{') {
    const got = text === '' ? 'an empty header' : JSON.stringify(text[0]);
    throw badFile(path, LENGTH_BYTES, `expected a header that begins with "{", got ${got}; is it a safetensors file?`);
  }
  return text;
}

function parse(path: string, text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    const { message } = error as SyntaxError;
    const at = Number(/at position (\d+)/.exec(message)?.[1] ?? 0);
    const byte = LENGTH_BYTES + Buffer.byteLength(text.slice(0, at));
    throw badFile(path, byte, `expected a header in JSON, got a text that is none (${message.split('\n')[0]})`);
  }
}

function readMetadata(path: string, value: unknown, byte: number): Record<string, string> {
  if (isObject(value) && Object.values(value).every((text) => typeof text === 'string')) {
    return value as Record<string, string>;
  }
  throw badFile(path, byte, '__metadata__: expected an object of strings');
}

function readEntry(path: string, name: string, value: unknown, namedAt: number, dataStart: number): StoredEntry {
  const bad = (what: string): SelfnormError => badFile(path, namedAt, `tensor ${JSON.stringify(name)}: ${what}`);
  if (!isObject(value)) throw bad('expected {dtype, shape, data_offsets}');
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !Object.hasOwn(DTYPE_BITS, dtype)) {
    const known = Object.keys(DTYPE_BITS).join(', ');
    throw bad(`dtype: expected one of ${known}, got ${JSON.stringify(dtype)}`);
  }
  if (!Array.isArray(shape) || !shape.every(isCount) || shape.length > MAX_RANK || !isCount(sizeOf(shape))) {
    throw bad(`shape: expected at most ${MAX_RANK} sizes of at least 0, got ${JSON.stringify(shape)}`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw bad(`data_offsets: expected [begin, end], got ${JSON.stringify(offsets)}`);
  }
  const [begin, end] = offsets as [number, number];
  const byteLength = sizeOf(shape) * (DTYPE_BITS[dtype]! / 8);
  if (end - begin !== byteLength) {
    const wanted = `${byteLength} bytes for ${dtype} of shape [${shape.join(',')}]`;
    throw bad(`data_offsets: expected ${wanted}, got [${begin},${end}]`);
  }
  return { name, dtype, shape, start: dataStart + begin, byteLength, namedAt };
}

/** Checks that the tensors fill the file from the header's end to its own. */
function checkPlaces(path: string, entries: readonly StoredEntry[], dataStart: number, fileBytes: number): void {
  let end = dataStart;
  let before = 'the header';
  for (const { name, start, byteLength, namedAt } of entries) {
    const quoted = JSON.stringify(name);
    if (start !== end) {
      const fault = start < end ? 'overlaps' : 'leaves a gap behind';
      throw badFile(path, namedAt, `tensor ${quoted}: ${fault} ${before}: expected it at byte ${end}, got ${start}`);
    }
    end += byteLength;
    if (end > fileBytes) {
      const what = `tensor ${quoted}: expected data up to byte ${end}, got a file of ${fileBytes} bytes; it is cut off`;
      throw badFile(path, fileBytes, what);
    }
    before = `tensor ${quoted}`;
  }
  if (end < fileBytes) throw badFile(path, end, `expected the file's end, got ${fileBytes - end} bytes of no tensor`);
}

/**
 * Reads a header.
 * @param path For errors.
 * @param bytes The header without its length.
 * @param fileBytes Size of the whole file.
 * @throws FileFormatError that names the file, the byte and what is wrong.
 */
export function parseHeader(path: string, bytes: Uint8Array, fileBytes: number): Header {
  const text = decode(path, bytes);
  const content = parse(path, text);
  const dataStart = LENGTH_BYTES + bytes.length;
  const seen = new Set<string>();
  const entries: StoredEntry[] = [];
  let metadata: Record<string, string> = {};
  let counted = 0;
  let byte = LENGTH_BYTES;
  for (const { key, at } of topLevelKeys(text)) {
    byte += Buffer.byteLength(text.slice(counted, at));
    counted = at;
    if (seen.has(key)) throw badFile(path, byte, `expected each name once, got ${JSON.stringify(key)} again`);
    seen.add(key);
    if (key === '__metadata__') metadata = readMetadata(path, content[key], byte);
    else entries.push(readEntry(path, key, content[key], byte, dataStart));
  }
  entries.sort((a, b) => a.start - b.start || a.byteLength - b.byteLength);
  checkPlaces(path, entries, dataStart, fileBytes);
  return { entries, metadata };
}

/** A tensor to write. */
export interface EntryToStore {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
}

const order = (dtype: DType): number => Object.keys(DTYPE_BITS).indexOf(STORED_DTYPE[dtype]);

/** Tensors in a file's order: the widest first, so that all are aligned; then by name. */
export function inFileOrder<T extends EntryToStore>(tensors: readonly T[]): T[] {
  return [...tensors].sort(
    (a, b) => order(a.dtype) - order(b.dtype) || Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)),
  );
}

/** The bytes before the data: the length, and a header for tensors that follow in this order. Padded to whole 8 bytes. */
export function formatHeader(tensors: readonly EntryToStore[], metadata: Readonly<Record<string, string>>): Uint8Array {
  let offset = 0;
  const parts = tensors.map(({ name, dtype, shape }) => {
    const stored = STORED_DTYPE[dtype];
    const begin = offset;
    offset += sizeOf(shape) * (DTYPE_BITS[stored]! / 8);
    return `${JSON.stringify(name)}:${JSON.stringify({ dtype: stored, shape, data_offsets: [begin, offset] })}`;
  });
  if (Object.keys(metadata).length > 0) parts.unshift(`"__metadata__":${JSON.stringify(metadata)}`);
  const json = Buffer.from(`{${parts.join(',')}}`);
  const bytes = Buffer.alloc(LENGTH_BYTES + Math.ceil(json.length / 8) * 8, ' ');
  bytes.writeBigUInt64LE(BigInt(bytes.length - LENGTH_BYTES));
  json.copy(bytes, LENGTH_BYTES);
  return bytes;
}
