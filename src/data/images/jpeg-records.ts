// CIFAR as JPEG files one after the other: a record is a label (one byte), a length (two bytes, the low one first) and that many bytes
// of a JPEG file. JPEG is lossy: what is decoded are not the published pixels.
import { BadRecords, type OnBadRecord } from '../files/bad-records.js';
import { readContents } from '../files/file-contents.js';
import type { CifarImages } from './cifar.js';
import { decode } from './decode-pool.js';
import type { DecodePlan } from './decode-plan.js';

const HEAD = 3;
const TASK = 64;
const THREADS = 1;

interface JpegRecord {
  readonly place: string;
  readonly label: number;
  readonly jpeg: Uint8Array;
}

function recordsIn(bytes: Uint8Array, file: string, classes: number, bad: BadRecords): JpegRecord[] {
  const records: JpegRecord[] = [];
  for (let at = 0, index = 0; at < bytes.length; index++) {
    const place = `byte ${at} (record ${index})`;
    const length = at + HEAD <= bytes.length ? bytes[at + 1]! + 256 * bytes[at + 2]! : 0;
    const end = at + HEAD + length;
    if (at + HEAD > bytes.length || end > bytes.length) {
      // Where the next record begins is not known either.
      bad.add(file, undefined, `${place}: expected a whole record, got the end; the file is cut off`);
      break;
    }
    const label = bytes[at]!;
    if (label < classes) records.push({ place, label, jpeg: bytes.slice(at + HEAD, end) });
    else bad.add(file, undefined, `${place}: expected a label from 0 to ${classes - 1}, got ${label}`);
    at = end;
  }
  return records;
}

/**
 * The decoded images of one or more files, in order.
 * @throws FileFormatError naming file, byte and record of one that is cut off or cannot be decoded, unless bad records are skipped.
 */
export async function readJpegRecords(
  op: string,
  files: readonly string[],
  classes: number,
  [height, width]: readonly [number, number, number],
  onBadRecord?: OnBadRecord,
): Promise<CifarImages> {
  const size = [height, width] as const;
  const plan: DecodePlan = { size, resize: size, fit: 'exact', colorMode: 'rgb', dtype: 'uint8' };
  const bad = new BadRecords(op, onBadRecord);
  const parts: { readonly pixels: Uint8Array; readonly label: number }[] = [];
  for (const file of files) {
    const records = recordsIn(await readContents(op, file), file, classes, bad);
    const tasks = Array.from({ length: Math.ceil(records.length / TASK) }, (_, i) =>
      records.slice(i * TASK, (i + 1) * TASK),
    );
    const decoding = tasks.map((task) =>
      decode(
        plan,
        task.map(({ jpeg }) => jpeg),
        new Int32Array(2 * task.length),
        THREADS,
      ),
    );
    for (const [i, { pixels, faults }] of (await Promise.all(decoding)).entries()) {
      for (const { index, reason } of faults) bad.add(file, undefined, `${tasks[i]![index]!.place}: ${reason}`);
      const broken = new Set(faults.map(({ index }) => index));
      const length = pixels.length / tasks[i]!.length;
      tasks[i]!.forEach(({ label }, index) => {
        if (broken.has(index)) return;
        parts.push({ pixels: (pixels as Uint8Array).subarray(index * length, (index + 1) * length), label });
      });
    }
  }
  bad.warn();
  const images = new Uint8Array(parts.length * height * width * 3);
  parts.forEach(({ pixels }, i) => images.set(pixels, i * pixels.length));
  return { images, labels: Uint8Array.from(parts, ({ label }) => label), skipped: bad };
}
