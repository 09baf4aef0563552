// Loading a model from what `model.save` wrote, from tfjs's model.json, or from one of tfjs's load handlers.
import { readFileSync, statSync } from 'node:fs';
import { failure, invalid, SelfnormError } from '../errors.js';
import { unreadable, type SafetensorsContent } from '../files/safetensors.js';
import type { Tensor } from '../tensor/tensor.js';
import { weightsOfArtifacts, weightsOfManifest, type LoadHandler } from './artifacts.js';
import type { Model } from './model.js';
import { modelFromTopology } from './model-json.js';
import { modelPaths } from './model-paths.js';
import { assignByName } from './named-weights.js';
import { DIGEST_NOTE, MODEL_NOTE } from './saving.js';
import { readWeights } from './training-files.js';

const OP = 'loadLayersModel';

/** Options of `loadLayersModel`. */
export interface LoadOptions {
  /** Whether the file must have each of the model's weights, and no other (default true). */
  strict?: boolean;
}

/** A model's structure and weights, as found. */
interface Found {
  /** The file that errors about the structure name. */
  readonly source: string;
  /** The file that errors about the weights name. */
  readonly weightsSource: string;
  readonly topology: unknown;
  /** null: the structure came alone. */
  readonly tensors: ReadonlyMap<string, Tensor> | null;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

function parse(source: string, text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw failure('ERR_FILE_FORMAT', OP, `${source}: expected a model as JSON: ${(error as Error).message}`);
  }
  if (isObject(value)) return value;
  throw invalid('ERR_FILE_FORMAT', OP, source, 'a model as JSON', value);
}

/** A file's text; null when there is none. */
function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw unreadable(path, error);
  }
}

const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

/** The file that a path means: itself, with .json behind, or the model.json in a folder, as tfjs saves it. */
function locate(path: string): { json: string; safetensors: string } {
  const paths = modelPaths(OP, path);
  if (exists(paths.json) || exists(paths.safetensors)) return paths;
  return statSync(paths.base, { throwIfNoEntry: false })?.isDirectory() === true
    ? modelPaths(OP, `${paths.base}/model.json`)
    : paths;
}

/** The structure that belongs to a weights' file, when the JSON file beside it is missing or of another save. */
function structureOf(json: string, own: Record<string, unknown> | null, content: SafetensorsContent): unknown {
  const { [MODEL_NOTE]: copy, [DIGEST_NOTE]: digest } = content.metadata;
  // Without a digest of its own the JSON comes from elsewhere, and is meant.
  const other = typeof own?.['digest'] === 'string' && own['digest'] !== digest;
  if (own !== null && (copy === undefined || !other)) return own;
  if (copy !== undefined) return parse(json, copy);
  throw failure('ERR_FILE_FORMAT', OP, `${json}: the file does not exist; weights alone are for model.loadWeights()`);
}

function find(path: string): Found {
  const { json, safetensors } = locate(path);
  const text = textOf(json);
  const own = text === null ? null : parse(json, text);
  if (own !== null && 'weightsManifest' in own) {
    const tensors = weightsOfManifest(json, own['weightsManifest']);
    return { source: json, weightsSource: json, topology: own, tensors };
  }
  if (own === null && !exists(safetensors)) throw failure('ERR_FILE_FORMAT', OP, `${json}: the file does not exist`);
  const content = readWeights(safetensors);
  try {
    const topology = structureOf(json, own, content);
    return { source: json, weightsSource: safetensors, topology, tensors: content.tensors };
  } catch (error) {
    for (const tensor of content.tensors.values()) tensor.dispose();
    throw error;
  }
}

async function load(handler: LoadHandler): Promise<Found> {
  const artifacts = await handler.load();
  if (!isObject(artifacts) || !isObject(artifacts.modelTopology)) {
    throw invalid('ERR_ARGUMENT', OP, 'load()', 'artifacts with modelTopology', artifacts);
  }
  const source = 'load()';
  return { source, weightsSource: source, topology: artifacts, tensors: weightsOfArtifacts(artifacts) };
}

function modelOf(source: string, topology: unknown): Model {
  const format = isObject(topology) ? topology['format'] : undefined;
  if (format !== undefined && format !== null && format !== 'layers-model') {
    throw invalid('ERR_FILE_FORMAT', OP, `${source}: format`, "'layers-model'", format);
  }
  try {
    return modelFromTopology(topology as Record<string, unknown>, OP);
  } catch (error) {
    if (!(error instanceof SelfnormError)) throw error;
    throw failure(error.code, OP, `${source}: ${error.message.replace(`${OP}: `, '')}`);
  }
}

/**
 * Loads a model with its weights.
 * @param source What `model.save` was given; a tfjs model.json, or its folder; or an object whose `load()` gives tfjs's
 *   artifacts.
 * @param options `strict: false` leaves weights that the file has not as they begin, and overlooks those that the model has not.
 * @throws FileFormatError that names the file and the byte, or the weights that are missing, unknown or of another shape;
 *   ArgumentError for a layer class that is not registered. Nothing is left on the device then.
 */
export async function loadLayersModel(source: string | LoadHandler, options: LoadOptions = {}): Promise<Model> {
  const isHandler = isObject(source) && typeof source['load'] === 'function';
  const found = isHandler ? await load(source as unknown as LoadHandler) : find(source as string);
  const { tensors, weightsSource } = found;
  try {
    const model = modelOf(found.source, found.topology);
    try {
      if (tensors !== null) assignByName(OP, weightsSource, model, tensors, options.strict);
      return model;
    } catch (error) {
      model.dispose();
      throw error;
    }
  } finally {
    for (const tensor of tensors?.values() ?? []) tensor.dispose();
  }
}
