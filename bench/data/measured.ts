// A trial, and one round of it.

/** Something measured: how many there are, what they are, and how long they took in each round, in seconds. */
export interface Trial {
  readonly name: string;
  readonly count: number;
  readonly unit: string;
  /** The trial that this one is held against. */
  readonly against?: string;
  run(): Promise<Measured> | Measured;
}

/** One round: seconds, those of all processors, and the share of the first that the main thread was busy. */
export interface Measured {
  readonly seconds: number;
  readonly processor: number;
  readonly busy: number;
}

/** Runs something once. */
export async function measured(work: () => Promise<void> | void): Promise<Measured> {
  const before = performance.eventLoopUtilization();
  const used = process.cpuUsage();
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(used);
  return { seconds, processor: (user + system) / 1e6, busy: performance.eventLoopUtilization(before).utilization };
}
