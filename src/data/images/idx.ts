// IDX, the format of MNIST: a magic number (two zero bytes, the type, the rank), the sizes as big-endian 32-bit integers, the
// values. Only unsigned bytes are read, of images [count, rows, columns] and labels [count].
import type { BadRecords } from '../files/bad-records.js';
import { fileFault, readContents, showBytes } from '../files/file-contents.js';

const UNSIGNED_BYTE = 0x08;

/** Values of an IDX file and their shape. */
export interface IdxValues {
  readonly shape: readonly number[];
  readonly values: Uint8Array;
}

const magicOf = (rank: number): string => `0x0000080${rank}`;

/** What a wrong beginning tells of the file, where it tells something. */
function adviceFor(bytes: Uint8Array): string | undefined {
  const start = Buffer.from(bytes.subarray(0, 4)).toString('latin1');
  if (start.startsWith('<')) return 'it looks like a web page: the download gave something else';
  if (start.startsWith('PK')) return 'it is a zip archive: unpack it';
  if (start === '\0\0\b\x03') return 'it holds images: labels and images may have changed places';
  if (start === '\0\0\b\x01') return 'it holds labels: labels and images may have changed places';
  return undefined;
}

/**
 * The values of an IDX file of unsigned bytes.
 * @param bytes The file's contents, unpacked.
 * @param itemShape What every item is: `[28, 28]` for an image, `[]` for a label.
 * @throws FileFormatError naming the file, the byte, what was expected there and what is there.
 */
export function parseIdx(op: string, file: string, bytes: Uint8Array, itemShape: readonly number[]): IdxValues {
  const rank = itemShape.length + 1;
  const kind = `IDX of unsigned bytes with ${rank} ${rank === 1 ? 'axis' : 'axes'}`;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4)
    throw fileFault(op, file, bytes.length, `the magic number ${magicOf(rank)} of ${kind}`, 'the end');
  if (view.getUint32(0) !== UNSIGNED_BYTE * 256 + rank) {
    const got = showBytes(bytes.subarray(0, 4));
    throw fileFault(op, file, 0, `the magic number ${magicOf(rank)} of ${kind}`, got, adviceFor(bytes));
  }
  const header = 4 + 4 * rank;
  if (bytes.length < header) throw fileFault(op, file, bytes.length, `${rank} sizes up to byte ${header}`, 'the end');
  const shape = Array.from({ length: rank }, (_, axis) => view.getUint32(4 + 4 * axis));
  itemShape.forEach((size, i) => {
    if (shape[i + 1] === size) return;
    throw fileFault(op, file, 8 + 4 * i, `size ${size} of axis ${i + 1}`, String(shape[i + 1]));
  });
  const end = header + shape.reduce((product, size) => product * size, 1);
  const items = `${shape[0]} items of shape [${itemShape.join(',')}]`;
  if (bytes.length < end) {
    throw fileFault(op, file, bytes.length, `values up to byte ${end} (${items})`, 'the end', 'the file is cut off');
  }
  if (bytes.length > end) throw fileFault(op, file, end, `the end (${items})`, `${bytes.length - end} bytes more`);
  return { shape, values: bytes.subarray(header) };
}

/** Reads an IDX file, gzip or not; see parseIdx. */
export async function readIdx(op: string, file: string, itemShape: readonly number[]): Promise<IdxValues> {
  return parseIdx(op, file, await readContents(op, file), itemShape);
}

/** The labels of an IDX file; those that are no class go to `bad`. */
export async function readIdxLabels(op: string, file: string, classes: number, bad: BadRecords): Promise<Uint8Array> {
  const { values } = await readIdx(op, file, []);
  values.forEach((label, i) => {
    if (label >= classes)
      bad.add(file, undefined, `byte ${8 + i}: expected a label from 0 to ${classes - 1}, got ${label}`);
  });
  return values;
}
