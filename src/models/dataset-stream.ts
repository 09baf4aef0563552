// Batches from a data set: elements {xs, ys} or [xs, ys], each a batch already, awaited one by one. Their tensors are freed
// when the step is done.
import { failure, invalid } from '../errors.js';
import { tensorsIn } from '../tensor/memory.js';
import { batchOf, type Batch } from './batches.js';
import type { Compiled } from './compile.js';
import { Fed, type Place } from './feed.js';
import type { Shard } from './shards.js';
import { samplesFrom, type ClassWeights } from './training-data.js';

/** A data set: whatever can be iterated over, again for each epoch. */
export type DatasetLike = AsyncIterable<unknown> | Iterable<unknown>;

export function isDataset(value: unknown): value is DatasetLike {
  return typeof value === 'object' && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
}

/** Checks that a data set came. */
export function requireDataset(op: string, argument: string, value: unknown): asserts value is DatasetLike {
  if (isDataset(value)) return;
  throw invalid('ERR_ARGUMENT', op, argument, 'a data set, as of data.array().batch()', value);
}

interface Element {
  readonly xs: unknown;
  readonly ys: unknown;
  readonly weights: unknown;
}

function elementOf(op: string, element: unknown): Element {
  if (Array.isArray(element) && (element.length === 2 || element.length === 3)) {
    const [xs, ys, weights] = element as unknown[];
    return { xs, ys, weights };
  }
  if (typeof element === 'object' && element !== null && 'xs' in element && 'ys' in element) {
    return { xs: element.xs, ys: element.ys, weights: 'sampleWeight' in element ? element.sampleWeight : undefined };
  }
  throw invalid('ERR_ARGUMENT', op, 'dataset', 'elements {xs, ys} or [xs, ys]', element);
}

/** Uses an element's parts, and frees its tensors. */
export function useElement(op: string, value: unknown, use: (element: Element) => void): void {
  try {
    use(elementOf(op, value));
  } finally {
    freeElement(value);
  }
}

function freeElement(value: unknown): void {
  for (const tensor of tensorsIn(value)) if (!tensor.kept) tensor.dispose();
}

/** One pass over a data set, or a part of it. */
export interface DatasetPass {
  readonly op: string;
  readonly inputs: readonly Place[];
  readonly compiled: Compiled;
  readonly classWeight: ClassWeights | undefined;
  /** How many batches to take; null for all. */
  readonly limit: number | null;
  /** Which part of each batch this process takes; null: all of it. */
  readonly shard: Shard | null;
}

/**
 * The data set's elements as batches. Where a limit is given an iterator may be shared by several passes: it is not closed.
 * @throws ArgumentError when there are fewer batches than the limit, or none.
 */
export async function* streamOf(
  iterator: AsyncIterator<unknown> | Iterator<unknown>,
  { op, inputs, compiled, classWeight, limit, shard }: DatasetPass,
): AsyncGenerator<Batch> {
  let taken = 0;
  for (; limit === null || taken < limit; taken++) {
    const next = await iterator.next();
    if (next.done === true) break;
    const value: unknown = next.value;
    const fed = new Fed();
    try {
      const { xs, ys, weights } = elementOf(op, value);
      const options = { sampleWeight: weights as undefined, classWeight };
      const samples = samplesFrom(op, xs, ys, inputs, compiled, options, fed);
      yield batchOf(samples, shard);
    } finally {
      fed.dispose();
      freeElement(value);
    }
  }
  if (taken === 0) throw failure('ERR_ARGUMENT', op, 'dataset: expected at least one batch, got none');
  if (limit === null || taken === limit) return;
  throw failure(
    'ERR_ARGUMENT',
    op,
    `dataset: expected ${limit} batches, got ${taken}; take fewer, or use repeat() on the data set`,
  );
}

/** Starts a pass. */
export function iteratorOf(dataset: DatasetLike): AsyncIterator<unknown> | Iterator<unknown> {
  return Symbol.asyncIterator in dataset ? dataset[Symbol.asyncIterator]() : dataset[Symbol.iterator]();
}
