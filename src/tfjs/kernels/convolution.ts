// Convolutions of images and their gradients. tfjs works out windows (every padding and rounding it knows), the native ops
// take them as numbers; images with channels first are turned round.
import * as tf from '@tensorflow/tfjs-core';
import type {
  Conv2DAttrs,
  Conv2DBackpropFilterAttrs,
  Conv2DBackpropInputAttrs,
  DepthwiseConv2dNativeAttrs,
  DepthwiseConv2dNativeBackpropFilterAttrs,
  DepthwiseConv2dNativeBackpropInputAttrs,
  FusedConv2DAttrs,
  FusedDepthwiseConv2DAttrs,
} from '@tensorflow/tfjs-core';
import { NativeOp } from '../../tensor/backend.js';
import { makeOne, type Tensor } from '../../tensor/tensor.js';
import { sameShape, type Shape } from '../../tensor/shape.js';
import { activationNamed } from '../../ops/activation.js';
import { add } from '../../ops/arithmetic.js';
import { cast } from '../../ops/cast.js';
import { conv2d as fusedConv2d } from '../../ops/fused.js';
import { prelu } from '../../ops/prelu.js';
import { reshape } from '../../ops/reshape.js';
import { slice } from '../../ops/slice.js';
import { transpose } from '../../ops/transpose.js';
import { kernel, type NativeKernel } from '../kernel.js';
import { epilogue } from './matmul.js';

type Info = tf.backend_util.Conv2DInfo;
type Four = [number, number, number, number];

/** Native ops of a kind of convolution. */
interface Kind {
  readonly forward: NativeOp;
  readonly backwardInput: NativeOp;
  readonly backwardFilter: NativeOp;
}

const kind = (name: string): Kind => ({
  forward: new NativeOp(name),
  backwardInput: new NativeOp(`${name}/backwardInput`),
  backwardFilter: new NativeOp(`${name}/backwardFilter`),
});
const DENSE = kind('conv2d');
const DEPTHWISE = kind('depthwiseConv2d');

const TO_LAST = [0, 2, 3, 1];
const TO_FIRST = [0, 3, 1, 2];
const isFirst = (dataFormat: string | undefined): boolean => dataFormat === 'NCHW';
const last = (x: Tensor, dataFormat?: string): Tensor => (isFirst(dataFormat) ? transpose(x, TO_LAST) : x);
const asGiven = (y: Tensor, dataFormat?: string): Tensor => (isFirst(dataFormat) ? transpose(y, TO_FIRST) : y);

/** What the native ops take: strides, padding above and left, dilations. */
export const geometry = (info: Info): number[] => [
  info.strideHeight,
  info.strideWidth,
  info.padInfo.top,
  info.padInfo.left,
  info.dilationHeight,
  info.dilationWidth,
];

