// Loss functions: a loss for each element or row, weighted, and reduced. Names, argument order and results are tfjs's
// `losses`; all are written in differentiable ops. Half operands are brought to float32 first.
import { invalid } from '../errors.js';
import { sameBackend, convert, type TensorLike } from '../tensor/convert.js';
import { broadcastShapes, checkAxis, sameShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { add, div, minimum, mul, sub, squaredDifference as squared } from './arithmetic.js';
import { softplus, relu } from './activations.js';
import { cast } from './cast.js';
import { greater, notEqual } from './comparison.js';
import { onesLike } from './creation.js';
import { softmaxCrossEntropyOfRows, sparseSoftmaxCrossEntropyOfRows, wideDType } from './cross-entropy.js';
import { floatOperand } from './define.js';
import { abs, log, log1p, neg, square } from './elementwise.js';
import { sum } from './reductions.js';
import { where } from './select.js';

/** What becomes of the losses of single elements; the numbers are tfjs's. */
export enum Reduction {
  /** No reduction: losses times weights. */
  NONE,
  /** The weighted sum over the sum of the weights. */
  MEAN,
  /** The weighted sum. */
  SUM,
  /** The weighted sum over the number of weights that are not 0. */
  SUM_BY_NONZERO_WEIGHTS,
}

function wide(op: string, argument: string, value: TensorLike): Tensor {
  const x = floatOperand(op, argument, value);
  return cast(x, wideDType(x.dtype));
}

/** Labels and predictions of one shape, in the predictions' dtype. */
function pair(
  op: string,
  labelsLike: TensorLike,
  predictionsLike: TensorLike,
  labelsName = 'labels',
  predictionsName = 'predictions',
): { labels: Tensor; predictions: Tensor } {
  const labels = convert(op, labelsName, labelsLike);
  const predictions = wide(op, predictionsName, predictionsLike);
  sameBackend(op, labels, predictions);
  if (!sameShape(labels.shape, predictions.shape)) {
    const expected = `the shape of ${predictionsName}, [${predictions.shape.join(',')}]`;
    throw invalid('ERR_SHAPE', op, labelsName, expected, [...labels.shape]);
  }
  return { labels: cast(labels, predictions.dtype), predictions };
}

function reduce(op: string, losses: Tensor, weightsLike: TensorLike | undefined, reduction: Reduction): Tensor {
  if (typeof reduction !== 'number' || Reduction[reduction] === undefined) {
    throw invalid('ERR_ARGUMENT', op, 'reduction', 'a member of Reduction, 0 to 3', reduction);
  }
  // null as well: JavaScript callers leave weights out that way.
  if (weightsLike === undefined || weightsLike === null) {
    if (reduction === Reduction.NONE) return losses;
    const total = sum(losses);
    return reduction === Reduction.SUM ? total : div(total, losses.size);
  }
  const weights = cast(convert(op, 'weights', weightsLike), losses.dtype);
  sameBackend(op, losses, weights);
  if (!sameShape(broadcastShapes(op, losses.shape, weights.shape), losses.shape)) {
    const expected = `a shape that broadcasts to the losses' [${losses.shape.join(',')}]`;
    throw invalid('ERR_SHAPE', op, 'weights', expected, [...weights.shape]);
  }
  const weighted = mul(losses, weights);
  if (reduction === Reduction.NONE) return weighted;
  const total = sum(weighted);
  if (reduction === Reduction.SUM) return total;
  const everywhere = (x: Tensor): Tensor => sum(mul(x, onesLike(losses)));
  if (reduction === Reduction.MEAN) return div(total, everywhere(weights));
  return div(total, everywhere(cast(notEqual(weights, 0), losses.dtype)));
}

type Loss = (labels: TensorLike, predictions: TensorLike, weights?: TensorLike, reduction?: Reduction) => Tensor;

/**
 * Weights losses and reduces them.
 * @param losses Any shape.
 * @param weights A shape that broadcasts to that of the losses; 1 by default.
 * @param reduction `Reduction.SUM_BY_NONZERO_WEIGHTS` by default: without weights, the mean. An empty mean is NaN.
 * @returns The losses' shape for `Reduction.NONE`, else a scalar; float32 for half losses.
 * @throws ShapeError when weights do not broadcast to the losses; ArgumentError for an unknown reduction.
 */
function computeWeightedLoss(
  losses: TensorLike,
  weights?: TensorLike,
  reduction = Reduction.SUM_BY_NONZERO_WEIGHTS,
): Tensor {
  const op = 'losses.computeWeightedLoss';
  return reduce(op, wide(op, 'losses', losses), weights, reduction);
}

/** |labels - predictions|; the rest as computeWeightedLoss. Labels have the predictions' shape. */
const absoluteDifference: Loss = (
  labelsLike,
  predictionsLike,
  weights,
  reduction = Reduction.SUM_BY_NONZERO_WEIGHTS,
) => {
  const op = 'losses.absoluteDifference';
  const { labels, predictions } = pair(op, labelsLike, predictionsLike);
  return reduce(op, abs(sub(labels, predictions)), weights, reduction);
};

/**
 * 1 - sum(labels predictions) along an axis, which stays with size 1: the distance of vectors of length 1.
 * @param axis The axis of the vectors' components.
 */
function cosineDistance(
  labelsLike: TensorLike,
  predictionsLike: TensorLike,
  axis: number,
  weights?: TensorLike,
  reduction = Reduction.SUM_BY_NONZERO_WEIGHTS,
): Tensor {
  const op = 'losses.cosineDistance';
  const { labels, predictions } = pair(op, labelsLike, predictionsLike);
  const along = checkAxis(op, 'axis', axis, labels.rank);
  return reduce(op, sub(1, sum(mul(labels, predictions), along, true)), weights, reduction);
}

/** max(0, 1 - y predictions) with y = 2 labels - 1, for labels 0 and 1; the rest as computeWeightedLoss. */
const hingeLoss: Loss = (labelsLike, predictionsLike, weights, reduction = Reduction.SUM_BY_NONZERO_WEIGHTS) => {
  const op = 'losses.hingeLoss';
  const { labels, predictions } = pair(op, labelsLike, predictionsLike);
  const signs = sub(mul(labels, 2), 1);
  return reduce(op, relu(sub(1, mul(signs, predictions))), weights, reduction);
};

/**
 * Half the squared error up to an error of `delta`, linear beyond it.
 * @param delta 1 by default, above 0.
 */
function huberLoss(
  labelsLike: TensorLike,
  predictionsLike: TensorLike,
  weights?: TensorLike,
  delta = 1,
  reduction = Reduction.SUM_BY_NONZERO_WEIGHTS,
): Tensor {
  const op = 'losses.huberLoss';
  if (!(typeof delta === 'number' && delta > 0)) throw invalid('ERR_ARGUMENT', op, 'delta', 'a number above 0', delta);
  const { labels, predictions } = pair(op, labelsLike, predictionsLike);
  const error = abs(sub(predictions, labels));
  const quadratic = minimum(error, delta);
  const losses = add(mul(square(quadratic), 0.5), mul(sub(error, quadratic), delta));
  return reduce(op, losses, weights, reduction);
}

/** log(p + epsilon); near 1, where the sum would round epsilon away, by log1p. Each part is harmless where the other counts. */
function logOf(p: Tensor, epsilon: number): Tensor {
  const nearOne = greater(p, 0.5);
  const beyondOne = where(nearOne, add(sub(p, 1), epsilon), 0);
  return add(log1p(beyondOne), log(where(nearOne, 1, add(p, epsilon))));
}

/**
 * Cross-entropy of predicted probabilities, -labels log(p + epsilon) - (1 - labels) log(1 - p + epsilon).
 * @param epsilon Keeps the logarithm finite; 1e-7 by default, at least 0.
 */
function logLoss(
  labelsLike: TensorLike,
  predictionsLike: TensorLike,
  weights?: TensorLike,
  epsilon = 1e-7,
  reduction = Reduction.SUM_BY_NONZERO_WEIGHTS,
): Tensor {
  const op = 'losses.logLoss';
  if (!(typeof epsilon === 'number' && epsilon >= 0)) {
    throw invalid('ERR_ARGUMENT', op, 'epsilon', 'a number of at least 0', epsilon);
  }
  const { labels, predictions } = pair(op, labelsLike, predictionsLike);
  const present = mul(labels, logOf(predictions, epsilon));
  const absent = mul(sub(1, labels), logOf(sub(1, predictions), epsilon));
  return reduce(op, neg(add(present, absent)), weights, reduction);
}

/** (labels - predictions) squared; the rest as computeWeightedLoss. */
const meanSquaredError: Loss = (labelsLike, predictionsLike, weights, reduction = Reduction.SUM_BY_NONZERO_WEIGHTS) => {
  const op = 'losses.meanSquaredError';
  const { labels, predictions } = pair(op, labelsLike, predictionsLike);
  return reduce(op, squared(labels, predictions), weights, reduction);
};

/**
 * Cross-entropy of labels in [0, 1] with sigmoid(logits), each element a yes-or-no question of its own. Finite for finite
 * logits, and relatively precise where the loss is small.
 * @param labelSmoothing Draws labels towards 1/2; in [0, 1], 0 by default.
 */
function sigmoidCrossEntropy(
  multiClassLabels: TensorLike,
  logitsLike: TensorLike,
  weights?: TensorLike,
  labelSmoothing = 0,
  reduction = Reduction.SUM_BY_NONZERO_WEIGHTS,
): Tensor {
  const op = 'losses.sigmoidCrossEntropy';
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw invalid('ERR_ARGUMENT', op, 'labelSmoothing', 'a number in [0, 1]', labelSmoothing);
  }
  const { labels: given, predictions: logits } = pair(op, multiClassLabels, logitsLike, 'multiClassLabels', 'logits');
  const labels = labelSmoothing > 0 ? add(mul(given, 1 - labelSmoothing), labelSmoothing / 2) : given;
  // -log(sigmoid(x)) is softplus(-x): no difference of large numbers, and no kink at 0.
  const losses = add(mul(labels, softplus(neg(logits))), mul(sub(1, labels), softplus(logits)));
  return reduce(op, losses, weights, reduction);
}

