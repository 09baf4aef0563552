// Picking slices by index and its gradient, which adds them up again; oneHot.
import { invalid } from '../errors.js';
import { NativeOp } from '../tensor/backend.js';
import { castRaw, convert, fromValues, sameBackend, type TensorLike } from '../tensor/convert.js';
import { currentBackend } from '../tensor/device.js';
import { DTYPES, DTYPE_BYTES, isDType, type DType } from '../tensor/dtype.js';
import { checkAxis, sameShape, type Shape } from '../tensor/shape.js';
import { makeOne, Tensor } from '../tensor/tensor.js';
import { cast } from './cast.js';
import { recordOne } from './define.js';
import { reshape } from './reshape.js';

const GATHER = new NativeOp('gather');
const GATHER_SUM = new NativeOp('gatherSum');
const SCATTER_ADD = new NativeOp('scatterAdd');
const ONE_HOT = new NativeOp('oneHot');

/** Positions as an int32 tensor: fractions are refused, wherever they come from. */
export function indexOperand(op: string, value: TensorLike, like?: Tensor): Tensor {
  if (value instanceof Tensor) {
    value.assertLive(op, 'indices');
    if (value.dtype === 'int32' || value.dtype === 'uint8') return castRaw(value, 'int32');
    throw invalid('ERR_DTYPE', op, 'indices', 'an int32 tensor', value.dtype, "use cast('int32')");
  }
  const flat: unknown[] = Array.isArray(value)
    ? value.flat(Infinity)
    : ArrayBuffer.isView(value)
      ? Array.from(value as ArrayLike<number>)
      : [value];
  const wrong: unknown = flat.find((one) => !Number.isInteger(one));
  if (wrong !== undefined) throw invalid('ERR_DTYPE', op, 'indices', 'integers', wrong);
  return fromValues(op, like?.backend ?? currentBackend(), value, undefined, 'int32');
}

/**
 * Slices of x picked by index along an axis.
 *
 * An index outside the axis cannot be refused without waiting for the device: its slice is NaN (0 in integer and bool
 * tensors), and it has no gradient. The gradient adds the slices of repeated indices in their order.
 * @param x A tensor of at least rank 1.
 * @param indices int32 positions along the axis, of any shape.
 * @param axis Default 0.
 * @param batchDims Leading axes that x and indices share, index by index (default 0); at most `axis`.
 * @returns Shape `[...x.shape before axis, ...indices.shape without the batch, ...x.shape behind axis]`.
 */
export function gather(x: TensorLike, indices: TensorLike, axis = 0, batchDims = 0): Tensor {
  const input = convert('gather', 'x', x);
  if (input.rank === 0) throw invalid('ERR_SHAPE', 'gather', 'x', 'a rank of at least 1', []);
  const picks = indexOperand('gather', indices, input);
  sameBackend('gather', input, picks);
  const along = checkAxis('gather', 'axis', axis, input.rank);
  if (!Number.isInteger(batchDims) || batchDims < -picks.rank || batchDims > picks.rank) {
    throw invalid('ERR_ARGUMENT', 'gather', 'batchDims', `an integer in [${-picks.rank}, ${picks.rank}]`, batchDims);
  }
  const batch = batchDims < 0 ? batchDims + picks.rank : batchDims;
  if (batch > along) throw invalid('ERR_ARGUMENT', 'gather', 'batchDims', `at most the axis, ${along}`, batchDims);
  if (!sameShape(picks.shape.slice(0, batch), input.shape.slice(0, batch))) {
    const expected = `batch axes as x's, [${input.shape.slice(0, batch).join(',')}]`;
    throw invalid('ERR_SHAPE', 'gather', 'indices', expected, [...picks.shape]);
  }
  return pick(input, picks, along, batch);
}

function pick(x: Tensor, indices: Tensor, axis: number, batch: number): Tensor {
  const shape = [...x.shape.slice(0, axis), ...indices.shape.slice(batch), ...x.shape.slice(axis + 1)];
  if (shape.length > 8) throw invalid('ERR_SHAPE', 'gather', 'indices', 'a result of rank 8 at most', shape);
  const y = makeOne(x.backend, GATHER, [x, indices], shape, x.dtype, [axis, batch]);
  return recordOne(y, [x], (dy) => [scatterAdd(dy, indices, x.shape, axis, batch)]);
}

/**
 * Sums of rows picked by index, a bag of words each, in one pass: gather(table, indices).sum(-2) without its slices in memory.
 * @param table A float tensor [rows, columns].
 * @param indices An int32 tensor [..., picks]; an index outside the table makes its sum NaN, and has no gradient.
 * @returns [..., columns].
 */
export function gatherSum(table: Tensor, indices: Tensor): Tensor {
  const shape = [...indices.shape.slice(0, -1), table.shape[1]!];
  const y = makeOne(table.backend, GATHER_SUM, [table, indices], shape, table.dtype);
  return recordOne(y, [table], (dy) => {
    const updates = reshape(dy, [-1, table.shape[1]!]);
    return [scatterAdd(updates, reshape(indices, [-1]), table.shape, 0, 0, indices.shape.at(-1))];
  });
}

/**
 * The transpose of gather: zeros of `shape` with every slice of `updates` added at its index, in the order of indices.
 * @param shared How many neighbouring indices share a slice (default 1): the transpose of gatherSum.
 */
export function scatterAdd(
  updates: Tensor,
  indices: Tensor,
  shape: Shape,
  axis: number,
  batch: number,
  shared = 1,
): Tensor {
  // Many small terms would be lost in a half-precision sum.
  if (DTYPE_BYTES[updates.dtype] === 2) {
    return cast(scatterAdd(cast(updates, 'float32'), indices, shape, axis, batch, shared), updates.dtype);
  }
  const y = makeOne(updates.backend, SCATTER_ADD, [updates, indices], shape, updates.dtype, [axis, batch, shared]);
  return recordOne(y, [updates], (dy) => [
    shared === 1 ? pick(dy, indices, axis, batch) : gatherSum(dy, reshape(indices, [updates.shape[0]!, shared])),
  ]);
}

/**
 * A new last axis of `depth` that is `onValue` at the index and `offValue` elsewhere; everywhere, if the index is outside.
 * @param indices int32 positions, of any shape.
 * @param dtype Default int32.
 */
export function oneHot(indices: TensorLike, depth: number, onValue = 1, offValue = 0, dtype: DType = 'int32'): Tensor {
  const picks = indexOperand('oneHot', indices);
  if (!Number.isInteger(depth) || depth < 2) {
    throw invalid('ERR_ARGUMENT', 'oneHot', 'depth', 'an integer of at least 2', depth);
  }
  if (!isDType(dtype)) throw invalid('ERR_DTYPE', 'oneHot', 'dtype', `one of ${DTYPES.join(', ')}`, dtype);
  if (picks.rank === 8) throw invalid('ERR_SHAPE', 'oneHot', 'indices', 'a rank of at most 7', [...picks.shape]);
  return makeOne(picks.backend, ONE_HOT, [picks], [...picks.shape, depth], dtype, [onValue, offValue]);
}
