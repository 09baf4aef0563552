// Losses of classes, in tfjs's names with Keras 3's formulas: a loss for each sample. Cross-entropies of softmax's result are
// computed from the logits behind it, which softmax notes: exact for sure predictions, and one fused pass.
import { add, div, mul, sub } from '../ops/arithmetic.js';
import { relu } from '../ops/activations.js';
import { equal, logicalOr } from '../ops/comparison.js';
import { softmaxCrossEntropyOfRows, sparseSoftmaxCrossEntropyOfRows } from '../ops/cross-entropy.js';
import { clipByValue, log, log1p, neg, square } from '../ops/elementwise.js';
import { losses } from '../ops/losses.js';
import { all, max, mean, sum } from '../ops/reductions.js';
import { reshape } from '../ops/reshape.js';
import { where } from '../ops/select.js';
import { askingRanks, logitsOf } from '../ops/noted.js';
import { castRaw } from '../tensor/convert.js';
import type { Tensor } from '../tensor/tensor.js';
import { EPSILON, operands, wide } from './operands.js';

const clip = (x: Tensor): Tensor => clipByValue(x, EPSILON, 1 - EPSILON);

/** Labels of -1 and 1, from those or, where all of a batch are 0 or 1, from these. */
function signs(labels: Tensor): Tensor {
  const binary = all(logicalOr(equal(labels, 0), equal(labels, 1)));
  return where(binary, sub(mul(labels, 2), 1), labels);
}

/** mean(max(1 - yTrue yPred, 0)) over the last axis; labels of 0 and 1 stand for -1 and 1. */
export function hinge(yTrue: Tensor, yPred: Tensor): Tensor {
  const { labels, predictions } = operands(yTrue, yPred);
  return mean(relu(sub(1, mul(signs(labels), predictions))), -1);
}

/** mean(max(1 - yTrue yPred, 0)^2) over the last axis; labels of 0 and 1 stand for -1 and 1. */
export function squaredHinge(yTrue: Tensor, yPred: Tensor): Tensor {
  const { labels, predictions } = operands(yTrue, yPred);
  return mean(square(relu(sub(1, mul(signs(labels), predictions)))), -1);
}

/** max(1 + the largest wrong prediction - the right one, 0) for one-hot labels. */
export function categoricalHinge(yTrue: Tensor, yPred: Tensor): Tensor {
  const { labels, predictions } = operands(yTrue, yPred);
  const right = sum(mul(labels, predictions), -1);
  const wrong = max(mul(sub(1, labels), predictions), -1);
  return relu(add(sub(wrong, right), 1));
}

/** sum(yTrue log(yTrue / yPred)) over the last axis, both clipped to [1e-7, 1]. */
export function kullbackLeiblerDivergence(yTrue: Tensor, yPred: Tensor): Tensor {
  const { labels, predictions } = operands(yTrue, yPred);
  const p = clipByValue(labels, EPSILON, 1);
  return sum(mul(p, log(div(p, clipByValue(predictions, EPSILON, 1)))), -1);
}

/**
 * -sum(yTrue log(yPred)) over the last axis, for labels that are probabilities (one-hot or not).
 * @param yTrue Of yPred's shape `[..., classes]`.
 * @param yPred Probabilities, brought to the sum 1 and clipped to [1e-7, 1 - 1e-7]; of softmax's result the logits are used.
 * @param fromLogits yPred are logits (default false).
 * @param labelSmoothing Draws labels towards 1 / classes (default 0).
 */
export function categoricalCrossentropy(yTrue: Tensor, yPred: Tensor, fromLogits = false, labelSmoothing = 0): Tensor {
  const logits = fromLogits ? yPred : logitsOf(yPred);
  if (logits !== undefined) {
    const op = 'categoricalCrossentropy';
    return askingRanks(yTrue, yPred, () => softmaxCrossEntropyOfRows(op, yTrue, logits, labelSmoothing));
  }
  const { labels: given, predictions } = operands(yTrue, yPred);
  const classes = predictions.shape[predictions.rank - 1]!;
  const labels = labelSmoothing === 0 ? given : add(mul(given, 1 - labelSmoothing), labelSmoothing / classes);
  return neg(sum(mul(labels, log(clip(div(predictions, sum(predictions, -1, true))))), -1));
}

/**
 * -log of the prediction for the labelled class.
 * @param yTrue Class numbers, of yPred's shape without the last axis, or with one of size 1 in its place. A label outside
 *   [0, classes) gives NaN.
 * @param yPred Probabilities `[..., classes]`, clipped to [1e-7, 1 - 1e-7]; of softmax's result the logits are used.
 * @param fromLogits yPred are logits (default false).
 */
export function sparseCategoricalCrossentropy(yTrue: Tensor, yPred: Tensor, fromLogits = false): Tensor {
  const logits = fromLogits ? yPred : logitsOf(yPred);
  const labels = classNumbers(yTrue, yPred);
  const op = 'sparseCategoricalCrossentropy';
  if (logits === undefined) return sparseSoftmaxCrossEntropyOfRows(op, labels, log(clip(wide(yPred))));
  return askingRanks(yTrue, yPred, () => sparseSoftmaxCrossEntropyOfRows(op, labels, logits));
}

/** Class numbers as int32, without an axis of size 1 behind. */
export function classNumbers(yTrue: Tensor, yPred: Tensor): Tensor {
  const labels = castRaw(yTrue, 'int32');
  return labels.rank === yPred.rank && labels.rank > 0 && labels.shape[labels.rank - 1] === 1
    ? reshape(labels, labels.shape.slice(0, -1))
    : labels;
}

/**
 * mean(-yTrue log(yPred) - (1 - yTrue) log(1 - yPred)) over the last axis.
 * @param yTrue Labels in [0, 1] of yPred's shape.
 * @param yPred Probabilities, clipped to [1e-7, 1 - 1e-7].
 * @param fromLogits yPred are logits: what sigmoid takes (default false).
 * @param labelSmoothing Draws labels towards 1/2 (default 0).
 */
export function binaryCrossentropy(yTrue: Tensor, yPred: Tensor, fromLogits = false, labelSmoothing = 0): Tensor {
  const { labels: given, predictions } = operands(yTrue, yPred);
  const labels = labelSmoothing === 0 ? given : add(mul(given, 1 - labelSmoothing), labelSmoothing / 2);
  if (fromLogits) return mean(losses.sigmoidCrossEntropy(labels, predictions, undefined, 0, 0), -1);
  const p = clip(predictions);
  const each = add(mul(labels, log(p)), mul(sub(1, labels), log1p(neg(p))));
  return neg(mean(each, -1));
}
