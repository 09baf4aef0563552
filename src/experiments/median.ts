// The middle of a list of numbers.

/** The middle value; of an even number of them, the mean of the two in the middle. Infinity counts as the largest. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}
