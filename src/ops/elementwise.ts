// Elementwise functions of one operand. Integer operands become float32, except where integers have the operation.
import { invalid } from '../errors.js';
import { NativeOp } from '../tensor/backend.js';
import { arithmeticDType, convert, type TensorLike } from '../tensor/convert.js';
import { isFloat } from '../tensor/dtype.js';
import type { Mutable, ShapeOf, Unary } from '../tensor/shape-types.js';
import { makeOne, type Tensor } from '../tensor/tensor.js';
import { add, div, mul } from './arithmetic.js';
import { cast } from './cast.js';
import { greaterEqual, lessEqual, logicalAnd } from './comparison.js';
import { recordOne, unary } from './define.js';

/** -x. */
export const neg: Unary = unary('neg', 'number', (dy) => neg(dy));
/** |x|; the gradient at 0 is 0. */
export const abs: Unary = unary('abs', 'number', (dy, x) => mul(dy, sign(x)));
/** -1, 0 or 1; NaN stays NaN. The gradient is 0. */
export const sign: Unary = unary('sign', 'number', (dy) => mul(dy, 0));
/** x squared. */
export const square: Unary = unary('square', 'number', (dy, x) => mul(dy, mul(x, 2)));
/** Square root; NaN below 0. */
export const sqrt: Unary = unary('sqrt', 'float', (dy, _x, y) => div(dy, mul(y, 2)));
/** 1 / sqrt(x). */
export const rsqrt: Unary = unary('rsqrt', 'float', (dy, x, y) => mul(dy, mul(div(y, x), -0.5)));
/** e to the power x. */
export const exp: Unary = unary('exp', 'float', (dy, _x, y) => mul(dy, y));
/** exp(x) - 1 without the loss of digits near 0. */
export const expm1: Unary = unary('expm1', 'float', (dy, _x, y) => mul(dy, add(y, 1)));
/** Natural logarithm; NaN below 0. */
export const log: Unary = unary('log', 'float', (dy, x) => div(dy, x));
/** log(1 + x) without the loss of digits near 0. */
export const log1p: Unary = unary('log1p', 'float', (dy, x) => div(dy, add(x, 1)));
/** 1 / x. */
export const reciprocal: Unary = unary('reciprocal', 'float', (dy, _x, y) => mul(dy, neg(square(y))));
/** The largest integer not above x. The gradient is 0. */
export const floor: Unary = unary('floor', 'float', (dy) => mul(dy, 0));
/** The smallest integer not below x. The gradient is 0. */
export const ceil: Unary = unary('ceil', 'float', (dy) => mul(dy, 0));
/** The nearest integer, halves to the even one. The gradient is 0. */
export const round: Unary = unary('round', 'float', (dy) => mul(dy, 0));
/** True where x is NaN (bool). */
export const isNaN: Unary = unary('isNaN', 'float', () => null, 'bool');
/** True where x is infinite (bool). */
export const isInf: Unary = unary('isInf', 'float', () => null, 'bool');

const CLIP = new NativeOp('clipByValue');

/**
 * x limited to [min, max]; NaN stays NaN. The gradient is 1 inside and at the limits, 0 outside. Integers are limited to the
 * integers between min and max.
 * @throws ArgumentError unless min <= max, and unless an integer lies between them where x has integers.
 */
export function clipByValue<X extends TensorLike>(x: X, min: number, max: number): Tensor<Mutable<ShapeOf<X>>>;
export function clipByValue(x: TensorLike, min: number, max: number): Tensor {
  const given = convert('clipByValue', 'x', x);
  if (typeof min !== 'number' || typeof max !== 'number' || !(min <= max)) {
    throw invalid('ERR_ARGUMENT', 'clipByValue', 'min, max', 'numbers with min <= max', [min, max]);
  }
  const whole = !isFloat(given.dtype);
  const input = whole ? cast(given, arithmeticDType(given.dtype)) : given;
  const [low, high] = whole ? [Math.ceil(min), Math.floor(max)] : [min, max];
  if (!(low <= high)) {
    const expected = `an integer between them, as x is ${given.dtype}`;
    throw invalid('ERR_ARGUMENT', 'clipByValue', 'min, max', expected, [min, max], "use x.cast('float32')");
  }
  const y = makeOne(input.backend, CLIP, [input], input.shape, input.dtype, [low, high]);
  return recordOne(y, [input], (dy) => [
    mul(dy, cast(logicalAnd(greaterEqual(input, min), lessEqual(input, max)), dy.dtype)),
  ]);
}
