// A model's weights by name: what files hold, and how they find their variables again.
import { failure } from '../errors.js';
import { formatShape } from '../layers/symbolic.js';
import { assignWeights } from '../layers/weight.js';
import { sameShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Model, NamedWeight } from './model.js';

/** At most so many names stand in a message. */
const MOST_NAMES = 6;

function listed(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMES).join(', ');
  return names.length > MOST_NAMES ? `${shown} and ${names.length - MOST_NAMES} more` : shown;
}

/**
 * The weights to save, under the names that files give them.
 * @throws ArgumentError when the model is not built.
 */
export function weightsToSave(op: string, model: Model, trainableOnly = false): [string, Tensor][] {
  if (!model.built) {
    throw failure('ERR_ARGUMENT', op, 'the model is not built yet; give its first layer an inputShape, or apply it');
  }
  return model
    .namedWeights()
    .filter(({ variable }) => !trainableOnly || variable.trainable)
    .map(({ name, variable }) => [name, variable]);
}

/**
 * Overwrites a model's weights with tensors of the same names; other dtypes are cast. Nothing changes when one does not fit.
 * @param source The file, for errors.
 * @param strict Whether each weight must be there, and nothing else (default true). Shapes must fit either way.
 * @throws FileFormatError that lists what is missing, what the model does not have, and what has another shape.
 */
export function assignByName(
  op: string,
  source: string,
  model: Model,
  tensors: ReadonlyMap<string, Tensor>,
  strict = true,
): void {
  const weights = model.namedWeights();
  const own = new Set(weights.map(({ name }) => name));
  const found = (weight: NamedWeight): Tensor | undefined => tensors.get(weight.name);
  const missing = weights.filter((weight) => found(weight) === undefined).map(({ name }) => name);
  const unknown = [...tensors.keys()].filter((name) => !own.has(name));
  const present = weights.filter((weight) => found(weight) !== undefined);
  const unlike = present
    .filter((weight) => !sameShape(found(weight)!.shape, weight.variable.shape))
    .map(
      ({ name, variable }) =>
        `${name} (expected ${formatShape(variable.shape)}, got ${formatShape(tensors.get(name)!.shape)})`,
    );
  const faults = [
    strict && missing.length > 0 ? `has no ${listed(missing)}` : '',
    strict && unknown.length > 0 ? `has ${listed(unknown)}, which the model has not` : '',
    unlike.length > 0 ? `has other shapes: ${listed(unlike)}` : '',
  ].filter((fault) => fault !== '');
  if (faults.length > 0)
    throw failure('ERR_FILE_FORMAT', op, `${source}: weights of ${model.name}: ${faults.join('; ')}`);
  assignWeights(
    op,
    present.map(({ variable }) => variable),
    present.map((weight) => found(weight)!),
    model.built,
  );
}
