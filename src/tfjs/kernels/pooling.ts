// Pooling of images and of volumes, with gradients. A volume is pooled over its planes and then over its depth: maxima and
// means (every plane has as many cells inside the image) may be taken one after the other.
import * as tf from '@tensorflow/tfjs-core';
import type { AvgPool3DAttrs, AvgPool3DGradAttrs, AvgPoolAttrs, MaxPool3DAttrs } from '@tensorflow/tfjs-core';
import { NativeOp } from '../../tensor/backend.js';
import { makeOne, type Tensor } from '../../tensor/tensor.js';
import { sameShape, type Shape } from '../../tensor/shape.js';
import { cast } from '../../ops/cast.js';
import { isNaN } from '../../ops/elementwise.js';
import { where } from '../../ops/select.js';
import { reshape } from '../../ops/reshape.js';
import { kernel, type NativeKernel } from '../kernel.js';

const MAX = new NativeOp('maxPool');
const MAX_BACKWARD = new NativeOp('maxPool/backward');
const AVG = new NativeOp('avgPool');
const AVG_BACKWARD = new NativeOp('avgPool/backward');

/** A pooling as the native ops take it: the pooled shape, and window, strides and padding above and left. */
interface Windows {
  readonly shape: readonly number[];
  readonly params: readonly number[];
}

type PoolAttributes = Pick<AvgPoolAttrs, 'filterSize' | 'strides' | 'pad' | 'dimRoundingMode'>;

function windows2d(image: Shape, { filterSize, strides, pad, dimRoundingMode }: PoolAttributes): Windows {
  const info = tf.backend_util.computePool2DInfo(
    [...image] as [number, number, number, number],
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  return {
    shape: info.outShape,
    params: [
      info.filterHeight,
      info.filterWidth,
      info.strideHeight,
      info.strideWidth,
      info.padInfo.top,
      info.padInfo.left,
    ],
  };
}

function pool(op: NativeOp, x: Tensor, { shape, params }: Windows): Tensor {
  // tfjs takes windows of one cell for the identity wherever the shape stays.
  if (params[0] === 1 && params[1] === 1 && sameShape(shape, x.shape)) return x;
  const y = makeOne(x.backend, op, [x], shape, x.dtype, params);
  // The mean of a window that lies in the padding alone.
  const outside = params[4]! >= params[0]! || params[5]! >= params[1]!;
  return op === AVG && outside ? where(isNaN(y), 0, y) : y;
}
const maxGradient = (dy: Tensor, x: Tensor, y: Tensor, { params }: Windows): Tensor =>
  makeOne(x.backend, MAX_BACKWARD, [dy, x, y], x.shape, x.dtype, params);
const avgGradient = (dy: Tensor, shape: Shape, { params }: Windows): Tensor =>
  makeOne(dy.backend, AVG_BACKWARD, [dy], shape, dy.dtype, params);

/** A volume seen as the planes of a batch, and as columns of depth: both are images. */
interface Volume {
  readonly planes: readonly number[];
  readonly inPlane: Windows;
  readonly columns: readonly number[];
  readonly inDepth: Windows;
  readonly shape: readonly number[];
}

type Pool3dAttributes = Pick<MaxPool3DAttrs, 'filterSize' | 'strides' | 'pad' | 'dimRoundingMode'>;

function volume(x: Shape, { filterSize, strides, pad, dimRoundingMode }: Pool3dAttributes): Volume {
  const info = tf.backend_util.computePool3DInfo(
    [...x] as [number, number, number, number, number],
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  const { batchSize: n, inDepth, inHeight, inWidth, inChannels: c, outDepth, outHeight, outWidth } = info;
  const area = outHeight * outWidth;
  return {
    planes: [n * inDepth, inHeight, inWidth, c],
    inPlane: {
      shape: [n * inDepth, outHeight, outWidth, c],
      params: [
        info.filterHeight,
        info.filterWidth,
        info.strideHeight,
        info.strideWidth,
        info.padInfo.top,
        info.padInfo.left,
      ],
    },
    columns: [n, inDepth, area, c],
    inDepth: {
      shape: [n, outDepth, area, c],
      params: [info.filterDepth, 1, info.strideDepth, 1, info.padInfo.front, 0],
    },
    shape: [n, outDepth, outHeight, outWidth, c],
  };
}

function pool3d(op: NativeOp, x: Tensor, attributes: Pool3dAttributes): Tensor {
  const { planes, inPlane, columns, inDepth, shape } = volume(x.shape, attributes);
  const pooled = pool(op, reshape(cast(x, 'float32'), planes), inPlane);
  return reshape(pool(op, reshape(pooled, columns), inDepth), shape);
}

function maxGradient3d(dy: Tensor, x: Tensor, attributes: Pool3dAttributes): Tensor {
  const { planes, inPlane, columns, inDepth } = volume(x.shape, attributes);
  const flat = reshape(x, planes);
  const pooled = pool(MAX, flat, inPlane);
  const deep = reshape(pooled, columns);
  const upstream = maxGradient(reshape(dy, inDepth.shape), deep, pool(MAX, deep, inDepth), inDepth);
  return reshape(maxGradient(reshape(upstream, inPlane.shape), flat, pooled, inPlane), x.shape);
}

function avgGradient3d(dy: Tensor, shape: Shape, attributes: Pool3dAttributes): Tensor {
  const { planes, inPlane, columns, inDepth } = volume(shape, attributes);
  const upstream = avgGradient(reshape(dy, inDepth.shape), columns, inDepth);
  return reshape(avgGradient(reshape(upstream, inPlane.shape), planes, inPlane), shape);
}

export const poolingKernels: readonly NativeKernel[] = [
  kernel<PoolAttributes>(tf.MaxPool, ({ x }, attributes) => pool(MAX, x!, windows2d(x!.shape, attributes))),
  kernel<PoolAttributes>(tf.MaxPoolGrad, ({ dy, input, output }, attributes) =>
    maxGradient(dy!, input!, output!, windows2d(input!.shape, attributes)),
  ),
  kernel<PoolAttributes>(tf.AvgPool, ({ x }, attributes) =>
    pool(AVG, cast(x!, 'float32'), windows2d(x!.shape, attributes)),
  ),
  kernel<PoolAttributes>(tf.AvgPoolGrad, ({ dy, input }, attributes) =>
    avgGradient(dy!, input!.shape, windows2d(input!.shape, attributes)),
  ),
  kernel<MaxPool3DAttrs>(tf.MaxPool3D, ({ x }, attributes) => pool3d(MAX, x!, attributes)),
  kernel<MaxPool3DAttrs>(tf.MaxPool3DGrad, ({ dy, input }, attributes) => maxGradient3d(dy!, input!, attributes)),
  kernel<AvgPool3DAttrs>(tf.AvgPool3D, ({ x }, attributes) => pool3d(AVG, x!, attributes)),
  kernel<AvgPool3DGradAttrs>(tf.AvgPool3DGrad, ({ dy, input }, attributes) =>
    avgGradient3d(dy!, input!.shape, attributes),
  ),
];
