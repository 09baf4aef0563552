// Zip archives as formats of tensors use them: entries by name, read one at a time and written all at once. The grammar is
// yauzl's and yazl's; what an entry claims to hold is believed only as far as its packed size can bear out.
import { Transform, type TransformCallback } from 'node:stream';
import * as zlib from 'node:zlib';
import type { Entry, ZipFile } from 'yauzl';
import { failure, invalid, SelfnormError } from '../errors.js';
import { reasonOf } from './write-atomically.js';

/** A file in an archive. */
export interface ZipEntry {
  readonly name: string;
  /** Bytes once unpacked. */
  readonly size: number;
  /** @throws FileFormatError when the entry is damaged. */
  read(): Promise<Uint8Array>;
}

/** Deflate packs no more than 1,032 bytes into one. */
const MOST_DEFLATED = 1032;
const DAMAGED = 'the archive is damaged or cut off';

/** Passes bytes on and fails at their end when their checksum is not the one recorded. */
export function checkedAgainst(recorded: number, failed: (what: string) => Error): Transform {
  // Node has it from 20.15 on; without it a damaged archive is found by its lengths and by inflating alone.
  const crc32 = 'crc32' in zlib ? zlib.crc32 : undefined;
  let sum = 0;
  return new Transform({
    highWaterMark: 1 << 18,
    transform(chunk: Buffer, _: BufferEncoding, done: TransformCallback) {
      if (crc32 !== undefined) sum = crc32(chunk, sum);
      done(null, chunk);
    },
    flush(done: TransformCallback) {
      if (crc32 === undefined || sum === recorded) return done();
      const hex = (value: number): string => value.toString(16).padStart(8, '0');
      done(failed(`expected CRC-32 ${hex(recorded)}, got ${hex(sum)}`));
    },
  });
}

async function readEntry(op: string, source: string, zip: ZipFile, entry: Entry): Promise<Uint8Array> {
  const { fileName, compressedSize, uncompressedSize, crc32 } = entry;
  const bad = (what: string): SelfnormError =>
    failure('ERR_FILE_FORMAT', op, `${source}: ${fileName}: ${what}; ${DAMAGED}`);
  if (uncompressedSize > (compressedSize + 1) * MOST_DEFLATED) {
    throw bad(
      `expected at most ${MOST_DEFLATED} bytes for a packed one, got ${uncompressedSize} for ${compressedSize}`,
    );
  }
  const chunks: Buffer[] = [];
  try {
    const packed = await zip.openReadStreamPromise(entry);
    const checked = checkedAgainst(crc32, bad);
    packed.on('error', (error) => checked.destroy(error));
    for await (const chunk of packed.pipe(checked)) chunks.push(chunk as Buffer);
  } catch (error) {
    throw error instanceof SelfnormError ? error : bad(reasonOf(error));
  }
  return Buffer.concat(chunks);
}

/**
 * Opens an archive, hands its files to `use`, and closes it.
 * @param op For errors.
 * @param archive A path, or the archive's bytes.
 * @param source What errors call it.
 * @throws FileFormatError when it is no whole archive, or has a name twice or one that leads out of it.
 */
export async function withZip<T>(
  op: string,
  archive: string | Uint8Array,
  source: string,
  use: (entries: ReadonlyMap<string, ZipEntry>) => Promise<T>,
): Promise<T> {
  // Loaded here: most programs never open an archive.
  const { openPromise, fromBufferPromise } = (await import('yauzl')).default;
  const options = { autoClose: false, lazyEntries: true } as const;
  let zip: ZipFile | undefined;
  try {
    const opened = (zip =
      typeof archive === 'string'
        ? await openPromise(archive, options)
        : await fromBufferPromise(Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength), options));
    const entries = new Map<string, ZipEntry>();
    for await (const entry of opened.eachEntry()) {
      const { fileName: name, uncompressedSize: size } = entry;
      if (name.endsWith('/')) continue;
      if (entries.has(name)) throw invalid('ERR_FILE_FORMAT', op, source, 'each file once in the archive', name);
      entries.set(name, { name, size, read: () => readEntry(op, source, opened, entry) });
    }
    return await use(entries);
  } catch (error) {
    if (error instanceof SelfnormError) throw error;
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const fault = missing ? 'the file does not exist' : `expected a zip archive, got: ${reasonOf(error)}; ${DAMAGED}`;
    throw failure('ERR_FILE_FORMAT', op, `${source}: ${fault}`);
  } finally {
    zip?.close();
  }
}

/**
 * An archive of files in memory, as pieces that follow one another. Equal files give equal bytes.
 * @throws ArgumentError for a name that archives do not hold: absolute, leading upwards, with backslashes.
 */
export async function zipOf(
  op: string,
  files: readonly (readonly [name: string, content: Uint8Array])[],
  compress: boolean,
): Promise<Uint8Array[]> {
  const { ZipFile } = (await import('yazl')).default;
  const zip = new ZipFile();
  const options = { compress, mtime: new Date(1980, 0, 1), forceDosTimestamp: true };
  for (const [name, content] of files) {
    const bad = name.startsWith('/') || /^[a-z]:/i.test(name) || name.includes('\\') || name.split('/').includes('..');
    if (bad) throw invalid('ERR_ARGUMENT', op, 'tensors', 'names that are relative paths', name);
    zip.addBuffer(Buffer.from(content.buffer, content.byteOffset, content.byteLength), name, options);
  }
  zip.end();
  const pieces: Uint8Array[] = [];
  for await (const piece of zip.outputStream) pieces.push(piece as unknown as Uint8Array);
  return pieces;
}
