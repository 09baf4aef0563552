// Broadcasting and the sum that undoes it: each is the other's gradient. Below the ops, whose gradients need both.
import { isRecording, record } from '../autograd/tape.js';
import { NativeOp } from '../tensor/backend.js';
import { sameShape, type Shape } from '../tensor/shape.js';
import { makeOne, type Tensor } from '../tensor/tensor.js';
import { clone, reshape } from './reshape.js';
import { stridedCopy, stridesOf } from './strided-copy.js';

const SUM = new NativeOp('sum');

/** x repeated to fill a shape that it is known to broadcast to. */
export function expand(x: Tensor, shape: Shape): Tensor {
  if (sameShape(shape, x.shape)) return clone(x);
  const own = stridesOf(x.shape);
  const added = shape.length - x.rank;
  const strides = shape.map((_, axis) => (axis < added || x.shape[axis - added] === 1 ? 0 : own[axis - added]!));
  const y = stridedCopy(x, shape, strides);
  if (isRecording()) record([y], [x], ([dy]) => [dy == null ? null : sumTo(dy, x.shape)], { readsInputs: false });
  return y;
}

/** The sum of a float tensor over axes, which are dropped. */
export function sumAxes(x: Tensor, axes: readonly number[]): Tensor {
  const shape = x.shape.filter((_, axis) => !axes.includes(axis));
  const y = makeOne(x.backend, SUM, [x], shape, x.dtype, axes);
  if (isRecording()) {
    const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
    record([y], [x], ([dy]) => [dy == null ? null : expand(reshape(dy, kept), x.shape)], { readsInputs: false });
  }
  return y;
}

/** A gradient summed down to the shape that its operand had before it was broadcast. */
export function sumTo(dy: Tensor, shape: Shape): Tensor {
  if (sameShape(dy.shape, shape)) return dy;
  const added = dy.rank - shape.length;
  const axes: number[] = [];
  for (let axis = 0; axis < dy.rank; axis++) {
    if (axis < added || (shape[axis - added] === 1 && dy.shape[axis] !== 1)) axes.push(axis);
  }
  return reshape(axes.length === 0 ? dy : sumAxes(dy, axes), shape);
}
