// Pairs of sentences in every form in which SNLI and SICK are found, from made files, and what becomes of lines that are no pairs.
import { gzipSync } from 'node:zlib';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { rejection } from '../harness/rejection.js';
import { testFolder, warnings, write, zip } from './made-files.js';

const line = (gold: string, premise: string, hypothesis: string, more: object = {}): string =>
  JSON.stringify({ gold_label: gold, sentence1: premise, sentence2: hypothesis, ...more });
const jsonl = (...lines: string[]): string => `${lines.join('\n')}\n`;

const train = jsonl(
  line('neutral', 'A man runs.', 'He is late.'),
  line('-', 'A dog sleeps.', 'It dreams.', { pairID: '2' }),
  line('contradiction', 'A dog sleeps.', 'It barks.'),
  line('entailment', 'Café closes.', 'It closes.'),
);
const dev = jsonl(line('entailment', 'A b', 'c'));
const test_ = jsonl(line('neutral', 'd', ''), line('-', 'x', 'y'));
const official = {
  'snli_1.0_train.jsonl': train,
  'snli_1.0_dev.jsonl': dev,
  'snli_1.0_test.jsonl': test_,
};
const inFolder = (files: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(files).map(([name, text]) => [`snli_1.0/${name}`, text]));

describe('SNLI', () => {
  test.each<[string, () => Record<string, Uint8Array | string>]>([
    [
      'as its archive',
      () => ({ 'snli_1.0.zip': zip({ ...inFolder(official), '__MACOSX/snli_1.0/._snli_1.0_train.jsonl': 'x' }) }),
    ],
    ['unpacked', () => official],
    ['in the folder of the archive', () => inFolder(official)],
    [
      'packed again',
      () => Object.fromEntries(Object.entries(official).map(([name, text]) => [`${name}.gz`, gzipSync(text)])),
    ],
    ['as a subset', () => ({ 'train_subset.jsonl.gz': gzipSync(train), 'dev.jsonl': dev, 'test.jsonl': test_ })],
    ['in a folder of its name', () => ({ 'snli/train.jsonl': train, 'snli/dev.jsonl': dev, 'snli/test.jsonl': test_ })],
    [
      'with the line ends of Windows and a byte order mark',
      () => ({ ...official, 'snli_1.0_train.jsonl': `\ufeff${train.replaceAll('\n', '\r\n')}` }),
    ],
    ['without a last line end', () => ({ ...official, 'snli_1.0_train.jsonl': train.trimEnd() })],
  ])('is read %s', async (_, files) => {
    const dataDir = testFolder();
    write(dataDir, files());
    const sets = await sn.data.snli({ dataDir });
    expect(sets.train.premises).toEqual(['A man runs.', 'A dog sleeps.', 'Café closes.']);
    expect(sets.train.hypotheses).toEqual(['He is late.', 'It barks.', 'It closes.']);
    expect([...sets.train.labels]).toEqual([1, 2, 0]);
    expect(sets.train.counts).toEqual({
      lines: 4,
      labelled: 3,
      unlabelled: 1,
      skipped: 0,
      classes: { entailment: 1, neutral: 1, contradiction: 1 },
    });
    expect([sets.validation.size, sets.test.size, sets.test.unlabelled, sets.full]).toEqual([1, 1, 1, false]);
  });

  test('is a data set of pairs, slices, and gives ids and labels', async () => {
    const dataDir = testFolder();
    write(dataDir, official);
    const sets = await sn.data.snli({ dataDir });
    expect(await sets.train.take(1).toArray()).toEqual([
      { premise: 'A man runs.', hypothesis: 'He is late.', label: 1 },
    ]);
    expect([sets.train.slice(1).premises, sets.train.slice(-1).size]).toEqual([['A dog sleeps.', 'Café closes.'], 1]);
    const vocabulary = sn.data.vocabulary([sets.train.premises, sets.train.hypotheses]);
    const { premises, hypotheses } = sets.train.encode(vocabulary, { maxLen: 4 });
    expect([premises.shape, hypotheses.shape]).toEqual([
      [3, 4],
      [3, 4],
    ]);
    expect([...premises.ids.subarray(8)].map((id) => vocabulary.words[id])).toEqual(['', '', 'café', 'closes']);
    expect(sets.train.ys().arraySync()).toEqual([
      [0, 1, 0],
      [0, 0, 1],
      [1, 0, 0],
    ]);
    expect(sets.train.classes().arraySync()).toEqual([1, 2, 0]);
    await expect(sets.train.batch(2).toArray()).rejects.toThrow('use encode()');
  });

  const bad = Buffer.concat([Buffer.from(`${line('neutral', 'a', 'b')}\n`), Buffer.from([0x7b, 0xff, 0x7d, 10])]);
  test.each<[string, string | Uint8Array, string]>([
    ['is cut off', `${dev}{"gold_label": "neut`, ':2: expected a JSON object, got "{\\"gold_label\\": \\"neut"'],
    ['is empty', `${dev}\n${dev}`, ':2: expected a JSON object, got ""'],
    ['is a number', `${dev}3\n`, ':2: expected a JSON object, got "3"'],
    ['has no sentence', `${dev}{"gold_label":"neutral"}`, ':2: expected texts as sentence1 and sentence2, got "{'],
    [
      'has another label',
      dev + line('maybe', 'a', 'b'),
      ':2: expected a gold_label of entailment, neutral, contradiction or -, got "maybe"',
    ],
    [
      'has no label',
      `${dev}{"sentence1":"a","sentence2":"b"}`,
      ':2: expected a gold_label of entailment, neutral, contradiction or -, got undefined',
    ],
    ['is not UTF-8', bad, ':2: expected UTF-8, got other bytes'],
  ])('a line that %s ends the reading, or is left out and counted', async (_, text, expected) => {
    const dataDir = testFolder();
    const file = 'snli_1.0_dev.jsonl';
    write(dataDir, { ...official, [file]: text });
    const error = await rejection(sn.data.snli({ dataDir }));
    expect(error.code).toBe('ERR_FILE_FORMAT');
    expect(error.message).toContain(`data.snli: ${join(dataDir, file)}${expected}`);
    expect(error.message).toMatch(/; onBadRecord: 'skip' leaves it out$/);
    const warned = warnings();
    const { validation } = await sn.data.snli({ dataDir, onBadRecord: 'skip' });
    expect([validation.skipped.count, validation.counts.skipped, validation.skipped.first[0]!.line]).toEqual([1, 1, 2]);
    expect(validation.premises[0]).toMatch(/^(A b|a)$/);
    const warning = `data.snli: left out 1 record, the first ${join(dataDir, file)}${expected}`;
    expect(await warned()).toEqual([expect.stringContaining(warning)]);
  });

  const archive = zip(inFolder(official));
  const damaged = Buffer.from(archive);
  damaged[60]! ^= 0xff;
  test.each<[string, Record<string, Uint8Array | string>, RegExp]>([
    [
      'an archive that is cut off',
      { 'snli_1.0.zip': archive.subarray(0, archive.length - 40) },
      /expected a zip archive, got: .*; the archive is damaged or cut off; fetch it again$/,
    ],
    ['an archive with a damaged byte', { 'snli_1.0.zip': damaged }, /expected (whole zip data|CRC-32)/],
    [
      'an archive of something else',
      { 'snli_1.0.zip': zip({ 'a.txt': 'x' }) },
      /expected snli_1.0_train.jsonl in the archive, got a.txt$/,
    ],
    ['a web page for an archive', { 'snli_1.0.zip': '<html></html>' }, /expected a zip archive, got: /],
    [
      'gzip that is cut off',
      { 'train.jsonl.gz': gzipSync(train).subarray(0, 60), 'dev.jsonl': dev, 'test.jsonl': test_ },
      /expected whole gzip data, got: unexpected end of file; fetch the file again$/,
    ],
    [
      'a part that is missing',
      { 'train.jsonl': train, 'dev.jsonl': dev },
      /dataDir: expected 3 files of snli, gzip or not, in .*; missing: test.jsonl$/,
    ],
    ['nothing', {}, /dataDir: expected the file of snli, .*; missing: snli_1.0.zip$/],
  ])('refuses %s, skipping or not', async (_, files, message) => {
    const dataDir = testFolder();
    write(dataDir, files);
    for (const onBadRecord of ['error', 'skip'] as const) {
      expect((await rejection(sn.data.snli({ dataDir, onBadRecord }))).message).toMatch(message);
    }
  });

  test('refuses another policy', async () => {
    const dataDir = testFolder();
    write(dataDir, official);
    const error = await rejection(sn.data.snli({ dataDir, onBadRecord: 'ignore' as 'skip' }));
    expect(error.message).toBe("data.snli: onBadRecord: expected 'error' or 'skip', got \"ignore\"");
  });
});

