// Convolutions of NHWC images: conv2d, depthwiseConv2d and conv2dTranspose. A convolution has three linear maps, y from
// (x, filter), dx from (dy, filter) and dfilter from (x, dy); each one's gradients are the other two.
import { invalid } from '../errors.js';
import type { Descent, InputGradient } from '../autograd/gradient-table.js';
import { isRecording, record, type Offer, type Slope } from '../autograd/tape.js';
import { NativeOp } from '../tensor/backend.js';
import { sameBackend, type TensorLike } from '../tensor/convert.js';
import { promote } from '../tensor/dtype.js';
import { sameShape, type Shape } from '../tensor/shape.js';
import { makeOne, type Tensor } from '../tensor/tensor.js';
import { cast } from './cast.js';
import {
  checkFilter,
  checkImages,
  checkLayout,
  imageOf,
  pair,
  windowsOver,
  type Padding,
  type Size2d,
  type Windows,
} from './convolution-shape.js';
import { evaluate, floatOperand, type LazyGradients } from './define.js';
import { descend } from './descent.js';
import { reshape } from './reshape.js';

/** The three native ops of a kind of convolution. */
class Convolution {
  readonly forward: NativeOp;
  private readonly backwardInput: NativeOp;
  private readonly backwardFilter: NativeOp;

  constructor(
    readonly name: string,
    private readonly outChannels: (filter: Shape) => number,
  ) {
    this.forward = new NativeOp(name);
    this.backwardInput = new NativeOp(`${name}/backwardInput`);
    this.backwardFilter = new NativeOp(`${name}/backwardFilter`);
  }

  /** Shape of y for images x. */
  outputShape(x: Tensor, filter: Tensor, windows: Windows): number[] {
    return [x.shape[0]!, ...windows.out, this.outChannels(filter.shape)];
  }

  y(x: Tensor, filter: Tensor, windows: Windows): Tensor {
    const shape = this.outputShape(x, filter, windows);
    const y = makeOne(x.backend, this.forward, [x, filter], shape, x.dtype, geometry(windows));
    if (isRecording()) {
      record([y], [x, filter], ([dy], wanted, offers) =>
        dy == null ? [null, null] : this.backward(dy, x, filter, windows, wanted, offers),
      );
    }
    return y;
  }

  /** dx and dfilter of y where they are wanted, given dy; dx through the activation that made x where that is offered. */
  backward(
    dy: Tensor,
    x: Tensor,
    filter: Tensor,
    windows: Windows,
    wanted: readonly boolean[],
    offers: readonly Offer[],
  ): [InputGradient, Tensor | null] {
    const slope = wanted[0] && !isRecording() ? offers[0]!.slope : null;
    const descent = slope === null ? null : this.descent(dy, x, filter, windows, slope);
    const dx = (): Tensor => this.dx(dy, filter, x.shape, windows);
    const dfilter = (): Tensor => this.dfilter(x, dy, filter.shape, windows);
    const [input, weights] = evaluate([dx, dfilter], [wanted[0]! && descent === null, wanted[1]!]);
    return [descent ?? input, weights];
  }

  /** dx through the activation that made x, and its bias's gradient; null where the native op does not do that. */
  private descent(dy: Tensor, x: Tensor, filter: Tensor, windows: Windows, slope: Slope): Descent | null {
    if (slope.stamp !== null || dy.size === 0 || x.size === 0) return null;
    return descend(this.backwardInput, [dy, filter], x, slope, geometry(windows));
  }

  dx(dy: Tensor, filter: Tensor, shape: Shape, windows: Windows): Tensor {
    const dx = makeOne(dy.backend, this.backwardInput, [dy, filter], shape, dy.dtype, geometry(windows));
    return this.recorded(dx, dy, filter, (g) => [
      () => this.y(g, filter, windows),
      () => this.dfilter(g, dy, filter.shape, windows),
    ]);
  }

  dfilter(x: Tensor, dy: Tensor, shape: Shape, windows: Windows): Tensor {
    const dfilter = makeOne(x.backend, this.backwardFilter, [x, dy], shape, x.dtype, geometry(windows));
    return this.recorded(dfilter, x, dy, (g) => [() => this.dx(dy, g, x.shape, windows), () => this.y(x, g, windows)]);
  }

