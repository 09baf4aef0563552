// Faults of the data that the device cannot report while it trains: a NaN, or a class number without a class, would only show
// as a loss of NaN. One pass before training finds them.
import { invalid } from '../errors.js';
import { isInf, isNaN as isNaNOf } from '../ops/elementwise.js';
import { logicalOr } from '../ops/comparison.js';
import { argMax, max, min, sum } from '../ops/reductions.js';
import { reshape } from '../ops/reshape.js';
import { slice } from '../ops/slice.js';
import { castRaw } from '../tensor/convert.js';
import { isFloat } from '../tensor/dtype.js';
import { tidy } from '../tensor/memory.js';
import type { Tensor } from '../tensor/tensor.js';
import type { CompiledOutput } from './compile.js';
import type { Samples } from './training-data.js';

/** Elements searched at a time once a fault is known: the masks stay small. */
const SEARCHED = 2 ** 22;

/** The first sample with a number that is not finite, and that number; null where all are finite. */
function findNotFinite(tensor: Tensor): { sample: number; value: number } | null {
  const samples = tensor.shape[0]!;
  const each = tensor.size / samples;
  const rows = Math.max(1, Math.floor(SEARCHED / each));
  const table = reshape(tensor, [samples, each]);
  for (let start = 0; start < samples; start += rows) {
    const part = reshape(slice(table, [start, 0], [Math.min(rows, samples - start), each]), [-1]);
    const mask = castRaw(logicalOr(isNaNOf(part), isInf(part)), 'int32');
    const at = argMax(mask, 0).dataSync()[0]!;
    const value = slice(part, at, 1).dataSync()[0]!;
    if (!Number.isFinite(value)) return { sample: start + Math.floor(at / each), value };
  }
  return null;
}

function checkFinite(op: string, argument: string, tensor: Tensor): void {
  if (!isFloat(tensor.dtype) || tensor.size === 0) return;
  tidy(() => {
    // The sum of finite numbers is finite, save for overflow; one pass without a mask.
    if (Number.isFinite(sum(tensor).dataSync()[0]!)) return;
    const found = findNotFinite(tensor);
    if (found === null) return;
    throw invalid('ERR_ARGUMENT', op, argument, 'finite numbers', `${found.value} in sample ${found.sample}`);
  });
}

function checkClasses(op: string, argument: string, labels: Tensor, { shape, loss }: CompiledOutput): void {
  if (loss.labels !== 'class numbers' || labels.size === 0) return;
  const classes = shape.at(-1);
  if (typeof classes !== 'number') return;
  tidy(() => {
    const [low, high] = [min(labels).dataSync()[0]!, max(labels).dataSync()[0]!];
    if (low >= 0 && high < classes) return;
    const wrong = low < 0 ? low : high;
    throw invalid('ERR_ARGUMENT', op, argument, `class numbers from 0 to ${classes - 1}`, wrong);
  });
}

/**
 * Looks for what would make the loss NaN. Waits for the device.
 * @throws ArgumentError naming the tensor and the first bad sample, or the class number that is out of range.
 */
export function checkSamples(op: string, { xs, ys, weights }: Samples, outputs: readonly CompiledOutput[]): void {
  const label = (name: string, list: readonly unknown[], i: number): string =>
    list.length === 1 ? name : `${name}[${i}]`;
  xs.forEach((x, i) => checkFinite(op, label('x', xs, i), x));
  ys.forEach((y, i) => {
    checkFinite(op, label('y', ys, i), y);
    checkClasses(op, label('y', ys, i), y, outputs[i]!);
  });
  weights.forEach((weight, i) => {
    if (weight !== null) checkFinite(op, label('sampleWeight', weights, i), weight);
  });
}
