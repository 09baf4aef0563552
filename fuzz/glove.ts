// Word vectors: a word and numbers a line; plain, gzip or in a zip archive.
import { glove as readGlove, vocabulary } from '../src/data/index.js';
import { AWKWARD_NUMBERS, AWKWARD_TEXTS, type Choices } from './choices.js';
import { damaged, packed } from './damage.js';
import type { Target } from './target.js';
import { zipped } from './zip.js';

const WORDS = ['the', 'dog', ', ', 'a b', 'the', '.', ...AWKWARD_TEXTS] as const;

function build(choices: Choices): Uint8Array[] {
  const dimension = 1 + choices.below(4);
  const number = (): string =>
    choices.rarely(16) ? choices.pick(AWKWARD_TEXTS) : String(choices.pick([0.25, -1, 3, ...AWKWARD_NUMBERS]));
  const lines = choices.list(6, () => {
    const width = choices.rarely(10) ? choices.below(6) : dimension;
    return (
      [choices.pick(WORDS), ...Array.from({ length: width }, number)].join(' ') + choices.pick(['\n', '\n', '\r\n'])
    );
  });
  if (choices.rarely(4)) lines.unshift(`${lines.length} ${dimension}\n`);
  const text = damaged(Buffer.from(lines.join('')), choices);
  return [choices.rarely(6) ? damaged(zipped([['vectors.txt', text]], choices), choices) : packed(text, choices)];
}

export const glove: Target = {
  files: ['vectors'],
  build,
  async read([file], choices) {
    await readGlove({
      file: file!,
      onBadRecord: choices.pick(['error', 'skip']),
      ...(choices.rarely(2) ? { vocabulary: vocabulary(['the dog the']) } : {}),
      ...(choices.rarely(4) ? { dimension: 1 + choices.below(4) } : {}),
      ...(choices.rarely(4) ? { missing: 'normal' as const } : {}),
    });
  },
};
