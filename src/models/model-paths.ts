// Where a model's files are: `net`, `net.json`, `net.safetensors` and tfjs's `file://net` all mean the pair net.json, which
// has the structure, and net.safetensors, which has the weights.
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { failure, invalid } from '../errors.js';
import { reasonOf } from '../files/write-atomically.js';

/** The two files of a model. */
export interface ModelPaths {
  /** What both begin with. */
  readonly base: string;
  readonly json: string;
  readonly safetensors: string;
}

/** A file of another program, by the end of its name, without file://; null for any other path. */
export function foreignPath(path: string): { readonly format: 'npz' | 'keras'; readonly path: string } | null {
  const plain = path.replace(/^file:\/\//, '');
  if (plain.endsWith('.npz')) return { format: 'npz', path: plain };
  return /\.(keras|h5)$/.test(plain) ? { format: 'keras', path: plain } : null;
}

/**
 * The files that a path means.
 * @throws ArgumentError for an empty path or another scheme than file://.
 */
export function modelPaths(op: string, path: unknown): ModelPaths {
  if (typeof path !== 'string' || path === '') throw invalid('ERR_ARGUMENT', op, 'path', 'a path', path);
  const plain = path.replace(/^file:\/\//, '');
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(plain)) {
    throw invalid(
      'ERR_ARGUMENT',
      op,
      'path',
      'a path or file://path',
      path,
      'or give an object with save() and load()',
    );
  }
  const base = plain.endsWith('/') ? `${plain}model` : plain.replace(/\.(json|safetensors)$/, '');
  return { base, json: `${base}.json`, safetensors: `${base}.safetensors` };
}

/**
 * Makes the folder that files will be in.
 * @throws FileFormatError that says why it cannot be made.
 */
export function makeFolderOf(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (error) {
    throw failure('ERR_FILE_FORMAT', 'write', `${dirname(path)}: ${reasonOf(error)}`);
  }
}
