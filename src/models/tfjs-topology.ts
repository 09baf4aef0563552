// A model's structure in the words of tfjs-layers 4.22: what it has under another name is renamed, what only training would
// miss is left out, and a layer that would predict something else there, or not load, is an error that names it.
import { invalid, type SelfnormError } from '../errors.js';
import { getActivation, type ActivationLike } from '../layers/activation.js';
import type { Layer } from '../layers/layer.js';
import type { SerializedLayer } from '../layers/registry.js';
import { TimeDistributed } from '../layers/wrappers.js';
import type { Model } from './model.js';

/** Layers of ours that tfjs has, with our options' names. */
const LAYERS: ReadonlySet<string> = new Set([
  'Activation',
  'Add',
  'AlphaDropout',
  'Average',
  'AveragePooling2D',
  'BatchNormalization',
  'Concatenate',
  'Conv2D',
  'Conv2DTranspose',
  'Dense',
  'DepthwiseConv2D',
  'Dot',
  'Dropout',
  'ELU',
  'Embedding',
  'Flatten',
  'GaussianDropout',
  'GaussianNoise',
  'GlobalAveragePooling2D',
  'GlobalMaxPooling2D',
  'InputLayer',
  'LayerNormalization',
  'LeakyReLU',
  'MaxPooling2D',
  'Maximum',
  'Minimum',
  'Multiply',
  'PReLU',
  'Permute',
  'ReLU',
  'Rescaling',
  'Reshape',
  'Softmax',
  'ThresholdedReLU',
]);

/** Our names of activations in tfjs's. Its hardSigmoid is another function, and its gelu_new does not come back from a file. */
const ACTIVATIONS: Readonly<Record<string, string>> = {
  elu: 'elu',
  gelu: 'gelu',
  linear: 'linear',
  logSoftmax: 'logSoftmax',
  mish: 'mish',
  relu: 'relu',
  relu6: 'relu6',
  selu: 'selu',
  sigmoid: 'sigmoid',
  silu: 'swish',
  softmax: 'softmax',
  softplus: 'softplus',
  softsign: 'softsign',
  tanh: 'tanh',
};

const CONSTRAINTS: ReadonlySet<string> = new Set(['MaxNorm', 'MinMaxNorm', 'NonNeg', 'UnitNorm']);
const REGULARIZERS: ReadonlySet<string> = new Set(['L1L2']);
const INITIALIZERS: ReadonlySet<string> = new Set([
  'Constant',
  'Identity',
  'Ones',
  'Orthogonal',
  'RandomNormal',
  'RandomUniform',
  'TruncatedNormal',
  'VarianceScaling',
  'Zeros',
]);
/** Serialised objects among a layer's options: by the end of the option's name, the classes of tfjs, and what stands for others. */
const OBJECTS: readonly (readonly [end: string, known: ReadonlySet<string>, instead: unknown])[] = [
  ['Initializer', INITIALIZERS, { className: 'Zeros', config: {} }],
  ['Regularizer', REGULARIZERS, null],
  ['Constraint', CONSTRAINTS, null],
];

type Config = Record<string, unknown>;

const nameOf = ({ className, config: { name } }: SerializedLayer): string =>
  typeof name === 'string' ? name : className;

/** The slope of a leaky ReLU, which tfjs has as a layer alone; null for other activations. */
function leakySlope(given: ActivationLike): number | null {
  const { name, applied } = getActivation(given);
  return name === 'leakyRelu' ? applied!.parameters[0]! : null;
}

function activationName(op: string, layer: SerializedLayer, given: ActivationLike): string {
  const { name, applied } = getActivation(given);
  const known = Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined;
  const standard = applied === null || getActivation(name).applied?.parameters.join() === applied.parameters.join();
  if (known !== undefined && standard) return known;
  const got = standard ? name : `${name} with parameters ${applied.parameters.join(', ')}`;
  const fix = leakySlope(given) === null ? undefined : 'leave it out, and put layers.leakyReLU() behind the layer';
  throw unlike(op, layer, 'activation', `one of ${Object.keys(ACTIVATIONS).join(', ')}`, got, fix);
}

