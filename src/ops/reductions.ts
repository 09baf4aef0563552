// Reductions over axes. The native side reduces any set of axes in one pass; gradients are written in other ops, so they
// can be differentiated again.
import { failure, invalid } from '../errors.js';
import { isRecording, record } from '../autograd/tape.js';
import { NativeOp } from '../tensor/backend.js';
import { arithmeticDType, convert, type TensorLike } from '../tensor/convert.js';
import { isFloat, type DType } from '../tensor/dtype.js';
import { checkAxes, checkAxis, type Shape } from '../tensor/shape.js';
import type { ReducedShape, ShapeOf } from '../tensor/shape-types.js';
import { makeOne, type Tensor } from '../tensor/tensor.js';
import { div, mul, squaredDifference, sub } from './arithmetic.js';
import { broadcastTo } from './broadcast.js';
import { cast } from './cast.js';
import { equal } from './comparison.js';
import { recordOne, requireBool } from './define.js';
import { abs, exp } from './elementwise.js';
import { reshape } from './reshape.js';
import { where } from './select.js';

/** One axis, several, or (null, undefined) all. */
export type Axes = number | readonly number[] | null;

const without = (shape: Shape, axes: readonly number[], keepDims: boolean): number[] =>
  shape.flatMap((size, i) => (axes.includes(i) ? (keepDims ? [1] : []) : [size]));

/** dy with the reduced axes back as size 1, so that it broadcasts against x. */
const spread = (dy: Tensor, x: Tensor, axes: readonly number[]): Tensor => reshape(dy, without(x.shape, axes, true));

type Gradient = (dy: Tensor, x: Tensor, y: Tensor, axes: readonly number[]) => Tensor;
/** A reduction as callers see it: literal shapes and axes give a literal shape. */
export type Reduction = <
  X extends TensorLike,
  const A extends Axes | undefined = null,
  const K extends boolean = false,
>(
  x: X,
  axis?: A,
  keepDims?: K,
) => Tensor<ReducedShape<ShapeOf<X>, A, K>>;
/** An argMax or argMin: over the first axis by default. */
export type ArgReduction = <X extends TensorLike, const A extends number = 0>(
  x: X,
  axis?: A,
) => Tensor<ReducedShape<ShapeOf<X>, A>>;

function checkKeepDims(op: string, keepDims: unknown): void {
  if (typeof keepDims !== 'boolean') throw invalid('ERR_ARGUMENT', op, 'keepDims', 'a boolean', keepDims);
}

function refuseEmpty(op: string, x: Tensor, axes: readonly number[]): void {
  if (axes.some((one) => x.shape[one] === 0)) {
    throw invalid('ERR_SHAPE', op, 'x', 'at least one element along the reduced axes', [...x.shape]);
  }
}

/** How a reduction treats dtypes: what x is cast to first, and the result's dtype from that. */
interface DTypes {
  readonly input: (dtype: DType) => DType;
  readonly result?: (dtype: DType) => DType;
}

function reduction(name: string, dtypes: DTypes, gradient: Gradient, emptyRefused = false): Reduction {
  const op = new NativeOp(name);
  const reduce = (input: TensorLike, axis?: Axes, keepDims = false): Tensor => {
    const given = convert(name, 'x', input);
    const x = cast(given, dtypes.input(given.dtype));
    const axes = checkAxes(name, axis, x.rank);
    checkKeepDims(name, keepDims);
    if (emptyRefused) refuseEmpty(name, x, axes);
    const dtype = dtypes.result?.(x.dtype) ?? x.dtype;
    const y = makeOne(x.backend, op, [x], without(x.shape, axes, keepDims), dtype, axes);
    if (!isRecording() || !isFloat(x.dtype)) return y;
    return recordOne(y, [x], (dy) => [gradient(dy, x, y, axes)], name === 'sum' ? { sumOver: axes } : {});
  };
  return reduce as Reduction;
}

