// A layer's weight: the variable and what was attached to it. The trainer reads regularizers and constraints from here.
import type { ConstraintIdentifier, ConstraintLike } from '../constraints/constraint.js';
import { invalid } from '../errors.js';
import type { InitializerIdentifier, InitializerLike } from '../initializers/initializer.js';
import type { RegularizerIdentifier, RegularizerLike } from '../regularizers/regularizer.js';
import { castRaw, convert } from '../tensor/convert.js';
import type { DType } from '../tensor/dtype.js';
import { sameShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import { formatShape } from './symbolic.js';

/** How a weight is made. */
export interface WeightOptions {
  /** First values: a name, `{className, config}`, or anything with `apply(shape, dtype)`. */
  readonly initializer: InitializerIdentifier;
  /** A scalar penalty, added to the loss. */
  readonly regularizer?: RegularizerIdentifier;
  /** Where the weight is brought back to after each step. */
  readonly constraint?: ConstraintIdentifier;
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
  readonly initializer: InitializerLike;
  readonly regularizer: RegularizerLike | null;
  readonly constraint: ConstraintLike | null;
  /** False for statistics, whatever the layer's own `trainable` says. */
  readonly trainable: boolean;
}

/**
 * Overwrites variables with the given values, cast to their dtypes: all of them, or none when one does not fit.
 * @throws ArgumentError for another number of tensors; ShapeError naming the weight.
 */
export function assignWeights(
  op: string,
  variables: readonly Variable[],
  weights: readonly Tensor[],
  built: boolean,
): void {
  if (!Array.isArray(weights) || weights.length !== variables.length) {
    const list = variables.map(({ name, shape }) => `${name} ${formatShape(shape)}`).join(', ');
    const expected = variables.length === 0 && !built ? 'none, as it is not built yet' : list;
    throw invalid(
      'ERR_ARGUMENT',
      op,
      'weights',
      `${variables.length} tensors (${expected})`,
      Array.isArray(weights) ? `${weights.length}` : weights,
    );
  }
  const sources = (weights as readonly Tensor[]).map((value, i) => {
    const { name, shape } = variables[i]!;
    const argument = `weights[${i}] (${name})`;
    const source = convert(op, argument, value);
    if (!sameShape(source.shape, shape)) {
      throw invalid('ERR_SHAPE', op, argument, `shape ${formatShape(shape)}`, [...source.shape]);
    }
    return source;
  });
  sources.forEach((source, i) => {
    const target = variables[i]!;
    const values = castRaw(source, target.dtype);
    target.assign(values);
    if (values !== weights[i]) values.dispose();
  });
}
