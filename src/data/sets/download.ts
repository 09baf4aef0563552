// Downloads into the cache. A file appears under its name only when it is whole and its checksums are right, so that a run that was
// killed, or two at once, leave nothing half-done behind.
import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { failure } from '../../errors.js';
import { filesOf, type DataSetEntry, type Download, type Form } from './entry.js';
import { difference, recordChecksum, recordedChecksum } from './checksum.js';
import { reasonOf } from '../files/file-contents.js';
import { locate, type DataPlaces, type Location } from './locate.js';

/** How to download. */
export interface DownloadOptions extends DataPlaces {
  /** Addresses to take the files from, in place of the set's own; each ends in '/'. The checksums stay the same. */
  readonly mirrors?: readonly string[];
  /** Milliseconds without a byte after which a mirror is given up; default 30,000. */
  readonly stallTimeout?: number;
  /** Told how far a file is; `total` is 0 where the server does not say. */
  readonly onProgress?: (file: string, received: number, total: number) => void;
}

/** Writes what is behind an address into a file. */
async function save(url: string, file: string, name: string, options: DownloadOptions): Promise<void> {
  const { stallTimeout = 30_000, onProgress } = options;
  const stalled = new AbortController();
  const stop = (): void => stalled.abort(new Error(`nothing came for ${stallTimeout / 1000} seconds`));
  let timer = setTimeout(stop, stallTimeout);
  try {
    const response = await fetch(url, { signal: stalled.signal, headers: { 'accept-encoding': 'identity' } });
    if (!response.ok || response.body === null) throw new Error(`HTTP status ${response.status}`);
    const total = Number(response.headers.get('content-length') ?? 0);
    await requireSpace(dirname(file), total);
    let received = 0;
    const counted = async function* (body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const chunk of body) {
        clearTimeout(timer);
        timer = setTimeout(stop, stallTimeout);
        onProgress?.(name, (received += chunk.length), total);
        yield chunk;
      }
    };
    await pipeline(response.body as unknown as AsyncIterable<Uint8Array>, counted, createWriteStream(file));
  } catch (error) {
    throw stalled.signal.aborted ? (stalled.signal.reason as Error) : error;
  } finally {
    clearTimeout(timer);
  }
}

/** Puts a checked download in its place: itself, or an archive's files. */
async function install(part: string, { name, files, strip = 0 }: Download, folder: string): Promise<void> {
  if (!/\.tar(\.gz)?$/.test(name)) return rename(part, join(folder, name));
  // Loaded here: most programs never unpack an archive.
  const { extract } = await import('tar');
  const unpacked = await mkdtemp(join(folder, '.unpacked-'));
  const isWanted = (path: string): boolean => {
    const inner = path.replace(/^\.\//, '').split('/').slice(strip).join('/');
    return files.some((file) => inner === file || inner.startsWith(`${file}/`));
  };
  try {
    await extract({ file: part, cwd: unpacked, strip, strict: true, filter: isWanted });
    for (const file of files) await rename(join(unpacked, file), join(folder, file));
  } finally {
    await rm(unpacked, { recursive: true, force: true });
  }
}

/** Refuses what does not fit on the disk before it is full. */
async function requireSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bytes <= bavail * bsize) return;
  const gigabytes = (count: number): string => `${(count / 1e9).toPrecision(3)} GB`;
  throw new Error(`it has ${gigabytes(bytes)}, and ${folder} has room for ${gigabytes(bavail * bsize)}`);
}

/**
 * Checks a download: against what is published, else against what the first download of it was. That is written beside the file, so
 * that a later one, or `data verify`, finds any change.
 */
async function check(part: string, { name, checksums }: Download, folder: string): Promise<void> {
  for (const checksum of checksums) {
    const differs = await difference(part, checksum);
    if (differs !== undefined) throw new Error(differs);
  }
  if (checksums.length > 0) return;
  const known = await recordedChecksum(folder, name);
  const differs = known === undefined ? undefined : await difference(part, known);
  if (differs !== undefined) throw new Error(`${differs}, which an earlier download had`);
  if (known === undefined) await recordChecksum(folder, name, part);
}

async function download(set: DataSetEntry, wanted: Download, folder: string, options: DownloadOptions): Promise<void> {
  const reasons: string[] = [];
  for (const mirror of options.mirrors ?? wanted.mirrors ?? set.mirrors) {
    const url = mirror + wanted.name;
    const part = join(folder, `.${wanted.name}.${randomBytes(6).toString('hex')}.part`);
    try {
      await save(url, part, wanted.name, options);
      await check(part, wanted, folder);
      return await install(part, wanted, folder);
    } catch (error) {
      reasons.push(`${url}: ${reasonOf(error)}`);
    } finally {
      await rm(part, { force: true });
    }
  }
  const npm = set.npm === undefined ? '' : `, or npm install ${set.npm.name}`;
  const fix = `without a network put ${wanted.name} or what it unpacks to into ${folder}${npm}`;
  throw failure('ERR_ARGUMENT', set.op, `${wanted.name}: could not be downloaded: ${reasons.join('; ')}; ${fix}`);
}

/**
 * Finds a set's files, and downloads those that are missing into the cache.
 * @throws ArgumentError naming the files missing in `dataDir`, or the file, addresses, reasons and folder of a failed download.
 */
export async function obtain<F extends Form>(
  set: DataSetEntry<F>,
  options: DownloadOptions = {},
): Promise<Location<F>> {
  const found = locate(set, options);
  if (found.missing.length === 0) return found;
  if (found.source === 'directory') {
    const files = found.missing.join(', ');
    const count = filesOf(found.form).length;
    const expected = count === 1 ? 'the file' : `${count} files`;
    const places = ['it', ...set.folders].join(', ');
    throw failure(
      'ERR_ARGUMENT',
      set.op,
      `dataDir: expected ${expected} of ${set.name}, gzip or not, in ${options.dataDir} (looked in ${places}); missing: ${files}`,
    );
  }
  if (set.downloads.length === 0) {
    const fix = `put them into ${found.folder}, or give dataDir`;
    throw failure(
      'ERR_ARGUMENT',
      set.op,
      `${set.name} is not published in this form; missing: ${found.missing.join(', ')}; ${fix}`,
    );
  }
  try {
    await mkdir(found.folder, { recursive: true });
  } catch (error) {
    const fix = 'name another folder with SELFNORM_DATA';
    throw failure('ERR_ARGUMENT', set.op, `${found.folder}: cannot be made: ${reasonOf(error)}; ${fix}`);
  }
  // Parts of another form are of no use to the one that is published.
  const { missing } = locate({ ...set, forms: [set.forms[0]] }, options);
  for (const wanted of set.downloads) {
    if (wanted.files.some((file) => missing.includes(file))) await download(set, wanted, found.folder, options);
  }
  return locate(set, options);
}
