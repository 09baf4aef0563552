// Where the package and its built addons lie. Nothing is remembered: both answers are asked for once or twice a process.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The folder of this package: the nearest one above this module whose package.json is selfnorm's, from the source tree as from
 * the bundle.
 */
export function packageRoot(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (existsSync(file) && (JSON.parse(readFileSync(file, 'utf8')) as { name?: string }).name === 'selfnorm')
      return folder;
    if (folder === dirname(folder)) throw new Error('selfnorm: its own package.json was not found');
  }
}

/** Path of a built addon, which need not exist. */
export function addonPath(kind: 'cpu' | 'cuda'): string {
  return join(packageRoot(), 'build', 'Release', `selfnorm_${kind}.node`);
}

/** Path of the module over MPI, which is there where MPI was when the addons were built. */
export function mpiModulePath(): string {
  return join(packageRoot(), 'build', 'Release', 'selfnorm_mpi.so');
}
