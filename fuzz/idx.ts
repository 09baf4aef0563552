// IDX, the format of MNIST: a magic number, sizes, bytes; gzip or not.
import { BadRecords } from '../src/data/files/bad-records.js';
import { readIdx, readIdxLabels } from '../src/data/images/idx.js';
import { AWKWARD_NUMBERS, type Choices } from './choices.js';
import { damaged, packed } from './damage.js';
import type { Target } from './target.js';

const ITEM = [3, 2] as const;

function build(choices: Choices): Uint8Array[] {
  const isImages = choices.byte() % 2 === 0;
  const count = choices.below(6);
  const sizes: number[] = isImages ? [count, ...ITEM] : [count];
  if (choices.rarely(6)) sizes[choices.below(sizes.length)] = choices.pick(AWKWARD_NUMBERS);
  const values = choices.filled(count * (isImages ? ITEM[0] * ITEM[1] : 1));
  const file = Buffer.alloc(4 + 4 * sizes.length + values.length);
  file.writeUInt32BE(0x0800 + (choices.rarely(8) ? choices.byte() : sizes.length));
  sizes.forEach((size, axis) => file.writeUInt32BE(size >>> 0, 4 + 4 * axis));
  file.set(values, 4 + 4 * sizes.length);
  return [packed(damaged(file, choices), choices)];
}

export const idx: Target = {
  files: ['file-idx'],
  build,
  async read([path], choices) {
    if (choices.byte() % 2 === 0) await readIdx('fuzz', path!, ITEM);
    else await readIdxLabels('fuzz', path!, 10, new BadRecords('fuzz', choices.pick(['error', 'skip'])));
  },
};
