// sn.distributed: several processes that work on one thing. docs/distributed.md says how they are started.
import { join, leave, worldNow } from './group.js';

export { allReduce, barrier, broadcast, type Reduction } from './collectives.js';

/** What `init` tells of the job. */
export interface JobInfo {
  /** This process's number, from 0. */
  readonly rank: number;
  /** How many processes there are. */
  readonly worldSize: number;
  /** What carries their messages; null where there is one process. */
  readonly library: string | null;
}

/**
 * Joins the job that the environment names: that of mpirun, srun, or the variables RANK and WORLD_SIZE. `fit({distributed: true})`
 * and the collectives do so themselves. A process that nobody started so is a job of its own, for which nothing needs to be
 * installed. From here on, a process that ends without `close()` ends the job.
 * @throws ArgumentError for variables that are wrong; DeviceError when there is no MPI, saying what to install.
 */
export async function init(): Promise<JobInfo> {
  const group = await join();
  return { rank: rank(), worldSize: worldSize(), library: group?.library ?? null };
}

/** Leaves the job, and waits for the others to leave. A process whose event loop is empty does so itself. */
export async function close(): Promise<void> {
  await leave();
}

/** This process's number in its job, from 0; told by the environment, before `init` as well. */
export function rank(): number {
  return worldNow().rank;
}

/** How many processes the job has; 1 for a process that nobody started as a part of one. */
export function worldSize(): number {
  return worldNow().size;
}

/** This process's number among those of its job on this machine. */
export function localRank(): number {
  return worldNow().localRank;
}
