// The machine and the versions a report was made with: numbers mean little without them.
import { arch, availableParallelism, cpus, platform, release, totalmem } from 'node:os';
import { device, devices } from '../tensor/device.js';
import { version } from '../version.js';

const GIB = 2 ** 30;

/** The machine and the versions, as a report shows them. */
export interface Environment {
  readonly selfnorm: string;
  readonly node: string;
  readonly system: string;
  readonly processor: string;
  /** Cores this process may use. */
  readonly cores: number;
  /** Memory of the machine in GiB. */
  readonly memory: number;
  /** `'cpu'` or `'cuda:0'`. */
  readonly device: string;
  /** What the device says of itself: name, memory, compute capability, library versions. */
  readonly deviceFacts: Readonly<Record<string, string>>;
}

/** Describes this machine and the device that tensors are made on now. */
export function describeEnvironment(): Environment {
  const name = device();
  const { memory, ...facts } = devices().find((found) => found.device === name)!;
  const deviceFacts = Object.fromEntries(Object.entries(facts).map(([key, value]) => [key, String(value)]));
  return {
    selfnorm: version,
    node: process.versions.node,
    system: `${platform()} ${release()} ${arch()}`,
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memory: Math.round(totalmem() / GIB),
    device: name,
    deviceFacts: { ...deviceFacts, memory: `${(memory / GIB).toFixed(1)} GiB` },
  };
}