  private recorded(y: Tensor, a: Tensor, b: Tensor, gradients: (dy: Tensor) => LazyGradients): Tensor {
    if (isRecording()) {
      record([y], [a, b], ([dy], wanted) => (dy == null ? [null, null] : evaluate(gradients(dy), wanted)));
    }
    return y;
  }
}

// The native op tells groups by the channels of x and of the filter.
const DENSE = new Convolution('conv2d', (filter) => filter[3]!);
const DEPTHWISE = new Convolution('depthwiseConv2d', (filter) => filter[2]! * filter[3]!);
/** The kind behind conv2d, for fused.conv2d. */
export const CONV2D = DENSE;

/** Native parameters: strides, padding above and left, dilations. */
export const geometry = (windows: Windows): number[] => [...windows.strides, ...windows.pad, ...windows.dilations];

/** Checked operands of a convolution. */
export interface Operands {
  /** Images with a batch axis, in the same dtype as the filter. */
  readonly x: Tensor;
  readonly filter: Tensor;
  readonly windows: Windows;
  /** Runs of channels that do not see each other; 1 for all but conv2d. */
  readonly groups: number;
  /** Whether the caller gave a single image, without a batch axis. */
  readonly single: boolean;
}

/** Checks and converts what conv2d and depthwiseConv2d take. */
export function convolutionOperands(
  op: string,
  x: TensorLike,
  filter: TensorLike,
  strides: Size2d,
  pad: Padding,
  dilations: Size2d,
  lastAxis: string,
  groups = 1,
): Operands {
  let images = floatOperand(op, 'x', x);
  let weights = floatOperand(op, 'filter', filter);
  sameBackend(op, images, weights);
  checkImages(op, images);
  const channels = images.shape[images.rank - 1]!;
  if (!Number.isInteger(groups) || groups < 1 || channels % groups !== 0) {
    throw invalid('ERR_ARGUMENT', op, 'groups', `an integer that divides x's ${channels} channels`, groups);
  }
  const inside = groups === 1 ? "x's channels" : `x's channels / groups, ${channels} / ${groups} =`;
  checkFilter(op, weights, channels / groups, 2, inside, `[height, width, inChannels, ${lastAxis}]`);
  if (weights.shape[3]! % groups !== 0) {
    throw invalid('ERR_SHAPE', op, 'filter', `outChannels that ${groups} groups divide`, [...weights.shape]);
  }
  const steps = pair(op, 'strides', strides);
  const spread = pair(op, 'dilations', dilations);
  const size = pair(op, 'filter', weights.shape.slice(0, 2));
  const windows = windowsOver(op, imageOf(images.shape), size, steps, pad, spread);
  const dtype = promote(images.dtype, weights.dtype);
  if (images.dtype !== dtype) images = cast(images, dtype);
  if (weights.dtype !== dtype) weights = cast(weights, dtype);
  const single = images.rank === 3;
  return { x: single ? reshape(images, [1, ...images.shape]) : images, filter: weights, windows, groups, single };
}

/** Drops the batch axis again if the caller gave a single image. */
export const unbatch = (y: Tensor, single: boolean): Tensor => (single ? reshape(y, y.shape.slice(1)) : y);

/**
 * Two-dimensional convolution (as in all deep learning libraries: correlation).
 * @param x [batch, height, width, inChannels] or [height, width, inChannels]. Integers become float32.
 * @param filter [filterHeight, filterWidth, inChannels / groups, outChannels].
 * @param strides Steps down and to the right.
 * @param pad 'same', 'valid', a number of cells on every side, or [[0,0],[top,bottom],[left,right],[0,0]].
 * @param dataFormat Only 'NHWC'.
 * @param dilations Distance of the filter's taps, 1 by default.
 * @param dimRoundingMode Only the default, 'floor'.
 * @param groups Equal runs of channels, 1 by default: output channels of a run see the input channels of that run only, as
 *   Keras's `groups`.
 * @returns [batch, outHeight, outWidth, outChannels], or without the batch axis.
 * @throws ShapeError when channels differ or the filter does not fit the image.
 */
export function conv2d(
  x: TensorLike,
  filter: TensorLike,
  strides: Size2d,
  pad: Padding,
  dataFormat: 'NHWC' = 'NHWC',
  dilations: Size2d = [1, 1],
  dimRoundingMode?: 'floor',
  groups = 1,
): Tensor {
  checkLayout('conv2d', dataFormat, dimRoundingMode);
  const operands = convolutionOperands('conv2d', x, filter, strides, pad, dilations, 'outChannels', groups);
  return unbatch(DENSE.y(operands.x, operands.filter, operands.windows), operands.single);
}

