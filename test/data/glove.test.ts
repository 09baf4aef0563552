// Word vectors from made files in every packing, trimmed to a vocabulary, and lines that are no vectors.
import { gzipSync } from 'node:zlib';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { rejection } from '../harness/rejection.js';
import { testFolder, warnings, write, zip } from './made-files.js';

const lines = ['the 1 2 3', "n't -0.5 1e-3 .25", 'café 4 5 6', '. . . 7 8 9', 'unwanted 0 0 1'];
const text = `${lines.join('\n')}\n`;
const vocabulary = sn.data.vocabulary(["the café doesn't close", 'the the']);
const rows = ({ vectors, shape: [count, width] }: sn.data.WordVectors): number[][] =>
  Array.from({ length: count }, (_, i) => [...vectors.subarray(i * width, (i + 1) * width)]);

const made = (content: Uint8Array | string): string => {
  const folder = testFolder();
  write(folder, { 'vectors.txt': content });
  return join(folder, 'vectors.txt');
};

describe('a file of vectors', () => {
  test.each<[string, Uint8Array | string]>([
    ['plain', text],
    ['packed', gzipSync(text)],
    ['in an archive', zip({ 'any.txt': text })],
    ['without a last line end', text.trimEnd()],
    ['with a count before it', `5 3\n${text}`],
  ])('%s becomes the rows of a vocabulary', async (_, content) => {
    const file = made(content);
    const found = await sn.data.glove({ file, vocabulary });
    // Ids: the, café, does, n't, close.
    expect(vocabulary.words.slice(1)).toEqual(['the', 'café', 'does', "n't", 'close']);
    expect([found.shape, found.dimension, [...found.missing]]).toEqual([[6, 3], 3, [3, 5]]);
    expect(rows(found)).toEqual([
      [0, 0, 0],
      [1, 2, 3],
      [4, 5, 6],
      [0, 0, 0],
      [-0.5, Math.fround(1e-3), 0.25],
      [0, 0, 0],
    ]);
    expect(found.coverage).toEqual({ types: { found: 3, total: 5 }, tokens: { found: 5, total: 7 } });
    const x = sn.tensor(found.vectors, found.shape);
    expect(x.shape).toEqual([6, 3]);
  });

  test('becomes rows of all its words, blanks in them included', async () => {
    const found = await sn.data.glove({ file: made(text) });
    expect(found.vocabulary.words).toEqual(['', 'the', "n't", 'café', '. . .', 'unwanted']);
    expect(rows(found)[4]).toEqual([7, 8, 9]);
    expect([found.shape, found.missing.length]).toEqual([[6, 3], 0]);
  });

  test('keeps the first of two vectors for a word, and takes more words than it began with room for', async () => {
    const many = Array.from({ length: 5000 }, (_, i) => `w${i} ${i} 1`).join('\n');
    const found = await sn.data.glove({ file: made(`${many}\nw7 0 0\n`) });
    expect([found.shape, rows(found)[8], rows(found)[5000]]).toEqual([
      [5001, 2],
      [7, 1],
      [4999, 1],
    ]);
  });

  test('gives words without a vector normal numbers that follow from the seed', async () => {
    const words = Array.from({ length: 400 }, (_, i) => `w${i}`);
    const many = sn.data.vocabulary(['the', ...words]);
    const draw = async (seed: number, stddev?: number): Promise<sn.data.WordVectors> =>
      sn.data.glove({
        file: made(text),
        vocabulary: many,
        missing: 'normal',
        seed,
        ...(stddev === undefined ? {} : { stddev }),
      });
    const [one, same, other] = [await draw(1, 0.5), await draw(1, 0.5), await draw(2, 0.5)];
    expect(one.vectors).toEqual(same.vectors);
    expect(one.vectors).not.toEqual(other.vectors);
    expect(rows(one).slice(0, 2)).toEqual([
      [0, 0, 0],
      [1, 2, 3],
    ]);
    const drawn = [...one.vectors.subarray(6)];
    const mean = drawn.reduce((sum, value) => sum + value, 0) / drawn.length;
    const variance = drawn.reduce((sum, value) => sum + value * value, 0) / drawn.length;
    // 1200 draws: five standard errors.
    expect(Math.abs(mean)).toBeLessThan((5 * 0.5) / Math.sqrt(1200));
    expect(Math.abs(variance / 0.25 - 1)).toBeLessThan(5 * Math.sqrt(2 / 1200));
    const usual = [...(await draw(1)).vectors.subarray(6)];
    expect(usual[0]! / drawn[0]!).toBeCloseTo(Math.sqrt(14 / 3) / 0.5, 5);
  });

  test.each<[string, string | Uint8Array, string]>([
    ['narrower', 'the 1 2 3\ncafé 4 5\n', ':2: expected a word and 3 numbers, got 2 numbers'],
    ['wider', 'the 1 2 3\nunwanted 4 5 6 7\n', ':2: expected a word and 3 numbers, got 4 numbers'],
    ['empty', 'the 1 2 3\n\n', ':2: expected a word and 3 numbers, got 0 numbers'],
    ['without numbers', 'the 1 2 3\ncafé a b c\n', ':2: expected 3 numbers after "café", got something else'],
    [
      'with a number that is none',
      'the 1 2 3\ncafé 4 NaN 6\n',
      ':2: expected 3 numbers after "café", got something else',
    ],
    ['with two blanks', 'the 1 2 3\ncafé 4  6\n', ':2: expected 3 numbers after "café", got something else'],
    ['not UTF-8', Buffer.from('the 1 2 3\ncaf\xe9 4 5 6\n', 'latin1'), ':2: expected UTF-8, got other bytes'],
  ])('with a line that is %s is refused, or has it left out and counted', async (_, content, expected) => {
    const file = made(content);
    expect((await rejection(sn.data.glove({ file, vocabulary }))).message).toBe(
      `data.glove: ${file}${expected}; onBadRecord: 'skip' leaves it out`,
    );
    const warned = warnings();
    const found = await sn.data.glove({ file, vocabulary, onBadRecord: 'skip' });
    expect(await warned()).toEqual([`data.glove: left out 1 record, the first ${file}${expected}`]);
    expect([found.skipped.count, rows(found)[1], rows(found)[2]]).toEqual([1, [1, 2, 3], [0, 0, 0]]);
  });

  test.each<[string, sn.data.GloveOptions, string | RegExp]>([
    ['empty', { file: 'empty' }, /expected words and their vectors, got an empty file$/],
    ['not there', { file: '/nowhere/vectors.txt' }, /^data.glove: \/nowhere\/vectors.txt: cannot be read: ENOENT/],
    [
      'of another width',
      { file: 'text', dimension: 50 },
      /:1: expected a word and 50 numbers, got 3; change dimension$/,
    ],
    ['a web page', { file: 'page' }, /:1: expected a word and numbers, got no blank/],
    [
      'unknown release',
      { release: '7b' as '6b' },
      'data.glove: release: expected one of 6b, 42b, 840b, twitter, got "7b"',
    ],
    [
      'unknown width',
      { dimension: 99 },
      'data.glove: dimension: expected one of 50, 100, 200, 300, as release 6b has, got 99',
    ],
    [
      'a list for a vocabulary',
      { vocabulary: ['a'] as never },
      'data.glove: vocabulary: expected one of data.vocabulary(), got ["a"]',
    ],
    ['missing', { missing: 'ones' as 'zeros' }, "data.glove: missing: expected 'zeros' or 'normal', got \"ones\""],
    ['a negative deviation', { stddev: -1 }, 'data.glove: stddev: expected a number of at least 0, got -1'],
    ['a seed', { seed: 0.5 }, 'data.glove: seed: expected a safe integer, got 0.5'],
  ])('that is %s is refused', async (_, { file, ...options }, message) => {
    const contents: Record<string, string> = { empty: '', text, page: '<html></html>' };
    const content = contents[file ?? ''];
    const path = content === undefined ? file : made(content);
    const got = (await rejection(sn.data.glove({ ...options, ...(path === undefined ? {} : { file: path }) }))).message;
    if (typeof message === 'string') expect(got).toBe(message);
    else expect(got).toMatch(message);
  });
});

