// Layers that rearrange or join values, and those around a layer, as ONNX's operators.
import type { Concatenate, Dot } from '../../layers/merge.js';
import type { Flatten, Permute } from '../../layers/reshaping.js';
import type { SymbolicShape } from '../../layers/symbolic.js';
import type { TimeDistributed } from '../../layers/wrappers.js';
import { imageAxis, type Value } from './graph-builder.js';
import type { LayerWriter, WriteLayer } from './layer-writer.js';

/** The input as it is: what only acts in training. */
export const passed: WriteLayer = (_, _layer, [x]) => x!;

export const flatten: WriteLayer<Flatten> = (to, layer, [input]) => {
  const x = to.graph.channelsLast(input!);
  const rank = x.shape.length;
  const isTurned = layer.dataFormat === 'channelsFirst' && rank > 2;
  const perm = [0, ...Array.from({ length: rank - 2 }, (_, axis) => axis + 2), 1];
  const ordered = isTurned ? to.graph.node('Transpose', [x.name], { perm }) : x.name;
  return to.value(to.graph.node('Flatten', [ordered], { axis: 1 }), to.outputShape([x]), x);
};

export const reshape: WriteLayer = (to, _, [input]) => {
  const x = to.graph.channelsLast(input!);
  const shape = to.outputShape([x]);
  return to.value(to.graph.node('Reshape', [x.name, to.sizes(shape)]), shape, x);
};

export const permute: WriteLayer<Permute> = (to, layer, [input]) => {
  const x = to.graph.channelsLast(input!);
  return to.value(to.graph.node('Transpose', [x.name], { perm: [0, ...layer.dims] }), to.outputShape([x]), x);
};

/** Images all channels first if one is; others as layers see them. */
function alike(to: LayerWriter, inputs: readonly Value[]): Value[] {
  const isFirst = inputs.every(({ shape }) => shape.length === 4) && inputs.some((x) => x.channelsFirst);
  return inputs.map((x) => (isFirst ? to.graph.channelsFirst(x) : to.graph.channelsLast(x)));
}

/** Of one element type: float32 where they differ. */
function sameElement(to: LayerWriter, inputs: readonly Value[], isFloat: boolean): Value[] {
  const differ = isFloat || inputs.some(({ element }) => element !== inputs[0]!.element || element === 'bool');
  return differ ? inputs.map((x) => to.graph.float(x)) : [...inputs];
}

/** Axes of size 1 behind the batch axis, up to a rank. */
function widened(to: LayerWriter, x: Value, rank: number): Value {
  const [batch = null, ...sizes] = x.shape;
  const added = rank - x.shape.length;
  if (added === 0) return x;
  const shape: SymbolicShape = [batch, ...new Array<number>(added).fill(1), ...sizes];
  return to.value(to.graph.node('Reshape', [x.name, to.sizes(shape)]), shape, x);
}

/** A function of two values at a time, with broadcasting. */
export const merged =
  (type: string): WriteLayer =>
  (to, _, inputs) => {
    const rank = Math.max(...inputs.map(({ shape }) => shape.length));
    const values = alike(to, sameElement(to, inputs, false)).map((x) => widened(to, x, rank));
    const name = values.map((x) => x.name).reduce((a, b) => to.graph.node(type, [a, b]));
    return to.value(name, to.outputShape(inputs), values[0]!);
  };

export const average: WriteLayer = (to, layer, inputs) => {
  const sum = merged('Add')(to, layer, sameElement(to, inputs, true));
  return { ...sum, name: to.graph.node('Div', [sum.name, to.graph.scalar(inputs.length)]) };
};

export const concatenate: WriteLayer<Concatenate> = (to, layer, inputs) => {
  const values = alike(to, sameElement(to, inputs, false));
  const shape = to.outputShape(inputs);
  const own = layer.axis < 0 ? layer.axis + shape.length : layer.axis;
  const axis = values[0]!.channelsFirst ? imageAxis(own) : own;
  return to.value(to.graph.node('Concat', values.map((x) => x.name), { axis }), shape, values[0]!); // prettier-ignore
};

export const dot: WriteLayer<Dot> = (to, layer, inputs) => {
  const shape = to.outputShape(inputs);
  const [i, j] = typeof layer.axes === 'number' ? [layer.axes, layer.axes] : layer.axes;
  const [a, b] = inputs.map((input, k) => {
    const x = to.graph.channelsLast(to.graph.float(input));
    const rank = x.shape.length;
    const given = (k === 0 ? i : j)!;
    const axis = given < 0 ? given + rank : given;
    const others = x.shape.map((_, one) => one).filter((one) => one !== 0 && one !== axis);
    const perm = k === 0 ? [0, ...others, axis] : [0, axis, ...others];
    const turned = to.graph.node('Transpose', [layer.normalize ? unit(to, x.name, axis) : x.name], { perm });
    const size = x.shape[axis];
    if (size == null) throw to.refused('input', `a known size of axis ${axis}`, [...x.shape]);
    return to.graph.node('Reshape', [turned, to.graph.sizes(k === 0 ? [0, -1, size] : [0, size, -1])]);
  }) as [string, string];
  const product = to.graph.node('MatMul', [a, b]);
  const like: Value = { name: product, shape, channelsFirst: false, element: 'float32' };
  return { ...like, name: to.graph.node('Reshape', [product, to.sizes(shape)]) };
};

/** Vectors of length 1, zero vectors kept finite. */
function unit(to: LayerWriter, x: string, axis: number): string {
  const length = to.graph.node('ReduceL2', [x], { axes: [axis], keepdims: 1 });
  return to.graph.node('Div', [x, to.graph.node('Max', [length, to.graph.scalar(1e-12)])]);
}

export const timeDistributed: WriteLayer<TimeDistributed> = (to, layer, [input]) => {
  const x = to.graph.channelsLast(input!);
  const { graph } = to;
  const [batch = null, time = null, ...sizes] = x.shape;
  if (sizes.some((size) => size === null)) throw to.refused('input', 'known sizes of a step', [...x.shape]);
  const stepShape = graph.sizes([-1, ...(sizes as number[])]);
  const steps = to.value(graph.node('Reshape', [x.name, stepShape]), [null, ...sizes], x);
  const y = graph.channelsLast(to.write(layer.layer, [steps]));
  const made = y.shape.slice(1);
  if (made.some((size) => size === null)) throw to.refused('output', 'known sizes of a step', [...y.shape]);
  // Both the batch and the number of steps are the input's own.
  const leading = graph.node('Shape', [x.name], { start: 0, end: 2 });
  const shape = graph.node('Concat', [leading, graph.sizes(made as number[])], { axis: 0 });
  return to.value(graph.node('Reshape', [y.name, shape]), [batch, time, ...made], y);
};
