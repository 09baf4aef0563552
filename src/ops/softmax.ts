// Softmax and log-softmax. Their gradients need the output alone.
import { invalid } from '../errors.js';
import { isRecording } from '../autograd/tape.js';
import { NativeOp } from '../tensor/backend.js';
import type { TensorLike } from '../tensor/convert.js';
import { checkAxis } from '../tensor/shape.js';
import { makeOne, type Tensor } from '../tensor/tensor.js';
import { mul, sub } from './arithmetic.js';
import { floatOperand, recordOne } from './define.js';
import { exp } from './elementwise.js';
import { sum } from './reductions.js';

/** dx from dy and y in differentiable ops: what a second derivative is taken of. */
type Composed = (dy: Tensor, y: Tensor) => Tensor;

function alongRows(name: string, axisName: string, composed: Composed): (logits: TensorLike, axis?: number) => Tensor {
  const forward = new NativeOp(name);
  const backward = new NativeOp(`${name}/backward`);
  const run = (x: Tensor): Tensor => {
    const y = makeOne(x.backend, forward, [x], x.shape, x.dtype);
    return recordOne(y, [x], (dy) => [
      isRecording() ? composed(dy, y) : makeOne(x.backend, backward, [dy, y], x.shape, x.dtype),
    ]);
  };
  return (logits, axis = -1) => {
    const x = floatOperand(name, 'logits', logits);
    if (checkAxis(name, axisName, axis, x.rank) !== x.rank - 1) {
      throw invalid('ERR_ARGUMENT', name, axisName, `the last axis, -1 or ${x.rank - 1}`, axis, 'transpose it there');
    }
    return run(x);
  };
}

/**
 * exp(x) / sum(exp(x)) along the last axis: positive shares that add up to 1. A logit of -Infinity gets 0; NaN makes its row NaN.
 * @param logits Float tensor of rank 1 or more; integers become float32.
 * @param dim The last axis, -1 by default.
 * @throws ArgumentError for another axis, as in tfjs.
 */
export const softmax: (logits: TensorLike, dim?: number) => Tensor = alongRows('softmax', 'dim', (dy, y) =>
  mul(y, sub(dy, sum(mul(dy, y), -1, true))),
);

/**
 * log(softmax(x)) = x - log(sum(exp(x))) along the last axis, without the loss of small shares.
 * @param logits Float tensor of rank 1 or more; integers become float32.
 * @param axis The last axis, -1 by default.
 * @throws ArgumentError for another axis, as in tfjs.
 */
export const logSoftmax: (logits: TensorLike, axis?: number) => Tensor = alongRows('logSoftmax', 'axis', (dy, y) =>
  sub(dy, mul(exp(y), sum(dy, -1, true))),
);
