// Cutting out boxes and framing them: slice and pad, each the other's gradient; split and unstack in terms of slice.
import { invalid } from '../errors.js';
import { NativeOp } from '../tensor/backend.js';
import { convert, type TensorLike } from '../tensor/convert.js';
import { checkAxis, checkShape, sameShape, sizeOf, type Shape } from '../tensor/shape.js';
import { makeOne, makeView, type Tensor } from '../tensor/tensor.js';
import { recordOne } from './define.js';
import { clone, reshape } from './reshape.js';
import { stridedCopy, stridesOf } from './strided-copy.js';

const PAD = new NativeOp('pad');

/** The box of `size` from `begin` on, both checked. A box that is contiguous in x shares its memory. */
function box(x: Tensor, begin: readonly number[], size: Shape): Tensor {
  if (sameShape(size, x.shape)) return clone(x);
  const strides = stridesOf(x.shape);
  const offset = begin.reduce((sum, at, axis) => sum + at * strides[axis]!, 0);
  // Behind the first axis that is longer than 1 a contiguous box takes every axis whole.
  const first = size.findIndex((n) => n !== 1);
  const contiguous = size.every((n, axis) => first < 0 || axis <= first || n === x.shape[axis]);
  const y = contiguous && sizeOf(size) > 0 ? makeView(x, size, offset) : stridedCopy(x, size, strides, offset);
  return recordOne(y, [x], (dy) => [frame(dy, begin, x.shape, 0)]);
}

/** x at `before` inside a tensor of `shape` that is `value` elsewhere. */
function frame(x: Tensor, before: readonly number[], shape: Shape, value: number): Tensor {
  if (sameShape(shape, x.shape)) return clone(x);
  const y = makeOne(x.backend, PAD, [x], shape, x.dtype, [value, ...before]);
  return recordOne(y, [x], (dy) => [box(dy, before, x.shape)]);
}

function perAxis(argument: string, given: unknown, rank: number, rest: number): number[] {
  const list: unknown[] = Array.isArray(given) ? given : [given];
  if (list.length > rank || !list.every((n) => Number.isInteger(n))) {
    throw invalid('ERR_ARGUMENT', 'slice', argument, `at most ${rank} integers, one for each axis of x`, given);
  }
  return [...(list as number[]), ...new Array<number>(rank - list.length).fill(rest)];
}

/**
 * The part of x from `begin` on. A part that is contiguous in memory, as a slice of the first axis, shares x's memory.
 * @param x A tensor of at least rank 1.
 * @param begin First position on each axis; a number is for the first axis; 0 on axes that are left out.
 * @param size Elements on each axis; -1, or left out: to the end.
 */
export function slice(x: TensorLike, begin: number | readonly number[], size?: number | readonly number[]): Tensor {
  const input = convert('slice', 'x', x);
  if (input.rank === 0) throw invalid('ERR_SHAPE', 'slice', 'x', 'a rank of at least 1', []);
  const from = perAxis('begin', begin, input.rank, 0);
  const sizes = perAxis('size', size ?? [], input.rank, -1).map((n, axis) =>
    n === -1 ? input.shape[axis]! - from[axis]! : n,
  );
  from.forEach((at, axis) => {
    const n = sizes[axis]!;
    if (at < 0 || n < 0 || at + n > input.shape[axis]!) {
      const expected = `begin + size within the ${input.shape[axis]!} elements of axis ${axis}`;
      throw invalid('ERR_ARGUMENT', 'slice', 'begin, size', expected, `begin ${at}, size ${n}`);
    }
  });
  return box(input, from, sizes);
}

/**
 * x inside a margin of one value.
 * @param x Any tensor.
 * @param paddings For each axis [elements before, elements behind].
 * @param constantValue The margin's value (default 0), converted to x's dtype.
 */
export function pad(x: TensorLike, paddings: readonly (readonly [number, number])[], constantValue = 0): Tensor {
  const input = convert('pad', 'x', x);
  const isPair = (pair: unknown): boolean =>
    Array.isArray(pair) && pair.length === 2 && pair.every((n) => Number.isInteger(n) && (n as number) >= 0);
  if (!Array.isArray(paddings) || paddings.length !== input.rank || !paddings.every(isPair)) {
    const expected = `${input.rank} pairs [before, behind] of integers of at least 0, one for each axis of x`;
    throw invalid('ERR_ARGUMENT', 'pad', 'paddings', expected, paddings);
  }
  if (typeof constantValue !== 'number')
    throw invalid('ERR_ARGUMENT', 'pad', 'constantValue', 'a number', constantValue);
  const pairs: readonly (readonly [number, number])[] = paddings;
  const shape = input.shape.map((size, axis) => size + pairs[axis]![0] + pairs[axis]![1]);
  checkShape('pad', 'paddings', shape);
  return frame(
    input,
    pairs.map(([before]) => before),
    shape,
    constantValue,
  );
}

/**
 * x cut along an axis.
 * @param x A tensor of at least rank 1.
 * @param numOrSizeSplits A number of equal parts, or the sizes of the parts; one size may be -1 and is worked out.
 * @param axis Default 0.
 */
export function split(x: TensorLike, numOrSizeSplits: number | readonly number[], axis = 0): Tensor[] {
  const input = convert('split', 'x', x);
  const along = checkAxis('split', 'axis', axis, input.rank);
  let start = 0;
  return partSizes(numOrSizeSplits, input.shape[along]!).map((length) => {
    const begin = input.shape.map((_, i) => (i === along ? start : 0));
    start += length;
    return box(
      input,
      begin,
      input.shape.map((size, i) => (i === along ? length : size)),
    );
  });
}

function partSizes(given: unknown, total: number): number[] {
  if (Array.isArray(given)) {
    const sizes = given as number[];
    const known = sizes.reduce((sum, size) => (size === -1 ? sum : sum + size), 0);
    const unknown = sizes.filter((size) => size === -1).length;
    const whole = sizes.every((size) => Number.isInteger(size) && size >= -1);
    if (!whole || unknown > 1 || (unknown === 0 ? known !== total : known > total)) {
      throw invalid('ERR_ARGUMENT', 'split', 'numOrSizeSplits', `sizes that add up to ${total}`, given);
    }
    return sizes.map((size) => (size === -1 ? total - known : size));
  }
  const parts = given as number;
  if (!Number.isInteger(parts) || parts < 1 || total % parts !== 0) {
    throw invalid('ERR_ARGUMENT', 'split', 'numOrSizeSplits', `a number of parts that divides ${total}`, given);
  }
  return new Array<number>(parts).fill(total / parts);
}

/** The slices of x along an axis (default 0), each without that axis. */
export function unstack(x: TensorLike, axis = 0): Tensor[] {
  const input = convert('unstack', 'x', x);
  const along = checkAxis('unstack', 'axis', axis, input.rank);
  const shape = input.shape.filter((_, i) => i !== along);
  if (input.shape[along] === 0) return [];
  return split(input, input.shape[along]!, along).map((part) => reshape(part, shape));
}
