// Batch normalisation by the batch's own moments, as a layer trains with it. Not public: the layer owns the running
// averages that inference uses.
import { invalid } from '../errors.js';
import { isRecording } from '../autograd/tape.js';
import { NativeOp, run } from '../tensor/backend.js';
import type { TensorLike } from '../tensor/convert.js';
import { sameShape, type Shape } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';
import { mul } from './arithmetic.js';
import { cast } from './cast.js';
import { wideDType } from './cross-entropy.js';
import { floatOperand, recordOne } from './define.js';
import { checkEpsilon, parameter } from './normalisation.js';
import { standardize, standardizeGradient } from './standardize.js';
import { sumTo } from './broadcasting.js';

const FORWARD = new NativeOp('batchNormTraining');
const BACKWARD = new NativeOp('batchNormTraining/backward');

/** The normalised batch and its moments (biased variance), which have no gradient of their own. */
export interface BatchNormTraining {
  readonly y: Tensor;
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/**
 * (x - mean) / sqrt(variance + epsilon) * scale + offset with the moments of x over all axes but the last.
 * @param x Float tensor `[..., channels]` of rank 1 or more.
 * @param scale `[channels]`; null: 1.
 * @param offset `[channels]`; null: 0.
 * @param epsilon Added to the variance; 0.001 by default.
 * @returns y in x's shape and dtype; mean and variance `[channels]`, float32 for half inputs. Of an empty batch: NaN.
 * @throws ShapeError when scale or offset are of another shape.
 */
export function batchNormTraining(
  x: TensorLike,
  scale: TensorLike | null,
  offset: TensorLike | null,
  epsilon = 0.001,
): BatchNormTraining {
  const op = 'batchNormTraining';
  const input = floatOperand(op, 'x', x);
  if (input.rank === 0) throw invalid('ERR_SHAPE', op, 'x', 'a rank of at least 1', []);
  checkEpsilon(op, 'epsilon', epsilon);
  const { backend, shape, dtype } = input;
  const channels = [shape[input.rank - 1]!];
  const checked = (name: string, value: TensorLike | null): Tensor | null => {
    const given = parameter(op, name, value, input);
    if (given === null || sameShape(given.shape, channels)) return given;
    throw invalid('ERR_SHAPE', op, name, `shape [${channels.join(',')}], of x's last axis`, [...given.shape]);
  };
  const factor = checked('scale', scale);
  const shift = checked('offset', offset);
  const statistics = wideDType(dtype);
  const make = (of: Shape, type: typeof dtype) => ({
    holder: new Tensor<Shape>(backend, of, type),
    shape: of,
    dtype: type,
  });
  const outputs = [make(shape, dtype), make(channels, statistics), make(channels, statistics)] as const;
  run(backend, FORWARD, [input, factor, shift], outputs, [epsilon]);
  const [y, mean, variance] = outputs.map(({ holder }) => holder) as [Tensor, Tensor, Tensor];
  const inputs = [input, factor, shift].filter((operand) => operand !== null);
  recordOne(y, inputs, (dy) => {
    const gradients = isRecording()
      ? composedGradients(dy, input, factor, epsilon)
      : nativeGradients(dy, input, mean, variance, factor, epsilon);
    return [gradients[0]!, ...(factor === null ? [] : [gradients[1]!]), ...(shift === null ? [] : [gradients[2]!])];
  });
  return { y, mean, variance };
}

/** Gradients of x, scale and offset. */
function nativeGradients(
  dy: Tensor,
  x: Tensor,
  mean: Tensor,
  variance: Tensor,
  scale: Tensor | null,
  epsilon: number,
): Tensor[] {
  const outputs = [x, mean, mean].map(({ shape, dtype }) => ({
    holder: new Tensor<Shape>(x.backend, shape, dtype),
    shape,
    dtype,
  }));
  run(x.backend, BACKWARD, [dy, x, mean, variance, scale], outputs, [epsilon]);
  return outputs.map(({ holder }) => holder);
}

function composedGradients(dy: Tensor, x: Tensor, scale: Tensor | null, epsilon: number): Tensor[] {
  const wideX = cast(x, wideDType(x.dtype));
  const wideDy = cast(dy, wideX.dtype);
  const axes = Array.from({ length: x.rank - 1 }, (_, axis) => axis);
  const channels = [x.shape[x.rank - 1]!];
  const dNormal = scale === null ? wideDy : mul(wideDy, scale);
  const dx = cast(standardizeGradient(dNormal, wideX, axes, epsilon), x.dtype);
  const { normal } = standardize(wideX, axes, epsilon);
  return [dx, sumTo(mul(wideDy, normal), channels), sumTo(wideDy, channels)];
}
