// Finds labelled images in folders: a folder a class, or a list of files with their labels. Names that are no image's are passed
// over; what ought to be one and cannot be is a bad record.
import { isUtf8 } from 'node:buffer';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { failure } from '../../errors.js';
import { BadRecords, type OnBadRecord } from '../files/bad-records.js';
import { lineBlocks } from '../files/text-lines.js';
import type { LabelledFiles } from './image-files.js';

const IMAGE = /\.(jpe?g|png)$/i;

/** Folders of a data set's parts, as they are usually named. */
export const PART_FOLDERS = {
  train: ['train', 'training'],
  validation: ['val', 'validation', 'valid'],
  test: ['test'],
} as const;

interface Entry {
  readonly name: string;
  readonly isFolder: boolean;
}

/** What is in a folder, in the order of names; names that are no text are bad records. */
async function entriesOf(op: string, folder: string, bad: BadRecords): Promise<Entry[]> {
  let found;
  try {
    found = await readdir(folder, { withFileTypes: true, encoding: 'buffer' });
  } catch (error) {
    throw failure('ERR_ARGUMENT', op, `${folder}: cannot be read: ${(error as Error).message}`);
  }
  const entries: Entry[] = [];
  for (const entry of found) {
    const bytes = entry.name as unknown as Buffer;
    const name = bytes.toString('utf8');
    if (!isUtf8(bytes)) bad.add(join(folder, name), undefined, 'expected a name in UTF-8, got other bytes');
    // A link counts as what it leads to when it is opened; most often that is an image.
    else entries.push({ name, isFolder: entry.isDirectory() || (entry.isSymbolicLink() && !IMAGE.test(name)) });
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function imagesBelow(op: string, folder: string, bad: BadRecords): Promise<string[]> {
  const images: string[] = [];
  for (const { name, isFolder } of await entriesOf(op, folder, bad)) {
    if (isFolder) for (const image of await imagesBelow(op, join(folder, name), bad)) images.push(image);
    else if (IMAGE.test(name)) images.push(join(folder, name));
  }
  return images;
}

/** Names of the folders in a folder, hidden ones left out. */
export async function foldersIn(op: string, folder: string): Promise<string[]> {
  const entries = await entriesOf(op, folder, new BadRecords(op, 'skip'));
  return entries.filter(({ name, isFolder }) => isFolder && !name.startsWith('.')).map(({ name }) => name);
}

/**
 * The images of a folder of class folders.
 * @param classNames Names of the class folders, in label order. Default: all there are, in the order of their names.
 * @throws FileFormatError for a class without images, unless bad records are skipped; ArgumentError when there are no classes.
 */
export async function findInClassFolders(
  op: string,
  folder: string,
  classNames: readonly string[] | undefined,
  onBadRecord?: OnBadRecord,
): Promise<LabelledFiles> {
  const root = resolve(folder);
  const there = await foldersIn(op, root);
  const classes = classNames ?? there;
  if (classes.length === 0) {
    throw failure('ERR_ARGUMENT', op, `${root}: expected a folder for each class, got none`);
  }
  const unknown = there.find((name) => !classes.includes(name));
  if (unknown !== undefined) {
    throw failure('ERR_ARGUMENT', op, `${root}: expected folders of the classes ${brief(classes)}, got ${unknown}`);
  }
  const bad = new BadRecords(op, onBadRecord);
  const files: string[] = [];
  const labels: number[] = [];
  for (const [label, name] of classes.entries()) {
    const images = there.includes(name) ? await imagesBelow(op, join(root, name), bad) : [];
    if (images.length === 0)
      bad.add(join(root, name), undefined, 'expected images (.jpg, .jpeg, .png) of a class, got none');
    for (const image of images) {
      files.push(image);
      labels.push(label);
    }
  }
  bad.warn();
  return { files, labels: Int32Array.from(labels), classNames: classes, skipped: bad };
}

const brief = (names: readonly string[]): string =>
  names.length > 6 ? `${names.slice(0, 6).join(', ')}, ...` : names.join(', ');

/**
 * The images of a list: a path, a blank and a label a line.
 * @param folder What the paths start from; a `/` before them means nothing.
 * @throws FileFormatError naming the line that is not so, unless bad records are skipped.
 */
export async function findInList(
  op: string,
  list: string,
  folder: string,
  classNames: readonly string[],
  onBadRecord?: OnBadRecord,
): Promise<LabelledFiles> {
  const root = resolve(folder);
  const bad = new BadRecords(op, onBadRecord);
  const files: string[] = [];
  const labels: number[] = [];
  for await (const { first, lines } of lineBlocks(op, { path: list })) {
    lines.forEach((line, i) => {
      if (line === undefined) return bad.add(list, first + i, 'expected UTF-8, got other bytes');
      const [, path, digits] = /^\/?(.+?) +(\d+)$/.exec(line) ?? [];
      const label = Number(digits);
      if (path === undefined) {
        return bad.add(list, first + i, `expected a path and a label, got ${JSON.stringify(line.slice(0, 80))}`);
      }
      if (label >= classNames.length) {
        return bad.add(list, first + i, `expected a label from 0 to ${classNames.length - 1}, got ${digits}`);
      }
      files.push(join(root, path));
      labels.push(label);
    });
  }
  if (files.length === 0 && bad.count === 0) {
    throw failure('ERR_FILE_FORMAT', op, `${list}: expected paths and labels, got an empty file`);
  }
  bad.warn();
  return { files, labels: Int32Array.from(labels), classNames, skipped: bad };
}
