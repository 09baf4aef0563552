// Repeating values: broadcastTo and tile. Their gradients sum what was repeated.
import { invalid } from '../errors.js';
import { convert, type TensorLike } from '../tensor/convert.js';
import { checkShape, sizeOf, type Shape } from '../tensor/shape.js';
import type { Mutable } from '../tensor/shape-types.js';
import type { Tensor } from '../tensor/tensor.js';
import { expand, sumAxes } from './broadcasting.js';
import { recordOne } from './define.js';
import { reshape } from './reshape.js';
import { stridedCopy, stridesOf } from './strided-copy.js';

/**
 * x repeated along its axes of size 1, and along new axes in front, to fill `shape`.
 * @param x Any tensor.
 * @param shape The result's shape; each axis has x's size, unless x's is 1 or missing.
 * @throws ShapeError when x does not broadcast to it.
 */
export function broadcastTo<const S extends Shape>(x: TensorLike, shape: S): Tensor<Mutable<S>>;
export function broadcastTo(x: TensorLike, shape: Shape): Tensor {
  const input = convert('broadcastTo', 'x', x);
  checkShape('broadcastTo', 'shape', shape);
  const target: Shape = [...shape];
  const added = target.length - input.rank;
  const fits = (size: number, i: number): boolean => size === 1 || size === target[added + i];
  if (added < 0 || !input.shape.every(fits)) {
    const expected = `a shape that x's [${input.shape.join(',')}] broadcasts to`;
    throw invalid('ERR_SHAPE', 'broadcastTo', 'shape', expected, target);
  }
  return expand(input, target);
}

/**
 * x repeated `reps[axis]` times along each axis.
 * @param x Any tensor.
 * @param reps One integer of at least 0 for each axis of x.
 */
export function tile(x: TensorLike, reps: readonly number[]): Tensor {
  const input = convert('tile', 'x', x);
  if (!Array.isArray(reps) || reps.length !== input.rank || !reps.every((n) => Number.isInteger(n) && n >= 0)) {
    throw invalid('ERR_ARGUMENT', 'tile', 'reps', `${input.rank} integers of at least 0, one for each axis of x`, reps);
  }
  const counts: readonly number[] = reps;
  const shape = input.shape.map((size, axis) => size * counts[axis]!);
  checkShape('tile', 'reps', shape);
  // Every axis becomes two: the repetitions, which stand still in x, and x's own.
  const own = stridesOf(input.shape);
  const sizes = input.shape.flatMap((size, axis) => [counts[axis]!, size]);
  const strides = own.flatMap((stride) => [0, stride]);
  return recordOne(stridedCopy(input, shape, strides, 0, sizes), [input], (dy) => [
    sumRepeats(dy, input.shape, counts),
  ]);
}

/** Sums the repetitions away axis by axis: all at once would need twice the rank. */
function sumRepeats(dy: Tensor, shape: Shape, reps: readonly number[]): Tensor {
  let result = dy;
  reps.forEach((count, axis) => {
    if (count === 1) return;
    const rest = shape[axis]! * sizeOf(result.shape.slice(axis + 1));
    const outer = sizeOf(shape.slice(0, axis));
    const left = result.shape.slice(axis + 1);
    result = reshape(sumAxes(reshape(result, [outer, count, rest]), [1]), [...shape.slice(0, axis + 1), ...left]);
  });
  return result;
}
