// Metrics of a whole batch: precision, recall, the coefficient of determination. In training the first two count over the
// epoch (metric.ts); as functions they are tfjs's.
import { div, mul, squaredDifference, sub } from '../ops/arithmetic.js';
import { cast } from '../ops/cast.js';
import { equal, greater, logicalAnd, notEqual } from '../ops/comparison.js';
import { mean, sum } from '../ops/reductions.js';
import { where } from '../ops/select.js';
import { operands } from '../losses/operands.js';
import type { Tensor } from '../tensor/tensor.js';

const count = (mask: Tensor): Tensor => sum(cast(mask, 'float32'));
const quotient = (a: Tensor, b: Tensor): Tensor => where(greater(b, 0), div(a, where(greater(b, 0), b, 1)), 0);

/** Of the predictions that are exactly 1, the share whose labels are 1: a scalar, 0 where there are none. */
export function precision(yTrue: Tensor, yPred: Tensor): Tensor {
  const { labels, predictions } = operands(yTrue, yPred);
  const positive = equal(predictions, 1);
  return quotient(count(logicalAnd(positive, equal(labels, 1))), count(positive));
}

/** Of the labels that are 1, the share whose predictions are exactly 1: a scalar, 0 where there are none. */
export function recall(yTrue: Tensor, yPred: Tensor): Tensor {
  const { labels, predictions } = operands(yTrue, yPred);
  const relevant = equal(labels, 1);
  return quotient(count(logicalAnd(relevant, equal(predictions, 1))), count(relevant));
}

/** 1 - sum((yTrue - yPred)^2) / sum((yTrue - mean(yTrue))^2): a scalar. */
export function r2Score(yTrue: Tensor, yPred: Tensor): Tensor {
  const { labels, predictions } = operands(yTrue, yPred);
  const unexplained = sum(squaredDifference(labels, predictions));
  return sub(1, div(unexplained, sum(squaredDifference(labels, mean(labels)))));
}

/** The sums whose quotient is the precision or the recall of predictions above 1/2, over all batches. */
export function hits(
  of: 'precision' | 'recall',
  yTrue: Tensor,
  yPred: Tensor,
  weigh: (values: Tensor) => Tensor,
): readonly [right: Tensor, all: Tensor] {
  const { labels, predictions } = operands(yTrue, yPred);
  const relevant = cast(notEqual(labels, 0), 'float32');
  const positive = cast(greater(predictions, 0.5), 'float32');
  const right = mul(relevant, positive);
  return [sum(weigh(right)), sum(weigh(of === 'precision' ? positive : relevant))];
}
