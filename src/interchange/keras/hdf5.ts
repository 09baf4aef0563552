// HDF5, the format of Keras's weights, read by the HDF5 library itself compiled to WebAssembly (h5wasm, an optional package). It
// gets the bytes in a file system of its own in memory: links in a file lead nowhere else.
import type * as H5wasm from 'h5wasm';
import { failure, SelfnormError } from '../../errors.js';

/** A stored array of numbers. */
export interface StoredArray {
  readonly shape: readonly number[];
  /** Kind and bytes of an element: 'f4', 'i8'. */
  readonly type: string;
  /** The values, in row-major order. */
  read(): ArrayLike<number>;
}

/** An open file. */
export interface Hdf5File {
  /** Names in a group, null where there is no such group. */
  names(path: string): readonly string[] | null;
  /** @throws FileFormatError when there is no array of numbers. */
  array(path: string): StoredArray;
}

/** HDF5's kinds of values, of its own numbering. */
const KINDS: Readonly<Record<number, string>> = { 0: 'i', 1: 'f' };
let opened = 0;

async function library(op: string, source: string): Promise<typeof H5wasm.h5wasm> {
  let found: typeof H5wasm;
  try {
    found = await import('h5wasm');
  } catch (error) {
    const fix = 'install the package that reads it: npm install h5wasm';
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === 'ERR_MODULE_NOT_FOUND' ? '' : ` (${(error as Error).message})`;
    throw failure('ERR_FILE_FORMAT', op, `${source}: its weights are HDF5, which needs h5wasm${reason}; ${fix}`);
  }
  const module = (await found.ready) as { activate_throwing_error_handler?(): unknown };
  // It would print HDF5's own log otherwise.
  module.activate_throwing_error_handler?.();
  return found.default;
}

/** The innermost reason of HDF5's log. */
function reasonOf(error: unknown): string {
  const reasons = [...String((error as Error)?.message ?? error).matchAll(/#\d+:.*\(\): (.*)/g)];
  return reasons.at(-1)?.[1] ?? 'not readable';
}

/**
 * Opens a file in memory, hands it to `use`, and closes it.
 * @param op For errors.
 * @param source What errors call it.
 * @throws FileFormatError when the bytes are no HDF5, or h5wasm is not installed.
 */
export async function withHdf5<T>(
  op: string,
  bytes: Uint8Array,
  source: string,
  use: (file: Hdf5File) => T,
): Promise<T> {
  const h5 = await library(op, source);
  const { FS } = (await h5.ready) as unknown as {
    FS: { writeFile(path: string, data: Uint8Array): void; unlink(path: string): void };
  };
  const path = `/selfnorm-${++opened}.h5`;
  const bad = (what: string): SelfnormError => failure('ERR_FILE_FORMAT', op, `${source}: ${what}`);
  const guarded = <R>(what: string, body: () => R): R => {
    try {
      return body();
    } catch (error) {
      if (error instanceof SelfnormError) throw error;
      throw bad(`${what}: the HDF5 file is damaged or cut off: ${reasonOf(error)}`);
    }
  };
  FS.writeFile(path, bytes);
  try {
    const file = guarded('weights', () => new h5.File(path, 'r'));
    try {
      return use({
        names: (group) =>
          guarded(group, () => {
            const found = file.get(group);
            return found instanceof h5.Group ? found.keys() : null;
          }),
        array: (name) =>
          guarded(name, () => {
            const found = file.get(name);
            if (!(found instanceof h5.Dataset) || found.shape === null) throw bad(`${name}: expected an array`);
            const { type, size, signed } = found.metadata;
            const kind = KINDS[type];
            if (kind === undefined) throw bad(`${name}: expected numbers, got HDF5 type ${type}`);
            return {
              shape: found.shape,
              type: `${kind === 'i' && !signed ? 'u' : kind}${size}`,
              read: () => guarded(name, () => found.value as ArrayLike<number>),
            };
          }),
      });
    } finally {
      file.close();
    }
  } finally {
    FS.unlink(path);
  }
}
