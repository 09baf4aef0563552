// Models from Keras 3's .keras files: the structure in our words, then the weights.
import { withHdf5 } from '../interchange/keras/hdf5.js';
import { groupsOf } from '../interchange/keras/places.js';
import { fromKeras3 } from '../interchange/keras/topology.js';
import { withinBudget } from '../layers/weight-budget.js';
import { assign, nested, unpack } from './keras-weights.js';
import type { Model } from './model.js';
import { inFile, modelFromTopology } from './model-json.js';

/**
 * The model in a .keras file of Keras 3, as `loadLayersModel` gives it.
 * @param source A path, or the file's bytes.
 * @param strict As of `loadLayersModel`.
 * @throws FileFormatError for what is no such file, or when h5wasm is not installed; ArgumentError that names the layer whose
 *   class or option has no equal here.
 */
export async function loadKerasFile(op: string, source: string | Uint8Array, strict?: boolean): Promise<Model> {
  const label = typeof source === 'string' ? source : 'keras';
  const { config, weights } = await unpack(op, source, label);
  let model: Model;
  try {
    const topology = fromKeras3(op, config);
    // No weight takes less than a byte.
    const elements = strict === false ? Infinity : weights.length;
    model = withinBudget(elements, () => modelFromTopology(topology, op));
  } catch (error) {
    throw inFile(op, label, error);
  }
  try {
    const groups = groupsOf(nested(model, config));
    await withHdf5(op, weights, label, (file) => assign(op, label, model, groups, file, strict));
    return model;
  } catch (error) {
    model.dispose();
    throw error;
  }
}
