// Which layers ONNX can express, and how. A layer that is not in the table is an error that names it.
import type { Activation, ELU, LeakyReLU, PReLU, ReLU, Softmax, ThresholdedReLU } from '../../layers/activations.js';
import { getActivation } from '../../layers/activation.js';
import type { Dense } from '../../layers/dense.js';
import type { BatchNormalization, LayerNormalization } from '../../layers/normalization.js';
import type { Rescaling } from '../../layers/rescaling.js';
import { imageAxis, type Value } from './graph-builder.js';
import * as images from './image-layers.js';
import type { LayerWriter, WriteLayer } from './layer-writer.js';
import type { Attribute } from './messages.js';
import * as shapes from './shape-layers.js';

const dense: WriteLayer<Dense> = (to, layer, [input]) => {
  const x = to.graph.channelsLast(to.graph.float(input!));
  const bias = to.has('bias') ? [to.weight('bias')] : [];
  let name: string;
  if (x.shape.length === 2) name = to.graph.node('Gemm', [x.name, to.weight('kernel'), ...bias]);
  else {
    name = to.graph.node('MatMul', [x.name, to.weight('kernel')]);
    for (const term of bias) name = to.graph.node('Add', [name, term]);
  }
  return to.activate(to.value(name, to.outputShape([x]), x), layer.activation);
};

const embedding: WriteLayer = (to, _, [input]) => {
  const x = to.graph.int32(to.graph.channelsLast(input!));
  const name = to.graph.node('Gather', [to.weight('embeddings'), x.name], { axis: 0 });
  return { name, shape: to.outputShape([x]), channelsFirst: false, element: 'float32' };
};

const activation: WriteLayer<Activation> = (to, layer, [x]) => to.activate(to.graph.float(x!), layer.activation);
const elu: WriteLayer<ELU> = (to, { alpha }, [x]) =>
  to.activate(to.graph.float(x!), getActivation({ name: 'elu', alpha }));
const leakyReLU: WriteLayer<LeakyReLU> = (to, { alpha }, [x]) =>
  to.activate(to.graph.float(x!), getActivation({ name: 'leakyRelu', alpha }));

/** A node of one float value and constants, of its shape. */
function node(to: LayerWriter, type: string, input: Value, constants: readonly string[], alpha?: number): Value {
  const x = to.graph.float(input);
  const attributes: Record<string, Attribute> = alpha === undefined ? {} : { alpha: { f: alpha } };
  return { ...x, name: to.graph.node(type, [x.name, ...constants], attributes) };
}

const reLU: WriteLayer<ReLU> = (to, { maxValue }, [x]) =>
  maxValue === null ? node(to, 'Relu', x!, []) : node(to, 'Clip', x!, [to.graph.scalar(0), to.graph.scalar(maxValue)]);
const thresholdedReLU: WriteLayer<ThresholdedReLU> = (to, { theta }, [x]) => node(to, 'ThresholdedRelu', x!, [], theta);

const prelu: WriteLayer<PReLU> = (to, _, [x]) =>
  node(to, 'PRelu', x!, [x!.channelsFirst ? to.weight('alpha', [2, 0, 1]) : to.weight('alpha')]);

const softmax: WriteLayer<Softmax> = (to, { axis }, [input]) => {
  const x = to.graph.float(input!);
  const rank = x.shape.length;
  const axes = (typeof axis === 'number' ? [axis] : axis).map((one) => {
    const own = one < 0 ? one + rank : one;
    return x.channelsFirst ? imageAxis(own) : own;
  });
  if (axes.length === 1) return { ...x, name: to.graph.node('Softmax', [x.name], { axis: axes[0]! }) };
  const largest = to.graph.node('ReduceMax', [x.name], { axes, keepdims: 1 });
  const shares = to.graph.node('Exp', [to.graph.node('Sub', [x.name, largest])]);
  // From version 13 on ReduceSum takes its axes as a value.
  const sum = to.graph.node('ReduceSum', [shares, to.graph.sizes(axes)], { keepdims: 1 });
  return { ...x, name: to.graph.node('Div', [shares, sum]) };
};

const rescaling: WriteLayer<Rescaling> = (to, { scale, offset }, [x]) => {
  const scaled = node(to, 'Mul', x!, [to.graph.scalar(scale)]);
  return offset === 0 ? scaled : node(to, 'Add', scaled, [to.graph.scalar(offset)]);
};

