// Initializers whose variance follows from the number of inputs and outputs of a unit, so that signals keep their size from
// layer to layer. LeCun's (1 / inputs) is the one that SELU's fixed point is made for. Rules and numbers are Keras 3's.
import { invalid } from '../errors.js';
import { randomNormal, randomUniform, truncatedNormal } from '../ops/random.js';
import { checkOptions, checkSetting } from '../serialization.js';
import type { DType } from '../tensor/dtype.js';
import { checkShape, type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { Initializer, initializerRegistry, seedOf, type SeedOptions } from './initializer.js';

/** Standard deviation of a standard normal cut off beyond 2: dividing by it gives the wanted variance after the cut. */
const TRUNCATED_DEVIATION = 0.87962566103423978;

export type FanMode = 'fanIn' | 'fanOut' | 'fanAvg';
/** `'normal'` is `'truncatedNormal'`, as in tfjs and Keras. */
export type Distribution = 'normal' | 'truncatedNormal' | 'untruncatedNormal' | 'uniform';

const MODES: readonly FanMode[] = ['fanIn', 'fanOut', 'fanAvg'];
const DISTRIBUTIONS: readonly Distribution[] = ['normal', 'truncatedNormal', 'untruncatedNormal', 'uniform'];

export interface VarianceScalingOptions extends SeedOptions {
  /** The variance is scale / fan (default 1). */
  scale?: number | undefined;
  /** Which count divides (default `'fanIn'`); `'fanAvg'` is the mean of both. */
  mode?: FanMode | undefined;
  /** Default `'normal'`. */
  distribution?: Distribution | undefined;
}

/**
 * Inputs and outputs of one unit of a weight: a vector's size counts as both; axes before the last two are a filter's window,
 * which multiplies both.
 */
export function computeFans(shape: Shape): [fanIn: number, fanOut: number] {
  if (shape.length === 0) return [1, 1];
  if (shape.length === 1) return [shape[0]!, shape[0]!];
  const window = shape.slice(0, -2).reduce((product, size) => product * size, 1);
  return [shape.at(-2)! * window, shape.at(-1)! * window];
}

/** One of a list of names; Keras's `fan_in` is `fanIn`. */
function oneOf<T extends string>(argument: string, known: readonly T[], value: unknown): T {
  const name = typeof value === 'string' ? value.replace(/_([a-z])/g, (_, c: string) => c.toUpperCase()) : value;
  if (known.includes(name as T)) return name as T;
  throw invalid('ERR_ARGUMENT', 'varianceScaling', argument, `one of ${known.join(', ')}`, value);
}

export class VarianceScaling extends Initializer {
  static override readonly className = 'VarianceScaling';
  readonly scale: number;
  readonly mode: FanMode;
  readonly distribution: Distribution;
  readonly seed: number | undefined;

  constructor(options?: VarianceScalingOptions) {
    super();
    const { scale = 1, mode = 'fanIn', distribution = 'normal', seed } = checkOptions('varianceScaling', options);
    this.scale = checkSetting('varianceScaling', 'scale', scale);
    if (!(scale > 0)) throw invalid('ERR_ARGUMENT', 'varianceScaling', 'scale', 'a number above 0', scale);
    this.mode = oneOf('mode', MODES, mode);
    this.distribution = oneOf('distribution', DISTRIBUTIONS, distribution);
    this.seed = seedOf('varianceScaling', seed);
  }

  /** The variance of the values for a weight of that shape. */
  varianceFor(shape: Shape): number {
    const [fanIn, fanOut] = computeFans(shape);
    const fan = this.mode === 'fanIn' ? fanIn : this.mode === 'fanOut' ? fanOut : (fanIn + fanOut) / 2;
    return this.scale / Math.max(1, fan);
  }

  override apply(shape: Shape, dtype?: DType): Tensor {
    checkShape('varianceScaling', 'shape', shape);
    const variance = this.varianceFor(shape);
    const deviation = Math.sqrt(variance);
    if (this.distribution === 'uniform') {
      const limit = Math.sqrt(3 * variance);
      return randomUniform(shape, -limit, limit, dtype, this.seed);
    }
    if (this.distribution === 'untruncatedNormal') return randomNormal(shape, 0, deviation, dtype, this.seed);
    return truncatedNormal(shape, 0, deviation / TRUNCATED_DEVIATION, dtype, this.seed);
  }

  override getConfig(): Record<string, unknown> {
    const { scale, mode, distribution, seed = null } = this;
    return { scale, mode, distribution, seed };
  }
}

/** The named ones are settings of VarianceScaling, and files say so, as tfjs's do. */
const NAMED = {
  glorotUniform: { scale: 1, mode: 'fanAvg', distribution: 'uniform' },
  glorotNormal: { scale: 1, mode: 'fanAvg', distribution: 'normal' },
  heNormal: { scale: 2, mode: 'fanIn', distribution: 'normal' },
  heUniform: { scale: 2, mode: 'fanIn', distribution: 'uniform' },
  leCunNormal: { scale: 1, mode: 'fanIn', distribution: 'normal' },
  leCunUniform: { scale: 1, mode: 'fanIn', distribution: 'uniform' },
} as const;

type SeededMaker = (options?: SeedOptions) => VarianceScaling;

function named(name: keyof typeof NAMED): SeededMaker {
  const make: SeededMaker = (options) =>
    new VarianceScaling({ ...NAMED[name], seed: checkOptions(name, options).seed });
  initializerRegistry.enterAs(name, make);
  return make;
}

initializerRegistry.enter(VarianceScaling);

/**
 * Variance scale / fan, where a unit's fan is its inputs (`'fanIn'`), outputs (`'fanOut'`) or the mean of both (`'fanAvg'`).
 * Normal values are cut off at two standard deviations, and their variance is exact after the cut, as in Keras.
 * @throws ArgumentError for a scale that is not above 0, an unknown mode or distribution.
 */
export const varianceScaling = (options?: VarianceScalingOptions): VarianceScaling => new VarianceScaling(options);
/** Uniform, variance 2 / (inputs + outputs): Glorot and Bengio 2010. */
export const glorotUniform: SeededMaker = named('glorotUniform');
/** Truncated normal, variance 2 / (inputs + outputs): Glorot and Bengio 2010. */
export const glorotNormal: SeededMaker = named('glorotNormal');
/** Truncated normal, variance 2 / inputs: He et al. 2015, for ReLU. */
export const heNormal: SeededMaker = named('heNormal');
/** Uniform, variance 2 / inputs: He et al. 2015, for ReLU. */
export const heUniform: SeededMaker = named('heUniform');
/** Truncated normal, variance 1 / inputs: LeCun et al. 1998; what self-normalising networks start from. */
export const leCunNormal: SeededMaker = named('leCunNormal');
/** Uniform, variance 1 / inputs: LeCun et al. 1998. */
export const leCunUniform: SeededMaker = named('leCunUniform');
