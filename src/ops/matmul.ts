// Matrix products: matMul with transposes and batches, dot and outerProduct in terms of it. The gradient is two more
// products, so it can be differentiated again.
import { invalid } from '../errors.js';
import { asUnshared, type Descent, type InputGradient } from '../autograd/gradient-table.js';
import { isRecording, record, type Offer, type Slope } from '../autograd/tape.js';
import { NativeOp, run } from '../tensor/backend.js';
import { arithmeticDType, convert, sameBackend, type TensorLike } from '../tensor/convert.js';
import { isFloat } from '../tensor/dtype.js';
import { sizeOf, type Shape } from '../tensor/shape.js';
import type { InnerSizesMatch, MatMulShape, ShapeOf } from '../tensor/shape-types.js';
import { makeOne, Tensor } from '../tensor/tensor.js';
import { cast } from './cast.js';
import { reshape } from './reshape.js';
import { evaluate, type LazyGradients } from './define.js';
import { descend } from './descent.js';
import { sumTo } from './broadcasting.js';

/** (a, b, bias?) -> (y, pre?); parameters transposeA, transposeB, activation row or -1, its parameters. */
export const MATMUL = new NativeOp('matmul');
/** (a, b, saved?, stamp?) -> (dz, dBias?); parameters as MATMUL's. */
const DERIVATIVE = new NativeOp('matmul/derivative');
/** (a, b) -> y, over y: y += a b. Parameters transposeA, transposeB. */
const ADDED = new NativeOp('matmul/added');
/** (a, b) -> (y, the sums of b's columns). Parameters transposeA, transposeB. */
const SUMS = new NativeOp('matmul/sums');

const show = (shape: Shape): string => `[${shape.join(',')}]`;

function batchShape(op: string, a: Shape, b: Shape): number[] {
  const rank = Math.max(a.length, b.length) - 2;
  const shape = new Array<number>(rank);
  for (let i = 1; i <= rank; i++) {
    const x = a[a.length - 2 - i] ?? 1;
    const y = b[b.length - 2 - i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw invalid('ERR_SHAPE', op, 'b', `batch axes that broadcast with those of a, ${show(a)}`, [...b]);
    }
    shape[rank - i] = x === 1 ? y : x;
  }
  return shape;
}

/** The operands of a product in one dtype, checked, and the shape of the result. */
export interface Product {
  a: Tensor;
  b: Tensor;
  shape: number[];
}

/** Checks the operands of a product and brings them to one dtype. */
export function product(
  op: string,
  left: TensorLike,
  right: TensorLike,
  transposeA: boolean,
  transposeB: boolean,
): Product {
  let a = convert(op, 'a', left);
  let b = convert(op, 'b', right, a);
  sameBackend(op, a, b);
  if (typeof transposeA !== 'boolean') throw invalid('ERR_ARGUMENT', op, 'transposeA', 'a boolean', transposeA);
  if (typeof transposeB !== 'boolean') throw invalid('ERR_ARGUMENT', op, 'transposeB', 'a boolean', transposeB);
  if (a.rank < 2) throw invalid('ERR_SHAPE', op, 'a', 'a rank of at least 2', [...a.shape], 'use dot() for vectors');
  if (b.rank < 2) throw invalid('ERR_SHAPE', op, 'b', 'a rank of at least 2', [...b.shape], 'use dot() for vectors');
  const [aRows, aColumns] = [a.shape[a.rank - 2]!, a.shape[a.rank - 1]!];
  const [bRows, bColumns] = [b.shape[b.rank - 2]!, b.shape[b.rank - 1]!];
  const inner = transposeA ? aRows : aColumns;
  if (inner !== (transposeB ? bColumns : bRows)) {
    const flipped = inner === (transposeB ? bRows : bColumns);
    throw invalid(
      'ERR_SHAPE',
      op,
      'b',
      `axis ${transposeB ? -1 : -2} to equal a's inner axis ${inner} (a is ${show(a.shape)}${transposeA ? ' transposed' : ''})`,
      [...b.shape],
      flipped ? `did you mean transposeB: ${String(!transposeB)}?` : undefined,
    );
  }
  const dtype = arithmeticDType(a.dtype, b.dtype);
  if (a.dtype !== dtype) a = cast(a, dtype);
  if (b.dtype !== dtype) b = cast(b, dtype);
  const batch = batchShape(op, a.shape, b.shape);
  return { a, b, shape: [...batch, transposeA ? aColumns : aRows, transposeB ? bRows : bColumns] };
}

