// Checksums of files on disk, read as a stream: an archive need not fit into memory.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
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
