// A functional model as JSON, and back: the layers by name, and for each call which outputs of which calls it takes.
// The structure is Keras 2's and tfjs's, so their files can be read and ours by them.
import { failure, invalid, show } from '../errors.js';
import type { Layer } from '../layers/layer.js';
import { layerFromConfig, type SerializedLayer } from '../layers/registry.js';
import type { SymbolicTensor } from '../layers/symbolic.js';
import type { Graph } from './graph.js';
import { Model } from './model.js';

/** [layer, which of its calls, which of the call's outputs] and, in a call's operands, arguments (unused). */
type Reference = readonly [string, number, number, Record<string, unknown>?];

interface NodeLayer extends SerializedLayer {
  readonly name: string;
  /** Operands of each call. */
  readonly inboundNodes: readonly (readonly Reference[])[];
}

/** The parts of a functional model's configuration that are its graph's. */
export interface GraphConfig {
  readonly layers: readonly NodeLayer[];
  readonly inputLayers: readonly Reference[];
  readonly outputLayers: readonly Reference[];
}

/** Whether the layer's call 0 is its own graph rather than a call: so it is for models. */
const countsFrom = (layer: Layer): number => (layer instanceof Model ? 1 : 0);

/** The graph as JSON. Calls that belong to other models are left out, and the rest numbered anew. */
export function graphConfig(graph: Graph): GraphConfig {
  const own = new Set(graph.nodes);
  const numbers = new Map<Layer, Map<number, number>>();
  for (const layer of graph.layers) {
    const kept = new Map<number, number>();
    layer.inboundNodes.forEach((node, i) => {
      if (own.has(node)) kept.set(i, countsFrom(layer) + kept.size);
    });
    numbers.set(layer, kept);
  }
  const end = (x: SymbolicTensor): Reference => [
    x.sourceLayer.name,
    numbers.get(x.sourceLayer)?.get(x.nodeIndex) ?? 0,
    x.tensorIndex,
  ];
  const layers = graph.layers.map((layer) => ({
    name: layer.name,
    className: layer.getClassName(),
    config: layer.getConfig(),
    inboundNodes: layer.inboundNodes
      .filter((node) => own.has(node) && node.inputs.length > 0)
      .map((node) => node.inputs.map((x): Reference => [...(end(x) as [string, number, number]), {}])),
  }));
  return { layers, inputLayers: graph.inputs.map(end), outputLayers: graph.outputs.map(end) };
}

/** References to outputs of calls. A single one may stand without the list around it. */
function references(model: string, list: unknown): readonly Reference[] {
  const found: readonly unknown[] = Array.isArray(list) && typeof list[0] !== 'string' ? list : [list];
  for (const one of found) {
    const valid =
      Array.isArray(one) && typeof one[0] === 'string' && Number.isInteger(one[1]) && Number.isInteger(one[2]);
    if (!valid) throw invalid('ERR_ARGUMENT', model, 'layers', 'references [layer, call, output]', one);
  }
  return found as readonly Reference[];
}

/**
 * The placeholders of the graph that a configuration describes, and its layers, made anew; outputs may need fewer of them.
 * @param model The model's name, for errors.
 * @throws ArgumentError for unknown classes, layers that are missing, or a shape of JSON that is none of this.
 */
export function graphFromConfig(
  model: string,
  config: Record<string, unknown>,
): { inputs: SymbolicTensor[]; outputs: SymbolicTensor[]; layers: Layer[] } {
  const { layers: list, inputLayers, outputLayers } = config as Partial<Record<keyof GraphConfig, unknown>>;
  for (const [key, value] of Object.entries({ layers: list, inputLayers, outputLayers })) {
    if (!Array.isArray(value)) throw invalid('ERR_ARGUMENT', model, key, 'an array, as in a functional model', value);
  }
  const serialized = (list as readonly unknown[]).map((layer) => nodeLayer(model, layer));
  const layers = new Map<string, Layer>();
  try {
    return drawn(model, serialized, layers, inputLayers, outputLayers);
  } catch (error) {
    // What was made has weights already.
    for (const layer of layers.values()) layer.dispose();
    throw error;
  }
}

/** A layer of the list, checked to be one. */
function nodeLayer(model: string, value: unknown): NodeLayer {
  const { name, className, config, inboundNodes } = (value ?? {}) as Partial<Record<keyof NodeLayer, unknown>>;
  const described = typeof name === 'string' && typeof className === 'string';
  if (described && config !== null && typeof config === 'object' && Array.isArray(inboundNodes)) {
    return value as NodeLayer;
  }
  const got = described ? `${name} without config or inboundNodes` : value;
  throw invalid('ERR_ARGUMENT', model, 'layers', 'layers with name, className, config and inboundNodes', got);
}

/** Makes the layers, applies them, and gives the graph's ends. */
function drawn(
  model: string,
  serialized: readonly NodeLayer[],
  layers: Map<string, Layer>,
  inputLayers: unknown,
  outputLayers: unknown,
): { inputs: SymbolicTensor[]; outputs: SymbolicTensor[]; layers: Layer[] } {
  for (const { name, className, config: options } of serialized) {
    if (layers.has(name)) throw invalid('ERR_ARGUMENT', model, 'layers', 'each name once', name);
    layers.set(name, layerFromConfig({ className, config: { ...options, name } }));
  }

  const find = ([name, call, output]: Reference): SymbolicTensor | undefined => {
    const layer = layers.get(name);
    if (layer === undefined) throw invalid('ERR_ARGUMENT', model, 'layers', `a layer named ${show(name)}`, 'none');
    return layer.inboundNodes[call]?.outputs[output];
  };
  // A layer's calls are made in order, each as soon as its operands exist.
  const waiting = serialized.map(({ name, inboundNodes }) => ({ layer: layers.get(name)!, calls: [...inboundNodes] }));
  for (let progress = true; progress;) {
    progress = false;
    for (const { layer, calls } of waiting) {
      while (calls.length > 0) {
        const operands = references(model, calls[0]).map(find);
        if (!operands.every((x) => x !== undefined)) break;
        layer.apply(operands);
        calls.shift();
        progress = true;
      }
    }
  }
  const stuck = waiting.filter(({ calls }) => calls.length > 0).map(({ layer }) => layer.name);
  if (stuck.length > 0) {
    throw failure(
      'ERR_ARGUMENT',
      model,
      `layers: the operands of ${stuck.join(', ')} are made by no layer before them`,
    );
  }
  const ends = (references_: unknown): SymbolicTensor[] =>
    references(model, references_).map((reference) => {
      const found = find(reference);
      if (found === undefined) {
        throw invalid('ERR_ARGUMENT', model, 'layers', `output ${show([...reference])}`, 'none');
      }
      return found;
    });
  return { inputs: ends(inputLayers), outputs: ends(outputLayers), layers: [...layers.values()] };
}
