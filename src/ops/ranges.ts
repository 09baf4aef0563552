// Tensors of regular values: range, linspace, eye.
import { invalid } from '../errors.js';
import { NativeOp } from '../tensor/backend.js';
import { currentBackend } from '../tensor/device.js';
import { DTYPES, isDType, type DType } from '../tensor/dtype.js';
import { checkShape, type Shape } from '../tensor/shape.js';
import { makeOne, type Tensor } from '../tensor/tensor.js';
import { broadcastTo } from './broadcast.js';

const RANGE = new NativeOp('range');
const LINSPACE = new NativeOp('linspace');
const ONE_HOT = new NativeOp('oneHot');

function checkNumber(op: string, argument: string, value: unknown): void {
  if (!Number.isFinite(value)) throw invalid('ERR_ARGUMENT', op, argument, 'a finite number', value);
}

/**
 * start, start + step, ... up to, and without, stop.
 * @param step Default 1, or -1 where stop lies below start. A step that leads away from stop gives an empty tensor.
 * @param dtype Default float32.
 */
export function range(start: number, stop: number, step = 1, dtype: DType = 'float32'): Tensor<[number]> {
  checkNumber('range', 'start', start);
  checkNumber('range', 'stop', stop);
  checkNumber('range', 'step', step);
  if (step === 0) throw invalid('ERR_ARGUMENT', 'range', 'step', 'a number other than 0', step);
  if (!isDType(dtype)) throw invalid('ERR_DTYPE', 'range', 'dtype', `one of ${DTYPES.join(', ')}`, dtype);
  const stride = step === 1 && stop < start ? -1 : step;
  const shape = [Math.max(0, Math.ceil((stop - start) / stride))];
  checkShape('range', 'step', shape);
  return makeOne(currentBackend(), RANGE, [], shape, dtype, [start, stride]) as unknown as Tensor<[number]>;
}

/** `num` values from start to stop, evenly spaced, both ends included; float32. */
export function linspace(start: number, stop: number, num: number): Tensor<[number]> {
  checkNumber('linspace', 'start', start);
  checkNumber('linspace', 'stop', stop);
  if (!Number.isInteger(num) || num < 1) {
    throw invalid('ERR_ARGUMENT', 'linspace', 'num', 'an integer of at least 1', num);
  }
  return makeOne(currentBackend(), LINSPACE, [], [num], 'float32', [start, stop]) as unknown as Tensor<[number]>;
}

/**
 * Ones on the diagonal, zeros elsewhere.
 * @param numColumns Default: numRows.
 * @param batchShape Axes in front, along which the matrix repeats.
 * @param dtype Default float32.
 */
export function eye(numRows: number, numColumns = numRows, batchShape?: Shape, dtype: DType = 'float32'): Tensor {
  checkShape('eye', 'numRows, numColumns', [numRows, numColumns]);
  if (batchShape !== undefined) checkShape('eye', 'batchShape', batchShape);
  if (!isDType(dtype)) throw invalid('ERR_DTYPE', 'eye', 'dtype', `one of ${DTYPES.join(', ')}`, dtype);
  const backend = currentBackend();
  const rows = makeOne(backend, RANGE, [], [numRows], 'int32', [0, 1]);
  const matrix = makeOne(backend, ONE_HOT, [rows], [numRows, numColumns], dtype, [1, 0]);
  rows.dispose();
  return batchShape === undefined ? matrix : broadcastTo(matrix, [...batchShape, numRows, numColumns]);
}
