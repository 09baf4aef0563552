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

const GATHER = new NativeOp('gather');
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

/** The transpose of gather: zeros of `shape` with every slice of `updates` added at its index, in the order of indices. */
export function scatterAdd(updates: Tensor, indices: Tensor, shape: Shape, axis: number, batch: number): Tensor {
  // Many small terms would be lost in a half-precision sum.
  if (DTYPE_BYTES[updates.dtype] === 2) {
    return cast(scatterAdd(cast(updates, 'float32'), indices, shape, axis, batch), updates.dtype);
  }
  const y = makeOne(updates.backend, SCATTER_ADD, [updates, indices], shape, updates.dtype, [axis, batch]);
  return recordOne(y, [updates], (dy) => [pick(dy, indices, axis, batch)]);
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
