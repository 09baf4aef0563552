// Joining tensors: concat along an axis that is there, stack along a new one.
import { invalid } from '../errors.js';
import { NativeOp } from '../tensor/backend.js';
import { convert, sameBackend, type TensorLike } from '../tensor/convert.js';
import { promote } from '../tensor/dtype.js';
import { checkAxis, sameShape, type Shape } from '../tensor/shape.js';
import type { ConcatShape } from '../tensor/shape-types.js';
import { makeOne, type Tensor } from '../tensor/tensor.js';
import { cast } from './cast.js';
import { recordOne } from './define.js';
import { clone, expandDims } from './reshape.js';
import { split } from './slice.js';

const CONCAT = new NativeOp('concat');
/** Inputs one native call takes; more are joined in groups. */
const MOST_INPUTS = 256;

/** The tensors of a list, on one device and in the widest of their dtypes. */
function operands(op: string, tensors: readonly TensorLike[]): Tensor[] {
  if (!Array.isArray(tensors) || tensors.length === 0) {
    throw invalid('ERR_ARGUMENT', op, 'tensors', 'an array of at least one tensor', tensors);
  }
  const list = (tensors as TensorLike[]).map((tensor, i) => convert(op, `tensors[${i}]`, tensor));
  for (const tensor of list) sameBackend(op, list[0]!, tensor);
  const dtype = list.reduce((widest, tensor) => promote(widest, tensor.dtype), list[0]!.dtype);
  return list.map((tensor) => cast(tensor, dtype));
}

/**
 * The tensors one behind the other along an axis.
 * @param tensors Tensors of one rank whose other axes are equal; different dtypes become the widest of them.
 * @param axis Default 0.
 */
export function concat<const T extends readonly TensorLike[], const A extends number = 0>(
  tensors: T,
  axis?: A,
): Tensor<ConcatShape<T, A>>;
export function concat(tensors: readonly TensorLike[], axis = 0): Tensor {
  const list = operands('concat', tensors);
  const first = list[0]!;
  const along = checkAxis('concat', 'axis', axis, first.rank);
  const others = (shape: Shape): number[] => shape.filter((_, i) => i !== along);
  list.forEach((tensor, i) => {
    if (tensor.rank === first.rank && sameShape(others(tensor.shape), others(first.shape))) return;
    const expected = `the shape of tensors[0], [${first.shape.join(',')}], except on axis ${along}`;
    throw invalid('ERR_SHAPE', 'concat', `tensors[${i}]`, expected, [...tensor.shape]);
  });
  return join(list, along);
}

function join(list: readonly Tensor[], axis: number): Tensor {
  const [first] = list as [Tensor];
  if (list.length === 1) return clone(first);
  if (list.length > MOST_INPUTS) {
    const groups: Tensor[] = [];
    for (let i = 0; i < list.length; i += MOST_INPUTS) groups.push(join(list.slice(i, i + MOST_INPUTS), axis));
    return join(groups, axis);
  }
  const sizes = list.map((tensor) => tensor.shape[axis]!);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const shape = first.shape.map((size, i) => (i === axis ? total : size));
  const y = makeOne(first.backend, CONCAT, list, shape, first.dtype, [axis]);
  return recordOne(y, list, (dy) => split(dy, sizes, axis));
}

/**
 * Tensors of one shape side by side along a new axis.
 * @param tensors Tensors of one shape; different dtypes become the widest of them.
 * @param axis Where the new axis goes (default 0); negative ones count from behind the last.
 */
export function stack(tensors: readonly TensorLike[], axis = 0): Tensor {
  const list = operands('stack', tensors);
  const first = list[0]!;
  const at = checkAxis('stack', 'axis', axis, first.rank + 1);
  list.forEach((tensor, i) => {
    if (sameShape(tensor.shape, first.shape)) return;
    const expected = `the shape of tensors[0], [${first.shape.join(',')}]`;
    throw invalid('ERR_SHAPE', 'stack', `tensors[${i}]`, expected, [...tensor.shape]);
  });
  return join(
    list.map((tensor) => expandDims(tensor, at)),
    at,
  );
}
