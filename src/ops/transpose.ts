// Reordering axes and elements: transpose and reverse. Each is its own kind of gradient.
import { invalid } from '../errors.js';
import { convert, type TensorLike } from '../tensor/convert.js';
import { checkAxes, checkAxis } from '../tensor/shape.js';
import type { ShapeOf, TransposeShape } from '../tensor/shape-types.js';
import type { Tensor } from '../tensor/tensor.js';
import { recordOne } from './define.js';
import { clone } from './reshape.js';
import { stridedCopy, stridesOf } from './strided-copy.js';

/**
 * x with its axes in another order.
 * @param x Any tensor.
 * @param perm Axis `i` of the result is axis `perm[i]` of x; reversed order by default.
 */
export function transpose<X extends TensorLike, const P extends readonly number[] | null | undefined = null>(
  x: X,
  perm?: P,
): Tensor<TransposeShape<ShapeOf<X>, P>>;
export function transpose(x: TensorLike, perm?: readonly number[] | null): Tensor {
  const input = convert('transpose', 'x', x);
  return permute(input, checkPermutation(perm ?? null, input.rank));
}

function checkPermutation(perm: unknown, rank: number): number[] {
  const reversed = Array.from({ length: rank }, (_, i) => rank - 1 - i);
  if (perm === null) return reversed;
  if (!Array.isArray(perm) || perm.length !== rank) {
    throw invalid('ERR_ARGUMENT', 'transpose', 'perm', `${rank} axes, each of x's once`, perm);
  }
  const axes = perm.map((axis: unknown) => checkAxis('transpose', 'perm', axis, rank));
  if (new Set(axes).size !== rank) {
    throw invalid('ERR_ARGUMENT', 'transpose', 'perm', `${rank} axes, each of x's once`, perm);
  }
  return axes;
}

function permute(x: Tensor, perm: readonly number[]): Tensor {
  if (perm.every((axis, i) => axis === i)) return clone(x);
  const own = stridesOf(x.shape);
  const shape = perm.map((axis) => x.shape[axis]!);
  const strides = perm.map((axis) => own[axis]!);
  const inverse = perm.map((_, axis) => perm.indexOf(axis));
  return recordOne(stridedCopy(x, shape, strides), [x], (dy) => [permute(dy, inverse)]);
}

/**
 * x with the elements along some axes in opposite order.
 * @param x Any tensor.
 * @param axis One axis or several; all by default.
 */
export function reverse(x: TensorLike, axis?: number | readonly number[]): Tensor {
  const input = convert('reverse', 'x', x);
  return reverseAxes(input, checkAxes('reverse', axis, input.rank));
}

function reverseAxes(x: Tensor, axes: readonly number[]): Tensor {
  if (axes.length === 0) return clone(x);
  const strides = stridesOf(x.shape);
  let offset = 0;
  for (const axis of axes) {
    offset += (x.shape[axis]! - 1) * strides[axis]!;
    strides[axis] = -strides[axis]!;
  }
  return recordOne(stridedCopy(x, x.shape, strides, offset), [x], (dy) => [reverseAxes(dy, axes)]);
}
