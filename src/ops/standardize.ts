// Values brought to mean 0 and variance 1 over some axes, in differentiable ops: what the fused normalisations compute,
// for axes that they do not take and for second derivatives.
import type { Tensor } from '../tensor/tensor.js';
import { add, mul, sub } from './arithmetic.js';
import { rsqrt, square } from './elementwise.js';
import { sum } from './reductions.js';

function meanOver(x: Tensor, axes: readonly number[]): Tensor {
  const count = axes.reduce((product, axis) => product * x.shape[axis]!, 1);
  return mul(sum(x, axes, true), 1 / count);
}

/** normal = (x - mean) inverse, inverse = 1 / sqrt(variance + epsilon), with moments over `axes`, which stay with size 1. */
export function standardize(
  x: Tensor,
  axes: readonly number[],
  epsilon: number,
): { normal: Tensor; mean: Tensor; variance: Tensor; inverse: Tensor } {
  const mean = meanOver(x, axes);
  const centred = sub(x, mean);
  const variance = meanOver(square(centred), axes);
  const inverse = rsqrt(add(variance, epsilon));
  return { normal: mul(centred, inverse), mean, variance, inverse };
}

/** The gradient of x from that of `normal`, itself differentiable by both. */
export function standardizeGradient(dNormal: Tensor, x: Tensor, axes: readonly number[], epsilon: number): Tensor {
  const { normal, inverse } = standardize(x, axes, epsilon);
  const along = mul(normal, meanOver(mul(dNormal, normal), axes));
  return mul(inverse, sub(sub(dNormal, meanOver(dNormal, axes)), along));
}