const batchNormalization: WriteLayer<BatchNormalization> = (to, layer, [input]) => {
  const rank = input!.shape.length;
  const axis = layer.axis < 0 ? layer.axis + rank : layer.axis;
  const isImage = rank === 4 && axis === 3;
  const float = to.graph.float(input!);
  const x = isImage ? to.graph.channelsFirst(float) : to.graph.channelsLast(float);
  const size = x.shape[axis]!;
  const constants = [
    to.weightOr('gamma', 1, [size]),
    to.weightOr('beta', 0, [size]),
    to.weight('moving_mean'),
    to.weight('moving_variance'),
  ];
  const attributes = { epsilon: { f: layer.epsilon } };
  const normalized = (name: string): string => to.graph.node('BatchNormalization', [name, ...constants], attributes);
  if (isImage || axis === 1) return { ...x, name: normalized(x.name) };
  const perm = x.shape.map((_, i) => (i === axis ? 1 : i === 1 ? axis : i));
  const turned = to.graph.node('Transpose', [x.name], { perm });
  return { ...x, name: to.graph.node('Transpose', [normalized(turned)], { perm }) };
};

const layerNormalization: WriteLayer<LayerNormalization> = (to, layer, [input]) => {
  const x = to.graph.channelsLast(to.graph.float(input!));
  const rank = x.shape.length;
  const given = typeof layer.axis === 'number' ? [layer.axis] : layer.axis;
  const axes = given.map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b);
  const sizes = axes.map((axis) => x.shape[axis]!);
  const first = axes[0]!;
  if (axes.length === rank - first) {
    const constants = [to.weightOr('gamma', 1, sizes), to.weightOr('beta', 0, sizes)];
    const attributes = { axis: first, epsilon: { f: layer.epsilon } };
    return { ...x, name: to.graph.node('LayerNormalization', [x.name, ...constants], attributes) };
  }
  const { graph } = to;
  const mean = (name: string): string => graph.node('ReduceMean', [name], { axes, keepdims: 1 });
  const centred = graph.node('Sub', [x.name, mean(x.name)]);
  const variance = graph.node('Add', [mean(graph.node('Mul', [centred, centred])), graph.scalar(layer.epsilon)]);
  let name = graph.node('Div', [centred, graph.node('Sqrt', [variance])]);
  const along = x.shape.map((size, axis) => (axes.includes(axis) ? size! : 1));
  if (to.has('gamma')) name = graph.node('Mul', [name, to.weight('gamma', axes.map((_, i) => i), along)]); // prettier-ignore
  if (to.has('beta')) name = graph.node('Add', [name, to.weight('beta', axes.map((_, i) => i), along)]); // prettier-ignore
  return { ...x, name };
};

/** By the class's name in files. */
export const LAYERS = {
  Activation: activation,
  Add: shapes.merged('Add'),
  AlphaDropout: shapes.passed,
  Average: shapes.average,
  AveragePooling2D: images.averagePooling2d,
  BatchNormalization: batchNormalization,
  Concatenate: shapes.concatenate,
  Conv2D: images.conv2d,
  Conv2DTranspose: images.conv2dTranspose,
  Dense: dense,
  DepthwiseConv2D: images.depthwiseConv2d,
  Dot: shapes.dot,
  Dropout: shapes.passed,
  ELU: elu,
  Embedding: embedding,
  Flatten: shapes.flatten,
  GaussianDropout: shapes.passed,
  GaussianNoise: shapes.passed,
  GlobalAveragePooling2D: images.globalAveragePooling2d,
  GlobalMaxPooling2D: images.globalMaxPooling2d,
  LayerNormalization: layerNormalization,
  LeakyReLU: leakyReLU,
  MaxPooling2D: images.maxPooling2d,
  Maximum: shapes.merged('Max'),
  Minimum: shapes.merged('Min'),
  Multiply: shapes.merged('Mul'),
  PReLU: prelu,
  Permute: shapes.permute,
  ReLU: reLU,
  Rescaling: rescaling,
  Reshape: shapes.reshape,
  Softmax: softmax,
  ThresholdedReLU: thresholdedReLU,
  TimeDistributed: shapes.timeDistributed,
} as unknown as Readonly<Record<string, WriteLayer>>;
