// A model as an ONNX file: its graph with the weights in it, as it predicts.
import { failure, invalid } from '../../errors.js';
import { writeAtomically } from '../../files/write-atomically.js';
import type { Layer } from '../../layers/layer.js';
import { InputLayer } from '../../layers/input.js';
import type { SymbolicTensor } from '../../layers/symbolic.js';
import { Model } from '../../models/model.js';
import { version } from '../../version.js';
import { elementOf, GraphBuilder, type Value } from './graph-builder.js';
import { LayerWriter } from './layer-writer.js';
import { LAYERS } from './layers.js';
import { modelMessage, type Signature } from './messages.js';

/** The set of operators: the first that has LayerNormalization. Every runtime since 2022 reads it. */
const OPSET = 17;
/** What a message of protocol buffers may take. */
const MOST_BYTES = 2 ** 31 - 1;

/** Adds a layer, or the layers of a model, and gives the outputs. */
function write(op: string, graph: GraphBuilder, layer: Layer, inputs: readonly Value[]): readonly Value[] {
  if (layer instanceof Model) return writeModel(op, graph, layer, inputs);
  const name = layer.getClassName();
  const writer = Object.hasOwn(LAYERS, name) ? LAYERS[name] : undefined;
  const one = (inner: Layer, values: readonly Value[]): Value => {
    const [value, second] = write(op, graph, inner, values);
    if (value !== undefined && second === undefined) return value;
    throw invalid('ERR_ARGUMENT', op, `layer ${inner.name}`, 'one output', 'several');
  };
  const to = new LayerWriter(op, graph, layer, one);
  if (writer !== undefined) return [writer(to, layer, inputs)];
  const fix = 'export the model up to that layer';
  throw to.refused('className', `one of ${Object.keys(LAYERS).join(', ')}`, name, fix);
}

function writeModel(op: string, graph: GraphBuilder, model: Model, inputs: readonly Value[]): readonly Value[] {
  const values = new Map<SymbolicTensor, Value>(model.inputs.map((x, i) => [x, inputs[i]!]));
  for (const { layer, inputs: operands, outputs } of model.graph.nodes) {
    if (layer instanceof InputLayer) continue;
    const made = write(op, graph, layer, operands.map((x) => values.get(x)!)); // prettier-ignore
    // Shapes of this call: a nested model's own graph may know less.
    outputs.forEach((x, i) => values.set(x, { ...made[i]!, shape: x.shape }));
  }
  return model.outputs.map((x) => values.get(x)!);
}

/** Names of unknown sizes: the batch's is the same throughout. */
const sizesOf = (name: string, { shape }: Value): (number | string)[] =>
  shape.map((size, axis) => size ?? (axis === 0 ? 'batch' : `${name}_${axis}`));

/**
 * A model as the bytes of an ONNX file; see `exportOnnx`.
 * @throws ArgumentError that names the layer which ONNX cannot express, or when the model is not built.
 */
export function encodeOnnx(model: Model, op = 'encodeOnnx'): Uint8Array {
  if (!(model instanceof Model)) throw invalid('ERR_ARGUMENT', op, 'model', 'a model', model);
  if (!model.built) {
    throw failure('ERR_ARGUMENT', op, 'the model is not built yet; give its first layer an inputShape, or apply it');
  }
  const graph = new GraphBuilder();
  const fed = model.inputs.map(({ shape, dtype }, i): Value => {
    const name = graph.unique(model.inputNames[i]!);
    return { name, shape, channelsFirst: false, element: elementOf(dtype) };
  });
  // Before any node takes them.
  const names = model.outputNames.map((name) => graph.unique(name));
  const made = writeModel(op, graph, model, fed);
  const signature = (value: Value, name: string): Signature => ({
    name,
    shape: sizesOf(name, value),
    element: value.element,
  });
  const outputs = made.map((value, i) => {
    graph.identity(graph.channelsLast(value).name, names[i]!);
    return signature(value, names[i]!);
  });
  const { nodes, constants } = graph;
  const inputs = fed.map((value) => signature(value, value.name));
  const bytes = constants.reduce((sum, { length }) => sum + length, 0);
  if (bytes > MOST_BYTES) {
    throw invalid('ERR_ARGUMENT', op, 'model', `weights of at most ${MOST_BYTES} bytes, as ONNX files hold`, bytes);
  }
  return modelMessage({ name: model.name, nodes, constants, inputs, outputs }, OPSET, version);
}

/**
 * Writes a model as an ONNX file (opset 17), which ONNX Runtime, TensorRT and others run: all or nothing.
 *
 * Inputs and outputs keep the shapes they have here (images `[batch, height, width, channels]`), any batch size, and the names of
 * their layers; weights and floats are float32 whatever the layers compute in. Dropout and noise, which only act in training, are left
 * out.
 * @param path Where; its folder must exist.
 * @throws ArgumentError that names the layer which ONNX cannot express (`lambda`, layers of your own), or when the model is not built;
 *   FileFormatError when the file cannot be written.
 * @example await sn.exportOnnx(model, 'model.onnx');
 */
export async function exportOnnx(model: Model, path: string): Promise<void> {
  if (typeof path !== 'string' || path === '') throw invalid('ERR_ARGUMENT', 'exportOnnx', 'path', 'a path', path);
  writeAtomically(path, encodeOnnx(model, 'exportOnnx'));
  return Promise.resolve();
}
