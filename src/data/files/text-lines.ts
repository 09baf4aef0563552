// Lines of a text file as a stream of blocks: plain, gzip or in a zip archive, so that a file may be larger than memory.
// Blocks, not lines: awaiting every line would take longer than reading it.
import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { failure, SelfnormError } from '../../errors.js';
import { packingOf } from './packing.js';
import { reasonOf } from './file-contents.js';
import { openZipEntry } from './zip-entry.js';

const CHUNK = 1 << 18;
/** A line longer than this is not text. */
const LONGEST_LINE = 1 << 26;
const NEW_LINE = 10;

/** A text file: a path, and the file's name where the path is that of a zip archive of several. */
export interface TextFile {
  readonly path: string;
  readonly entry?: string | undefined;
}

/** Consecutive lines. */
export interface LineBlock {
  /** Number of its first line, from 1. */
  readonly first: number;
  /** Without line ends; undefined for a line that is not UTF-8. */
  readonly lines: readonly (string | undefined)[];
}

/** How a message names the file. */
export function nameOf({ path, entry }: TextFile): string {
  return entry === undefined ? path : `${path}: ${entry}`;
}

async function open(op: string, { path, entry }: TextFile): Promise<Readable> {
  if (entry !== undefined) return openZipEntry(op, path, entry);
  const packing = await packingOf(path);
  if (packing === 'zip') return openZipEntry(op, path, undefined);
  const source = createReadStream(path, { highWaterMark: CHUNK });
  if (packing === 'none') return source;
  return pipeline(source, createGunzip({ chunkSize: CHUNK }), () => undefined);
}

function unreadable(op: string, file: TextFile, error: unknown): SelfnormError {
  if (error instanceof SelfnormError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/^(Z_|ERR_BUFFER)/.test(code)) {
    const what = `expected whole ${file.entry === undefined ? 'gzip' : 'zip'} data, got: ${reasonOf(error)}`;
    return failure('ERR_FILE_FORMAT', op, `${nameOf(file)}: ${what}; fetch the file again`);
  }
  return failure('ERR_ARGUMENT', op, `${nameOf(file)}: cannot be read: ${reasonOf(error)}`);
}

/**
 * The lines of a text file.
 * @throws ArgumentError when it cannot be read; FileFormatError when gzip or zip data is damaged or cut off.
 */
export async function* lineBlocks(op: string, file: TextFile): AsyncGenerator<LineBlock> {
  let first = 1;
  let pieces: Buffer[] = [];
  let held = 0;
  const take = (end: Buffer): LineBlock => {
    const bytes = pieces.length === 0 ? end : Buffer.concat([...pieces, end]);
    const block = { first, lines: linesOf(bytes, first === 1) };
    first += block.lines.length;
    [pieces, held] = [[], 0];
    return block;
  };
  try {
    for await (const chunk of (await open(op, file)) as AsyncIterable<Buffer>) {
      const last = chunk.lastIndexOf(NEW_LINE);
      if (last >= 0) yield take(chunk.subarray(0, last));
      const rest = chunk.subarray(last + 1);
      if (rest.length === 0) continue;
      pieces.push(rest);
      if ((held += rest.length) > LONGEST_LINE) {
        const what = `line ${first}: expected text, got more than ${LONGEST_LINE} bytes without a line end`;
        throw failure('ERR_FILE_FORMAT', op, `${nameOf(file)}: ${what}`);
      }
    }
    // A last line need not have an end.
    if (held > 0) yield take(Buffer.alloc(0));
  } catch (error) {
    throw unreadable(op, file, error);
  }
}

function linesOf(bytes: Buffer, atStart: boolean): (string | undefined)[] {
  const start = atStart && bytes.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf])) ? 3 : 0;
  if (isUtf8(bytes)) {
    const text = bytes.toString('utf8', start);
    return text.includes('\r') ? text.split('\n').map(withoutReturn) : text.split('\n');
  }
  const lines: (string | undefined)[] = [];
  for (let from = start; from <= bytes.length;) {
    const end = bytes.indexOf(NEW_LINE, from);
    const line = bytes.subarray(from, end < 0 ? bytes.length : end);
    lines.push(isUtf8(line) ? withoutReturn(line.toString('utf8')) : undefined);
    if (end < 0) break;
    from = end + 1;
  }
  return lines;
}

/** The last line of a block lost its \n, not its \r. */
const withoutReturn = (line: string): string => (line.endsWith('\r') ? line.slice(0, -1) : line);
