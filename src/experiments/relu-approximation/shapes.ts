// What a learnt function is: the ReLU it was to learn, a straight line (the unit is linear), a constant (the unit is dead), or
// something else.
import { abs, square } from '../../ops/elementwise.js';
import { add, div, mul, sub } from '../../ops/arithmetic.js';
import { max, mean, min, sum } from '../../ops/reductions.js';
import { COLORS } from '../../report/chart.js';
import type { Tensor } from '../../tensor/tensor.js';

export type Shape = 'learnt' | 'line' | 'constant' | 'other';
/** In the order in which they are drawn and counted. */
export const SHAPES: readonly Shape[] = ['learnt', 'line', 'constant', 'other'];

export const SHAPE_WORDS: Readonly<Record<Shape, string>> = {
  learnt: 'learns ReLU',
  line: 'straight line',
  constant: 'constant',
  other: 'something else',
};
export const SHAPE_COLORS: Readonly<Record<Shape, string>> = {
  learnt: COLORS.blue,
  line: COLORS.orange,
  constant: '#374151',
  other: '#d1d5db',
};

/** Half the error of the best straight line. Fits end well below it, or well above. */
export const LEARNT_ERROR = 1 / 32;
/** So close to the best straight line's error, a fit is one. */
export const ON_LINE = 0.005;
/** A function that is nowhere further from its best straight line is one. ReLU's own distance is 0.16. */
const STRAIGHT = 0.015;
/** A line that rises less over the range is a constant. */
const FLAT = 0.03;

/**
 * The shape of each learnt function.
 * @param y Their values, [functions, points].
 * @param x The points, whose mean is 0.
 * @param errors The error of each at the end.
 */
export function shapesOf(y: Tensor, x: Tensor, errors: readonly number[]): Shape[] {
  const middle = mean(y, 1, true);
  const slope = div(sum(mul(y, x), 1, true), sum(square(x)));
  const bends = max(abs(sub(y, add(middle, mul(slope, x)))), 1).dataSync();
  const heights = sub(max(y, 1), min(y, 1)).dataSync();
  return errors.map((error, i) => {
    if (error < LEARNT_ERROR) return 'learnt';
    if (!(bends[i]! < STRAIGHT)) return 'other';
    return heights[i]! < FLAT ? 'constant' : 'line';
  });
}
