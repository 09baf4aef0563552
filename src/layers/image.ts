// Shapes of image batches [batch, height, width, channels] before sizes are known: what convolution and pooling make of them.
import { invalid } from '../errors.js';
import { windowsOver } from '../ops/convolution-shape.js';
import { formatShape, type SymbolicShape } from './symbolic.js';

/** Padding that layers take. */
export type WindowPadding = 'valid' | 'same';

/** Windows of a convolution or a pooling. */
export interface ImageWindows {
  readonly kernelSize: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly padding: WindowPadding;
  readonly dilationRate: readonly [number, number];
}

function checkRank(layer: string, shape: SymbolicShape): void {
  if (shape.length === 4) return;
  throw invalid('ERR_SHAPE', layer, 'input', 'shape [batch, height, width, channels]', [...shape]);
}

/** The number of channels, which must be known. */
export function channelsOf(layer: string, shape: SymbolicShape): number {
  checkRank(layer, shape);
  const channels = shape[3];
  if (typeof channels === 'number') return channels;
  throw invalid('ERR_SHAPE', layer, 'input', 'a known number of channels (the last axis)', formatShape(shape));
}

/** Height and width. */
export function sizeOfImage(layer: string, shape: SymbolicShape): readonly (number | null)[] {
  checkRank(layer, shape);
  return shape.slice(1, 3);
}

/** Shape of a batch with one cell a window. */
export function pooledImage(
  layer: string,
  shape: SymbolicShape,
  channels: number | null,
  { kernelSize, strides, padding, dilationRate }: ImageWindows,
): SymbolicShape {
  const image = sizeOfImage(layer, shape);
  // An unknown size stays unknown: any size that the window fits into stands for it.
  const sizes = image.map((size, axis) => size ?? kernelSize[axis]! * dilationRate[axis]!) as [number, number];
  const { out } = windowsOver(layer, sizes, kernelSize, strides, padding, dilationRate);
  return [shape[0] ?? null, ...out.map((size, axis) => (image[axis] === null ? null : size)), channels];
}