const floatOrFloat32 = (dtype: DType): DType => (isFloat(dtype) ? dtype : 'float32');
const NUMBERS: DTypes = { input: arithmeticDType };
const FLOATS: DTypes = { input: floatOrFloat32 };

const broadcastOver: Gradient = (dy, x, _y, axes) => broadcastTo(spread(dy, x, axes), x.shape);

/**
 * Sum over axes; 0 over an empty axis. Sums of bool and uint8 are int32; int32 wraps.
 * @param x Any tensor.
 * @param axis One, several or (default) all; negative ones count from the end.
 * @param keepDims Keeps reduced axes as size 1 (default false).
 */
export const sum: Reduction = reduction(
  'sum',
  { input: (dtype) => dtype, result: (dtype) => arithmeticDType(dtype) },
  broadcastOver,
);

/** Mean over axes; NaN over an empty axis. Integers and booleans give float32. */
export const mean: Reduction = reduction('mean', FLOATS, (dy, x, y, axes) => {
  const count = axes.reduce((product, one) => product * x.shape[one]!, 1);
  return broadcastOver(div(dy, count), x, y, axes);
});

/**
 * The largest value over axes; NaN if there is one. The gradient goes to every element equal to it, as in tfjs.
 * @throws ShapeError when a reduced axis is empty.
 */
export const max: Reduction = reduction('max', NUMBERS, toExtremes, true);
/** The smallest value over axes, as `max`. */
export const min: Reduction = reduction('min', NUMBERS, toExtremes, true);

function toExtremes(dy: Tensor, x: Tensor, y: Tensor, axes: readonly number[]): Tensor {
  return mul(spread(dy, x, axes), cast(equal(x, spread(y, x, axes)), x.dtype));
}

const OTHERS = new NativeOp('productOfOthers');
const OTHERS_BACKWARD = new NativeOp('productOfOthers/backward');

/** For every element the product of the others over the axes: exact where factors are 0. */
function productOfOthers(x: Tensor, axes: readonly number[]): Tensor {
  const others = makeOne(x.backend, OTHERS, [x], x.shape, x.dtype, axes);
  return recordOne(others, [x], (g) => {
    const dx = makeOne(x.backend, OTHERS_BACKWARD, [g, x], x.shape, x.dtype, axes);
    if (isRecording()) {
      record([dx], [g, x], () => {
        throw failure('ERR_ARGUMENT', 'prod', 'third derivatives are not supported');
      });
    }
    return [dx];
  });
}

/** Product over axes; 1 over an empty axis. The gradient is right where factors are 0. */
export const prod: Reduction = reduction('prod', NUMBERS, (dy, x, _y, axes) =>
  mul(spread(dy, x, axes), productOfOthers(x, axes)),
);

function boolReduction(name: string): Reduction {
  const op = new NativeOp(name);
  const reduce = (input: TensorLike, axis?: Axes, keepDims = false): Tensor => {
    const x = requireBool(name, 'x', convert(name, 'x', input));
    const axes = checkAxes(name, axis, x.rank);
    checkKeepDims(name, keepDims);
    return makeOne(x.backend, op, [x], without(x.shape, axes, keepDims), 'bool', axes);
  };
  return reduce as Reduction;
}

/** True where any value of a bool tensor is, over axes; false over an empty axis. */
export const any: Reduction = boolReduction('any');
/** True where all values of a bool tensor are, over axes; true over an empty axis. */
export const all: Reduction = boolReduction('all');

function argReduction(name: string): ArgReduction {
  const op = new NativeOp(name);
  const reduce = (input: TensorLike, axis = 0): Tensor => {
    const given = convert(name, 'x', input);
    const x = cast(given, arithmeticDType(given.dtype));
    const along = checkAxis(name, 'axis', axis, Math.max(x.rank, 1));
    refuseEmpty(name, x, [along]);
    return makeOne(x.backend, op, [x], without(x.shape, [along], false), 'int32', [along]);
  };
  return reduce as ArgReduction;
}

