// Shapes at compile time: what an op makes of literal shapes, so that `matMul` of a [2,3] with a [4,5] does not compile
// and [2,3] x [3,5] is a Tensor<[2,5]>. A size that is not known is `number`, a rank that is not known `number[]`; such
// shapes fit everything and are checked when the op runs.
import type { TensorLike } from './convert.js';
import type { Shape } from './shape.js';
import type { Tensor } from './tensor.js';

/** The shape of a result whose rank is not known: `number[]`, or as vague as its operands. */
type Unknown<A extends Shape, B extends Shape = []> = Shape extends A ? Shape : Shape extends B ? Shape : number[];
type UnknownRank<S extends Shape> = number extends S['length'] ? true : false;

/** The shape without `readonly`, as results carry it. */
export type Mutable<S extends Shape> = number extends S['length'] ? Unknown<S> : { -readonly [K in keyof S]: S[K] };

/** The shape of an operand; that of arrays is not known. */
export type ShapeOf<X> = X extends Tensor<infer S> ? S : X extends number | boolean ? [] : number[];

/** An op that keeps its operand's shape. */
export type Unary = <X extends TensorLike>(x: X) => Tensor<Mutable<ShapeOf<X>>>;
/** An op of two operands that broadcast. */
export type Binary = <A extends TensorLike, B extends TensorLike>(
  a: A,
  b: B,
) => Tensor<BroadcastShape<ShapeOf<A>, ShapeOf<B>>>;
/** The same as methods. */
export type UnaryMethod = <S extends Shape>(this: Tensor<S>) => Tensor<Mutable<S>>;
export type BinaryMethod = <S extends Shape, B extends TensorLike>(
  this: Tensor<S>,
  b: B,
) => Tensor<BroadcastShape<S, ShapeOf<B>>>;

type Last<S extends Shape> = S extends readonly [...Shape, infer N extends number] ? N : number;
type BeforeLast<S extends Shape> = S extends readonly [...Shape, infer N extends number, number] ? N : number;
type BatchOf<S extends Shape> = S extends readonly [...infer B extends Shape, number, number] ? B : [];

type BroadcastSize<X extends number, Y extends number> = X extends 1 ? Y : Y extends 1 ? X : number extends X ? Y : X;
/** The shape two shapes broadcast to. */
export type BroadcastShape<A extends Shape, B extends Shape> = true extends UnknownRank<A> | UnknownRank<B>
  ? Unknown<A, B>
  : BroadcastSizes<A, B>;
type BroadcastSizes<A extends Shape, B extends Shape> = A extends readonly [
  ...infer RestA extends Shape,
  infer X extends number,
]
  ? B extends readonly [...infer RestB extends Shape, infer Y extends number]
    ? [...BroadcastSizes<RestA, RestB>, BroadcastSize<X, Y>]
    : Mutable<A>
  : Mutable<B>;

/** Rows of a matrix operand as the product sees them, and columns with `Transposed` turned round. */
type Rows<S extends Shape, Transposed extends boolean> = boolean extends Transposed
  ? number
  : Transposed extends true
    ? Last<S>
    : BeforeLast<S>;
type Columns<S extends Shape, Transposed extends boolean> = boolean extends Transposed
  ? number
  : Transposed extends true
    ? BeforeLast<S>
    : Last<S>;

/** Shape of matMul(a, b, transposeA, transposeB). */
export type MatMulShape<
  A extends Shape,
  B extends Shape,
  TransposeA extends boolean = false,
  TransposeB extends boolean = false,
> = true extends UnknownRank<A> | UnknownRank<B>
  ? Unknown<A, B>
  : [...BroadcastSizes<BatchOf<A>, BatchOf<B>>, Rows<A, TransposeA>, Columns<B, TransposeB>];

/** Asked of matMul's b: nothing when the inner sizes may be equal, else what no tensor is. */
export type InnerSizesMatch<
  A extends Shape,
  B extends Shape,
  TransposeA extends boolean,
  TransposeB extends boolean,
> = Matching<Columns<A, TransposeA>, Rows<B, TransposeB>>;
type Matching<X extends number, Y extends number> = number extends X
  ? unknown
  : number extends Y
    ? unknown
    : X extends Y
      ? unknown
      : { readonly 'matMul: inner sizes differ': readonly [X, Y] };

