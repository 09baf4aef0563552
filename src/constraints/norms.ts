// Constraints on the Euclidean norm of each unit's incoming weights, and on signs. Rules are Keras 3's.
import { invalid } from '../errors.js';
import { relu } from '../ops/activations.js';
import { add, div, mul } from '../ops/arithmetic.js';
import { clipByValue, sqrt, square } from '../ops/elementwise.js';
import { sum } from '../ops/reductions.js';
import { checkOptions, checkSetting } from '../serialization.js';
import { checkAxes } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkAxisOption, Constraint, constraintRegistry, inFloat32, type ConstraintAxes } from './constraint.js';

/** Keras's: keeps a column of zeros from dividing by 0. */
const EPSILON = 1e-7;

export interface UnitNormOptions {
  /** Axes whose elements form one vector (default 0: a dense unit's weights); [0, 1, 2] for convolutions; null: all. */
  axis?: ConstraintAxes | undefined;
}
export interface MaxNormOptions extends UnitNormOptions {
  /** Default 2. */
  maxValue?: number | undefined;
}
export interface MinMaxNormOptions extends UnitNormOptions {
  /** Default 0. */
  minValue?: number | undefined;
  /** Default 1. */
  maxValue?: number | undefined;
  /** How far a step goes towards the range: 1 (default) all the way, 0 not at all. */
  rate?: number | undefined;
}

function norms(op: string, w: Tensor, axis: ConstraintAxes): Tensor {
  return sqrt(sum(square(w), checkAxes(op, axis, w.rank), true));
}

export class MaxNorm extends Constraint {
  static override readonly className = 'MaxNorm';
  readonly maxValue: number;
  readonly axis: ConstraintAxes;
  constructor(options?: MaxNormOptions) {
    super();
    const { maxValue = 2, axis = 0 } = checkOptions('maxNorm', options);
    this.maxValue = checkSetting('maxNorm', 'maxValue', maxValue, 0);
    this.axis = checkAxisOption('maxNorm', axis);
  }
  override apply(weight: Tensor): Tensor {
    return inFloat32(weight, (w) => {
      const norm = norms('maxNorm', w, this.axis);
      return mul(w, div(clipByValue(norm, 0, this.maxValue), add(norm, EPSILON)));
    });
  }
  override getConfig(): Record<string, unknown> {
    return { maxValue: this.maxValue, axis: this.axis };
  }
}

export class MinMaxNorm extends Constraint {
  static override readonly className = 'MinMaxNorm';
  readonly minValue: number;
  readonly maxValue: number;
  readonly rate: number;
  readonly axis: ConstraintAxes;
  constructor(options?: MinMaxNormOptions) {
    super();
    const { minValue = 0, maxValue = 1, rate = 1, axis = 0 } = checkOptions('minMaxNorm', options);
    this.minValue = checkSetting('minMaxNorm', 'minValue', minValue, 0);
    this.maxValue = checkSetting('minMaxNorm', 'maxValue', maxValue, 0);
    if (maxValue < minValue) {
      throw invalid('ERR_ARGUMENT', 'minMaxNorm', 'maxValue', `at least minValue, ${minValue}`, maxValue);
    }
    this.rate = checkSetting('minMaxNorm', 'rate', rate, 0);
    if (rate > 1) throw invalid('ERR_ARGUMENT', 'minMaxNorm', 'rate', 'a number in [0, 1]', rate);
    this.axis = checkAxisOption('minMaxNorm', axis);
  }
  override apply(weight: Tensor): Tensor {
    return inFloat32(weight, (w) => {
      const norm = norms('minMaxNorm', w, this.axis);
      const clipped = clipByValue(norm, this.minValue, this.maxValue);
      const wanted = add(mul(clipped, this.rate), mul(norm, 1 - this.rate));
      return mul(w, div(wanted, add(norm, EPSILON)));
    });
  }
  override getConfig(): Record<string, unknown> {
    const { minValue, maxValue, rate, axis } = this;
    return { minValue, maxValue, rate, axis };
  }
}

export class UnitNorm extends Constraint {
  static override readonly className = 'UnitNorm';
  readonly axis: ConstraintAxes;
  constructor(options?: UnitNormOptions) {
    super();
    const { axis = 0 } = checkOptions('unitNorm', options);
    this.axis = checkAxisOption('unitNorm', axis);
  }
  override apply(weight: Tensor): Tensor {
    return inFloat32(weight, (w) => div(w, add(norms('unitNorm', w, this.axis), EPSILON)));
  }
  override getConfig(): Record<string, unknown> {
    return { axis: this.axis };
  }
}

export class NonNeg extends Constraint {
  static override readonly className = 'NonNeg';
  override apply(weight: Tensor): Tensor {
    return relu(weight);
  }
}

constraintRegistry.enter(MaxNorm, MinMaxNorm, UnitNorm, NonNeg);

/**
 * Scales down vectors whose norm exceeds `maxValue` (default 2).
 * @throws ArgumentError for a negative maximum or an axis that is no integer.
 */
export const maxNorm = (options?: MaxNormOptions): MaxNorm => new MaxNorm(options);
/**
 * Brings norms into [minValue, maxValue] (default [0, 1]), or by `rate` of the way.
 * @throws ArgumentError for an empty range or a rate outside [0, 1].
 */
export const minMaxNorm = (options?: MinMaxNormOptions): MinMaxNorm => new MinMaxNorm(options);
/** Brings every norm to 1; a vector of zeros stays. */
export const unitNorm = (options?: UnitNormOptions): UnitNorm => new UnitNorm(options);
/** Negative weights become 0. */
export const nonNeg = (): NonNeg => new NonNeg();
