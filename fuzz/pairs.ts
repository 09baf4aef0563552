// Pairs of sentences: JSON lines as SNLI has them, and the tables of SICK.
import { readPairs } from '../src/data/text/read-pairs.js';
import { vocabulary } from '../src/data/index.js';
import { AWKWARD_TEXTS, type Choices } from './choices.js';
import { damaged, packed } from './damage.js';
import { mutated } from './json-mutation.js';
import type { Target } from './target.js';

const LABELS = ['entailment', 'neutral', 'contradiction', '-', 'ENTAILMENT', ''] as const;
const SENTENCES: readonly string[] = ['A dog runs.', "It isn't so .", 'Two men, one hat', ...AWKWARD_TEXTS];
const ENDS = ['\n', '\r\n', '\n\n', ''] as const;

function jsonLine(choices: Choices): string {
  const pair = {
    gold_label: choices.pick(LABELS),
    sentence1: choices.pick(SENTENCES),
    sentence2: choices.pick(SENTENCES),
    ...(choices.rarely(4) ? { relatedness: choices.below(7) } : {}),
  };
  return JSON.stringify(choices.rarely(3) ? mutated(pair, choices) : pair);
}

function tableLine(choices: Choices, columns: number): string {
  const fields = Array.from({ length: columns + (choices.rarely(8) ? 1 : 0) }, () => choices.pick(SENTENCES));
  fields[3] = columns === 12 ? choices.pick(LABELS) : String(choices.below(7));
  fields[4] = columns === 12 ? String(choices.below(7)) : choices.pick(LABELS);
  if (columns === 12) fields[11] = choices.pick(['TRAIN', 'TRIAL', 'TEST', 'train']);
  return fields.join('\t');
}

function build(choices: Choices): Uint8Array[] {
  const syntax = choices.below(3);
  const line = (): string => (syntax === 0 ? jsonLine(choices) : tableLine(choices, syntax === 1 ? 12 : 5));
  const lines = choices.list(6, () => line() + choices.pick(ENDS));
  if (syntax > 0 && choices.rarely(2)) lines.unshift('pair_ID\tsentence_A\tsentence_B\trelatedness\tlabel\n');
  return [packed(damaged(Buffer.from(lines.join('')), choices), choices)];
}

export const pairs: Target = {
  files: ['pairs'],
  build,
  async read([path], choices) {
    const format = choices.pick(['snli', 'sick-table', 'semeval'] as const);
    const op = 'fuzz';
    const entry = { name: 'sick', op } as Parameters<typeof readPairs>[0];
    const parts = { train: 'a', validation: 'a', test: 'a' };
    const location = { form: { format, ...parts }, folder: '', paths: new Map([['a', path!]]) };
    const sets = await readPairs(
      entry,
      location as unknown as Parameters<typeof readPairs>[1],
      choices.pick(['error', 'skip'] as const),
    );
    sets.train.encode(vocabulary([sets.train.premises, sets.train.hypotheses]), { maxLen: 8 });
  },
};
