// What a batch costs, measured with models taking turns: a machine that becomes slower for a while slows all of them.
import { setImmediate as turn } from 'node:timers/promises';
import type { Feed } from '../models/feed.js';
import type { Model } from '../models/model.js';
import type { Above } from './estimate.js';
import { Interrupted, type RunContext } from './experiment.js';
import { median } from './median.js';

/** What the models are trained on in a turn, all of it once. */
export interface TurnData {
  readonly x: Feed;
  readonly y: Feed;
  readonly batchSize: number;
  /** Batches that this makes. */
  readonly batches: number;
}

/**
 * Seconds of a training batch of each compiled model, one value a round.
 * @param rounds How many are counted. One more comes first, which sets the libraries up.
 * @throws Interrupted
 */
export async function secondsInTurns(
  { signal }: RunContext,
  models: readonly Model[],
  { x, y, batchSize, batches }: TurnData,
  rounds: number,
): Promise<number[][]> {
  const times = models.map((): number[] => []);
  for (let round = 0; round <= rounds; round++) {
    for (const [i, model] of models.entries()) {
      await turn();
      if (signal.aborted) throw new Interrupted();
      const begun = performance.now();
      await model.fit(x, y, { batchSize, epochs: 1, shuffle: false, verbose: 0, yieldEvery: 'never' });
      if (round > 0) times[i]!.push((performance.now() - begun) / 1000 / batches);
    }
  }
  return times;
}

/** Whether a ratio of times is above 1: clearly, when all but at most one round in ten say so. */
export function isSlower(ratios: readonly number[]): Above {
  const middle = median(ratios);
  if (!(middle > 1)) return 'not';
  const against = ratios.filter((ratio) => ratio <= 1).length;
  return against <= ratios.length / 10 ? 'clearly' : 'barely';
}

/** +12% or −3%, beside 1. */
export const changeOf = (ratio: number): string =>
  `${ratio >= 1 ? '+' : '−'}${Math.abs(100 * (ratio - 1)).toFixed(0)}%`;
