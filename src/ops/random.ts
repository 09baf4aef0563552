// Tensors of random numbers: Philox4x32-10 on the device. The same seed gives the same numbers; without one they follow
// setSeed().
import { invalid } from '../errors.js';
import { NativeOp } from '../tensor/backend.js';
import { currentBackend } from '../tensor/device.js';
import { isFloat, type DType } from '../tensor/dtype.js';
import { withStamp, type Seed } from '../tensor/random-state.js';
import { checkShape, type Shape } from '../tensor/shape.js';
import { makeOne, type Tensor } from '../tensor/tensor.js';

const UNIFORM = new NativeOp('random_uniform');
const NORMAL = new NativeOp('random_normal');
/** 1 - erf(2 / sqrt(2)): what lies outside two standard deviations. */
const BEYOND_TWO_DEVIATIONS = 0.04550026389635841;

function draw(
  name: string,
  op: NativeOp,
  shape: Shape,
  dtype: DType,
  seed: number | undefined,
  params: number[],
): Tensor {
  checkShape(name, 'shape', shape);
  if (!isFloat(dtype) && !(op === UNIFORM && dtype === 'int32')) {
    throw invalid('ERR_DTYPE', name, 'dtype', 'a float dtype (or int32 for randomUniform)', dtype);
  }
  for (const value of params) {
    if (!Number.isFinite(value)) throw invalid('ERR_ARGUMENT', name, 'parameters', 'finite numbers', params);
  }
  const backend = currentBackend();
  return withStamp(name, backend, seed, (stamp) => makeOne(backend, op, [stamp], shape, dtype, params));
}

/**
 * Uniform numbers in [minval, maxval); whole ones for int32.
 * @param minval Default 0.
 * @param maxval Default 1.
 * @param dtype A float dtype (default float32) or int32.
 * @param seed Default: drawn from the state that `setSeed()` sets.
 */
export function randomUniform<const S extends Shape>(
  shape: S,
  minval = 0,
  maxval = 1,
  dtype: DType = 'float32',
  seed?: number,
): Tensor<S> {
  return draw('randomUniform', UNIFORM, shape, dtype, seed, [minval, maxval]) as unknown as Tensor<S>;
}

/**
 * Normal numbers of the given mean (default 0) and standard deviation (default 1), by inversion of the distribution.
 * @param dtype A float dtype, float32 by default.
 */
export function randomNormal<const S extends Shape>(
  shape: S,
  mean = 0,
  stdDev = 1,
  dtype: DType = 'float32',
  seed?: number,
): Tensor<S> {
  return draw('randomNormal', NORMAL, shape, dtype, seed, [mean, stdDev, 0]) as unknown as Tensor<S>;
}

/** Normal numbers in the shape and dtype of x, on its device. */
export function normalLike(op: string, x: Tensor, mean: number, stdDev: number, seed?: Seed): Tensor {
  return withStamp(op, x.backend, seed, (stamp) =>
    makeOne(x.backend, NORMAL, [stamp], x.shape, x.dtype, [mean, stdDev, 0]),
  );
}

/** Normal numbers within two standard deviations of the mean; the deviation is that before truncation, as in tfjs. */
export function truncatedNormal<const S extends Shape>(
  shape: S,
  mean = 0,
  stdDev = 1,
  dtype: DType = 'float32',
  seed?: number,
): Tensor<S> {
  return draw('truncatedNormal', NORMAL, shape, dtype, seed, [
    mean,
    stdDev,
    BEYOND_TWO_DEVIATIONS,
  ]) as unknown as Tensor<S>;
}