/** Shape of reshape(x, to): -1 becomes a size that is not known. */
export type ReshapeShape<To extends Shape> = number extends To['length']
  ? number[]
  : { -readonly [K in keyof To]: To[K] extends -1 ? number : To[K] };

type TupleOf<N extends number, T extends unknown[] = []> = T['length'] extends N ? T : TupleOf<N, [...T, unknown]>;
type Subtract<X extends number, Y extends number> =
  TupleOf<X> extends [...TupleOf<Y>, ...infer Rest] ? Rest['length'] : never;
/** Literal axes as positions from 0. */
type AxisIndex<Axis extends number, S extends Shape> = Axis extends number
  ? `${Axis}` extends `-${infer FromEnd extends number}`
    ? Subtract<S['length'], FromEnd>
    : Axis
  : never;
/** A tuple's key for an axis. */
type KeyOf<Axis extends number> = `${Axis}`;
type AnySizes<S extends Shape> = { -readonly [K in keyof S]: number };

/** Shape of transpose(x, perm): reversed without a permutation. */
export type TransposeShape<S extends Shape, Perm extends Shape | null | undefined> =
  UnknownRank<S> extends true
    ? Unknown<S>
    : Perm extends Shape
      ? UnknownRank<Perm> extends true
        ? AnySizes<S>
        : { -readonly [K in keyof Perm]: SizeAt<S, AxisIndex<Perm[K] & number, S>> }
      : Reversed<S>;
type SizeAt<S extends Shape, Axis extends number> = S[Axis & keyof S] extends infer N extends number ? N : number;
type Reversed<S extends Shape> = S extends readonly [infer First extends number, ...infer Rest extends Shape]
  ? [...Reversed<Rest>, First]
  : [];

/** Shape of concat(tensors, axis): as the first tensor's, but for the axis, whose sizes add up. */
export type ConcatShape<Tensors extends readonly unknown[], Axis extends number> = Tensors extends readonly [
  infer First,
  ...unknown[],
]
  ? WithAnySize<ShapeOf<First>, Axis>
  : Tensors extends readonly (infer Each)[]
    ? WithAnySize<ShapeOf<Each>, Axis>
    : number[];
type WithAnySize<S extends Shape, Axis extends number> =
  UnknownRank<S> extends true
    ? Unknown<S>
    : number extends Axis
      ? AnySizes<S>
      : { -readonly [K in keyof S]: K extends KeyOf<AxisIndex<Axis, S>> ? number : S[K] };

/** One axis, several, or (null, undefined) all. */
type AxesLike = number | Shape | null | undefined;

/** Shape of a reduction of x over axes. */
export type ReducedShape<
  S extends Shape,
  Axes extends AxesLike,
  KeepDims extends boolean = false,
> = boolean extends KeepDims
  ? number[]
  : [Axes] extends [null | undefined]
    ? KeepDims extends true
      ? UnknownRank<S> extends true
        ? Unknown<S>
        : { -readonly [K in keyof S]: 1 }
      : []
    : UnknownRank<S> extends true
      ? number[]
      : IsLiteral<Axes> extends true
        ? Reduced<S, KeyOf<AxisIndex<ListOf<Axes>, S>>, KeepDims>
        : KeepDims extends true
          ? AnySizes<S>
          : number[];
type ListOf<Axes> = Axes extends number ? Axes : Axes extends Shape ? Axes[number] : never;
type IsLiteral<Axes> = Axes extends number
  ? number extends Axes
    ? false
    : true
  : Axes extends Shape
    ? number extends Axes['length'] | Axes[number]
      ? false
      : true
    : false;
type Reduced<S extends Shape, Keys extends string, KeepDims extends boolean> = KeepDims extends true
  ? { -readonly [K in keyof S]: K extends Keys ? 1 : S[K] }
  : Dropped<S, Keys>;
type Dropped<S extends Shape, Keys extends string, Seen extends unknown[] = []> = S extends readonly [
  infer First extends number,
  ...infer Rest extends Shape,
]
  ? KeyOf<Seen['length'] & number> extends Keys
    ? Dropped<Rest, Keys, [...Seen, unknown]>
    : [First, ...Dropped<Rest, Keys, [...Seen, unknown]>]
  : [];
