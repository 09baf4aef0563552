// Moments through deep networks with new weights: measured by the monitor, and as the theorem says.
import { randomNormal } from '../../ops/random.js';
import { monitor } from '../../self-normalizing/monitor.js';
import type { Moments } from '../../self-normalizing/moment-map.js';
import { theorem } from '../../self-normalizing/theorem.js';
import { tidy } from '../../tensor/memory.js';
import { setSeed } from '../../tensor/random-state.js';
import { buildStack, type Stack } from './network.js';

/** Moments of the inputs, then of each layer. */
export interface Profile {
  readonly mean: readonly number[];
  readonly variance: readonly number[];
}

const profileOf = (all: readonly Moments[]): Profile => ({
  mean: all.map(({ mean }) => mean),
  variance: all.map(({ variance }) => variance),
});

/** What the layers make of normal inputs with the moments of `start`. */
export function measure(stack: Stack, start: Moments, samples: number, seed: number): Profile {
  setSeed(seed);
  const model = buildStack(stack);
  try {
    return tidy(() => {
      const x = randomNormal([samples, stack.inputs], start.mean, Math.sqrt(start.variance));
      return profileOf([start, ...monitor(model, x).layers]);
    });
  } finally {
    model.dispose();
  }
}

/** What the moment map makes of them, for weights that add up to 0 in each unit. */
export function predict({ depth, constants }: Pick<Stack, 'depth' | 'constants'>, start: Moments): Profile {
  const all: Moments[] = [start];
  for (let layer = 0; layer < depth; layer++) {
    const { mean, variance } = all[layer]!;
    all.push(theorem({ ...constants, mean, variance }));
  }
  return profileOf(all);
}
