// Softmax with cross-entropy, a loss for each row of logits. While a gradient is being taken, forward computes the logits'
// gradient with the loss, when the row is at hand; backward only multiplies it by dy. So it does the class's rank, for metrics.
import { invalid } from '../errors.js';
import { isRecording } from '../autograd/tape.js';
import { NativeOp, run } from '../tensor/backend.js';
import { castRaw, convert, sameBackend, type TensorLike } from '../tensor/convert.js';
import { isFloat, type DType } from '../tensor/dtype.js';
import { sameShape } from '../tensor/shape.js';
import { makeFromBytes, makeOne, Tensor } from '../tensor/tensor.js';
import { add, mul, sub } from './arithmetic.js';
import { cast } from './cast.js';
import { equal } from './comparison.js';
import { floatOperand, recordOne } from './define.js';
import { neg } from './elementwise.js';
import { noteRanks, wantsRanks } from './noted.js';
import { sum } from './reductions.js';
import { expandDims } from './reshape.js';
import { logSoftmax, softmax } from './softmax.js';

const DENSE = new NativeOp('softmaxCrossEntropy');
const SPARSE = new NativeOp('sparseSoftmaxCrossEntropy');
const SCALE_ROWS = new NativeOp('scaleRows');

/** The dtype losses and statistics are kept in: float32 for the half types. */
export function wideDType(dtype: DType): DType {
  return dtype === 'float16' || dtype === 'bfloat16' ? 'float32' : dtype;
}

/** The logits of a cross-entropy: rank and classes checked. */
function logitsOperand(op: string, value: TensorLike): Tensor {
  const logits = floatOperand(op, 'logits', value);
  if (logits.rank === 0 || logits.shape[logits.rank - 1] === 0) {
    throw invalid('ERR_SHAPE', op, 'logits', 'a last axis of at least 1 class', [...logits.shape]);
  }
  return logits;
}

/** Losses of the rows, and their gradient if a tape may ask for it. `exact` makes the gradient for dy 1 by ops. */
function lossOfRows(op: NativeOp, logits: Tensor, labels: Tensor, params: number[], exact: () => Tensor): Tensor {
  const { backend, dtype, shape } = logits;
  const lossShape = shape.slice(0, -1);
  const lossDType = wideDType(dtype);
  const loss = new Tensor(backend, lossShape, lossDType);
  const lossOutput = { holder: loss, shape: lossShape, dtype: lossDType };
  const ranks = wantsRanks() ? new Tensor(backend, lossShape, 'int32') : null;
  const rankOutputs = ranks === null ? [] : [{ holder: ranks, shape: lossShape, dtype: 'int32' as const }];
  const settings = [...params, ranks === null ? 0 : 1];
  if (ranks !== null) noteRanks(ranks);
  if (!isRecording()) {
    run(backend, op, [logits, labels], [lossOutput, ...rankOutputs], settings);
    return loss;
  }
  const gradient = new Tensor(backend, shape, dtype);
  run(backend, op, [logits, labels], [lossOutput, { holder: gradient, shape, dtype }, ...rankOutputs], settings);
  return recordOne(loss, [logits], (dy) => {
    if (isRecording()) return [cast(mul(expandDims(dy, -1), exact()), dtype)];
    return [makeOne(backend, SCALE_ROWS, [gradient, dy], shape, dtype)];
  });
}

/**
 * -sum(labels log(softmax(logits))) of every row, with labels drawn towards 1 / classes by `labelSmoothing`. The result is
 * float32 for half logits.
 */
export function softmaxCrossEntropyOfRows(
  op: string,
  onehotLabels: TensorLike,
  logitsLike: TensorLike,
  labelSmoothing: number,
): Tensor {
  const given = convert(op, 'onehotLabels', onehotLabels);
  const logits = logitsOperand(op, logitsLike);
  sameBackend(op, given, logits);
  if (!sameShape(given.shape, logits.shape)) {
    throw invalid('ERR_SHAPE', op, 'onehotLabels', `logits' shape [${logits.shape.join(',')}]`, [...given.shape]);
  }
  if (!(labelSmoothing >= 0 && labelSmoothing <= 1)) {
    throw invalid('ERR_ARGUMENT', op, 'labelSmoothing', 'a number in [0, 1]', labelSmoothing);
  }
  const labels = cast(given, logits.dtype);
  const classes = logits.shape[logits.rank - 1]!;
  const keep = 1 - labelSmoothing;
  const loss = lossOfRows(DENSE, logits, labels, [labelSmoothing], () => {
    const target = add(mul(cast(labels, loss.dtype), keep), labelSmoothing / classes);
    return sub(mul(softmax(cast(logits, loss.dtype)), sum(target, -1, true)), target);
  });
  // An entry of its own: a tape keeps it only when the labels are what is differentiated by.
  return recordOne(loss, [labels], (dy) => {
    const each = mul(neg(logSoftmax(cast(logits, loss.dtype))), keep);
    return [cast(mul(expandDims(dy, -1), each), labels.dtype)];
  });
}

/**
 * -log(softmax(logits)) at each row's class number, int32 labels of logits' shape without the last axis. A label outside
 * [0, classes) makes the loss of its row, and its gradient, NaN: the device cannot throw. float32 for half logits.
 */
export function sparseSoftmaxCrossEntropyOfRows(op: string, labelsLike: TensorLike, logitsLike: TensorLike): Tensor {
  const given = convert(op, 'labels', labelsLike);
  const logits = logitsOperand(op, logitsLike);
  sameBackend(op, given, logits);
  if (isFloat(given.dtype)) {
    throw invalid('ERR_DTYPE', op, 'labels', 'an int32 tensor', given.dtype, "use labels.cast('int32')");
  }
  if (!sameShape(given.shape, logits.shape.slice(0, -1))) {
    const expected = `logits' shape without the last axis, [${logits.shape.slice(0, -1).join(',')}]`;
    throw invalid('ERR_SHAPE', op, 'labels', expected, [...given.shape]);
  }
  const labels = castRaw(given, 'int32');
  const classes = logits.shape[logits.rank - 1]!;
  const loss = lossOfRows(SPARSE, logits, labels, [], () => {
    const numbers = Int32Array.from({ length: classes }, (_, i) => i);
    const every = makeFromBytes(logits.backend, new Uint8Array(numbers.buffer), [classes], 'int32');
    const target = cast(equal(expandDims(labels, -1), every), loss.dtype);
    return sub(softmax(cast(logits, loss.dtype)), target);
  });
  return loss;
}
