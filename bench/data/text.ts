// Text to ids: all pairs of SNLI's training set that a folder has, from strings in memory, and from the file to the ids.
import * as sn from '../../src/index.js';
import { measured, type Trial } from './measured.js';

const MAX_LEN = 42;

/** Trials on the SNLI of a folder. */
export async function textTrials(dataDir: string): Promise<Trial[]> {
  const sets = await sn.data.snli({ dataDir });
  const { train } = sets;
  const vocabulary = sn.data.vocabulary([train.premises, train.hypotheses]);
  const pairs = sets.train.size + sets.validation.size + sets.test.size;
  const parts = [sets.train, sets.validation, sets.test];
  const encode = (each: readonly sn.data.SentencePairs[]): void => {
    for (const part of each) part.encode(vocabulary, { maxLen: MAX_LEN });
  };
  return [
    { name: 'SNLI, strings to padded ids', count: pairs, unit: 'pairs', run: () => measured(() => encode(parts)) },
    {
      name: 'SNLI, files to padded ids',
      count: pairs,
      unit: 'pairs',
      run: () =>
        measured(async () => {
          const read = await sn.data.snli({ dataDir });
          encode([read.train, read.validation, read.test]);
        }),
    },
    {
      name: 'SNLI, vocabulary of the training set',
      count: train.size,
      unit: 'pairs',
      run: () => measured(() => void sn.data.vocabulary([train.premises, train.hypotheses])),
    },
  ];
}