/** The operands of y = a b as they went into it. */
export interface Factors {
  readonly a: Tensor;
  readonly b: Tensor;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

const isMatrices = (...tensors: Tensor[]): boolean => tensors.every(({ rank, size }) => rank === 2 && size > 0);

/** A product that is a gradient: added to `sum` in place where that is given. */
function gradientProduct(
  left: Tensor,
  right: Tensor,
  ta: boolean,
  tb: boolean,
  like: Tensor,
  sum: Tensor | null,
): Tensor {
  if (isRecording()) return sumTo(matMul(left, right, ta, tb), like.shape);
  if (sum !== null && isMatrices(left, right, sum) && sum.dtype === left.dtype) {
    run(left.backend, ADDED, [left, right], [sum], [Number(ta), Number(tb)]);
    return sum;
  }
  const product = matMul(left, right, ta, tb);
  const gradient = sumTo(product, like.shape);
  return gradient === product ? asUnshared(gradient) : gradient;
}

/** da and db of y = a b, given dy: each another product, summed over the batches it was broadcast to. */
export function productGradients(
  dy: Tensor,
  { a, b, transposeA, transposeB }: Factors,
  offers: readonly Offer[],
): LazyGradients {
  const [intoA = null, intoB = null] = offers.map(({ sum }) => sum);
  return [
    () =>
      transposeA
        ? gradientProduct(b, dy, transposeB, true, a, intoA)
        : gradientProduct(dy, b, false, !transposeB, a, intoA),
    () =>
      transposeB
        ? gradientProduct(dy, a, true, transposeA, b, intoB)
        : gradientProduct(a, dy, !transposeA, false, b, intoB),
  ];
}

/** da through the activation that made a, and its bias's gradient, in one pass; null where there is no such op. */
export function productDescent(dy: Tensor, { a, b, transposeA, transposeB }: Factors, slope: Slope): Descent | null {
  if (transposeA || !isMatrices(dy, a, b)) return null;
  return descend(DERIVATIVE, [dy, b], a, slope, [0, Number(!transposeB)]);
}

/** The gradients of a and b that are wanted, that of a through the activation that made it where that is offered. */
export function productBackward(
  dy: Tensor,
  factors: Factors,
  wanted: readonly boolean[],
  offers: readonly Offer[],
): [InputGradient, Tensor | null] {
  const slope = wanted[0] && !isRecording() ? offers[0]!.slope : null;
  const descent = slope === null ? null : productDescent(dy, factors, slope);
  const [da, db] = evaluate(productGradients(dy, factors, offers), [wanted[0]! && descent === null, wanted[1]!]);
  return [descent ?? da, db];
}

/** db and the sum of dy's rows, the gradient of a bias [n], in one pass; null where there is no such op. */
export function productSums(
  dy: Tensor,
  { a, b, transposeA, transposeB }: Factors,
  bias: Tensor,
): [Tensor, Tensor] | null {
  if (transposeB || !isMatrices(dy, a, b)) return null;
  const db = new Tensor(b.backend, b.shape, b.dtype);
  const dBias = new Tensor(b.backend, bias.shape, b.dtype);
  const outputs = [db, dBias].map((holder) => ({ holder, shape: holder.shape, dtype: b.dtype }));
  run(b.backend, SUMS, [a, dy], outputs, [Number(!transposeA), 0]);
  return [asUnshared(db), dBias];
}

/**
 * Matrix product of the last two axes; the axes before them are batches and broadcast.
 * @param a [..., m, k], or [..., k, m] with transposeA.
 * @param b [..., k, n], or [..., n, k] with transposeB.
 * @returns [..., m, n] in the wider of the two dtypes; int32 for integers, which wrap.
 * @throws ShapeError when the inner axes differ or the batches do not broadcast.
 */
export function matMul<
  A extends TensorLike,
  B extends TensorLike,
  TA extends boolean = false,
  TB extends boolean = false,
>(
  a: A,
  b: B & InnerSizesMatch<ShapeOf<A>, ShapeOf<B>, TA, TB>,
  transposeA?: TA,
  transposeB?: TB,
): Tensor<MatMulShape<ShapeOf<A>, ShapeOf<B>, TA, TB>>;
export function matMul(a: TensorLike, b: TensorLike, transposeA = false, transposeB = false): Tensor {
  const { a: left, b: right, shape } = product('matMul', a, b, transposeA, transposeB);
  if (left.rank > 2 && right.rank === 2 && !transposeA) {
    // One b for every batch is one taller product, and its gradient by b needs no sum over batches.
    const inner = left.shape[left.rank - 1]!;
    const rows = sizeOf(left.shape.slice(0, -1));
    return reshape(matMul(reshape(left, [rows, inner]), right, false, transposeB), shape);
  }
  const y = makeOne(left.backend, MATMUL, [left, right], shape, left.dtype, [Number(transposeA), Number(transposeB)]);
  if (isRecording() && isFloat(y.dtype)) {
    const factors = { a: left, b: right, transposeA, transposeB };
    record([y], [left, right], ([dy], wanted, offers) =>
      dy == null ? [null, null] : productBackward(dy, factors, wanted, offers),
    );
  }
  return y;
}

/**
 * Product of two vectors or matrices: the inner product of two vectors (a scalar), else the matrix product with a vector
 * t1 as a row and a vector t2 as a column, which the result drops again.
 * @param t1 Rank 1 or 2.
 * @param t2 Rank 1 or 2.
 * @throws ShapeError for other ranks or inner sizes that differ.
 */
export function dot(t1: TensorLike, t2: TensorLike): Tensor {
  const a = convert('dot', 't1', t1);
  const b = convert('dot', 't2', t2, a);
  if (a.rank < 1 || a.rank > 2) throw invalid('ERR_SHAPE', 'dot', 't1', 'rank 1 or 2', [...a.shape]);
  if (b.rank < 1 || b.rank > 2) throw invalid('ERR_SHAPE', 'dot', 't2', 'rank 1 or 2', [...b.shape]);
  const inner = a.shape[a.rank - 1]!;
  if (inner !== b.shape[0]) {
    throw invalid('ERR_SHAPE', 'dot', 't2', `axis 0 to equal t1's last axis ${inner} (t1 is ${show(a.shape)})`, [
      ...b.shape,
    ]);
  }
  const y = matMul(a.rank === 1 ? reshape(a, [1, inner]) : a, b.rank === 1 ? reshape(b, [inner, 1]) : b);
  return reshape(y, [...a.shape.slice(0, -1), ...b.shape.slice(1)]);
}

/**
 * Outer product of two vectors.
 * @param v1 [m].
 * @param v2 [n].
 * @returns [m, n].
 */
export function outerProduct(v1: TensorLike, v2: TensorLike): Tensor {
  const a = convert('outerProduct', 'v1', v1);
  const b = convert('outerProduct', 'v2', v2, a);
  if (a.rank !== 1) throw invalid('ERR_SHAPE', 'outerProduct', 'v1', 'rank 1', [...a.shape]);
  if (b.rank !== 1) throw invalid('ERR_SHAPE', 'outerProduct', 'v2', 'rank 1', [...b.shape]);
  return matMul(reshape(a, [a.size, 1]), reshape(b, [1, b.size]));
}
