// Batch normalisation with given moments, alone or with an activation behind it, and layer normalisation. Fused where the
// shapes are the usual ones, composed of ops otherwise. Parameters and statistics of half inputs are float32.
import { invalid } from '../errors.js';
import { isRecording } from '../autograd/tape.js';
import { NativeOp, run } from '../tensor/backend.js';
import { convert, sameBackend, type TensorLike } from '../tensor/convert.js';
import { checkAxes, sameShape, sizeOf, type Shape } from '../tensor/shape.js';
import { makeOne, Tensor } from '../tensor/tensor.js';
import { activationNamed, perActivation, type AppliedActivation } from './activation.js';
import { add, mul, sub } from './arithmetic.js';
import { cast } from './cast.js';
import { wideDType } from './cross-entropy.js';
import { floatOperand, recordOne } from './define.js';
import { neg, rsqrt, square } from './elementwise.js';
import { reshape } from './reshape.js';
import { standardize, standardizeGradient } from './standardize.js';
import { sumTo } from './broadcasting.js';

const BATCH_NORM = new NativeOp('linear/batch_norm');
const BATCH_NORM_BACKWARD = new NativeOp('batchNorm/backward');
const BATCH_NORM_PARAMETERS = new NativeOp('batchNorm/parametersBackward');
const LAYER_NORM = new NativeOp('layerNorm');
const LAYER_NORM_BACKWARD = new NativeOp('layerNorm/backward');

/** An optional parameter on x's device, in the dtype that x computes in; null when left out. */
export function parameter(op: string, name: string, value: TensorLike | null | undefined, x: Tensor): Tensor | null {
  if (value === undefined || value === null) return null;
  const given = convert(op, name, value);
  sameBackend(op, x, given);
  return cast(given, wideDType(x.dtype));
}

/** Checks an epsilon: a finite number of at least 0. */
export function checkEpsilon(op: string, name: string, epsilon: unknown): void {
  if (!(typeof epsilon === 'number' && epsilon >= 0 && Number.isFinite(epsilon))) {
    throw invalid('ERR_ARGUMENT', op, name, 'a finite number of at least 0', epsilon);
  }
}

function withoutLeadingOnes(shape: Shape): Shape {
  const first = shape.findIndex((size) => size !== 1);
  return first < 0 ? [] : shape.slice(first);
}

interface BatchNorm {
  readonly x: Tensor;
  readonly mean: Tensor;
  readonly variance: Tensor;
  readonly offset: Tensor | null;
  readonly scale: Tensor | null;
  readonly epsilon: number;
}

/** The parameters lie along x's last axes and all have one shape: what the kernel takes. */
function isFused({ x, mean, variance, offset, scale }: BatchNorm): boolean {
  const own = withoutLeadingOnes(mean.shape);
  const suffix = x.shape.slice(x.rank - own.length);
  return (
    sameShape(own, suffix) &&
    [variance, offset, scale].every((p) => p === null || sameShape(withoutLeadingOnes(p.shape), own))
  );
}

function composedBatchNorm({ x, mean, variance, offset, scale, epsilon }: BatchNorm): Tensor {
  const inverse = rsqrt(add(variance, epsilon));
  const y = mul(sub(cast(x, mean.dtype), mean), scale === null ? inverse : mul(inverse, scale));
  return cast(offset === null ? y : add(y, offset), x.dtype);
}

const factorOf = ({ variance, scale, epsilon }: BatchNorm): Tensor => {
  const inverse = rsqrt(add(variance, epsilon));
  return scale === null ? inverse : mul(inverse, scale);
};

function batchNormInputGradient(dy: Tensor, norm: BatchNorm): Tensor {
  const { x, mean, variance, scale, epsilon } = norm;
  if (isRecording()) return cast(mul(cast(dy, mean.dtype), factorOf(norm)), x.dtype);
  return makeOne(x.backend, BATCH_NORM_BACKWARD, [dy, mean, variance, scale], x.shape, x.dtype, [epsilon]);
}

/** Gradients of mean, variance, offset and scale. */
function batchNormParameterGradients(dy: Tensor, norm: BatchNorm): [Tensor, Tensor, Tensor, Tensor] {
  const { x, mean, variance, scale, epsilon } = norm;
  if (isRecording()) {
    const wideDy = cast(dy, mean.dtype);
    const inverse = rsqrt(add(variance, epsilon));
    const factor = factorOf(norm);
    const total = sumTo(wideDy, mean.shape);
    const product = sumTo(mul(wideDy, sub(cast(x, mean.dtype), mean)), mean.shape);
    const dVariance = mul(mul(factor, square(inverse)), mul(product, -0.5));
    return [neg(mul(factor, total)), dVariance, total, mul(inverse, product)];
  }
  const make = (): Tensor => new Tensor<Shape>(x.backend, mean.shape, mean.dtype);
  const gradients: [Tensor, Tensor, Tensor, Tensor] = [make(), make(), make(), make()];
  const outputs = gradients.map((holder) => ({ holder, shape: mean.shape, dtype: mean.dtype }));
  run(x.backend, BATCH_NORM_PARAMETERS, [dy, x, mean, variance, scale], outputs, [epsilon]);
  return gradients;
}

