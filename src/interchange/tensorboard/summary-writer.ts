// Event files, which TensorBoard reads: a record for each summary, appended as training goes on. A record is the length and
// the data, each followed by its checksum; the data is TensorFlow's message Event.
import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import type Sharp from 'sharp';
import { join } from 'node:path';
import { failure, invalid } from '../../errors.js';
import { reasonOf } from '../../files/write-atomically.js';
import { maskedCrc32c } from './crc32c.js';
import { histogramOf } from './histogram.js';
import { bytes, double, doubles, float, message, whole, type Field } from '../protobuf.js';

/** An image for TensorBoard. */
export interface SummaryImage {
  readonly width: number;
  readonly height: number;
  /** 1 (grey), 3 (RGB) or 4 (RGBA). */
  readonly channels: 1 | 3 | 4;
  /** Bytes, row by row, channels together. */
  readonly pixels: Uint8Array | Uint8ClampedArray;
}

/** Settings of a SummaryWriter. */
export interface SummaryWriterOptions {
  /** What the file's name ends with; nothing by default. */
  suffix?: string;
  /** Bytes that wait in memory before they are written (default 64 KiB); `flush` writes them at once. */
  bufferBytes?: number;
}

const OP = 'SummaryWriter';
let filesOpened = 0;

/** A record: length, checksum of the length, data, checksum of the data. */
export function record(data: Uint8Array): Uint8Array {
  const framed = Buffer.alloc(data.length + 16);
  framed.writeBigUInt64LE(BigInt(data.length), 0);
  framed.writeUInt32LE(maskedCrc32c(framed.subarray(0, 8)), 8);
  framed.set(data, 12);
  framed.writeUInt32LE(maskedCrc32c(data), 12 + data.length);
  return framed;
}

/**
 * Writes scalars, histograms and images to an event file, which TensorBoard shows while it grows.
 * @example
 * const writer = new SummaryWriter('logs/run-1');
 * writer.scalar('loss', 0.25, 10);
 * writer.close();
 */
export class SummaryWriter {
  /** The file; made with the writer, in `folder`. */
  readonly path: string;
  private readonly file: number;
  private waiting: Uint8Array[] = [];
  private waitingBytes = 0;
  private readonly bufferBytes: number;
  private open = true;

  /**
   * @param folder Where the file goes; made if it is not there. Folders side by side are runs that TensorBoard compares.
   * @throws SelfnormError ERR_FILE_FORMAT when the file cannot be made.
   */
  constructor(folder: string, { suffix = '', bufferBytes = 65_536 }: SummaryWriterOptions = {}) {
    if (typeof folder !== 'string' || folder === '') throw invalid('ERR_ARGUMENT', OP, 'folder', 'a path', folder);
    this.bufferBytes = bufferBytes;
    const seconds = Math.floor(Date.now() / 1000);
    const name = `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${filesOpened++}${suffix}`;
    this.path = join(folder, name);
    try {
      mkdirSync(folder, { recursive: true });
      this.file = openSync(this.path, 'ax');
    } catch (error) {
      throw failure('ERR_FILE_FORMAT', OP, `${this.path}: ${reasonOf(error)}`);
    }
    this.event(bytes(3, 'brain.Event:2'));
    this.flush();
  }

  /** Writes a number. */
  scalar(tag: string, value: number, step: number): void {
    if (typeof value !== 'number') throw invalid('ERR_ARGUMENT', `${OP}.scalar`, 'value', 'a number', value);
    this.summary('scalar', tag, step, float(2, value));
  }

  /**
   * Writes how values are distributed, in buckets of equal width. NaN and infinite values are left out.
   * @param values As `await tensor.data()` gives them.
   * @param buckets Default 30, as TensorBoard shows.
   */
  histogram(tag: string, values: ArrayLike<number>, step: number, buckets = 30): void {
    if (!(Number.isInteger(buckets) && buckets >= 1)) {
      throw invalid('ERR_ARGUMENT', `${OP}.histogram`, 'buckets', 'an integer of at least 1', buckets);
    }
    const { min, max, count, sum, sumOfSquares, limits, counts } = histogramOf(values, buckets);
    const moments = [double(1, min), double(2, max), double(3, count), double(4, sum), double(5, sumOfSquares)];
    this.summary('histogram', tag, step, bytes(5, message(...moments, doubles(6, limits), doubles(7, counts))));
  }

  /**
   * Writes an image, as PNG.
   * @throws ArgumentError for sizes that do not fit the pixels; DeviceError where sharp, which makes PNG files, is missing.
   */
  async image(tag: string, { width, height, channels, pixels }: SummaryImage, step: number): Promise<void> {
    const op = `${OP}.image`;
    if (![1, 3, 4].includes(channels)) throw invalid('ERR_ARGUMENT', op, 'channels', '1, 3 or 4', channels);
    if (!(Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0)) {
      throw invalid('ERR_ARGUMENT', op, 'width, height', 'integers of at least 1', [width, height]);
    }
    if (pixels.length !== width * height * channels) {
      throw invalid('ERR_SHAPE', op, 'pixels', `${width * height * channels} bytes`, pixels.length);
    }
    const png = await encodePng({ width, height, channels, pixels });
    const image = message(whole(1, height), whole(2, width), whole(3, channels), bytes(4, png));
    this.summary('image', tag, step, bytes(4, image));
  }

  /** Writes what waits in memory. */
  flush(): void {
    if (!this.open || this.waiting.length === 0) return;
    const all = Buffer.concat(this.waiting);
    this.waiting = [];
    this.waitingBytes = 0;
    try {
      for (let written = 0; written < all.length;) written += writeSync(this.file, all, written);
    } catch (error) {
      throw failure('ERR_FILE_FORMAT', OP, `${this.path}: ${reasonOf(error)}`);
    }
  }

  /** Writes what waits and closes the file; later summaries are refused. */
  close(): void {
    if (!this.open) return;
    try {
      this.flush();
    } finally {
      this.open = false;
      closeSync(this.file);
    }
  }
  /** `using` closes it. */
  [Symbol.dispose](): void {
    this.close();
  }

  private summary(method: string, tag: string, step: number, value: Field): void {
    const op = `${OP}.${method}`;
    if (typeof tag !== 'string' || tag === '') throw invalid('ERR_ARGUMENT', op, 'tag', 'a name', tag);
    if (!(Number.isSafeInteger(step) && step >= 0)) {
      throw invalid('ERR_ARGUMENT', op, 'step', 'an integer of at least 0', step);
    }
    if (!this.open) throw invalid('ERR_DISPOSED', op, 'writer', 'an open writer', 'one that was closed');
    this.event(whole(2, step), bytes(5, bytes(1, message(bytes(1, tag), value))));
    if (this.waitingBytes >= this.bufferBytes) this.flush();
  }

  private event(...fields: readonly Field[]): void {
    const framed = record(message(double(1, Date.now() / 1000), ...fields));
    this.waiting.push(framed);
    this.waitingBytes += framed.length;
  }
}

async function encodePng({ width, height, channels, pixels }: SummaryImage): Promise<Uint8Array> {
  let sharp: typeof Sharp;
  try {
    sharp = (await import('sharp')).default;
  } catch {
    throw failure('ERR_DEVICE', `${OP}.image`, 'sharp makes PNG files and is not installed; npm install sharp');
  }
  return sharp(pixels, { raw: { width, height, channels } }).png().toBuffer();
}
