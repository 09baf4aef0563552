// Convolutions of volumes: the sum, over the filter's depth, of convolutions of planes.
import * as tf from '@tensorflow/tfjs-core';
import type { Conv3DAttrs, Conv3DBackpropFilterV2Attrs, Conv3DBackpropInputV2Attrs } from '@tensorflow/tfjs-core';
import { NativeOp } from '../../tensor/backend.js';
import { fromValues } from '../../tensor/convert.js';
import { makeOne, type Tensor } from '../../tensor/tensor.js';
import type { Shape } from '../../tensor/shape.js';
import { add } from '../../ops/arithmetic.js';
import { cast } from '../../ops/cast.js';
import { gather, scatterAdd } from '../../ops/gather.js';
import { stack } from '../../ops/join.js';
import { reshape } from '../../ops/reshape.js';
import { pad, slice } from '../../ops/slice.js';
import { kernel, type NativeKernel } from '../kernel.js';

const FORWARD = new NativeOp('conv2d');
const BACKWARD_INPUT = new NativeOp('conv2d/backwardInput');
const BACKWARD_FILTER = new NativeOp('conv2d/backwardFilter');

type Five = [number, number, number, number, number];
type Attributes = Pick<Conv3DAttrs, 'strides' | 'pad'> & { readonly dilations?: Conv3DAttrs['dilations'] };

/** A convolution of volumes as convolutions of planes. */
interface Volume {
  readonly info: tf.backend_util.Conv3DInfo;
  /** Strides, padding and dilations within a plane. */
  readonly params: readonly number[];
  /** Planes that meet plane `depth` of the filter, one for each plane of the result, counted in the padded volume. */
  planesAt(depth: number): number[];
  /** The depth with its padding. */
  readonly padded: number;
}

function volume(x: Shape, filter: Shape, { strides, pad: padding, dilations = 1 }: Attributes): Volume {
  const info = tf.backend_util.computeConv3DInfo([...x] as Five, [...filter] as Five, strides, dilations, padding);
  return {
    info,
    params: [
      info.strideHeight,
      info.strideWidth,
      info.padInfo.top,
      info.padInfo.left,
      info.dilationHeight,
      info.dilationWidth,
    ],
    planesAt: (depth) =>
      Array.from({ length: info.outDepth }, (_, plane) => plane * info.strideDepth + depth * info.dilationDepth),
    padded: info.inDepth + info.padInfo.front + info.padInfo.back,
  };
}

const sumOf = (parts: Tensor[]): Tensor => parts.reduce((sum, part) => add(sum, part));

/** x with its depth padded. */
const framed = (x: Tensor, { info }: Volume): Tensor =>
  pad(x, [
    [0, 0],
    [info.padInfo.front, info.padInfo.back],
    [0, 0],
    [0, 0],
    [0, 0],
  ]);

const indices = (like: Tensor, planes: number[]): Tensor =>
  fromValues('conv3d', like.backend, Int32Array.from(planes), [planes.length], 'int32');

/** The planes of x that meet one plane of the filter, as a batch of images. */
function images(framedX: Tensor, v: Volume, depth: number): Tensor {
  const picked = gather(framedX, indices(framedX, v.planesAt(depth)), 1);
  const { batchSize, outDepth, inHeight, inWidth, inChannels } = v.info;
  return reshape(picked, [batchSize * outDepth, inHeight, inWidth, inChannels]);
}

const plane = (filter: Tensor, depth: number): Tensor => reshape(slice(filter, [depth], [1]), filter.shape.slice(1));

const depths = (v: Volume): number[] => Array.from({ length: v.info.filterDepth }, (_, depth) => depth);

function forward(given: Tensor, filter: Tensor, attributes: Attributes): Tensor {
  const x = cast(given, 'float32');
  const v = volume(x.shape, filter.shape, attributes);
  const { batchSize, outDepth, outHeight, outWidth, outChannels } = v.info;
  const shape = [batchSize * outDepth, outHeight, outWidth, outChannels];
  const whole = framed(x, v);
  const parts = depths(v).map((depth) =>
    makeOne(x.backend, FORWARD, [images(whole, v, depth), plane(filter, depth)], shape, 'float32', v.params),
  );
  return reshape(sumOf(parts), [batchSize, outDepth, outHeight, outWidth, outChannels]);
}

function inputGradient(dy: Tensor, filter: Tensor, shape: Shape, attributes: Attributes): Tensor {
  const v = volume(shape, filter.shape, attributes);
  const { batchSize, outDepth, outHeight, outWidth, outChannels, inDepth, inHeight, inWidth, inChannels } = v.info;
  const upstream = reshape(dy, [batchSize * outDepth, outHeight, outWidth, outChannels]);
  const parts = depths(v).map((depth) => {
    const image = [batchSize * outDepth, inHeight, inWidth, inChannels];
    const dx = makeOne(dy.backend, BACKWARD_INPUT, [upstream, plane(filter, depth)], image, 'float32', v.params);
    const planes = reshape(dx, [batchSize, outDepth, inHeight, inWidth, inChannels]);
    const whole = [batchSize, v.padded, inHeight, inWidth, inChannels];
    return scatterAdd(planes, indices(dy, v.planesAt(depth)), whole, 1, 0);
  });
  return slice(sumOf(parts), [0, v.info.padInfo.front, 0, 0, 0], [-1, inDepth, -1, -1, -1]);
}

function filterGradient(x: Tensor, dy: Tensor, shape: Shape, attributes: Attributes): Tensor {
  const v = volume(x.shape, shape, attributes);
  const { batchSize, outDepth, outHeight, outWidth, outChannels } = v.info;
  const upstream = reshape(dy, [batchSize * outDepth, outHeight, outWidth, outChannels]);
  const whole = framed(x, v);
  return stack(
    depths(v).map((depth) =>
      makeOne(x.backend, BACKWARD_FILTER, [images(whole, v, depth), upstream], shape.slice(1), 'float32', v.params),
    ),
  );
}

export const convolution3dKernels: readonly NativeKernel[] = [
  kernel<Conv3DAttrs>(tf.Conv3D, ({ x, filter }, attributes) => forward(x!, filter!, attributes)),
  kernel<Conv3DBackpropInputV2Attrs>(tf.Conv3DBackpropInputV2, ({ dy, filter }, attributes) =>
    inputGradient(dy!, filter!, attributes.inputShape, attributes),
  ),
  kernel<Conv3DBackpropFilterV2Attrs>(tf.Conv3DBackpropFilterV2, ({ x, dy }, attributes) =>
    filterGradient(x!, dy!, attributes.filterShape, attributes),
  ),
];