describe('a release', () => {
  const wide = (dimension: number, value: number): string => `the${` ${value}`.repeat(dimension)}\n`;
  const archive = zip({
    'glove.6B.50d.txt': wide(50, 1),
    'glove.6B.100d.txt': wide(100, 2),
    'glove.6B.300d.txt': wide(300, 3),
  });

  test.each<[string, Record<string, Uint8Array | string>, sn.data.GloveOptions, number, number]>([
    ['its archive', { 'glove.6B.zip': archive }, {}, 100, 2],
    ['its archive, another width', { 'glove/glove.6B.zip': archive }, { dimension: 300 }, 300, 3],
    ['a file of the archive', { 'glove.6B.50d.txt.gz': gzipSync(wide(50, 4)) }, { dimension: 50 }, 50, 4],
    ['a file of one name for all', { 'glove.txt': wide(25, 5) }, {}, 25, 5],
    ['another release', { 'glove.840B.300d.txt': wide(300, 6) }, { release: '840b' }, 300, 6],
  ])('is read from %s', async (_, files, options, dimension, value) => {
    const dataDir = testFolder();
    write(dataDir, files);
    const found = await sn.data.glove({ dataDir, ...options });
    expect([found.dimension, found.vectors[dimension], found.vectors[2 * dimension - 1]]).toEqual([
      dimension,
      value,
      value,
    ]);
  });

  test('names what is missing', async () => {
    const dataDir = testFolder();
    expect((await rejection(sn.data.glove({ dataDir }))).message).toBe(
      `data.glove: dataDir: expected the file of glove-6b, gzip or not, in ${dataDir} (looked in it, glove, glove.6B); missing: glove.6B.zip`,
    );
  });
});
