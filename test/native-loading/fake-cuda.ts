// Folders laid out as CUDA installations are, with files that are no libraries, or with real small ones.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { SearchSettings } from '../../src/native/cuda-places.js';

/** A folder that goes when the test ends. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'selfnorm-loading-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a file and the folders above it. */
export function put(path: string, text = ''): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

export const CUDNN = ['graph', 'ops', 'heuristic', 'engines_runtime_compiled', 'engines_precompiled'].map(
  (part) => `libcudnn_${part}.so.9`,
);

/** Names of all needed libraries of one CUDA major version. */
export function libraryNames(major: number): string[] {
  return [`libnvrtc-builtins.so.${major}.0`, `libnvrtc.so.${major}`, `libcublasLt.so.${major}`, ...CUDNN];
}

/** Settings that see nothing of the machine: an own root, no Python, an empty package. */
export function emptyMachine(folder: string, env: Record<string, string> = {}): SearchSettings {
  const at = (name: string): string => join(folder, name);
  mkdirSync(at('package'), { recursive: true });
  mkdirSync(at('cwd'), { recursive: true });
  return {
    env: { HOME: at('home'), PATH: at('bin'), ...env },
    packageRoot: at('package'),
    cwd: at('cwd'),
    systemRoot: at('system'),
  };
}

/** Compiles C into a shared library. */
export function compileLibrary(path: string, source: string, flags: readonly string[] = []): void {
  mkdirSync(dirname(path), { recursive: true });
  const done = spawnSync('g++', ['-shared', '-fPIC', '-x', 'c++', '-', '-x', 'none', '-o', path, ...flags], {
    input: source,
    encoding: 'utf8',
  });
  if (done.status !== 0) throw new Error(`g++: ${done.error?.message ?? done.stderr}`);
}

/** Fills a folder with loadable libraries of the right names. */
export function putLoadableLibraries(folder: string, major: number): void {
  const [first, ...others] = libraryNames(major);
  compileLibrary(join(folder, first!), 'extern "C" int selfnorm_stand_in() { return 1; }');
  for (const name of others) copyFileSync(join(folder, first!), join(folder, name));
}
