// The document's configurations and those its readers asked for, and the training runs of each size, as data.
import { COLORS } from '../../report/chart.js';
import type { RunSettings, Size } from '../experiment.js';

/** What differs between two networks. */
export interface Configuration {
  /** Unique; part of file names. */
  readonly key: string;
  readonly label: string;
  readonly activation: 'relu' | 'selu';
  /** Where batch normalisation stands: nowhere, behind the sums of words alone, or behind every dense layer too. */
  readonly batchNorm: 'none' | 'sums' | 'all';
  readonly initializer: 'glorotUniform' | 'leCunNormal';
  readonly dropout: 'none' | 'dropout' | 'alphaDropout';
  readonly optimizer: 'rmsprop' | 'adam';
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

/** Of the document's repository: its options' values, and Keras's for the rest. */
export const MAX_LEN = 42;
export const BATCH_SIZE = 512;
export const DROPOUT_RATE = 0.2;
export const L2 = 4e-6;
export const LEARNING_RATE = 0.001;

const DOCUMENT = {
  batchNorm: 'none',
  initializer: 'glorotUniform',
  dropout: 'dropout',
  optimizer: 'rmsprop',
} as const;
const AUTHORS = { ...DOCUMENT, activation: 'selu', initializer: 'leCunNormal' } as const;

export const CONFIGURATIONS: readonly Configuration[] = [
  { key: 'relu-bn', label: 'ReLU + BN', ...DOCUMENT, activation: 'relu', batchNorm: 'all', color: COLORS.blue },
  { key: 'selu-bn', label: 'SELU + BN', ...DOCUMENT, activation: 'selu', batchNorm: 'all', color: COLORS.vermilion },
  { key: 'relu', label: 'ReLU', ...DOCUMENT, activation: 'relu', color: COLORS.sky },
  { key: 'selu', label: 'SELU', ...DOCUMENT, activation: 'selu', color: COLORS.orange },
  {
    key: 'relu-adam',
    label: 'ReLU, Adam',
    ...DOCUMENT,
    activation: 'relu',
    optimizer: 'adam',
    color: COLORS.sky,
    dashed: true,
  },
  {
    key: 'selu-adam',
    label: 'SELU, Adam',
    ...DOCUMENT,
    activation: 'selu',
    optimizer: 'adam',
    color: COLORS.orange,
    dashed: true,
  },
  {
    key: 'selu-alpha',
    label: 'SELU + AD',
    ...DOCUMENT,
    activation: 'selu',
    dropout: 'alphaDropout',
    color: COLORS.pink,
  },
  {
    key: 'selu-alpha-lecun',
    label: 'SELU + AD, LeCun',
    ...AUTHORS,
    dropout: 'alphaDropout',
    color: COLORS.vermilion,
    dashed: true,
  },
  { key: 'selu-lecun', label: 'SELU, LeCun', ...AUTHORS, dropout: 'none', color: COLORS.grey },
  {
    key: 'selu-advised',
    label: 'SELU as advised',
    ...AUTHORS,
    batchNorm: 'sums',
    dropout: 'alphaDropout',
    color: COLORS.green,
  },
];

/** Configurations of a quick run. */
const FEW: readonly string[] = ['relu-bn', 'selu-bn', 'relu', 'selu', 'selu-alpha-lecun'];
/** Configurations whose batches are timed: what costs differently. */
export const TIMED: readonly string[] = FEW;

export interface Extent {
  readonly configurations: readonly Configuration[];
  readonly epochs: number;
  readonly seeds: number;
  /** Training pairs at most, from the first on; undefined: all. */
  readonly pairs: number | undefined;
  /** Timed turns of each configuration, and the batches of a turn. */
  readonly rounds: number;
  readonly batches: number;
}

/** What quick and default runs take at most: the full set is 549,367 pairs. */
const PART = 25_000;
/** Epochs of the document's pictures. */
const EPOCHS = 42;

const SIZES: Readonly<Record<Size, Omit<Extent, 'configurations'>>> = {
  quick: { epochs: 8, seeds: 1, pairs: PART, rounds: 7, batches: 3 },
  default: { epochs: 30, seeds: 3, pairs: PART, rounds: 15, batches: 8 },
  full: { epochs: EPOCHS, seeds: 5, pairs: undefined, rounds: 25, batches: 20 },
};

/** Fewer pairs or epochs than a run without --quick has leave the claims about accuracy open. */
export const ENOUGH = { pairs: 18_000, epochs: SIZES.default.epochs } as const;

/** How much a run does. */
export function extentOf({ size, epochs, seeds, limit }: RunSettings): Extent {
  return {
    ...SIZES[size],
    configurations: size === 'quick' ? CONFIGURATIONS.filter(({ key }) => FEW.includes(key)) : CONFIGURATIONS,
    ...(epochs === undefined ? {} : { epochs }),
    ...(seeds === undefined ? {} : { seeds }),
    ...(limit === undefined ? {} : { pairs: limit }),
  };
}

/** The trials of a run, in the order they are trained: seed by seed, so that an early look compares like with like. */
export function trialsOf(settings: RunSettings): Trial[] {
  const { configurations, epochs, seeds } = extentOf(settings);
  return Array.from({ length: seeds }, (_, i) => settings.seed + i).flatMap((seed) =>
    configurations.map((configuration) => ({
      name: `${configuration.key}-seed${seed}`,
      configuration,
      seed,
      epochs,
    })),
  );
}
