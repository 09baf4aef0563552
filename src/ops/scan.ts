// Cumulative sums.
import { isRecording } from '../autograd/tape.js';
import { NativeOp } from '../tensor/backend.js';
import { arithmeticDType, convert, type TensorLike } from '../tensor/convert.js';
import { checkAxis } from '../tensor/shape.js';
import { makeOne, type Tensor } from '../tensor/tensor.js';
import { cast } from './cast.js';
import { recordOne } from './define.js';

const CUMSUM = new NativeOp('cumsum');

/**
 * Sums of all elements up to each along an axis. Sums of bool and uint8 are int32.
 * @param x A tensor of at least rank 1.
 * @param axis Default 0.
 * @param exclusive Leaves the element itself out of its sum (default false).
 * @param reverse Sums from the end (default false).
 */
export function cumsum(x: TensorLike, axis = 0, exclusive = false, reverse = false): Tensor {
  const given = convert('cumsum', 'x', x);
  const along = checkAxis('cumsum', 'axis', axis, given.rank);
  return scan(cast(given, arithmeticDType(given.dtype)), along, exclusive, reverse);
}

function scan(x: Tensor, axis: number, exclusive: boolean, reverse: boolean): Tensor {
  const y = makeOne(x.backend, CUMSUM, [x], x.shape, x.dtype, [axis, exclusive ? 1 : 0, reverse ? 1 : 0]);
  return isRecording() ? recordOne(y, [x], (dy) => [scan(dy, axis, exclusive, !reverse)]) : y;
}
