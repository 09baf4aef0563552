// The named sets of image files, which are decoded as they are needed.
import { CATALOGUE } from '../sets/catalogue.js';
import { obtain, type DownloadOptions } from '../sets/download.js';
import type { PhotoForm, PhotoSetEntry } from '../sets/entry.js';
import type { Location } from '../sets/locate.js';
import type { OnBadRecord } from '../files/bad-records.js';
import { findInClassFolders, findInList } from './class-folders.js';
import { readClassNames } from './class-names.js';
import { ImageFiles, type ImageFilesOptions, type LabelledFiles } from './image-files.js';
import type { ImageFileSets } from './image-folder.js';

/** Options of `data.places365()` and `data.miniPlacesPhotos()`. */
export interface PhotoSetOptions extends ImageFilesOptions, DownloadOptions {}

/** The files of a set that was found, and their labels. */
export async function findPhotos(
  { op, classes }: PhotoSetEntry,
  { form, paths }: Location<PhotoForm>,
  onBadRecord?: OnBadRecord,
): Promise<{ train: LabelledFiles; validation: LabelledFiles }> {
  const pathOf = (file: string): string => paths.get(file)!;
  if (form.format === 'class-folders') {
    const train = await findInClassFolders(op, pathOf(form.train), undefined, onBadRecord);
    return {
      train,
      validation: await findInClassFolders(op, pathOf(form.validation), train.classNames, onBadRecord),
    };
  }
  const names = await readClassNames(op, pathOf(form.names), classes);
  const find = ({ list, folder }: { list: string; folder: string }): Promise<LabelledFiles> =>
    findInList(op, pathOf(list), pathOf(folder), names, onBadRecord);
  return { train: await find(form.train), validation: await find(form.validation) };
}

async function load(set: PhotoSetEntry, options: PhotoSetOptions): Promise<ImageFileSets> {
  const { train, validation } = await findPhotos(set, await obtain(set, options), options.onBadRecord);
  const none = { files: [], labels: new Int32Array(), skipped: { count: 0, first: [] } };
  const made = (files: LabelledFiles): ImageFiles => new ImageFiles(set.op, files, options);
  return { train: made(train), validation: made(validation), test: made({ ...none, classNames: train.classNames }) };
}

/**
 * Places365: 1,803,460 training and 36,500 validation photographs of 365 kinds of scenes. Read from `dataDir` (the official lists with
 * `data_256` and `val_256`, or `data_large` and `val_large`; or class folders in `train` and `val`), else from the cache, into which
 * the 256 x 256 images are downloaded (25 GB) and checked against MD5. `test` is empty: its labels were never published. All else as
 * `imageFolder`; the licence is for non-commercial research and education.
 */
export function places365(options: PhotoSetOptions): Promise<ImageFileSets> {
  return load(CATALOGUE.places365, options);
}

/**
 * MiniPlaces as published: 100,000 training and 10,000 validation photographs of 100 kinds of scenes, 128 x 128. Read from `dataDir`
 * (`images` with `train.txt`, `val.txt` and `categories.txt`), else from the cache, into which they are downloaded. No checksum of
 * the images is published: that of the first download is written beside it. All else as `places365`.
 */
export function miniPlacesPhotos(options: PhotoSetOptions): Promise<ImageFileSets> {
  return load(CATALOGUE['miniplaces-photos'], options);
}
