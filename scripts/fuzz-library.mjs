// Lets Jazzer.js run where the C library is older than the one that its prebuilt part was linked with (glibc 2.38): the three functions
// it wants from newer libraries come from a few lines of C, and a copy of it asks for those versions no longer as something it
// cannot do without. Nothing is changed in node_modules.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { readFileSync, writeFileSync } from 'node:fs';

/** The versions that the prebuilt library must have, and what it takes from them. */
const VERSIONS = ['GLIBC_2.38', 'GLIBCXX_3.4.32'];
const SHIM = `#include <stdlib.h>
long __isoc23_strtol(const char* text, char** end, int base) { return strtol(text, end, base); }
unsigned long __isoc23_strtoul(const char* text, char** end, int base) { return strtoul(text, end, base); }
void _ZSt21ios_base_library_initv(void) {}
`;

const SHT_GNU_VERNEED = 0x6ffffffe;
const VER_FLG_WEAK = 2;

/** A 64-bit ELF library whose needs of VERSIONS are marked as weak: the loader then goes on without them. */
function withWeakVersions(library) {
  const bytes = Buffer.from(library);
  const [table, size, count] = [
    Number(bytes.readBigUInt64LE(0x28)),
    bytes.readUInt16LE(0x3a),
    bytes.readUInt16LE(0x3c),
  ];
  const section = (index) => {
    const at = table + index * size;
    const [type, link] = [bytes.readUInt32LE(at + 4), bytes.readUInt32LE(at + 40)];
    return { type, link, offset: Number(bytes.readBigUInt64LE(at + 24)) };
  };
  const needs = Array.from({ length: count }, (_, index) => section(index)).find(
    ({ type }) => type === SHT_GNU_VERNEED,
  );
  const names = section(needs.link).offset;
  for (let need = needs.offset, next = 1; next !== 0; need += next) {
    next = bytes.readUInt32LE(need + 12);
    let version = need + bytes.readUInt32LE(need + 8);
    for (let left = bytes.readUInt16LE(need + 2); left > 0; left--) {
      const name = names + bytes.readUInt32LE(version + 8);
      if (VERSIONS.includes(bytes.toString('latin1', name, bytes.indexOf(0, name)))) {
        bytes.writeUInt16LE(VER_FLG_WEAK, version + 4);
      }
      version += bytes.readUInt32LE(version + 12);
    }
  }
  return bytes;
}

/**
 * The environment in which Jazzer.js can be started.
 * @param folder Where the copy and the shim are put, if they are needed.
 */
export function fuzzerEnvironment(folder) {
  const require = createRequire(import.meta.url);
  const home = dirname(
    require.resolve('@jazzer.js/fuzzer/package.json', { paths: [require.resolve('@jazzer.js/core')] }),
  );
  const prebuilt = join(home, 'prebuilds', `fuzzer-${process.platform}-${process.arch}.node`);
  try {
    execFileSync(process.execPath, ['-e', `require(${JSON.stringify(prebuilt)})`], { stdio: 'pipe' });
    return {};
  } catch (error) {
    if (!/version `GLIBC/.test(String(error.stderr))) throw error;
  }
  const [copy, source, shim, redirect] = ['fuzzer.node', 'shim.c', 'shim.so', 'redirect.cjs'].map((name) =>
    join(folder, name),
  );
  writeFileSync(copy, withWeakVersions(readFileSync(prebuilt)));
  writeFileSync(source, SHIM);
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', shim, source], { stdio: 'inherit' });
  const lines = [
    'const { dlopen } = process;',
    `process.dlopen = (module, file, ...rest) => dlopen(module, file === ${JSON.stringify(prebuilt)} ? ${JSON.stringify(copy)} : file, ...rest);`,
  ];
  writeFileSync(redirect, lines.join('\n'));
  return { LD_PRELOAD: shim, NODE_OPTIONS: `--require ${redirect}` };
}
