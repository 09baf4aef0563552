// Where a set's files lie on this machine: in a folder that was named, in an npm package that brings them, or in the cache.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { packageRoot } from '../../native/paths.js';
import { filesOf, type DataSetEntry, type Form } from './entry.js';

/** Where to look for data. */
export interface DataPlaces {
  /** Folder that holds the files, or a folder named as the set that does. Given, nothing else is looked at. */
  readonly dataDir?: string;
  /** Folder for downloads, with a folder for each set. Default: `SELFNORM_DATA`, else `selfnorm` in the user's cache folder. */
  readonly cacheDir?: string;
}

/** Where a set was found. */
export interface Location<F extends Form = Form> {
  readonly source: 'directory' | 'package' | 'cache';
  /** The form that the files have, or would have once they are there. */
  readonly form: F;
  /** Where the files are, or where they are to be put. */
  readonly folder: string;
  /** The file's path by its name in the catalogue. */
  readonly paths: ReadonlyMap<string, string>;
  readonly missing: readonly string[];
}

/** The folder for downloads. */
export function cacheFolder(cacheDir?: string): string {
  const { SELFNORM_DATA: own, XDG_CACHE_HOME: user } = process.env;
  if (cacheDir !== undefined) return resolve(cacheDir);
  if (own !== undefined && own !== '') return resolve(own);
  // The XDG specification: a path that is not absolute is to be ignored.
  return join(user !== undefined && isAbsolute(user) ? user : join(homedir(), '.cache'), 'selfnorm');
}

/** Names under which a file may lie: as it is, packed, or as some programs unpack it (train-images.idx3-ubyte). */
function spellings(file: string): string[] {
  const dotted = file.replace('-idx', '.idx');
  return [file, `${file}.gz`, ...(dotted === file ? [] : [dotted, `${dotted}.gz`])];
}

type Source = Location['source'];

function lookFor<F extends Form>(source: Source, folder: string, form: F): Location<F> {
  const files = filesOf(form);
  const paths = new Map<string, string>();
  for (const file of files) {
    const path = spellings(file)
      .map((name) => join(folder, name))
      .find((candidate) => existsSync(candidate));
    if (path !== undefined) paths.set(file, path);
  }
  return { source, form, folder, paths, missing: files.filter((file) => !paths.has(file)) };
}

/** The first place that has everything, else the one that has most: what is missing there is what somebody would look for. */
function best<F extends Form>(places: readonly Location<F>[]): Location<F> {
  const whole = places.find(({ missing }) => missing.length === 0);
  return whole ?? places.reduce((most, place) => (place.paths.size > most.paths.size ? place : most));
}

/** The folder of an npm package that this package or the program's own folder can resolve. */
function npmFolder(name: string): string | undefined {
  for (const from of [packageRoot(), process.cwd()]) {
    try {
      return dirname(createRequire(join(from, 'package.json')).resolve(`${name}/package.json`));
    } catch {
      // Not installed there.
    }
  }
  return undefined;
}

/** Where the set is, or the place where its missing files would have to be. */
export function locate<F extends Form>(set: DataSetEntry<F>, { dataDir, cacheDir }: DataPlaces = {}): Location<F> {
  const lookIn = (source: Source, folder: string): Location<F> =>
    best(set.forms.map((form) => lookFor(source, folder, form)));
  if (dataDir !== undefined) {
    const folder = resolve(dataDir);
    return best(
      [folder, ...set.folders.map((inner) => join(folder, inner))].map((place) => lookIn('directory', place)),
    );
  }
  const installed = set.npm === undefined ? undefined : npmFolder(set.npm.name);
  if (installed !== undefined) {
    const place = lookIn('package', join(installed, set.npm!.folder));
    if (place.missing.length === 0) return place;
  }
  return lookIn('cache', join(cacheFolder(cacheDir), set.name));
}
