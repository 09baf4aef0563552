// The training runs of each size, as data. A trial is one configuration with one seed.
import { COLORS } from '../../report/chart.js';
import type { RunSettings, Size } from '../experiment.js';

/** What the network is built from, apart from its size. */
export interface Configuration {
  /** Unique; names files and finds the configuration again. */
  readonly key: string;
  readonly label: string;
  readonly activation: 'relu' | 'elu' | 'leakyRelu' | 'prelu';
  /** ELU's and Leaky ReLU's. */
  readonly alpha?: number;
  readonly initializer: 'glorotUniform' | 'heNormal';
  /** Of both dropout layers. */
  readonly dropout: number;
  /** The size is the short one of the document's results or its long one. */
  readonly length: 'short' | 'long';
  /** Stop after so many epochs without a lower validation loss, and take the best weights. */
  readonly patience?: number;
  /** What the document measured on the test set. */
  readonly document?: { readonly loss: number; readonly acc: number };
  readonly color: string;
  readonly dashed?: boolean;
}

/** One training run. */
export interface Trial {
  readonly name: string;
  readonly configuration: Configuration;
  readonly seed: number;
  readonly epochs: number;
}

/** Epochs by which the document's results are judged; fewer leave the claims about them open. */
export const SHORT_EPOCHS = 25;
export const LONG_EPOCHS = 250;
const QUICK_EPOCHS = 3;

const RELU = { activation: 'relu', color: COLORS.blue } as const;
const ELU = { activation: 'elu', alpha: 1, color: COLORS.vermilion } as const;
const GLOROT = { initializer: 'glorotUniform', dropout: 0.25, length: 'short' } as const;
const HE = { initializer: 'heNormal', dropout: 0.25, length: 'short' } as const;
const LONG = { initializer: 'heNormal', dropout: 0.5, length: 'long' } as const;

const FOUR: readonly Configuration[] = [
  {
    key: 'relu-glorot',
    label: 'ReLU, Glorot',
    ...RELU,
    ...GLOROT,
    dashed: true,
    document: { loss: 0.030844, acc: 0.9915 },
  },
  {
    key: 'elu-glorot',
    label: 'ELU, Glorot',
    ...ELU,
    ...GLOROT,
    dashed: true,
    document: { loss: 0.049175, acc: 0.9906 },
  },
  { key: 'relu-he', label: 'ReLU, He', ...RELU, ...HE, document: { loss: 0.030476, acc: 0.9918 } },
  { key: 'elu-he', label: 'ELU, He', ...ELU, ...HE, document: { loss: 0.029304, acc: 0.9922 } },
];

const OTHERS: readonly Configuration[] = [
  { key: 'elu-0.1-he', label: 'ELU (α 0.1), He', ...ELU, ...HE, alpha: 0.1, color: COLORS.orange },
  { key: 'leaky-relu-he', label: 'Leaky ReLU, He', activation: 'leakyRelu', alpha: 0.3, ...HE, color: COLORS.green },
  { key: 'prelu-he', label: 'PReLU, He', activation: 'prelu', ...HE, color: COLORS.pink },
  { key: 'elu-he-stopped', label: 'ELU, He, stopped early', ...ELU, ...HE, patience: 3 },
];

const LONG_RUNS: readonly Configuration[] = [
  { key: 'relu-he-long', label: 'ReLU, He, dropout 0.5', ...RELU, ...LONG, document: { loss: 0.042991, acc: 0.9924 } },
  { key: 'elu-he-long', label: 'ELU, He, dropout 0.5', ...ELU, ...LONG, document: { loss: 0.086243, acc: 0.9909 } },
  { key: 'elu-he-long-stopped', label: 'ELU, He, dropout 0.5, stopped early', ...ELU, ...LONG, patience: 10 },
];

const SIZES: Readonly<Record<Size, { configurations: readonly Configuration[]; shortEpochs: number; seeds: number }>> =
  {
    quick: { configurations: FOUR, shortEpochs: QUICK_EPOCHS, seeds: 1 },
    default: { configurations: [...FOUR, ...OTHERS], shortEpochs: SHORT_EPOCHS, seeds: 1 },
    full: { configurations: [...FOUR, ...OTHERS, ...LONG_RUNS], shortEpochs: SHORT_EPOCHS, seeds: 3 },
  };

/** All configurations there are. */
export const CONFIGURATIONS: readonly Configuration[] = SIZES.full.configurations;

/** The trials of a run, in the order they are trained: seed by seed, so that an early look compares like with like. */
export function trialsOf(settings: RunSettings): Trial[] {
  const { configurations, shortEpochs, seeds } = SIZES[settings.size];
  return Array.from({ length: settings.seeds ?? seeds }, (_, i) => settings.seed + i).flatMap((seed) =>
    configurations.map((configuration) => ({
      name: `${configuration.key}-seed${seed}`,
      configuration,
      seed,
      epochs: settings.epochs ?? (configuration.length === 'long' ? LONG_EPOCHS : shortEpochs),
    })),
  );
}
