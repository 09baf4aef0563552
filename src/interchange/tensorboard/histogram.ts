// A histogram as event files hold it: moments, the right edges of buckets and how many values lie in each.

export interface Histogram {
  readonly min: number;
  readonly max: number;
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  /** Right edges of the buckets. */
  readonly limits: readonly number[];
  readonly counts: readonly number[];
}

/**
 * Counts values in buckets of one width between the smallest and the largest. NaN and infinite values are left out. Equal
 * values have one bucket.
 */
export function histogramOf(values: ArrayLike<number>, buckets: number): Histogram {
  let [min, max, count, sum, sumOfSquares] = [Infinity, -Infinity, 0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) continue;
    min = Math.min(min, value);
    max = Math.max(max, value);
    count++;
    sum += value;
    sumOfSquares += value * value;
  }
  if (count === 0) return { min: 0, max: 0, count, sum, sumOfSquares, limits: [0], counts: [0] };
  if (min === max) return { min, max, count, sum, sumOfSquares, limits: [max], counts: [count] };
  const width = (max - min) / buckets;
  const counts = new Array<number>(buckets).fill(0);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (Number.isFinite(value)) counts[Math.min(buckets - 1, Math.floor((value - min) / width))]!++;
  }
  const limits = counts.map((_, i) => (i === buckets - 1 ? max : min + width * (i + 1)));
  return { min, max, count, sum, sumOfSquares, limits, counts };
}
