// Saving a model. The weights' file holds a copy of the structure, and its rename is what makes a save count: a process that
// dies between the two renames leaves a pair that still loads, as loading takes the copy when the two do not belong together.
import { createHash } from 'node:crypto';
import { invalid } from '../errors.js';
import { encodeSafetensors } from '../files/safetensors.js';
import { writeTogether } from '../files/write-atomically.js';
import { encodeNpz } from '../interchange/numpy/npz.js';
import { DTYPE_BYTES } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { version } from '../version.js';
import { encodeWeights, type ModelArtifacts, type SaveHandler } from './artifacts.js';
import type { Model } from './model.js';
import { foreignPath, makeFolderOf, modelPaths } from './model-paths.js';
import { weightsToSave } from './named-weights.js';
import { tfjsArtifacts, writeTfjsFiles } from './tfjs-files.js';
import { trainingToSave } from './training-files.js';

/** Options of `model.save`. */
export interface SaveConfig {
  /** Leave out weights that are not trained (default false); loading such a file needs `strict: false`. */
  trainableOnly?: boolean;
  /**
   * Save with the weights all that decides how training goes on: optimizer, random numbers, how far the epoch is, what callbacks
   * remember (default false). `model.loadTrainingState` takes it up.
   */
  includeOptimizer?: boolean;
  /**
   * `'tfjs'`: what `tf.loadLayersModel` of @tensorflow/tfjs-layers 4.22 takes, in float32: the target is a folder that gets a
   * model.json with its weights beside it, or a path that ends in .json, or a handler. Default `'selfnorm'`.
   */
  format?: 'selfnorm' | 'tfjs';
}

/** What a save came to, as tfjs says it. */
export interface SaveResult {
  readonly modelArtifactsInfo: {
    readonly dateSaved: Date;
    readonly modelTopologyType: 'JSON';
    readonly modelTopologyBytes: number;
    readonly weightDataBytes: number;
  };
}

/** What a model's JSON file says. */
export interface ModelFile {
  readonly format: 'layers-model';
  readonly generatedBy: string;
  readonly convertedBy: null;
  readonly modelTopology: Record<string, unknown>;
  /** Of the structure as saved: which weights' file belongs to it. */
  readonly digest: string;
}

/** Notes in a weights' file: the JSON file once more, and its digest. */
export const MODEL_NOTE = 'model';
export const DIGEST_NOTE = 'digest';

function modelFile(model: Model): ModelFile {
  const modelTopology = model.toJSON(undefined, false) as Record<string, unknown>;
  const digest = createHash('sha256').update(JSON.stringify(modelTopology)).digest('hex').slice(0, 16);
  return { format: 'layers-model', generatedBy: `selfnorm v${version}`, convertedBy: null, modelTopology, digest };
}

/** Has the shape of one of tfjs's save handlers. */
function isHandler(value: unknown): value is SaveHandler {
  return value !== null && typeof value === 'object' && 'save' in value && typeof value.save === 'function';
}

/** See `Model.save`. */
export async function saveModel(
  model: Model,
  target: string | SaveHandler,
  config: SaveConfig = {},
): Promise<SaveResult> {
  const op = `${model.name}.save`;
  if (config === null || typeof config !== 'object') throw invalid('ERR_ARGUMENT', op, 'config', 'an object', config);
  const { trainableOnly = false, includeOptimizer = false, format = 'selfnorm' } = config;
  if (format !== 'selfnorm' && format !== 'tfjs') {
    throw invalid('ERR_ARGUMENT', op, 'format', "'selfnorm' or 'tfjs'", format);
  }
  if (includeOptimizer && (trainableOnly || isHandler(target) || format === 'tfjs')) {
    const got = trainableOnly ? 'trainableOnly too' : format === 'tfjs' ? 'format tfjs' : 'a handler';
    throw invalid('ERR_ARGUMENT', op, 'includeOptimizer', 'a path, and all weights', got);
  }
  const weights = weightsToSave(op, model, trainableOnly);
  if (format === 'tfjs') return saveForTfjs(op, model, target, weights);
  const state = includeOptimizer ? await model.trainingState() : null;
  try {
    // From here to the files nothing waits, so that no step comes between two weights.
    return state === null
      ? await write(op, model, target, weights, {})
      : await write(op, model, target, ...trainingToSave(state));
  } finally {
    for (const { tensor } of state?.tensors ?? []) tensor.dispose();
  }
}

async function saveForTfjs(
  op: string,
  model: Model,
  target: string | SaveHandler,
  weights: readonly [string, Tensor][],
): Promise<SaveResult> {
  const artifacts = tfjsArtifacts(op, model, weights);
  if (isHandler(target)) await target.save(artifacts);
  else writeTfjsFiles(op, target, artifacts);
  const topology = JSON.stringify(artifacts.modelTopology);
  return resultOf(Buffer.byteLength(topology), (artifacts.weightData as ArrayBuffer).byteLength);
}

const resultOf = (modelTopologyBytes: number, weightDataBytes: number): SaveResult => ({
  modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON', modelTopologyBytes, weightDataBytes },
});

async function write(
  op: string,
  model: Model,
  target: string | SaveHandler,
  tensors: readonly [string, Tensor][],
  notes: Readonly<Record<string, string>>,
): Promise<SaveResult> {
  const file = modelFile(model);
  const topologyBytes = Buffer.byteLength(JSON.stringify(file.modelTopology));
  const weightBytes = tensors.reduce((sum, [, { size, dtype }]) => sum + size * DTYPE_BYTES[dtype], 0);
  if (isHandler(target)) {
    const { format, generatedBy, convertedBy, modelTopology } = file;
    const artifacts: ModelArtifacts = {
      format,
      generatedBy,
      convertedBy,
      modelTopology,
      ...encodeWeights(op, tensors),
    };
    await target.save(artifacts);
  } else {
    const { json, safetensors } = modelPaths(op, target);
    const text = JSON.stringify(file);
    const own = { format: 'selfnorm', [MODEL_NOTE]: text, [DIGEST_NOTE]: file.digest };
    const content = encodeSafetensors(op, tensors, { ...own, ...notes });
    makeFolderOf(json);
    writeTogether([
      { path: safetensors, content },
      { path: json, content: text },
    ]);
  }
  return resultOf(topologyBytes, weightBytes);
}

/** See `Model.saveWeights`. */
export async function saveModelWeights(model: Model, path: string): Promise<void> {
  const op = `${model.name}.saveWeights`;
  const { safetensors } = modelPaths(op, path);
  const weights = weightsToSave(op, model);
  const foreign = foreignPath(path);
  if (foreign?.format === 'keras') throw invalid('ERR_ARGUMENT', op, 'path', 'a path of .safetensors or .npz', path);
  const file = foreign?.path ?? safetensors;
  const content =
    foreign === null ? encodeSafetensors(op, weights, { format: 'selfnorm' }) : await encodeNpz(op, weights, false);
  makeFolderOf(file);
  writeTogether([{ path: file, content }]);
}
