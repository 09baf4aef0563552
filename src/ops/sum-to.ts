// The backward of broadcasting: sums a gradient down to the shape its operand had.
import { sameShape, type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { sum } from './reductions.js';
import { reshape } from './reshape.js';

export function sumTo(dy: Tensor, shape: Shape): Tensor {
  if (sameShape(dy.shape, shape)) return dy;
  const added = dy.rank - shape.length;
  const axes: number[] = [];
  for (let axis = 0; axis < dy.rank; axis++) {
    if (axis < added || (shape[axis - added] === 1 && dy.shape[axis] !== 1)) axes.push(axis);
  }
  return reshape(axes.length === 0 ? dy : sum(dy, axes), shape);
}
