// The job that this process has joined: one for the process. Whatever hosts tell each other carries a label, so that ranks
// that have gone different ways learn of it instead of waiting for each other; and a rank that fails ends the job.
import { failure, invalid, SelfnormError, show } from '../errors.js';
import type { CudaAddon } from '../native/addon.js';
import { loadCuda } from '../native/cuda.js';
import type { Backend } from '../tensor/backend.js';
import { setDevice } from '../tensor/device.js';
import type { HostLink } from './host-link.js';
import { openMpi } from './mpi-link.js';
import { openNccl } from './nccl.js';
import { openTcp } from './tcp-link.js';
import { worldFrom, type World } from './world.js';

/** A job of several processes. */
export class Group {
  /** The device that NCCL was joined with. */
  private device: string | null = null;
  private cuda: CudaAddon | null = null;

  constructor(
    readonly world: World,
    private readonly link: HostLink,
  ) {}

  get rank(): number {
    return this.world.rank;
  }
  get size(): number {
    return this.world.size;
  }
  get library(): string {
    return this.link.library;
  }

  /**
   * What every rank gives, in the order of ranks.
   * @param label Says what for: the same on all ranks.
   * @param value JSON.
   */
  async exchange<T>(label: string, value: T): Promise<T[]> {
    const text = JSON.stringify([label, value]);
    const parts = await this.link.exchange(new TextEncoder().encode(text));
    const all = parts.map((part) => JSON.parse(new TextDecoder().decode(part)) as [string, T]);
    const stranger = all.findIndex(([other]) => other !== label);
    if (stranger < 0) return all.map(([, given]) => given);
    const what = `${label}: rank ${this.rank} is there, while rank ${stranger} is in ${all[stranger]![0]}`;
    throw failure('ERR_ARGUMENT', 'distributed', `${what}; every rank has to make the same calls`);
  }

  /**
   * Checks that every rank gives the same.
   * @param facts By names that a message may use.
   * @throws ArgumentError on every rank, naming the fact and what ranks gave.
   */
  async agree(op: string, facts: Readonly<Record<string, unknown>>): Promise<void> {
    const all = await this.exchange(op, facts);
    const [first] = all;
    for (const name of Object.keys(first!)) {
      const texts = all.map((one) => JSON.stringify(one[name]));
      const other = texts.findIndex((text) => text !== texts[0]);
      if (other < 0) continue;
      const got = `${texts[0]} on rank 0 and ${texts[other]} on rank ${other}`;
      throw failure('ERR_ARGUMENT', op, `${name}: expected the same on every rank, got ${got}`);
    }
  }

  /** What rank 0 has. */
  async fromFirst<T>(label: string, value: T): Promise<T> {
    return (await this.exchange<T | null>(label, this.rank === 0 ? value : null))[0] as T;
  }

  /**
   * Makes sure that tensors of a device can be exchanged. Every rank calls it.
   * @throws DeviceError saying what is missing.
   */
  async reach(op: string, backend: Backend): Promise<void> {
    const { device } = backend;
    if (device === 'cpu') {
      if (this.link.movesTensors) return;
      const fix = 'start the job by mpirun or srun --mpi=pmix, without MASTER_ADDR and MASTER_PORT';
      throw failure(
        'ERR_DEVICE',
        op,
        `tensors on the CPU: expected a job of MPI's, got one over ${this.library}; ${fix}`,
      );
    }
    if (this.device === device) return;
    if (this.device !== null) throw invalid('ERR_DEVICE', op, 'device', `${this.device}, as before`, device);
    await openNccl(this, backend);
    this.device = device;
    this.cuda = backend.addon as CudaAddon;
  }

  async close(): Promise<void> {
    await this.exchange('distributed.close', null);
    this.cuda?.closeNccl();
    await this.link.close();
  }

  /** Ends the job with a reason. */
  abort(reason: unknown): never {
    if (current === this) current = null;
    // An error of ours says all in a line; of any other its place may be the only clue.
    const told = reason instanceof SelfnormError ? reason.message : reason instanceof Error ? reason.stack : null;
    process.stderr.write(`selfnorm: rank ${this.rank} of ${this.size}: ${told ?? show(reason)}\n`);
    return this.link.abort(1);
  }
}

let current: Group | null = null;
let opening: Promise<Group | null> | null = null;
let world: World | null = null;

/** This process's place; read from the environment once. */
export const worldNow = (): World => (world ??= worldFrom(process.env));

/** The job, once it was joined; null: this process is alone. */
export const currentGroup = (): Group | null => current;

/** MPI where it started the job, else TCP where the environment says at which address. */
async function linkOf(place: World): Promise<HostLink> {
  if (place.launcher === 'torchrun' && place.master === null) {
    throw failure('ERR_ARGUMENT', 'distributed.init', 'MASTER_ADDR and MASTER_PORT: expected them beside RANK');
  }
  const byTcp = place.master !== null && place.launcher !== 'mpirun';
  return byTcp ? openTcp(place, { lost: (reason) => current?.abort(reason) }) : openMpi(place);
}

/** Of a machine's GPUs each rank takes its own, unless it was told which. */
function takeDevice({ localRank }: World): void {
  const told = process.env['SELFNORM_DEVICE'];
  if ((told !== undefined && told !== '') || !loadCuda.works()) return;
  setDevice(`cuda:${localRank % loadCuda().devices.length}`);
}

async function open(): Promise<Group | null> {
  const place = worldNow();
  if (place.size === 1) return null;
  takeDevice(place);
  const group = new Group(place, await linkOf(place));
  current = group;
  guard(group);
  await group.exchange('distributed.init', null);
  return group;
}

/** Joins the job that the environment names. Calls after the first wait for it. */
export function join(): Promise<Group | null> {
  return (opening ??= open());
}

/** Leaves the job. */
export async function leave(): Promise<void> {
  const group = await (opening ?? null);
  if (group === null || current !== group) return;
  current = null;
  await group.close();
}

// A process that ends while its job goes on would leave the others waiting for it.
function guard(group: Group): void {
  let reason: unknown = null;
  process.on('uncaughtExceptionMonitor', (error) => (reason = error));
  process.on('beforeExit', () => void leave().catch((error: unknown) => group.abort(error)));
  process.on('exit', (code) => {
    if (current !== group) return;
    const how = code === 0 ? 'the process ended' : `the process ended with exit code ${code}`;
    // Node.js has told of the error itself.
    group.abort(reason ?? new SelfnormError('ERR_ARGUMENT', `${how} before distributed.close()`));
  });
}
