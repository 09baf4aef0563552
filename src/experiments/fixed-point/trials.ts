// The moments that networks are to keep, and what is trained with them, as data.
import { COLORS } from '../../report/chart.js';
import type { Moments } from '../../self-normalizing/moment-map.js';
import type { RunSettings, Size } from '../experiment.js';

/** A mean and variance, with the SELU whose constants are solved for it. */
export interface Target extends Moments {
  /** Unique; names files and finds the target again. */
  readonly key: string;
  readonly label: string;
  /** For legends: `(0, 4)`. */
  readonly pair: string;
  readonly color: string;
  readonly dashed?: boolean;
}

function target(mean: number, variance: number, color: string, dashed = false): Target {
  const shown = `${mean < 0 ? '−' : ''}${Math.abs(mean)}`;
  return {
    key: `mean-${mean}-variance-${variance}`,
    label: `mean ${shown}, variance ${variance}`,
    pair: `(${shown}, ${variance})`,
    mean,
    variance,
    color,
    dashed,
  };
}

/** SELU's own. */
export const USUAL = target(0, 1, COLORS.blue);
/** The document's question. */
export const ASKED = target(0, 4, COLORS.vermilion);
const QUARTER = target(0, 0.25, COLORS.green);
const SIXTEEN = target(0, 16, COLORS.orange);
const POSITIVE = target(0.5, 1, COLORS.pink, true);
const NEGATIVE = target(-0.5, 1, COLORS.sky, true);

/** All targets there are: what is looked at before training, which takes seconds. */
export const TARGETS: readonly Target[] = [USUAL, ASKED, QUARTER, SIXTEEN, POSITIVE, NEGATIVE];

/** Pairs a little beyond what constants can keep, to show where that ends. */
export const REFUSED: readonly Moments[] = [
  { mean: 2, variance: 1 },
  { mean: -2, variance: 1 },
];

/** Layers of the networks that are looked at before training, and of those that are trained. */
export const DEPTH = 32;
export const TRAINED_DEPTH = 8;
/** Their widths, and the samples that moments are taken over. */
export const WIDTHS: Readonly<
  Record<Size, { readonly units: number; readonly samples: number; readonly trainedUnits: number }>
> = {
  quick: { units: 256, samples: 512, trainedUnits: 128 },
  default: { units: 512, samples: 1024, trainedUnits: 256 },
  full: { units: 1024, samples: 2048, trainedUnits: 512 },
};

/** One training run. */
export interface Trial {
  readonly name: string;
  readonly target: Target;
  readonly seed: number;
  readonly epochs: number;
}

/** Epochs that it takes to tell networks apart. */
export const ENOUGH_EPOCHS = 10;

const SIZES: Readonly<Record<Size, { targets: readonly Target[]; epochs: number; seeds: number }>> = {
  quick: { targets: [USUAL, ASKED], epochs: 2, seeds: 2 },
  default: { targets: TARGETS, epochs: ENOUGH_EPOCHS, seeds: 3 },
  full: { targets: TARGETS, epochs: 30, seeds: 5 },
};

/** The seeds of a run. */
export const seedsOf = ({ size, seed, seeds }: RunSettings): number[] =>
  Array.from({ length: seeds ?? SIZES[size].seeds }, (_, i) => seed + i);

/** The training runs, seed by seed, so that an early look compares like with like. */
export function trialsOf(settings: RunSettings): Trial[] {
  const { targets, epochs } = SIZES[settings.size];
  return seedsOf(settings).flatMap((seed) =>
    targets.map((one) => ({ name: `${one.key}-seed${seed}`, target: one, seed, epochs: settings.epochs ?? epochs })),
  );
}
