// cast: change of dtype.
import { invalid } from '../errors.js';
import { isRecording, record } from '../autograd/tape.js';
import { NativeOp } from '../tensor/backend.js';
import { convert, type TensorLike } from '../tensor/convert.js';
import { DTYPES, isDType, isFloat, type DType } from '../tensor/dtype.js';
import type { Mutable, ShapeOf } from '../tensor/shape-types.js';
import { makeOne, type Tensor } from '../tensor/tensor.js';

const CAST = new NativeOp('cast');

/**
 * Changes the dtype. Floats round to nearest even into narrower floats, truncate and saturate into integers (NaN becomes
 * 0), and become true where they are not 0.
 * @param x Any tensor.
 * @param dtype The new dtype.
 * @returns A tensor of x's shape; x itself when it has that dtype.
 */
export function cast<X extends TensorLike>(x: X, dtype: DType): Tensor<Mutable<ShapeOf<X>>>;
export function cast(x: TensorLike, dtype: DType): Tensor {
  if (!isDType(dtype)) throw invalid('ERR_DTYPE', 'cast', 'dtype', `one of ${DTYPES.join(', ')}`, dtype);
  const input = convert('cast', 'x', x);
  if (input.dtype === dtype) return input;
  const y = makeOne(input.backend, CAST, [input], input.shape, dtype);
  // Only a cast between floats has a derivative.
  if (isRecording() && isFloat(dtype) && isFloat(input.dtype)) {
    record([y], [input], ([dy]) => [dy == null ? null : cast(dy, input.dtype)]);
  }
  return y;
}
