// Images resized by interpolation, and the gradients: gathers along each axis and, backwards, sums by the same indices.
import * as tf from '@tensorflow/tfjs-core';
import type { ResizeBilinearAttrs } from '@tensorflow/tfjs-core';
import { fromValues } from '../../tensor/convert.js';
import type { Shape } from '../../tensor/shape.js';
import type { Tensor } from '../../tensor/tensor.js';
import { add, mul, sub } from '../../ops/arithmetic.js';
import { cast } from '../../ops/cast.js';
import { gather, scatterAdd } from '../../ops/gather.js';
import { kernel, type NativeKernel } from '../kernel.js';

/** How positions of the result lie in the image. */
type Alignment = Pick<ResizeBilinearAttrs, 'alignCorners' | 'halfPixelCenters'>;

/** Where the result's positions along an axis come from: the two neighbours and the share of the upper one. */
interface Samples {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly share: Float32Array;
}

const ratio = (from: number, to: number, { alignCorners }: Alignment): number =>
  alignCorners && to > 1 ? (from - 1) / (to - 1) : from / to;

function bilinearSamples(from: number, to: number, alignment: Alignment): Samples {
  const step = ratio(from, to, alignment);
  const low = new Int32Array(to);
  const high = new Int32Array(to);
  const share = new Float32Array(to);
  for (let i = 0; i < to; i++) {
    const place = alignment.halfPixelCenters ? step * (i + 0.5) - 0.5 : step * i;
    low[i] = Math.max(0, Math.floor(place));
    high[i] = Math.min(from - 1, Math.ceil(place));
    share[i] = place - low[i]!;
  }
  return { low, high, share };
}

function nearestSamples(from: number, to: number, alignment: Alignment): Int32Array {
  const step = ratio(from, to, alignment);
  return Int32Array.from({ length: to }, (_, i) => {
    const place = alignment.halfPixelCenters ? step * (i + 0.5) : step * i;
    return Math.min(from - 1, Math.max(0, alignment.alignCorners ? Math.round(place) : Math.floor(place)));
  });
}

const indices = (like: Tensor, places: Int32Array): Tensor =>
  fromValues('resize', like.backend, places, [places.length], 'int32');

/** Shares along an image axis, shaped to broadcast over the other ones. */
const along = (like: Tensor, share: Float32Array, axis: number): Tensor =>
  fromValues('resize', like.backend, share, axis === 1 ? [share.length, 1, 1] : [share.length, 1], 'float32');

function interpolate(x: Tensor, axis: number, to: number, alignment: Alignment): Tensor {
  const { low, high, share } = bilinearSamples(x.shape[axis]!, to, alignment);
  const below = gather(x, indices(x, low), axis);
  const above = gather(x, indices(x, high), axis);
  return add(below, mul(sub(above, below), along(x, share, axis)));
}

/** The gradient of `interpolate` by an image with `from` positions along the axis. */
function spread(dy: Tensor, axis: number, from: number, alignment: Alignment): Tensor {
  const { low, high, share } = bilinearSamples(from, dy.shape[axis]!, alignment);
  const shape = dy.shape.map((size, i) => (i === axis ? from : size));
  const upper = mul(dy, along(dy, share, axis));
  return add(
    scatterAdd(sub(dy, upper), indices(dy, low), shape, axis, 0),
    scatterAdd(upper, indices(dy, high), shape, axis, 0),
  );
}

function pick(x: Tensor, axis: number, to: number, alignment: Alignment): Tensor {
  return gather(x, indices(x, nearestSamples(x.shape[axis]!, to, alignment)), axis);
}

function unpick(dy: Tensor, axis: number, from: number, alignment: Alignment): Tensor {
  const shape: Shape = dy.shape.map((size, i) => (i === axis ? from : size));
  return scatterAdd(dy, indices(dy, nearestSamples(from, dy.shape[axis]!, alignment)), shape, axis, 0);
}

export const resizingKernels: readonly NativeKernel[] = [
  kernel<ResizeBilinearAttrs>(tf.ResizeBilinear, ({ images }, attributes) => {
    const [height, width] = attributes.size;
    return interpolate(interpolate(cast(images!, 'float32'), 2, width, attributes), 1, height, attributes);
  }),
  kernel<ResizeBilinearAttrs>(tf.ResizeBilinearGrad, ({ images, dy }, attributes) => {
    const [, height, width] = images!.shape as [number, number, number];
    return spread(spread(dy!, 1, height, attributes), 2, width, attributes);
  }),
  kernel<ResizeBilinearAttrs>(tf.ResizeNearestNeighbor, ({ images }, attributes) => {
    const [height, width] = attributes.size;
    return pick(pick(images!, 1, height, attributes), 2, width, attributes);
  }),
  kernel<ResizeBilinearAttrs>(tf.ResizeNearestNeighborGrad, ({ images, dy }, attributes) => {
    const [, height, width] = images!.shape as [number, number, number];
    return unpick(unpick(dy!, 1, height, attributes), 2, width, attributes);
  }),
];
