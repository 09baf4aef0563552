// Every op as a method of Tensor. Installed by src/ops/methods.ts, which is checked against this list at compile time.
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
  matMul(b: TensorLike, transposeA?: boolean, transposeB?: boolean): Tensor;
  dot(b: TensorLike): Tensor;
  outerProduct(b: TensorLike): Tensor;
  relu(): Tensor;
  relu6(): Tensor;
  leakyRelu(alpha?: number): Tensor;
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
