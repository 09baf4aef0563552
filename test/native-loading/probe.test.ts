// Each reason for which CUDA cannot work, from machines made of temporary folders; the other process really runs.
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ModuleKind, transpileModule } from 'typescript';
import { describe, expect, it } from 'vitest';
import { addonPath, packageRoot } from '../../src/native/paths.js';
import { probe, probeCuda, PROBE_PROGRAM, type ProbeSettings } from '../../src/native/probe.js';
import { compileLibrary, emptyMachine, put, putLoadableLibraries, scratchFolder } from './fake-cuda.js';

const answerWith = (answer: object): string =>
  `process.stdout.write('the driver says hello\\nselfnorm-probe:' + ${JSON.stringify(JSON.stringify(answer))} + '\\n')`;

/** A machine on which nothing is missing; the CPU addon stands in for CUDA's. */
function workingMachine(program = PROBE_PROGRAM): ProbeSettings {
  const folder = scratchFolder();
  const addon = join(folder, 'package/build/Release/selfnorm_cuda.node');
  mkdirSync(join(folder, 'package/build/Release'), { recursive: true });
  copyFileSync(addonPath('cpu'), addon);
  put(
    addon.replace('.node', '.json'),
    '{"toolkit": "13.0.88", "cublas": "13.1.1", "cudnn": "9.24.0", "architectures": "80-real;90-real;90-virtual"}',
  );
  put(join(folder, 'system/dev/nvidia0'));
  put(join(folder, 'system/usr/lib64/libcuda.so.1'));
  putLoadableLibraries(join(folder, 'lib'), 13);
  return { ...emptyMachine(folder, { SELFNORM_CUDA_PATH: join(folder, 'lib') }), addon, program, timeoutMs: 30_000 };
}

