// MPI between the hosts: the module that was built where MPI's headers are, loaded by the CPU addon when a job asks for it.
import { existsSync } from 'node:fs';
import { failure, fromNative } from '../errors.js';
import type { CpuAddon } from '../native/addon.js';
import { loadAddon } from '../native/load.js';
import { mpiModulePath } from '../native/paths.js';
import type { HostLink } from './host-link.js';
import type { World } from './world.js';

const OP = 'distributed.init';

/**
 * Joins the job by MPI.
 * @throws DeviceError saying what to install, or that MPI sees another job than the environment.
 */
export async function openMpi({ launcher, rank, size }: World, path = mpiModulePath()): Promise<HostLink> {
  if (!existsSync(path)) {
    const fix =
      'install MPI (Debian, Ubuntu: apt install openmpi-bin libopenmpi-dev), then build again: npx selfnorm build';
    throw failure(
      'ERR_DEVICE',
      OP,
      `training over processes on CPUs needs MPI, which was not there at the build; ${fix}`,
    );
  }
  const addon = loadAddon('cpu') as CpuAddon;
  let world: Awaited<ReturnType<CpuAddon['openMpi']>>;
  try {
    world = await addon.openMpi(path);
  } catch (error) {
    throw fromNative(OP, error);
  }
  if (world.rank !== rank || world.size !== size) {
    const seen = `rank ${world.rank} of ${world.size}`;
    const fix =
      launcher === 'srun' ? 'start it with srun --mpi=pmix' : 'start it with the mpirun of the MPI it was built with';
    throw failure(
      'ERR_DEVICE',
      OP,
      `MPI: expected rank ${rank} of ${size} as the environment says, got ${seen}; ${fix}`,
    );
  }
  return {
    ...world,
    movesTensors: true,
    exchange: async (bytes) => (await addon.exchange(bytes)).map((part) => new Uint8Array(part)),
    close: () => addon.closeMpi(),
    abort: (code) => addon.abortJob(code),
  };
}
