// A model's weights from a file alone: which format it is, its name says.
import { loadNpz } from '../interchange/numpy/npz.js';
import { loadKerasWeights } from './keras-weights.js';
import type { Model } from './model.js';
import { foreignPath, modelPaths } from './model-paths.js';
import { assignByName } from './named-weights.js';
import { readWeights } from './training-files.js';

/** See `Model.loadWeights`. */
export async function loadModelWeights(model: Model, path: string, strict?: boolean): Promise<void> {
  const op = `${model.name}.loadWeights`;
  const { safetensors } = modelPaths(op, path);
  const foreign = foreignPath(path);
  if (foreign?.format === 'keras') return loadKerasWeights(op, foreign.path, model, strict);
  const file = foreign?.path ?? safetensors;
  const tensors = foreign === null ? readWeights(file).tensors : await loadNpz(file);
  try {
    assignByName(op, file, model, tensors, strict);
  } finally {
    for (const tensor of tensors.values()) tensor.dispose();
  }
}