interface Windows {
  readonly strides: [number, number] | number;
  readonly pad: Conv2DAttrs['pad'];
  readonly dataFormat?: 'NHWC' | 'NCHW';
  readonly dilations?: [number, number] | number | null;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/** The windows of images and a filter in tfjs's layout, as if channels were last. */
function windows(image: Shape, filter: Shape, attributes: Windows, depthwise: boolean): Info {
  const { strides, pad, dataFormat, dilations, dimRoundingMode } = attributes;
  const shape = isFirst(dataFormat) ? TO_LAST.map((axis) => image[axis]!) : image;
  // Explicit padding names its axes in the layout that was given.
  const sides = isFirst(dataFormat) && Array.isArray(pad) ? (TO_LAST.map((axis) => pad[axis]) as typeof pad) : pad;
  return tf.backend_util.computeConv2DInfo(
    [...shape] as Four,
    [...filter] as Four,
    strides,
    dilations ?? 1,
    sides,
    dimRoundingMode,
    depthwise,
  );
}

const outShape = (info: Info): number[] => [info.batchSize, info.outHeight, info.outWidth, info.outChannels];
const inShape = (info: Info): number[] => [info.batchSize, info.inHeight, info.inWidth, info.inChannels];

function convolve(ops: Kind, x: Tensor, filter: Tensor, attributes: Windows): Tensor {
  const info = windows(x.shape, filter.shape, attributes, ops === DEPTHWISE);
  const images = last(cast(x, 'float32'), attributes.dataFormat);
  const y = makeOne(
    x.backend,
    ops.forward,
    [images, cast(filter, 'float32')],
    outShape(info),
    'float32',
    geometry(info),
  );
  return asGiven(y, attributes.dataFormat);
}

function inputGradient(ops: Kind, dy: Tensor, filter: Tensor, shape: Shape, attributes: Windows): Tensor {
  const info = windows(shape, filter.shape, attributes, ops === DEPTHWISE);
  const given = last(dy, attributes.dataFormat);
  // tfjs takes the part of a larger dy that the image's windows reach.
  const upstream = sameShape(given.shape, outShape(info)) ? given : slice(given, [0, 0, 0, 0], outShape(info));
  const dx = makeOne(dy.backend, ops.backwardInput, [upstream, filter], inShape(info), 'float32', geometry(info));
  return asGiven(dx, attributes.dataFormat);
}

function filterGradient(ops: Kind, x: Tensor, dy: Tensor, shape: Shape, attributes: Windows): Tensor {
  const info = windows(x.shape, shape, attributes, ops === DEPTHWISE);
  const operands = [last(x, attributes.dataFormat), last(dy, attributes.dataFormat)];
  return makeOne(x.backend, ops.backwardFilter, operands, shape, 'float32', geometry(info));
}

/** Bias and activation in the convolution's own op, where the layout and the rounding of sizes are ours. */
function fused(operands: Readonly<Record<string, Tensor>>, attributes: FusedConv2DAttrs): Tensor {
  const { dataFormat, dimRoundingMode } = attributes;
  const x = operands['x']!;
  const filter = operands['filter']!;
  if (isFirst(dataFormat) || (dimRoundingMode != null && dimRoundingMode !== 'floor')) {
    return finish(convolve(DENSE, x, filter, attributes), operands, attributes);
  }
  const { strideHeight, strideWidth, dilationHeight, dilationWidth, padInfo } = windows(
    x.shape,
    filter.shape,
    attributes,
    false,
  );
  return fusedConv2d({
    x,
    filter,
    strides: [strideHeight, strideWidth],
    dilations: [dilationHeight, dilationWidth],
    pad: [
      [0, 0],
      [padInfo.top, padInfo.bottom],
      [padInfo.left, padInfo.right],
      [0, 0],
    ],
    ...epilogue(operands, attributes),
  });
}

/** Bias and activation behind a product that has no fused form. */
function finish(
  y: Tensor,
  { bias, preluActivationWeights }: Readonly<Record<string, Tensor | undefined>>,
  { activation, leakyreluAlpha, dataFormat }: FusedConv2DAttrs,
): Tensor {
  const channels = isFirst(dataFormat) && bias !== undefined && bias.rank === 1 ? [bias.size, 1, 1] : undefined;
  const offset = bias !== undefined && channels !== undefined ? reshape(bias, channels) : bias;
  const sum = offset === undefined ? y : add(y, offset);
  if (activation === null || activation === undefined || activation === 'linear') return sum;
  if (activation === 'prelu') {
    const slopes = preluActivationWeights!;
    return prelu(sum, isFirst(dataFormat) && slopes.rank === 1 ? reshape(slopes, [slopes.size, 1, 1]) : slopes);
  }
  const row = activationNamed(activation === 'leakyrelu' ? 'leakyRelu' : activation);
  return row.apply(sum, row.parameters({ alpha: activation === 'leakyrelu' ? leakyreluAlpha : undefined }));
}

export const convolutionKernels: readonly NativeKernel[] = [
  kernel<Conv2DAttrs>(tf.Conv2D, ({ x, filter }, attributes) => convolve(DENSE, x!, filter!, attributes)),
  kernel<Conv2DBackpropInputAttrs>(tf.Conv2DBackpropInput, ({ dy, filter }, attributes) =>
    inputGradient(DENSE, dy!, filter!, attributes.inputShape, attributes),
  ),
  kernel<Conv2DBackpropFilterAttrs>(tf.Conv2DBackpropFilter, ({ x, dy }, attributes) =>
    filterGradient(DENSE, x!, dy!, attributes.filterShape, attributes),
  ),
  kernel<DepthwiseConv2dNativeAttrs>(tf.DepthwiseConv2dNative, ({ x, filter }, attributes) =>
    convolve(DEPTHWISE, x!, filter!, attributes),
  ),
  kernel<DepthwiseConv2dNativeBackpropInputAttrs>(tf.DepthwiseConv2dNativeBackpropInput, ({ dy, filter }, attributes) =>
    inputGradient(DEPTHWISE, dy!, filter!, attributes.inputShape, attributes),
  ),
  kernel<DepthwiseConv2dNativeBackpropFilterAttrs>(tf.DepthwiseConv2dNativeBackpropFilter, ({ x, dy }, attributes) =>
    filterGradient(DEPTHWISE, x!, dy!, attributes.filterShape, attributes),
  ),
  kernel<FusedConv2DAttrs>(tf.FusedConv2D, fused),
  kernel<FusedDepthwiseConv2DAttrs>(tf.FusedDepthwiseConv2D, (operands, attributes) =>
    finish(convolve(DEPTHWISE, operands['x']!, operands['filter']!, attributes), operands, attributes),
  ),
];
