// Which calls of a graph run as one: a layer with the activation behind it, and sentences as sums of words.
import { fusedActivation } from '../layers/fusion.js';
import { InputLayer } from '../layers/input.js';
import type { CallContext, Layer } from '../layers/layer.js';
import type { GraphNode, SymbolicTensor } from '../layers/symbolic.js';
import { computeWordSums, wordSumOf, type WordSum } from '../layers/word-sums.js';
import type { Tensor } from '../tensor/tensor.js';

/** One or several nodes to run together. */
export interface Call {
  /** Whose call it is: of several the first. */
  readonly layer: Layer;
  readonly compute: (operands: readonly Tensor[], context: CallContext) => readonly Tensor[];
  readonly inputs: readonly SymbolicTensor[];
  readonly outputs: readonly SymbolicTensor[];
}

/** A node by itself. */
export function alone({ layer, inputs, outputs }: GraphNode): Call {
  return { layer, inputs, outputs, compute: (operands, context) => layer.compute(operands, context) };
}

/** Joins calls of which nothing but the next one reads what the one before made. */
export function fuse(nodes: readonly GraphNode[], outputs: readonly SymbolicTensor[]): Call[] {
  const readers = new Map<SymbolicTensor, GraphNode[]>();
  for (const node of nodes) for (const x of node.inputs) readers.set(x, [...(readers.get(x) ?? []), node]);
  /** The one that alone reads a node's result, if it reads nothing else. */
  const onlyReader = ({ outputs: made }: GraphNode): GraphNode | null => {
    const [reader, another] = readers.get(made[0]!) ?? [];
    const isHidden = made.length === 1 && !outputs.includes(made[0]!);
    return isHidden && another === undefined && reader?.inputs.length === 1 ? reader : null;
  };

  const joined = new Set<GraphNode>();
  const sentences = sentencesOf(nodes, onlyReader);
  return nodes.flatMap((node): Call[] => {
    if (joined.has(node)) return [];
    const sentence = sentences.get(node);
    if (sentence !== undefined) {
      for (const chain of sentence.chains) for (const other of chain) joined.add(other);
      return [wordSums(sentence)];
    }
    const reader = onlyReader(node);
    const activation = reader === null ? null : fusedActivation(node.layer, reader.layer);
    if (reader === null || activation === null) return [alone(node)];
    joined.add(reader);
    const compute: Call['compute'] = (operands, context) => node.layer.compute(operands, { ...context, activation });
    return [{ layer: node.layer, inputs: node.inputs, outputs: reader.outputs, compute }];
  });
}

type Chain = readonly [embedding: GraphNode, translation: GraphNode, total: GraphNode];

interface Sentences {
  readonly sum: WordSum;
  readonly chains: Chain[];
}

/** The word sums of a graph by their first nodes; those of the model's own inputs that share their layers are together. */
function sentencesOf(
  nodes: readonly GraphNode[],
  onlyReader: (node: GraphNode) => GraphNode | null,
): ReadonlyMap<GraphNode, Sentences> {
  const all = new Map<GraphNode, Sentences>();
  const together: Sentences[] = [];
  for (const first of nodes) {
    const second = onlyReader(first);
    const third = second === null ? null : onlyReader(second);
    if (second === null || third === null) continue;
    const sum = wordSumOf(first.layer, second.layer, third.layer);
    if (sum === null) continue;
    // The model's own inputs are all there when the first of them is computed.
    const isReady = first.inputs[0]!.sourceLayer instanceof InputLayer;
    let sentences = isReady ? together.find(({ sum: other }) => sameLayers(other, sum)) : undefined;
    if (sentences === undefined) {
      sentences = { sum, chains: [] };
      if (isReady) together.push(sentences);
    }
    sentences.chains.push([first, second, third]);
    all.set(first, sentences);
  }
  return all;
}

const sameLayers = (a: WordSum, b: WordSum): boolean =>
  a.embedding === b.embedding && a.translation === b.translation && a.total === b.total;

function wordSums({ sum, chains }: Sentences): Call {
  return {
    layer: sum.embedding,
    compute: (operands, context) => computeWordSums(sum, operands, context),
    inputs: chains.map(([embedding]) => embedding.inputs[0]!),
    outputs: chains.map(([, , total]) => total.outputs[0]!),
  };
}
