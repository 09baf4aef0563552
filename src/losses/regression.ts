// Losses of numbers, in tfjs's names with Keras 3's formulas: a loss for each sample, the mean over the last axis.
import { add, div, maximum, mul, squaredDifference, sub } from '../ops/arithmetic.js';
import { softplus } from '../ops/activations.js';
import { lessEqual } from '../ops/comparison.js';
import { abs, log, neg, rsqrt, square } from '../ops/elementwise.js';
import { mean, sum } from '../ops/reductions.js';
import { where } from '../ops/select.js';
import type { Tensor } from '../tensor/tensor.js';
import { EPSILON, operands } from './operands.js';

/** mean((yTrue - yPred)^2) over the last axis. */
export function meanSquaredError(yTrue: Tensor, yPred: Tensor): Tensor {
  const { labels, predictions } = operands(yTrue, yPred);
  return mean(squaredDifference(predictions, labels), -1);
}

/** mean(|yTrue - yPred|) over the last axis. */
export function meanAbsoluteError(yTrue: Tensor, yPred: Tensor): Tensor {
  const { labels, predictions } = operands(yTrue, yPred);
  return mean(abs(sub(labels, predictions)), -1);
}

/** 100 mean(|yTrue - yPred| / max(|yTrue|, 1e-7)) over the last axis. */
export function meanAbsolutePercentageError(yTrue: Tensor, yPred: Tensor): Tensor {
  const { labels, predictions } = operands(yTrue, yPred);
  const share = abs(div(sub(labels, predictions), maximum(abs(labels), EPSILON)));
  return mul(mean(share, -1), 100);
}

/** mean((log(yTrue + 1) - log(yPred + 1))^2) over the last axis; values below 1e-7 count as that. */
export function meanSquaredLogarithmicError(yTrue: Tensor, yPred: Tensor): Tensor {
  const { labels, predictions } = operands(yTrue, yPred);
  const logOf = (x: Tensor): Tensor => log(add(maximum(x, EPSILON), 1));
  return mean(squaredDifference(logOf(labels), logOf(predictions)), -1);
}

/** mean(log(cosh(yPred - yTrue))) over the last axis, by a form that does not overflow. */
export function logcosh(yTrue: Tensor, yPred: Tensor): Tensor {
  const { labels, predictions } = operands(yTrue, yPred);
  const error = sub(predictions, labels);
  return mean(sub(add(error, softplus(mul(error, -2))), Math.LN2), -1);
}

/**
 * Half the squared error up to `delta`, linear beyond; the mean over the last axis.
 * @param delta Default 1.
 */
export function huber(yTrue: Tensor, yPred: Tensor, delta = 1): Tensor {
  const { labels, predictions } = operands(yTrue, yPred);
  const error = sub(predictions, labels);
  const size = abs(error);
  const linear = sub(mul(size, delta), 0.5 * delta * delta);
  return mean(where(lessEqual(size, delta), mul(square(error), 0.5), linear), -1);
}

/** mean(yPred - yTrue log(yPred + 1e-7)) over the last axis. */
export function poisson(yTrue: Tensor, yPred: Tensor): Tensor {
  const { labels, predictions } = operands(yTrue, yPred);
  return mean(sub(predictions, mul(labels, log(add(predictions, EPSILON)))), -1);
}

/** x over its length along the last axis; vectors shorter than 1e-6 are left short. */
function direction(x: Tensor): Tensor {
  return mul(x, rsqrt(maximum(sum(square(x), -1, true), 1e-12)));
}

/** Minus the cosine of the angle between yTrue and yPred along the last axis: -1 where they point the same way. */
export function cosineProximity(yTrue: Tensor, yPred: Tensor): Tensor {
  const { labels, predictions } = operands(yTrue, yPred);
  return neg(sum(mul(direction(labels), direction(predictions)), -1));
}
