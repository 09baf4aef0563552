// What a layer demands of its inputs, and the error that names the layer and both shapes when they differ.
import { invalid } from '../errors.js';
import { formatShape, type SymbolicShape } from './symbolic.js';

/** Demands on one input. Axes may count from the end; the batch axis is axis 0. */
export interface InputSpec {
  /** What errors call the input. */
  readonly name?: string;
  readonly rank?: number;
  readonly minRank?: number;
  readonly maxRank?: number;
  /** Sizes of single axes: `{ [-1]: 64 }`. */
  readonly axes?: Readonly<Record<number, number>>;
}

/** The demands in words and numbers: `[null,null,null,3]` for rank 4 and 3 channels, `rank at least 2` otherwise. */
function describe({ rank, minRank, maxRank, axes = {} }: InputSpec): string {
  const sized = Object.entries(axes);
  if (rank !== undefined) {
    const shape = new Array<number | null>(rank).fill(null);
    for (const [axis, size] of sized) shape[Number(axis) < 0 ? rank + Number(axis) : Number(axis)] = size;
    return `shape ${formatShape(shape)}`;
  }
  const parts: string[] = [];
  if (minRank !== undefined) parts.push(`rank at least ${minRank}`);
  if (maxRank !== undefined) parts.push(`rank at most ${maxRank}`);
  for (const [axis, size] of sized) parts.push(`size ${size} of axis ${axis}`);
  return parts.join(', ');
}

function fits(shape: SymbolicShape, { rank, minRank, maxRank, axes = {} }: InputSpec): boolean {
  if (rank !== undefined && shape.length !== rank) return false;
  if (minRank !== undefined && shape.length < minRank) return false;
  if (maxRank !== undefined && shape.length > maxRank) return false;
  return Object.entries(axes).every(([key, size]) => {
    const axis = Number(key);
    const found = shape[axis < 0 ? shape.length + axis : axis];
    return found === null || found === size;
  });
}

/** Checks the number of inputs and each one's shape. */
export function checkInputs(
  layer: string,
  specs: readonly (InputSpec | null)[] | null,
  inputs: readonly { readonly shape: SymbolicShape }[],
): void {
  if (specs === null) return;
  if (inputs.length !== specs.length) {
    const shapes = inputs.map(({ shape }) => formatShape(shape)).join(', ');
    throw invalid('ERR_SHAPE', layer, 'inputs', `${specs.length} of them`, `${inputs.length} (${shapes})`);
  }
  specs.forEach((spec, i) => {
    const { shape } = inputs[i]!;
    if (spec === null || fits(shape, spec)) return;
    throw invalid('ERR_SHAPE', layer, spec.name ?? (specs.length === 1 ? 'input' : `inputs[${i}]`), describe(spec), [
      ...shape,
    ]);
  });
}

/** The demands of an input whose shape was declared. */
export function specOf(shape: SymbolicShape, name?: string): InputSpec {
  const axes: Record<number, number> = {};
  shape.forEach((size, axis) => {
    if (size !== null) axes[axis] = size;
  });
  return { rank: shape.length, axes, ...(name === undefined ? {} : { name }) };
}
