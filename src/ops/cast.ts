// cast: change of dtype.
import { invalid } from '../errors.js';
import { isRecording, record } from '../autograd/tape.js';
import { NativeOp } from '../tensor/backend.js';
import { convert, type TensorLike } from '../tensor/convert.js';
import { DTYPES, isDType, isFloat, type DType } from '../tensor/dtype.js';
import type { Mutable, ShapeOf } from '../tensor/shape-types.js';
import { makeOne, type Tensor } from '../tensor/tensor.js';
import { clone } from './reshape.js';

const CAST = new NativeOp('cast');

/** x in another dtype; x itself when it has that dtype. For ops, which hand out what they make of it and not it. */
export function cast(x: Tensor, dtype: DType): Tensor {
  if (x.dtype === dtype) return x;
  const y = makeOne(x.backend, CAST, [x], x.shape, dtype);
  // Only a cast between floats has a derivative.
  if (isRecording() && isFloat(dtype) && isFloat(x.dtype)) {
    record([y], [x], ([dy]) => [dy == null ? null : cast(dy, x.dtype)]);
  }
  return y;
}

/**
 * Changes the dtype. Floats round to nearest even into narrower floats, truncate and saturate into integers (NaN becomes
 * 0), and become true where they are not 0. The public `cast`.
 * @param x Any tensor.
 * @param dtype The new dtype.
 * @returns A tensor of its own of x's shape; it shares x's memory when x has that dtype.
 */
export function castCopy<X extends TensorLike>(x: X, dtype: DType): Tensor<Mutable<ShapeOf<X>>>;
export function castCopy(x: TensorLike, dtype: DType): Tensor {
  if (!isDType(dtype)) throw invalid('ERR_DTYPE', 'cast', 'dtype', `one of ${DTYPES.join(', ')}`, dtype);
  const input = convert('cast', 'x', x);
  return input.dtype === dtype ? clone(input) : cast(input, dtype);
}
