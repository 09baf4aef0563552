// Whether a series of measurements stays where it is: its slope, by least squares, over what came after the warm-up.

/** One look at the process. */
export interface Sample {
  readonly minutes: number;
  readonly rounds: number;
  readonly rssMiB: number;
  readonly heapMiB: number;
  readonly externalMiB: number;
  readonly numTensors: number;
  readonly numBytes: number;
  readonly cachedBytes: number;
  readonly openFiles: number;
  readonly threads: number;
}

export type Quantity = Exclude<keyof Sample, 'minutes' | 'rounds'>;

/** How much each may grow, by the hour: resident memory by what the system's allocator and V8's heap move about in half an hour. */
export const MOST_PER_HOUR: Readonly<Record<Quantity, number>> = {
  rssMiB: 12,
  heapMiB: 6,
  externalMiB: 6,
  numTensors: 2,
  numBytes: 20_000,
  cachedBytes: 2 * 2 ** 20,
  openFiles: 2,
  threads: 2,
};

/** The share of the time in which caches fill and code is compiled. */
export const WARM_UP = 1 / 3;

/** The samples that count. */
export function settled(samples: readonly Sample[]): readonly Sample[] {
  const end = samples.at(-1)?.minutes ?? 0;
  return samples.filter(({ minutes }) => minutes >= end * WARM_UP);
}

/** What a quantity grows by in an hour; 0 where there are less than two samples. */
export function slopePerHour(samples: readonly Sample[], quantity: Quantity): number {
  const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;
  const times = samples.map(({ minutes }) => minutes / 60);
  const values = samples.map((sample) => sample[quantity]);
  const [time, value] = [mean(times), mean(values)];
  const spread = times.reduce((sum, t) => sum + (t - time) ** 2, 0);
  if (!(spread > 0)) return 0;
  return times.reduce((sum, t, i) => sum + (t - time) * (values[i]! - value), 0) / spread;
}

/** The quantities that grow by more than they may. */
export function growing(samples: readonly Sample[]): { quantity: Quantity; perHour: number }[] {
  const counted = settled(samples);
  return (Object.keys(MOST_PER_HOUR) as Quantity[])
    .map((quantity) => ({ quantity, perHour: slopePerHour(counted, quantity) }))
    .filter(({ quantity, perHour }) => !(perHour <= MOST_PER_HOUR[quantity]));
}