describe('probe', () => {
  it('loads the libraries and the addon in another process and lists its devices', () => {
    const answer = probe(workingMachine());
    expect(answer).toMatchObject({ works: true, obstacle: undefined, reason: '' });
    expect(answer.devices.map(({ name }) => name)).toEqual(['cpu']);
    expect(answer.libraries.missing).toEqual([]);
  });

  it('says that nothing is built', () => {
    const settings = workingMachine();
    const answer = probe({ ...settings, addon: join(settings.cwd, 'none.node') });
    expect(answer).toMatchObject({ works: false, obstacle: 'not-built' });
    expect(answer.reason).toBe('the CUDA backend is not built; npx selfnorm doctor says what it lacks');
  });

  it('says that there is no driver, without starting a process', () => {
    const settings = workingMachine(`require('fs').writeFileSync('started', '')`);
    const answer = probe({ ...settings, systemRoot: join(settings.cwd, 'none') });
    expect(answer).toMatchObject({ works: false, obstacle: 'no-driver' });
    expect(answer.reason).toMatch(/^there is no NVIDIA driver; install NVIDIA's driver 580 or newer/);
    expect(existsSync('started')).toBe(false);
  });

  it('names the library that is missing and the command that gets it', () => {
    const settings = workingMachine();
    const answer = probe({ ...settings, env: { ...settings.env, SELFNORM_CUDA_PATH: '' } });
    expect(answer.obstacle).toBe('library-missing');
    expect(answer.reason).toMatch(/cuBLASLt \(libcublasLt\.so\.13\) and cuDNN .*; get it with: npm run cuda:setup$/);
  });

  it('names a library that the addon needs beyond those looked for', () => {
    const settings = workingMachine();
    const other = join(settings.cwd, 'libselfnorm_other.so.7');
    compileLibrary(other, 'extern "C" int other() { return 1; }', ['-Wl,-soname,libselfnorm_other.so.7']);
    compileLibrary(settings.addon, 'extern "C" int other(); int use() { return other(); }', [other]);
    const answer = probe(settings);
    expect(answer.obstacle).toBe('library-missing');
    expect(answer.reason).toBe('libselfnorm_other.so.7 was not found; get it with: npm run cuda:setup');
  });

  it.each([
    ['no-device', { code: 'ERR_CUDA', error: 'cudaGetDeviceCount: cudaErrorNoDevice: none' }, /shows no device/],
    ['no-device', { devices: [] }, /shows no device/],
    [
      'driver-too-old',
      { code: 'ERR_CUDA', error: 'cudaGetDeviceCount: cudaErrorInsufficientDriver: x' },
      /too old for CUDA 13/,
    ],
    [
      'failed',
      { code: 'ERR_CUDA', error: 'cudaGetDeviceCount: cudaErrorSystemNotReady: wait' },
      /cudaErrorSystemNotReady/,
    ],
    [
      'device-too-old',
      { devices: [{ name: 'Tesla T4', memory: 16e9, computeCapability: '7.5' }] },
      /for compute capabilities 80-real, 90-real, 90-virtual, found Tesla T4 \(7\.5\)/,
    ],
  ])('says %s where the other process answers %j', (obstacle, answer, reason) => {
    const result = probe(workingMachine(answerWith(answer)));
    expect(result).toMatchObject({ works: false, obstacle });
    expect(result.reason).toMatch(reason);
  });

  it.each(['8.0', '8.9', '9.0', '10.0', '12.1'])('takes a device of compute capability %s', (computeCapability) => {
    const result = probe(workingMachine(answerWith({ devices: [{ name: 'A', memory: 1, computeCapability }] })));
    expect(result.works).toBe(true);
  });

  it('takes only what a build without PTX runs on', () => {
    const worksOn = (computeCapability: string): boolean => {
      const settings = workingMachine(answerWith({ devices: [{ name: 'A', memory: 1, computeCapability }] }));
      put(settings.addon.replace('.node', '.json'), '{"toolkit": "13.0", "architectures": "80-real;90a-real"}');
      return probe(settings).works;
    };
    expect(['8.0', '8.6', '9.0', '10.0'].map(worksOn)).toEqual([true, true, true, false]);
  });

  it('survives a driver that crashes', () => {
    const result = probe(workingMachine(`console.error('last words'); process.kill(process.pid, 'SIGSEGV')`));
    expect(result).toMatchObject({ works: false, obstacle: 'crashed' });
    expect(result.reason).toBe('loading CUDA ended the probing process with signal SIGSEGV: last words');
  });

  it('survives a library that crashes while it is loaded', () => {
    const settings = workingMachine();
    const source = '__attribute__((constructor)) static void die() { __builtin_trap(); }';
    compileLibrary(join(settings.env['SELFNORM_CUDA_PATH']!, 'libcublasLt.so.13'), source);
    expect(probe(settings).reason).toMatch(/^loading CUDA ended the probing process with signal SIG(ILL|TRAP)/);
  });

  it('gives up on a driver that hangs', () => {
    const result = probe({ ...workingMachine('setTimeout(() => {}, 60_000)'), timeoutMs: 500 });
    expect(result).toMatchObject({ obstacle: 'crashed', reason: 'loading CUDA did not end within 0.5 s' });
  });

  it('can be switched off, and can be told not to try in another process', () => {
    const settings = workingMachine('process.abort()');
    const withMode = (mode: string): ProbeSettings => ({
      ...settings,
      env: { ...settings.env, SELFNORM_CUDA_PROBE: mode },
    });
    expect(probe(withMode('off'))).toMatchObject({ works: false, obstacle: 'switched-off' });
    expect(probe(withMode('skip'))).toMatchObject({ works: true, obstacle: undefined });
  });
});

describe('probeCuda', () => {
  it('asks once a process', () => {
    expect(probeCuda()).toBe(probeCuda());
  });
});

describe('packageRoot', () => {
  it('is the folder of the package', () => {
    expect(existsSync(join(packageRoot(), 'CMakeLists.txt'))).toBe(true);
    expect(addonPath('cuda')).toBe(join(packageRoot(), 'build/Release/selfnorm_cuda.node'));
  });

  it('passes by the package.json of others, from a bundle in dist too', async () => {
    const folder = scratchFolder();
    const source = readFileSync(join(packageRoot(), 'src/native/paths.ts'), 'utf8');
    const { outputText } = transpileModule(source, { compilerOptions: { module: ModuleKind.ES2022 } });
    put(join(folder, 'package.json'), '{"name": "selfnorm"}');
    put(join(folder, 'dist/package.json'), '{"type": "module"}');
    put(join(folder, 'dist/bundle/paths.mjs'), outputText);
    const bundled = (await import(join(folder, 'dist/bundle/paths.mjs'))) as { packageRoot(): string };
    expect(bundled.packageRoot()).toBe(folder);
  });
});
