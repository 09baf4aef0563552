// The one copy behind most shape ops: a tensor read with other sizes, strides and start.
import { NativeOp } from '../tensor/backend.js';
import type { Shape } from '../tensor/shape.js';
import { makeOne, type Tensor } from '../tensor/tensor.js';

const COPY = new NativeOp('copy');

/** Elements between neighbours along each axis of a row-major array. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= shape[axis]!;
  }
  return strides;
}

/**
 * A tensor of `shape` whose elements, in row-major order, are those of x read from `offset` along `strides` (0 repeats,
 * negative ones go backwards). `sizes` are the walk's axes where they are not those of `shape`.
 */
export function stridedCopy(
  x: Tensor,
  shape: Shape,
  strides: readonly number[],
  offset = 0,
  sizes: readonly number[] = shape,
): Tensor {
  return makeOne(x.backend, COPY, [x], shape, x.dtype, [offset, sizes.length, ...sizes, ...strides]);
}
