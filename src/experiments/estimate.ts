// A number measured with several seeds: its mean, how far that may be off, and whether it is above another.

/** A mean and how far it may be off. */
export interface Estimate {
  readonly mean: number;
  /** Standard error over seeds; undefined for a single seed, whose spread is not known. */
  readonly error: number | undefined;
}

/** Mean and standard error of the values of several seeds. */
export function estimateOf(values: readonly number[]): Estimate {
  const mean = values.reduce((sum, each) => sum + each, 0) / values.length;
  if (values.length < 2) return { mean, error: undefined };
  const variance = values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (values.length - 1);
  return { mean, error: Math.sqrt(variance / values.length) };
}

/** Whether `a` is clearly, barely or not above `b`. Clearly: by two standard errors of the difference. */
export function isAbove(a: Estimate, b: Estimate): 'clearly' | 'barely' | 'not' {
  if (!(a.mean > b.mean)) return 'not';
  if (a.error === undefined || b.error === undefined) return 'barely';
  return a.mean - b.mean > 2 * Math.hypot(a.error, b.error) ? 'clearly' : 'barely';
}
