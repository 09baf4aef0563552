// The networks and the ways to keep them in hand that are compared, and the training runs of each size, as data.
import { COLORS } from '../../report/chart.js';
import type { RunSettings, Size } from '../experiment.js';

/** Data set and kind of network. */
export interface Task {
  /** Unique; part of file names. */
  readonly key: string;
  readonly label: string;
  readonly set: 'mnist' | 'cifar10';
  readonly network: 'dense' | 'conv';
}

/** What keeps a network's activations in hand, and what drops them. */
export interface Configuration {
  readonly key: string;
  readonly label: string;
  readonly activation: 'relu' | 'selu';
  readonly batchNorm: boolean;
  readonly initializer: 'heNormal' | 'leCunNormal';
  readonly dropout: 'none' | 'dropout' | 'alphaDropout';
  readonly color: string;
  readonly dashed?: boolean;
}

/** One training run. */
export interface Trial {
  readonly name: string;
  readonly task: Task;
  readonly configuration: Configuration;
  readonly seed: number;
  readonly epochs: number;
}

export const TASKS: readonly Task[] = [
  { key: 'mnist-dense', label: 'MNIST, dense', set: 'mnist', network: 'dense' },
  { key: 'mnist-conv', label: 'MNIST, convolutional', set: 'mnist', network: 'conv' },
  { key: 'cifar10-dense', label: 'CIFAR-10, dense', set: 'cifar10', network: 'dense' },
  { key: 'cifar10-conv', label: 'CIFAR-10, convolutional', set: 'cifar10', network: 'conv' },
];

const RELU = { activation: 'relu', initializer: 'heNormal' } as const;
const SELU = { activation: 'selu', initializer: 'leCunNormal', batchNorm: false } as const;

/** Of every dropout: what the paper's authors advise for AlphaDropout is 0.05 or 0.1. */
export const DROPOUT_RATE = 0.1;

export const CONFIGURATIONS: readonly Configuration[] = [
  { key: 'relu', label: 'ReLU', ...RELU, batchNorm: false, dropout: 'none', color: COLORS.grey },
  { key: 'relu-bn', label: 'ReLU + BN', ...RELU, batchNorm: true, dropout: 'none', color: COLORS.blue },
  {
    key: 'relu-bn-dropout',
    label: 'ReLU + BN + Dropout',
    ...RELU,
    batchNorm: true,
    dropout: 'dropout',
    color: COLORS.sky,
    dashed: true,
  },
  { key: 'selu', label: 'SELU', ...SELU, dropout: 'none', color: COLORS.vermilion },
  { key: 'selu-dropout', label: 'SELU + Dropout', ...SELU, dropout: 'dropout', color: COLORS.pink, dashed: true },
  {
    key: 'selu-alpha',
    label: 'SELU + AlphaDropout',
    ...SELU,
    dropout: 'alphaDropout',
    color: COLORS.orange,
    dashed: true,
  },
];

interface Extent {
  readonly epochs: number;
  readonly seeds: number;
  /** Training images of each set, from the first on; undefined: all. */
  readonly images: number | undefined;
  /** Timed turns of each configuration, and the batches of a turn by kind of network. */
  readonly rounds: number;
  readonly batches: Readonly<Record<Task['network'], number>>;
}

const SIZES: Readonly<Record<Size, Extent>> = {
  quick: { epochs: 2, seeds: 1, images: 2000, rounds: 5, batches: { dense: 8, conv: 3 } },
  default: { epochs: 10, seeds: 3, images: 10_000, rounds: 15, batches: { dense: 20, conv: 5 } },
  full: { epochs: 30, seeds: 5, images: undefined, rounds: 25, batches: { dense: 100, conv: 50 } },
};

/** Fewer images or epochs than a run without --quick has leave the claims about accuracy open. */
export const ENOUGH = { images: 9000, epochs: SIZES.default.epochs } as const;

/** How much a run does. */
export const extentOf = ({ size, epochs, seeds, limit }: RunSettings): Extent => ({
  ...SIZES[size],
  ...(epochs === undefined ? {} : { epochs }),
  ...(seeds === undefined ? {} : { seeds }),
  ...(limit === undefined ? {} : { images: limit }),
});

/** The trials of a run, in the order they are trained: seed by seed, so that an early look compares like with like. */
export function trialsOf(settings: RunSettings): Trial[] {
  const { epochs, seeds } = extentOf(settings);
  return Array.from({ length: seeds }, (_, i) => settings.seed + i).flatMap((seed) =>
    TASKS.flatMap((task) =>
      CONFIGURATIONS.map((configuration) => ({
        name: `${task.key}-${configuration.key}-seed${seed}`,
        task,
        configuration,
        seed,
        epochs,
      })),
    ),
  );
}
