// The graph that `layer.apply(symbolic)` draws: symbolic tensors and the nodes that made them. No values are computed here.
import { invalid } from '../errors.js';
import type { DType } from '../tensor/dtype.js';
import type { Layer } from './layer.js';
import { uniqueName } from './naming.js';

/** Sizes of the axes, batch first; null: any size. */
export type SymbolicShape = readonly (number | null)[];

/** A placeholder for a tensor: what `input()` and layers applied to placeholders give. */
export class SymbolicTensor {
  readonly name: string;
  constructor(
    readonly shape: SymbolicShape,
    readonly dtype: DType,
    /** The layer that makes it; an InputLayer for a model's input. */
    readonly sourceLayer: Layer,
    /** Which of the layer's calls made it, and which of that call's outputs it is. */
    readonly nodeIndex: number,
    readonly tensorIndex: number,
    name?: string,
  ) {
    this.name = name ?? uniqueName(`${sourceLayer.name}/output`);
  }

  get rank(): number {
    return this.shape.length;
  }
  /** The call that makes it. */
  get node(): GraphNode {
    return this.sourceLayer.inboundNodes[this.nodeIndex]!;
  }
}

/** One call of a layer on placeholders. A shared layer has several. */
export interface GraphNode {
  readonly layer: Layer;
  readonly inputs: readonly SymbolicTensor[];
  readonly outputs: readonly SymbolicTensor[];
}

/** A shape as messages show it: `[null,28,28,1]`. */
export const formatShape = (shape: SymbolicShape): string => `[${shape.map(String).join(',')}]`;
/** Several shapes as messages show them: one alone, more with commas between. */
export const formatShapes = (shapes: readonly SymbolicShape[]): string => shapes.map(formatShape).join(', ');

/** Whether a tensor of shape `actual` may stand where `expected` was declared. */
export function shapeFits(actual: SymbolicShape, expected: SymbolicShape): boolean {
  return (
    actual.length === expected.length &&
    expected.every((size, axis) => size === null || actual[axis] === null || actual[axis] === size)
  );
}

/** Checks a shape with unknown axes given by the user. */
export function checkSymbolicShape(op: string, argument: string, shape: unknown): asserts shape is SymbolicShape {
  const valid =
    Array.isArray(shape) &&
    shape.every((size) => size === null || size === undefined || (Number.isInteger(size) && (size as number) >= 0));
  if (!valid) throw invalid('ERR_SHAPE', op, argument, 'an array of integers of at least 0 and nulls', shape);
}
