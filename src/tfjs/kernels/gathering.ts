// Picking and adding by index: gather, scatter, one-hot, counts and sums of segments.
import * as tf from '@tensorflow/tfjs-core';
import type {
  BincountAttrs,
  DenseBincountAttrs,
  GatherV2Attrs,
  MultinomialAttrs,
  OneHotAttrs,
  ScatterNdAttrs,
  UnsortedSegmentSumAttrs,
} from '@tensorflow/tfjs-core';
import { NativeOp } from '../../tensor/backend.js';
import { fromValues } from '../../tensor/convert.js';
import type { DType } from '../../tensor/dtype.js';
import { sizeOf, type Shape } from '../../tensor/shape.js';
import { withStamp } from '../../tensor/random-state.js';
import { makeOne, type Tensor } from '../../tensor/tensor.js';
import { add, mul } from '../../ops/arithmetic.js';
import { broadcastTo } from '../../ops/broadcast.js';
import { cast } from '../../ops/cast.js';
import { greaterEqual, less, logicalAnd } from '../../ops/comparison.js';
import { gather, scatterAdd } from '../../ops/gather.js';
import { range } from '../../ops/ranges.js';
import { sum } from '../../ops/reductions.js';
import { reshape } from '../../ops/reshape.js';
import { cumsum } from '../../ops/scan.js';
import { where } from '../../ops/select.js';
import { slice } from '../../ops/slice.js';
import { softmax } from '../../ops/softmax.js';
import { kernel, type NativeKernel } from '../kernel.js';

const ONE_HOT = new NativeOp('oneHot');
const UNIFORM = new NativeOp('random_uniform');

/** Sums by index in the dtype of `updates`: whole numbers are added in float64, which holds them all. */
function scatter(updates: Tensor, indices: Tensor, shape: Shape): Tensor {
  const dtype: DType = updates.dtype === 'float32' ? 'float32' : 'float64';
  return cast(scatterAdd(cast(updates, dtype), indices, shape, 0, 0), updates.dtype);
}

/** Positions along the first axes of a tensor, one tuple a row, as positions in those axes laid flat. */
function flatPositions(tuples: Tensor, shape: Shape): Tensor {
  const depth = tuples.shape[tuples.rank - 1]!;
  const steps = Array.from({ length: depth }, (_, axis) => sizeOf(shape.slice(axis + 1, depth)));
  const strides = fromValues('gatherNd', tuples.backend, Int32Array.from(steps), [depth], 'int32');
  const positions = sum(mul(cast(tuples, 'int32'), strides), -1);
  // A coordinate outside its own axis may be a place inside the whole: it is none.
  const sizes = fromValues('gatherNd', tuples.backend, Int32Array.from(shape.slice(0, depth)), [depth], 'int32');
  const inside = logicalAnd(greaterEqual(tuples, 0), less(tuples, sizes));
  return where(greaterEqual(sum(cast(inside, 'int32'), -1), depth), positions, -1);
}

function gatherNd(params: Tensor, indices: Tensor): Tensor {
  const [shape, , inner] = tf.backend_util.prepareAndValidate(
    { shape: [...params.shape], rank: params.rank } as tf.Tensor,
    { shape: [...indices.shape], rank: indices.rank, dtype: 'int32' } as tf.Tensor,
  );
  const depth = indices.shape[indices.rank - 1]!;
  const rows = sizeOf(indices.shape.slice(0, -1));
  const flat = reshape(params, [sizeOf(params.shape.slice(0, depth)), inner]);
  const positions = reshape(flatPositions(indices, params.shape), [rows]);
  const picked = gather(flat, positions);
  return reshape(picked, shape);
}

function scatterNd(indices: Tensor, updates: Tensor, shape: Shape): Tensor {
  const { sliceRank, numUpdates, sliceSize, outputSize } = tf.backend_util.calculateShapes(
    { shape: [...updates.shape] } as tf.TensorInfo,
    { shape: [...indices.shape] } as tf.TensorInfo,
    [...shape],
  );
  const tuples = reshape(indices, [numUpdates, sliceRank]);
  const rows = sliceSize === 0 ? 0 : outputSize / sliceSize;
  const sums = scatter(reshape(updates, [numUpdates, sliceSize]), flatPositions(tuples, shape), [rows, sliceSize]);
  return reshape(sums, shape);
}

