// A data file's bytes, unpacked where it is gzip, and the one form of every complaint about them: file, byte, expected, got.
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { failure, type SelfnormError } from '../../errors.js';

/** Larger than any file read here; a small gzip file that unpacks to more is not one of them. */
const MOST_BYTES = 2 ** 31 - 1;

/** What a message says of an error of the file system or the network. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  // fetch() hides what happened, as ENOTFOUND, in the cause.
  return cause instanceof Error && cause.message !== '' ? `${error.message} (${cause.message})` : error.message;
}

/** `op: file: byte n: expected X, got Y; fix` */
export function fileFault(
  op: string,
  file: string,
  byte: number,
  expected: string,
  got: string,
  fix?: string,
): SelfnormError {
  const advice = fix === undefined ? '' : `; ${fix}`;
  return failure('ERR_FILE_FORMAT', op, `${file}: byte ${byte}: expected ${expected}, got ${got}${advice}`);
}

/** The first bytes as a message shows them. */
export function showBytes(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  const readable = /^[\x20-\x7e]+$/.test(Buffer.from(bytes).toString('latin1'));
  return readable ? `0x${hex} (${JSON.stringify(Buffer.from(bytes).toString('latin1'))})` : `0x${hex}`;
}

interface Unpacked {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

/**
 * The contents of a file, unpacked when it begins as gzip does. Byte numbers in later errors count unpacked bytes.
 * @throws FileFormatError when the gzip data is damaged, cut off or followed by something else.
 */
export async function readContents(op: string, file: string): Promise<Uint8Array> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw failure('ERR_ARGUMENT', op, `${file}: cannot be read: ${reasonOf(error)}`);
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    const unpacked = await promisify(gunzip)(bytes, { info: true, maxOutputLength: MOST_BYTES });
    const { buffer, engine } = unpacked as unknown as Unpacked;
    if (engine.bytesWritten === bytes.length) return buffer;
    throw fileFault(
      op,
      file,
      engine.bytesWritten,
      'the end of the gzip data',
      `${bytes.length - engine.bytesWritten} bytes more`,
    );
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || !String(error.code).match(/^(Z_|ERR_BUFFER)/)) throw error;
    const got =
      error.message === 'unexpected end of file' ? `the file's end after ${bytes.length} bytes` : error.message;
    throw failure('ERR_FILE_FORMAT', op, `${file}: expected whole gzip data, got ${got}; fetch the file again`);
  }
}
