// Finds the CUDA libraries that the addon needs, wherever they lie, and loads them by full path: the dynamic linker then meets
// the addon's needs by name, without LD_LIBRARY_PATH. cmake/find-cuda.cmake looks in the same places in the same order.
import { constants } from 'node:os';
import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { cheapFolders, pythonFolders, namesIn, type SearchSettings } from './cuda-places.js';

export type CudaLibraryName = 'NVRTC' | 'cuBLASLt' | 'cuDNN';

/** A library with its parts, which come from one folder: parts of different versions do not work together. */
export interface CudaLibrary {
  readonly name: CudaLibraryName;
  readonly folder: string;
  /** File names in the order in which they are loaded. */
  readonly files: readonly string[];
  /** As far as file or package names tell. */
  readonly version: string | undefined;
}

export interface MissingCudaLibrary {
  readonly name: CudaLibraryName;
  /** What was looked for and not found. */
  readonly what: string;
  /** The command that gets it. */
  readonly command: string;
}

export interface CudaLibraries {
  /** In the order in which they are loaded. */
  readonly found: readonly CudaLibrary[];
  readonly missing: readonly MissingCudaLibrary[];
}

interface Parts {
  readonly name: CudaLibraryName;
  /** The part whose folder decides. */
  readonly main: string;
  /** File names without which the library fails when it is used. */
  readonly needed: readonly RegExp[];
  /** Parts that only some versions have. */
  readonly optional: readonly RegExp[];
  /** The Python package that brings it, as its .dist-info folder is named. */
  readonly packageName: RegExp;
}

const exactly = (name: string): RegExp => new RegExp(`^${name.replaceAll('.', '\\.')}$`);

// Dependencies first: each part finds the ones it needs already loaded.
function wantedParts(major: number): Parts[] {
  return [
    {
      name: 'NVRTC',
      main: `libnvrtc.so.${major}`,
      needed: [new RegExp(`^libnvrtc-builtins\\.so\\.${major}\\.\\d+$`), exactly(`libnvrtc.so.${major}`)],
      optional: [],
      packageName: /^nvidia_cuda_nvrtc(?:_cu\d+)?-/,
    },
    {
      name: 'cuBLASLt',
      main: `libcublasLt.so.${major}`,
      needed: [exactly(`libcublasLt.so.${major}`)],
      optional: [],
      packageName: /^nvidia_cublas(?:_cu\d+)?-/,
    },
    {
      name: 'cuDNN',
      main: 'libcudnn_graph.so.9',
      needed: ['graph', 'ops', 'heuristic', 'engines_runtime_compiled', 'engines_precompiled'].map((part) =>
        exactly(`libcudnn_${part}.so.9`),
      ),
      optional: [
        ...['engines_tensor_ir', 'cnn', 'adv'].map((part) => exactly(`libcudnn_${part}.so.9`)),
        exactly('libcudnn.so.9'),
      ],
      packageName: /^nvidia_cudnn_cu\d+-/,
    },
  ];
}

// site-packages of a folder site-packages/nvidia/<package>/lib, else undefined.
function sitePackagesOf(folder: string): string | undefined {
  const nvidia = dirname(dirname(folder));
  return basename(nvidia) === 'nvidia' ? dirname(nvidia) : undefined;
}

function packagesBeside(folder: string, packageName: RegExp): string[] {
  const site = sitePackagesOf(folder);
  if (site === undefined) return [];
  return namesIn(site).filter((name) => packageName.test(name) && name.endsWith('.dist-info'));
}

function versionOf(folder: string, parts: Parts): string | undefined {
  const inFileName = /\.so\.(\d+\.\d[\d.]*)$/.exec(basename(realpathSync(join(folder, parts.main))));
  if (inFileName !== null) return inFileName[1];
  const [owner] = packagesBeside(folder, parts.packageName);
  return owner === undefined ? undefined : /-([\d.]+)\.dist-info$/.exec(owner)?.[1];
}

