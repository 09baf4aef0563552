// Files of named tensors in the safetensors format, which every framework reads. Values travel as the bytes they have on the
// device, so half types, NaNs and signed zeros come back bit for bit.
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { failure, fromNative, invalid, SelfnormError } from '../errors.js';
import { currentBackend } from '../tensor/device.js';
import type { DType } from '../tensor/dtype.js';
import { makeFromBytes, Tensor } from '../tensor/tensor.js';
import {
  badFile,
  formatHeader,
  headerLength,
  inFileOrder,
  LENGTH_BYTES,
  MOST_HEADER_BYTES,
} from './safetensors-header.js';
import { parseHeader, STORED_DTYPE, type StoredEntry } from './safetensors-header.js';
import { MOST_AT_ONCE, reasonOf, writeAtomically } from './write-atomically.js';

/** What a safetensors file holds. */
export interface SafetensorsContent {
  /** The tensors by name, in the order of the file. */
  readonly tensors: Map<string, Tensor>;
  /** The file's own notes. */
  readonly metadata: Readonly<Record<string, string>>;
}

const DTYPE_OF = new Map(Object.entries(STORED_DTYPE).map(([dtype, stored]) => [stored, dtype as DType]));

/** Bytes from a place in an open file; fewer where it ends before. */
function readBytes(file: number, start: number, byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  for (let read = 0; read < byteLength;) {
    const got = readSync(file, bytes, read, Math.min(byteLength - read, MOST_AT_ONCE), start + read);
    if (got === 0) return bytes.subarray(0, read);
    read += got;
  }
  return bytes;
}

function readTensor(path: string, file: number, entry: StoredEntry): Tensor {
  const { name, shape, start, byteLength, namedAt } = entry;
  const dtype = DTYPE_OF.get(entry.dtype);
  if (dtype === undefined) {
    const known = [...DTYPE_OF.keys()].join(', ');
    throw badFile(path, namedAt, `tensor ${JSON.stringify(name)}: dtype: expected one of ${known}, got ${entry.dtype}`);
  }
  const bytes = readBytes(file, start, byteLength);
  if (bytes.length < byteLength) throw badFile(path, start + bytes.length, 'the file was cut off while it was read');
  const wrong = dtype === 'bool' ? bytes.findIndex((value) => value > 1) : -1;
  if (wrong >= 0) {
    throw badFile(path, start + wrong, `tensor ${JSON.stringify(name)}: expected 0 or 1, got ${bytes[wrong]!}`);
  }
  return makeFromBytes(currentBackend(), bytes, shape, dtype);
}

/**
 * Reads all tensors of a safetensors file onto the current device.
 * @param path The file.
 * @throws FileFormatError that names the file and the byte where it is cut off, damaged, or of a dtype that tensors do not
 *   have; nothing is left on the device then.
 */
export function readSafetensors(path: string): SafetensorsContent {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    throw unreadable(path, error);
  }
  const tensors = new Map<string, Tensor>();
  try {
    const { size } = fstatSync(file);
    const length = headerLength(path, readBytes(file, 0, Math.min(LENGTH_BYTES, size)), size);
    const { entries, metadata } = parseHeader(path, readBytes(file, LENGTH_BYTES, length), size);
    for (const entry of entries) tensors.set(entry.name, readTensor(path, file, entry));
    return { tensors, metadata };
  } catch (error) {
    for (const tensor of tensors.values()) tensor.dispose();
    throw error instanceof SelfnormError ? error : unreadable(path, error);
  } finally {
    closeSync(file);
  }
}

/** The error of a file that the system does not let read. */
export function unreadable(path: string, error: unknown): SelfnormError {
  const { code } = error as NodeJS.ErrnoException;
  const reasons: Record<string, string> = { ENOENT: 'the file does not exist', EACCES: 'no permission to read it' };
  return failure('ERR_FILE_FORMAT', 'read', `${path}: ${reasons[code ?? ''] ?? reasonOf(error)}`);
}

/** A tensor's bytes as the device has them. */
export function bytesOf(op: string, tensor: Tensor): Uint8Array {
  try {
    return new Uint8Array(tensor.backend.addon.readSync(tensor.id));
  } catch (error) {
    throw fromNative(op, error);
  }
}

/** Tensors by name, or pairs of name and tensor. */
export type NamedTensors = Readonly<Record<string, Tensor>> | Iterable<readonly [string, Tensor]>;

/**
 * The pieces of a safetensors file, one tensor at a time on the host.
 * @param op For errors.
 * @throws ArgumentError for a name twice, or one that the format keeps.
 */
export function encodeSafetensors(
  op: string,
  tensors: NamedTensors,
  metadata: Readonly<Record<string, string>>,
): Iterable<Uint8Array> {
  const pairs = Symbol.iterator in tensors ? [...tensors] : Object.entries(tensors);
  const names = new Set<string>();
  const list = pairs.map(([name, tensor]) => {
    const bad = (expected: string): SelfnormError => invalid('ERR_ARGUMENT', op, 'tensors', expected, name);
    // A lone surrogate has no UTF-8.
    if (typeof name !== 'string' || Buffer.from(name).toString() !== name) throw bad('names that are valid text');
    if (name === '__metadata__') throw bad("a name that is not the format's own");
    if (names.has(name)) throw bad('each name once');
    names.add(name);
    if (!(tensor instanceof Tensor)) throw invalid('ERR_ARGUMENT', op, name, 'a tensor', tensor);
    tensor.assertLive(op, name);
    return { name, tensor, dtype: tensor.dtype, shape: tensor.shape };
  });
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== 'string') throw invalid('ERR_ARGUMENT', op, `metadata.${key}`, 'a string', value);
  }
  const ordered = inFileOrder(list);
  const header = formatHeader(ordered, metadata);
  if (header.length - LENGTH_BYTES > MOST_HEADER_BYTES) {
    throw invalid(
      'ERR_ARGUMENT',
      op,
      'tensors',
      `names and notes of at most ${MOST_HEADER_BYTES} bytes`,
      header.length,
    );
  }
  return (function* () {
    yield header;
    for (const { tensor } of ordered) yield bytesOf(op, tensor);
  })();
}

/**
 * Writes named tensors as a safetensors file, all or nothing: a reader finds the old file or the new, whatever happens.
 * @param path Where; its folder must exist.
 * @param tensors By name, or pairs of name and tensor.
 * @param metadata Notes for the file: strings.
 * @throws ArgumentError for a name twice, or one that the format keeps; FileFormatError when the file cannot be written.
 */
export function writeSafetensors(
  path: string,
  tensors: NamedTensors,
  metadata: Readonly<Record<string, string>> = {},
): void {
  writeAtomically(path, encodeSafetensors('writeSafetensors', tensors, metadata));
}
