// Reductions over axes.
import type { TensorLike } from '../tensor/convert.js';
import { convert } from '../tensor/convert.js';
import { NativeOp } from '../tensor/backend.js';
import { makeOne, type Tensor } from '../tensor/tensor.js';
import { checkAxes } from '../tensor/shape.js';

const SUM = new NativeOp('sum');

/** Sum over axes. */
export function sum(x: TensorLike, axis?: number | readonly number[] | null, keepDims = false): Tensor {
  const input = convert('sum', 'x', x);
  const axes = checkAxes('sum', axis, input.rank);
  const shape = input.shape.flatMap((size, i) => (axes.includes(i) ? (keepDims ? [1] : []) : [size]));
  return makeOne(input.backend, SUM, [input], shape, input.dtype, axes);
}
