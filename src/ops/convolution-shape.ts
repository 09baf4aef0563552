// Where the windows of convolutions and pooling lie: arguments checked, padding and output sizes as TensorFlow computes
// them ('same' puts the odd cell of padding below and to the right).
import { invalid } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Shape } from '../tensor/shape.js';

/** One number for both image axes, or [height, width]. */
export type Size2d = number | readonly [number, number];
/** Padding: `'same'` keeps ceil(size / stride) outputs, `'valid'` pads nothing, a number pads every side by as much. */
export type Padding =
  | 'same'
  | 'valid'
  | number
  | readonly [
      readonly [number, number],
      readonly [number, number],
      readonly [number, number],
      readonly [number, number],
    ];

/** Windows along one image axis. */
interface Axis {
  readonly size: number;
  readonly padBefore: number;
}

/** Windows over an image: what the native ops take beside the shapes of their tensors. */
export interface Windows {
  readonly filter: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly pad: readonly [number, number];
  readonly out: readonly [number, number];
}

/** [height, width] of an argument of integers of at least 1. */
export function pair(op: string, argument: string, value: unknown): [number, number] {
  const both: unknown[] = Array.isArray(value) ? value : [value, value];
  if (both.length === 2 && both.every((one) => Number.isInteger(one) && (one as number) >= 1)) {
    return both as [number, number];
  }
  throw invalid('ERR_ARGUMENT', op, argument, 'an integer of at least 1, or two of them', value);
}

/** Padding [before, after] of both image axes where it is given in numbers. */
function explicitPadding(op: string, pad: unknown): [readonly number[], readonly number[]] {
  const isCount = (value: unknown): boolean => Number.isInteger(value) && (value as number) >= 0;
  if (isCount(pad)) return [[pad, pad] as number[], [pad, pad] as number[]];
  if (Array.isArray(pad) && pad.length === 4) {
    const sides = pad as unknown[];
    const isPair = (side: unknown): boolean => Array.isArray(side) && side.length === 2 && side.every(isCount);
    const isNothing = (side: unknown): boolean => (side as number[])[0] === 0 && (side as number[])[1] === 0;
    if (sides.every(isPair) && isNothing(sides[0]) && isNothing(sides[3])) {
      return [sides[1] as number[], sides[2] as number[]];
    }
  }
  throw invalid(
    'ERR_ARGUMENT',
    op,
    'pad',
    "'same', 'valid', an integer of at least 0 or [[0,0],[top,bottom],[left,right],[0,0]]",
    pad,
  );
}

/** Windows over images of the given height and width. */
export function windowsOver(
  op: string,
  image: readonly [number, number],
  filter: readonly [number, number],
  strides: readonly [number, number],
  pad: Padding,
  dilations: readonly [number, number] = [1, 1],
): Windows {
  const given = pad === 'same' || pad === 'valid' ? null : explicitPadding(op, pad);
  const axes = ([0, 1] as const).map((axis): Axis => {
    const size = image[axis];
    const stride = strides[axis];
    const reach = (filter[axis] - 1) * dilations[axis] + 1;
    if (pad === 'same') {
      const outputs = Math.ceil(size / stride);
      return { size: outputs, padBefore: Math.floor(Math.max((outputs - 1) * stride + reach - size, 0) / 2) };
    }
    const [before, after] = (given?.[axis] ?? [0, 0]) as [number, number];
    const outputs = Math.floor((size + before + after - reach) / stride) + 1;
    if (outputs < 1) {
      const dilated = dilations[axis] === 1 ? '' : ` at dilation ${dilations[axis]}`;
      throw invalid(
        'ERR_SHAPE',
        op,
        'pad',
        `the window to fit the image (${axis === 0 ? 'height' : 'width'} ${filter[axis]}${dilated} into ${size} + ${before + after})`,
        pad,
        "use pad 'same'",
      );
    }
    return { size: outputs, padBefore: before };
  });
  const [rows, columns] = axes as [Axis, Axis];
  return { filter, strides, dilations, pad: [rows.padBefore, columns.padBefore], out: [rows.size, columns.size] };
}

/** Checks that x is a batch of images [batch, height, width, channels] or one image without the batch axis. */
export function checkImages(op: string, x: Tensor): void {
  if (x.rank === 4 || x.rank === 3) return;
  throw invalid('ERR_SHAPE', op, 'x', '[batch, height, width, channels] or [height, width, channels]', [...x.shape]);
}

/** Checks that a filter has rank 4 and fits the channels of the images. */
export function checkFilter(
  op: string,
  filter: Tensor,
  channels: number,
  axis: number,
  of: string,
  axes: string,
): void {
  if (filter.rank !== 4) throw invalid('ERR_SHAPE', op, 'filter', axes, [...filter.shape]);
  const own = filter.shape[axis]!;
  if (own === channels) return;
  throw invalid('ERR_SHAPE', op, 'filter', `inChannels ${own} (axis ${axis}) to equal ${of} ${channels}`, [
    ...filter.shape,
  ]);
}

/** Refuses what tfjs names and this library has not: NCHW images and roundings other than the default. */
export function checkLayout(op: string, dataFormat: unknown, dimRoundingMode: unknown): void {
  if (dataFormat !== 'NHWC') {
    throw invalid(
      'ERR_ARGUMENT',
      op,
      'dataFormat',
      "'NHWC'",
      dataFormat,
      'transpose the images to [batch, height, width, channels]',
    );
  }
  if (dimRoundingMode !== undefined && dimRoundingMode !== null && dimRoundingMode !== 'floor') {
    throw invalid('ERR_ARGUMENT', op, 'dimRoundingMode', "'floor'", dimRoundingMode);
  }
}

/** Image height and width of [..., height, width, channels]. */
export const imageOf = (shape: Shape): [number, number] => [shape[shape.length - 3]!, shape[shape.length - 2]!];
