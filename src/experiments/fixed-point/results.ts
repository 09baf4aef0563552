// What is measured: networks with new weights, for every target and beside what they should not do; and training by target.
import { COLORS } from '../../report/chart.js';
import { constants } from '../../self-normalizing/constants.js';
import { theorem } from '../../self-normalizing/theorem.js';
import type { Moments, SeluConstants } from '../../self-normalizing/moment-map.js';
import type { RunRecord } from '../../report/report.js';
import type { RunSettings } from '../experiment.js';
import { measure, predict, type Profile } from './depth.js';
import { needsCentring } from './network.js';
import { ASKED, DEPTH, seedsOf, TARGETS, USUAL, WIDTHS, type Target } from './trials.js';

/** One kind of deep network, with one profile a seed. */
export interface Stacked {
  readonly label: string;
  readonly color: string;
  readonly dashed?: boolean;
  readonly start: Moments;
  readonly profiles: readonly Profile[];
}

/** A target with the SELU that is to keep it. */
export interface Kept extends Stacked {
  readonly target: Target;
  readonly constants: SeluConstants;
  /** By how much a deviation of the variance shrinks from layer to layer, and the Jacobian's spectral norm. */
  readonly factor: number;
  readonly norm: number;
  /** The same with weights as they are drawn, which do not add up to 0. */
  readonly asDrawn: readonly Profile[];
}

/** A way back to the fixed point. */
export interface Way {
  readonly start: Moments;
  readonly measured: Profile;
  readonly predicted: Profile;
}

/** Everything that is looked at before training. */
export interface BeforeTraining {
  readonly kept: readonly Kept[];
  /** SELU with what it is not made for: other inputs, other weights. */
  readonly contrasts: { readonly inputs: Stacked; readonly weights: Stacked };
  /** Ways back for the usual target and the document's. */
  readonly ways: ReadonlyMap<string, readonly Way[]>;
}

/** Where ways begin, in standard deviations from the mean and as factors of the variance. */
const OFF: readonly (readonly [number, number])[] = [
  [-0.8, 0.25],
  [0.8, 0.25],
  [-0.8, 2],
  [0.8, 2],
];
const WAY_LAYERS = 12;

/** Measures all of it: seconds. `check` is called between networks and may throw. */
export function lookBeforeTraining(settings: RunSettings, check: () => void): BeforeTraining {
  const { units, samples } = WIDTHS[settings.size];
  const seeds = seedsOf(settings);
  const all = (own: SeluConstants, start: Moments, more: { centred?: boolean; initializer?: string } = {}): Profile[] =>
    seeds.map((seed) => {
      check();
      const stack = { depth: DEPTH, units, inputs: units, constants: own, centred: false, ...more };
      return measure(stack, start, samples, seed);
    });
  const kept = TARGETS.map((target): Kept => {
    const { pair: label, color, dashed = false } = target;
    const own = constants(target);
    const { jacobian, norm } = theorem({ ...own, mean: target.mean, variance: target.variance });
    const asDrawn = all(own, target);
    const profiles = needsCentring(target) ? all(own, target, { centred: true }) : asDrawn;
    const factor = Math.abs(jacobian[1][1]);
    return { target, label, color, dashed, start: target, constants: own, factor, norm, asDrawn, profiles };
  });
  const selu = constants();
  const contrasts = {
    inputs: { label: '(0, 4), SELU’s', color: COLORS.grey, start: ASKED, profiles: all(selu, ASKED) },
    weights: {
      label: '(0, 1), He’s',
      color: COLORS.grey,
      start: USUAL,
      profiles: all(selu, USUAL, { initializer: 'heNormal' }),
    },
  };
  const ways = new Map(
    [USUAL, ASKED].map((target) => {
      const own = constants(target);
      const found = OFF.map(([mean, variance], i): Way => {
        check();
        const start = {
          mean: target.mean + mean * Math.sqrt(target.variance),
          variance: target.variance * variance,
        };
        const stack = { depth: WAY_LAYERS, units, inputs: units, constants: own, centred: true };
        return { start, measured: measure(stack, start, samples, settings.seed + i), predicted: predict(stack, start) };
      });
      return [target.key, found] as const;
    }),
  );
  return { kept, contrasts, ways };
}

/** The moments after the last layer, as means over seeds. */
export function endOf(profiles: readonly Profile[]): Moments {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    mean: mean(profiles.map((profile) => profile.mean.at(-1)!)),
    variance: mean(profiles.map((profile) => profile.variance.at(-1)!)),
  };
}

/** How far moments are from a target: by its standard deviation, and as a factor of its variance, the larger one. */
export function distance(moments: Moments, target: Moments): { readonly mean: number; readonly factor: number } {
  const ratio = moments.variance / target.variance;
  return {
    mean: Math.abs(moments.mean - target.mean) / Math.sqrt(target.variance),
    factor: Math.max(ratio, 1 / ratio),
  };
}

/** Moments this close count as kept: a tenth of the spread and a third of the variance, which is what 32 layers of samples vary by. */
export function isKept(moments: Moments, target: Moments): boolean {
  const { mean, factor } = distance(moments, target);
  return mean <= 0.1 && factor <= 4 / 3;
}

/** The training runs of one target. */
export interface Group {
  readonly target: Target;
  readonly runs: readonly RunRecord[];
}

/** The runs by target, in the targets' order. */
export function groupRuns(runs: readonly RunRecord[]): Group[] {
  return TARGETS.map((target) => ({
    target,
    runs: runs.filter(({ settings }) => settings['key'] === target.key),
  })).filter((group) => group.runs.length > 0);
}
