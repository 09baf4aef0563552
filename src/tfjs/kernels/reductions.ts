// Reductions, cumulative sums, the largest k, softmax. tfjs gives axes as it got them: negative, single or none for all.
import * as tf from '@tensorflow/tfjs-core';
import type { CumsumAttrs, SoftmaxAttrs, SumAttrs, TopKAttrs } from '@tensorflow/tfjs-core';
import { NativeOp } from '../../tensor/backend.js';
import { makeOne, type Tensor } from '../../tensor/tensor.js';
import { isFloat } from '../../tensor/dtype.js';
import { cast } from '../../ops/cast.js';
import { isNaN } from '../../ops/elementwise.js';
import { where } from '../../ops/select.js';
import { all, any, argMax, argMin, max, mean, min, prod } from '../../ops/reductions.js';
import { cumsum } from '../../ops/scan.js';
import { softmax } from '../../ops/softmax.js';
import { topk } from '../../ops/topk.js';
import { kernel, type NativeKernel } from '../kernel.js';

/** What tfjs calls axes: Max has a name of its own for them. */
interface AxisAttributes {
  readonly axis?: number | number[] | null;
  readonly reductionIndices?: number | number[] | null;
  readonly keepDims?: boolean;
}

type Reduce = (x: Tensor, axes: number | number[] | null, keepDims: boolean) => Tensor;

/** An axis that is named twice counts once. */
function once(axis: number | number[] | null | undefined, rank: number): number | number[] | null {
  if (!Array.isArray(axis)) return axis ?? null;
  return [...new Set(axis.map((one) => (one < 0 ? one + rank : one)))];
}

function reduction(name: string, reduce: Reduce): NativeKernel {
  return kernel<AxisAttributes>(name, ({ x }, { axis, reductionIndices, keepDims }) =>
    reduce(x!, once(axis ?? reductionIndices, x!.rank), keepDims ?? false),
  );
}

/** The place of an extreme element along one axis; the first of several. */
function place(name: string, least: number, find: (x: Tensor, axis: number) => Tensor): NativeKernel {
  return kernel<AxisAttributes>(name, ({ x }, { axis }) => {
    const [only] = Array.isArray(axis) ? axis : [axis ?? 0];
    // NaN is never the extreme, as in tfjs.
    const known = isFloat(x!.dtype) ? where(isNaN(x!), least, x!) : x!;
    return find(known, only ?? 0);
  });
}

const SUM = new NativeOp('sum');

/** Sum over last axes or all: the one that gradients and losses take most. */
const sumKernel: NativeKernel = {
  name: tf.Sum,
  run: ({ x }, attributes, backend) => {
    const { axis, keepDims } = attributes as unknown as SumAttrs;
    const given = backend.tensor(x!);
    const { shape, rank } = given;
    const axes = tf.util.parseAxisParam(axis, [...shape]);
    const kept: number[] = [];
    for (let i = 0; i < rank; i++) {
      if (!axes.includes(i)) kept.push(shape[i]!);
      else if (keepDims) kept.push(1);
    }
    const dtype = given.dtype === 'float32' ? 'float32' : 'int32';
    return backend.wrap(makeOne(given.backend, SUM, [given], kept, dtype, [...new Set(axes)]));
  },
};

const topKKernel: NativeKernel = {
  name: tf.TopK,
  run: ({ x }, attributes, backend) => {
    const { k, sorted } = attributes as TopKAttrs;
    const given = backend.tensor(x!);
    const { values, indices } = topk(given, k, sorted);
    return [backend.wrap(values), backend.wrap(indices)];
  },
};

export const reductionKernels: readonly NativeKernel[] = [
  sumKernel,
  reduction(tf.Mean, (x, axes, keepDims) => mean(x, axes, keepDims)),
  reduction(tf.Max, (x, axes, keepDims) => cast(max(x, axes, keepDims), x.dtype)),
  reduction(tf.Min, (x, axes, keepDims) => cast(min(x, axes, keepDims), x.dtype)),
  reduction(tf.Prod, (x, axes, keepDims) => prod(x, axes, keepDims)),
  reduction(tf.All, (x, axes, keepDims) => all(cast(x, 'bool'), axes, keepDims)),
  reduction(tf.Any, (x, axes, keepDims) => any(cast(x, 'bool'), axes, keepDims)),
  place(tf.ArgMax, -Infinity, (x, axis) => argMax(x, axis)),
  place(tf.ArgMin, Infinity, (x, axis) => argMin(x, axis)),
  kernel<CumsumAttrs>(tf.Cumsum, ({ x }, { axis, exclusive, reverse }) => cumsum(x!, axis, exclusive, reverse)),
  kernel<SoftmaxAttrs>(tf.Softmax, ({ logits }, { dim }) => softmax(logits!, dim)),
  topKKernel,
];
