// Shapes at run time: size, axes, broadcasting, and the errors that name them.
import { invalid } from '../errors.js';

/** Sizes of the axes, outermost first. */
export type Shape = readonly number[];

/** Largest rank the native side takes. */
export const MAX_RANK = 8;

export function sizeOf(shape: Shape): number {
  let size = 1;
  for (let axis = 0; axis < shape.length; axis++) size *= shape[axis]!;
  return size;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a.length !== b.length) return false;
  for (let axis = 0; axis < a.length; axis++) if (a[axis] !== b[axis]) return false;
  return true;
}

/** Checks a shape given by the user: integers of at least 0, at most 8 of them, fewer than 2^53 elements. */
export function checkShape(op: string, argument: string, shape: unknown): asserts shape is number[] {
  if (!Array.isArray(shape) || !shape.every((size) => Number.isInteger(size) && (size as number) >= 0)) {
    throw invalid('ERR_SHAPE', op, argument, 'an array of integers of at least 0', shape);
  }
  if (shape.length > MAX_RANK) throw invalid('ERR_SHAPE', op, argument, `a rank of at most ${MAX_RANK}`, shape);
  if (!Number.isSafeInteger(sizeOf(shape))) {
    throw invalid('ERR_SHAPE', op, argument, 'fewer than 2^53 elements', shape);
  }
}

/** The shape two operands broadcast to; throws when they do not. */
export function broadcastShapes(op: string, a: Shape, b: Shape): Shape {
  if (sameShape(a, b)) return a;
  const rank = Math.max(a.length, b.length);
  const shape = new Array<number>(rank);
  for (let i = 1; i <= rank; i++) {
    const x = a[a.length - i] ?? 1;
    const y = b[b.length - i] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw invalid('ERR_SHAPE', op, 'b', `a shape that broadcasts with a's [${a.join(',')}]`, [...b]);
    }
    shape[rank - i] = x === 1 ? y : x;
  }
  return shape;
}

/** Whether `own` broadcasts to exactly `shape`. */
export function broadcastsTo(own: Shape, shape: Shape): boolean {
  const added = shape.length - own.length;
  return added >= 0 && own.every((size, axis) => size === 1 || size === shape[axis + added]);
}

/** One axis as an index from 0; negative ones count from the end. */
export function checkAxis(op: string, argument: string, axis: unknown, rank: number): number {
  if (!Number.isInteger(axis) || (axis as number) < -rank || (axis as number) >= rank) {
    throw invalid('ERR_ARGUMENT', op, argument, `an integer in [${-rank}, ${rank})`, axis);
  }
  return (axis as number) < 0 ? (axis as number) + rank : (axis as number);
}

/** Axes as sorted indices from 0; null or undefined means all. A repeated axis is refused. */
export function checkAxes(op: string, axis: number | readonly number[] | null | undefined, rank: number): number[] {
  if (axis === null || axis === undefined) return Array.from({ length: rank }, (_, i) => i);
  const list = Array.isArray(axis) ? axis : [axis];
  const axes = list.map((one: unknown) => checkAxis(op, 'axis', one, rank)).sort((x, y) => x - y);
  if (new Set(axes).size !== axes.length) throw invalid('ERR_ARGUMENT', op, 'axis', 'each axis once', axis);
  return axes;
}
