// `data.imageFolder` and `data.imageList`: image files of one's own as data sets.
import { failure } from '../../errors.js';
import { join, resolve } from 'node:path';
import { findInClassFolders, findInList, foldersIn, PART_FOLDERS } from './class-folders.js';
import { shareOf } from './image-dataset.js';
import { ImageFiles, type ImageFilesOptions, type LabelledFiles } from './image-files.js';

/** Options of `data.imageFolder()`. */
export interface ImageFolderOptions extends ImageFilesOptions {
  /** Names of the class folders, in label order. Default: those of the training images, in the order of their names. */
  readonly classNames?: readonly string[];
  /**
   * Where there is no folder of validation images: how many of the training images are for validation, the last of each class; a share
   * from 0 to 1. Default 0.
   */
  readonly validation?: number;
}

/** The parts of a folder of images. */
export interface ImageFileSets {
  readonly train: ImageFiles;
  readonly validation: ImageFiles;
  readonly test: ImageFiles;
}

/** Options of `data.imageList()`. */
export interface ImageListOptions extends ImageFilesOptions {
  /** What the paths of the list start from. */
  readonly folder: string;
  /** Names of the classes, in label order. */
  readonly classNames: readonly string[];
}

const OP = 'data.imageFolder';
const NONE: LabelledFiles = { files: [], labels: new Int32Array(), classNames: [], skipped: { count: 0, first: [] } };

/** The last share of each class, and the rest. */
function split({ files, labels, classNames, skipped }: LabelledFiles, share: number): [LabelledFiles, LabelledFiles] {
  const counts = new Int32Array(classNames.length);
  for (const label of labels) counts[label]!++;
  const forTraining = counts.map((count) => count - shareOf(count, share));
  const seen = new Int32Array(classNames.length);
  const [train, validation]: [number[], number[]] = [[], []];
  labels.forEach((label, i) => (seen[label]!++ < forTraining[label]! ? train : validation).push(i));
  const part = (indices: readonly number[], left: LabelledFiles['skipped']): LabelledFiles => ({
    files: indices.map((i) => files[i]!),
    labels: Int32Array.from(indices, (i) => labels[i]!),
    classNames,
    skipped: left,
  });
  return [part(train, skipped), part(validation, NONE.skipped)];
}

/**
 * Images in folders: a folder a class, either directly (all are for training then) or in `train`, `val` and `test`. JPEG and PNG files,
 * at any depth below their class. They are decoded as they are needed, by `sharp` (an optional dependency) in threads of their own.
 * @throws ArgumentError when there are no such folders or sharp is missing; FileFormatError naming an image that cannot be decoded
 *   or a class without images, unless `onBadRecord` is `'skip'`.
 */
export async function imageFolder(folder: string, options: ImageFolderOptions): Promise<ImageFileSets> {
  const { validation: share = 0, onBadRecord } = options;
  if (!(share >= 0 && share < 1)) {
    throw failure('ERR_ARGUMENT', OP, `validation: expected a share from 0 to 1, got ${String(share)}`);
  }
  const root = resolve(folder);
  const there = await foldersIn(OP, root);
  const folderOf = (part: keyof typeof PART_FOLDERS): string | undefined => {
    const name = PART_FOLDERS[part].find((each) => there.includes(each));
    return name === undefined ? undefined : join(root, name);
  };
  const trainFolder = folderOf('train');
  let train = await findInClassFolders(OP, trainFolder ?? root, options.classNames, onBadRecord);
  const { classNames } = train;
  const read = async (part: 'validation' | 'test'): Promise<LabelledFiles | undefined> => {
    const place = trainFolder === undefined ? undefined : folderOf(part);
    return place === undefined ? undefined : findInClassFolders(OP, place, classNames, onBadRecord);
  };
  let validation = await read('validation');
  if (validation === undefined && share > 0) [train, validation] = split(train, share);
  const made = (part: LabelledFiles | undefined): ImageFiles =>
    new ImageFiles(OP, part ?? { ...NONE, classNames }, options);
  return { train: made(train), validation: made(validation), test: made(await read('test')) };
}

/**
 * Images named in a text file, a path, a blank and a label from 0 a line, as Places365 and MiniPlaces have them. All else as
 * `imageFolder`.
 */
export async function imageList(list: string, options: ImageListOptions): Promise<ImageFiles> {
  const { folder, classNames, onBadRecord } = options;
  return new ImageFiles(
    'data.imageList',
    await findInList('data.imageList', list, folder, classNames, onBadRecord),
    options,
  );
}
