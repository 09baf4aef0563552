// Arithmetic of two operands, with broadcasting and tfjs's dtype rules.
import type { Binary } from '../tensor/shape-types.js';
import { binary } from './define.js';
import { cast } from './cast.js';
import { greaterEqual, lessEqual, greater, less } from './comparison.js';
import { floor, log, neg } from './elementwise.js';
import { where } from './select.js';

/** a + b, broadcasting. */
export const add: Binary = binary('add', (dy) => [() => dy, () => dy]);

/** a - b, broadcasting. */
export const sub: Binary = binary('sub', (dy) => [() => dy, () => neg(dy)]);

/** a * b, broadcasting. */
export const mul: Binary = binary('mul', (dy, a, b) => [() => mul(dy, b), () => mul(dy, a)]);

/** a / b, broadcasting. Two int32 operands divide towards minus infinity, as tfjs's floorDiv; int division by 0 gives 0. */
export const div: Binary = binary('div', (dy, _a, b, y) => [() => div(dy, b), () => neg(div(mul(dy, y), b))]);

/** The remainder of a / b with b's sign, as Python's %. */
export const mod: Binary = binary('mod', (dy, a, b) => [() => dy, () => neg(mul(dy, floor(div(a, b))))]);

/** a to the power b. The gradient with respect to b is 0 where a <= 0, as in tfjs. */
export const pow: Binary = binary('pow', (dy, a, b, y) => [
  () => mul(dy, mul(b, pow(a, sub(b, 1)))),
  () => {
    const positive = greater(a, 0);
    return mul(dy, where(positive, mul(y, log(where(positive, a, 1))), 0));
  },
]);

/** The larger of a and b; NaN if either is. Where they are equal the gradient goes to a, as tfjs does. */
export const maximum: Binary = binary('maximum', (dy, a, b) => [
  () => mul(dy, cast(greaterEqual(a, b), dy.dtype)),
  () => mul(dy, cast(less(a, b), dy.dtype)),
]);

/** The smaller of a and b; NaN if either is. */
export const minimum: Binary = binary('minimum', (dy, a, b) => [
  () => mul(dy, cast(lessEqual(a, b), dy.dtype)),
  () => mul(dy, cast(greater(a, b), dy.dtype)),
]);

/** (a - b) squared. */
export const squaredDifference: Binary = binary('squaredDifference', (dy, a, b) => [
  () => mul(dy, mul(sub(a, b), 2)),
  () => mul(dy, mul(sub(b, a), 2)),
]);
