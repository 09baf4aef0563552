// SELU against batch normalisation: the networks, the rules of its claims on made-up numbers, and the whole experiment through
// the command line on a few images, broken off and continued.
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { parseExactly } from '../../src/experiments/exact-json.js';
import { judgeClaims } from '../../src/experiments/selu-vs-batchnorm/claims.js';
import { buildNetwork } from '../../src/experiments/selu-vs-batchnorm/network.js';
import { resultsOf } from '../../src/experiments/selu-vs-batchnorm/results.js';
import { CONFIGURATIONS, TASKS, trialsOf } from '../../src/experiments/selu-vs-batchnorm/trials.js';
import type { Report, RunRecord } from '../../src/report/report.js';
import { start } from '../harness/command-line.js';

const folder = mkdtempSync(join(tmpdir(), 'selfnorm-selu-vs-batchnorm-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the networks', () => {
  test.each(TASKS.map((task) => [task.label, task] as const))(
    '%s: have what the configuration says',
    (_label, task) => {
      const shape = task.set === 'mnist' ? [28, 28, 1] : [32, 32, 3];
      for (const configuration of CONFIGURATIONS) {
        const network = buildNetwork(task, configuration, shape);
        const names = network.layers.map((layer) => layer.getClassName());
        const hidden = task.network === 'dense' ? 8 : 5;
        expect(names.filter((name) => name === 'BatchNormalization')).toHaveLength(
          configuration.batchNorm ? hidden : 0,
        );
        const drops = { none: '', dropout: 'Dropout', alphaDropout: 'AlphaDropout' }[configuration.dropout];
        expect(names.filter((name) => name.endsWith('Dropout'))).toEqual(
          Array<string>(drops === '' ? 0 : task.network === 'dense' ? 8 : 3).fill(drops),
        );
        const y = network.predict(sn.randomNormal([2, ...shape], 0, 1, 'float32', 4)) as sn.Tensor;
        expect(y.shape).toEqual([2, 10]);
        for (const sum of y.sum(1).dataSync()) expect(Math.abs(sum - 1)).toBeLessThan(1e-5);
        network.dispose();
      }
    },
  );

  test('trials have names of their own and go seed by seed', () => {
    const trials = trialsOf({ experiment: 'selu-vs-batchnorm', size: 'full', seed: 7, device: 'cpu' });
    expect(new Set(trials.map(({ name }) => name)).size).toBe(trials.length);
    expect(trials).toHaveLength(5 * TASKS.length * CONFIGURATIONS.length);
    expect(trials.slice(0, 24).map(({ seed }) => seed)).toEqual(Array<number>(24).fill(7));
  });
});

/** Records with given accuracies (one a seed) and times, alike on every task. */
function records(
  accuracy: (key: string) => readonly number[],
  seconds: (key: string) => readonly number[],
  settings: { trainingImages?: number; epochs?: number } = {},
): RunRecord[] {
  const base = { seed: 1, secondsPerEpoch: [] };
  return TASKS.flatMap((task): RunRecord[] => [
    {
      ...base,
      name: `${task.key}-speed`,
      configuration: 'speed',
      history: Object.fromEntries(CONFIGURATIONS.map(({ key }) => [key, seconds(key)])),
      results: {},
      settings: { task: task.key },
    },
    ...(task.network === 'conv'
      ? []
      : [
          {
            ...base,
            name: `${task.key}-moments`,
            configuration: 'moments',
            history: Object.fromEntries(
              CONFIGURATIONS.flatMap(({ key }) => [
                [`${key}/mean`, [0, 0]],
                [`${key}/variance`, [1, key === 'selu-dropout' ? 0.8 : 0.99]],
              ]),
            ),
            results: {},
            settings: { task: task.key },
          },
        ]),
    ...CONFIGURATIONS.flatMap((configuration) =>
      accuracy(configuration.key).map((value, i): RunRecord => ({
        ...base,
        name: `${task.key}-${configuration.key}-seed${i}`,
        configuration: configuration.label,
        seed: i,
        history: {},
        results: { test_acc: value, test_loss: 1 },
        settings: { task: task.key, key: configuration.key, trainingImages: 9000, epochs: 10, ...settings },
      })),
    ),
  ]);
}

const verdicts = (all: readonly RunRecord[]): string[] => judgeClaims(resultsOf(all)).map(({ verdict }) => verdict);
const STEADY = (): readonly number[] => [1, 1, 1, 1, 1, 1, 1, 1, 1, 1];
const bySeed = (mean: number): readonly number[] => [mean - 0.001, mean, mean + 0.001];

describe('claims', () => {
  const means: Readonly<Record<string, number>> = {
    relu: 0.8,
    'relu-bn': 0.9,
    'relu-bn-dropout': 0.88,
    selu: 0.92,
    'selu-dropout': 0.85,
    'selu-alpha': 0.93,
  };
  const slowNorm = (key: string): readonly number[] => STEADY().map((time) => (key === 'relu-bn' ? 1.2 * time : time));

  test('are so where the numbers clearly say so', () => {
    expect(verdicts(records((key) => bySeed(means[key]!), slowNorm))).toEqual(Array<string>(10).fill('yes'));
  });

  test('are not so where they say the opposite', () => {
    const opposite = (key: string): readonly number[] => bySeed(key === 'relu-bn-dropout' ? 0.11 : 1 - means[key]!);
    const quick = (key: string): readonly number[] => STEADY().map((time) => (key === 'relu-bn' ? 0.8 * time : time));
    // The moments do not come from accuracies.
    expect(verdicts(records(opposite, quick))).toEqual([...Array<string>(9).fill('no'), 'yes']);
  });

  test('are partly so within the spread of seeds and rounds', () => {
    const wide = (key: string): readonly number[] => [means[key]! - 0.3, means[key]!, means[key]! + 0.3];
    const noisy = (key: string): readonly number[] => (key === 'relu-bn' ? [0.8, 0.9, 1.1, 1.2, 1.3] : [1, 1, 1, 1, 1]);
    const found = verdicts(records(wide, noisy));
    expect(found.slice(0, 2)).toEqual(['partly', 'partly']);
    expect(found.slice(6, 9)).toEqual(['partly', 'yes', 'partly']);
  });

  test.each([
    ['few images', { trainingImages: 1800 }, /^From 1800 training images: /],
    ['few epochs', { epochs: 2 }, /^From 2 epochs: /],
  ])('about accuracy stay open after %s, those about times do not', (_what, settings, why) => {
    const claims = judgeClaims(resultsOf(records((key) => bySeed(means[key]!), slowNorm, settings)));
    expect(claims.map(({ verdict }) => verdict)).toEqual(['yes', 'yes', ...Array<string>(7).fill('open'), 'yes']);
    expect(claims[2]!.measured.split('. ').at(-1)).toMatch(why);
  });

  test('stay open with one seed', () => {
    expect(verdicts(records((key) => [means[key]!], slowNorm)).slice(2, 9)).toEqual(Array<string>(7).fill('open'));
  });
});

/** A part of a data set in CIFAR-10's format: a square of the class's own colour on noise. */
function writeCifar(name: string, images: number): void {
  const bytes = new Uint8Array(images * 3073);
  let state = images;
  const random = (): number => (state = (state * 48271) % 2147483647) / 2147483647;
  for (let image = 0; image < images; image++) {
    const at = image * 3073;
    const label = image % 10;
    bytes[at] = label;
    for (let i = 0; i < 3072; i++) bytes[at + 1 + i] = 25 * label + Math.floor(30 * random());
  }
  writeFileSync(join(folder, name), bytes);
}

const ARGUMENTS = [
  'run',
  'selu-vs-batchnorm',
  '--quick',
  '--limit',
  '150',
  '--epochs',
  '1',
  '--device',
  'cpu',
  '--json',
];

/** What must not depend on whether a run was broken off: all but times. */
function bits(out: string): Record<string, unknown> {
  const names = readdirSync(join(out, 'trials')).filter((name) => !name.endsWith('-speed.json'));
  return Object.fromEntries(
    names.map((name) => {
      const { secondsPerEpoch, ...record } = parseExactly(readFileSync(join(out, 'trials', name), 'utf8')) as RunRecord;
      return [name, { ...record, epochs: secondsPerEpoch.length }];
    }),
  );
}

test('the experiment runs on a part of CIFAR-10 and on MNIST, and goes on after Ctrl-C to the same bits', async () => {
  writeCifar('train_100_made.bin', 100);
  writeCifar('test_30_made.bin', 30);
  const whole = join(folder, 'whole');
  const ended = await start([...ARGUMENTS, '--data', folder, '--out', whole]);
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  const report = JSON.parse(readFileSync(join(whole, 'report.json'), 'utf8')) as Report;
  expect(report.runs).toHaveLength(24 + TASKS.length + 2);
  for (const { history, results } of report.runs) {
    for (const values of Object.values(history)) expect(values.length > 0 && values.every(Number.isFinite)).toBe(true);
    expect(Object.values(results).every(Number.isFinite)).toBe(true);
  }
  expect(report.claims).toHaveLength(10);
  expect(report.claims.slice(2, 9).map(({ verdict }) => verdict)).toEqual(Array<string>(7).fill('open'));
  expect(report.command).toContain('--quick --epochs 1 --limit 150 --device cpu');
  const page = readFileSync(join(whole, 'report.html'), 'utf8');
  expect(page).toContain('a part of the set: train_100_made.bin and test_30_made.bin');
  const drawn = new Set(readdirSync(join(whole, 'pictures')));
  const figures = report.sections.flatMap((section) => section.figures.map(({ name }) => `${name}.png`));
  expect(figures).toHaveLength(2 * 4 + 4 + 4 + 4);
  expect(figures.filter((name) => !drawn.has(name))).toEqual([]);

  const broken = join(folder, 'broken');
  const stopped = await start([...ARGUMENTS, '--data', folder, '--out', broken], {
    signal: 'SIGINT',
    afterEvents: (event) => event.event === 'trial' && event.index === 9,
    delay: 0,
  });
  expect(stopped.code).toBe(130);
  const command = (stopped.events.at(-1) as { resume: string }).resume;
  expect(command).toContain(`--resume --out ${broken} --data ${folder}`);
  const resumed = await start(command.split(' ').slice(2));
  expect(resumed).toMatchObject({ code: 0, stderr: '' });
  expect(bits(broken)).toEqual(bits(whole));
  expect(Object.keys(bits(broken))).toHaveLength(26);
}, 600_000);

test('without CIFAR-10 in the folder it says so before anything is trained', async () => {
  const empty = mkdtempSync(join(folder, 'empty-'));
  const ended = await start([...ARGUMENTS, '--data', empty, '--out', join(folder, 'none')]);
  expect(ended.code).toBe(1);
  expect(ended.stderr).toMatch(/^selfnorm: data\.cifar10: .*data_batch_1\.bin/);
  expect(ended.events.filter(({ event }) => event === 'trial')).toEqual([]);
}, 120_000);
