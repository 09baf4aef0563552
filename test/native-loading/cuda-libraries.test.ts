// Where the CUDA libraries are found, and that loading them by full path meets another library's needs.
import { chmodSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findCudaLibraries, libraryPaths, preloadLibraries, preloadLibrary } from '../../src/native/cuda-libraries.js';
import { findDriver } from '../../src/native/cuda-places.js';
import { compileLibrary, CUDNN, emptyMachine, libraryNames, put, scratchFolder } from './fake-cuda.js';

const SITE = 'lib/python3.12/site-packages';

/** Each place: where its files lie below the scratch folder, and the environment that leads there. */
const PLACES: readonly {
  name: string;
  /** Folder of NVRTC and cuBLASLt, and that of cuDNN where it differs. */
  cuda: string;
  cudnn?: string;
  major?: 12 | 13;
  env?: (folder: string) => Record<string, string>;
}[] = [
  {
    name: 'SELFNORM_CUDA_PATH naming the library folder',
    cuda: 'x',
    env: (f) => ({ SELFNORM_CUDA_PATH: `/none:${f}/x` }),
  },
  { name: 'SELFNORM_CUDA_PATH naming a prefix', cuda: 'x/lib64', env: (f) => ({ SELFNORM_CUDA_PATH: `${f}/x` }) },
  { name: 'CUDA_HOME', cuda: 'toolkit/lib64', env: (f) => ({ CUDA_HOME: `${f}/toolkit` }) },
  { name: 'CUDA_PATH with targets', cuda: 't/targets/x86_64-linux/lib', env: (f) => ({ CUDA_PATH: `${f}/t` }) },
  { name: '/usr/local/cuda', cuda: 'system/usr/local/cuda/lib64' },
  { name: '/usr/local/cuda-12.9', cuda: 'system/usr/local/cuda-12.9/lib64', major: 12 },
  { name: '/usr/local/cuda with cuDNN of the system', cuda: 'system/usr/local/cuda/lib64', cudnn: 'system/usr/lib64' },
  { name: 'LD_LIBRARY_PATH', cuda: 'ld', env: (f) => ({ LD_LIBRARY_PATH: `${f}/ld` }) },
  { name: 'conda', cuda: 'conda/lib', env: (f) => ({ CONDA_PREFIX: `${f}/conda` }) },
  {
    name: 'a virtual environment with the packages for CUDA 13',
    cuda: `venv/${SITE}/nvidia/cu13/lib`,
    cudnn: `venv/${SITE}/nvidia/cudnn/lib`,
    env: (f) => ({ VIRTUAL_ENV: `${f}/venv` }),
  },
  { name: '.cuda of the package', cuda: 'package/.cuda/nvidia/cu13/lib', cudnn: 'package/.cuda/nvidia/cudnn/lib' },
  { name: '.cuda of the current folder', cuda: 'cwd/.cuda/nvidia/cu13/lib', cudnn: 'cwd/.cuda/nvidia/cudnn/lib' },
  { name: '.cuda that is a virtual environment', cuda: `cwd/.cuda/${SITE}/nvidia/cu13/lib` },
  { name: "the user's Python packages", cuda: `home/.local/${SITE}/nvidia/cu13/lib` },
];

