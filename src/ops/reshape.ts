// Ops that change the shape and not the data: they share the storage.
import { invalid } from '../errors.js';
import { isRecording, record } from '../autograd/tape.js';
import { convert, type TensorLike } from '../tensor/convert.js';
import { checkAxes, checkAxis, checkShape, sizeOf, type Shape } from '../tensor/shape.js';
import type { Mutable, ReshapeShape, ShapeOf } from '../tensor/shape-types.js';
import { makeView, type Tensor } from '../tensor/tensor.js';

/** A view with another shape of the same size, known to the tapes. */
function view(x: Tensor, shape: Shape): Tensor {
  const y = makeView(x, shape);
  if (isRecording())
    record([y], [x], ([dy]) => [dy == null ? null : view(dy, x.shape)], { readsInputs: false, isView: true });
  return y;
}

/**
 * The same values in another shape; shares memory (of a variable: a copy).
 * @param x Any tensor.
 * @param shape Sizes; one may be -1 and is worked out.
 * @throws ShapeError when the sizes do not match.
 */
export function reshape<const S extends Shape>(x: TensorLike, shape: S): Tensor<ReshapeShape<S>>;
export function reshape(x: TensorLike, shape: Shape): Tensor {
  const input = convert('reshape', 'x', x);
  if (!Array.isArray(shape)) throw invalid('ERR_SHAPE', 'reshape', 'shape', 'an array of integers', shape);
  const unknown = shape.indexOf(-1);
  const target: number[] = [...(shape as Shape)];
  if (unknown >= 0) {
    const known = sizeOf(shape.filter((_, axis) => axis !== unknown));
    const missing = input.size / known;
    target[unknown] = known === 0 ? 0 : missing;
    if (!Number.isInteger(target[unknown])) {
      throw invalid('ERR_SHAPE', 'reshape', 'shape', `sizes that divide ${input.size} elements`, shape);
    }
  }
  checkShape('reshape', 'shape', target);
  if (sizeOf(target) !== input.size) {
    throw invalid('ERR_SHAPE', 'reshape', 'shape', `${input.size} elements as in [${input.shape.join(',')}]`, shape);
  }
  return view(input, target);
}

/** A tensor of its own with the same values; it shares x's memory (of a variable: a copy). */
export function clone<X extends TensorLike>(x: X): Tensor<Mutable<ShapeOf<X>>>;
export function clone(x: TensorLike): Tensor {
  const input = convert('clone', 'x', x);
  return view(input, input.shape);
}

/** Inserts an axis of size 1 before `axis` (default 0); negative axes count from behind the last. */
export function expandDims(x: TensorLike, axis = 0): Tensor {
  const input = convert('expandDims', 'x', x);
  const at = checkAxis('expandDims', 'axis', axis, input.rank + 1);
  return view(input, [...input.shape.slice(0, at), 1, ...input.shape.slice(at)]);
}

/**
 * Removes axes of size 1.
 * @param axis Which axes; all of size 1 if left out.
 * @throws ShapeError when a named axis is not of size 1.
 */
export function squeeze(x: TensorLike, axis?: readonly number[]): Tensor {
  const input = convert('squeeze', 'x', x);
  const axes =
    axis === undefined
      ? input.shape.flatMap((size, i) => (size === 1 ? [i] : []))
      : checkAxes('squeeze', axis, input.rank);
  for (const one of axes) {
    if (input.shape[one] !== 1) throw invalid('ERR_SHAPE', 'squeeze', 'axis', 'axes of size 1', [...input.shape]);
  }
  return view(
    input,
    input.shape.filter((_, i) => !axes.includes(i)),
  );
}
