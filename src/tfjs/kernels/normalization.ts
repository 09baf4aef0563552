// Batch normalisation with given moments, and normalisation over neighbouring channels (LRN).
import * as tf from '@tensorflow/tfjs-core';
import type { FusedBatchNormAttrs, LRNAttrs } from '@tensorflow/tfjs-core';
import { NativeOp } from '../../tensor/backend.js';
import { makeOne, type Tensor } from '../../tensor/tensor.js';
import { add, mul, pow, div, sub } from '../../ops/arithmetic.js';
import { cast } from '../../ops/cast.js';
import { lessEqual } from '../../ops/comparison.js';
import { abs, square } from '../../ops/elementwise.js';
import { matMul } from '../../ops/matmul.js';
import { batchNorm } from '../../ops/normalisation.js';
import { reshape } from '../../ops/reshape.js';
import { kernel, type NativeKernel } from '../kernel.js';

const RANGE = new NativeOp('range');

/** Sums over the channels within `radius` of each: a product with a matrix of ones along its diagonal. */
function neighbours(x: Tensor, radius: number): Tensor {
  const channels = x.shape[x.rank - 1]!;
  const place = makeOne(x.backend, RANGE, [], [channels], 'float32', [0, 1]);
  const band = cast(lessEqual(abs(sub(place, reshape(place, [channels, 1]))), radius), 'float32');
  return matMul(x, band);
}

/** bias + alpha times the sum of squares around each channel. */
const scaleOf = (x: Tensor, { depthRadius, bias, alpha }: LRNAttrs): Tensor =>
  add(mul(neighbours(square(x), depthRadius), alpha), bias);

function lrnGradient(dy: Tensor, x: Tensor, y: Tensor, attributes: LRNAttrs): Tensor {
  const { alpha, beta, depthRadius } = attributes;
  const scale = scaleOf(x, attributes);
  const around = neighbours(div(mul(dy, y), scale), depthRadius);
  return sub(mul(dy, pow(scale, -beta)), mul(mul(x, around), 2 * alpha * beta));
}

export const normalizationKernels: readonly NativeKernel[] = [
  kernel<FusedBatchNormAttrs>(tf.FusedBatchNorm, ({ x, mean, variance, offset, scale }, { varianceEpsilon }) =>
    batchNorm(x!, mean!, variance!, offset, scale, varianceEpsilon),
  ),
  kernel<LRNAttrs>(tf.LRN, ({ x }, attributes) => mul(x!, pow(scaleOf(x!, attributes), -attributes.beta))),
  kernel<LRNAttrs>(tf.LRNGrad, ({ x, y, dy }, attributes) => lrnGradient(dy!, x!, y!, attributes)),
];
