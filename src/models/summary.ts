// The table that model.summary() prints: tfjs's, column for column.
import type { Layer } from '../layers/layer.js';
import { formatShape, type GraphNode, type SymbolicTensor } from '../layers/symbolic.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Model } from './model.js';

const HEADER = ['Layer (type)', 'Input Shape', 'Output shape', 'Param #'];
const CHAIN = { width: 90, positions: [0.32, 0.61, 0.89, 1] };
const BRANCHED = { width: 115, positions: [0.24, 0.48, 0.7, 0.8, 1] };

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
  const preset = chain ? CHAIN : BRANCHED;
  const width = lineLength ?? preset.width;
  const given = positions ?? preset.positions;
  const ends = given.at(-1)! <= 1 ? given.map((share) => Math.floor(width * share)) : given;

  const print = (fields: readonly string[]): void => printFn(row(fields, ends));
  printFn('_'.repeat(width));
  print(chain ? HEADER : [...HEADER, 'Receives inputs']);
  printFn('='.repeat(width));
  model.layers.forEach((layer, i) => {
    const { input, output } = shapesOf(layer, nodes);
    const sources = nodes
      .filter((node) => node.layer === layer)
      .flatMap(({ inputs }) => inputs.map((x) => `${x.sourceLayer.name}[${x.nodeIndex}][${x.tensorIndex}]`));
    const fields = [`${layer.name} (${layer.getClassName()})`, input, output, String(layer.countParams())];
    print(chain ? fields : [...fields, sources[0] ?? '']);
    if (!chain) for (const source of sources.slice(1)) print(['', '', '', '', source]);
    printFn((i === model.layers.length - 1 ? '=' : '_').repeat(width));
  });
  const trainable = paramsIn(model.trainableWeights);
  const frozen = paramsIn(model.nonTrainableWeights);
  printFn(`Total params: ${trainable + frozen}`);
  printFn(`Trainable params: ${trainable}`);
  printFn(`Non-trainable params: ${frozen}`);
  printFn('_'.repeat(width));
}
