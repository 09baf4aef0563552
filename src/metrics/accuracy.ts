// Shares of right answers, a value for each sample, in tfjs's names: what `metrics` exports and `compile` takes.
import { greater, less, equal, logicalAnd, logicalNot } from '../ops/comparison.js';
import { cast } from '../ops/cast.js';
import { isNaN as isNaNOf } from '../ops/elementwise.js';
import { gather } from '../ops/gather.js';
import { argMax, mean, sum } from '../ops/reductions.js';
import { reshape } from '../ops/reshape.js';
import { classNumbers } from '../losses/classification.js';
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

/** Whether the largest prediction is where the largest label is, for one-hot labels of yPred's shape `[..., classes]`. */
export function categoricalAccuracy(yTrue: Tensor, yPred: Tensor): Tensor {
  return share(equal(argMax(yTrue, -1), argMax(yPred, -1)));
}

/** Whether the largest prediction is that of the labelled class, for class numbers `[...]` or `[..., 1]`. */
export function sparseCategoricalAccuracy(yTrue: Tensor, yPred: Tensor): Tensor {
  return share(equal(classNumbers(yTrue, yPred), argMax(yPred, -1)));
}

/** Whether fewer than k classes have a larger prediction than the labelled one: ties count as right, as in TensorFlow. */
function amongLargest(labels: Tensor, yPred: Tensor, k: number): Tensor {
  const classes = yPred.shape[yPred.rank - 1]!;
  const scores = reshape(yPred, [-1, classes]);
  const own = gather(scores, reshape(labels, [-1, 1]), 1, 1);
  const above = sum(cast(greater(scores, own), 'int32'), -1);
  const right = logicalAnd(less(above, k), logicalNot(isNaNOf(reshape(own, [-1]))));
  return reshape(share(right), labels.shape);
}

/** A metric that is a function, with the name its logs have. */
export type NamedMetric = ((yTrue: Tensor, yPred: Tensor) => Tensor) & { readonly metricName: string };

function topK(op: string, k: unknown, of: (yTrue: Tensor, yPred: Tensor, k: number) => Tensor): NamedMetric {
  if (!Number.isInteger(k) || (k as number) < 1) {
    throw invalid('ERR_ARGUMENT', op, 'k', 'an integer of at least 1', k);
  }
  const count = k as number;
  return Object.assign((yTrue: Tensor, yPred: Tensor) => of(yTrue, yPred, count), { metricName: `top${count}` });
}

/**
 * A metric: whether the labelled class is among the k largest predictions, for one-hot labels. Logged as `top<k>`.
 * @param k Default 5.
 */
export function topKCategoricalAccuracy({ k = 5 }: { k?: number } = {}): NamedMetric {
  return topK('metrics.topKCategoricalAccuracy', k, (yTrue, yPred, count) =>
    amongLargest(argMax(yTrue, -1), yPred, count),
  );
}

/**
 * As topKCategoricalAccuracy, for class numbers `[...]` or `[..., 1]`.
 * @param k Default 5.
 */
export function sparseTopKCategoricalAccuracy({ k = 5 }: { k?: number } = {}): NamedMetric {
  return topK('metrics.sparseTopKCategoricalAccuracy', k, (yTrue, yPred, count) =>
    amongLargest(classNumbers(yTrue, yPred), yPred, count),
  );
}