// cuDNN for CUDA 12 and for 13 have the same file names; the Python package's name tells them apart.
function isForOtherCuda(folder: string, parts: Parts, major: number): boolean {
  const owners = packagesBeside(folder, parts.packageName).filter((name) => /_cu\d+-/.test(name));
  return owners.length > 0 && !owners.some((name) => name.includes(`_cu${major}-`));
}

function find(folders: readonly string[], parts: Parts, major: number): { library?: CudaLibrary; lacks?: string } {
  let lacks: string | undefined;
  for (const folder of folders) {
    if (!existsSync(join(folder, parts.main)) || isForOtherCuda(folder, parts, major)) continue;
    const names = namesIn(folder);
    const matching = (patterns: readonly RegExp[]): string[] =>
      patterns.flatMap((pattern) => names.filter((name) => pattern.test(name)));
    const absent = parts.needed.filter((pattern) => !names.some((name) => pattern.test(name)));
    if (absent.length === 0) {
      const files = [...matching(parts.needed), ...matching(parts.optional)];
      return { library: { name: parts.name, folder, files, version: versionOf(folder, parts) } };
    }
    const shown = absent.map(({ source }) => source.replace(/[\\^$]/g, '').replace('.d+', '.*'));
    lacks ??= `${shown.join(', ')} beside ${join(folder, parts.main)}`;
  }
  return lacks === undefined ? {} : { lacks };
}

/** The command that gets the CUDA libraries. Packages of a project land in its own folder, not in the package's. */
export function setupCommand(packageRoot: string): string {
  return packageRoot.includes('/node_modules/')
    ? 'node node_modules/selfnorm/scripts/cuda-setup.mjs'
    : 'npm run cuda:setup';
}

function locate(folders: readonly string[], major: number, command: string): CudaLibraries {
  const found: CudaLibrary[] = [];
  const missing: MissingCudaLibrary[] = [];
  for (const parts of wantedParts(major)) {
    const { library, lacks } = find(folders, parts, major);
    if (library !== undefined) found.push(library);
    else missing.push({ name: parts.name, what: lacks ?? parts.main, command });
  }
  return { found, missing };
}

/**
 * Looks for NVRTC, cuBLASLt and cuDNN 9 of one CUDA major version.
 * @param major The CUDA the addon was built with, 12 or 13: its libraries carry it in their names.
 * Python is only run where the places that need no other process lack something.
 */
export function findCudaLibraries(settings: SearchSettings, major: number): CudaLibraries {
  const command = setupCommand(settings.packageRoot);
  const folders = cheapFolders(settings);
  const result = locate(folders, major, command);
  if (result.missing.length === 0) return result;
  const more = pythonFolders(settings);
  return more.length === 0 ? result : locate([...folders, ...more], major, command);
}

// glibc's RTLD_NODELETE, which Node.js does not name.
const RTLD_NODELETE = 0x1000;

/** How a library that is no addon is loaded: for `process.dlopen`, here and in the process that probes. */
export const PRELOAD_FLAGS = constants.dlopen.RTLD_NOW | RTLD_NODELETE;

/** Loads a shared library into the process for good. @throws Error with the linker's words where it cannot be loaded. */
export function preloadLibrary(path: string): void {
  try {
    process.dlopen({ exports: {} }, path, PRELOAD_FLAGS);
  } catch (error) {
    // Node.js loads it, sees that it is no addon, and closes it again; RTLD_NODELETE keeps it loaded.
    if (!(error instanceof Error && error.message.includes('did not self-register'))) throw error;
  }
}

/** Full paths of all files, in the order in which they must be loaded. */
export function libraryPaths(libraries: CudaLibraries): string[] {
  return libraries.found.flatMap(({ folder, files }) => files.map((file) => join(folder, file)));
}

/** Loads what was found. `load` loads one library by full path. */
export function preloadLibraries(libraries: CudaLibraries, load: (path: string) => void = preloadLibrary): void {
  for (const path of libraryPaths(libraries)) load(path);
}
