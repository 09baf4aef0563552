// Comparisons and logic: results are bool tensors and have no gradient.
import type { TensorLike } from '../tensor/convert.js';
import { NativeOp } from '../tensor/backend.js';
import { convert } from '../tensor/convert.js';
import type { Binary, Mutable, ShapeOf } from '../tensor/shape-types.js';
import { makeOne, type Tensor } from '../tensor/tensor.js';
import { binary, logical, requireBool } from './define.js';

/** a == b elementwise, broadcasting; NaN equals nothing. */
export const equal: Binary = binary('equal', null, 'bool');
/** a != b elementwise, broadcasting. */
export const notEqual: Binary = binary('notEqual', null, 'bool');
/** a < b elementwise, broadcasting. */
export const less: Binary = binary('less', null, 'bool');
/** a <= b elementwise, broadcasting. */
export const lessEqual: Binary = binary('lessEqual', null, 'bool');
/** a > b elementwise, broadcasting. */
export const greater: Binary = binary('greater', null, 'bool');
/** a >= b elementwise, broadcasting. */
export const greaterEqual: Binary = binary('greaterEqual', null, 'bool');
/** a and b, of bool tensors, broadcasting. */
export const logicalAnd: Binary = logical('logicalAnd');
/** a or b, of bool tensors, broadcasting. */
export const logicalOr: Binary = logical('logicalOr');

const NOT = new NativeOp('logicalNot');

/** not x, of a bool tensor. */
export function logicalNot<X extends TensorLike>(x: X): Tensor<Mutable<ShapeOf<X>>>;
export function logicalNot(x: TensorLike): Tensor {
  const input = requireBool('logicalNot', 'x', convert('logicalNot', 'x', x));
  return makeOne(input.backend, NOT, [input], input.shape, 'bool');
}
