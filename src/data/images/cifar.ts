// The binary format of CIFAR: records back to back, each its labels (one byte; in CIFAR-100 the coarse one before the fine one),
// then 1024 red bytes, 1024 green, 1024 blue, row by row. Read into [count, 32, 32, 3] with the colours last.
import { failure } from '../../errors.js';
import { BadRecords, type BadRecordOptions, type SkippedRecords } from '../files/bad-records.js';
import { fileFault, readContents } from '../files/file-contents.js';

const SIDE = 32;
const PIXELS = SIDE * SIDE;
const COLOURS = 3;

/** Images of CIFAR files with one label of each. */
export interface CifarImages {
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
  readonly skipped: SkippedRecords;
}

/** How CIFAR files are read. */
export interface CifarReading extends BadRecordOptions {
  /** Which label of a record is kept; default the last, which is the finest. */
  readonly kept?: number;
}

/**
 * The records of one or more files, in order.
 * @param classes Number of classes of each label of a record.
 * @throws FileFormatError naming the file, the byte, what was expected there and what is there; of a record with a wrong label only
 *   where bad records are not skipped.
 */
export async function readCifar(
  op: string,
  files: readonly string[],
  classes: readonly number[],
  { kept = classes.length - 1, onBadRecord }: CifarReading = {},
): Promise<CifarImages> {
  const record = classes.length + COLOURS * PIXELS;
  const contents: Uint8Array[] = [];
  for (const file of files) {
    const bytes = await readContents(op, file);
    const rest = bytes.length % record;
    if (bytes.length === 0)
      throw failure('ERR_FILE_FORMAT', op, `${file}: expected records of ${record} bytes, got an empty file`);
    if (rest !== 0) {
      const expected = `whole records of ${record} bytes`;
      throw fileFault(
        op,
        file,
        bytes.length - rest,
        expected,
        `${rest} bytes`,
        'the file is cut off or of another format',
      );
    }
    contents.push(bytes);
  }
  const count = contents.reduce((sum, bytes) => sum + bytes.length / record, 0);
  const images = new Uint8Array(count * PIXELS * COLOURS);
  const labels = new Uint8Array(count);
  const skipped = new BadRecords(op, onBadRecord);
  let item = 0;
  contents.forEach((bytes, i) => {
    for (let start = 0; start < bytes.length; start += record) {
      const wrong = classes.findIndex((most, which) => bytes[start + which]! >= most);
      if (wrong >= 0) {
        const expected = `expected a label from 0 to ${classes[wrong]! - 1}, got ${bytes[start + wrong]}`;
        skipped.add(files[i]!, undefined, `byte ${start + wrong}: ${expected}`);
        continue;
      }
      labels[item] = bytes[start + kept]!;
      interleave(bytes, start + classes.length, images, item * PIXELS * COLOURS);
      item++;
    }
  });
  skipped.warn();
  return { images: images.subarray(0, item * PIXELS * COLOURS), labels: labels.subarray(0, item), skipped };
}

/** Colour planes at `from` to pixels at `to`. */
function interleave(planes: Uint8Array, from: number, pixels: Uint8Array, to: number): void {
  for (let pixel = 0; pixel < PIXELS; pixel++) {
    for (let colour = 0; colour < COLOURS; colour++) {
      pixels[to + pixel * COLOURS + colour] = planes[from + colour * PIXELS + pixel]!;
    }
  }
}
