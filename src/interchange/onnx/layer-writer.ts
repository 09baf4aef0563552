// What the writer of a layer gets: the graph, the layer's weights as constants, and errors that name the layer.
import { invalid, type SelfnormError } from '../../errors.js';
import type { LayerActivation } from '../../layers/activation.js';
import type { Layer } from '../../layers/layer.js';
import type { SymbolicShape } from '../../layers/symbolic.js';
import { writeActivation } from './activations.js';
import { imageAxis, type GraphBuilder, type Value } from './graph-builder.js';

/** Adds a layer's nodes for values that it gets, and gives its output. */
export type WriteLayer<L extends Layer = Layer> = (to: LayerWriter, layer: L, inputs: readonly Value[]) => Value;

/** Values with their axes in another order. */
export function permuted(values: Float32Array, shape: readonly number[], order: readonly number[]): Float32Array {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const sizes = order.map((axis) => shape[axis]!);
  const result = new Float32Array(values.length);
  const index = sizes.map(() => 0);
  for (let i = 0; i < result.length; i++) {
    let from = 0;
    for (let axis = 0; axis < index.length; axis++) from += index[axis]! * strides[order[axis]!]!;
    result[i] = values[from]!;
    for (let axis = index.length - 1; axis >= 0 && ++index[axis]! === sizes[axis]; axis--) index[axis] = 0;
  }
  return result;
}

/** A graph, and the layer that is being added. */
export class LayerWriter {
  constructor(
    readonly op: string,
    readonly graph: GraphBuilder,
    private readonly layer: Layer,
    /** Adds another layer: what a wrapper holds. */
    readonly write: (layer: Layer, inputs: readonly Value[]) => Value,
  ) {}

  /** The error of a layer that ONNX cannot express. */
  refused(option: string, expected: string, got: unknown, fix?: string): SelfnormError {
    return invalid('ERR_ARGUMENT', this.op, `layer ${this.layer.name}: ${option}`, expected, got, fix);
  }

  /** Whether the layer has a weight. */
  has(name: string): boolean {
    return this.layer.layerWeights.some((weight) => weight.name === name);
  }

  /**
   * A weight as a constant in float32.
   * @param order Its axes in ONNX's order.
   * @param shape Its shape then, where axes are joined.
   */
  weight(name: string, order?: readonly number[], shape?: readonly number[]): string {
    const { variable } = this.layer.layerWeights.find((weight) => weight.name === name)!;
    const own = order === undefined ? variable.shape : order.map((axis) => variable.shape[axis]!);
    const key = [
      this.graph.keyOf(variable, variable.name),
      ...(order ?? []),
      ...(shape === undefined ? [] : ['as', ...shape]),
    ].join(' ');
    return this.graph.floats(key, shape ?? own, () => {
      const values = Float32Array.from(variable.dataSync());
      return order === undefined ? values : permuted(values, variable.shape, order);
    });
  }

  /** A vector of ones or zeros, where the layer has no such weight. */
  weightOr(name: string, fallback: 0 | 1, shape: readonly number[]): string {
    if (this.has(name)) return this.weight(name);
    const size = shape.reduce((product, one) => product * one, 1);
    return this.graph.floats(`${fallback} of ${shape.join(' ')}`, shape, () => new Float32Array(size).fill(fallback));
  }

  /** A value of a node's output, of the layout of `like`. */
  value(name: string, shape: SymbolicShape, like: Value): Value {
    return { name, shape, channelsFirst: like.channelsFirst && shape.length === 4, element: like.element };
  }

  /** Shape of the layer's output. */
  outputShape(inputs: readonly Value[]): SymbolicShape {
    return this.layer.computeOutputShape(inputs.map((x) => x.shape));
  }

  /** Applies an activation. */
  activate(x: Value, activation: LayerActivation): Value {
    const { applied, name, defined } = activation;
    if (defined !== null) {
      const fix = 'leave the layer out of the model that is exported';
      throw this.refused('activation', "one of ONNX's", `the formula '${name}'`, fix);
    }
    if (applied === null) {
      const last = x.shape.length - 1;
      const axis = x.channelsFirst ? imageAxis(last) : last;
      return { ...x, name: this.graph.node(name === 'softmax' ? 'Softmax' : 'LogSoftmax', [x.name], { axis }) };
    }
    const made = writeActivation(this.graph, x.name, applied);
    if (made !== null) return { ...x, name: made };
    throw this.refused(
      'activation',
      "one of ONNX's",
      applied.name,
      'leave the layer out of the model that is exported',
    );
  }

  /** Sizes for Reshape: the batch as it is, one size worked out. */
  sizes(shape: SymbolicShape): string {
    const [, ...sizes] = shape;
    if (sizes.filter((size) => size === null).length > 1 || sizes.includes(0)) {
      throw this.refused('output', 'one unknown size besides the batch, and none of 0', [...shape]);
    }
    return this.graph.sizes([0, ...sizes.map((size) => size ?? -1)]);
  }
}
