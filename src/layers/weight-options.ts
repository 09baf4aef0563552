// The three options that every weight of a layer has, `kernelInitializer`, `kernelRegularizer` and `kernelConstraint`: their
// types, the objects they mean, and their serialised form.
import { getConstraint } from '../constraints/by-name.js';
import type { ConstraintIdentifier } from '../constraints/constraint.js';
import { failure, invalid, SelfnormError } from '../errors.js';
import { getInitializer } from '../initializers/by-name.js';
import type { InitializerIdentifier } from '../initializers/initializer.js';
import { getRegularizer, type RegularizerIdentifier } from '../regularizers/regularizer.js';
import { serialize } from '../serialization.js';
import { isFloat, promote, type DType } from '../tensor/dtype.js';
import type { WeightOptions } from './weight.js';

/** Options of a weight: its first values, the penalty added to the loss, and what each step brings it back to. */
export type WeightConfig<Prefix extends string> = {
  readonly [Key in `${Prefix}Initializer`]?: InitializerIdentifier | undefined;
} & { readonly [Key in `${Prefix}Regularizer`]?: RegularizerIdentifier } & {
  readonly [Key in `${Prefix}Constraint`]?: ConstraintIdentifier;
};

/** What a layer keeps of a weight's options. */
export interface WeightRecipe {
  /** For addWeight. */
  readonly options: WeightOptions;
  /** The options again, as JSON. */
  readonly config: Record<string, unknown>;
}

/**
 * Reads a weight's options.
 * @param layer Named in errors.
 * @param prefix Of the options' names: 'kernel'.
 * @param config The layer's options.
 * @param initializer Used when the options name none.
 */
export function weightRecipe<Prefix extends string>(
  layer: string,
  prefix: Prefix,
  config: WeightConfig<Prefix>,
  initializer: InitializerIdentifier,
): WeightRecipe {
  const given = config as Readonly<Record<string, unknown>>;
  const read = <T>(option: string, get: (value: never) => T, fallback?: unknown): T => {
    try {
      return get((given[option] ?? fallback) as never);
    } catch (error) {
      if (!(error instanceof SelfnormError)) throw error;
      throw failure(error.code, layer, `${option}: ${error.message}`);
    }
  };
  const options = {
    initializer: read(`${prefix}Initializer`, getInitializer, initializer),
    regularizer: read(`${prefix}Regularizer`, getRegularizer),
    constraint: read(`${prefix}Constraint`, getConstraint),
  };
  return {
    options,
    get config() {
      return {
        [`${prefix}Initializer`]: serialize(options.initializer),
        [`${prefix}Regularizer`]: serialize(options.regularizer),
        [`${prefix}Constraint`]: serialize(options.constraint),
      };
    },
  };
}

/** tfjs's option for a penalty on the output. tfjs takes it and does nothing; here it is refused. */
export interface ActivityConfig {
  readonly activityRegularizer?: null | undefined;
}
export function refuseActivityRegularizer(layer: string, config: ActivityConfig): void {
  const given: unknown = config.activityRegularizer;
  if (given === null || given === undefined) return;
  const fix = 'penalties on outputs are not supported; put one on the kernel';
  throw invalid('ERR_ARGUMENT', layer, 'activityRegularizer', 'nothing', given, fix);
}

/** Checks the dtype of a layer that has weights. */
export function weightDType(layer: string, dtype: DType): void {
  if (!isFloat(dtype)) throw invalid('ERR_DTYPE', layer, 'dtype', 'a float dtype, as the layer has weights', dtype);
}

/** Dtype of what inputs and weights give together: the widest of them. */
export const wideOutput = (inputDTypes: readonly DType[], weights: DType): DType =>
  inputDTypes.filter(isFloat).reduce(promote, weights);
