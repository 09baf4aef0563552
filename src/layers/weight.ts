// A layer's weight: the variable and what was attached to it. The trainer reads regularizers and constraints from here.
import type { DType } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';

/** First values. */
export interface WeightInitializer {
  apply(shape: Shape, dtype?: DType): Tensor;
}
/** A scalar penalty, added to the loss. */
export interface WeightRegularizer {
  apply(weight: Tensor): Tensor;
}
/** The weight brought back where it may be, after each step. */
export interface WeightConstraint {
  apply(weight: Tensor): Tensor;
}

export interface WeightOptions {
  readonly initializer: WeightInitializer;
  readonly regularizer?: WeightRegularizer | null | undefined;
  readonly constraint?: WeightConstraint | null | undefined;
  /** Default true. */
  readonly trainable?: boolean;
  /** Default: the layer's dtype. */
  readonly dtype?: DType;
}

/** A weight as its layer keeps it. */
export interface LayerWeight {
  /** Without the layer's name: 'kernel'. */
  readonly name: string;
  readonly variable: Variable;
  readonly initializer: WeightInitializer;
  readonly regularizer: WeightRegularizer | null;
  readonly constraint: WeightConstraint | null;
  /** False for statistics, whatever the layer's own `trainable` says. */
  readonly trainable: boolean;
}
