// x * scale + offset as a float dtype, rounded once; alone, or in the same pass as a gather of rows. What makes a batch of a
// data set that stays on its device in a compact dtype.
import { NativeOp } from '../tensor/backend.js';
import { isFloat, type DType } from '../tensor/dtype.js';
import { makeOne, type Tensor } from '../tensor/tensor.js';
import { recordOne } from './define.js';
import { gather } from './gather.js';

const RESCALE = new NativeOp('rescale');
const GATHER_RESCALED = new NativeOp('gatherRescaled');

/** A factor, and what is added behind it. */
export interface LinearMap {
  readonly scale: number;
  readonly offset: number;
}

/**
 * x * scale + offset, in float64 and rounded once to `dtype`: with 1/255 a byte becomes the float next to byte / 255.
 * @param x Of any dtype; only a float has a gradient.
 */
export function rescale(x: Tensor, { scale, offset }: LinearMap, dtype: DType): Tensor {
  const y = makeOne(x.backend, RESCALE, [x], x.shape, dtype, [scale, offset]);
  return isFloat(x.dtype) ? recordOne(y, [x], (dy) => [rescale(dy, { scale, offset: 0 }, x.dtype)]) : y;
}

const SOURCES: ReadonlySet<DType> = new Set(['uint8', 'bool', 'int32', 'float32']);
const RESULTS: ReadonlySet<DType> = new Set(['float32', 'float16', 'bfloat16']);

/**
 * Rows of x, rescaled: one pass for the dtypes that data sets and batches have. Not differentiated.
 * @param picks int32; a row that is not there is NaN.
 */
export function gatherRescaled(x: Tensor, picks: Tensor, map: LinearMap, dtype: DType): Tensor {
  if (!SOURCES.has(x.dtype) || !RESULTS.has(dtype)) return rescale(gather(x, picks), map, dtype);
  const shape = [...picks.shape, ...x.shape.slice(1)];
  return makeOne(x.backend, GATHER_RESCALED, [x, picks], shape, dtype, [map.scale, map.offset]);
}
