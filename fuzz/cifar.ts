// CIFAR's binary records, of one or two labels each.
import { readCifar } from '../src/data/images/cifar.js';
import type { Choices } from './choices.js';
import { damaged, packed } from './damage.js';
import type { Target } from './target.js';

const PIXELS = 3 * 32 * 32;

function build(choices: Choices): Uint8Array[] {
  const labels = 1 + choices.below(2);
  const records = choices.list(3, () => Buffer.concat([choices.filled(labels), choices.filled(PIXELS)]));
  return [packed(damaged(Buffer.concat(records), choices), choices)];
}

export const cifar: Target = {
  files: ['batch.bin'],
  build,
  async read(paths, choices) {
    const classes = choices.pick([[10], [20, 100]]);
    await readCifar('fuzz', choices.rarely(8) ? [paths[0]!, paths[0]!] : paths, classes, {
      onBadRecord: choices.pick(['error', 'skip']),
    });
  },
};
