// Tensors as nested arrays and as text.
import type { DType } from './dtype.js';
import type { Shape } from './shape.js';

/** A number, or arrays of arrays of numbers as deep as the rank. */
export type Nested = number | Nested[];

export function nest(shape: Shape, data: ArrayLike<number>): Nested {
  let at = 0;
  const build = (axis: number): Nested => {
    if (axis === shape.length) return data[at++]!;
    const list: Nested[] = [];
    for (let i = 0; i < shape[axis]!; i++) list.push(build(axis + 1));
    return list;
  };
  return build(0);
}

const EDGE = 3;

function formatValue(value: number, dtype: DType): string {
  if (dtype === 'bool') return value === 0 ? 'false' : 'true';
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(7)));
}

/** Up to six entries an axis are shown, the middle of longer ones as "...". */
export function formatTensor(shape: Shape, dtype: DType, data: ArrayLike<number>): string {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const build = (axis: number, offset: number): string => {
    if (axis === shape.length) return formatValue(data[offset]!, dtype);
    const size = shape[axis]!;
    const long = size > 2 * EDGE;
    const shown = long
      ? [...Array(EDGE).keys(), -1, ...Array.from({ length: EDGE }, (_, i) => size - EDGE + i)]
      : [...Array(size).keys()];
    const parts = shown.map((i) => (i < 0 ? '...' : build(axis + 1, offset + i * strides[axis]!)));
    const inner = axis === shape.length - 1;
    return `[${parts.join(inner ? ', ' : `,\n${' '.repeat(axis + 1)}`)}]`;
  };
  return `${dtype} [${shape.join(',')}]\n${build(0, 0)}`;
}