/** Position of the largest value along an axis (default 0), int32; the first of equals, and NaN is larger than all. */
export const argMax: ArgReduction = argReduction('argMax');
/** Position of the smallest value along an axis (default 0), int32; the first of equals, and NaN is smaller than all. */
export const argMin: ArgReduction = argReduction('argMin');

/** Mean and variance (of the population) over axes: {mean, variance}. Integers give float32. */
export function moments(x: TensorLike, axis?: Axes, keepDims = false): { mean: Tensor; variance: Tensor } {
  const given = convert('moments', 'x', x);
  const input = cast(given, floatOrFloat32(given.dtype));
  const axes = checkAxes('moments', axis, input.rank);
  checkKeepDims('moments', keepDims);
  const centre = mean(input, axes, true);
  const variance = mean(squaredDifference(input, centre), axes, keepDims);
  return { mean: keepDims ? centre : reshape(centre, variance.shape), variance };
}

/**
 * log(sum(exp(x))) over axes, without overflow; -Infinity over an empty axis or where all of x is. Integers give float32.
 * @param x Any tensor.
 * @param axis One, several or (default) all; negative ones count from the end.
 * @param keepDims Keeps reduced axes as size 1 (default false).
 */
export const logSumExp: Reduction = reduction('logSumExp', FLOATS, (dy, x, y, axes) => {
  // The gradient is the softmax. Infinite results are replaced by 0, since inf - inf is NaN.
  const shift = where(equal(abs(y), Infinity), 0, y);
  return mul(spread(dy, x, axes), exp(sub(x, spread(shift, x, axes))));
});

/** The root of the sum of squares. The gradient of a norm of 0 is 0. */
const euclideanNorm: Reduction = reduction('euclideanNorm', FLOATS, (dy, x, y, axes) =>
  mul(x, spread(div(dy, where(equal(y, 0), 1, y)), x, axes)),
);

/**
 * Norm of vectors (over one axis, or all elements) or matrices (over two axes), as tfjs:
 * `'euclidean'`: root of the sum of squares; 1: sum of |x|, for matrices the largest over columns; Infinity: largest |x|, for
 * matrices the largest sum over rows; -Infinity: the smallest of these; 2: vectors only; `'fro'`: as `'euclidean'`.
 * @param x Any tensor; integers give float32.
 * @param ord Default `'euclidean'`.
 * @param axis One axis, two as [rows, columns], or null (default): all elements as one vector.
 * @param keepDims Keeps reduced axes as size 1 (default false).
 */
export function norm(
  x: TensorLike,
  ord: number | 'euclidean' | 'fro' = 'euclidean',
  axis: Axes = null,
  keepDims = false,
): Tensor {
  const given = convert('norm', 'x', x);
  const input = cast(given, floatOrFloat32(given.dtype));
  const axes = checkAxes('norm', axis, input.rank);
  checkKeepDims('norm', keepDims);
  if (axes.length > 2 && axis !== null) throw invalid('ERR_ARGUMENT', 'norm', 'axis', 'one or two axes', axis);
  const matrix = Array.isArray(axis) && axes.length === 2;
  if (ord === 'euclidean' || ord === 'fro' || (ord === 2 && !matrix)) return euclideanNorm(input, axes, keepDims);
  const magnitudes = ord === 1 || ord === Infinity || ord === -Infinity ? abs(input) : undefined;
  if (magnitudes === undefined) {
    const known = matrix ? "'euclidean', 'fro', 1 or an infinity for matrices" : "'euclidean', 1, 2 or an infinity";
    throw invalid('ERR_ARGUMENT', 'norm', 'ord', known, ord);
  }
  if (!matrix) return (ord === 1 ? sum : ord === Infinity ? max : min)(magnitudes, axes, keepDims);
  const [rows, columns] = (axis as number[]).map((one) => checkAxis('norm', 'axis', one, input.rank));
  const sums = sum(magnitudes, ord === 1 ? rows : columns, true);
  const extreme = (ord === -Infinity ? min : max)(sums, ord === 1 ? columns : rows, true);
  return keepDims ? extreme : reshape(extreme, without(input.shape, axes, false));
}
