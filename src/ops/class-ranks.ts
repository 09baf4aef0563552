// Where labelled classes stand among scores, one number a row: what accuracies are made of. One native pass, or none, where a
// cross-entropy of the same predictions has left the ranks.
import { invalid } from '../errors.js';
import { NativeOp } from '../tensor/backend.js';
import { castRaw, convert, sameBackend } from '../tensor/convert.js';
import { sameShape } from '../tensor/shape.js';
import { makeOne, type Tensor } from '../tensor/tensor.js';
import { floatOperand } from './define.js';
import { ranksOf } from './noted.js';

const DENSE = new NativeOp('classRanks');
/** The rank of what is right for no k. */
export const NO_RANK = 2 ** 31 - 1;
const SPARSE = new NativeOp('sparseClassRanks');

/**
 * For each row of scores `[..., classes]` twice the number of classes with a larger score than the labelled one, and one more
 * if an equal one comes before it: 0 where argMax finds the class, below 2k where it is among the k largest, ties being right.
 * NaN counts as larger than every number; a class whose own score is NaN, or that is none, gets NO_RANK.
 * @param labels `'one-hot'`: of scores' shape, the largest is the class's; `'numbers'`: without the last axis, or with one of size 1.
 * @returns int32 of scores' shape without the last axis. It has no gradient.
 */
export function classRanks(op: string, kind: 'one-hot' | 'numbers', labels: Tensor, scores: Tensor): Tensor {
  const noted = ranksOf(labels, scores);
  if (noted !== undefined) return noted;
  const x = floatOperand(op, 'yPred', scores);
  const given = convert(op, 'yTrue', labels);
  const backend = sameBackend(op, given, x);
  if (x.rank === 0 || x.shape[x.rank - 1] === 0) {
    throw invalid('ERR_SHAPE', op, 'yPred', 'a last axis of at least 1 class', [...x.shape]);
  }
  const rows = x.shape.slice(0, -1);
  if (kind === 'one-hot') {
    if (sameShape(given.shape, x.shape)) return makeOne(backend, DENSE, [x, castRaw(given, x.dtype)], rows, 'int32');
    throw invalid('ERR_SHAPE', op, 'yTrue', `yPred's shape [${x.shape.join(',')}]`, [...given.shape]);
  }
  if (sameShape(given.shape, rows) || sameShape(given.shape, [...rows, 1])) {
    return makeOne(backend, SPARSE, [x, castRaw(given, 'int32')], rows, 'int32');
  }
  throw invalid('ERR_SHAPE', op, 'yTrue', `class numbers of shape [${rows.join(',')}]`, [...given.shape]);
}
