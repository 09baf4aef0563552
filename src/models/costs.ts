// What a model takes for one sample: operations of a forward pass, bytes of weights and of the values between layers.
import type { Layer } from '../layers/layer.js';
import { Flatten, Reshape } from '../layers/reshaping.js';
import type { GraphNode, SymbolicShape, SymbolicTensor } from '../layers/symbolic.js';
import { DTYPE_BYTES } from '../tensor/dtype.js';
import { sizeOf, type Shape } from '../tensor/shape.js';

/** A layer's costs; null where they are not known. */
export interface LayerCosts {
  /** Of a forward pass; of a layer that is called several times, all calls. */
  readonly flops: number | null;
  readonly parameterBytes: number;
  /** Of its results. */
  readonly activationBytes: number | null;
}

/** The shape of one sample with its batch axis; null where an axis has no fixed size. */
function sampleShape([, ...sizes]: SymbolicShape): Shape | null {
  return sizes.includes(null) ? null : [1, ...(sizes as number[])];
}

function shapesOf(list: readonly SymbolicTensor[]): Shape[] | null {
  const shapes = list.map(({ shape }) => sampleShape(shape));
  return shapes.includes(null) ? null : (shapes as Shape[]);
}

/** null as soon as one is not known. */
function sum(numbers: readonly (number | null)[]): number | null {
  return numbers.includes(null) ? null : (numbers as number[]).reduce((total, one) => total + one, 0);
}

function flopsOf({ layer, inputs, outputs }: GraphNode): number | null {
  const [given, made] = [shapesOf(inputs), shapesOf(outputs)];
  return given === null || made === null ? null : layer.flops(given, made);
}

function bytesOf({ layer, outputs }: GraphNode): number | null {
  // Another look at what is there already.
  if (layer instanceof Reshape || (layer instanceof Flatten && layer.dataFormat !== 'channelsFirst')) return 0;
  const made = shapesOf(outputs);
  return made === null ? null : sum(made.map((shape, i) => sizeOf(shape) * DTYPE_BYTES[outputs[i]!.dtype]));
}

/** Operations of all calls; null when those of one are not known. */
export const flopsOfCalls = (nodes: readonly GraphNode[]): number | null => sum(nodes.map(flopsOf));

/** The costs of a layer's calls. */
export function costsOf(layer: Layer, nodes: readonly GraphNode[]): LayerCosts {
  const calls = nodes.filter((node) => node.layer === layer);
  return {
    flops: flopsOfCalls(calls),
    parameterBytes: layer.weights.reduce((total, { size, dtype }) => total + size * DTYPE_BYTES[dtype], 0),
    activationBytes: sum(calls.map(bytesOf)),
  };
}
