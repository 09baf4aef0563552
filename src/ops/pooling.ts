// Max and average pooling of NHWC images.
import { isRecording, record } from '../autograd/tape.js';
import { NativeOp } from '../tensor/backend.js';
import { arithmeticDType, convert, type TensorLike } from '../tensor/convert.js';
import { isFloat } from '../tensor/dtype.js';
import { makeOne, type Tensor } from '../tensor/tensor.js';
import { cast } from './cast.js';
import {
  checkImages,
  checkLayout,
  imageOf,
  pair,
  windowsOver,
  type Padding,
  type Size2d,
} from './convolution-shape.js';
import { reshape } from './reshape.js';

const MAX = new NativeOp('maxPool');
const MAX_BACKWARD = new NativeOp('maxPool/backward');
const MAX_PICK = new NativeOp('maxPool/pick');
const AVG = new NativeOp('avgPool');
const AVG_BACKWARD = new NativeOp('avgPool/backward');

/** The images as a batch, the shape of the pooled batch and the native op's parameters. */
interface Pooling {
  readonly x: Tensor;
  readonly shape: readonly number[];
  readonly params: readonly number[];
}

function prepare(
  op: string,
  images: Tensor,
  filterSize: Size2d,
  strides: Size2d,
  pad: Padding,
  dimRoundingMode: unknown,
): Pooling {
  checkImages(op, images);
  checkLayout(op, 'NHWC', dimRoundingMode);
  const size = pair(op, 'filterSize', filterSize);
  const steps = pair(op, 'strides', strides);
  const x = images.rank === 3 ? reshape(images, [1, ...images.shape]) : images;
  const windows = windowsOver(op, imageOf(x.shape), size, steps, pad);
  return { x, shape: [x.shape[0]!, ...windows.out, x.shape[3]!], params: [...size, ...steps, ...windows.pad] };
}

/** Drops the batch axis again if the caller gave a single image. */
const unbatch = (y: Tensor, images: Tensor): Tensor => (images.rank === 3 ? reshape(y, y.shape.slice(1)) : y);

function maxBackward(dy: Tensor, x: Tensor, y: Tensor, params: readonly number[]): Tensor {
  const dx = makeOne(x.backend, MAX_BACKWARD, [dy, x, y], x.shape, x.dtype, params);
  if (isRecording()) record([dx], [dy], ([g]) => [g == null ? null : maxPick(g, x, y, params)]);
  return dx;
}

function maxPick(g: Tensor, x: Tensor, y: Tensor, params: readonly number[]): Tensor {
  const picked = makeOne(x.backend, MAX_PICK, [g, x, y], y.shape, y.dtype, params);
  if (isRecording()) record([picked], [g], ([dy]) => [dy == null ? null : maxBackward(dy, x, y, params)]);
  return picked;
}

/**
 * The largest element of every window; NaN if the window has one. The gradient goes to the first of equal elements.
 * @param x [batch, height, width, channels] or [height, width, channels].
 * @param filterSize Height and width of the window.
 * @param strides Steps down and to the right.
 * @param pad 'same', 'valid', or a number of cells on every side; padding never wins.
 * @param dimRoundingMode Only the default, 'floor'.
 * @returns [batch, outHeight, outWidth, channels], or without the batch axis.
 */
export function maxPool(
  x: TensorLike,
  filterSize: Size2d,
  strides: Size2d,
  pad: Padding,
  dimRoundingMode?: 'floor',
): Tensor {
  const images = convert('maxPool', 'x', x);
  const number = isFloat(images.dtype) ? images : cast(images, arithmeticDType(images.dtype));
  const pooling = prepare('maxPool', number, filterSize, strides, pad, dimRoundingMode);
  const { x: input, shape, params } = pooling;
  const y = makeOne(input.backend, MAX, [input], shape, input.dtype, params);
  if (isRecording() && isFloat(y.dtype)) {
    record([y], [input], ([dy]) => [dy == null ? null : maxBackward(dy, input, y, params)]);
  }
  return unbatch(y, images);
}

function avgForward(x: Tensor, shape: readonly number[], params: readonly number[]): Tensor {
  const y = makeOne(x.backend, AVG, [x], shape, x.dtype, params);
  if (isRecording()) record([y], [x], ([dy]) => [dy == null ? null : avgBackward(dy, x.shape, params)]);
  return y;
}

function avgBackward(dy: Tensor, shape: readonly number[], params: readonly number[]): Tensor {
  const dx = makeOne(dy.backend, AVG_BACKWARD, [dy], shape, dy.dtype, params);
  if (isRecording()) record([dx], [dy], ([g]) => [g == null ? null : avgForward(g, dy.shape, params)]);
  return dx;
}

/**
 * The mean of every window, over the cells inside the image: padding does not count.
 * @param x [batch, height, width, channels] or [height, width, channels]. Integers are averaged in float32 and truncated.
 * @param filterSize Height and width of the window.
 * @param strides Steps down and to the right.
 * @param pad 'same', 'valid', or a number of cells on every side.
 * @param dimRoundingMode Only the default, 'floor'.
 * @returns [batch, outHeight, outWidth, channels], or without the batch axis.
 */
export function avgPool(
  x: TensorLike,
  filterSize: Size2d,
  strides: Size2d,
  pad: Padding,
  dimRoundingMode?: 'floor',
): Tensor {
  const images = convert('avgPool', 'x', x);
  const float = isFloat(images.dtype) ? images : cast(images, 'float32');
  const { x: input, shape, params } = prepare('avgPool', float, filterSize, strides, pad, dimRoundingMode);
  const y = unbatch(avgForward(input, shape, params), images);
  return isFloat(images.dtype) ? y : cast(y, images.dtype);
}
