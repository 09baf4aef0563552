// The install script in a package of its own, so that this one's build is left alone: what it says and what it leaves.
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/native/paths.js';
import { put, scratchFolder } from './fake-cuda.js';

const CMAKE_LISTS = `cmake_minimum_required(VERSION 3.20)
project(tiny LANGUAGES CXX)
add_library(tiny SHARED tiny.cc)
file(WRITE \${CMAKE_BINARY_DIR}/selfnorm-report.txt "levels: \${SELFNORM_CPU_LEVELS}\\nCUDA: \${SELFNORM_CUDA}\\n")
`;

function tinyPackage(cmakeLists = CMAKE_LISTS, source = 'int tiny() { return 1; }'): string {
  const root = scratchFolder();
  mkdirSync(join(root, 'scripts'));
  copyFileSync(join(packageRoot(), 'scripts/install.mjs'), join(root, 'scripts/install.mjs'));
  symlinkSync(join(packageRoot(), 'node_modules'), join(root, 'node_modules'));
  put(join(root, 'package.json'), '{"name": "tiny", "version": "1.0.0", "binary": {"napi_versions": [8]}}');
  put(join(root, 'CMakeLists.txt'), cmakeLists);
  put(join(root, 'tiny.cc'), source);
  return root;
}

function install(root: string, env: Record<string, string> = {}): { status: number | null; out: string; err: string } {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('SELFNORM_')));
  const done = spawnSync(process.execPath, ['scripts/install.mjs'], {
    cwd: root,
    encoding: 'utf8',
    env: { ...clean, ...env },
  });
  return { status: done.status, out: done.stdout, err: done.stderr };
}

/** A PATH with these programs and no other; each prints `says`. */
function pathWith(root: string, programs: readonly string[], says = ''): string {
  for (const name of programs) {
    put(join(root, 'bin', name), `#!/bin/sh\necho '${says}'\n`);
    chmodSync(join(root, 'bin', name), 0o755);
  }
  return join(root, 'bin');
}

describe('install.mjs', () => {
  it.each([
    [[], 'a C++20 compiler, CMake, make or ninja', 'g++ cmake make'],
    [['cmake', 'make'], 'a C++20 compiler', 'g++'],
    [['g++', 'ninja'], 'CMake', 'cmake'],
  ])('says in one sentence what a machine with %j lacks', (programs, what, packages) => {
    const root = tinyPackage();
    const { status, out, err } = install(root, { PATH: pathWith(root, programs), CXX: '' });
    expect(status).toBe(1);
    expect(out).toBe('');
    expect(err).toBe(`selfnorm: building the native addons needs ${what}; install with: apt-get install ${packages}\n`);
  });

  it('says that CMake is too old, or the compiler', () => {
    const root = tinyPackage();
    const PATH = pathWith(root, ['cmake', 'make', 'g++'], 'cmake version 3.16.3');
    expect(install(root, { PATH, CXX: '' }).err).toMatch(/^selfnorm: CMake 3\.20 or newer is needed, this is 3\.16/);
    expect(install(root, { CXX: 'false' }).err).toBe(
      'selfnorm: false does not compile C++20; install g++ 11 or newer, or set CXX to one\n',
    );
  });

  it('builds, passes the settings on, and forgets those that are no longer set', () => {
    const root = tinyPackage();
    const first = install(root, { SELFNORM_CPU_LEVELS: 'v2;v3', SELFNORM_CUDA: 'off' });
    expect(first).toMatchObject({ status: 0, err: '' });
    expect(first.out).toMatch(/\nselfnorm: levels: v2;v3\nselfnorm: CUDA: OFF\n$/);
    expect(readFileSync(join(root, 'build/selfnorm-build.log'), 'utf8')).toContain('tiny.cc');
    expect(install(root).out).toMatch(/\nselfnorm: levels: \nselfnorm: CUDA: AUTO\n$/);
  });

  it('refuses a setting that it does not know', () => {
    const { status, err } = install(tinyPackage(), { SELFNORM_CUDA: 'maybe' });
    expect(status).toBe(1);
    expect(err).toBe('selfnorm: SELFNORM_CUDA: expected AUTO, ON, OFF, got maybe\n');
  });

  it('builds nothing when told so', () => {
    const root = tinyPackage();
    const { status, out } = install(root, { SELFNORM_SKIP_BUILD: '1' });
    expect(status).toBe(0);
    expect(out).toMatch(/^selfnorm: SELFNORM_SKIP_BUILD=1: the native addons are not built/);
    expect(existsSync(join(root, 'build'))).toBe(false);
  });

  it('shows the first error and where the whole log is when compiling fails', () => {
    const root = tinyPackage(CMAKE_LISTS, 'int tiny() { return missing_name; }');
    const { status, err } = install(root);
    expect(status).toBe(1);
    expect(err).toContain('missing_name');
    expect(err).toContain('(log: build/selfnorm-build.log)');
    expect(err.trimEnd().split('\n').length).toBeLessThanOrEqual(17);
    expect(readFileSync(join(root, 'build/selfnorm-build.log'), 'utf8')).toContain('missing_name');
  });

  it("passes on CMake's own sentence when configuring fails", () => {
    const root = tinyPackage(`${CMAKE_LISTS}message(FATAL_ERROR " oneDNN was not found")\n`);
    const { status, err } = install(root);
    expect(status).toBe(1);
    expect(err).toBe('selfnorm: oneDNN was not found (log: build/selfnorm-build.log)\n');
  });
});