/**
 * Depthwise convolution: each channel has filters of its own.
 * @param x [batch, height, width, channels] or [height, width, channels].
 * @param filter [filterHeight, filterWidth, channels, multiplier].
 * @param strides Steps down and to the right.
 * @param pad As conv2d's.
 * @param dataFormat Only 'NHWC'.
 * @param dilations Distance of the filter's taps, 1 by default.
 * @param dimRoundingMode Only the default, 'floor'.
 * @returns [batch, outHeight, outWidth, channels * multiplier]; output channel c * multiplier + m is filter m of channel c.
 */
export function depthwiseConv2d(
  x: TensorLike,
  filter: TensorLike,
  strides: Size2d,
  pad: Padding,
  dataFormat: 'NHWC' = 'NHWC',
  dilations: Size2d = [1, 1],
  dimRoundingMode?: 'floor',
): Tensor {
  checkLayout('depthwiseConv2d', dataFormat, dimRoundingMode);
  const operands = convolutionOperands('depthwiseConv2d', x, filter, strides, pad, dilations, 'multiplier');
  return unbatch(DEPTHWISE.y(operands.x, operands.filter, operands.windows), operands.single);
}

/**
 * Transposed convolution: the map that takes conv2d's dy to its dx, for decoders and upsampling.
 * @param x [batch, height, width, inChannels] or [height, width, inChannels].
 * @param filter [filterHeight, filterWidth, outChannels, inChannels].
 * @param outputShape [batch, outHeight, outWidth, outChannels], or without the batch axis: a shape that conv2d with the same
 *   strides and padding turns into x's.
 * @param strides Of that conv2d.
 * @param pad Of that conv2d.
 * @param dimRoundingMode Only the default, 'floor'.
 * @param dilations Of that conv2d, 1 by default.
 */
export function conv2dTranspose(
  x: TensorLike,
  filter: TensorLike,
  outputShape: Shape,
  strides: Size2d,
  pad: Padding,
  dimRoundingMode?: 'floor',
  dilations: Size2d = [1, 1],
): Tensor {
  const op = 'conv2dTranspose';
  checkLayout(op, 'NHWC', dimRoundingMode);
  let images = floatOperand(op, 'x', x);
  let weights = floatOperand(op, 'filter', filter);
  sameBackend(op, images, weights);
  checkImages(op, images);
  const channels = images.shape[images.rank - 1]!;
  checkFilter(op, weights, channels, 3, "x's channels", '[height, width, outChannels, inChannels]');
  if (!Array.isArray(outputShape) || outputShape.length !== images.rank) {
    throw invalid('ERR_SHAPE', op, 'outputShape', `${images.rank} sizes, as x has`, outputShape);
  }
  const size = pair(op, 'filter', weights.shape.slice(0, 2));
  const steps = pair(op, 'strides', strides);
  const windows = windowsOver(op, imageOf(outputShape), size, steps, pad, pair(op, 'dilations', dilations));
  const batch = images.rank === 4 ? [images.shape[0]!] : [];
  const expected = [...batch, ...imageOf(outputShape), weights.shape[2]!];
  if (!sameShape(outputShape, expected)) {
    throw invalid(
      'ERR_SHAPE',
      op,
      'outputShape',
      `x's batch and filter's outChannels as in [${expected.join(',')}]`,
      outputShape,
    );
  }
  if (!sameShape(windows.out, imageOf(images.shape))) {
    throw invalid(
      'ERR_SHAPE',
      op,
      'outputShape',
      `a height and width that conv2d turns into x's [${imageOf(images.shape).join(',')}], where these give [${windows.out.join(',')}]`,
      outputShape,
    );
  }
  const dtype = promote(images.dtype, weights.dtype);
  if (images.dtype !== dtype) images = cast(images, dtype);
  if (weights.dtype !== dtype) weights = cast(weights, dtype);
  const single = images.rank === 3;
  const dy = single ? reshape(images, [1, ...images.shape]) : images;
  return unbatch(DENSE.dx(dy, weights, single ? [1, ...(outputShape as Shape)] : outputShape, windows), single);
}