function unlike(
  op: string,
  layer: SerializedLayer,
  option: string,
  expected: string,
  got: unknown,
  fix?: string,
): SelfnormError {
  return invalid('ERR_ARGUMENT', op, `layer ${nameOf(layer)}: ${option}`, expected, got, fix);
}

/** tfjs knows float32, int32 and bool. */
function dtypeOf(dtype: unknown): unknown {
  if (dtype === undefined || dtype === 'bool' || dtype === 'int32') return dtype;
  return dtype === 'uint8' ? 'int32' : 'float32';
}

function optionsOf(config: Config): Config {
  const entries = Object.entries(config).map(([option, value]): [string, unknown] => {
    const kind = OBJECTS.find(([end]) => option.endsWith(end));
    if (kind === undefined || value === null || typeof value !== 'object') return [option, value];
    return [option, kind[1].has(String((value as Partial<SerializedLayer>).className)) ? value : kind[2]];
  });
  return { ...Object.fromEntries(entries), dtype: dtypeOf(config['dtype']) };
}

/**
 * A layer, or a model with all layers in it, as tfjs loads it.
 * @param op For errors.
 * @throws ArgumentError that names the layer which tfjs does not have, or has as another function.
 */
export function tfjsLayer<L extends SerializedLayer>(op: string, layer: L): L {
  const { className, config } = layer;
  if (className === 'Sequential' || className === 'Model') {
    const layers = (config['layers'] as readonly SerializedLayer[]).map((one) => tfjsLayer(op, one));
    return { ...layer, config: { ...config, layers } };
  }
  if (className === 'TimeDistributed') {
    const inner = tfjsLayer(op, config['layer'] as SerializedLayer);
    return { ...layer, config: { ...optionsOf(config), layer: inner } };
  }
  if (!LAYERS.has(className)) {
    throw unlike(
      op,
      layer,
      'className',
      "one of tfjs's layers",
      className,
      'leave the layer out, or save without format',
    );
  }
  const { activation, groups, axis, alpha } = config;
  if (groups !== undefined) throw unlike(op, layer, 'groups', '1, as tfjs knows no groups', groups);
  if (className === 'Softmax' && axis !== -1) throw unlike(op, layer, 'axis', '-1, the last axis', axis);
  if (className === 'ELU' && alpha !== 1) throw unlike(op, layer, 'alpha', '1, as tfjs knows no other', alpha);
  const options = optionsOf(config);
  if (activation === undefined) return { ...layer, config: options };
  const given = activation as ActivationLike;
  const slope = className === 'Activation' ? leakySlope(given) : null;
  if (slope === null) return { ...layer, config: { ...options, activation: activationName(op, layer, given) } };
  return { ...layer, className: 'LeakyReLU', config: { ...options, activation: undefined, alpha: slope } };
}

/** Layers of a model; null of any other layer. Asked of the object: importing the class would be a circle. */
const layersOf = (layer: Layer): readonly Layer[] | null => ('layers' in layer ? (layer as Model).layers : null);

/**
 * The names that tfjs has for weights where they are not ours: it names the weights of a layer in a timeDistributed after the
 * wrapper.
 * @returns Ours to tfjs's.
 */
export function tfjsWeightNames(layers: readonly Layer[]): Map<string, string> {
  const names = new Map<string, string>();
  for (const layer of layers) {
    const wrapped = layer instanceof TimeDistributed ? layer.layer : null;
    for (const [own, theirs] of tfjsWeightNames(layersOf(wrapped ?? layer) ?? [])) names.set(own, theirs);
    if (wrapped === null || layersOf(wrapped) !== null) continue;
    for (const { name } of wrapped.layerWeights) names.set(`${wrapped.name}/${name}`, `${layer.name}/${name}`);
  }
  return names;
}
