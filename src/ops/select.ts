// where: choosing between two tensors by a condition.
import { isRecording, record } from '../autograd/tape.js';
import { NativeOp } from '../tensor/backend.js';
import { convert, sameBackend, type TensorLike } from '../tensor/convert.js';
import { isFloat, promote } from '../tensor/dtype.js';
import { broadcastShapes } from '../tensor/shape.js';
import { makeOne, Tensor } from '../tensor/tensor.js';
import { cast } from './cast.js';
import { requireBool } from './define.js';
import { sumTo } from './broadcasting.js';

const WHERE = new NativeOp('where');

/**
 * a where the condition is true, b elsewhere; all three broadcast.
 * @param condition A bool tensor.
 * @returns A tensor of the wider dtype of a and b.
 */
export function where(condition: TensorLike, a: TensorLike, b: TensorLike): Tensor {
  const like = a instanceof Tensor ? a : b instanceof Tensor ? b : undefined;
  const mask = requireBool('where', 'condition', convert('where', 'condition', condition, like));
  const left = convert('where', 'a', a, like);
  const right = convert('where', 'b', b, like);
  const backend = sameBackend('where', left, right);
  sameBackend('where', mask, left);
  const dtype = promote(left.dtype, right.dtype);
  const x = cast(left, dtype);
  const y = cast(right, dtype);
  const shape = broadcastShapes('where', mask.shape, broadcastShapes('where', x.shape, y.shape));
  const result = makeOne(backend, WHERE, [mask, x, y], shape, dtype);
  if (isRecording() && isFloat(dtype)) {
    record([result], [x, y], ([dy], wanted) => {
      if (dy == null) return [null, null];
      return [
        wanted[0] ? sumTo(where(mask, dy, 0), x.shape) : null,
        wanted[1] ? sumTo(where(mask, 0, dy), y.shape) : null,
      ];
    });
  }
  return result;
}