/** The operands of a batch normalisation, checked. */
function checkedBatchNorm(
  x: TensorLike,
  mean: TensorLike,
  variance: TensorLike,
  offset: TensorLike | null | undefined,
  scale: TensorLike | null | undefined,
  epsilon: number,
): BatchNorm {
  const op = 'batchNorm';
  const input = floatOperand(op, 'x', x);
  checkEpsilon(op, 'varianceEpsilon', epsilon);
  const checked = (name: string, value: TensorLike | null | undefined): Tensor | null => {
    const given = parameter(op, name, value, input);
    if (given === null || fitsInto(given.shape, input.shape)) return given;
    const expected = `a shape that broadcasts to x's [${input.shape.join(',')}]`;
    throw invalid('ERR_SHAPE', op, name, expected, [...given.shape]);
  };
  const required = (name: string, value: TensorLike): Tensor => {
    const given = checked(name, value);
    if (given === null) throw invalid('ERR_ARGUMENT', op, name, 'a tensor', value);
    return given;
  };
  return {
    x: input,
    mean: required('mean', mean),
    variance: required('variance', variance),
    offset: checked('offset', offset),
    scale: checked('scale', scale),
    epsilon,
  };
}

const operandsOf = ({ x, mean, variance, offset, scale }: BatchNorm): readonly (Tensor | null)[] => [
  x,
  mean,
  variance,
  offset,
  scale,
];

/**
 * (x - mean) / sqrt(variance + varianceEpsilon) * scale + offset, with given moments (Ioffe & Szegedy 2015).
 * @param x Float tensor, channels last.
 * @param mean `[channels]`, x's own shape, or any shape that broadcasts to it; so are the other parameters.
 * @param offset 0 by default.
 * @param scale 1 by default.
 * @param varianceEpsilon Added to the variance; 0.001 by default.
 * @returns x's shape and dtype.
 * @throws ShapeError when a parameter does not broadcast to x.
 */
export function batchNorm(
  x: TensorLike,
  mean: TensorLike,
  variance: TensorLike,
  offset?: TensorLike | null,
  scale?: TensorLike | null,
  varianceEpsilon = 0.001,
): Tensor {
  return normalized(checkedBatchNorm(x, mean, variance, offset, scale, varianceEpsilon));
}

function normalized(norm: BatchNorm): Tensor {
  if (!isFused(norm)) return composedBatchNorm(norm);
  const { x, mean, variance, offset, scale, epsilon } = norm;
  const y = makeOne(x.backend, BATCH_NORM, operandsOf(norm), x.shape, x.dtype, [epsilon]);
  // Two entries: a tape keeps the one whose tensors it differentiates by.
  recordOne(y, [x], (dy) => [batchNormInputGradient(dy, norm)]);
  const parameters = [mean, variance, offset, scale];
  const given = parameters.filter((p) => p !== null);
  return recordOne(y, given, (dy) => {
    const gradients = batchNormParameterGradients(dy, norm);
    return parameters.flatMap((p, i) => (p === null ? [] : [reshape(gradients[i]!, p.shape)]));
  });
}

const batchNormOf = perActivation((name) => new NativeOp(`${name}/batch_norm`));

/**
 * `batchNorm` with an activation behind it: one pass where no gradient is taken, as in inference. Not public: layers use it.
 * @param activation Of the native table.
 */
export function batchNormActivation(
  x: TensorLike,
  mean: TensorLike,
  variance: TensorLike,
  offset: TensorLike | null,
  scale: TensorLike | null,
  epsilon: number,
  { name, parameters }: AppliedActivation,
): Tensor {
  const norm = checkedBatchNorm(x, mean, variance, offset, scale, epsilon);
  if (isRecording() || !isFused(norm)) return activationNamed(name).apply(normalized(norm), parameters);
  const { shape, dtype, backend } = norm.x;
  return makeOne(backend, batchNormOf(name), operandsOf(norm), shape, dtype, [epsilon, ...parameters]);
}

function fitsInto(shape: Shape, whole: Shape): boolean {
  return (
    shape.length <= whole.length &&
    shape.every((size, i) => size === 1 || size === whole[whole.length - shape.length + i])
  );
}

interface LayerNorm {
  readonly x: Tensor;
  readonly axes: readonly number[];
  readonly epsilon: number;
  readonly scale: Tensor | null;
  readonly offset: Tensor | null;
}

