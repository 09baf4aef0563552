// The binary format of CIFAR: records back to back, each its labels (one byte; in CIFAR-100 the coarse one before the fine one),
// then 1024 red bytes, 1024 green, 1024 blue, row by row. Read into [count, 32, 32, 3] with the colours last.
import { failure } from '../../errors.js';
import { fileFault, readContents } from '../files/file-contents.js';

const SIDE = 32;
const PIXELS = SIDE * SIDE;
const COLOURS = 3;

/** Images of CIFAR files with the last (finest) label of each. */
export interface CifarImages {
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

/**
 * The records of one or more files, in order.
 * @param classes Number of classes of each label of a record; the last label is kept.
 * @throws FileFormatError naming the file, the byte, what was expected there and what is there.
 */
export async function readCifar(
  op: string,
  files: readonly string[],
  classes: readonly number[],
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
  let item = 0;
  contents.forEach((bytes, i) => {
    for (let start = 0; start < bytes.length; start += record, item++) {
      classes.forEach((most, which) => {
        const label = bytes[start + which]!;
        if (label < most) labels[item] = label;
        else throw fileFault(op, files[i]!, start + which, `a label from 0 to ${most - 1}`, String(label));
      });
      interleave(bytes, start + classes.length, images, item * PIXELS * COLOURS);
    }
  });
  return { images, labels };
}

/** Colour planes at `from` to pixels at `to`. */
function interleave(planes: Uint8Array, from: number, pixels: Uint8Array, to: number): void {
  for (let pixel = 0; pixel < PIXELS; pixel++) {
    for (let colour = 0; colour < COLOURS; colour++) {
      pixels[to + pixel * COLOURS + colour] = planes[from + colour * PIXELS + pixel]!;
    }
  }
}
