// Reductions over axes. The native side reduces one run of neighbouring axes; other patterns are reduced run by run, which
// gives the same result for every fold here.
import { invalid } from '../errors.js';
import { isRecording } from '../autograd/tape.js';
import { NativeOp } from '../tensor/backend.js';
import { arithmeticDType, convert, type TensorLike } from '../tensor/convert.js';
import { isFloat, type DType } from '../tensor/dtype.js';
import { checkAxes, checkAxis, type Shape } from '../tensor/shape.js';
import { makeOne, makeView, type Tensor } from '../tensor/tensor.js';
import { add, div, mul, sub } from './arithmetic.js';
import { cast } from './cast.js';
import { equal } from './comparison.js';
import { onesLike } from './creation.js';
import { recordOne, requireBool } from './define.js';
import { abs, exp, log, sqrt, square } from './elementwise.js';
import { reshape } from './reshape.js';
import { where } from './select.js';

/** One axis, several, or (null, undefined) all. */
export type Axes = number | readonly number[] | null;

const without = (shape: Shape, axes: readonly number[], keepDims: boolean): number[] =>
  shape.flatMap((size, i) => (axes.includes(i) ? (keepDims ? [1] : []) : [size]));

/** The axes as runs of neighbours, last run first, so that earlier positions stay valid. */
function runsOf(axes: readonly number[]): { first: number; count: number }[] {
  const runs: { first: number; count: number }[] = [];
  for (const axis of axes) {
    const last = runs.at(-1);
    if (last !== undefined && last.first + last.count === axis) last.count++;
    else runs.push({ first: axis, count: 1 });
  }
  return runs.reverse();
}

/** Folds the axes natively, keeping them as size 1, and gives the shape that was asked for. */
function fold(op: NativeOp, x: Tensor, axes: readonly number[], keepDims: boolean): Tensor {
  let result = x;
  for (const { first, count } of runsOf(axes)) {
    const shape = result.shape.map((size, i) => (i >= first && i < first + count ? 1 : size));
    result = makeOne(x.backend, op, [result], shape, x.dtype, [first, count]);
  }
  if (result === x) return makeView(x, x.shape);
  return keepDims ? result : makeView(result, without(x.shape, axes, false));
}

/** dy with the reduced axes back as size 1, so that it broadcasts against x. */
const spread = (dy: Tensor, x: Tensor, axes: readonly number[]): Tensor => reshape(dy, without(x.shape, axes, true));

type Gradient = (dy: Tensor, x: Tensor, y: Tensor, axes: readonly number[]) => Tensor;

function reduction(
  name: string,
  dtypeOf: (dtype: DType) => DType,
  gradient: Gradient,
  refusesEmpty = false,
): (x: TensorLike, axis?: Axes, keepDims?: boolean) => Tensor {
  const op = new NativeOp(name);
  return (input, axis, keepDims = false) => {
    const given = convert(name, 'x', input);
    const x = cast(given, dtypeOf(given.dtype));
    const axes = checkAxes(name, axis, x.rank);
    if (refusesEmpty && axes.some((one) => x.shape[one] === 0)) {
      throw invalid('ERR_SHAPE', name, 'x', 'at least one element along the reduced axes', [...x.shape]);
    }
    const y = fold(op, x, axes, keepDims);
    if (!isRecording() || !isFloat(x.dtype)) return y;
    return recordOne(y, [x], (dy) => [gradient(dy, x, y, axes)]);
  };
}

const floatOrFloat32 = (dtype: DType): DType => (isFloat(dtype) ? dtype : 'float32');

const broadcastOver: Gradient = (dy, x, _y, axes) => mul(onesLike(x), spread(dy, x, axes));

/**
 * Sum over axes; 0 over an empty axis. Sums of bool and uint8 are int32.
 * @param axis One, several or (default) all; negative ones count from the end.
 * @param keepDims Keeps reduced axes as size 1 (default false).
 */
export const sum = reduction('sum', arithmeticDType, broadcastOver);

/** Mean over axes; NaN over an empty axis. Integers and booleans give float32. */
export const mean = reduction('mean', floatOrFloat32, (dy, x, y, axes) =>
  div(
    broadcastOver(dy, x, y, axes),
    axes.reduce((count, one) => count * x.shape[one]!, 1),
  ),
);

/** The largest value over axes; NaN if there is one. The gradient goes to every element equal to it, as in tfjs. */
export const max = reduction('max', arithmeticDType, toExtremes, true);
/** The smallest value over axes; NaN if there is one. */
export const min = reduction('min', arithmeticDType, toExtremes, true);

function toExtremes(dy: Tensor, x: Tensor, y: Tensor, axes: readonly number[]): Tensor {
  return mul(spread(dy, x, axes), cast(equal(x, spread(y, x, axes)), x.dtype));
}

