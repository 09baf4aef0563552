// Labelled image files as a data set: what passes along the pipeline are their indices, so that shuffle() and take() decode
// nothing; on the way out they are decoded a bounded number ahead of the consumer.
import { invalid } from '../../errors.js';
import { tensor } from '../../ops/creation.js';
import { HostRandom } from '../../tensor/host-random.js';
import { tidy } from '../../tensor/memory.js';
import { nextHostSeed } from '../../tensor/random-state.js';
import type { Tensor } from '../../tensor/tensor.js';
import { Dataset, type Elements } from '../dataset.js';
import { BadRecords, type BadRecordOptions, type SkippedRecords } from '../files/bad-records.js';
import { channelsOf, isFloat, type ColorMode, type DecodePlan } from './decode-plan.js';
import { decode } from './decode-pool.js';
import { hot, hotBatch, scaledBatch, type LabelledImage } from './image-dataset.js';

/** How image files become tensors. */
export interface ImageFilesOptions extends BadRecordOptions {
  /** Height and width of every image, or both in one number. */
  readonly imageSize: number | readonly [number, number];
  /** Height and width to scale to before `imageSize` is cut out. Default: `imageSize`. */
  readonly resize?: number | readonly [number, number];
  /**
   * `'cover'` (default): keeps the shape and cuts off what is too much; `'contain'`: keeps the shape and fills up with black;
   * `'fill'`: stretches.
   */
  readonly fit?: 'cover' | 'contain' | 'fill';
  /** Where `imageSize` is cut out of `resize`: in the middle (default), or anywhere, anew for each pass. */
  readonly crop?: 'center' | 'random';
  /** With `crop: 'random'`, the places follow from it. Without it they follow from `setSeed()`. */
  readonly seed?: number;
  /** `'rgb'` (default); `'grayscale'` (ITU-R BT.601); `'lightness'`: L* of CIE Lab, divided by 100. One channel but for the first. */
  readonly colorMode?: ColorMode;
  /** `'float32'` (default): from 0 to 1; `'uint8'`: from 0 to 255, a quarter of the memory. */
  readonly dtype?: 'float32' | 'uint8';
  /** Images decoded ahead of the consumer. Default 256. */
  readonly prefetch?: number;
  /**
   * Threads that feed libuv's (`UV_THREADPOOL_SIZE`, 4 by default), in which the pixels are made. Default 1, which keeps those four
   * busy; more are of use where there are more of libuv's.
   */
  readonly workers?: number;
}

/** Files and their labels. */
export interface LabelledFiles {
  readonly files: readonly string[];
  /** A class from 0 for each file. */
  readonly labels: Int32Array;
  readonly classNames: readonly string[];
  /** What was left out while they were looked for. */
  readonly skipped: SkippedRecords;
}

/** Images of a message to a thread. */
const TASK = 16;

interface Decoded {
  readonly pixels: Uint8Array | Float32Array;
  readonly label: number;
}

interface Settings {
  readonly plan: DecodePlan;
  readonly crop: 'center' | 'random';
  readonly seed: number | undefined;
  readonly prefetch: number;
  readonly workers: number;
}

function settingsOf(op: string, options: ImageFilesOptions): Settings {
  const { fit = 'cover', crop = 'center', seed, colorMode = 'rgb', dtype = 'float32' } = options;
  const { prefetch = 256, workers = 1 } = options;
  const choices = {
    fit: [fit, ['cover', 'contain', 'fill']],
    crop: [crop, ['center', 'random']],
    colorMode: [colorMode, ['rgb', 'grayscale', 'lightness']],
    dtype: [dtype, ['float32', 'uint8']],
  } as const;
  for (const [name, [value, known]] of Object.entries(choices)) {
    if ((known as readonly string[]).includes(value)) continue;
    throw invalid('ERR_ARGUMENT', op, name, known.map((each) => `'${each}'`).join(' or '), value);
  }
  for (const [name, value] of Object.entries({ prefetch, workers })) {
    if (Number.isSafeInteger(value) && value >= 1) continue;
    throw invalid('ERR_ARGUMENT', op, name, 'an integer of at least 1', value);
  }
  if (seed !== undefined && !Number.isSafeInteger(seed)) {
    throw invalid('ERR_ARGUMENT', op, 'seed', 'a safe integer', seed);
  }
  const size = sizeOf(op, 'imageSize', options.imageSize);
  const resize = options.resize === undefined ? size : sizeOf(op, 'resize', options.resize);
  if (resize[0] < size[0] || resize[1] < size[1]) {
    throw invalid('ERR_ARGUMENT', op, 'resize', `at least imageSize, [${size.join(',')}]`, resize);
  }
  return { plan: { size, resize, fit, colorMode, dtype }, crop, seed, prefetch, workers };
}

function sizeOf(op: string, name: string, size: unknown): readonly [number, number] {
  const sides: unknown[] = Array.isArray(size) ? size : [size, size];
  const isSide = (side: unknown): boolean => Number.isSafeInteger(side) && (side as number) >= 1;
  if (sides.length === 2 && sides.every(isSide)) return sides as [number, number];
  throw invalid('ERR_ARGUMENT', op, name, 'a number of pixels, or [height, width]', size);
}

