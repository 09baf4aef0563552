// Numbers measured several times, and when one counts as larger than another.

/** A mean and how far it may be off. */
export interface Estimate {
  readonly mean: number;
  /** Standard error over the values; undefined for a single one, whose spread is not known. */
  readonly error: number | undefined;
}

/** Mean and standard error. */
export function estimateOf(values: readonly number[]): Estimate {
  const mean = values.reduce((sum, each) => sum + each, 0) / values.length;
  if (values.length < 2) return { mean, error: undefined };
  const variance = values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (values.length - 1);
  return { mean, error: Math.sqrt(variance / values.length) };
}

/** Whether one is above another: beyond the spread, within it, or not. */
export type Above = 'clearly' | 'barely' | 'not';

/** Whether `a` is clearly, barely or not above `b`. Clearly: by two standard errors of the difference. */
export function isAbove(a: Estimate, b: Estimate): Above {
  if (!(a.mean > b.mean)) return 'not';
  if (a.error === undefined || b.error === undefined) return 'barely';
  return a.mean - b.mean > 2 * Math.hypot(a.error, b.error) ? 'clearly' : 'barely';
}
