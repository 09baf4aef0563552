// The bag of words: its network against a calculation by hand, its data, the rules of its claims on made-up numbers, and the whole
// experiment through the command line on a few made pairs, broken off and continued.
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { parseExactly } from '../../src/experiments/exact-json.js';
import { judgeClaims } from '../../src/experiments/snli-bow/claims.js';
import { buildNetwork, WATCHED } from '../../src/experiments/snli-bow/network.js';
import { Pairs, type PairFacts } from '../../src/experiments/snli-bow/pairs.js';
import { resultsOf } from '../../src/experiments/snli-bow/results.js';
import { CONFIGURATIONS, extentOf, MAX_LEN, TIMED, trialsOf } from '../../src/experiments/snli-bow/trials.js';
import type { Report, RunRecord } from '../../src/report/report.js';
import { start } from '../harness/command-line.js';

const folder = mkdtempSync(join(tmpdir(), 'selfnorm-snli-bow-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const configurationOf = (key: string) => CONFIGURATIONS.find((configuration) => configuration.key === key)!;

describe('the network', () => {
  test.each(CONFIGURATIONS.map((configuration) => [configuration.key, configuration] as const))(
    '%s: has what the configuration says',
    (_key, configuration) => {
      const vectors = sn.randomNormal([7, 3], 0, 1, 'float32', 1);
      const { model, ends } = buildNetwork(configuration, vectors);
      const names = model.layers.map((layer) => layer.getClassName());
      const norms = { none: 0, sums: 2, all: 5 }[configuration.batchNorm];
      expect(names.filter((name) => name === 'BatchNormalization')).toHaveLength(norms);
      const drop = { none: '', dropout: 'Dropout', alphaDropout: 'AlphaDropout' }[configuration.dropout];
      expect(names.filter((name) => name.endsWith('Dropout'))).toEqual(Array<string>(drop === '' ? 0 : 4).fill(drop));
      const config = model.getLayer('dense2').getConfig();
      expect(config).toMatchObject({ activation: configuration.activation, units: 600 });
      expect(JSON.stringify(config['kernelRegularizer'])).toContain('0.000004');
      expect([...ends.keys()]).toEqual(WATCHED);
      expect(model.getLayer('words').trainableWeights).toEqual([]);
      expect([...model.getLayer('words').getWeights()[0]!.dataSync()]).toEqual([...vectors.dataSync()]);
      model.dispose();
    },
  );

  test('has the numbers of the document’s: 1.2 million to be trained', () => {
    const vectors = sn.zeros([5, 300]);
    const { model } = buildNetwork(configurationOf('relu-bn'), vectors);
    expect(model.countParams() - vectors.size).toBe(301 * 300 + 2 * 4 * 300 + 3 * (601 * 600 + 4 * 600) + 601 * 3);
    model.dispose();
  });

  test.each(['relu', 'selu'] as const)('%s: adds up its words, padding included, as by hand', (key) => {
    const words = 6;
    const dimension = 4;
    const vectors = sn.randomNormal([words, dimension], 0, 1, 'float32', 5);
    sn.setSeed(3);
    const { model } = buildNetwork(configurationOf(key), vectors);
    // Biases are 0 at first: padding would add nothing.
    const translate = model.getLayer('translate');
    const [kernel] = translate.getWeights();
    translate.setWeights([kernel!, sn.randomNormal([300], 0.1, 1, 'float32', 6)]);
    const ids = [
      [1, 2, 3],
      [4, 5],
    ].map((sentence) => [...Array<number>(MAX_LEN - sentence.length).fill(0), ...sentence]);
    const [premise, hypothesis] = ids.map((row) => sn.tensor([row], [1, MAX_LEN], 'int32'));
    const got = (model.predict([premise!, hypothesis!]) as sn.Tensor).dataSync();

    const { alpha, scale } = sn.selfNormalizing.constants();
    const act = (x: number): number => (key === 'relu' ? Math.max(0, x) : scale * (x > 0 ? x : alpha * Math.expm1(x)));
    const apply = (layer: string, x: readonly number[], activation: (x: number) => number): number[] => {
      const [w, b] = model
        .getLayer(layer)
        .getWeights()
        .map((weight) => weight.dataSync());
      const units = b!.length;
      return Array.from(b!, (bias, unit) =>
        activation(x.reduce((sum, value, i) => sum + value * w![i * units + unit]!, bias)),
      );
    };
    const table = vectors.dataSync();
    const joint = ids.flatMap((row) => {
      const ends = row.map((id) => apply('translate', [...table.slice(id * dimension, (id + 1) * dimension)], act));
      return ends[0]!.map((_, unit) => ends.reduce((sum, end) => sum + end[unit]!, 0));
    });
    const hidden = ['dense1', 'dense2', 'dense3'].reduce((x, name) => apply(name, x, act), joint);
    const logits = apply('output', hidden, (x) => x);
    const most = Math.max(...logits);
    const powers = logits.map((logit) => Math.exp(logit - most));
    const total = powers.reduce((sum, power) => sum + power, 0);
    powers.forEach((power, i) => expect(Math.abs(got[i]! - power / total)).toBeLessThan(2e-4));
    model.dispose();
  });
});

test('trials have names of their own and go seed by seed; a quick run has what the others begin with', () => {
  const settings = { experiment: 'snli-bow', seed: 7, device: 'cpu' } as const;
  const trials = trialsOf({ ...settings, size: 'full' });
  expect(new Set(trials.map(({ name }) => name)).size).toBe(trials.length);
  expect(trials).toHaveLength(5 * CONFIGURATIONS.length);
  expect(trials.slice(0, CONFIGURATIONS.length).every(({ seed }) => seed === 7)).toBe(true);
  expect(extentOf({ ...settings, size: 'full' }).pairs).toBeUndefined();
  expect(extentOf({ ...settings, size: 'quick', limit: 9 }).pairs).toBe(9);
  expect(trialsOf({ ...settings, size: 'quick' }).map(({ configuration }) => configuration.key)).toEqual(TIMED);
});

const LABELS = ['entailment', 'neutral', 'contradiction'] as const;
const WORDS = ['man', 'woman', 'dog', 'runs', 'sleeps', 'eats'] as const;

/** SNLI's files and word vectors of five numbers, made up: the hypothesis' last word tells the label. */
function writeData(into: string, training: number): void {
  const line = (i: number): string =>
    JSON.stringify({
      gold_label: i % 7 === 6 ? '-' : LABELS[i % 3],
      sentence1: `A ${WORDS[i % 6]} ${WORDS[(5 * i + 1) % 6]}.`,
      sentence2: `The ${WORDS[(i + 2) % 6]} ${WORDS[3 + (i % 3)]}${i === 1 ? ' really'.repeat(50) : ''}.`,
    });
  const lines = (from: number, count: number): string =>
    `${Array.from({ length: count }, (_, i) => line(from + i)).join('\n')}\n`;
  writeFileSync(join(into, 'train_subset.jsonl'), lines(0, training));
  writeFileSync(join(into, 'dev.jsonl'), lines(training, 21));
  writeFileSync(join(into, 'test.jsonl'), lines(training + 21, 14));
  const vectors = ['a', 'the', ...WORDS].map(
    (word, i) => `${word} ${Array.from({ length: 5 }, (_, k) => Math.sin(3 * i + k).toFixed(4)).join(' ')}`,
  );
  writeFileSync(join(into, 'glove.txt'), `${vectors.join('\n')}\n`);
}

describe('data', () => {
  test('are ids behind padding, one-hot labels, the vectors of their words, and an account of all of it', async () => {
    const made = mkdtempSync(join(folder, 'data-'));
    writeData(made, 14);
    const pairs = await Pairs.load(made, undefined);
    const { facts, train, vectors } = pairs;
    expect(facts).toMatchObject({
      classNames: LABELS,
      whole: false,
      published: 549_367,
      // With "really", which has no vector.
      vocabulary: 9,
      known: 8,
      dimension: 5,
    });
    expect(facts.vectorFile).toContain('glove.txt');
    const [training] = facts.parts;
    expect(training).toMatchObject({
      pairs: 12,
      unlabelled: 2,
      skipped: 0,
      words: 12 * 6 + 50,
      withoutVector: MAX_LEN,
    });
    expect(training!.truncated).toBe(1);
    expect(facts.parts.map(({ pairs: size }) => size)).toEqual([12, 18, 12]);
    const [ids] = train.x;
    expect(ids.shape).toEqual([12, MAX_LEN]);
    const row = [...ids.dataSync()].slice(0, MAX_LEN);
    expect(row.slice(0, MAX_LEN - 3)).toEqual(Array<number>(MAX_LEN - 3).fill(0));
    const table = vectors.dataSync();
    const sentence = row.slice(-3).map((id) => table.slice(id * 5, id * 5 + 5));
    [0, 2, 3].forEach((word, at) =>
      sentence[at]!.forEach((value, k) => expect(Math.abs(value - Math.sin(3 * word + k))).toBeLessThan(1e-4)),
    );
    expect([...table.slice(0, 5)]).toEqual([0, 0, 0, 0, 0]);
    expect([...train.y.dataSync()].slice(0, 6)).toEqual([1, 0, 0, 0, 1, 0]);
    pairs.dispose();

    const few = await Pairs.load(made, 5);
    expect(few.facts.parts.map(({ pairs: size }) => size)).toEqual([5, 18, 12]);
    few.dispose();
  });

  test('a release that names its width goes before one that does not exist', async () => {
    const made = mkdtempSync(join(folder, 'release-'));
    writeData(made, 14);
    rmSync(join(made, 'glove.txt'));
    const line = (word: string, width: number): string => `${word}${' 0.5'.repeat(width)}\n`;
    writeFileSync(join(made, 'glove.6B.100d.txt'), line('man', 100));
    expect((await Pairs.load(made, undefined)).facts.dimension).toBe(100);
    writeFileSync(join(made, 'glove.6B.300d.txt'), line('man', 300));
    const { facts } = await Pairs.load(made, undefined);
    expect(facts).toMatchObject({ dimension: 300, known: 1 });
  });
});

const FACTS: PairFacts = {
  classNames: LABELS,
  parts: (['training', 'validation', 'test'] as const).map((name) => ({
    name,
    pairs: 20_000,
    classes: [10_000, 5_000, 5_000],
    unlabelled: 0,
    skipped: 0,
    words: 10,
    withoutVector: 1,
    truncated: 0,
  })),
  whole: false,
  published: 549_367,
  vocabulary: 10,
  known: 9,
  dimension: 100,
  vectorFile: 'glove.txt',
};

interface Made {
  /** Curve of validation accuracy, without the seed's share. */
  readonly curve: (key: string) => readonly number[];
  readonly test: (key: string) => number;
  readonly seconds: (key: string) => readonly number[];
  readonly settings?: Record<string, number>;
  /** How far seeds lie apart. */
  readonly spread?: number;
  readonly seeds?: number;
}

/** Records with given curves, accuracies and times. */
function records({ curve, test: accuracy, seconds, settings, spread = 0.001, seeds = 3 }: Made): RunRecord[] {
  const base = { seed: 1, secondsPerEpoch: [], results: {}, configuration: '' };
  const history = Object.fromEntries(TIMED.map((key) => [key, seconds(key)]));
  return [
    { ...base, name: 'moments', history: {}, settings: { kind: 'moments' } },
    { ...base, name: 'speed', history, settings: { kind: 'speed' } },
    ...CONFIGURATIONS.flatMap(({ key }) =>
      Array.from({ length: seeds }, (_, seed): RunRecord => {
        const off = (seed - 1) * spread;
        return {
          ...base,
          name: `${key}-seed${seed}`,
          seed,
          history: Object.fromEntries(['acc', 'val_acc'].map((log) => [log, curve(key).map((value) => value + off)])),
          results: { best_val_acc: accuracy(key) + off, test_acc: accuracy(key) + off, best_epoch: 3 },
          settings: { kind: 'training', key, trainingPairs: 20_000, batchSize: 512, epochs: 30, ...settings },
        };
      }),
    ),
  ];
}

const claimsOf = (made: Made, facts = FACTS) => judgeClaims(resultsOf(records(made), CONFIGURATIONS), facts);
const verdicts = (made: Made, facts = FACTS): string[] => claimsOf(made, facts).map(({ verdict }) => verdict);
const isRelu = (key: string): boolean => key.startsWith('relu');
const rounds = (time: number): number[] => Array<number>(10).fill(time);

/** As the document found it, where it found anything: SELU slower, worse and dearer, but with one configuration that is better. */
const DOCUMENTED: Made = {
  curve: (key) => (isRelu(key) ? [0.7, 0.8, 0.8, 0.8] : [0.6, 0.7, 0.78, 0.8]),
  test: (key) => (key === 'selu-alpha-lecun' ? 0.85 : isRelu(key) ? 0.8 : 0.75),
  seconds: (key) => rounds(isRelu(key) ? 1 : 1.33),
};

describe('claims', () => {
  test('are so where the numbers clearly say so; numbers of the whole set stay open', () => {
    expect(verdicts(DOCUMENTED)).toEqual(['yes', 'yes', 'yes', 'yes', 'yes', 'yes', 'open', 'yes', 'yes']);
  });

  test('are not so where they say the opposite', () => {
    const opposite: Made = {
      curve: (key) => DOCUMENTED.curve(isRelu(key) ? 'selu' : 'relu'),
      test: (key) => ({ 'selu-alpha': 0.79, 'selu-alpha-lecun': 0.72 })[key] ?? (isRelu(key) ? 0.75 : 0.78),
      seconds: (key) => rounds(isRelu(key) ? 1 : 0.98),
    };
    // SELU is better in some configuration, then.
    expect(verdicts(opposite)).toEqual(['no', 'no', 'no', 'no', 'yes', 'no', 'open', 'no', 'no']);
    const worst: Made = { ...opposite, test: (key) => (isRelu(key) ? 0.8 : 0.7) };
    expect(verdicts(worst)[4]).toBe('no');
  });

  test('are partly so where a difference is small, within the spread, or on one side', () => {
    const close: Made = {
      curve: (key) => (isRelu(key) ? [0.7, 0.8, 0.8] : [0.68, 0.79, 0.8]),
      test: (key) => (isRelu(key) ? 0.8 : key === 'selu-bn' ? 0.81 : 0.795),
      seconds: (key) => rounds(isRelu(key) ? 1 : key === 'selu-bn' ? 1.15 : 0.95),
    };
    expect(verdicts(close)).toEqual(['partly', 'partly', 'partly', 'no', 'yes', 'partly', 'open', 'partly', 'partly']);
    const wide = verdicts({ ...DOCUMENTED, spread: 0.3 });
    expect(wide.slice(0, 6)).toEqual(['partly', 'partly', 'partly', 'partly', 'partly', 'yes']);
    const noisy: Made = { ...DOCUMENTED, seconds: (key) => (isRelu(key) ? rounds(1) : [0.9, 0.9, 1.02, 1.03, 1.04]) };
    expect(verdicts(noisy).slice(7)).toEqual(['partly', 'no']);
  });

  test('about the document’s numbers are judged on the whole set', () => {
    const whole = { ...FACTS, whole: true };
    expect(verdicts(DOCUMENTED, whole)[6]).toBe('no');
    const last: Readonly<Record<string, number>> = { 'relu-bn': 0.83, 'selu-bn': 0.82, relu: 0.825, selu: 0.78 };
    const same: Made = { ...DOCUMENTED, curve: (key) => [0.5, last[key] ?? 0.6] };
    expect(verdicts(same, whole)[6]).toBe('yes');
  });

  test.each([
    ['few pairs', { settings: { trainingPairs: 900 } }, /From 900 training pairs: a run of the usual size tells\.$/],
    ['few epochs', { settings: { epochs: 2 } }, /From 2 epochs: /],
    ['one seed', { seeds: 1 }, /From one seed, which does not show the spread: /],
  ])('about accuracy stay open after %s, those about times do not', (_what, change, why) => {
    const claims = claimsOf({ ...DOCUMENTED, ...change });
    expect(claims.map(({ verdict }) => verdict)).toEqual([...Array<string>(7).fill('open'), 'yes', 'yes']);
    expect(claims[0]!.measured).toMatch(why);
  });
});

const ARGUMENTS = ['run', 'snli-bow', '--quick', '--epochs', '2', '--device', 'cpu', '--json'];

/** What must not depend on whether a run was broken off: all but times. */
function bits(out: string): Record<string, unknown> {
  const names = readdirSync(join(out, 'trials')).filter((name) => name !== 'speed.json');
  return Object.fromEntries(
    names.map((name) => {
      const { secondsPerEpoch, ...record } = parseExactly(readFileSync(join(out, 'trials', name), 'utf8')) as RunRecord;
      return [name, { ...record, epochs: secondsPerEpoch.length }];
    }),
  );
}

test('the experiment runs on made pairs, and goes on after Ctrl-C to the same bits', async () => {
  const made = mkdtempSync(join(folder, 'run-'));
  writeData(made, 70);
  const whole = join(folder, 'whole');
  const ended = await start([...ARGUMENTS, '--data', made, '--out', whole]);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  const report = JSON.parse(readFileSync(join(whole, 'report.json'), 'utf8')) as Report;
  expect(report.runs).toHaveLength(5 + 2);
  for (const { history, results } of report.runs) {
    for (const values of Object.values(history)) expect(values.length > 0 && values.every(Number.isFinite)).toBe(true);
    expect(Object.values(results).every(Number.isFinite)).toBe(true);
  }
  const training = report.runs.filter(({ settings }) => settings['kind'] === 'training');
  for (const { lists, results, history } of training) {
    const confusion = lists!['confusion']!;
    expect(confusion.reduce((sum, each) => sum + each, 0)).toBe(12);
    expect((confusion[0]! + confusion[4]! + confusion[8]!) / 12).toBeCloseTo(results['test_acc']!, 6);
    const losses = history['val_loss']!;
    expect(results['best_epoch']).toBe(losses.indexOf(Math.min(...losses)) + 1);
  }
  expect(report.claims).toHaveLength(9);
  expect(report.claims.slice(0, 7).map(({ verdict }) => verdict)).toEqual(Array<string>(7).fill('open'));
  const page = readFileSync(join(whole, 'report.html'), 'utf8');
  expect(page).toContain('60 of its 549,367 training pairs');
  expect(page).toContain('GloVe vectors of 5 numbers where the document has 300');
  const drawn = new Set(readdirSync(join(whole, 'pictures')));
  const figures = report.sections.flatMap((section) => section.figures.map(({ name }) => `${name}.png`));
  expect(figures).toHaveLength(2 * 3 + 1 + 1 + 1);
  expect(figures.filter((name) => !drawn.has(name))).toEqual([]);

  const broken = join(folder, 'broken');
  const stopped = await start([...ARGUMENTS, '--data', made, '--out', broken], {
    signal: 'SIGINT',
    afterEvents: (event) => event.event === 'epoch' && event.trial === 'selu-bn-seed1',
    delay: 0,
  });
  expect(stopped.code).toBe(130);
  const resumed = await start((stopped.events.at(-1) as { resume: string }).resume.split(' ').slice(2));
  expect(resumed).toMatchObject({ code: 0, stderr: '' });
  expect(bits(broken)).toEqual(bits(whole));
}, 600_000);

test('without SNLI in the folder it says so before anything is trained', async () => {
  const empty = mkdtempSync(join(folder, 'empty-'));
  const ended = await start([...ARGUMENTS, '--data', empty, '--out', join(folder, 'none')]);
  expect(ended.code).toBe(1);
  expect(ended.stderr).toMatch(/^selfnorm: data\.snli: dataDir: .*missing: snli_1\.0\.zip/);
  expect(ended.events.filter(({ event }) => event === 'trial')).toEqual([]);
}, 120_000);
