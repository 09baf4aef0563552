// Every op as a method of Tensor. Installed by src/ops/methods.ts, which is checked against this list at compile time.
import type { ActivationFunctions } from '../ops/activation-names.js';
import type { AlphaDropoutOptions } from '../ops/dropout.js';
import type { Axes } from '../ops/reductions.js';
import type { Padding, Size2d } from '../ops/convolution-shape.js';
import type { TensorLike } from './convert.js';
import type { DType } from './dtype.js';
import type { Shape } from './shape.js';
import type {
  BinaryMethod,
  ConcatShape,
  InnerSizesMatch,
  MatMulShape,
  Mutable,
  ReducedShape,
  ReshapeShape,
  ShapeOf,
  TransposeShape,
  UnaryMethod,
} from './shape-types.js';
import type { Tensor } from './tensor.js';

/** Every activation function, without its first argument. */
type ActivationMethods = {
  [Name in keyof ActivationFunctions]: ActivationFunctions[Name] extends (x: never, ...rest: infer Rest) => unknown
    ? <A extends Shape>(this: Tensor<A>, ...rest: Rest) => Tensor<Mutable<A>>
    : never;
};

/* eslint-disable @typescript-eslint/no-unused-vars */
export interface TensorMethods<S extends Shape, D extends DType> extends ActivationMethods {
  add: BinaryMethod;
  sub: BinaryMethod;
  mul: BinaryMethod;
  div: BinaryMethod;
  pow: BinaryMethod;
  mod: BinaryMethod;
  maximum: BinaryMethod;
  minimum: BinaryMethod;
  squaredDifference: BinaryMethod;
  equal: BinaryMethod;
  notEqual: BinaryMethod;
  less: BinaryMethod;
  lessEqual: BinaryMethod;
  greater: BinaryMethod;
  greaterEqual: BinaryMethod;
  logicalAnd: BinaryMethod;
  logicalOr: BinaryMethod;
  logicalNot: UnaryMethod;
  /** This tensor where the condition holds, `b` elsewhere. */
  where(condition: TensorLike, b: TensorLike): Tensor;
  neg: UnaryMethod;
  abs: UnaryMethod;
  sign: UnaryMethod;
  square: UnaryMethod;
  sqrt: UnaryMethod;
  rsqrt: UnaryMethod;
  exp: UnaryMethod;
  expm1: UnaryMethod;
  log: UnaryMethod;
  log1p: UnaryMethod;
  reciprocal: UnaryMethod;
  floor: UnaryMethod;
  ceil: UnaryMethod;
  round: UnaryMethod;
  isNaN: UnaryMethod;
  isInf: UnaryMethod;
  clipByValue<A extends Shape>(this: Tensor<A>, min: number, max: number): Tensor<Mutable<A>>;
  cast<A extends Shape>(this: Tensor<A>, dtype: DType): Tensor<Mutable<A>>;
  clone: UnaryMethod;
  reshape<const T extends Shape>(shape: T): Tensor<ReshapeShape<T>>;
  expandDims(axis?: number): Tensor;
  squeeze(axis?: readonly number[]): Tensor;
  broadcastTo<const T extends Shape>(shape: T): Tensor<Mutable<T>>;
  tile(reps: readonly number[]): Tensor;
  transpose<A extends Shape, const P extends Shape | null | undefined = null>(
    this: Tensor<A>,
    perm?: P,
  ): Tensor<TransposeShape<A, P>>;
  reverse(axis?: number | readonly number[]): Tensor;
  /** This tensor and then the others along an axis. */
  concat<A extends Shape, const N extends number = 0>(
    this: Tensor<A>,
    others: TensorLike | readonly TensorLike[],
    axis?: N,
  ): Tensor<ConcatShape<[Tensor<A>], N>>;
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
  matMul<A extends Shape, B extends TensorLike, TA extends boolean = false, TB extends boolean = false>(
    this: Tensor<A>,
    b: B & InnerSizesMatch<A, ShapeOf<B>, TA, TB>,
    transposeA?: TA,
    transposeB?: TB,
  ): Tensor<MatMulShape<A, ShapeOf<B>, TA, TB>>;
  dot(b: TensorLike): Tensor;
  outerProduct(b: TensorLike): Tensor;
  sum<A extends Shape, const X extends Axes | undefined = null, const K extends boolean = false>(
    this: Tensor<A>,
    axis?: X,
    keepDims?: K,
  ): Tensor<ReducedShape<A, X, K>>;
  mean<A extends Shape, const X extends Axes | undefined = null, const K extends boolean = false>(
    this: Tensor<A>,
    axis?: X,
    keepDims?: K,
  ): Tensor<ReducedShape<A, X, K>>;
  prod<A extends Shape, const X extends Axes | undefined = null, const K extends boolean = false>(
    this: Tensor<A>,
    axis?: X,
    keepDims?: K,
  ): Tensor<ReducedShape<A, X, K>>;
  max<A extends Shape, const X extends Axes | undefined = null, const K extends boolean = false>(
    this: Tensor<A>,
    axis?: X,
    keepDims?: K,
  ): Tensor<ReducedShape<A, X, K>>;
  min<A extends Shape, const X extends Axes | undefined = null, const K extends boolean = false>(
    this: Tensor<A>,
    axis?: X,
    keepDims?: K,
  ): Tensor<ReducedShape<A, X, K>>;
  any<A extends Shape, const X extends Axes | undefined = null, const K extends boolean = false>(
    this: Tensor<A>,
    axis?: X,
    keepDims?: K,
  ): Tensor<ReducedShape<A, X, K>>;
  all<A extends Shape, const X extends Axes | undefined = null, const K extends boolean = false>(
    this: Tensor<A>,
    axis?: X,
    keepDims?: K,
  ): Tensor<ReducedShape<A, X, K>>;
  argMax<A extends Shape, const X extends number = 0>(this: Tensor<A>, axis?: X): Tensor<ReducedShape<A, X>>;
  argMin<A extends Shape, const X extends number = 0>(this: Tensor<A>, axis?: X): Tensor<ReducedShape<A, X>>;
  moments(axis?: Axes, keepDims?: boolean): { mean: Tensor; variance: Tensor };
  logSumExp<A extends Shape, const X extends Axes | undefined = null, const K extends boolean = false>(
    this: Tensor<A>,
    axis?: X,
    keepDims?: K,
  ): Tensor<ReducedShape<A, X, K>>;
  norm(ord?: number | 'euclidean' | 'fro', axis?: Axes, keepDims?: boolean): Tensor;
  conv2d(
    filter: TensorLike,
    strides: Size2d,
    pad: Padding,
    dataFormat?: 'NHWC',
    dilations?: Size2d,
    dimRoundingMode?: 'floor',
    groups?: number,
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
    dilations?: Size2d,
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
  dropout<A extends Shape>(this: Tensor<A>, rate: number, seed?: number): Tensor<Mutable<A>>;
  alphaDropout<A extends Shape>(
    this: Tensor<A>,
    rate: number,
    seed?: number,
    options?: AlphaDropoutOptions,
  ): Tensor<Mutable<A>>;
  prelu(alpha: TensorLike): Tensor;
}
