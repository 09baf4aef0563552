// From a model's structure as JSON, ours or tfjs's or Keras 2's, to a model with fresh weights.
import { failure, invalid, SelfnormError } from '../errors.js';
import { layerFromConfig } from '../layers/registry.js';
import { freedOnError } from '../tensor/variable.js';
import './functional.js';
import { Model } from './model.js';
import { fromPythonic } from './pythonic.js';
import './sequential.js';

/** A model's structure: `toJSON()`'s string or object, tfjs's model.json, or what Keras's `to_json()` gives. */
export type ModelTopology = string | Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

/** The innermost description: model.json wraps it in `modelTopology`, and files with an optimizer in `model_config`. */
function unwrap(op: string, json: ModelTopology): Record<string, unknown> {
  let value: unknown = json;
  if (typeof value === 'string') {
    try {
      value = JSON.parse(value);
    } catch (error) {
      throw failure(
        'ERR_FILE_FORMAT',
        op,
        `json: expected a model as JSON, got a text that is none (${String(error)})`,
      );
    }
  }
  for (const wrapper of ['modelTopology', 'model_config', 'modelConfig']) {
    if (isObject(value) && isObject(value[wrapper])) value = value[wrapper];
  }
  if (!isObject(value)) throw invalid('ERR_FILE_FORMAT', op, 'json', 'a model as JSON', value);
  return value;
}

/**
 * The error of a structure in a file: with the file's name, and in words where JSON of another kind than a model's broke a step, or
 * is nested so deeply that the stack ends.
 */
export function inFile(op: string, source: string, error: unknown): unknown {
  if (error instanceof SelfnormError) {
    return failure(error.code, op, `${source}: ${error.message.replace(`${op}: `, '')}`);
  }
  if (!(error instanceof TypeError || error instanceof RangeError)) return error;
  return failure(
    'ERR_FILE_FORMAT',
    op,
    `${source}: expected a model's structure, got a damaged one (${error.message})`,
  );
}

/**
 * The model a structure describes, with fresh weights, at once: what loading builds on.
 * @throws FileFormatError when the JSON is no model; ArgumentError for a layer class that is not registered.
 */
export function modelFromTopology(json: ModelTopology, op = 'modelFromJSON'): Model {
  const { className, config } = fromPythonic(unwrap(op, json)) as { className?: unknown; config?: unknown };
  if (typeof className !== 'string' || config === null || typeof config !== 'object') {
    throw invalid('ERR_FILE_FORMAT', op, 'json', "a model's class_name and config", className);
  }
  // A structure that is wrong further on has made the weights of its first layers.
  return freedOnError(() => {
    const made = layerFromConfig({ className, config: config as Record<string, unknown> });
    if (!(made instanceof Model)) throw invalid('ERR_FILE_FORMAT', op, 'class_name', 'a model', className);
    return made;
  });
}

/**
 * The model a structure describes, with fresh weights.
 * @param json `model.toJSON()`'s string or object, or the topology in a tfjs or Keras 2 file.
 * @throws FileFormatError when the JSON is no model; ArgumentError for a layer class that is not registered.
 */
export async function modelFromJSON(json: ModelTopology): Promise<Model> {
  return Promise.resolve().then(() => modelFromTopology(json));
}
