// Which process of a job this is, as the environment tells: that of mpirun, srun, or of what sets the variables that PyTorch's
// torchrun does. A process that nobody started so is a job of its own.
import { failure, invalid } from '../errors.js';

/** Who started the job; `'none'`: this process is alone. */
export type Launcher = 'mpirun' | 'srun' | 'torchrun' | 'none';

/** The place of this process in its job. */
export interface World {
  readonly launcher: Launcher;
  /** From 0 to size - 1. */
  readonly rank: number;
  readonly size: number;
  /** Rank among the processes of this machine: which GPU it takes. */
  readonly localRank: number;
  /** Where rank 0 listens, where the launcher says so. */
  readonly master: { readonly address: string; readonly port: number } | null;
}

/** Variables of one launcher: rank, size, rank on this machine. */
interface Names {
  readonly launcher: Exclude<Launcher, 'none'>;
  readonly rank: string;
  readonly size: readonly string[];
  readonly local: readonly string[];
}

// What is started by torchrun inside of an srun has both: the nearest comes first. A batch script of Slurm's has SLURM_PROCID
// too, but only the steps that srun starts know of their number of tasks.
const LAUNCHERS: readonly Names[] = [
  { launcher: 'torchrun', rank: 'RANK', size: ['WORLD_SIZE'], local: ['LOCAL_RANK'] },
  {
    launcher: 'mpirun',
    rank: 'OMPI_COMM_WORLD_RANK',
    size: ['OMPI_COMM_WORLD_SIZE'],
    local: ['OMPI_COMM_WORLD_LOCAL_RANK'],
  },
  { launcher: 'mpirun', rank: 'PMI_RANK', size: ['PMI_SIZE'], local: ['MPI_LOCALRANKID', 'PMI_LOCAL_RANK'] },
  { launcher: 'srun', rank: 'SLURM_PROCID', size: ['SLURM_STEP_NUM_TASKS'], local: ['SLURM_LOCALID'] },
];

type Environment = Readonly<Record<string, string | undefined>>;

const OP = 'distributed.init';

function numberIn(env: Environment, name: string, least: number): number {
  const text = env[name]!;
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw invalid('ERR_ARGUMENT', OP, name, `an integer of at least ${least}`, text);
}

const isSet = (env: Environment, name: string): boolean => env[name] !== undefined && env[name] !== '';

function masterOf(env: Environment): World['master'] {
  const [address, port] = ['MASTER_ADDR', 'MASTER_PORT'] as const;
  if (!isSet(env, address) && !isSet(env, port)) return null;
  for (const [name, other] of [
    [address, port],
    [port, address],
  ] as const) {
    if (isSet(env, name)) continue;
    throw failure('ERR_ARGUMENT', OP, `${name}: expected it beside ${other}; set both to where rank 0 is to listen`);
  }
  const number = numberIn(env, port, 1);
  if (number > 65535) throw invalid('ERR_ARGUMENT', OP, port, 'a port of at most 65535', number);
  return { address: env[address]!, port: number };
}

/**
 * The place of this process, from its environment.
 * @throws ArgumentError naming the variable that is missing or wrong.
 */
export function worldFrom(env: Environment): World {
  const master = masterOf(env);
  // Python's tools set RANK without a job as well: one of both alone is an oversight where there is an address.
  const names = LAUNCHERS.find(
    ({ launcher, rank, size }) =>
      isSet(env, rank) && (size.some((name) => isSet(env, name)) || (launcher !== 'srun' && launcher !== 'torchrun')),
  );
  if (names === undefined) {
    if (master !== null || isSet(env, 'WORLD_SIZE')) {
      const lacking = isSet(env, 'RANK') ? 'WORLD_SIZE' : 'RANK';
      throw failure('ERR_ARGUMENT', OP, `${lacking}: expected it in the environment of a job that is not mpirun's`);
    }
    return { launcher: 'none', rank: 0, size: 1, localRank: 0, master: null };
  }
  const sizeName = names.size.find((name) => isSet(env, name));
  if (sizeName === undefined) {
    throw failure('ERR_ARGUMENT', OP, `${names.size[0]}: expected it beside ${names.rank}`);
  }
  const [rank, size] = [numberIn(env, names.rank, 0), numberIn(env, sizeName, 1)];
  if (rank >= size) {
    throw invalid('ERR_ARGUMENT', OP, names.rank, `less than the ${size} processes of ${sizeName}`, rank);
  }
  const localName = names.local.find((name) => isSet(env, name));
  const localRank = localName === undefined ? rank : numberIn(env, localName, 0);
  return { launcher: names.launcher, rank, size, localRank, master };
}
