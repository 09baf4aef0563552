// Whether a set's files on this machine are whole and the published ones. Nothing is downloaded.
import { basename, dirname } from 'node:path';
import { filesOf, type DataSetEntry } from './entry.js';
import { applies, difference, recordedChecksum } from './checksum.js';
import { reasonOf } from '../files/file-contents.js';
import { readWhole } from './read-whole.js';
import { locate, type DataPlaces, type Location } from './locate.js';

/** What is known of a file. */
export interface VerifiedFile {
  readonly name: string;
  /** Undefined where the file is missing. */
  readonly path: string | undefined;
  readonly checksum: 'right' | 'wrong' | 'as first downloaded' | 'none known';
  /** What is wrong with the file by itself. */
  readonly problem: string | undefined;
}

/** What `verify` found. */
export interface Verification {
  readonly set: string;
  readonly source: Location['source'];
  readonly folder: string;
  readonly files: readonly VerifiedFile[];
  /** What was read, in words; undefined where the files cannot be read. */
  readonly contents: string | undefined;
  /** Why the files cannot be read as the data set; undefined where they can. */
  readonly problem: string | undefined;
  readonly whole: boolean;
}

async function verifyFile(set: DataSetEntry, name: string, path: string | undefined): Promise<VerifiedFile> {
  if (path === undefined) return { name, path, checksum: 'none known', problem: 'missing' };
  const download = set.downloads.find(({ files }) => files.includes(name));
  // The checksum of an archive says nothing of its parts.
  const isItself = download !== undefined && [name, `${name}.gz`].includes(download.name);
  const recorded =
    isItself && basename(path) === download.name ? await recordedChecksum(dirname(path), download.name) : undefined;
  const checksums = [...(isItself ? download.checksums : []), ...(recorded === undefined ? [] : [recorded])];
  let known = false;
  try {
    for (const checksum of checksums) {
      if (checksum !== recorded && !(await applies(checksum, path))) continue;
      known = true;
      const problem = await difference(path, checksum);
      if (problem !== undefined) return { name, path, checksum: 'wrong', problem };
    }
  } catch (error) {
    return { name, path, checksum: 'wrong', problem: reasonOf(error) };
  }
  const right = recorded === undefined ? 'right' : 'as first downloaded';
  return { name, path, checksum: known ? right : 'none known', problem: undefined };
}

/** Checks each file's checksum where one is known, and reads them all. */
export async function verify(set: DataSetEntry, places: DataPlaces = {}): Promise<Verification> {
  const found = locate(set, places);
  const { source, folder, paths, missing } = found;
  const files: VerifiedFile[] = [];
  for (const name of filesOf(found.form)) files.push(await verifyFile(set, name, paths.get(name)));
  let contents: string | undefined;
  let problem = missing.length === 0 ? undefined : `missing: ${missing.join(', ')}`;
  if (problem === undefined) {
    try {
      contents = await readWhole(set, found);
    } catch (error) {
      problem = reasonOf(error);
    }
  }
  const whole = problem === undefined && files.every((file) => file.problem === undefined);
  return { set: set.name, source, folder, files, contents, problem, whole };
}