describe('findCudaLibraries', () => {
  it.each(PLACES)('finds them in $name', ({ cuda, cudnn = cuda, major = 13, env }) => {
    const folder = scratchFolder();
    for (const name of libraryNames(major)) put(join(folder, CUDNN.includes(name) ? cudnn : cuda, name));
    const { found, missing } = findCudaLibraries(emptyMachine(folder, env?.(folder)), major);
    expect(missing).toEqual([]);
    expect(found.map(({ name, folder: at }) => [name, at])).toEqual([
      ['NVRTC', join(folder, cuda)],
      ['cuBLASLt', join(folder, cuda)],
      ['cuDNN', join(folder, cudnn)],
    ]);
  });

  it('finds the packages for CUDA 12, each in a folder of its own', () => {
    const folder = scratchFolder();
    const nvidia = join(folder, 'venv', SITE, 'nvidia');
    put(join(nvidia, 'cublas/lib/libcublasLt.so.12'));
    put(join(nvidia, 'cuda_nvrtc/lib/libnvrtc.so.12'));
    put(join(nvidia, 'cuda_nvrtc/lib/libnvrtc-builtins.so.12.9'));
    for (const name of CUDNN) put(join(nvidia, 'cudnn/lib', name));
    put(join(folder, 'venv', SITE, 'nvidia_cublas_cu12-12.9.1.4.dist-info/METADATA'));
    put(join(folder, 'venv', SITE, 'nvidia_cudnn_cu12-9.10.2.21.dist-info/METADATA'));
    const { found, missing } = findCudaLibraries(emptyMachine(folder, { VIRTUAL_ENV: join(folder, 'venv') }), 12);
    expect(missing).toEqual([]);
    expect(found.map(({ version }) => version)).toEqual([undefined, '12.9.1.4', '9.10.2.21']);
  });

  it('finds the packages of the Python that is first on the PATH without running it', () => {
    const folder = scratchFolder();
    put(join(folder, 'py/bin/python3'), 'not a program');
    for (const name of libraryNames(13)) put(join(folder, 'py', SITE, 'nvidia/cu13/lib', name));
    expect(findCudaLibraries(emptyMachine(folder, { PATH: join(folder, 'py/bin') }), 13).missing).toEqual([]);
  });

  it('asks Python where its packages lie elsewhere', () => {
    const folder = scratchFolder();
    for (const name of libraryNames(13)) put(join(folder, 'elsewhere/nvidia/cu13/lib', name));
    const json = `["${folder}/none", "${folder}/elsewhere"]`;
    put(join(folder, 'shims/python3'), `#!/bin/sh\necho '${json}'\n`);
    chmodSync(join(folder, 'shims/python3'), 0o755);
    const settings = emptyMachine(folder, { PATH: `${join(folder, 'shims')}:/usr/bin:/bin` });
    expect(findCudaLibraries(settings, 13).missing).toEqual([]);
  });

  it('goes by a link to the file with the whole version', () => {
    const folder = scratchFolder();
    const lib = join(folder, 'home-of-cuda/lib64');
    for (const name of libraryNames(13)) put(join(lib, name === 'libcudnn_graph.so.9' ? `${name}.24.0` : name));
    symlinkSync('libcudnn_graph.so.9.24.0', join(lib, 'libcudnn_graph.so.9'));
    const { found } = findCudaLibraries(emptyMachine(folder, { CUDA_HOME: join(folder, 'home-of-cuda') }), 13);
    expect(found.find(({ name }) => name === 'cuDNN')).toMatchObject({ version: '9.24.0' });
  });

  it('takes what was chosen for this project before what the machine has', () => {
    const folder = scratchFolder();
    for (const at of ['system/usr/local/cuda/lib64', 'cwd/.cuda/nvidia/cu13/lib', 'chosen']) {
      for (const name of libraryNames(13)) put(join(folder, at, name));
    }
    const folderOf = (env: Record<string, string>): string =>
      findCudaLibraries(emptyMachine(folder, env), 13).found[0]!.folder;
    expect(folderOf({})).toBe(join(folder, 'cwd/.cuda/nvidia/cu13/lib'));
    expect(folderOf({ SELFNORM_CUDA_PATH: join(folder, 'chosen') })).toBe(join(folder, 'chosen'));
  });

  it('says what is missing and the command that gets it', () => {
    const folder = scratchFolder();
    const { found, missing } = findCudaLibraries(emptyMachine(folder), 13);
    expect(found).toEqual([]);
    expect(missing).toEqual([
      { name: 'NVRTC', what: 'libnvrtc.so.13', command: 'npm run cuda:setup' },
      { name: 'cuBLASLt', what: 'libcublasLt.so.13', command: 'npm run cuda:setup' },
      { name: 'cuDNN', what: 'libcudnn_graph.so.9', command: 'npm run cuda:setup' },
    ]);
  });

  it('names another command where the package is installed in a project', () => {
    const folder = scratchFolder();
    const packageRoot = join(folder, 'node_modules/selfnorm');
    const { missing } = findCudaLibraries({ ...emptyMachine(folder), packageRoot }, 13);
    expect(missing[0]!.command).toBe('node node_modules/selfnorm/scripts/cuda-setup.mjs');
  });

  it('refuses libraries of another CUDA', () => {
    const folder = scratchFolder();
    for (const name of libraryNames(12)) put(join(folder, 'venv', SITE, 'nvidia/cudnn/lib', name));
    put(join(folder, 'venv', SITE, 'nvidia_cudnn_cu12-9.10.2.21.dist-info/METADATA'));
    const settings = emptyMachine(folder, { VIRTUAL_ENV: join(folder, 'venv') });
    expect(findCudaLibraries(settings, 12).missing).toEqual([]);
    expect(findCudaLibraries(settings, 13).missing.map(({ name }) => name)).toEqual(['NVRTC', 'cuBLASLt', 'cuDNN']);
  });

  it('names the parts that an incomplete cuDNN lacks, and goes on to a whole one', () => {
    const folder = scratchFolder();
    for (const name of libraryNames(13)) {
      if (name !== 'libcudnn_heuristic.so.9') put(join(folder, 'half', name));
    }
    const half = join(folder, 'half');
    const { missing } = findCudaLibraries(emptyMachine(folder, { SELFNORM_CUDA_PATH: half }), 13);
    expect(missing.map(({ what }) => what)).toEqual([`libcudnn_heuristic.so.9 beside ${half}/libcudnn_graph.so.9`]);
    for (const name of CUDNN) put(join(folder, 'whole', name));
    const both = emptyMachine(folder, { SELFNORM_CUDA_PATH: `${half}:${folder}/whole` });
    expect(findCudaLibraries(both, 13).found.at(-1)!.folder).toBe(join(folder, 'whole'));
  });
});

