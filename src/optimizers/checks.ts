// What an optimizer's settings may be: the checks, and the options that every optimizer takes last.
import { invalid } from '../errors.js';
import { checkOptions } from '../serialization.js';
import { checkLossScaling, type LossScaling, type LossScalingOptions } from './loss-scaling.js';

/** Checks a setting: a number with low <= value < high. */
export function checkNumber(op: string, argument: string, value: unknown, low: number, high: number): number {
  if (typeof value !== 'number' || !(value >= low && value < high)) {
    throw invalid('ERR_ARGUMENT', op, argument, `a number in [${low}, ${high})`, value);
  }
  return value;
}

/** Checks a setting: a boolean. */
export function checkFlag(op: string, argument: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw invalid('ERR_ARGUMENT', op, argument, 'true or false', value);
}

/** What every optimizer takes last; null and undefined mean none. At most one kind of clipping can be set. */
export interface OptimizerOptions {
  /** Scales each gradient whose Euclidean norm is larger down to this one. */
  clipNorm?: number | null | undefined;
  /** Brings each gradient's elements into [-clipValue, clipValue]. */
  clipValue?: number | null | undefined;
  /** Scales all gradients alike when the Euclidean norm of them together is larger. */
  globalClipNorm?: number | null | undefined;
  /** Decoupled weight decay: takes the share `learningRate weightDecay` off each parameter before its step. */
  weightDecay?: number | null | undefined;
  /** Keeps running averages of the parameters, `momentum average + (1 - momentum) parameter`, in [0, 1); see swapAverages. */
  emaMomentum?: number | null | undefined;
  /**
   * Takes a step with every so many batches only, with the mean of their gradients, as Keras 3: a step of four batches of 32 is one of
   * a batch of 128, in the memory of 32. Gradients that wait at the end of an epoch wait for the first batches of the next, and
   * are part of a saved training. Clipping, schedules, averages and loss scaling see steps, not batches. Default 1.
   */
  gradientAccumulationSteps?: number | null | undefined;
  /**
   * Dynamic loss scaling, which float16 gradients need: true, or its settings. Left out, `compile` turns it on for models with
   * layers that compute in float16; false: never.
   */
  lossScaling?: boolean | LossScalingOptions | null | undefined;
}

/** Kinds of clipping; the order is part of the contract with the kernels. */
const CLIPPINGS = ['none', 'clipNorm', 'globalClipNorm', 'clipValue'] as const;

/** Options that were checked. */
export interface CommonSettings {
  readonly clipping: (typeof CLIPPINGS)[number];
  readonly clipLimit: number;
  readonly weightDecay: number;
  /** null: no averages. */
  readonly emaMomentum: number | null;
  /** Batches that make a step. */
  readonly accumulationSteps: number;
  /** null: where compile finds that gradients need it. */
  readonly lossScaling: LossScaling | false | null;
}

const KEYS = [
  'clipNorm',
  'clipValue',
  'globalClipNorm',
  'weightDecay',
  'emaMomentum',
  'gradientAccumulationSteps',
  'lossScaling',
] as const;

function checkAccumulation(op: string, value: unknown): number {
  if (value === undefined || value === null) return 1;
  if (Number.isSafeInteger(value) && (value as number) >= 1) return value as number;
  throw invalid('ERR_ARGUMENT', op, 'gradientAccumulationSteps', 'an integer of at least 1', value);
}

/** Checks the options every optimizer takes. */
export function checkOptimizerOptions(op: string, options: OptimizerOptions | null | undefined): CommonSettings {
  const given = checkOptions(op, options);
  const unknown = Object.keys(given).find((key) => !(KEYS as readonly string[]).includes(key));
  if (unknown !== undefined) throw invalid('ERR_ARGUMENT', op, 'options', `only ${KEYS.join(', ')}`, unknown);
  const clippings = CLIPPINGS.filter((name) => name !== 'none' && (given[name] ?? null) !== null);
  if (clippings.length > 1) {
    throw invalid('ERR_ARGUMENT', op, 'options', `one of ${CLIPPINGS.slice(1).join(', ')}`, clippings);
  }
  const [clipping = 'none'] = clippings;
  const limit: unknown = clipping === 'none' ? 0 : given[clipping];
  if (clipping !== 'none' && !(typeof limit === 'number' && limit > 0 && limit < Infinity)) {
    throw invalid('ERR_ARGUMENT', op, clipping, 'a finite number above 0', limit);
  }
  const { weightDecay, emaMomentum, lossScaling } = given;
  return {
    clipping,
    clipLimit: limit as number,
    weightDecay: checkNumber(op, 'weightDecay', weightDecay ?? 0, 0, Infinity),
    emaMomentum: (emaMomentum ?? null) === null ? null : checkNumber(op, 'emaMomentum', emaMomentum, 0, 1),
    accumulationSteps: checkAccumulation(op, given.gradientAccumulationSteps),
    lossScaling: checkLossScaling(op, lossScaling),
  };
}

/** The numbers the native op takes for them. */
export const encodeSettings = ({ clipping, clipLimit, weightDecay }: CommonSettings): number[] => [
  CLIPPINGS.indexOf(clipping),
  clipLimit,
  weightDecay,
];

/** The options that make these settings again; only those that do something. */
export function optionsOf(settings: CommonSettings): OptimizerOptions {
  const { clipping, clipLimit, weightDecay, emaMomentum, accumulationSteps, lossScaling } = settings;
  return {
    ...(clipping === 'none' ? {} : { [clipping]: clipLimit }),
    ...(weightDecay === 0 ? {} : { weightDecay }),
    ...(emaMomentum === null ? {} : { emaMomentum }),
    ...(accumulationSteps === 1 ? {} : { gradientAccumulationSteps: accumulationSteps }),
    ...(lossScaling === null ? {} : { lossScaling }),
  };
}
