// Labelled images in memory: one byte a channel until a batch is asked for, which is gathered on the host, sent to a GPU as
// bytes and scaled there. MNIST's 60,000 images take 47 MB so, and 188 MB as float32.
import { failure, invalid } from '../../errors.js';
import { ones, tensor } from '../../ops/creation.js';
import { oneHot } from '../../ops/gather.js';
import { pixelsToUnit } from '../../ops/pixels.js';
import { currentBackend } from '../../tensor/device.js';
import { tidy } from '../../tensor/memory.js';
import type { Tensor } from '../../tensor/tensor.js';
import { Dataset, type Elements } from '../dataset.js';
import type { SkippedRecords } from '../files/bad-records.js';

/** What `model.fitDataset` takes: an image in [0, 1] and its class one-hot, both float32. */
export interface LabelledImage {
  /** float32 `[height, width, channels]`; batched with the batch before it. */
  readonly xs: Tensor;
  /** float32 `[classes]`; batched with the batch before it. */
  readonly ys: Tensor;
}

/** Images and labels as they lie in memory. */
export interface ImageArrays {
  /** Count x height x width x channels bytes. */
  readonly images: Uint8Array;
  /** A class from 0 for each image. */
  readonly labels: Uint8Array;
  /** `[height, width, channels]` */
  readonly imageShape: readonly [number, number, number];
  /** Names of the classes, in label order. */
  readonly classNames: readonly string[];
  /** Records of the files that could not be read; default none. */
  readonly skipped?: SkippedRecords;
}

/**
 * Labelled images. As a data set its elements are `{xs, ys}` (`LabelledImage`), so `train.shuffle(60000).batch(250)` goes into
 * `fitDataset`; `xs()` or `pixels()`, and `ys()`, give everything at once for `fit`.
 */
export class ImageDataset extends Dataset<LabelledImage> implements Required<ImageArrays> {
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
  readonly imageShape: readonly [number, number, number];
  readonly classNames: readonly string[];
  readonly skipped: SkippedRecords;
  declare readonly size: number;

  /** @throws ShapeError when there are not as many images as labels. */
  constructor({ images, labels, imageShape, classNames, skipped = { count: 0, first: [] } }: ImageArrays) {
    const bytes = imageShape[0] * imageShape[1] * imageShape[2];
    if (images.length !== labels.length * bytes) {
      const expected = `${labels.length * bytes} bytes, for ${labels.length} labels and images of [${imageShape.join(',')}]`;
      throw invalid('ERR_SHAPE', 'ImageDataset', 'images', expected, images.length);
    }
    const arrays = { images: plain(images), labels: plain(labels), imageShape, classNames };
    const elements: Elements<LabelledImage> = {
      read: (index) => single(arrays, index as number),
      stack: (indices) => gathered(arrays, indices as readonly number[]),
    };
    // eslint-disable-next-line @typescript-eslint/require-await
    const open = async function* (): AsyncGenerator<number> {
      for (let index = 0; index < labels.length; index++) yield index;
    };
    super(open, labels.length, elements);
    this.skipped = skipped;
    ({ images: this.images, labels: this.labels, imageShape: this.imageShape, classNames: this.classNames } = arrays);
  }

  /** How many classes there are. */
  get numClasses(): number {
    return this.classNames.length;
  }

  /**
   * Images from `start` up to but without `end`, counting from the back where negative; they share this set's memory. What was
   * skipped is told by the whole set alone.
   */
  slice(start = 0, end = this.size): ImageDataset {
    const { imageShape, classNames } = this;
    const bytes = imageShape[0] * imageShape[1] * imageShape[2];
    const place = (at: number): number => Math.min(this.size, Math.max(0, at < 0 ? this.size + at : at));
    const [first, last] = [place(start), Math.max(place(start), place(end))];
    const images = this.images.subarray(first * bytes, last * bytes);
    return new ImageDataset({ images, labels: this.labels.subarray(first, last), imageShape, classNames });
  }

  /** All images as float32 `[count, height, width, channels]` in [0, 1]: bytes divided by 255. */
  xs(): Tensor {
    return scaled(this.images, [this.size, ...this.imageShape]);
  }

  /** All images as they are, uint8 `[count, height, width, channels]`: for a model whose first layer is `rescaling`. */
  pixels(): Tensor {
    return tensor(this.images, [this.size, ...this.imageShape], 'uint8');
  }

  /** All labels one-hot, float32 `[count, classes]`. */
  ys(): Tensor {
    return hot(this.labels, this.numClasses);
  }

  /** All labels as int32 `[count]`, for sparse losses and metrics. */
  classes(): Tensor {
    return tensor(Int32Array.from(this.labels), [this.size], 'int32');
  }
}

