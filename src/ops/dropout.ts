// Dropout and alpha dropout. The mask is not stored: the backward pass draws the same bits from the op's stamp. One native op
// serves all forms, keep ? a x + b : dropped, and its backward is itself with b = dropped = 0.
import { invalid } from '../errors.js';
import { NativeOp } from '../tensor/backend.js';
import { convert, type TensorLike } from '../tensor/convert.js';
import { isFloat } from '../tensor/dtype.js';
import { broadcastShapes, checkShape, sameShape, type Shape } from '../tensor/shape.js';
import { RandomStream, withStamp, type Seed } from '../tensor/random-state.js';
import { makeOne, type Tensor } from '../tensor/tensor.js';
import { activationNamed } from './activation.js';
import { add, mul } from './arithmetic.js';
import { cast } from './cast.js';
import { lessEqual } from './comparison.js';
import { recordOne } from './define.js';
import { clone } from './reshape.js';
import { where } from './select.js';

const FILL = new NativeOp('fill');
const DROPOUT = new NativeOp('dropout');
const SELU_FORWARD = new NativeOp('selu_alpha_dropout/forward');
const SELU_BACKWARD = new NativeOp('selu_alpha_dropout/backward');

/** Draws are 16 bits an element: rates are multiples of 2^-16. */
const DRAWS = 65536;

/** What happens to an element: kept when its draw is at least the threshold, and then mapped to a x + b. */
export interface Mask {
  readonly threshold: number;
  readonly a: number;
  readonly b: number;
  readonly dropped: number;
}

/** Sizes along which the mask varies, as tf.nn.dropout's noise_shape: 1 where it is shared, null for x's own size. */
export type NoiseShape = readonly (number | null)[];

function thresholdOf(op: string, rate: unknown): number {
  if (!(typeof rate === 'number' && rate >= 0 && rate < 1)) {
    throw invalid('ERR_ARGUMENT', op, 'rate', 'a number in [0, 1)', rate);
  }
  return Math.min(Math.round(rate * DRAWS), DRAWS - 1);
}

function floatTensor(op: string, value: TensorLike): Tensor {
  const x = convert(op, 'x', value);
  if (!isFloat(x.dtype)) throw invalid('ERR_DTYPE', op, 'x', 'a float tensor', x.dtype, 'use cast()');
  return x;
}

/** A mask as native ops take it. */
export const maskParameters = ({ threshold, a, b, dropped }: Mask): number[] => [threshold, a, b, dropped];

function masked(x: Tensor, stamp: Tensor, mask: Mask): Tensor {
  const y = makeOne(x.backend, DROPOUT, [x, stamp], x.shape, x.dtype, maskParameters(mask));
  return recordOne(y, [x], (dy) => [maskedGradient(dy, stamp, mask)]);
}

/** The gradient of what was dropped out under this stamp and mask. */
export function maskedGradient(dy: Tensor, stamp: Tensor, mask: Mask): Tensor {
  return masked(dy, stamp, backwardMask(mask));
}

const backwardMask = ({ threshold, a }: Mask): Mask => ({ threshold, a, b: 0, dropped: 0 });

/** Native parameters of that gradient's mask. */
export const backwardMaskParameters = (mask: Mask): number[] => maskParameters(backwardMask(mask));

/** The mask of plain dropout, scaled for the rounded rate. */
export function dropoutMask(op: string, rate: number): Mask {
  const threshold = thresholdOf(op, rate);
  return { threshold, a: DRAWS / (DRAWS - threshold), b: 0, dropped: 0 };
}

function resolveNoiseShape(op: string, x: Tensor, noiseShape: NoiseShape): Shape {
  const shape: unknown = Array.isArray(noiseShape)
    ? noiseShape.map((size: number | null, axis) => (size === null ? x.shape[axis - noiseShape.length + x.rank] : size))
    : noiseShape;
  checkShape(op, 'noiseShape', shape);
  if (!sameShape(broadcastShapes(op, x.shape, shape), x.shape)) {
    throw invalid('ERR_SHAPE', op, 'noiseShape', `a shape that broadcasts to x's [${x.shape.join(',')}]`, shape);
  }
  return shape;
}

/** The mask drawn for a smaller shape and broadcast over x. */
function maskedAlong(x: Tensor, shape: Shape, stamp: Tensor, { threshold, a, b, dropped }: Mask): Tensor {
  const one = makeOne(x.backend, FILL, [], shape, x.dtype, [1]);
  const keep = cast(masked(one, stamp, { threshold, a: 1, b: 0, dropped: 0 }), 'bool');
  return where(keep, b === 0 ? mul(x, a) : add(mul(x, a), b), dropped);
}

function drop(
  op: string,
  x: Tensor,
  noiseShape: NoiseShape | null | undefined,
  seed: Seed | undefined,
  mask: Mask,
): Tensor {
  const shape = noiseShape === undefined || noiseShape === null ? x.shape : resolveNoiseShape(op, x, noiseShape);
  return withStamp(op, x.backend, seed, (stamp) =>
    sameShape(shape, x.shape) ? masked(x, stamp, mask) : maskedAlong(x, shape, stamp, mask),
  );
}

/**
 * Sets elements to 0 with probability `rate` and divides the others by 1 - rate, so that the mean is kept (Srivastava et al.
 * 2014). The rate is rounded to a multiple of 2^-16, and the scale is that of the rounded rate.
 * @param x A float tensor.
 * @param rate In [0, 1); 0 gives x.
 * @param seed The same seed gives the same mask, on every device. Default: the next numbers after `setSeed()`. In its place
 *   tfjs's (noiseShape, seed) are taken too: noiseShape is the mask's shape, broadcast over x.
 * @throws ArgumentError, DTypeError
 */
