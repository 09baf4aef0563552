// Softmax and log-softmax. Their gradients need the output alone. A loss can ask for the logits behind a softmax (noted.ts).
import { isRecording } from '../autograd/tape.js';
import { NativeOp } from '../tensor/backend.js';
import type { TensorLike } from '../tensor/convert.js';
import { checkAxis } from '../tensor/shape.js';
import { makeOne, type Tensor } from '../tensor/tensor.js';
import { mul, sub } from './arithmetic.js';
import { floatOperand, recordOne } from './define.js';
import { exp } from './elementwise.js';
import { noteLogits } from './noted.js';
import { sum } from './reductions.js';
import { transpose } from './transpose.js';

/** dx from dy and y in differentiable ops: what a second derivative is taken of. */
type Composed = (dy: Tensor, y: Tensor) => Tensor;

function alongRows(name: string, axisName: string, composed: Composed): (logits: TensorLike, axis?: number) => Tensor {
  const forward = new NativeOp(name);
  const backward = new NativeOp(`${name}/backward`);
  const run = (x: Tensor): Tensor => {
    const y = makeOne(x.backend, forward, [x], x.shape, x.dtype);
    if (name === 'softmax') noteLogits(y, x);
    return recordOne(y, [x], (dy) => [
      isRecording() ? composed(dy, y) : makeOne(x.backend, backward, [dy, y], x.shape, x.dtype),
    ]);
  };
  return (logits, axis = -1) => {
    const x = floatOperand(name, 'logits', logits);
    const at = checkAxis(name, axisName, axis, x.rank);
    const last = x.rank - 1;
    if (at === last) return run(x);
    const swapped = Array.from({ length: x.rank }, (_, i) => (i === at ? last : i === last ? at : i));
    return transpose(run(transpose(x, swapped)), swapped);
  };
}

/**
 * exp(x) / sum(exp(x)) along an axis: positive shares that add up to 1. A logit of -Infinity gets 0; NaN makes its row NaN.
 * @param logits Float tensor of rank 1 or more; integers become float32.
 * @param dim Any axis (tfjs takes the last alone); -1 by default. Others than the last are transposed there and back.
 * @throws ArgumentError when there is no such axis.
 */
export const softmax: (logits: TensorLike, dim?: number) => Tensor = alongRows('softmax', 'dim', (dy, y) =>
  mul(y, sub(dy, sum(mul(dy, y), -1, true))),
);

/**
 * log(softmax(x)) = x - log(sum(exp(x))) along an axis, without the loss of small shares.
 * @param logits Float tensor of rank 1 or more; integers become float32.
 * @param axis As softmax's dim.
 * @throws ArgumentError when there is no such axis.
 */
export const logSoftmax: (logits: TensorLike, axis?: number) => Tensor = alongRows('logSoftmax', 'axis', (dy, y) =>
  sub(dy, mul(exp(y), sum(dy, -1, true))),
);
