// Which samples of a batch a rank takes, where several processes train on one.

/** A rank among others. */
export interface Shard {
  readonly rank: number;
  readonly size: number;
}

/** A rank's part of the samples from `start` to `end`. */
export interface ShardPart {
  readonly from: number;
  readonly to: number;
  /** Its samples' number over that of the batch: what its mean loss counts in the batch's. */
  readonly share: number;
}

/**
 * Consecutive parts whose sizes differ by one at most. Where there are fewer samples than ranks, a rank without one computes
 * the first, which counts nothing: every rank takes every step.
 */
export function partOf(start: number, end: number, shard: Shard | null): ShardPart {
  if (shard === null) return { from: start, to: end, share: 1 };
  const count = end - start;
  const at = (rank: number): number => start + Math.floor((count * rank) / shard.size);
  const [from, to] = [at(shard.rank), at(shard.rank + 1)];
  return from === to ? { from: start, to: start + 1, share: 0 } : { from, to, share: (to - from) / count };
}
