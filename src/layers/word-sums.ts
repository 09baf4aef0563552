// Sentences as sums of translated words: embedding, timeDistributed(dense) and a lambda that sums over time, which a graph
// computes together. A word's translation does not depend on its sentence. So where the table has fewer rows than the batch has
// words, the table is translated once for all sentences, and a sentence is a sum of its rows: [batch, time, units] is never in
// memory, and the products are smaller by as much.
import { concat } from '../ops/join.js';
import { gatherSum } from '../ops/gather.js';
import { split } from '../ops/slice.js';
import type { Tensor } from '../tensor/tensor.js';
import { Dense } from './dense.js';
import { Embedding } from './embedding.js';
import { Lambda } from './lambda.js';
import type { CallContext, Layer } from './layer.js';
import { TimeDistributed } from './wrappers.js';

/** The three layers of a sentence. */
export interface WordSum {
  readonly embedding: Embedding;
  readonly translation: TimeDistributed;
  readonly total: Lambda;
}

/** The layers as a word sum, if they are of these classes themselves: one that is derived may compute something else. */
export function wordSumOf(first: Layer, second: Layer, third: Layer): WordSum | null {
  const embeds = first.constructor === Embedding && second.constructor === TimeDistributed;
  if (!embeds || third.constructor !== Lambda) return null;
  const translation = second as TimeDistributed;
  if (translation.layer.constructor !== Dense) return null;
  return { embedding: first as Embedding, translation, total: third as Lambda };
}

/** The sums of some inputs [batch, time] that share the layers. */
export function computeWordSums(sum: WordSum, inputs: readonly Tensor[], context: CallContext): readonly Tensor[] {
  if (!translatesTable(sum, inputs, context)) {
    const { embedding, translation, total } = sum;
    return inputs.flatMap((x) =>
      [embedding, translation, total].reduce<readonly Tensor[]>((values, layer) => layer.compute(values, context), [x]),
    );
  }
  const { embedding, translation } = sum;
  const [table] = translation.layer.compute([embedding.table], context) as [Tensor];
  const indices = inputs.map((x) => embedding.indicesOf(x));
  if (indices.length === 1) return [gatherSum(table, indices[0]!)];
  const batches = indices.map(({ shape }) => shape[0]!);
  return split(gatherSum(table, concat(indices)), batches);
}

function translatesTable(
  { embedding, translation, total }: WordSum,
  inputs: readonly Tensor[],
  context: CallContext,
): boolean {
  const isBuilt = embedding.built && translation.layer.built && total.built;
  const [first] = inputs;
  const time = first!.shape[1] ?? 0;
  const isAlike = inputs.every(({ rank, shape }) => rank === 2 && shape[1] === time && shape[0]! > 0) && time > 0;
  if (!isBuilt || !isAlike) return false;
  const words = inputs.reduce((count, { size }) => count + size, 0);
  const [dtype] = translation.computeOutputDTypes([embedding.computeOutputDType()]) as [Tensor['dtype']];
  const width = (translation.layer as Dense).units;
  return (
    embedding.inputDim <= words && total.operandDType(dtype) === dtype && total.sumsTime(time, width, context.training)
  );
}