/** Where each image of a pass is cut. */
function cutter({ plan: { size, resize }, crop, seed }: Settings, pass: number): (corners: Int32Array) => void {
  const [down, across] = [resize[0] - size[0], resize[1] - size[1]];
  if (crop === 'center' || (down === 0 && across === 0)) {
    const middle = [Math.floor(down / 2), Math.floor(across / 2)];
    return (corners) => corners.forEach((_, i) => (corners[i] = middle[i % 2]!));
  }
  const random = new HostRandom(seed === undefined ? nextHostSeed() : [seed, pass]);
  return (corners) => corners.forEach((_, i) => (corners[i] = random.below(1 + (i % 2 === 0 ? down : across))));
}

/** Pixels of some images as what a model takes. */
function tensorOf(pixels: Uint8Array | Float32Array, shape: number[], dtype: 'float32' | 'uint8'): Tensor {
  if (pixels instanceof Float32Array) return tensor(pixels, shape, 'float32');
  return dtype === 'uint8' ? tensor(pixels, shape, 'uint8') : scaledBatch(pixels, shape);
}

/**
 * Labelled image files. Its elements are `{xs, ys}` (`LabelledImage`), so `train.shuffle(train.files.length, seed).batch(128)`
 * goes into `fitDataset`. Made by `data.imageFolder` and `data.imageList`.
 */
export class ImageFiles extends Dataset<LabelledImage> implements LabelledFiles {
  readonly files: readonly string[];
  readonly labels: Int32Array;
  readonly classNames: readonly string[];
  /** `[height, width, channels]` */
  readonly imageShape: readonly [number, number, number];
  readonly #skipped: BadRecords;

  /** @param op The function's name, for errors. */
  constructor(op: string, source: LabelledFiles, options: ImageFilesOptions) {
    const settings = settingsOf(op, options);
    const { files, labels, classNames } = source;
    const { plan } = settings;
    const shape = [...plan.size, channelsOf(plan)] as const;
    const skipped = new BadRecords(op, options.onBadRecord);
    let passes = 0;
    const elements: Elements<LabelledImage> = {
      load: (keys) => decoded(keys as AsyncIterable<number>, source, settings, skipped, passes++),
      read: (key) => {
        const { pixels, label } = key as Decoded;
        const ys = tidy(() => hot([label], classNames.length).reshape([classNames.length]));
        return { xs: tensorOf(pixels, [...shape], plan.dtype), ys };
      },
      stack: (keys) => {
        const images = keys as readonly Decoded[];
        const { length } = images[0]!.pixels;
        const pixels = new (isFloat(plan) ? Float32Array : Uint8Array)(images.length * length);
        images.forEach((image, i) => pixels.set(image.pixels, i * length));
        const ys = hotBatch(
          images.map(({ label }) => label),
          classNames.length,
        );
        return { xs: tensorOf(pixels, [images.length, ...shape], plan.dtype), ys };
      },
    };
    // eslint-disable-next-line @typescript-eslint/require-await
    const open = async function* (): AsyncGenerator<number> {
      for (let index = 0; index < files.length; index++) yield index;
    };
    // How many are skipped shows only when they are decoded.
    super(open, options.onBadRecord === 'skip' ? null : files.length, elements);
    this.files = files;
    this.labels = labels;
    this.classNames = classNames;
    this.imageShape = shape;
    this.#skipped = skipped;
    for (const { file, line, reason } of source.skipped.first) skipped.add(file, line, reason);
    skipped.count = source.skipped.count;
  }

  /** How many classes there are. */
  get numClasses(): number {
    return this.classNames.length;
  }

  /** What was left out so far: while looking for the files, and of those decoded. Each file counts once. */
  get skipped(): SkippedRecords {
    return this.#skipped;
  }
}

async function* decoded(
  keys: AsyncIterable<number>,
  { files, labels }: LabelledFiles,
  settings: Settings,
  skipped: BadRecords,
  pass: number,
): AsyncGenerator<Decoded> {
  const { plan, prefetch, workers } = settings;
  const cut = cutter(settings, pass);
  const ahead: Promise<Decoded[]>[] = [];
  const before = skipped.count;
  let indices: number[] = [];
  const ask = (): void => {
    const wanted = indices;
    indices = [];
    const corners = new Int32Array(2 * wanted.length);
    cut(corners);
    const sources = wanted.map((index) => files[index]!);
    const images = decode(plan, sources, corners, workers).then(({ pixels, faults }) => {
      const bad = new Set(faults.map(({ index }) => index));
      for (const { index, reason } of faults) skipped.addOnce(sources[index]!, reason);
      const length = pixels.length / wanted.length;
      return wanted.flatMap((index, i) =>
        bad.has(i) ? [] : [{ pixels: pixels.subarray(i * length, (i + 1) * length), label: labels[index]! }],
      );
    });
    // The consumer meets the error when its turn comes; until then it must not end the process.
    images.catch(() => undefined);
    ahead.push(images);
  };
  const task = Math.min(TASK, prefetch);
  for await (const index of keys) {
    if (indices.push(index) === task) ask();
    if (ahead.length * task >= prefetch) yield* await ahead.shift()!;
  }
  if (indices.length > 0) ask();
  while (ahead.length > 0) yield* await ahead.shift()!;
  if (skipped.count > before) skipped.warn();
}
