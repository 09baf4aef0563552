// Text to ids: Keras's results on the same texts, contractions however they are written, and the account of what was cut off or
// unknown.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';

interface KerasCase {
  readonly options: { readonly num_words?: number; readonly oov_token?: string; lower?: boolean; filters?: string };
  readonly words: string[];
  readonly counts: number[];
  readonly sequences: number[][];
  readonly padded: readonly { readonly options: Record<string, string | number>; readonly rows: number[][] }[];
}

const keras = JSON.parse(readFileSync('test/fixtures/text/keras-text.json', 'utf8')) as {
  readonly texts: string[];
  readonly cases: KerasCase[];
};

const like = ({ num_words, oov_token, ...options }: KerasCase['options']): sn.data.Vocabulary =>
  sn.data.vocabulary(keras.texts, {
    ...(num_words === undefined ? {} : { numWords: num_words }),
    ...(oov_token === undefined ? {} : { oovToken: oov_token }),
    tokenizer: sn.data.tokenizer({ contractions: 'keep', ...options }),
  });

const padding = ({ maxlen, ...options }: Record<string, string | number>): sn.data.PadOptions => ({
  ...(maxlen === undefined ? {} : { maxLen: maxlen as number }),
  ...options,
});

const rowsOf = ({ ids, shape: [count, length] }: sn.data.PaddedSequences): number[][] =>
  Array.from({ length: count }, (_, i) => [...ids.subarray(i * length, (i + 1) * length)]);

describe.each(keras.cases.map((each) => [JSON.stringify(each.options), each] as const))(
  'as Keras, %s',
  (_, expected) => {
    const vocabulary = like(expected.options);

    test('the words, their order and their counts', () => {
      const ids = expected.options.num_words ?? Infinity;
      expect(vocabulary.words).toEqual(['', ...expected.words].slice(0, ids));
      const oov = expected.options.oov_token === undefined ? 0 : 1;
      expect([...vocabulary.counts.subarray(1 + oov)]).toEqual(expected.counts.slice(oov, ids - 1));
    });

    test('the sequences and the padded rows', () => {
      const sequences = vocabulary.textsToSequences(keras.texts);
      expect(sequences).toEqual(expected.sequences);
      for (const { options, rows } of expected.padded) {
        expect(rowsOf(sn.data.padSequences(sequences, padding(options)))).toEqual(rows);
        expect(rowsOf(vocabulary.textsToPadded(keras.texts, padding(options)))).toEqual(rows);
      }
    });
  },
);

describe('a contraction', () => {
  const { tokenize } = ((tokenizer) => ({ tokenize: (text: string) => tokenizer.tokenize(text) }))(sn.data.tokenizer());

  test.each([
    ["She doesn't", "She does n't", ['she', 'does', "n't"]],
    ["can't won't shan't", "ca n't wo n't sha n't", ['ca', "n't", 'wo', "n't", 'sha', "n't"]],
    ["the man's dog", "the man 's dog", ['the', 'man', "'s", 'dog']],
    ["bird's-eye view", "bird 's-eye view", ['bird', "'s", 'eye', 'view']],
    [
      "I'm, you're we've he'd they'll",
      "I 'm , you 're we 've he 'd they 'll",
      "i 'm you 're we 've he 'd they 'll".split(' '),
    ],
    ["shouldn't've", "should n't 've", ['should', "n't", "'ve"]],
    ["the boys' dogs", "the boys ' dogs", ['the', 'boys', 'dogs']],
    ['a "big" dog', "a `` big '' dog", ['a', 'big', 'dog']],
    ["a 'big' dog", "a ` big ' dog", ['a', 'big', 'dog']],
    ['a (big) dog', 'a -LRB- big -RRB- dog', ['a', 'big', 'dog']],
    ['cannot gonna', 'can not gon na', ['can', 'not', 'gon', 'na']],
    ['It\u2019s doesn\u2019t', "It 's does n't", ['it', "'s", 'does', "n't"]],
    ["O'Neil rock'n'roll", "O'Neil rock'n'roll", ["o'neil", "rock'n'roll"]],
    ['constructor __proto__ toString', 'constructor __proto__ toString', ['constructor', 'proto', 'tostring']],
  ])('%s and %s give the same words', (plain, treebank, words) => {
    expect(tokenize(plain)).toEqual(words);
    expect(tokenize(treebank)).toEqual(words);
  });

  test('keeps its case when asked to, and is one word with contractions kept', () => {
    expect(sn.data.tokenizer({ lower: false }).tokenize("DOESN'T Cannot")).toEqual(['DOES', "N'T", 'Can', 'not']);
    expect(sn.data.tokenizer({ contractions: 'keep' }).tokenize("doesn't")).toEqual(["doesn't"]);
  });
});

