// The table that model.summary() prints: tfjs's, column for column, and behind it what each layer costs.
import type { Layer } from '../layers/layer.js';
import { formatShape, type GraphNode, type SymbolicTensor } from '../layers/symbolic.js';
import { DTYPE_BYTES } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { costsOf, type LayerCosts } from './costs.js';
import type { Model } from './model.js';

const HEADER = ['Layer (type)', 'Input Shape', 'Output shape', 'Param #'];
/** tfjs's columns end where tfjs has them. */
const CHAIN = [28, 54, 80, 90];
const BRANCHED = [27, 55, 80, 92, 115];
const COSTS = ['FLOPs', 'Weight bytes', 'Output bytes'];
const COST_WIDTH = 15;

/** A number that may not be known. */
const known = (number: number | null): string => (number === null ? '?' : String(number));

const paramsIn = (weights: readonly Tensor[]): number => weights.reduce((sum, { size }) => sum + size, 0);

/** Whether the calls follow one another, each with one operand, and no layer is called twice. */
function isChain(nodes: readonly GraphNode[]): boolean {
  const layers = new Set(nodes.map(({ layer }) => layer));
  const users = new Map<GraphNode, number>();
  for (const { inputs } of nodes) for (const { node } of inputs) users.set(node, (users.get(node) ?? 0) + 1);
  const single = nodes.every((node) => node.inputs.length <= 1 && (users.get(node) ?? 0) <= 1);
  return single && layers.size === nodes.length && nodes.filter(({ inputs }) => inputs.length === 0).length === 1;
}

function row(fields: readonly string[], ends: readonly number[]): string {
  let line = '';
  fields.forEach((field, i) => {
    // A field that fills its column is cut, so that a blank parts it from the next.
    if (i > 0) line = `${line.slice(0, -1)} `;
    line = (line + field).slice(0, ends[i]).padEnd(ends[i]!);
  });
  return line;
}

/** Shapes of several placeholders in one bracket. */
const inBrackets = (list: readonly SymbolicTensor[]): string => `[${list.map((x) => formatShape(x.shape)).join(',')}]`;

function shapesOf(layer: Layer, nodes: readonly GraphNode[]): { input: string; output: string } {
  const calls = nodes.filter((node) => node.layer === layer);
  // An input has no operand: its own shape stands in both columns.
  const given = calls.map(({ inputs, outputs }) => inBrackets(inputs.length === 0 ? outputs : inputs));
  const made = new Set(
    calls.map(({ outputs }) => (outputs.length === 1 ? formatShape(outputs[0]!.shape) : inBrackets(outputs))),
  );
  return { input: given.join(','), output: made.size > 1 ? 'multiple' : [...made].join('') };
}

/** Where columns end, in characters: given so, or as shares of the width. */
function columnEnds(width: number, positions: readonly number[]): readonly number[] {
  // A share of 27 / 135 must not fall short of its 27 characters by a rounding error.
  return positions.at(-1)! <= 1 ? positions.map((share) => Math.floor(width * share + 1e-9)) : positions;
}

/** Prints a model's table; see `Model.summary`. */
export function printSummary(
  model: Model,
  lineLength?: number,
  positions?: readonly number[],
  // eslint-disable-next-line no-console
  printFn: (line: string) => void = console.log,
): void {
  const { nodes } = model.graph;
  const chain = isChain(nodes);
  const own = chain ? CHAIN : BRANCHED;
  const preset = [...own, ...COSTS.map((_, i) => own.at(-1)! + COST_WIDTH * (i + 1))];
  const costly = positions === undefined || positions.length > own.length;
  const total = (costly ? preset : own).at(-1)!;
  const width = lineLength ?? total;
  const ends = columnEnds(width, positions ?? preset.map((end) => end / total));

  // As many columns as have an end: with tfjs's positions, tfjs's table.
  const print = (fields: readonly string[]): void => printFn(row(fields.slice(0, ends.length), ends));
  printFn('_'.repeat(width));
  print([...HEADER, ...(chain ? [] : ['Receives inputs']), ...COSTS]);
  printFn('='.repeat(width));
  const costs = model.layers.map((layer) => costsOf(layer, nodes));
  model.layers.forEach((layer, i) => {
    const { input, output } = shapesOf(layer, nodes);
    const sources = nodes
      .filter((node) => node.layer === layer)
      .flatMap(({ inputs }) => inputs.map((x) => `${x.sourceLayer.name}[${x.nodeIndex}][${x.tensorIndex}]`));
    const fields = [`${layer.name} (${layer.getClassName()})`, input, output, String(layer.countParams())];
    const { flops, parameterBytes, activationBytes } = costs[i]!;
    const cost = [flops, parameterBytes, activationBytes].map(known);
    print([...fields, ...(chain ? [] : [sources[0] ?? '']), ...cost]);
    if (!chain) for (const source of sources.slice(1)) print(['', '', '', '', source]);
    printFn((i === model.layers.length - 1 ? '=' : '_').repeat(width));
  });
  const trainable = paramsIn(model.trainableWeights);
  const frozen = paramsIn(model.nonTrainableWeights);
  printFn(`Total params: ${trainable + frozen}`);
  printFn(`Trainable params: ${trainable}`);
  printFn(`Non-trainable params: ${frozen}`);
  if (costly) printCosts(model, costs, printFn);
  printFn('_'.repeat(width));
}

/** The sums over all layers; where a layer's are not known, what the others come to. */
function printCosts(model: Model, costs: readonly LayerCosts[], printFn: (line: string) => void): void {
  const total = (of: (cost: LayerCosts) => number | null): string => {
    const numbers = costs.map(of);
    const sum = numbers.reduce<number>((all, one) => all + (one ?? 0), 0);
    return numbers.includes(null) ? `at least ${sum}` : String(sum);
  };
  // Weights that layers share count once.
  const weights = model.weights.reduce((sum, { size, dtype }) => sum + size * DTYPE_BYTES[dtype], 0);
  printFn(`FLOPs of a forward pass, per sample: ${total(({ flops }) => flops)}`);
  printFn(`Bytes of weights: ${weights}`);
  printFn(`Bytes of outputs, per sample: ${total(({ activationBytes }) => activationBytes)}`);
}
