// Checksums of files on disk, read as a stream: an archive need not fit into memory.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { writeAtomically } from '../../files/write-atomically.js';
import { packingOf } from '../files/packing.js';
import type { Checksum } from './entry.js';

/** The checksum of a file: of its bytes, or of what they unpack to. */
export async function digestOf(file: string, { of, algorithm }: Pick<Checksum, 'of' | 'algorithm'>): Promise<string> {
  const hash = createHash(algorithm);
  const source = createReadStream(file);
  if (of === 'contents' && (await packingOf(file)) === 'gzip') await pipeline(source, createGunzip(), hash);
  else await pipeline(source, hash);
  return hash.digest('hex');
}

/** Whether the checksum says something of this file: a publisher's of its packed file does not of the unpacked one. */
export async function applies({ of }: Checksum, file: string): Promise<boolean> {
  return of === 'contents' || (await packingOf(file)) !== 'none';
}

/** What differs between a file and one of its checksums, or undefined. */
export async function difference(file: string, checksum: Checksum): Promise<string | undefined> {
  const found = await digestOf(file, checksum);
  if (found === checksum.digest) return undefined;
  const name = { sha256: 'SHA-256', md5: 'MD5' }[checksum.algorithm];
  return `expected ${name} ${checksum.digest}, got ${found}`;
}

const sidecar = (folder: string, name: string): string => join(folder, `${name}.sha256`);

/** The checksum that the first download of a file had, where it was written beside it; undefined where it was not. */
export async function recordedChecksum(folder: string, name: string): Promise<Checksum | undefined> {
  let text: string;
  try {
    text = await readFile(sidecar(folder, name), 'utf8');
  } catch {
    return undefined;
  }
  const [digest] = /^[0-9a-f]{64}/.exec(text) ?? [];
  return digest === undefined ? undefined : { of: 'download', algorithm: 'sha256', digest };
}

/** Writes a download's checksum beside it, as `sha256sum` does. */
export async function recordChecksum(folder: string, name: string, file: string): Promise<void> {
  const digest = await digestOf(file, { of: 'download', algorithm: 'sha256' });
  writeAtomically(sidecar(folder, name), `${digest}  ${name}\n`);
}