describe('SICK', () => {
  const row = (id: number, a: string, b: string, label: string, score: string, part: string): string =>
    [id, a, b, label, score, 'A_neutral_B', 'B_neutral_A', a, b, 'FLICKR', 'FLICKR', part].join('\t');
  const table = jsonl(
    'pair_ID\tsentence_A\tsentence_B\tentailment_label\trelatedness_score\tentailment_AB\tentailment_BA\tsentence_A_original\tsentence_B_original\tsentence_A_dataset\tsentence_B_dataset\tSemEval_set',
    row(1, 'a', 'b', 'NEUTRAL', '4.5', 'TRAIN'),
    row(2, 'c', 'd', 'ENTAILMENT', '3', 'TRIAL'),
    row(3, 'e', 'f', 'CONTRADICTION', '1.2', 'TEST'),
    row(4, 'g', 'h', 'ENTAILMENT', '5', 'TRAIN'),
  );
  const semeval = (...rows: string[]): string =>
    jsonl('pair_ID\tsentence_A\tsentence_B\trelatedness_score\tentailment_judgment', ...rows);
  const lines = (label: string, relatedness: number, a: string, b: string): string =>
    line(label, a, b, { relatedness, pair_id: 1 });

  test.each<[string, Record<string, Uint8Array | string>]>([
    ['as its archive', { 'SICK.zip': zip({ 'SICK.txt': table, 'readme.txt': 'x' }) }],
    ['as one table', { 'sick/SICK.txt': table }],
    [
      "as SemEval's tables",
      {
        'SICK_train.txt': semeval('1\ta\tb\t4.5\tNEUTRAL', '4\tg\th\t5\tENTAILMENT'),
        'SICK_trial.txt': semeval('2\tc\td\t3\tENTAILMENT'),
        'SICK_test_annotated.txt': semeval('3\te\tf\t1.2\tCONTRADICTION'),
      },
    ],
    [
      'as JSON lines',
      {
        'train.jsonl': jsonl(lines('neutral', 4.5, 'a', 'b'), lines('entailment', 5, 'g', 'h')),
        'dev.jsonl': lines('entailment', 3, 'c', 'd'),
        'test.jsonl.gz': gzipSync(lines('contradiction', 1.2, 'e', 'f')),
      },
    ],
  ])('is read %s', async (_, files) => {
    const dataDir = testFolder();
    write(dataDir, files);
    const sets = await sn.data.sick({ dataDir });
    expect([sets.train.premises, sets.train.hypotheses]).toEqual([
      ['a', 'g'],
      ['b', 'h'],
    ]);
    expect([[...sets.train.labels], [...sets.train.relatedness!]]).toEqual([
      [1, 0],
      [4.5, 5],
    ]);
    expect([sets.validation.premises, sets.test.premises, [...sets.test.labels]]).toEqual([['c'], ['e'], [2]]);
  });

  test.each([
    [
      'a field too few',
      row(5, 'a', 'b', 'NEUTRAL', '4', 'TRAIN').replace('\tFLICKR', ''),
      'expected 12 fields between tabs, got 11',
    ],
    [
      'another label',
      row(5, 'a', 'b', 'SAME', '4', 'TRAIN'),
      'expected a label of entailment, neutral, contradiction, got "SAME"',
    ],
    [
      'a relatedness that is none',
      row(5, 'a', 'b', 'NEUTRAL', '7', 'TRAIN'),
      'expected a relatedness from 1 to 5, got "7"',
    ],
    ['another part', row(5, 'a', 'b', 'NEUTRAL', '4', 'DEV'), 'expected a part of TRAIN, TRIAL or TEST, got "DEV"'],
  ])('names the line with %s', async (_, wrong, expected) => {
    const dataDir = testFolder();
    write(dataDir, { 'SICK.txt': table + wrong });
    expect((await rejection(sn.data.sick({ dataDir }))).message).toContain(`SICK.txt:6: ${expected}`);
  });
});