/** Scale and offset in a shape that broadcasts along x. */
function along(p: Tensor | null, { x, axes }: LayerNorm): Tensor | null {
  return (
    p &&
    reshape(
      p,
      x.shape.map((size, axis) => (axes.includes(axis) ? size : 1)),
    )
  );
}

function composedLayerNorm(norm: LayerNorm): Tensor {
  const { x, axes, epsilon } = norm;
  const scale = along(norm.scale, norm);
  const offset = along(norm.offset, norm);
  const { normal } = standardize(cast(x, wideDType(x.dtype)), axes, epsilon);
  const scaled = scale === null ? normal : mul(normal, scale);
  return cast(offset === null ? scaled : add(scaled, offset), x.dtype);
}

/** Gradients of x and, where they were given, of scale and offset, in differentiable ops. */
function composedLayerNormGradients(dy: Tensor, norm: LayerNorm): Tensor[] {
  const { axes, epsilon, scale, offset } = norm;
  const x = cast(norm.x, wideDType(norm.x.dtype));
  const wideDy = cast(dy, x.dtype);
  const rows = x.shape.map((size, axis) => (axes.includes(axis) ? size : 1));
  const factor = along(scale, norm);
  const dNormal = factor === null ? wideDy : mul(wideDy, factor);
  const gradients = [cast(standardizeGradient(dNormal, x, axes, epsilon), dy.dtype)];
  if (scale !== null) {
    const { normal } = standardize(x, axes, epsilon);
    gradients.push(reshape(sumTo(mul(wideDy, normal), rows), scale.shape));
  }
  if (offset !== null) gradients.push(reshape(sumTo(wideDy, rows), offset.shape));
  return gradients;
}

/**
 * Every sample to mean 0 and variance 1 over its own axes, times scale, plus offset (Ba et al. 2016).
 * @param x Float tensor of rank 1 or more.
 * @param axis The axes a sample's moments are taken over; the last by default.
 * @param epsilon Added to the variance; 0.001 by default.
 * @param scale Of the sizes of the normalised axes; 1 by default.
 * @param offset As scale; 0 by default.
 * @returns x's shape and dtype.
 * @throws ShapeError when scale or offset are of another shape; ArgumentError when there is no such axis.
 */
export function layerNorm(
  x: TensorLike,
  axis: number | readonly number[] = -1,
  epsilon = 0.001,
  scale?: TensorLike | null,
  offset?: TensorLike | null,
): Tensor {
  const op = 'layerNorm';
  const input = floatOperand(op, 'x', x);
  const axes = checkAxes(op, axis, input.rank);
  if (axes.length === 0) throw invalid('ERR_ARGUMENT', op, 'axis', 'at least one axis', axis);
  checkEpsilon(op, 'epsilon', epsilon);
  const sizes = axes.map((one) => input.shape[one]!);
  const checked = (name: string, value: TensorLike | null | undefined): Tensor | null => {
    const given = parameter(op, name, value, input);
    if (given === null || sameShape(given.shape, sizes)) return given;
    throw invalid('ERR_SHAPE', op, name, `shape [${sizes.join(',')}], of the normalised axes`, [...given.shape]);
  };
  const norm: LayerNorm = {
    x: input,
    axes,
    epsilon,
    scale: checked('scale', scale),
    offset: checked('offset', offset),
  };
  return axes[0] === input.rank - axes.length ? fusedLayerNorm(norm) : composedLayerNorm(norm);
}

function fusedLayerNorm(norm: LayerNorm): Tensor {
  const { x, axes, epsilon, scale, offset } = norm;
  const { backend, shape, dtype } = x;
  const statistics = wideDType(dtype);
  const rows = [sizeOf(shape.slice(0, axes[0]))];
  const make = (of: Shape, type: typeof dtype) => ({
    holder: new Tensor<Shape>(backend, of, type),
    shape: of,
    dtype: type,
  });
  const outputs = [make(shape, dtype), make(rows, statistics), make(rows, statistics)] as const;
  run(backend, LAYER_NORM, [x, scale, offset], outputs, [epsilon]);
  const [y, mean, inverse] = outputs.map(({ holder }) => holder) as [Tensor, Tensor, Tensor];
  const inputs = [x, scale, offset].filter((operand) => operand !== null);
  return recordOne(y, inputs, (dy) => {
    if (isRecording()) return composedLayerNormGradients(dy, norm);
    const sizes = shape.slice(axes[0]);
    const gradients = [make(shape, dtype)];
    if (inputs.length > 1) gradients.push(make(sizes, statistics), make(sizes, statistics));
    run(backend, LAYER_NORM_BACKWARD, [dy, x, mean, inverse, scale], gradients);
    const [dx, dScale, dOffset] = gradients.map(({ holder }) => holder);
    return [dx!, ...(scale === null ? [] : [dScale!]), ...(offset === null ? [] : [dOffset!])];
  });
}
