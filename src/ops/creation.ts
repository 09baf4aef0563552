// Tensors from host values and constants.
import { invalid } from '../errors.js';
import { NativeOp } from '../tensor/backend.js';
import { convert, fromValues, type TensorLike } from '../tensor/convert.js';
import { currentBackend } from '../tensor/device.js';
import { DTYPES, isDType, type DType } from '../tensor/dtype.js';
import { checkShape, type Shape } from '../tensor/shape.js';
import type { Mutable } from '../tensor/shape-types.js';
import { makeOne, Tensor } from '../tensor/tensor.js';

const FILL = new NativeOp('fill');

function checkDType(op: string, dtype: unknown): void {
  if (!isDType(dtype)) throw invalid('ERR_DTYPE', op, 'dtype', `one of ${DTYPES.join(', ')}`, dtype);
}

function filled(op: string, shape: Shape, value: number, dtype: DType): Tensor {
  checkShape(op, 'shape', shape);
  checkDType(op, dtype);
  return makeOne(currentBackend(), FILL, [], shape, dtype, [value]);
}

/**
 * A tensor of the given values.
 * @param values Number, boolean, nested arrays or a typed array.
 * @param shape Default: the arrays' own.
 * @param dtype Default: float32 for numbers, bool for booleans, int32 for integer typed arrays.
 */
export function tensor<const S extends Shape = number[]>(
  values: Exclude<TensorLike, Tensor>,
  shape?: S,
  dtype?: DType,
): Tensor<Mutable<S>> {
  if (dtype !== undefined) checkDType('tensor', dtype);
  if (values instanceof Tensor) {
    throw invalid('ERR_ARGUMENT', 'tensor', 'values', 'numbers', values, 'use clone() to copy a tensor');
  }
  return fromValues('tensor', currentBackend(), values, shape, dtype) as unknown as Tensor<Mutable<S>>;
}

function ofRank(op: string, rank: number, values: Exclude<TensorLike, Tensor>, shape?: Shape, dtype?: DType): Tensor {
  if (shape !== undefined && (!Array.isArray(shape) || shape.length !== rank)) {
    throw invalid('ERR_SHAPE', op, 'shape', `${rank} sizes`, shape);
  }
  if (dtype !== undefined) checkDType(op, dtype);
  const result = fromValues(op, currentBackend(), values, shape, dtype);
  if (result.rank !== rank) {
    throw invalid('ERR_SHAPE', op, 'values', `values of rank ${rank}, or a shape`, [...result.shape]);
  }
  return result;
}

type Values = Exclude<TensorLike, Tensor>;

/** A tensor of rank 0. */
export const scalar = (value: number | boolean, dtype?: DType): Tensor<[]> =>
  ofRank('scalar', 0, value, undefined, dtype) as unknown as Tensor<[]>;
/** A tensor of rank 1. */
export const tensor1d = (values: Values, dtype?: DType): Tensor<[number]> =>
  ofRank('tensor1d', 1, values, undefined, dtype) as unknown as Tensor<[number]>;
/** A tensor of rank 2, from nested arrays or from flat values and a shape. */
export const tensor2d = (values: Values, shape?: [number, number], dtype?: DType): Tensor<[number, number]> =>
  ofRank('tensor2d', 2, values, shape, dtype) as unknown as Tensor<[number, number]>;
/** A tensor of rank 3, from nested arrays or from flat values and a shape. */
export const tensor3d = (
  values: Values,
  shape?: [number, number, number],
  dtype?: DType,
): Tensor<[number, number, number]> =>
  ofRank('tensor3d', 3, values, shape, dtype) as unknown as Tensor<[number, number, number]>;
/** A tensor of rank 4, from nested arrays or from flat values and a shape. */
export const tensor4d = (
  values: Values,
  shape?: [number, number, number, number],
  dtype?: DType,
): Tensor<[number, number, number, number]> =>
  ofRank('tensor4d', 4, values, shape, dtype) as unknown as Tensor<[number, number, number, number]>;

/** Zeros of the given shape; dtype float32 by default. */
export function zeros<const S extends Shape>(shape: S, dtype: DType = 'float32'): Tensor<Mutable<S>> {
  return filled('zeros', shape, 0, dtype) as unknown as Tensor<Mutable<S>>;
}
/** Ones of the given shape; dtype float32 by default. */
export function ones<const S extends Shape>(shape: S, dtype: DType = 'float32'): Tensor<Mutable<S>> {
  return filled('ones', shape, 1, dtype) as unknown as Tensor<Mutable<S>>;
}
/** `value` in every element; dtype float32 by default. */
export function fill<const S extends Shape>(shape: S, value: number, dtype: DType = 'float32'): Tensor<Mutable<S>> {
  if (typeof value !== 'number') throw invalid('ERR_ARGUMENT', 'fill', 'value', 'a number', value);
  return filled('fill', shape, value, dtype) as unknown as Tensor<Mutable<S>>;
}
/** Zeros of x's shape, dtype and device. */
export function zerosLike(x: TensorLike): Tensor {
  const like = convert('zerosLike', 'x', x);
  return makeOne(like.backend, FILL, [], like.shape, like.dtype, [0]);
}
/** Ones of x's shape, dtype and device. */
export function onesLike(x: TensorLike): Tensor {
  const like = convert('onesLike', 'x', x);
  return makeOne(like.backend, FILL, [], like.shape, like.dtype, [1]);
}
