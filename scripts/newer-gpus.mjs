// The PTX of a build as the driver of a newer GPU compiles it. ptxas does here what the driver does there, for kernels that
// could spill: the same registers are left to a thread on all of these GPUs, so one that takes few on Hopper takes few there.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseReport } from './ptxas-report.mjs';

/** Datacenter and consumer Blackwell. */
const NEWER = ['sm_100', 'sm_120'];
/** A kernel with as many registers, on the GPU that the PTX is written for, is compiled for newer ones. */
const MANY_REGISTERS = 96;

/**
 * Compiles PTX for newer GPUs.
 * @param kernels What ptxas said of the build's own code: {object, name, arch, registers}.
 * @param listed Names of kernels that are compiled as well.
 * @returns The kernels as newer GPUs have them, and problems: objects without PTX, and what ptxas did not take.
 */
export function compileForNewer(cuobjdump, ptxas, kernels, listed) {
  const found = [];
  const problems = [];
  const folder = mkdtempSync(join(tmpdir(), 'selfnorm-ptx-'));
  try {
    for (const object of new Set(kernels.map((kernel) => kernel.object))) {
      const into = mkdtempSync(join(folder, `${basename(object)}-`));
      spawnSync(resolve(cuobjdump), ['-xptx', 'all', resolve(object)], { cwd: into });
      const files = readdirSync(into).filter((file) => file.endsWith('.ptx'));
      if (files.length === 0) problems.push(`${object}: no PTX, so newer GPUs cannot run it; SELFNORM_CUDA_ARCHS?`);
      for (const file of files) {
        const written = /\.(sm_\d+)\.ptx$/.exec(file)?.[1];
        const own = kernels.filter((kernel) => kernel.object === object && kernel.arch === written);
        const names = own.filter(({ name, registers }) => registers >= MANY_REGISTERS || listed.has(name));
        if (names.length === 0) continue;
        const entries = names.flatMap(({ name }) => ['-e', name]);
        for (const arch of NEWER) {
          const args = [`-arch=${arch}`, '-v', ...entries, file, '-o', 'code.cubin'];
          const done = spawnSync(ptxas, args, { cwd: into, encoding: 'utf8' });
          const { kernels: compiled, warnings } = parseReport(done.stderr ?? '');
          const all = done.status === 0 && compiled.length === names.length;
          if (!all)
            problems.push(`${object}: its PTX for ${arch}: ${(done.stderr ?? `${done.error}`).trim().slice(0, 500)}`);
          problems.push(...warnings.map((warning) => `${object}: its PTX for ${arch}: ${warning}`));
          found.push(...compiled.map((kernel) => ({ ...kernel, object })));
        }
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { kernels: found, problems };
}

/** The ptxas of the compiler that the build was made with, where it knows the newer GPUs. */
export function newerPtxas(nvcc) {
  const ptxas = nvcc === undefined ? undefined : nvcc.replace(/nvcc$/, 'ptxas');
  if (ptxas === undefined || !existsSync(ptxas)) return undefined;
  const known = spawnSync(ptxas, ['--help'], { encoding: 'utf8' }).stdout ?? '';
  return NEWER.every((arch) => known.includes(`'${arch}'`)) ? ptxas : undefined;
}
