// A training at rest in a model's files: its tensors beside the weights under a prefix that no weight has, the rest as a note.
// To whoever wants the model alone they are not there.
import { failure, SelfnormError } from '../errors.js';
import { readSafetensors, type SafetensorsContent } from '../files/safetensors.js';
import type { NamedTensor } from '../optimizers/optimizer.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Model } from './model.js';
import { modelPaths } from './model-paths.js';
import { MODEL_TENSORS, type TrainingState } from './training-state.js';

const NOTE = 'training';

interface Note {
  /** In front of the names of tensors that are no weights. */
  readonly prefix: string;
  /** The names behind it, in the training's order: files have their own. */
  readonly order: readonly string[];
  readonly values: TrainingState['values'];
}

/** A training's tensors by the names that the file gives them, weights by their own, and its note. */
export function trainingToSave(state: TrainingState): [tensors: [string, Tensor][], notes: Record<string, string>] {
  const isWeight = ({ name }: NamedTensor): boolean => name.startsWith(MODEL_TENSORS);
  const weights = state.tensors
    .filter(isWeight)
    .map(({ name, tensor }): [string, Tensor] => [name.slice(MODEL_TENSORS.length), tensor]);
  let prefix = 'training/';
  while (weights.some(([name]) => name.startsWith(prefix))) prefix = `_${prefix}`;
  const others = state.tensors.filter((named) => !isWeight(named));
  const note: Note = { prefix, order: others.map(({ name }) => name), values: state.values };
  const prefixed = others.map(({ name, tensor }): [string, Tensor] => [prefix + name, tensor]);
  return [[...weights, ...prefixed], { [NOTE]: JSON.stringify(note) }];
}

function noteOf(path: string, { metadata }: SafetensorsContent): Note | null {
  const text = metadata[NOTE];
  if (text === undefined) return null;
  try {
    const note = JSON.parse(text) as Partial<Note> | null;
    const valid = typeof note?.prefix === 'string' && note.prefix !== '' && Array.isArray(note.order);
    if (valid && typeof note.values === 'object' && note.values !== null) return note as Note;
  } catch {
    // Said below, as of any other text.
  }
  throw failure(
    'ERR_FILE_FORMAT',
    'safetensors',
    `${path}: note "${NOTE}": expected JSON with prefix, order and values`,
  );
}

/**
 * The weights of a model's file. A training's tensors are freed.
 * @throws FileFormatError, as readSafetensors.
 */
export function readWeights(path: string): SafetensorsContent {
  const content = readSafetensors(path);
  try {
    const prefix = noteOf(path, content)?.prefix;
    if (prefix === undefined) return content;
    for (const [name, tensor] of content.tensors) {
      if (!name.startsWith(prefix)) continue;
      tensor.dispose();
      content.tensors.delete(name);
    }
    return content;
  } catch (error) {
    for (const tensor of content.tensors.values()) tensor.dispose();
    throw error;
  }
}

/** See `Model.loadTrainingState`. */
export async function loadTrainingState(model: Model, path: string): Promise<number> {
  const op = `${model.name}.loadTrainingState`;
  const { safetensors } = modelPaths(op, path);
  const content = readSafetensors(safetensors);
  try {
    const note = noteOf(safetensors, content);
    if (note === null) {
      const fix = 'save with includeOptimizer: true';
      throw failure('ERR_FILE_FORMAT', op, `${safetensors}: expected a training, got weights alone; ${fix}`);
    }
    const others = note.order.map((name): NamedTensor => {
      const tensor = content.tensors.get(note.prefix + name);
      if (tensor === undefined) throw failure('ERR_FILE_FORMAT', op, `${safetensors}: has no ${note.prefix}${name}`);
      return { name, tensor };
    });
    const weights = [...content.tensors]
      .filter(([name]) => !name.startsWith(note.prefix))
      .map(([name, tensor]): NamedTensor => ({ name: MODEL_TENSORS + name, tensor }));
    const tensors = [...weights, ...others];
    await model.setTrainingState({ values: note.values, tensors });
    return note.values['epoch'] as number;
  } catch (error) {
    if (!(error instanceof SelfnormError) || error.message.includes(safetensors)) throw error;
    throw failure(error.code, op, `${safetensors}: ${error.message}`);
  } finally {
    for (const tensor of content.tensors.values()) tensor.dispose();
  }
}
