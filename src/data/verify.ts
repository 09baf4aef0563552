// Whether a set's files on this machine are whole and the published ones. Nothing is downloaded.
import type { DataSetEntry } from './catalogue.js';
import { applies, difference } from './checksum.js';
import { reasonOf } from './file-contents.js';
import { readSet } from './image-sets.js';
import { filesOf, locate, type DataPlaces, type Location } from './locate.js';

/** What is known of a file. */
export interface VerifiedFile {
  readonly name: string;
  /** Undefined where the file is missing. */
  readonly path: string | undefined;
  readonly checksum: 'right' | 'wrong' | 'none known';
  /** What is wrong with the file by itself. */
  readonly problem: string | undefined;
}

/** What `verify` found. */
export interface Verification {
  readonly set: string;
  readonly source: Location['source'];
  readonly folder: string;
  readonly files: readonly VerifiedFile[];
  /** Why the files cannot be read as the data set; undefined where they can. */
  readonly problem: string | undefined;
  readonly whole: boolean;
}

async function verifyFile(set: DataSetEntry, name: string, path: string | undefined): Promise<VerifiedFile> {
  if (path === undefined) return { name, path, checksum: 'none known', problem: 'missing' };
  const download = set.downloads.find(({ files }) => files.includes(name));
  // The checksum of an archive says nothing of its parts.
  const checksums = download?.files.length === 1 ? download.checksums : [];
  let known = false;
  try {
    for (const checksum of checksums) {
      if (!(await applies(checksum, path))) continue;
      known = true;
      const problem = await difference(path, checksum);
      if (problem !== undefined) return { name, path, checksum: 'wrong', problem };
    }
  } catch (error) {
    return { name, path, checksum: 'wrong', problem: reasonOf(error) };
  }
  return { name, path, checksum: known ? 'right' : 'none known', problem: undefined };
}

/** Checks each file's checksum where one is known, and reads them all. */
export async function verify(set: DataSetEntry, places: DataPlaces = {}): Promise<Verification> {
  const { source, folder, paths, missing } = locate(set, places);
  const files: VerifiedFile[] = [];
  for (const name of filesOf(set)) files.push(await verifyFile(set, name, paths.get(name)));
  let problem = missing.length === 0 ? undefined : `missing: ${missing.join(', ')}`;
  if (problem === undefined) {
    try {
      await readSet(set, (file) => paths.get(file)!);
    } catch (error) {
      problem = reasonOf(error);
    }
  }
  const whole = problem === undefined && files.every((file) => file.problem === undefined);
  return { set: set.name, source, folder, files, problem, whole };
}
