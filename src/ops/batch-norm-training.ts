// Batch normalisation by the batch's own moments with the activation behind it, as a layer trains with it. Not public: the
// layer owns the running averages that inference uses. What the activation was given is not kept: backward works it out again.
import { invalid } from '../errors.js';
import { isRecording } from '../autograd/tape.js';
import { NativeOp, run } from '../tensor/backend.js';
import type { TensorLike } from '../tensor/convert.js';
import { sameShape, type Shape } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import { activationNamed, LINEAR, perActivation, type AppliedActivation } from './activation.js';
import { add, mul } from './arithmetic.js';
import { cast } from './cast.js';
import { wideDType } from './cross-entropy.js';
import { floatOperand, recordOne } from './define.js';
import { checkEpsilon, parameter } from './normalisation.js';
import { standardize, standardizeGradient } from './standardize.js';
import { sumTo } from './broadcasting.js';

const AVERAGES = new NativeOp('batchNorm/averages');

const opsOf = perActivation((name) => ({
  forward: new NativeOp(`${name}/batch_norm_training`),
  backward: new NativeOp(`${name}/batch_norm_training_backward`),
}));

/** The normalised batch, activated, and its moments (biased variance), which have no gradient of their own. */
export interface BatchNormTraining {
  readonly y: Tensor;
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/** Checked operands of f((x - mean) / sqrt(variance + epsilon) * scale + offset). */
interface Normalization {
  readonly x: Tensor;
  readonly scale: Tensor | null;
  readonly offset: Tensor | null;
  readonly epsilon: number;
  readonly activation: AppliedActivation;
}

/**
 * f((x - mean) / sqrt(variance + epsilon) * scale + offset) with the moments of x over all axes but the last.
 * @param x Float tensor `[..., channels]` of rank 1 or more.
 * @param scale `[channels]`; null: 1.
 * @param offset `[channels]`; null: 0.
 * @param epsilon Added to the variance; 0.001 by default.
 * @param activation f; none by default.
 * @returns y in x's shape and dtype; mean and variance `[channels]`, float32 for half inputs. Of an empty batch: NaN.
 * @throws ShapeError when scale or offset are of another shape.
 */
export function batchNormTraining(
  x: TensorLike,
  scale: TensorLike | null,
  offset: TensorLike | null,
  epsilon = 0.001,
  activation: AppliedActivation = LINEAR,
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
  const norm = { x: input, scale: checked('scale', scale), offset: checked('offset', offset), epsilon, activation };
  const statistics = wideDType(dtype);
  const make = (of: Shape, type: typeof dtype) => ({
    holder: new Tensor<Shape>(backend, of, type),
    shape: of,
    dtype: type,
  });
  const outputs = [make(shape, dtype), make(channels, statistics), make(channels, statistics)] as const;
  const { forward } = opsOf(activation.name);
  run(backend, forward, [input, norm.scale, norm.offset], outputs, [epsilon, ...activation.parameters]);
  const [y, mean, variance] = outputs.map(({ holder }) => holder) as [Tensor, Tensor, Tensor];
  const inputs = [input, norm.scale, norm.offset].filter((operand) => operand !== null);
  recordOne(y, inputs, (dy) => {
    const gradients = isRecording() ? composedGradients(dy, norm) : nativeGradients(dy, norm, mean, variance);
    return [
      gradients[0]!,
      ...(norm.scale === null ? [] : [gradients[1]!]),
      ...(norm.offset === null ? [] : [gradients[2]!]),
    ];
  });
  return { y, mean, variance };
}

/** Gradients of x, scale and offset. */
function nativeGradients(dy: Tensor, norm: Normalization, mean: Tensor, variance: Tensor): Tensor[] {
  const { x, scale, offset, epsilon, activation } = norm;
  const outputs = [x, mean, mean].map(({ shape, dtype }) => ({
    holder: new Tensor<Shape>(x.backend, shape, dtype),
    shape,
    dtype,
  }));
  const operands = [dy, x, mean, variance, scale, offset];
  run(x.backend, opsOf(activation.name).backward, operands, outputs, [epsilon, ...activation.parameters]);
  return outputs.map(({ holder }) => holder);
}

/** The same in differentiable ops. */
function composedGradients(dy: Tensor, { x, scale, offset, epsilon, activation }: Normalization): Tensor[] {
  const wideX = cast(x, wideDType(x.dtype));
  const axes = Array.from({ length: x.rank - 1 }, (_, axis) => axis);
  const channels = [x.shape[x.rank - 1]!];
  const { normal } = standardize(wideX, axes, epsilon);
  const dz = ((): Tensor => {
    const wideDy = cast(dy, wideX.dtype);
    if (activation.name === 'linear') return wideDy;
    const scaled = scale === null ? normal : mul(normal, scale);
    const z = offset === null ? scaled : add(scaled, offset);
    const f = activationNamed(activation.name);
    const saved = f.facts.saves === 'output' ? f.apply(z, activation.parameters) : z;
    return f.applyBackward(wideDy, saved, activation.parameters);
  })();
  const dNormal = scale === null ? dz : mul(dz, scale);
  const dx = cast(standardizeGradient(dNormal, wideX, axes, epsilon), x.dtype);
  return [dx, sumTo(mul(dz, normal), channels), sumTo(dz, channels)];
}

/** Running averages of moments, as variables. */
export interface MovingMoments {
  readonly mean: Variable;
  readonly variance: Variable;
}

/**
 * average = momentum average + (1 - momentum) value for mean and variance, in one launch.
 * @param onlyFinite Leaves the averages of a channel whose moments are not finite as they are. For float16 batches, which
 *   overflow now and then: loss scaling leaves out their step, but the averages would never be finite again.
 */
export function moveAverages(
  averages: MovingMoments,
  { mean, variance }: Pick<BatchNormTraining, 'mean' | 'variance'>,
  momentum: number,
  onlyFinite: boolean,
): void {
  const changed = [averages.mean, averages.variance];
  for (const average of changed) average.assertLive('batchNormTraining', average.name);
  run(
    mean.backend,
    AVERAGES,
    [mean, variance],
    changed.map(({ id }) => ({ id })),
    [1 - momentum, Number(onlyFinite)],
  );
  for (const average of changed) average.assignments++;
}