describe('a tokenizer', () => {
  test('gives words that it leaves as they are', () => {
    const tokenizer = sn.data.tokenizer();
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const words = tokenizer.tokenize(text);
        expect(words.every((word) => word !== '' && !/\s/.test(word))).toBe(true);
        expect(tokenizer.tokenize(words.join(' '))).toEqual(words);
      }),
      { numRuns: 500 },
    );
  });

  test('parts at filters beyond ASCII', () => {
    expect(sn.data.tokenizer({ filters: '–。' }).tokenize('one–two。three.')).toEqual(['one', 'two', 'three.']);
  });

  test.each([
    [{ lower: 1 }, 'data.tokenizer: lower: expected true or false, got 1'],
    [{ filters: 3 }, 'data.tokenizer: filters: expected characters, got 3'],
    [{ contractions: 'join' }, "data.tokenizer: contractions: expected 'split' or 'keep', got \"join\""],
  ])('refuses %j', (options, message) => {
    expect(() => sn.data.tokenizer(options as sn.data.TokenizerOptions)).toThrow(message);
  });
});

describe('a vocabulary', () => {
  test('counts words seen, unknown and cut off', () => {
    const vocabulary = sn.data.vocabulary([['a b a', 'c'], ['a b']]);
    expect([vocabulary.words, vocabulary.size, vocabulary.seen]).toEqual([
      ['', 'a', 'b', 'c'],
      4,
      { types: 3, tokens: 6 },
    ]);
    expect([vocabulary.idOf('b'), vocabulary.idOf('x'), vocabulary.idOf('')]).toEqual([2, undefined, undefined]);
    const padded = vocabulary.textsToPadded(['a x b c', 'x', ''], { maxLen: 2 });
    expect(rowsOf(padded)).toEqual([
      [2, 3],
      [0, 0],
      [0, 0],
    ]);
    expect([padded.tokens, padded.unknown, padded.truncated]).toEqual([5, 2, 1]);
  });

  test('takes texts longer than any other', () => {
    const long = Array.from({ length: 3000 }, (_, i) => `w${i}`).join(' ');
    const vocabulary = sn.data.vocabulary([long]);
    expect([...vocabulary.textsToPadded([long]).ids]).toEqual(Array.from({ length: 3000 }, (_, i) => i + 1));
  });

  test('gives what an embedding takes', () => {
    const { ids, shape } = sn.data.vocabulary(['a b']).textsToPadded(['b a'], { maxLen: 3 });
    const x = sn.tensor(ids, shape, 'int32');
    expect([x.shape, x.arraySync()]).toEqual([[1, 3], [[0, 2, 1]]]);
  });

  test.each<[string, () => unknown, string]>([
    ['few ids', () => sn.data.vocabulary([], { numWords: 0 }), 'numWords: expected an integer of at least 1, got 0'],
    ['a text', () => sn.data.vocabulary('a text'), 'texts: expected a list, got a text'],
    ['a number', () => sn.data.vocabulary(['a', [3 as unknown as string]]), 'texts: text 1: expected a string, got 3'],
    ['maxLen', () => sn.data.padSequences([], { maxLen: -1 }), 'maxLen: expected an integer of at least 0, got -1'],
    [
      'a side',
      () => sn.data.padSequences([], { padding: 'left' as 'pre' }),
      "padding: expected 'pre' or 'post', got \"left\"",
    ],
    ['a value', () => sn.data.padSequences([], { value: 0.5 }), 'value: expected an integer of 32 bits, got 0.5'],
  ])('refuses %s', (_, make, message) => {
    expect(make).toThrow(message);
  });
});

test('a word with any number of contractions is cut without a stack of calls', () => {
  const words = sn.data.tokenizer().tokenize(`dog${"'s".repeat(50_000)} n't`);
  expect(words.length).toBe(50_002);
  expect(words.slice(0, 3)).toEqual(['dog', "'s", "'s"]);
});
