// Bytes of images as numbers in [0, 1].
import { NativeOp, run } from '../tensor/backend.js';
import type { Tensor } from '../tensor/tensor.js';
import { cast } from './cast.js';
import { scalar } from './creation.js';

const DIV = new NativeOp('div');

/** uint8 x / 255 as float32. Divides in place: a whole data set takes its float32 size once, not twice. */
export function pixelsToUnit(x: Tensor): Tensor {
  const y = cast(x, 'float32');
  run(y.backend, DIV, [y, scalar(255)], [{ id: y.id }]);
  return y;
}
