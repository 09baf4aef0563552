// Tensors as plain float64 arrays, and the loops that the references are made of: an index at a time, nothing clever.

/** Values in row-major order. */
export interface Host {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, side) => product * side, 1);

/** The place of an index. */
export function placeOf(shape: readonly number[], index: readonly number[]): number {
  return index.reduce((place, at, axis) => place * shape[axis]! + at, 0);
}

/** A tensor from a function of the index. */
export function host(shape: readonly number[], value: (index: number[]) => number): Host {
  const data = new Float64Array(sizeOf(shape));
  const index = shape.map(() => 0);
  for (let place = 0; place < data.length; place++) {
    data[place] = value(index);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
  }
  return { shape, data };
}

export const at = ({ shape, data }: Host, index: readonly number[]): number => data[placeOf(shape, index)]!;

/** The element that broadcasting puts at an index of a tensor of at least the same rank. */
export function spreadAt(x: Host, index: readonly number[]): number {
  const own = index.slice(index.length - x.shape.length);
  return at(
    x,
    own.map((place, axis) => (x.shape[axis] === 1 ? 0 : place)),
  );
}

/** The shape that shapes broadcast to. */
export function broadcast(...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map(({ length }) => length));
  return Array.from({ length: rank }, (_, axis) =>
    shapes.reduce((size, shape) => {
      const own = shape[axis - rank + shape.length] ?? 1;
      return own === 1 ? size : own;
    }, 1),
  );
}

/** A function of each element. */
export const map = (x: Host, f: (value: number) => number): Host => host(x.shape, (index) => f(at(x, index)));

/** A function of two tensors' elements, broadcast. */
export const zip = (a: Host, b: Host, f: (a: number, b: number) => number): Host =>
  host(broadcast(a.shape, b.shape), (index) => f(spreadAt(a, index), spreadAt(b, index)));

/** A function of all elements along axes, in order. */
export function reduce(x: Host, axes: readonly number[], keepDims: boolean, f: (values: number[]) => number): Host {
  const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const reduced = x.shape.map((size, axis) => (axes.includes(axis) ? size : 1));
  const full = host(kept, (outer) => {
    const values: number[] = [];
    host(reduced, (inner) =>
      values.push(
        at(
          x,
          outer.map((place, axis) => place + inner[axis]!),
        ),
      ),
    );
    return f(values);
  });
  return keepDims ? full : { ...full, shape: x.shape.filter((_, axis) => !axes.includes(axis)) };
}

/** The same values in another shape. */
export const reshaped = (x: Host, shape: readonly number[]): Host => ({ ...x, shape });

export const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
