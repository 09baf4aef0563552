// Constraints: where a weight may be. The trainer assigns `apply(weight)` to the weight after each step.
import { invalid } from '../errors.js';
import { cast } from '../ops/cast.js';
import { Configurable, Registry, type ConfigurableClass, type Identifier } from '../serialization.js';
import { tidy } from '../tensor/memory.js';
import type { Tensor } from '../tensor/tensor.js';

/** Brings a weight back where it may be. A class of your own has a static `className`; `registerConstraint` makes it loadable. */
export abstract class Constraint extends Configurable {
  /** The nearest allowed weight, or one on the way there; of the weight's shape and dtype. */
  abstract apply(weight: Tensor): Tensor;
}

/** Anything with `apply(weight)` will do; only a `Constraint` can be saved. */
export type ConstraintLike = Pick<Constraint, 'apply'>;
/** What a layer takes: `'maxNorm'`, `constraints.maxNorm({ maxValue: 3 })`, `{className, config}`, or null for none. */
export type ConstraintIdentifier = Identifier<ConstraintLike> | null | undefined;
/** One axis, several, or null: all. */
export type ConstraintAxes = number | readonly number[] | null;

/** @internal Constraints by name. */
export const constraintRegistry = new Registry<ConstraintLike>(
  'constraint',
  (value): value is ConstraintLike => 'apply' in value && typeof value.apply === 'function',
);

/** Makes a constraint class known to layers and saved models under its static `className`. */
export function registerConstraint<C extends ConfigurableClass<Constraint>>(constraintClass: C): C {
  constraintRegistry.enter(constraintClass);
  return constraintClass;
}

/** Checks an `axis` option; whether the weight has it is seen when it comes. */
export function checkAxisOption(op: string, axis: unknown): ConstraintAxes {
  const list: unknown[] = Array.isArray(axis) ? axis : [axis];
  if (axis === null || (list.length > 0 && list.every((one) => Number.isInteger(one)))) return axis as ConstraintAxes;
  throw invalid('ERR_ARGUMENT', op, 'axis', 'an integer, an array of integers, or null for all axes', axis);
}

/** Computes in float32 where the weight is a half type, whose sums of squares are too coarse for a norm. */
export function inFloat32(weight: Tensor, body: (w: Tensor) => Tensor): Tensor {
  const half = weight.dtype === 'float16' || weight.dtype === 'bfloat16';
  return tidy(() => (half ? cast(body(cast(weight, 'float32')), weight.dtype) : body(weight)));
}
