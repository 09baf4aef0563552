// Files that appear whole or not at all: written beside their name, flushed to the disk, then renamed over it. Whatever stops
// the process or fills the disk, the old file is intact.
import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { failure, SelfnormError } from '../errors.js';

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EFBIG: 'the file is larger than the system allows',
  EDQUOT: 'the disk quota is used up',
  EACCES: 'no permission to write there',
  EPERM: 'no permission to write there',
  EROFS: 'the file system is read-only',
  ENOENT: 'the folder does not exist',
  ENOTDIR: 'part of the path is a file, not a folder',
  EISDIR: 'it is a folder',
};

/** Why the system refused, in words. */
export function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return REASONS[code ?? ''] ?? message;
}

/** Node refuses single reads and writes of 2 GiB and more. */
export const MOST_AT_ONCE = 2 ** 30;

function writeAll(file: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    const taken = writeSync(file, bytes, written, Math.min(bytes.length - written, MOST_AT_ONCE));
    if (taken === 0) throw new Error('the system took none of the bytes');
    written += taken;
  }
}

/** A rename is on the disk when its folder is; systems that cannot flush a folder need not. */
function flushFolder(folder: string): void {
  try {
    const handle = openSync(folder, 'r');
    try {
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
  } catch {
    // Windows opens no folders.
  }
}

/** A file to write: bytes, pieces of bytes that follow one another (made one at a time, if a generator gives them), or text. */
export interface FileToWrite {
  readonly path: string;
  readonly content: Uint8Array | Iterable<Uint8Array> | string;
}

function writeTemporary({ path, content }: FileToWrite, temporary: string): void {
  const pieces: Iterable<Uint8Array> =
    typeof content === 'string' ? [Buffer.from(content)] : content instanceof Uint8Array ? [content] : content;
  const file = openSync(temporary, 'wx');
  try {
    for (const piece of pieces) writeAll(file, piece);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw Object.assign(new Error(), { code: 'EISDIR' });
}

/**
 * Writes files that belong together: what can fail (no space, no right) fails before the first of them changes. They change one
 * after the other, in the given order, each as `writeAtomically` does it.
 * @throws SelfnormError ERR_FILE_FORMAT that names the file and the reason; the old files are untouched then.
 */
export function writeTogether(files: readonly FileToWrite[]): void {
  const unique = `${process.pid}-${randomBytes(4).toString('hex')}`;
  const temporaries = files.map(({ path }) => join(dirname(path), `.${basename(path)}.${unique}.part`));
  let at = 0;
  try {
    for (at = 0; at < files.length; at++) writeTemporary(files[at]!, temporaries[at]!);
    for (at = 0; at < files.length; at++) renameSync(temporaries[at]!, files[at]!.path);
  } catch (error) {
    for (const temporary of temporaries) rmSync(temporary, { force: true });
    // What the pieces' maker throws speaks for itself.
    if (error instanceof SelfnormError) throw error;
    throw failure('ERR_FILE_FORMAT', 'write', `${files[at]!.path}: ${reasonOf(error)}`);
  }
  for (const folder of new Set(files.map(({ path }) => dirname(path)))) flushFolder(folder);
}

/**
 * Writes a file so that a reader, or a process started after a crash, finds the old content or the new, never a part.
 * @param path Where; its folder must exist.
 * @param content Bytes, pieces of bytes that follow one another, or text.
 * @throws SelfnormError ERR_FILE_FORMAT that names the file and the reason; the old file is untouched then.
 */
export function writeAtomically(path: string, content: FileToWrite['content']): void {
  writeTogether([{ path, content }]);
}