describe('findDriver', () => {
  it('finds nothing on a machine without one', () => {
    const driver = findDriver(emptyMachine(scratchFolder()));
    expect(driver).toEqual({ library: undefined, hasDeviceFiles: false, version: undefined });
  });

  it.each(['usr/lib64', 'usr/lib/wsl/lib', 'opt/driver'])('finds libcuda.so.1 in /%s', (where) => {
    const folder = scratchFolder();
    put(join(folder, 'system/etc/ld.so.conf.d/nvidia.conf'), '# the driver\n/opt/driver\n');
    put(join(folder, 'system', where, 'libcuda.so.1'));
    put(join(folder, 'system/dev/nvidia0'));
    put(join(folder, 'system/sys/module/nvidia/version'), '580.65.06\n');
    expect(findDriver(emptyMachine(folder))).toEqual({
      library: join(folder, 'system', where, 'libcuda.so.1'),
      hasDeviceFiles: true,
      version: '580.65.06',
    });
  });
});

describe('preloadLibrary', () => {
  it('keeps a library loaded, so that the needs of another one are met by name', () => {
    const folder = scratchFolder();
    const needed = join(folder, 'a/libselfnorm_needed.so.1');
    const user = join(folder, 'b/libselfnorm_user.so.1');
    compileLibrary(needed, 'extern "C" int answer() { return 42; }', ['-Wl,-soname,libselfnorm_needed.so.1']);
    compileLibrary(user, 'extern "C" int answer(); int twice() { return 2 * answer(); }', [needed]);
    expect(() => preloadLibrary(user)).toThrow('libselfnorm_needed.so.1: cannot open shared object file');
    preloadLibrary(needed);
    preloadLibrary(user);
    const maps = readFileSync('/proc/self/maps', 'utf8');
    expect(maps).toContain(needed);
    expect(maps).toContain(user);
  });

  it('loads dependencies before what needs them', () => {
    const folder = scratchFolder();
    const lib = join(folder, 'lib');
    mkdirSync(lib);
    for (const name of [...libraryNames(13), 'libcudnn_adv.so.9', 'libcudnn.so.9']) put(join(lib, name));
    const libraries = findCudaLibraries(emptyMachine(folder, { SELFNORM_CUDA_PATH: lib }), 13);
    const loaded: string[] = [];
    preloadLibraries(libraries, (path) => loaded.push(path));
    expect(loaded).toEqual([...libraryNames(13), 'libcudnn_adv.so.9', 'libcudnn.so.9'].map((name) => join(lib, name)));
    expect(libraryPaths(libraries)).toEqual(loaded);
  });
});