/**
 * Cross-entropy of labels with softmax(logits) along the last axis, in one pass.
 * @param onehotLabels Probabilities (one-hot or not) in logits' shape `[..., classes]`.
 * @param logits Float tensor; half logits give a float32 loss.
 * @param weights A shape that broadcasts to `[...]`, the losses of the rows.
 * @param labelSmoothing Draws labels towards 1 / classes; in [0, 1], 0 by default.
 * @param reduction As computeWeightedLoss.
 */
function softmaxCrossEntropy(
  onehotLabels: TensorLike,
  logits: TensorLike,
  weights?: TensorLike,
  labelSmoothing = 0,
  reduction = Reduction.SUM_BY_NONZERO_WEIGHTS,
): Tensor {
  const op = 'losses.softmaxCrossEntropy';
  return reduce(op, softmaxCrossEntropyOfRows(op, onehotLabels, logits, labelSmoothing), weights, reduction);
}

/**
 * Cross-entropy of class numbers with softmax(logits) along the last axis, in one pass.
 * @param labels int32 (or uint8, bool) in logits' shape without the last axis. A label outside [0, classes) gives a loss of
 *   NaN: it is read on the device, which cannot throw.
 * @param logits Float tensor `[..., classes]`; half logits give a float32 loss.
 * @param weights A shape that broadcasts to that of the labels.
 * @param reduction As computeWeightedLoss.
 */
function sparseSoftmaxCrossEntropy(
  labels: TensorLike,
  logits: TensorLike,
  weights?: TensorLike,
  reduction = Reduction.SUM_BY_NONZERO_WEIGHTS,
): Tensor {
  const op = 'losses.sparseSoftmaxCrossEntropy';
  return reduce(op, sparseSoftmaxCrossEntropyOfRows(op, labels, logits), weights, reduction);
}

/** Losses as functions of labels and predictions, weighted and reduced; names and argument order are tfjs's. */
export const losses = {
  absoluteDifference,
  /** Losses of elements, weighted and reduced. */
  computeWeightedLoss,
  /** 1 - the sum of products along an axis. */
  cosineDistance,
  hingeLoss,
  /** Quadratic near 0, linear beyond delta. */
  huberLoss,
  /** Cross-entropy of probabilities. */
  logLoss,
  meanSquaredError,
  /** Cross-entropy with sigmoid(logits). */
  sigmoidCrossEntropy,
  /** Cross-entropy with softmax(logits), in one pass. */
  softmaxCrossEntropy,
  /** The same, of class numbers. */
  sparseSoftmaxCrossEntropy,
} as const;