export function dropout(x: TensorLike, rate: number, seed?: Seed): Tensor;
export function dropout(x: TensorLike, rate: number, noiseShape?: NoiseShape | null, seed?: Seed): Tensor;
export function dropout(
  input: TensorLike,
  rate: number,
  noiseShapeOrSeed?: NoiseShape | Seed | null,
  seed?: Seed,
): Tensor {
  const op = 'dropout';
  const x = floatTensor(op, input);
  const mask = dropoutMask(op, rate);
  if (mask.threshold === 0) return clone(x);
  return typeof noiseShapeOrSeed === 'number' || noiseShapeOrSeed instanceof RandomStream
    ? drop(op, x, undefined, noiseShapeOrSeed, mask)
    : drop(op, x, noiseShapeOrSeed, seed, mask);
}

/** What alpha dropout keeps and drops to. */
export interface AlphaDropoutOptions {
  /** Mean of x, which the result keeps; default 0. */
  mean?: number;
  /** Variance of x, which the result keeps; default 1. */
  variance?: number;
  /** SELU's alpha: dropped elements get SELU's limit at -infinity, -scale alpha, before the affine map. */
  alpha?: number;
  /** SELU's scale. */
  scale?: number;
  /** The mask's shape, broadcast over x: `[batch, 1, 1, channels]` drops whole channels. Default x's own. */
  noiseShape?: NoiseShape | null;
}

function checkOptions(op: string, options: AlphaDropoutOptions): AlphaDropoutOptions {
  if (options !== null && typeof options === 'object') return options;
  throw invalid('ERR_ARGUMENT', op, 'options', 'an object', options);
}

/** SELU's parameters and the mask whose affine map keeps mean and variance, for the rounded rate. */
export function alphaMask(op: string, rate: number, options: AlphaDropoutOptions = {}): Mask & { selu: number[] } {
  const { mean = 0, variance = 1, alpha, scale } = checkOptions(op, options);
  const threshold = thresholdOf(op, rate);
  if (!Number.isFinite(mean)) throw invalid('ERR_ARGUMENT', op, 'mean', 'a finite number', mean);
  if (!(Number.isFinite(variance) && variance > 0)) {
    throw invalid('ERR_ARGUMENT', op, 'variance', 'a finite number above 0', variance);
  }
  const selu = activationNamed('selu').parameters({ alpha, scale });
  const saturation = -selu[0]! * selu[1]!;
  const q = threshold / DRAWS;
  // Of the mixture: x with probability 1 - q, the saturation value with probability q.
  const mixedMean = (1 - q) * mean + q * saturation;
  const mixedVariance = (1 - q) * variance + q * (1 - q) * (mean - saturation) ** 2;
  const a = Math.sqrt(variance / mixedVariance);
  const b = mean - a * mixedMean;
  return { threshold, a, b, dropped: a * saturation + b, selu };
}

/**
 * Dropout for self-normalising networks (Klambauer et al. 2017): elements are set, with probability `rate`, to SELU's limit
 * at -infinity, and an affine map then restores mean and variance.
 * @param x A float tensor whose elements have the given mean and variance.
 * @param rate In [0, 1), rounded to a multiple of 2^-16, for which the map is exact; 0 gives x.
 * @param seed The same seed gives the same mask, on every device. Default: the next numbers after `setSeed()`.
 * @throws ArgumentError, DTypeError
 */
export function alphaDropout(x: TensorLike, rate: number, seed?: Seed, options: AlphaDropoutOptions = {}): Tensor {
  const op = 'alphaDropout';
  const given = floatTensor(op, x);
  const mask = alphaMask(op, rate, options);
  return mask.threshold === 0 ? clone(given) : drop(op, given, options.noiseShape, seed, mask);
}

function seluBackward(dy: Tensor, x: Tensor, stamp: Tensor, params: readonly number[]): Tensor {
  const dx = makeOne(dy.backend, SELU_BACKWARD, [dy, x, stamp], dy.shape, dy.dtype, params);
  // SELU's second derivative is its first where x <= 0, and 0 elsewhere.
  return recordOne(dx, [dy, x], (g) => [
    seluBackward(g, x, stamp, params),
    mul(seluBackward(mul(g, dy), x, stamp, params), cast(lessEqual(x, 0), dy.dtype)),
  ]);
}

/**
 * `alphaDropout(selu(x, {alpha, scale}), rate, seed, options)` as one kernel forward and one backward, which keeps x and
 * nothing else. The same seed gives the same mask as `alphaDropout`.
 */
export function seluAlphaDropout(
  x: TensorLike,
  rate: number,
  seed?: Seed,
  options: Omit<AlphaDropoutOptions, 'noiseShape'> = {},
): Tensor {
  const op = 'seluAlphaDropout';
  const given = floatTensor(op, x);
  const { threshold, a, b, dropped, selu } = alphaMask(op, rate, options);
  if (threshold === 0) return activationNamed('selu').apply(given, selu);
  return withStamp(op, given.backend, seed, (stamp) => {
    const params = [threshold, a, b, dropped, ...selu];
    const y = makeOne(given.backend, SELU_FORWARD, [given, stamp], given.shape, given.dtype, params);
    return recordOne(y, [given], (dy) => [seluBackward(dy, given, stamp, [threshold, a, 0, 0, ...selu])]);
  });
}
