// Shares of right answers, a value for each sample, in tfjs's names: what `metrics` exports and `compile` takes.
import { greater, less, equal } from '../ops/comparison.js';
import { cast } from '../ops/cast.js';
import { classRanks, NO_RANK } from '../ops/class-ranks.js';
import { mean } from '../ops/reductions.js';
import { wide } from '../losses/operands.js';
import type { Tensor } from '../tensor/tensor.js';
import { invalid } from '../errors.js';

const share = (right: Tensor): Tensor => cast(right, 'float32');

/** Whether yPred is above 1/2 where yTrue is 1, the mean over the last axis. Shapes are equal. */
export function binaryAccuracy(yTrue: Tensor, yPred: Tensor): Tensor {
  const predictions = wide(yPred);
  const answers = cast(greater(predictions, 0.5), predictions.dtype);
  return mean(share(equal(cast(yTrue, predictions.dtype), answers)), -1);
}

/** Metrics that read ranks: a cross-entropy beside them leaves these. */
const READERS = new WeakSet<object>();

/** Whether a metric reads ranks. */
export const readsRanks = (metric: object): boolean => READERS.has(metric);

/** Whether the largest prediction is where the largest label is, for one-hot labels of yPred's shape `[..., classes]`. */
export function categoricalAccuracy(yTrue: Tensor, yPred: Tensor): Tensor {
  return share(equal(classRanks('categoricalAccuracy', 'one-hot', yTrue, yPred), 0));
}
READERS.add(categoricalAccuracy);

/** Whether the largest prediction is that of the labelled class, for class numbers `[...]` or `[..., 1]`. */
export function sparseCategoricalAccuracy(yTrue: Tensor, yPred: Tensor): Tensor {
  return share(equal(classRanks('sparseCategoricalAccuracy', 'numbers', yTrue, yPred), 0));
}
READERS.add(sparseCategoricalAccuracy);

/** A metric that is a function, with the name its logs have. */
export type NamedMetric = ((yTrue: Tensor, yPred: Tensor) => Tensor) & { readonly metricName: string };

/** Whether fewer than k classes have a larger prediction than the labelled one: ties count as right, as in TensorFlow. */
function topK(op: string, k: unknown, kind: 'one-hot' | 'numbers'): NamedMetric {
  if (!Number.isInteger(k) || (k as number) < 1) {
    throw invalid('ERR_ARGUMENT', op, 'k', 'an integer of at least 1', k);
  }
  const most = Math.min(2 * (k as number), NO_RANK);
  const of = (yTrue: Tensor, yPred: Tensor): Tensor => share(less(classRanks(op, kind, yTrue, yPred), most));
  READERS.add(of);
  return Object.assign(of, { metricName: `top${k as number}` });
}

/**
 * A metric: whether the labelled class is among the k largest predictions, for one-hot labels. Logged as `top<k>`.
 * @param k Default 5.
 */
export function topKCategoricalAccuracy({ k = 5 }: { k?: number } = {}): NamedMetric {
  return topK('metrics.topKCategoricalAccuracy', k, 'one-hot');
}

/**
 * As topKCategoricalAccuracy, for class numbers `[...]` or `[..., 1]`.
 * @param k Default 5.
 */
export function sparseTopKCategoricalAccuracy({ k = 5 }: { k?: number } = {}): NamedMetric {
  return topK('metrics.sparseTopKCategoricalAccuracy', k, 'numbers');
}
