// Loading a model from what `model.save` wrote, from tfjs's model.json, or from one of tfjs's load handlers.
import { readFileSync, statSync } from 'node:fs';
import { failure, invalid } from '../errors.js';
import { unreadable, type SafetensorsContent } from '../files/safetensors.js';
import { withinBudget } from '../layers/weight-budget.js';
import type { Tensor } from '../tensor/tensor.js';
import { weightsOfArtifacts, type LoadHandler } from './artifacts.js';
import { loadKerasFile } from './keras-files.js';
import type { Model } from './model.js';
import { inFile, modelFromTopology } from './model-json.js';
import { foreignPath, modelPaths } from './model-paths.js';
import { assignByName } from './named-weights.js';
import { DIGEST_NOTE, MODEL_NOTE } from './saving.js';
import { weightsOfManifest } from './tfjs-files.js';
import { tfjsWeightNames } from './tfjs-topology.js';
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

/** Who wrote a structure: 'tfjs-layers 4.22.0', '2.11.0'; undefined where it does not say. */
function versionOf(topology: unknown): string | undefined {
  if (!isObject(topology)) return undefined;
  const version = topology['keras_version'] ?? topology['kerasVersion'];
  if (typeof version === 'string') return version;
  return versionOf(topology['modelTopology'] ?? topology['model_config'] ?? topology['modelConfig']);
}

/** tfjs and Keras 2 have another function of that name: predictions would differ without a word. */
function refuseHardSigmoid(value: unknown, layer: unknown = undefined): void {
  if (Array.isArray(value)) for (const item of value) refuseHardSigmoid(item, layer);
  if (!isObject(value)) return;
  const name = value['name'] ?? layer;
  const { activation } = value;
  const used = isObject(activation) ? (activation['class_name'] ?? activation['className']) : activation;
  if (typeof used === 'string' && used.replace('_', '').toLowerCase() === 'hardsigmoid') {
    const got = 'its hard_sigmoid, clip(0.2 x + 0.5, 0, 1)';
    const expected = "an activation that is the same here (hardSigmoid is Keras 3's relu6(x + 3) / 6)";
    throw failure('ERR_FILE_FORMAT', OP, `layer ${String(name)}: expected ${expected}, got ${got}`);
  }
  for (const item of Object.values(value)) refuseHardSigmoid(item, name);
}

function modelOf(source: string, topology: unknown): Model {
  const format = isObject(topology) ? topology['format'] : undefined;
  if (format !== undefined && format !== null && format !== 'layers-model') {
    throw invalid('ERR_FILE_FORMAT', OP, `${source}: format`, "'layers-model'", format);
  }
  try {
    if (/^(tfjs|[12]\.)/.test(versionOf(topology) ?? '')) refuseHardSigmoid(topology);
    return modelFromTopology(topology as Record<string, unknown>, OP);
  } catch (error) {
    throw inFile(OP, source, error);
  }
}

/** The tensors by our names of the weights, where the file has tfjs's. */
function underOwnNames(model: Model, tensors: ReadonlyMap<string, Tensor>): ReadonlyMap<string, Tensor> {
  const renamed = new Map(tensors);
  for (const [own, theirs] of tfjsWeightNames(model.layers)) {
    const tensor = tensors.get(theirs);
    if (tensor === undefined || tensors.has(own)) continue;
    renamed.delete(theirs);
    renamed.set(own, tensor);
  }
  return renamed;
}

/**
 * Loads a model of Keras 3 with its weights, as `loadLayersModel` does a path that ends in .keras. Needs h5wasm.
 * @param source A path, or the file's bytes.
 * @throws FileFormatError for what is no such file, or when h5wasm is not installed; ArgumentError that names the layer whose class
 *   or option has no equal here.
 * @example const model = await sn.loadKerasModel('trained.keras');
 */
export async function loadKerasModel(source: string | Uint8Array, options: LoadOptions = {}): Promise<Model> {
  const valid = (typeof source === 'string' && source !== '') || source instanceof Uint8Array;
  if (!valid) throw invalid('ERR_ARGUMENT', 'loadKerasModel', 'source', 'a path, or bytes', source);
  return loadKerasFile('loadKerasModel', source, options.strict);
}

/**
 * Loads a model with its weights.
 * @param source What `model.save` was given; a tfjs model.json, or its folder; a .keras file of Keras 3, whose weights h5wasm
 *   reads (`npm install h5wasm`); or an object whose `load()` gives tfjs's artifacts.
 * @param options `strict: false` leaves weights that the file has not as they begin, and overlooks those that the model has not.
 * @throws FileFormatError that names the file and the byte, or the weights that are missing, unknown or of another shape;
 *   ArgumentError for a layer class that is not registered. Nothing is left on the device then.
 */
export async function loadLayersModel(source: string | LoadHandler, options: LoadOptions = {}): Promise<Model> {
  const foreign = typeof source === 'string' ? foreignPath(source) : null;
  if (foreign?.path.endsWith('.keras') === true) return loadKerasFile(OP, foreign.path, options.strict);
  const isHandler = isObject(source) && typeof source['load'] === 'function';
  const found = isHandler ? await load(source as unknown as LoadHandler) : find(source as string);
  const { tensors, weightsSource } = found;
  try {
    // In a strict load the model has the file's weights and no others.
    const sizes =
      tensors === null || options.strict === false ? [Infinity] : [...tensors.values()].map(({ size }) => size);
    const elements = sizes.reduce((sum, size) => sum + size, 0);
    const model = withinBudget(elements, () => modelOf(found.source, found.topology));
    try {
      if (tensors !== null) assignByName(OP, weightsSource, model, underOwnNames(model, tensors), options.strict);
      return model;
    } catch (error) {
      model.dispose();
      throw error;
    }
  } finally {
    for (const tensor of tensors?.values() ?? []) tensor.dispose();
  }
}
