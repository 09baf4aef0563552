// What every loss does with its operands first: floats wide enough to sum in, and labels in the predictions' dtype.
import { wideDType } from '../ops/cross-entropy.js';
import { cast } from '../ops/cast.js';
import { isFloat } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';

/** What keeps logarithms and quotients finite: Keras's and tfjs's epsilon. */
export const EPSILON = 1e-7;

/** A float tensor losses are computed in: float32 for half types and integers. */
export function wide(x: Tensor): Tensor {
  return cast(x, isFloat(x.dtype) ? wideDType(x.dtype) : 'float32');
}

/** Labels and predictions in one dtype. */
export function operands(yTrue: Tensor, yPred: Tensor): { labels: Tensor; predictions: Tensor } {
  const predictions = wide(yPred);
  return { labels: cast(yTrue, predictions.dtype), predictions };
}