/** A Buffer's bytes as the array they are: its subarray() is ten times slower, and its slice() is no copy. */
const plain = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Bytes as float32 from 0 to 1. */
export function scaled(bytes: Uint8Array, shape: number[]): Tensor {
  return tidy(() => pixelsToUnit(tensor(bytes, shape, 'uint8')));
}

/** Labels one-hot, float32 `[labels, classes]`. */
export function hot(labels: ArrayLike<number>, classes: number): Tensor {
  if (classes === 1) return ones([labels.length, 1]);
  return tidy(() => oneHot(tensor(Int32Array.from(labels), [labels.length], 'int32'), classes, 1, 0, 'float32'));
}

const bytesOf = ({ imageShape }: ImageArrays): number => imageShape[0] * imageShape[1] * imageShape[2];

function single(arrays: ImageArrays, index: number): LabelledImage {
  const size = bytesOf(arrays);
  const xs = scaled(arrays.images.subarray(index * size, (index + 1) * size), [...arrays.imageShape]);
  const label = arrays.labels[index]!;
  return { xs, ys: tidy(() => oneHot(tensor(label, [], 'int32'), arrays.classNames.length, 1, 0, 'float32')) };
}

/** Each byte divided by 255, as pixelsToUnit rounds it. */
const UNIT = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/** As `scaled`, without an op where ops run on the host's own cores: it would wait for the step that is running. */
export function scaledBatch(bytes: Uint8Array, shape: number[]): Tensor {
  if (currentBackend().device !== 'cpu') return scaled(bytes, shape);
  const values = new Float32Array(bytes.length);
  for (let i = 0; i < bytes.length; i++) values[i] = UNIT[bytes[i]!]!;
  return tensor(values, shape);
}

/** As `hot`, without an op where ops run on the host's own cores. */
export function hotBatch(labels: readonly number[], classes: number): Tensor {
  if (currentBackend().device !== 'cpu') return hot(labels, classes);
  const values = new Float32Array(labels.length * classes);
  labels.forEach((label, i) => (values[i * classes + label] = 1));
  return tensor(values, [labels.length, classes]);
}

/** A batch. Where ops run on the host's own cores it is made without any: an op would wait for the step that is running. */
function gathered(arrays: ImageArrays, indices: readonly number[]): LabelledImage {
  if (currentBackend().device !== 'cpu') return gatheredBytes(arrays, indices);
  const size = bytesOf(arrays);
  const classes = arrays.classNames.length;
  const values = new Float32Array(indices.length * size);
  const labels = new Float32Array(indices.length * classes);
  indices.forEach((index, i) => {
    const [from, to] = [index * size, i * size];
    for (let k = 0; k < size; k++) values[to + k] = UNIT[arrays.images[from + k]!]!;
    labels[i * classes + arrays.labels[index]!] = 1;
  });
  return {
    xs: tensor(values, [indices.length, ...arrays.imageShape]),
    ys: tensor(labels, [indices.length, classes]),
  };
}

function gatheredBytes(arrays: ImageArrays, indices: readonly number[]): LabelledImage {
  const size = bytesOf(arrays);
  const bytes = new Uint8Array(indices.length * size);
  const labels = new Uint8Array(indices.length);
  indices.forEach((index, i) => {
    bytes.set(arrays.images.subarray(index * size, (index + 1) * size), i * size);
    labels[i] = arrays.labels[index]!;
  });
  return { xs: scaled(bytes, [indices.length, ...arrays.imageShape]), ys: hot(labels, arrays.classNames.length) };
}

/** A data set's parts. */
export interface ImageSets {
  readonly train: ImageDataset;
  /** Taken from the end of the training images; empty unless `validation` was asked for. */
  readonly validation: ImageDataset;
  readonly test: ImageDataset;
  /** Whether the pixels are decoded from JPEG files and so not those that were published. */
  readonly lossy?: boolean;
}

/** How many a share is, as `validationSplit` of fit() takes it: what is left for training is rounded down. */
export function shareOf(count: number, share: number): number {
  return count - Math.floor(count * (1 - share));
}

/** Cuts the validation images off the end of the training ones. */
export function withValidation(op: string, all: ImageDataset, test: ImageDataset, validation = 0): ImageSets {
  const share = validation > 0 && validation < 1;
  const count = share ? shareOf(all.size, validation) : validation;
  if (!Number.isInteger(count) || count < 0) {
    throw invalid(
      'ERR_ARGUMENT',
      op,
      'validation',
      'a share of the training images from 0 to 1, or a number of them',
      validation,
    );
  }
  if (count >= Math.max(1, all.size)) {
    throw failure(
      'ERR_ARGUMENT',
      op,
      `validation: expected fewer images than the ${all.size} for training, got ${count}`,
    );
  }
  const { skipped } = all;
  const train = new ImageDataset({ ...all.slice(0, all.size - count), skipped });
  return { train, validation: all.slice(all.size - count), test };
}
