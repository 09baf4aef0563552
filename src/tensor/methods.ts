// Every op as a method of Tensor. Installed by src/ops/methods.ts, which is checked against this list at compile time.
import type { Axes } from '../ops/reductions.js';
import type { Padding, Size2d } from '../ops/convolution-shape.js';
import type { TensorLike } from './convert.js';
import type { DType } from './dtype.js';
import type { Shape } from './shape.js';
import type { Tensor } from './tensor.js';

/* eslint-disable @typescript-eslint/no-unused-vars */
export interface TensorMethods<S extends Shape, D extends DType> {
  add(b: TensorLike): Tensor;
  sub(b: TensorLike): Tensor;
  mul(b: TensorLike): Tensor;
  div(b: TensorLike): Tensor;
  pow(b: TensorLike): Tensor;
  mod(b: TensorLike): Tensor;
  maximum(b: TensorLike): Tensor;
  minimum(b: TensorLike): Tensor;
  squaredDifference(b: TensorLike): Tensor;
  equal(b: TensorLike): Tensor;
  notEqual(b: TensorLike): Tensor;
  less(b: TensorLike): Tensor;
  lessEqual(b: TensorLike): Tensor;
  greater(b: TensorLike): Tensor;
  greaterEqual(b: TensorLike): Tensor;
  logicalAnd(b: TensorLike): Tensor;
  logicalOr(b: TensorLike): Tensor;
  logicalNot(): Tensor;
  /** This tensor where the condition holds, `b` elsewhere. */
  where(condition: TensorLike, b: TensorLike): Tensor;
  neg(): Tensor;
  abs(): Tensor;
  sign(): Tensor;
  square(): Tensor;
  sqrt(): Tensor;
  rsqrt(): Tensor;
  exp(): Tensor;
  expm1(): Tensor;
  log(): Tensor;
  log1p(): Tensor;
  reciprocal(): Tensor;
  floor(): Tensor;
  ceil(): Tensor;
  round(): Tensor;
  isNaN(): Tensor;
  isInf(): Tensor;
  clipByValue(min: number, max: number): Tensor;
  cast(dtype: DType): Tensor;
  clone(): Tensor;
  reshape(shape: Shape): Tensor;
  expandDims(axis?: number): Tensor;
  squeeze(axis?: readonly number[]): Tensor;
  broadcastTo<const T extends Shape>(shape: T): Tensor<T>;
  tile(reps: readonly number[]): Tensor;
  transpose(perm?: readonly number[] | null): Tensor;
  reverse(axis?: number | readonly number[]): Tensor;
  /** This tensor and then the others along an axis. */
  concat(others: TensorLike | readonly TensorLike[], axis?: number): Tensor;
  /** This tensor and the others along a new axis. */
  stack(others: TensorLike | readonly TensorLike[], axis?: number): Tensor;
  slice(begin: number | readonly number[], size?: number | readonly number[]): Tensor;
  pad(paddings: readonly (readonly [number, number])[], constantValue?: number): Tensor;
  split(numOrSizeSplits: number | readonly number[], axis?: number): Tensor[];
  unstack(axis?: number): Tensor[];
  gather(indices: TensorLike, axis?: number, batchDims?: number): Tensor;
  oneHot(depth: number, onValue?: number, offValue?: number, dtype?: DType): Tensor;
  cumsum(axis?: number, exclusive?: boolean, reverse?: boolean): Tensor;
  topk(k?: number, sorted?: boolean): { values: Tensor; indices: Tensor };
  /** This tensor on another device. */
  to(device: string): Tensor;
  matMul(b: TensorLike, transposeA?: boolean, transposeB?: boolean): Tensor;
  dot(b: TensorLike): Tensor;
  outerProduct(b: TensorLike): Tensor;
  sum(axis?: Axes, keepDims?: boolean): Tensor;
  mean(axis?: Axes, keepDims?: boolean): Tensor;
  prod(axis?: Axes, keepDims?: boolean): Tensor;
  max(axis?: Axes, keepDims?: boolean): Tensor;
  min(axis?: Axes, keepDims?: boolean): Tensor;
  any(axis?: Axes, keepDims?: boolean): Tensor;
  all(axis?: Axes, keepDims?: boolean): Tensor;
  argMax(axis?: number): Tensor;
  argMin(axis?: number): Tensor;
  moments(axis?: Axes, keepDims?: boolean): { mean: Tensor; variance: Tensor };
  logSumExp(axis?: Axes, keepDims?: boolean): Tensor;
  norm(ord?: number | 'euclidean' | 'fro', axis?: Axes, keepDims?: boolean): Tensor;
  conv2d(
    filter: TensorLike,
    strides: Size2d,
    pad: Padding,
    dataFormat?: 'NHWC',
    dilations?: Size2d,
    dimRoundingMode?: 'floor',
  ): Tensor;
  depthwiseConv2d(
    filter: TensorLike,
    strides: Size2d,
    pad: Padding,
    dataFormat?: 'NHWC',
    dilations?: Size2d,
    dimRoundingMode?: 'floor',
  ): Tensor;
  conv2dTranspose(
    filter: TensorLike,
    outputShape: Shape,
    strides: Size2d,
    pad: Padding,
    dimRoundingMode?: 'floor',
  ): Tensor;
  maxPool(filterSize: Size2d, strides: Size2d, pad: Padding, dimRoundingMode?: 'floor'): Tensor;
  avgPool(filterSize: Size2d, strides: Size2d, pad: Padding, dimRoundingMode?: 'floor'): Tensor;
  softmax(dim?: number): Tensor;
  logSoftmax(axis?: number): Tensor;
  batchNorm(
    mean: TensorLike,
    variance: TensorLike,
    offset?: TensorLike | null,
    scale?: TensorLike | null,
    varianceEpsilon?: number,
  ): Tensor;
  layerNorm(
    axis?: number | readonly number[],
    epsilon?: number,
    scale?: TensorLike | null,
    offset?: TensorLike | null,
  ): Tensor;
  relu(): Tensor;
  relu6(): Tensor;
  leakyRelu(alpha?: number): Tensor;
  prelu(alpha: TensorLike): Tensor;
  elu(alpha?: number): Tensor;
  selu(options?: { alpha?: number; scale?: number }): Tensor;
  celu(alpha?: number): Tensor;
  softplus(beta?: number): Tensor;
  sigmoid(): Tensor;
  hardSigmoid(): Tensor;
  tanh(): Tensor;
  softsign(): Tensor;
  gelu(approximate?: boolean): Tensor;
  silu(): Tensor;
  mish(): Tensor;
  hardSwish(): Tensor;
}
