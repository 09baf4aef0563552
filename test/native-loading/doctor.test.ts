// What doctor prints: on this machine, and for findings of other machines.
import { describe, expect, it } from 'vitest';
import { doctor, type DoctorParts, type Findings } from '../../src/cli/doctor.js';
import type { CudaProbe } from '../../src/native/probe.js';
import { version } from '../../src/version.js';

const WORKING: CudaProbe = {
  works: true,
  obstacle: undefined,
  reason: '',
  devices: [{ name: 'NVIDIA H200', memory: 139.8 * 2 ** 30, computeCapability: '9.0' }],
  driver: { library: '/usr/lib64/libcuda.so.1', hasDeviceFiles: true, version: '580.65.06' },
  libraries: { found: [{ name: 'cuDNN', folder: '/opt/cudnn/lib', files: [], version: '9.24.0' }], missing: [] },
  preload: () => undefined,
};

const BARE: CudaProbe = {
  ...WORKING,
  works: false,
  obstacle: 'no-driver',
  reason: 'there is no NVIDIA driver; install it',
  devices: [],
  driver: { library: undefined, hasDeviceFiles: false, version: undefined },
};

async function run(parts: Partial<DoctorParts>, json = false): Promise<{ code: number; text: string }> {
  let text = '';
  const code = await doctor({ json }, { write: (line) => (text += line), ...parts });
  return { code, text };
}

const CPU = { flavour: 'cpu_v3', threads: 2, oneDnn: true };
const NO_CPU = (): never => {
  throw new Error('it could not be loaded');
};

describe('doctor', () => {
  it('tells what this machine has, as text and as JSON', async () => {
    const { code, text } = await run({});
    expect(code).toBe(0);
    expect(text).toContain(`selfnorm ${version}`);
    expect(text).toMatch(/Node\.js +\d+\./);
    expect(text).toMatch(/CPU backend: works\n {2}kernels +\w+, \d+ threads?\n {2}oneDNN +/);
    expect(text).toMatch(/CUDA backend: (works|does not work: \S.*)\n {2}build /);
    const { cpu, cuda } = JSON.parse((await run({}, true)).text) as Findings;
    expect(cpu.works).toBe(true);
    expect(text).toContain(cuda.works ? 'CUDA backend: works' : 'CUDA backend: does not work');
  });

  it('tells which engine was chosen for what, and where nothing is measured', async () => {
    const kernels = [
      {
        op: 'matmul',
        problem: 'bfloat16 [256, 784] [784, 512] + bias, selu',
        engines: [
          { name: 'wgmma', milliseconds: 0.0123456 },
          { name: 'cuBLASLt', milliseconds: -1 },
          { name: 'mma.sync', milliseconds: Infinity },
        ],
      },
    ];
    const parts = { cpu: () => CPU, cudaBuild: () => undefined, buildReport: () => [], kernels: () => kernels };
    let text = '';
    const write = (line: string): void => void (text += line);
    await doctor({ json: false, kernels: true }, { ...parts, probe: () => WORKING, write });
    expect(text.slice(text.indexOf('Kernels')).split('\n')).toEqual([
      'Kernels',
      '  matmul bfloat16 [256, 784] [784, 512] + bias, selu',
      '    chosen  wgmma: 0.0123 ms',
      '            cuBLASLt: not measured',
      '            mma.sync: failed',
    ]);
    text = '';
    await doctor({ json: false, kernels: true }, { ...parts, probe: () => BARE, write });
    expect(text).toMatch(/Kernels\n {2}oneDNN where it has the operation/);
  });

  it('lists driver, libraries and devices where CUDA works', async () => {
    const builtWith = { toolkit: '13.0.88', cublas: '13.1.1', cudnn: '9.24.0', architectures: '80-real;90-real' };
    const parts = { cpu: () => CPU, probe: () => WORKING, cudaBuild: () => builtWith, buildReport: () => [] };
    const { code, text } = await run(parts);
    expect(code).toBe(0);
    expect(text.slice(text.indexOf('CPU backend')).split('\n')).toEqual([
      'CPU backend: works',
      '  kernels  cpu_v3, 2 threads',
      '  oneDNN   yes',
      '',
      'CUDA backend: works',
      '  build   CUDA 13.0.88, cuBLASLt 13.1.1, cuDNN 9.24.0, for 80-real 90-real',
      '  driver  580.65.06, /usr/lib64/libcuda.so.1',
      '  cuDNN   9.24.0  /opt/cudnn/lib',
      '  cuda:0  NVIDIA H200, 139.8 GiB, compute capability 9.0',
    ]);
  });

  it('gives each missing thing once with the command that gets it', async () => {
    const report = [
      'CPU backend: without oneDNN, plain loops do its work (get it: apt-get install libdnnl-dev)',
      'CUDA backend: not built',
      '  found    CUDA toolkit 13.0.88: /usr/local/cuda-13.0',
      '  missing  cuBLASLt of CUDA 13: not found (get it: npm run cuda:setup)',
      '  missing  cuDNN 9: not found (get it: npm run cuda:setup)',
    ];
    const notBuilt: CudaProbe = { ...BARE, obstacle: 'not-built', reason: 'the CUDA backend is not built; see doctor' };
    const { code, text } = await run({ cpu: () => CPU, probe: () => notBuilt, buildReport: () => report });
    expect(code).toBe(0);
    expect(text).toContain('CUDA backend: does not work: the CUDA backend is not built\n');
    expect(text.slice(text.indexOf('To get what is missing')).split('\n')).toEqual([
      'To get what is missing',
      '  oneDNN (faster matmul and convolution)',
      '      apt-get install libdnnl-dev',
      '  cuBLASLt of CUDA 13: not found',
      '  cuDNN 9: not found',
      '      npm run cuda:setup',
    ]);
  });

  it('exits with 1 where no backend works, and says how to get one', async () => {
    const { code, text } = await run({ cpu: NO_CPU, probe: () => BARE, buildReport: () => [] });
    expect(code).toBe(1);
    expect(text).toContain('CPU backend: does not work: it could not be loaded');
    expect(text).toContain('  the CPU backend\n      npx selfnorm build');
    expect(text).toContain('  there is no NVIDIA driver\n      install it');
  });

  it('exits with 0 where CUDA works without the CPU backend', async () => {
    expect((await run({ cpu: NO_CPU, probe: () => WORKING })).code).toBe(0);
  });
});
