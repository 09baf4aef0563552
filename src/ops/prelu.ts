// PReLU: a leaky ReLU whose slope is a tensor that is learnt.
import { invalid } from '../errors.js';
import { isRecording } from '../autograd/tape.js';
import { NativeOp, run } from '../tensor/backend.js';
import { convert, sameBackend, type TensorLike } from '../tensor/convert.js';
import { isFloat, promote } from '../tensor/dtype.js';
import { makeOne, Tensor } from '../tensor/tensor.js';
import { mul } from './arithmetic.js';
import { cast } from './cast.js';
import { greater } from './comparison.js';
import { recordOne } from './define.js';
import { where } from './select.js';
import { sumTo } from './broadcasting.js';

const PRELU = new NativeOp('prelu');
const PRELU_BACKWARD = new NativeOp('prelu/backward');

/**
 * x where positive, alpha x elsewhere (He et al. 2015, "Delving deep into rectifiers").
 * @param x Any tensor; integers become float32.
 * @param alpha Slopes, in a shape that broadcasts to x's: axes of size 1, or missing in front, share a slope.
 * @returns A tensor of x's shape. The gradient at 0 is alpha, as in tfjs.
 * @throws ShapeError when alpha does not broadcast to x's shape.
 */
export function prelu(x: TensorLike, alpha: TensorLike): Tensor {
  const given = convert('prelu', 'x', x);
  const slopes = convert('prelu', 'alpha', alpha, given);
  const backend = sameBackend('prelu', given, slopes);
  const common = promote(given.dtype, slopes.dtype);
  const dtype = isFloat(common) ? common : 'float32';
  const input = cast(given, dtype);
  const slope = cast(slopes, dtype);
  const added = input.rank - slope.rank;
  if (added < 0 || !slope.shape.every((size, axis) => size === 1 || size === input.shape[added + axis])) {
    const expected = `a shape that broadcasts to x's [${input.shape.join(',')}]`;
    throw invalid('ERR_SHAPE', 'prelu', 'alpha', expected, [...slope.shape]);
  }
  const y = makeOne(backend, PRELU, [input, slope], input.shape, dtype);
  return recordOne(y, [input, slope], (dy) => gradients(dy, input, slope));
}

function gradients(dy: Tensor, x: Tensor, alpha: Tensor): [Tensor, Tensor] {
  if (isRecording()) {
    // A gradient of this gradient is being taken: the fused op below has none.
    const positive = greater(x, 0);
    const dx = where(positive, dy, mul(dy, alpha));
    return [dx, sumTo(where(positive, 0, mul(dy, x)), alpha.shape)];
  }
  const dx = new Tensor(x.backend, x.shape, x.dtype);
  const dAlpha = new Tensor(x.backend, alpha.shape, x.dtype);
  const outputs = [dx, dAlpha].map((holder) => ({ holder, shape: holder.shape, dtype: x.dtype }));
  run(x.backend, PRELU_BACKWARD, [dy, x, alpha], outputs);
  return [dx, dAlpha];
}
