// The folders where CUDA libraries and the driver may lie on this machine. Looks at files only, but for the one question that
// Python has to answer itself.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { packageRoot } from './paths.js';

export interface SearchSettings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly packageRoot: string;
  readonly cwd: string;
  /** Put before /usr, /etc, /dev and the like: another root for tests. */
  readonly systemRoot: string;
}

/** This process on this machine. */
export function searchSettings(): SearchSettings {
  return { env: process.env, packageRoot: packageRoot(), cwd: process.cwd(), systemRoot: '' };
}

/** Names in a folder, sorted; none where there is no such folder. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

// lib folders of the nvidia-* Python packages: nvidia/cu13/lib, nvidia/cudnn/lib, nvidia/cublas/lib, ...
function nvidiaFolders(site: string): string[] {
  const nvidia = join(site, 'nvidia');
  return namesIn(nvidia).map((name) => join(nvidia, name, 'lib'));
}

function pythonSites(prefix: string, kind: 'site-packages' | 'dist-packages' = 'site-packages'): string[] {
  const lib = join(prefix, 'lib');
  return namesIn(lib)
    .filter((name) => name.startsWith('python3'))
    .map((name) => join(lib, name, kind));
}

// Library folders below a root that may be a toolkit, conda, a virtual environment, pip's --target or site-packages, or
// the library folder itself.
function foldersBelow(root: string): string[] {
  const targets = join(root, 'targets');
  return [
    root,
    join(root, 'lib64'),
    join(root, 'lib'),
    ...namesIn(targets).map((name) => join(targets, name, 'lib')),
    ...nvidiaFolders(root),
    ...pythonSites(root).flatMap(nvidiaFolders),
  ];
}

const listOf = (value: string | undefined): string[] => (value ?? '').split(delimiter).filter((entry) => entry !== '');

const NUMBER_AT_END = /(\d+)\.(\d+)$/;

// /usr/local/cuda, then /usr/local/cuda-13.1, -13.0, -12.9, ...
function toolkits(systemRoot: string): string[] {
  const local = `${systemRoot}/usr/local`;
  const rank = (name: string): number => {
    const match = NUMBER_AT_END.exec(name);
    return match === null ? 0 : Number(match[1]) * 1000 + Number(match[2]);
  };
  const versioned = namesIn(local).filter((name) => /^cuda-1[23]/.test(name));
  return [join(local, 'cuda'), ...versioned.sort((a, b) => rank(b) - rank(a)).map((name) => join(local, name))];
}

/** The folders in which the dynamic linker looks, read from its configuration. */
export function systemFolders({ env, systemRoot }: SearchSettings): string[] {
  const configuration = `${systemRoot}/etc/ld.so.conf.d`;
  const configured = namesIn(configuration)
    .filter((name) => name.endsWith('.conf'))
    .flatMap((name) => readFileSync(join(configuration, name), 'utf8').split('\n'))
    .map((line) => line.trim())
    .filter((line) => line.startsWith('/'));
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  const usual = [`/usr/lib/${machine}-linux-gnu`, '/usr/lib64', '/usr/lib', '/lib64', '/usr/local/lib'];
  // Where containers, WSL and NixOS put the driver.
  const drivers = ['/usr/local/nvidia/lib64', '/usr/lib/wsl/lib', '/run/opengl-driver/lib'];
  return [
    ...listOf(env['LD_LIBRARY_PATH']),
    ...[...configured, ...usual, ...drivers].map((folder) => `${systemRoot}${folder}`),
  ];
}

// The Python that is first on the PATH, without running it: its packages lie beside its bin folder.
function activePythonSites({ env, systemRoot }: SearchSettings): string[] {
  const bin = listOf(env['PATH']).find((folder) => existsSync(join(folder, 'python3')));
  const prefix = bin === undefined ? undefined : dirname(bin);
  return [
    ...(prefix === undefined ? [] : pythonSites(prefix)),
    ...pythonSites(`${systemRoot}/usr/local`, 'dist-packages'),
    `${systemRoot}/usr/lib/python3/dist-packages`,
    ...pythonSites(join(env['HOME'] ?? homedir(), '.local')),
  ];
}

/** Existing folders that may have the libraries, most deliberate choice first. */
export function cheapFolders(settings: SearchSettings): string[] {
  const { env, systemRoot } = settings;
  const roots = [
    ...listOf(env['SELFNORM_CUDA_PATH']),
    join(settings.packageRoot, '.cuda'),
    join(settings.cwd, '.cuda'),
    ...['CUDA_HOME', 'CUDA_PATH', 'CONDA_PREFIX', 'VIRTUAL_ENV'].flatMap((name) => listOf(env[name])),
    ...toolkits(systemRoot),
  ];
  const folders = [
    ...roots.flatMap(foldersBelow),
    ...systemFolders(settings),
    ...activePythonSites(settings).flatMap(nvidiaFolders),
  ];
  return [...new Set(folders)].filter(isFolder);
}

/** Folders that only Python itself knows: behind shims, in its own path configuration. Runs `python3`. */
export function pythonFolders({ env }: SearchSettings): string[] {
  const code = 'import json, site; print(json.dumps(site.getsitepackages() + [site.getusersitepackages()]))';
  const answer = spawnSync('python3', ['-c', code], { encoding: 'utf8', env, timeout: 20_000 });
  if (answer.status !== 0) return [];
  try {
    return (JSON.parse(answer.stdout) as string[]).flatMap(nvidiaFolders).filter(isFolder);
  } catch {
    return [];
  }
}

/** What there is of NVIDIA's driver. */
export interface CudaDriver {
  /** Full path of libcuda.so.1. */
  readonly library: string | undefined;
  readonly hasDeviceFiles: boolean;
  /** Of the kernel module, as `'580.65.06'`. */
  readonly version: string | undefined;
}

/** Looks for NVIDIA's driver. */
export function findDriver(settings: SearchSettings): CudaDriver {
  const { systemRoot } = settings;
  const library = systemFolders(settings)
    .map((folder) => join(folder, 'libcuda.so.1'))
    .find((path) => existsSync(path));
  const module = `${systemRoot}/sys/module/nvidia/version`;
  return {
    library,
    hasDeviceFiles: namesIn(`${systemRoot}/dev`).some((name) => name.startsWith('nvidia')),
    version: existsSync(module) ? readFileSync(module, 'utf8').trim() : undefined,
  };
}
