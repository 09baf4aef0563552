// Convolutions and pooling as ONNX's operators. Padding is written out where the image's size is known, as runtimes differ in what they
// make of 'same' with dilation.
import type { Conv2D, Conv2DTranspose, DepthwiseConv2D } from '../../layers/convolution.js';
import type { ImageWindows } from '../../layers/image.js';
import type { Pooling2D } from '../../layers/pooling.js';
import type { SymbolicShape } from '../../layers/symbolic.js';
import type { Value } from './graph-builder.js';
import type { LayerWriter, WriteLayer } from './layer-writer.js';
import type { Attribute } from './messages.js';

/** Padding of an axis: cells before and behind. Null where it depends on a size that is not known. */
function padsOf(
  size: number | null,
  kernel: number,
  stride: number,
  dilation: number,
): readonly [number, number] | null {
  if (size === null && stride !== 1) return null;
  const windows = size === null ? 0 : Math.ceil(size / stride) - 1;
  const total = Math.max(windows * stride + (kernel - 1) * dilation + 1 - (size ?? 1), 0);
  return [Math.floor(total / 2), total - Math.floor(total / 2)];
}

/** The attributes of windows over an image. */
function windows(to: LayerWriter, shape: SymbolicShape, of: ImageWindows): Record<string, Attribute> {
  const { kernelSize, strides, padding, dilationRate } = of;
  const attributes = { kernel_shape: kernelSize, strides };
  if (padding === 'valid') return { ...attributes, pads: [0, 0, 0, 0] };
  const pads = [0, 1].map((axis) =>
    padsOf(shape[axis + 1] ?? null, kernelSize[axis]!, strides[axis]!, dilationRate[axis]!),
  );
  const [down, right] = pads;
  if (down != null && right != null) return { ...attributes, pads: [down[0], right[0], down[1], right[1]] };
  if (dilationRate.every((rate) => rate === 1)) return { ...attributes, auto_pad: 'SAME_UPPER' };
  throw to.refused('input', "a known height and width, as padding 'same' with dilation depends on them", [...shape]);
}

/** Adds a node over images, channels first. */
function overImages(
  to: LayerWriter,
  type: string,
  x: Value,
  constants: readonly string[],
  attributes: Record<string, Attribute>,
): Value {
  const image = to.graph.channelsFirst(to.graph.float(x));
  return to.value(to.graph.node(type, [image.name, ...constants], attributes), to.outputShape([x]), image);
}

const biasOf = (to: LayerWriter): string[] => (to.has('bias') ? [to.weight('bias')] : []);

export const conv2d: WriteLayer<Conv2D> = (to, layer, [x]) => {
  const constants = [to.weight('kernel', [3, 2, 0, 1]), ...biasOf(to)];
  const attributes = { ...windows(to, x!.shape, layer), dilations: layer.dilationRate, group: layer.groups };
  return to.activate(overImages(to, 'Conv', x!, constants, attributes), layer.activation);
};

export const depthwiseConv2d: WriteLayer<DepthwiseConv2D> = (to, layer, [x]) => {
  const channels = x!.shape[3]!;
  const { kernelSize, depthMultiplier, dilationRate } = layer;
  const shape = [channels * depthMultiplier, 1, ...kernelSize];
  const constants = [to.weight('depthwise_kernel', [2, 3, 0, 1], shape), ...biasOf(to)];
  const attributes = { ...windows(to, x!.shape, layer), dilations: dilationRate, group: channels };
  return to.activate(overImages(to, 'Conv', x!, constants, attributes), layer.activation);
};

export const conv2dTranspose: WriteLayer<Conv2DTranspose> = (to, layer, [x]) => {
  const { kernelSize, strides, padding, activation } = layer;
  const constants = [to.weight('kernel', [3, 2, 0, 1]), ...biasOf(to)];
  // Of the full result 'same' cuts what is more than size * stride, and either way what is less is added behind.
  const spare = kernelSize.map((kernel, axis) => kernel - strides[axis]!);
  const cut = spare.map((cells) => (padding === 'same' ? Math.max(cells, 0) : 0));
  const before = cut.map((cells) => Math.floor(cells / 2));
  const attributes = {
    kernel_shape: kernelSize,
    strides,
    pads: [...before, ...cut.map((cells, axis) => cells - before[axis]!)],
    output_padding: spare.map((cells) => Math.max(-cells, 0)),
  };
  return to.activate(overImages(to, 'ConvTranspose', x!, constants, attributes), activation);
};

/** Pooling of floats: whole numbers have none in ONNX. */
function pooled(
  to: LayerWriter,
  type: string,
  layer: Pooling2D,
  x: Value,
  more: Record<string, Attribute> = {},
): Value {
  const { poolSize: kernelSize, strides, padding } = layer;
  const attributes = windows(to, x.shape, { kernelSize, strides, padding, dilationRate: [1, 1] });
  return overImages(to, type, x, [], { ...attributes, ...more });
}
export const maxPooling2d: WriteLayer<Pooling2D> = (to, layer, [x]) => pooled(to, 'MaxPool', layer, x!);
export const averagePooling2d: WriteLayer<Pooling2D> = (to, layer, [x]) =>
  pooled(to, 'AveragePool', layer, x!, { count_include_pad: 0 });

/** Over height and width, wherever they are. */
const reduced =
  (type: string): WriteLayer =>
  (to, _, [x]) => {
    const image = to.graph.float(x!);
    const attributes = { axes: image.channelsFirst ? [2, 3] : [1, 2], keepdims: 0 };
    return to.value(to.graph.node(type, [image.name], attributes), to.outputShape([x!]), image);
  };
export const globalAveragePooling2d = reduced('ReduceMean');
export const globalMaxPooling2d = reduced('ReduceMax');
