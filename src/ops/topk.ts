// The largest values and where they are.
import { invalid } from '../errors.js';
import { isRecording, record } from '../autograd/tape.js';
import { NativeOp, run } from '../tensor/backend.js';
import { convert, type TensorLike } from '../tensor/convert.js';
import { Tensor } from '../tensor/tensor.js';
import { scatterAdd } from './gather.js';

const TOPK = new NativeOp('topk');

/**
 * The k largest values along the last axis, largest first, and their positions. Of equal values the lower position comes
 * first; NaN comes before every number. The gradient goes to the positions taken.
 * @param x A tensor of at least rank 1.
 * @param k How many (default 1), at most the size of the last axis.
 * @param sorted The result is sorted either way.
 * @returns values in x's dtype and indices in int32, both of shape [...x.shape without the last, k].
 */
export function topk(x: TensorLike, k = 1, sorted = true): { values: Tensor; indices: Tensor } {
  const input = convert('topk', 'x', x);
  if (input.rank === 0) throw invalid('ERR_SHAPE', 'topk', 'x', 'a rank of at least 1', []);
  const last = input.shape[input.rank - 1]!;
  if (!Number.isInteger(k) || k < 0 || k > last) {
    throw invalid('ERR_ARGUMENT', 'topk', 'k', `an integer from 0 to the last axis' size, ${last}`, k);
  }
  if (typeof sorted !== 'boolean') throw invalid('ERR_ARGUMENT', 'topk', 'sorted', 'a boolean', sorted);
  const shape = [...input.shape.slice(0, -1), k];
  const values = new Tensor<readonly number[]>(input.backend, shape, input.dtype);
  const indices = new Tensor<readonly number[]>(input.backend, shape, 'int32');
  run(
    input.backend,
    TOPK,
    [input],
    [
      { holder: values, shape, dtype: input.dtype },
      { holder: indices, shape, dtype: 'int32' },
    ],
  );
  if (isRecording()) {
    const axis = input.rank - 1;
    record([values], [input], ([dy]) => [dy == null ? null : scatterAdd(dy, indices, input.shape, axis, axis)]);
  }
  return { values, indices };
}