/** Product over axes; 1 over an empty axis. The gradient is right where factors are 0. */
export const prod = reduction('prod', arithmeticDType, (dy, x, _y, axes) => {
  // Product of the others: where exactly one factor is 0, only that factor has a gradient; where more are, none has.
  const isZero = equal(x, 0);
  const nonZero = where(isZero, 1, x);
  const zeros = sum(cast(isZero, x.dtype), axes, true);
  const others = prod(nonZero, axes, true);
  const one = cast(equal(zeros, 1), x.dtype);
  const none = cast(equal(zeros, 0), x.dtype);
  const local = where(isZero, mul(others, one), div(mul(others, none), nonZero));
  return mul(spread(dy, x, axes), local);
});

function boolReduction(name: string): (x: TensorLike, axis?: Axes, keepDims?: boolean) => Tensor {
  const op = new NativeOp(name);
  return (input, axis, keepDims = false) => {
    const x = requireBool(name, 'x', convert(name, 'x', input));
    return fold(op, x, checkAxes(name, axis, x.rank), keepDims);
  };
}

/** True where any value of a bool tensor is, over axes; false over an empty axis. */
export const any = boolReduction('any');
/** True where all values of a bool tensor are, over axes; true over an empty axis. */
export const all = boolReduction('all');

function argReduction(name: string): (x: TensorLike, axis?: number) => Tensor {
  const op = new NativeOp(name);
  return (input, axis = 0) => {
    const given = convert(name, 'x', input);
    const x = cast(given, arithmeticDType(given.dtype));
    const along = checkAxis(name, 'axis', axis, Math.max(x.rank, 1));
    const size = x.shape[along] ?? 1;
    if (size === 0) throw invalid('ERR_SHAPE', name, 'x', 'at least one element along the axis', [...x.shape]);
    return makeOne(x.backend, op, [x], without(x.shape, [along], false), 'int32', [along, 1]);
  };
}

/** Position of the largest value along an axis (default 0), int32; the first of equals, and NaN is larger than all. */
export const argMax = argReduction('argMax');
/** Position of the smallest value along an axis (default 0), int32; the first of equals, and NaN is smaller than all. */
export const argMin = argReduction('argMin');

/** Mean and variance (of the population) over axes: {mean, variance}. Integers give float32. */
export function moments(x: TensorLike, axis?: Axes, keepDims = false): { mean: Tensor; variance: Tensor } {
  const given = convert('moments', 'x', x);
  const input = cast(given, floatOrFloat32(given.dtype));
  const axes = checkAxes('moments', axis, input.rank);
  const centre = mean(input, axes, true);
  const variance = mean(square(sub(input, centre)), axes, keepDims);
  return { mean: keepDims ? centre : reshape(centre, variance.shape), variance };
}

/** log(sum(exp(x))) over axes without overflow; -Infinity where all of x is. */
export function logSumExp(x: TensorLike, axis?: Axes, keepDims = false): Tensor {
  const given = convert('logSumExp', 'x', x);
  const input = cast(given, floatOrFloat32(given.dtype));
  const axes = checkAxes('logSumExp', axis, input.rank);
  const op = new NativeOp('max');
  // A constant to the gradient: it cancels. An infinite maximum is replaced by 0, since inf - inf is NaN.
  const raw = fold(op, input, axes, true);
  const shift = where(equal(abs(raw), Infinity), 0, raw);
  const total = log(sum(exp(sub(input, shift)), axes, true));
  return reshape(add(total, shift), without(input.shape, axes, keepDims));
}

/**
 * Norm over axes, as tfjs: `'euclidean'` (2), 1, Infinity, -Infinity, and `'fro'` over two axes.
 * @param ord Default `'euclidean'`.
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
  if (axes.length > 2 && axis !== null) throw invalid('ERR_ARGUMENT', 'norm', 'axis', 'one or two axes', axis);
  const matrix = axis !== null && axes.length === 2;
  const [rows, columns] = axes as [number, number];
  switch (ord) {
    case 'euclidean':
    case 'fro':
    case 2:
      if (matrix && ord === 2) break;
      return sqrt(sum(square(input), axes, keepDims));
    case 1:
      if (!matrix) return sum(abs(input), axes, keepDims);
      return reshape(max(sum(abs(input), rows, true), columns, true), without(input.shape, axes, keepDims));
    case Infinity:
      if (!matrix) return max(abs(input), axes, keepDims);
      return reshape(max(sum(abs(input), columns, true), rows, true), without(input.shape, axes, keepDims));
    case -Infinity:
      if (!matrix) return min(abs(input), axes, keepDims);
      return reshape(min(sum(abs(input), columns, true), rows, true), without(input.shape, axes, keepDims));
  }
  throw invalid('ERR_ARGUMENT', 'norm', 'ord', "'euclidean', 'fro', 1, 2 (vectors) or an infinity", ord);
}
