// cmake/find-cuda.cmake in a project of its own, with a CUDA whose every file is there and whose compiler does not work.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/native/paths.js';
import { put, scratchFolder } from './fake-cuda.js';

const NVCC = `#!/bin/sh
if [ "$1" = --version ]; then echo 'Cuda compilation tools, release 13.0, V13.0.88'; exit 0; fi
echo 'nvcc fatal : this is a stand-in' >&2
exit 1
`;

/** A toolkit, cuBLASLt and cuDNN in one prefix. */
function fakeCuda(folder: string): string {
  const prefix = join(folder, 'cuda');
  put(join(prefix, 'bin/nvcc'), NVCC);
  chmodSync(join(prefix, 'bin/nvcc'), 0o755);
  put(join(prefix, 'include/cuda_runtime.h'));
  put(join(prefix, 'include/cublasLt.h'));
  put(
    join(prefix, 'include/cublas_api.h'),
    '#define CUBLAS_VER_MAJOR 13\n#define CUBLAS_VER_MINOR 1\n#define CUBLAS_VER_PATCH 1\n',
  );
  put(join(prefix, 'include/cudnn_graph.h'));
  put(
    join(prefix, 'include/cudnn_version.h'),
    '#define CUDNN_MAJOR 9\n#define CUDNN_MINOR 24\n#define CUDNN_PATCHLEVEL 0\n',
  );
  for (const name of ['libcudart_static.a', 'libcublasLt.so.13', 'libcudnn_graph.so.9']) put(join(prefix, 'lib', name));
  return prefix;
}

interface Configured {
  status: number | null;
  text: string;
  report: string[];
  build: string;
}

function configure(mode: string): Configured & { cuda: string } {
  const folder = scratchFolder();
  const cuda = fakeCuda(folder);
  const build = join(folder, 'build');
  put(
    join(folder, 'CMakeLists.txt'),
    `cmake_minimum_required(VERSION 3.20)
project(find LANGUAGES CXX)
set(SELFNORM_CUDA AUTO CACHE STRING "")
include(${join(packageRoot(), 'cmake/find-cuda.cmake')})
selfnorm_report_cuda()
`,
  );
  put(join(build, 'Release/selfnorm_cuda.node'), 'of an earlier build');
  const done = spawnSync('cmake', ['-S', folder, '-B', build, `-DSELFNORM_CUDA=${mode}`], {
    encoding: 'utf8',
    env: { ...process.env, SELFNORM_CUDA_PATH: cuda },
  });
  const file = join(build, 'selfnorm-report.txt');
  const report = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
  return { status: done.status, text: done.stdout + done.stderr, report, build, cuda };
}

describe('find-cuda.cmake', () => {
  it('finds everything in one prefix, tries the compiler, and goes on without CUDA where it does not work', () => {
    const { status, report, build, cuda, text } = configure('AUTO');
    expect(status).toBe(0);
    expect(report.slice(1, 5)).toEqual([
      'CUDA backend: not built',
      `  found    CUDA toolkit 13.0.88: ${cuda}`,
      `  found    cuBLASLt 13.1.1: ${cuda}/lib/libcublasLt.so.13`,
      `  found    cuDNN 9.24.0: ${cuda}/lib/libcudnn_graph.so.9`,
    ]);
    expect(report[5]).toMatch(/^ {2}missing {2}the CUDA compiler does not work with \S+: .*nvcc.*\(log: .*log\.txt\)$/);
    for (const line of report) expect(text).toContain(`-- ${line}`);
    // It would be loaded against libraries that it was not built with.
    expect(existsSync(join(build, 'Release/selfnorm_cuda.node'))).toBe(false);
  });

  it('stops with one sentence where CUDA is asked for', () => {
    const { status, text } = configure('ON');
    expect(status).not.toBe(0);
    expect(text).toMatch(/\n +SELFNORM_CUDA=ON: the CUDA compiler does not work with [^\n]+\n/);
  });

  it('says nothing where CUDA is not wanted', () => {
    const { status, text, report } = configure('OFF');
    expect(status).toBe(0);
    expect(text).not.toContain('CUDA');
    expect(report.at(-1)).toBe('CUDA backend: left out (SELFNORM_CUDA=OFF)');
  });

  it('refuses a mode that it does not know', () => {
    expect(configure('maybe').text).toContain('SELFNORM_CUDA: expected AUTO, ON or OFF, got maybe');
  });
});
