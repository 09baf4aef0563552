// One layer's outputs summed up by one native pass: the moments of each unit and what kind of unit it was.
import type { UnitRanges } from '../layers/unit-ranges.js';
import { NativeOp } from '../tensor/backend.js';
import { castRaw } from '../tensor/convert.js';
import { isFloat } from '../tensor/dtype.js';
import { withoutScope } from '../tensor/scope.js';
import { sizeOf } from '../tensor/shape.js';
import { makeOne, type Tensor } from '../tensor/tensor.js';

const UNIT_STATISTICS = new NativeOp('unitStatistics');
/** An interval that nothing lies in. */
const NOWHERE = [Infinity, -Infinity] as const;
/** Kinds of units as the native op numbers them; 0 is a unit that works. */
const KINDS = ['active', 'dead', 'linear', 'saturated', 'nonFinite'] as const;
export type UnitKind = (typeof KINDS)[number];

/** A layer's units over a batch. */
export interface UnitSummary {
  readonly units: number;
  /** Values of each unit: samples, times positions in images and sequences. */
  readonly rows: number;
  /** Over all finite outputs; NaN where there are none. */
  readonly mean: number;
  readonly variance: number;
  /** How many units are of each kind; each is of the first kind that fits: not finite, dead, linear, saturated. */
  readonly counts: Readonly<Record<UnitKind, number>>;
}

/**
 * Queues the pass over a layer's output, whose last axis is its units; nothing is read yet.
 * @param ranges null where only moments are of interest: everything else counts as active then, unless it is not finite.
 * @returns What gives the summary once, and waits for the device to do so; null for outputs that are no floats, or empty.
 */
export function queueStatistics(
  y: Tensor,
  x: Tensor | undefined,
  ranges: UnitRanges | null,
): (() => UnitSummary) | null {
  const units = y.rank > 1 ? y.shape[y.rank - 1]! : 1;
  if (!isFloat(y.dtype) || y.size === 0) return null;
  const rows = sizeOf(y.shape) / units;
  const { above, below } = ranges?.lines ?? { above: null, below: null };
  const limits = ranges?.saturated ?? { below: -Infinity, above: Infinity };
  const bounds = [...(above ?? NOWHERE), ...(below ?? NOWHERE), limits.below, limits.above];
  const judged = ranges?.judgedBy === 'input' && x !== undefined ? castRaw(x, y.dtype) : null;
  // A nested model's scope ends before the statistics are read.
  const result = withoutScope(() => makeOne(y.backend, UNIT_STATISTICS, [y, judged], [4, units], 'float64', bounds));
  return () => {
    const values = result.dataSync() as Float64Array;
    result.dispose();
    return summary(values, units, rows, ranges !== null);
  };
}

function summary(values: Float64Array, units: number, rows: number, judged: boolean): UnitSummary {
  const [means, variances, counted, kinds] = [0, 1, 2, 3].map((row) => values.subarray(row * units, (row + 1) * units));
  let finite = 0;
  let mean = 0;
  for (let unit = 0; unit < units; unit++) {
    const count = counted![unit]!;
    if (count === 0) continue;
    finite += count;
    mean += ((means![unit]! - mean) * count) / finite;
  }
  let squares = 0;
  const counts: Record<UnitKind, number> = { active: 0, dead: 0, linear: 0, saturated: 0, nonFinite: 0 };
  for (let unit = 0; unit < units; unit++) {
    const kind = KINDS[kinds![unit]!]!;
    counts[judged || kind === 'nonFinite' ? kind : 'active']++;
    const count = counted![unit]!;
    if (count > 0) squares += count * (variances![unit]! + (means![unit]! - mean) ** 2);
  }
  return finite === 0
    ? { units, rows, mean: NaN, variance: NaN, counts }
    : { units, rows, mean, variance: squares / finite, counts };
}
