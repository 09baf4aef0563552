// Text of any kind into words, a vocabulary, and rows of ids.
import { readFileSync } from 'node:fs';
import { tokenizer, vocabulary } from '../src/data/index.js';
import { AWKWARD_TEXTS, type Choices } from './choices.js';
import { damaged } from './damage.js';
import type { Target } from './target.js';

const PIECES = [
  "don't",
  'cannot',
  'gonna',
  "'s",
  "n't",
  '’',
  '‘',
  '-lrb-',
  '-RRB-',
  ' ',
  '\n',
  '.',
  'word',
  "''",
  "rock'n'roll'd've",
  '\u00a0',
  'İ',
  ...AWKWARD_TEXTS,
] as const;

function build(choices: Choices): Uint8Array[] {
  return [damaged(Buffer.from(choices.list(24, () => choices.pick(PIECES)).join('')), choices)];
}

export const tokens: Target = {
  files: ['text'],
  build,
  read([path], choices) {
    const text = readFileSync(path!, choices.pick(['utf8', 'utf16le', 'latin1'] as const));
    const cut = tokenizer({
      lower: choices.byte() % 2 === 0,
      contractions: choices.pick(['split', 'keep']),
      ...(choices.rarely(4) ? { filters: choices.pick(AWKWARD_TEXTS) } : {}),
    });
    const words = vocabulary([text, text.slice(1)], {
      tokenizer: cut,
      ...(choices.rarely(3) ? { numWords: 2 + choices.below(4) } : {}),
      ...(choices.rarely(3) ? { oovToken: choices.pick(['<oov>', 'word', '']) } : {}),
    });
    const maxLen = choices.below(10);
    const { ids, shape } = words.textsToPadded([text, ''], {
      ...(maxLen > 0 ? { maxLen } : {}),
      padding: choices.pick(['pre', 'post']),
      truncating: choices.pick(['pre', 'post']),
    });
    if (ids.length !== shape[0] * shape[1]) throw new Error('rows of another length than their shape says');
    if (ids.some((id) => id < 0 || id >= words.size)) throw new Error('an id that the vocabulary has not');
    if (
      tokenizer({ contractions: 'keep', filters: '' })
        .tokenize(text)
        .some((word) => word === '')
    ) {
      throw new Error('an empty word');
    }
  },
};
