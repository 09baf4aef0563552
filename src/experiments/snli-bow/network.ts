// The document's network: word vectors that are not trained, one dense layer for every word, their sum, and three dense layers on
// the two sums. Every layer has a name of its own, so that a checkpoint fits the network another process builds.
import * as layers from '../../layers/index.js';
import type { Layer } from '../../layers/layer.js';
import type { SymbolicTensor } from '../../layers/symbolic.js';
import { input } from '../../layers/input.js';
import { model } from '../../models/functional.js';
import type { Model } from '../../models/model.js';
import { sum } from '../../ops/reductions.js';
import { l2 } from '../../regularizers/index.js';
import type { Tensor } from '../../tensor/tensor.js';
import { DROPOUT_RATE, L2, MAX_LEN, type Configuration } from './trials.js';

const WORD_UNITS = 300;
const DENSE_UNITS = 2 * WORD_UNITS;
const CLASSES = 3;

/** Layers whose outputs are looked at: both sums as the dense layers get them, then these. */
export const WATCHED: readonly string[] = ['joint', 'dense1_end', 'dense2_end', 'dense3_end'];

function dropOf(name: string, { dropout }: Configuration): Layer[] {
  const options = { name, rate: DROPOUT_RATE };
  if (dropout === 'none') return [];
  return [dropout === 'dropout' ? layers.dropout(options) : layers.alphaDropout(options)];
}

const normOf = (name: string, wanted: boolean): Layer[] => (wanted ? [layers.batchNormalization({ name })] : []);

/** One layer behind the other. */
const through = (x: SymbolicTensor, chain: readonly Layer[]): SymbolicTensor =>
  chain.reduce<SymbolicTensor>((y, layer) => layer.apply(y), x);

/** The network, and the outputs of `WATCHED` by name. */
export interface Network {
  readonly model: Model;
  readonly ends: ReadonlyMap<string, SymbolicTensor>;
}

/**
 * The network of a configuration, with new weights.
 * @param vectors `[words, dimension]`, row 0 for the padding. They are copied, and not trained.
 */
export function buildNetwork(configuration: Configuration, vectors: Tensor): Network {
  const { activation, initializer, batchNorm } = configuration;
  const [inputDim, outputDim] = vectors.shape as [number, number];
  const shared = { activation, kernelInitializer: initializer };
  const words = layers.embedding({ name: 'words', inputDim, outputDim, inputLength: MAX_LEN, trainable: false });
  const translate = layers.timeDistributed({
    name: 'translate',
    layer: layers.dense({ name: 'translate_word', units: WORD_UNITS, ...shared }),
  });
  const add = layers.lambda({ name: 'sum', fn: (x: Tensor) => sum(x, 1), outputShape: [WORD_UNITS] });
  const sentence = (name: string): { ids: SymbolicTensor; end: SymbolicTensor } => {
    const ids = input({ shape: [MAX_LEN], dtype: 'int32', name });
    const chain = [words, translate, add, ...normOf(`${name}_norm`, batchNorm !== 'none')];
    return { ids, end: through(ids, chain) };
  };
  const [premise, hypothesis] = [sentence('premise'), sentence('hypothesis')];
  const joint = layers.concatenate({ name: 'joint' }).apply<SymbolicTensor>([premise.end, hypothesis.end]);
  const ends = new Map([['joint', joint]]);
  let x = through(joint, dropOf('joint_drop', configuration));
  for (let i = 1; i <= 3; i++) {
    const name = `dense${i}`;
    x = through(x, [
      layers.dense({ name, units: DENSE_UNITS, ...shared, kernelRegularizer: l2({ l2: L2 }) }),
      ...dropOf(`${name}_drop`, configuration),
      ...normOf(`${name}_norm`, batchNorm === 'all'),
    ]);
    ends.set(`${name}_end`, x);
  }
  const output = through(x, [layers.dense({ name: 'output', units: CLASSES, activation: 'softmax' })]);
  const network = model({ inputs: [premise.ids, hypothesis.ids], outputs: output, name: 'snli_bow' });
  words.setWeights([vectors]);
  return { model: network, ends };
}
