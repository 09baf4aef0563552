// Sample weights against losses and metrics of each sample: weights of a lower rank count for all that lies behind them.
import { mul } from '../ops/arithmetic.js';
import { broadcastTo } from '../ops/broadcast.js';
import { cast } from '../ops/cast.js';
import { reshape } from '../ops/reshape.js';
import { invalid } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * Weights in the values' shape and dtype.
 * @throws ShapeError when they do not broadcast.
 */
export function weightsLike(op: string, weights: Tensor, values: Tensor): Tensor {
  let own = cast(weights, values.dtype);
  const fits = (shape: readonly number[]): boolean =>
    shape.length <= values.rank && shape.every((size, axis) => size === 1 || size === values.shape[axis]);
  // A last axis of 1, as of labels [batch, 1], is no axis of the values.
  if (own.rank === values.rank + 1 && own.shape[own.rank - 1] === 1) own = reshape(own, own.shape.slice(0, -1));
  if (!fits(own.shape)) {
    const expected = `a shape that broadcasts to the losses' [${values.shape.join(',')}]`;
    throw invalid('ERR_SHAPE', op, 'sampleWeight', expected, [...weights.shape]);
  }
  const aligned = reshape(own, [...own.shape, ...new Array<number>(values.rank - own.rank).fill(1)]);
  return broadcastTo(aligned, values.shape);
}

/** Values times weights, in the values' shape. */
export const weighted = (op: string, values: Tensor, weights: Tensor | null): Tensor =>
  weights === null ? values : mul(values, weightsLike(op, weights, values));