function segmentSum(x: Tensor, segments: Tensor, count: number): Tensor {
  const inner = x.shape.slice(segments.rank);
  const rows = reshape(x, [segments.size, sizeOf(inner)]);
  return reshape(scatter(rows, reshape(segments, [segments.size]), [count, sizeOf(inner)]), [count, ...inner]);
}

/** Counts of whole numbers below `size`, or sums of their weights. */
function count(x: Tensor, weights: Tensor, size: number): Tensor {
  const given =
    weights.size === 0 ? cast(broadcastTo(fromValues('bincount', x.backend, 1), x.shape), weights.dtype) : weights;
  return scatter(reshape(given, [x.size]), reshape(cast(x, 'int32'), [x.size]), [size]);
}

/** The same for every row; with `binary` only whether a number is there. */
function countRows(x: Tensor, weights: Tensor, size: number, binary: boolean): Tensor {
  const [rows, columns] = x.shape as [number, number];
  const whole = cast(x, 'int32');
  const valid = logicalAnd(greaterEqual(whole, 0), less(whole, size));
  const first = reshape(mul(cast(range(0, rows, 1, 'int32'), 'int32'), size), [rows, 1]);
  const places = where(valid, add(whole, first), -1);
  const flat = count(
    reshape(places, [rows * columns]),
    binary ? slice(reshape(weights, [weights.size]), [0], [0]) : weights,
    rows * size,
  );
  const counts = reshape(flat, [rows, size]);
  return binary ? cast(cast(counts, 'bool'), weights.dtype) : counts;
}

/** Draws of each row's distribution: how many of the summed probabilities a uniform number has passed. */
function multinomial(logits: Tensor, { numSamples, seed, normalized }: MultinomialAttrs): Tensor {
  const probabilities = normalized ? logits : softmax(logits);
  const [rows, events] = probabilities.shape as [number, number];
  const limits = reshape(slice(cumsum(probabilities, 1), [0, 0], [rows, events - 1]), [rows, 1, events - 1]);
  const whole = Math.floor(Math.abs(seed) * 2 ** 32);
  return withStamp('multinomial', logits.backend, whole % 2 ** 52, (stamp) => {
    const draws = makeOne(logits.backend, UNIFORM, [stamp], [rows, numSamples, 1], 'float32', [0, 1]);
    return sum(cast(greaterEqual(draws, limits), 'int32'), 2);
  });
}

export const gatheringKernels: readonly NativeKernel[] = [
  kernel<GatherV2Attrs>(tf.GatherV2, ({ x, indices }, { axis, batchDims }) => {
    const [along] = tf.util.parseAxisParam(axis, [...x!.shape]);
    tf.backend_util.segment_util.collectGatherOpShapeInfo(
      { shape: [...x!.shape], rank: x!.rank } as unknown as tf.TensorInfo,
      { shape: [...indices!.shape], rank: indices!.rank } as unknown as tf.TensorInfo,
      along!,
      batchDims,
    );
    return gather(x!, cast(indices!, 'int32'), axis, batchDims);
  }),
  kernel(tf.GatherNd, ({ params, indices }) => gatherNd(params!, indices!)),
  kernel<ScatterNdAttrs>(tf.ScatterNd, ({ indices, updates }, { shape }) => scatterNd(indices!, updates!, shape)),
  kernel<UnsortedSegmentSumAttrs>(tf.UnsortedSegmentSum, ({ x, segmentIds }, { numSegments }) =>
    segmentSum(x!, cast(segmentIds!, 'int32'), numSegments),
  ),
  kernel<BincountAttrs>(tf.Bincount, ({ x, weights }, { size }) => count(x!, weights!, size)),
  kernel<DenseBincountAttrs>(tf.DenseBincount, ({ x, weights }, { size, binaryOutput }) =>
    x!.rank === 1 ? count(x!, weights!, size) : countRows(x!, weights!, size, binaryOutput ?? false),
  ),
  kernel<OneHotAttrs>(tf.OneHot, ({ indices }, { dtype, depth, onValue, offValue }) =>
    makeOne(
      indices!.backend,
      ONE_HOT,
      [cast(indices!, 'int32')],
      [...indices!.shape, depth],
      dtype as 'float32' | 'int32' | 'bool',
      [onValue, offValue],
    ),
  ),
  kernel<MultinomialAttrs>(tf.Multinomial, ({ logits }, attributes) => multinomial(logits!, attributes)),
];
