// The layers and calls between given inputs and outputs: in which order layers are listed (Keras's and tfjs's, on which the
// order of weights rests), in which order calls run, which run as one, and which values are needed until when.
import { isRecording } from '../autograd/tape.js';
import { failure, invalid } from '../errors.js';
import { InputLayer } from '../layers/input.js';
import type { CallContext, Layer } from '../layers/layer.js';
import { formatShape, SymbolicTensor } from '../layers/symbolic.js';
import type { GraphNode, SymbolicShape } from '../layers/symbolic.js';
import { closeScope, madeInScope, openScope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { alone, fuse, type Call } from './graph-fusion.js';

/** One call, with its operands as places in the list of values. */
interface Step {
  readonly layer: Layer;
  readonly compute: Call['compute'];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  /** Values that no later step reads and that are no output. */
  readonly dead: readonly number[];
}

/** A graph of layers from inputs to outputs, checked to be complete. */
export class Graph {
  /** All layers, inputs' included, farthest from the outputs first; equally far ones as the outputs reach them. */
  readonly layers: readonly Layer[];
  /** The calls that belong to the graph; a shared layer may have others elsewhere. Operands come before results. */
  readonly nodes: readonly GraphNode[];
  /** Every layer's call; */
  private readonly steps: readonly Step[];
  /** and with pairs of them as one. */
  private readonly fusedSteps: readonly Step[];
  private readonly outputPlaces: readonly number[];

  /**
   * @param model The model's name, for errors.
   * @throws ArgumentError when an input was not made by `input()`, comes twice, or is missing; when names repeat.
   */
  constructor(
    private readonly model: string,
    readonly inputs: readonly SymbolicTensor[],
    readonly outputs: readonly SymbolicTensor[],
  ) {
    checkEnds(model, inputs, outputs);
    const { nodes, layers } = survey(inputs, outputs);
    this.nodes = nodes;
    this.layers = layers;
    this.checkComplete();
    checkNames(model, layers);
    const places = new Map<SymbolicTensor, number>();
    for (const x of inputs) places.set(x, places.size);
    for (const node of nodes) for (const x of node.outputs) if (!places.has(x)) places.set(x, places.size);
    this.outputPlaces = outputs.map((x) => places.get(x)!);
    const calls = nodes.filter(({ layer }) => !(layer instanceof InputLayer));
    this.steps = plan(calls.map(alone), places, this.outputPlaces);
    this.fusedSteps = plan(fuse(calls, outputs), places, this.outputPlaces);
  }

  get inputLayers(): readonly Layer[] {
    return this.inputs.map((x) => x.sourceLayer);
  }

  /** The outputs for tensors. Values between are freed after their last use, unless a gradient needs them. */
  run(inputs: readonly Tensor[], context: CallContext): readonly Tensor[] {
    const values: Tensor[] = [...inputs];
    const recording = isRecording();
    const mine = new Set<Tensor>();
    // Who looks at every layer's values is shown them all.
    const steps = context.observe === undefined ? this.fusedSteps : this.steps;
    for (const { layer, compute, inputs: from, outputs: to, dead } of steps) {
      const operands = from.map((place) => values[place]!);
      const results = recording ? compute(operands, context) : computeAlone(compute, operands, context, mine);
      to.forEach((place, i) => (values[place] = results[i]!));
      context.observe?.(layer, operands, results);
      if (recording) continue;
      // A layer may hand its input through (dropout does): a value is dead when no live place holds it.
      for (const place of dead) this.release(place, values, mine);
    }
    return this.outputPlaces.map((place) => values[place]!);
  }

  private release(place: number, values: (Tensor | undefined)[], mine: Set<Tensor>): void {
    const value = values[place]!;
    values[place] = undefined;
    if (mine.has(value) && !values.includes(value)) {
      mine.delete(value);
      value.dispose();
    }
  }

  /** Shapes of the outputs for inputs of other sizes than declared. */
  outputShapes(inputShapes: readonly SymbolicShape[]): readonly SymbolicShape[] {
    const shapes: SymbolicShape[] = [...inputShapes];
    for (const { layer, inputs, outputs } of this.steps) {
      const found = layer.computeOutputShapes(inputs.map((place) => shapes[place]!));
      outputs.forEach((place, i) => (shapes[place] = found[i]!));
    }
    return this.outputPlaces.map((place) => shapes[place]!);
  }

  private checkComplete(): void {
    const given = new Set<SymbolicTensor>(this.inputs);
    for (const node of this.nodes) {
      if (!(node.layer instanceof InputLayer)) continue;
      const placeholder = node.outputs[0]!;
      if (given.has(placeholder)) continue;
      const user = this.nodes.find(({ inputs }) => inputs.includes(placeholder));
      const from = user === undefined ? 'an output is' : `layer ${user.layer.name} needs`;
      throw failure(
        'ERR_ARGUMENT',
        this.model,
        `inputs: the graph is disconnected: ${from} ${placeholder.name} ${formatShape(placeholder.shape)}, which is ` +
          `not among the inputs [${this.inputs.map((x) => x.name).join(',')}]; add it to inputs`,
      );
    }
  }
}

/** Runs a call in a scope of its own, and notes which results are new: those are the graph's to free. */
function computeAlone(
  compute: Call['compute'],
  operands: readonly Tensor[],
  context: CallContext,
  mine: Set<Tensor>,
): readonly Tensor[] {
  openScope();
  let results: readonly Tensor[] = [];
  try {
    results = compute(operands, context);
    for (const result of results) if (madeInScope(result) && !result.kept) mine.add(result);
    return results;
  } finally {
    closeScope(results);
  }
}

function checkEnds(model: string, inputs: readonly SymbolicTensor[], outputs: readonly SymbolicTensor[]): void {
  const ends = { inputs, outputs };
  for (const [argument, list] of Object.entries(ends)) {
    if (list.length === 0) throw invalid('ERR_ARGUMENT', model, argument, 'at least one placeholder', []);
    for (const x of list as readonly unknown[]) {
      if (x instanceof SymbolicTensor) continue;
      throw invalid('ERR_ARGUMENT', model, argument, 'placeholders, from input() and layer.apply()', x);
    }
  }
  for (const x of inputs) {
    if (x.sourceLayer instanceof InputLayer) continue;
    throw invalid('ERR_ARGUMENT', model, 'inputs', 'placeholders from input()', `one made by ${x.sourceLayer.name}`);
  }
  const twice = inputs.find((x, i) => inputs.indexOf(x) !== i);
  if (twice !== undefined) throw invalid('ERR_ARGUMENT', model, 'inputs', 'each input once', twice.name);
}

function checkNames(model: string, layers: readonly Layer[]): void {
  const seen = new Set<string>();
  for (const { name } of layers) {
    if (seen.has(name)) {
      throw invalid('ERR_ARGUMENT', model, 'layers', 'names that differ', name, 'weights are saved by name');
    }
    seen.add(name);
  }
}

/**
 * The nodes in an order in which they can run, and the layers in Keras's order: by depth, the longest way to an output
 * (a shared layer's is its deepest call's), and among equals in the order in which a walk back from the outputs meets them.
 */
function survey(
  inputs: readonly SymbolicTensor[],
  outputs: readonly SymbolicTensor[],
): { nodes: GraphNode[]; layers: Layer[] } {
  const nodes = new Set<GraphNode>();
  const met = new Map<Layer, number>();
  const visit = (node: GraphNode): void => {
    if (nodes.has(node)) return;
    if (!met.has(node.layer)) met.set(node.layer, met.size);
    for (const x of node.inputs) visit(x.node);
    nodes.add(node);
  };
  for (const x of outputs) visit(x.node);
  const ordered = [...nodes];

  const nodeDepth = new Map<GraphNode, number>();
  const layerDepth = new Map<Layer, number>();
  for (const node of ordered.toReversed()) {
    const depth = Math.max(nodeDepth.get(node) ?? 0, layerDepth.get(node.layer) ?? 0);
    nodeDepth.set(node, depth);
    layerDepth.set(node.layer, depth);
    for (const { node: before } of node.inputs) nodeDepth.set(before, Math.max(depth + 1, nodeDepth.get(before) ?? 0));
  }
  // Inputs that nothing uses still are the model's.
  for (const { sourceLayer } of inputs) {
    if (layerDepth.has(sourceLayer)) continue;
    layerDepth.set(sourceLayer, 0);
    met.set(sourceLayer, met.size);
  }
  const layers = [...layerDepth.keys()].sort(
    (a, b) => layerDepth.get(b)! - layerDepth.get(a)! || met.get(a)! - met.get(b)!,
  );
  return { nodes: ordered, layers };
}

function plan(
  calls: readonly Call[],
  places: ReadonlyMap<SymbolicTensor, number>,
  outputPlaces: readonly number[],
): Step[] {
  const needed = new Set(outputPlaces);
  const steps: Step[] = [];
  for (const { layer, compute, inputs, outputs: made } of calls.toReversed()) {
    const from = inputs.map((x) => places.get(x)!);
    const to = made.map((x) => places.get(x)!);
    const dead = [...new Set([...from, ...to])].filter((place) => !needed.has(place));
    for (const place of from) needed.add(place);
    steps.push({ layer, compute, inputs: from, outputs: to, dead });
  }
  return steps.reverse();
}
