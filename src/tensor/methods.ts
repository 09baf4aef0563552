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
/** Every op as a method: the function of that name with the tensor as its first argument. */
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
  /** The function `clipByValue` of this tensor. */
  clipByValue<A extends Shape>(this: Tensor<A>, min: number, max: number): Tensor<Mutable<A>>;
  /** The function `cast` of this tensor. */
  cast<A extends Shape>(this: Tensor<A>, dtype: DType): Tensor<Mutable<A>>;
  clone: UnaryMethod;
  /** The function `reshape` of this tensor. */
  reshape<const T extends Shape>(shape: T): Tensor<ReshapeShape<T>>;
  /** The function `expandDims` of this tensor. */
  expandDims(axis?: number): Tensor;
  /** The function `squeeze` of this tensor. */
  squeeze(axis?: readonly number[]): Tensor;
  /** The function `broadcastTo` of this tensor. */
  broadcastTo<const T extends Shape>(shape: T): Tensor<Mutable<T>>;
  /** The function `tile` of this tensor. */
  tile(reps: readonly number[]): Tensor;
  /** The function `transpose` of this tensor. */
  transpose<A extends Shape, const P extends Shape | null | undefined = null>(
    this: Tensor<A>,
    perm?: P,
  ): Tensor<TransposeShape<A, P>>;
  /** The function `reverse` of this tensor. */
  reverse(axis?: number | readonly number[]): Tensor;
  /** This tensor and then the others along an axis. */
  concat<A extends Shape, const N extends number = 0>(
    this: Tensor<A>,
    others: TensorLike | readonly TensorLike[],
    axis?: N,
  ): Tensor<ConcatShape<[Tensor<A>], N>>;
  /** This tensor and the others along a new axis. */
  stack(others: TensorLike | readonly TensorLike[], axis?: number): Tensor;
  /** The function `slice` of this tensor. */
  slice(begin: number | readonly number[], size?: number | readonly number[]): Tensor;
  /** The function `pad` of this tensor. */
  pad(paddings: readonly (readonly [number, number])[], constantValue?: number): Tensor;
  /** The function `split` of this tensor. */
  split(numOrSizeSplits: number | readonly number[], axis?: number): Tensor[];
  /** The function `unstack` of this tensor. */
  unstack(axis?: number): Tensor[];
  /** The function `gather` of this tensor. */
  gather(indices: TensorLike, axis?: number, batchDims?: number): Tensor;
  /** The function `oneHot` of this tensor. */
  oneHot(depth: number, onValue?: number, offValue?: number, dtype?: DType): Tensor;
  /** The function `cumsum` of this tensor. */
  cumsum(axis?: number, exclusive?: boolean, reverse?: boolean): Tensor;
  /** The function `topk` of this tensor. */
  topk(k?: number, sorted?: boolean): { values: Tensor; indices: Tensor };
  /** This tensor on another device. */
  to(device: string): Tensor;
  /** The function `matMul` of this tensor. */
  matMul<A extends Shape, B extends TensorLike, TA extends boolean = false, TB extends boolean = false>(
    this: Tensor<A>,
    b: B & InnerSizesMatch<A, ShapeOf<B>, TA, TB>,
    transposeA?: TA,
    transposeB?: TB,
  ): Tensor<MatMulShape<A, ShapeOf<B>, TA, TB>>;
  /** The function `dot` of this tensor. */
  dot(b: TensorLike): Tensor;
  /** The function `outerProduct` of this tensor. */
  outerProduct(b: TensorLike): Tensor;
  /** The function `sum` of this tensor. */
  sum<A extends Shape, const X extends Axes | undefined = null, const K extends boolean = false>(
    this: Tensor<A>,
    axis?: X,
    keepDims?: K,
  ): Tensor<ReducedShape<A, X, K>>;
  /** The function `mean` of this tensor. */
  mean<A extends Shape, const X extends Axes | undefined = null, const K extends boolean = false>(
    this: Tensor<A>,
    axis?: X,
    keepDims?: K,
  ): Tensor<ReducedShape<A, X, K>>;
  /** The function `prod` of this tensor. */
  prod<A extends Shape, const X extends Axes | undefined = null, const K extends boolean = false>(
    this: Tensor<A>,
    axis?: X,
    keepDims?: K,
  ): Tensor<ReducedShape<A, X, K>>;
  /** The function `max` of this tensor. */
  max<A extends Shape, const X extends Axes | undefined = null, const K extends boolean = false>(
    this: Tensor<A>,
    axis?: X,
    keepDims?: K,
  ): Tensor<ReducedShape<A, X, K>>;
  /** The function `min` of this tensor. */
  min<A extends Shape, const X extends Axes | undefined = null, const K extends boolean = false>(
    this: Tensor<A>,
    axis?: X,
    keepDims?: K,
  ): Tensor<ReducedShape<A, X, K>>;
  /** The function `any` of this tensor. */
  any<A extends Shape, const X extends Axes | undefined = null, const K extends boolean = false>(
    this: Tensor<A>,
    axis?: X,
    keepDims?: K,
  ): Tensor<ReducedShape<A, X, K>>;
  /** The function `all` of this tensor. */
  all<A extends Shape, const X extends Axes | undefined = null, const K extends boolean = false>(
    this: Tensor<A>,
    axis?: X,
    keepDims?: K,
  ): Tensor<ReducedShape<A, X, K>>;
  /** The function `argMax` of this tensor. */
  argMax<A extends Shape, const X extends number = 0>(this: Tensor<A>, axis?: X): Tensor<ReducedShape<A, X>>;
  /** The function `argMin` of this tensor. */
  argMin<A extends Shape, const X extends number = 0>(this: Tensor<A>, axis?: X): Tensor<ReducedShape<A, X>>;
  /** The function `moments` of this tensor. */
  moments(axis?: Axes, keepDims?: boolean): { mean: Tensor; variance: Tensor };
  /** The function `logSumExp` of this tensor. */
  logSumExp<A extends Shape, const X extends Axes | undefined = null, const K extends boolean = false>(
    this: Tensor<A>,
    axis?: X,
    keepDims?: K,
  ): Tensor<ReducedShape<A, X, K>>;
  /** The function `norm` of this tensor. */
  norm(ord?: number | 'euclidean' | 'fro', axis?: Axes, keepDims?: boolean): Tensor;
  /** The function `conv2d` of this tensor. */
  conv2d(
    filter: TensorLike,
    strides: Size2d,
    pad: Padding,
    dataFormat?: 'NHWC',
    dilations?: Size2d,
    dimRoundingMode?: 'floor',
    groups?: number,
  ): Tensor;
  /** The function `depthwiseConv2d` of this tensor. */
  depthwiseConv2d(
    filter: TensorLike,
    strides: Size2d,
    pad: Padding,
    dataFormat?: 'NHWC',
    dilations?: Size2d,
    dimRoundingMode?: 'floor',
  ): Tensor;
  /** The function `conv2dTranspose` of this tensor. */
  conv2dTranspose(
    filter: TensorLike,
    outputShape: Shape,
    strides: Size2d,
    pad: Padding,
    dimRoundingMode?: 'floor',
    dilations?: Size2d,
  ): Tensor;
  /** The function `maxPool` of this tensor. */
  maxPool(filterSize: Size2d, strides: Size2d, pad: Padding, dimRoundingMode?: 'floor'): Tensor;
  /** The function `avgPool` of this tensor. */
  avgPool(filterSize: Size2d, strides: Size2d, pad: Padding, dimRoundingMode?: 'floor'): Tensor;
  /** The function `softmax` of this tensor. */
  softmax(dim?: number): Tensor;
  /** The function `logSoftmax` of this tensor. */
  logSoftmax(axis?: number): Tensor;
  /** The function `batchNorm` of this tensor. */
  batchNorm(
    mean: TensorLike,
    variance: TensorLike,
    offset?: TensorLike | null,
    scale?: TensorLike | null,
    varianceEpsilon?: number,
  ): Tensor;
  /** The function `layerNorm` of this tensor. */
  layerNorm(
    axis?: number | readonly number[],
    epsilon?: number,
    scale?: TensorLike | null,
    offset?: TensorLike | null,
  ): Tensor;
  /** The function `dropout` of this tensor. */
  dropout<A extends Shape>(this: Tensor<A>, rate: number, seed?: number): Tensor<Mutable<A>>;
  /** The function `alphaDropout` of this tensor. */
  alphaDropout<A extends Shape>(
    this: Tensor<A>,
    rate: number,
    seed?: number,
    options?: AlphaDropoutOptions,
  ): Tensor<Mutable<A>>;
  /** The function `prelu` of this tensor. */
  prelu(alpha: TensorLike): Tensor;
}
