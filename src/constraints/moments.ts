// Constraints on the mean and variance of weights: what keeps a deep SELU network's means from growing from layer to layer.
import { invalid } from '../errors.js';
import { sub } from '../ops/arithmetic.js';
import { mean } from '../ops/reductions.js';
import { standardize } from '../ops/standardize.js';
import { checkOptions, checkSetting } from '../serialization.js';
import { checkAxes } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkAxisOption, Constraint, constraintRegistry, inFloat32, type ConstraintAxes } from './constraint.js';

export interface WeightCentralizationOptions {
  /** Axes the mean is taken over (default null: all); 0 for each unit of a dense layer, [0, 1, 2] of a convolution. */
  axis?: ConstraintAxes | undefined;
}
export interface WeightStandardizationOptions {
  /** Axes of one mean and variance. Default: all but the last, so each unit's own; null: all. */
  axis?: ConstraintAxes | undefined;
  /** Added to the variance (default 1e-5). */
  epsilon?: number | undefined;
}

export class WeightCentralization extends Constraint {
  static override readonly className = 'WeightCentralization';
  readonly axis: ConstraintAxes;
  constructor(options?: WeightCentralizationOptions) {
    super();
    this.axis = checkAxisOption('weightCentralization', checkOptions('weightCentralization', options).axis ?? null);
  }
  override apply(weight: Tensor): Tensor {
    return inFloat32(weight, (w) => sub(w, mean(w, checkAxes('weightCentralization', this.axis, w.rank), true)));
  }
  override getConfig(): Record<string, unknown> {
    return { axis: this.axis };
  }
}

export class WeightStandardization extends Constraint {
  static override readonly className = 'WeightStandardization';
  /** undefined: all axes but the last. */
  readonly axis: ConstraintAxes | undefined;
  readonly epsilon: number;
  constructor(options?: WeightStandardizationOptions) {
    super();
    const { axis, epsilon = 1e-5 } = checkOptions('weightStandardization', options);
    this.axis = axis === undefined ? undefined : checkAxisOption('weightStandardization', axis);
    this.epsilon = checkSetting('weightStandardization', 'epsilon', epsilon, 0);
  }
  override apply(weight: Tensor): Tensor {
    const { axis, epsilon } = this;
    if (axis === undefined && weight.rank < 2) {
      throw invalid(
        'ERR_SHAPE',
        'weightStandardization',
        'weight',
        'at least two axes',
        [...weight.shape],
        'give axis',
      );
    }
    const perUnit = Array.from({ length: weight.rank - 1 }, (_, i) => i);
    const axes = checkAxes('weightStandardization', axis === undefined ? perUnit : axis, weight.rank);
    return inFloat32(weight, (w) => standardize(w, axes, epsilon).normal);
  }
  override getConfig(): Record<string, unknown> {
    const { axis, epsilon } = this;
    return axis === undefined ? { epsilon } : { axis, epsilon };
  }
}

constraintRegistry.enter(WeightCentralization, WeightStandardization);

/**
 * w - mean(w): over the whole weight, or over `axis` for each unit's own mean, which is the one that SELU's fixed point asks for.
 * @throws ArgumentError for an axis that is no integer.
 */
export const weightCentralization = (options?: WeightCentralizationOptions): WeightCentralization =>
  new WeightCentralization(options);
/**
 * (w - mean) / sqrt(variance + epsilon) over `axis`, by default for each unit: Qiao et al. 2019.
 * @throws ArgumentError for an axis that is no integer or a negative epsilon.
 */
export const weightStandardization = (options?: WeightStandardizationOptions): WeightStandardization =>
  new WeightStandardization(options);
