// NumPy's archive of named arrays: a zip with a .npy file for each.
import { failure, invalid, type SelfnormError } from '../../errors.js';
import { bytesOf, type NamedTensors } from '../../files/safetensors.js';
import { writeAtomically } from '../../files/write-atomically.js';
import { withZip, zipOf } from '../../files/zip.js';
import { castRaw } from '../../tensor/convert.js';
import type { DType } from '../../tensor/dtype.js';
import { tidy } from '../../tensor/memory.js';
import { Tensor } from '../../tensor/tensor.js';
import { decodeNpy, encodeNpyHeader } from './npy.js';

const SUFFIX = '.npy';

/** Options of `loadNpz`. */
export interface LoadNpzOptions {
  /** Which arrays to read; all by default. */
  names?: readonly string[];
}
/** Options of `saveNpz`. */
export interface SaveNpzOptions {
  /** Whether to deflate, as `numpy.savez_compressed` does (default false). */
  compress?: boolean;
}

/**
 * Reads the arrays of an .npz archive, as `numpy.savez` writes it, onto the current device. float16, float32, float64, uint8, int32
 * and bool stay what they are; other integers become int32, if every value fits.
 * @param source A path, or the archive's bytes.
 * @returns Tensors by name, in the order of the archive.
 * @throws FileFormatError that names the file, the array and what is wrong: damaged, cut off, a dtype that tensors do not have, an
 *   integer beyond int32, no such name. Nothing is left on the device then.
 * @example const { weights } = Object.fromEntries(await sn.loadNpz('arrays.npz'));
 */
export async function loadNpz(source: string | Uint8Array, options: LoadNpzOptions = {}): Promise<Map<string, Tensor>> {
  if ((typeof source !== 'string' || source === '') && !(source instanceof Uint8Array)) {
    throw invalid('ERR_ARGUMENT', 'loadNpz', 'source', 'a path, or bytes', source);
  }
  const { names }: LoadNpzOptions = options ?? {};
  if (names !== undefined && !(Array.isArray(names) && names.every((name) => typeof name === 'string'))) {
    throw invalid('ERR_ARGUMENT', 'loadNpz', 'names', 'an array of names', names);
  }
  const label = typeof source === 'string' ? source : 'npz';
  const tensors = new Map<string, Tensor>();
  try {
    await withZip('loadNpz', source, label, async (entries) => {
      const stored = [...entries.keys()].filter((name) => name.endsWith(SUFFIX));
      const wanted: readonly string[] = names ?? stored.map((file) => file.slice(0, -SUFFIX.length));
      for (const name of wanted) {
        const entry = entries.get(name + SUFFIX);
        if (entry === undefined) {
          const got = stored.slice(0, 8).join(', ') || 'none';
          throw failure('ERR_FILE_FORMAT', 'loadNpz', `${label}: expected an array ${name}, got ${got}`);
        }
        tensors.set(name, decodeNpy(await entry.read(), `${label}: ${name}`, 'loadNpz'));
      }
    });
    return tensors;
  } catch (error) {
    for (const tensor of tensors.values()) tensor.dispose();
    throw error;
  }
}

/** A tensor as a .npy file. */
function encode(op: string, tensor: Tensor): Uint8Array {
  const dtype: Exclude<DType, 'bfloat16'> = tensor.dtype === 'bfloat16' ? 'float32' : tensor.dtype;
  const values = tidy(() => bytesOf(op, castRaw(tensor, dtype)));
  return Buffer.concat([encodeNpyHeader(dtype, tensor.shape), values]);
}

/**
 * The pieces of an .npz archive.
 * @param op For errors.
 */
export async function encodeNpz(op: string, tensors: NamedTensors, compress: boolean): Promise<Uint8Array[]> {
  const pairs = Symbol.iterator in tensors ? [...tensors] : Object.entries(tensors);
  const names = new Set<string>();
  const files = pairs.map(([name, tensor]): [string, Uint8Array] => {
    const bad = (expected: string): SelfnormError => invalid('ERR_ARGUMENT', op, 'tensors', expected, name);
    if (typeof name !== 'string' || name === '' || Buffer.from(name).toString() !== name) {
      throw bad('names that are valid text');
    }
    if (names.has(name)) throw bad('each name once');
    names.add(name);
    if (!(tensor instanceof Tensor)) throw invalid('ERR_ARGUMENT', op, name, 'a tensor', tensor);
    tensor.assertLive(op, name);
    return [name + SUFFIX, encode(op, tensor)];
  });
  return zipOf(op, files, compress);
}

/**
 * Writes named tensors as an .npz archive, which `numpy.load` reads: all or nothing. bfloat16, which NumPy lacks, becomes float32.
 * @param path Where; its folder must exist.
 * @param tensors By name, or pairs of name and tensor.
 * @throws ArgumentError for a name twice, or one that is no relative path; FileFormatError when the file cannot be written.
 * @example await sn.saveNpz('arrays.npz', { x: sn.ones([2, 3]) });
 */
export async function saveNpz(path: string, tensors: NamedTensors, options: SaveNpzOptions = {}): Promise<void> {
  if (typeof path !== 'string' || path === '') throw invalid('ERR_ARGUMENT', 'saveNpz', 'path', 'a path', path);
  if (tensors === null || typeof tensors !== 'object') {
    throw invalid('ERR_ARGUMENT', 'saveNpz', 'tensors', 'tensors by name', tensors);
  }
  writeAtomically(path, await encodeNpz('saveNpz', tensors, options?.compress === true));
}
