// The fixed-point experiment: its networks keep what they are to keep, the theorem says where they go, the claims' rules say yes
// and no where they should, and a short run writes its whole report.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { main } from '../../src/cli/main.js';
import { parseExactly } from '../../src/experiments/exact-json.js';
import { judgeClaims } from '../../src/experiments/fixed-point/claims.js';
import { measure, predict } from '../../src/experiments/fixed-point/depth.js';
import { buildClassifier, needsCentring } from '../../src/experiments/fixed-point/network.js';
import {
  distance,
  endOf,
  isKept,
  lookBeforeTraining,
  type BeforeTraining,
  type Group,
} from '../../src/experiments/fixed-point/results.js';
import { ASKED, TARGETS, trialsOf, USUAL } from '../../src/experiments/fixed-point/trials.js';
import type { Report, RunRecord } from '../../src/report/report.js';
import { start, type Told } from '../harness/command-line.js';

const settings = { experiment: 'fixed-point', size: 'quick', seed: 1, seeds: 1, device: 'cpu' } as const;

describe('networks with new weights', () => {
  let before: BeforeTraining;
  beforeAll(() => {
    before = lookBeforeTraining(settings, () => undefined);
  }, 120_000);

  test('keep the moments they are made for', () => {
    expect(before.kept.map(({ target }) => target)).toEqual(TARGETS);
    for (const { target, profiles } of before.kept) expect(isKept(endOf(profiles), target), target.label).toBe(true);
  });

  test('do not keep a positive mean with weights as they are drawn, nor variance 4 with other constants', () => {
    const moved = before.kept.find(({ target }) => target.mean > 0)!;
    expect(distance(endOf(moved.asDrawn), moved.target).factor).toBeGreaterThan(5);
    expect(distance(endOf(before.contrasts.inputs.profiles), USUAL).factor).toBeLessThan(1.2);
    expect(distance(endOf(before.contrasts.weights.profiles), USUAL).factor).toBeGreaterThan(10);
  });

  test('go the way the theorem says', () => {
    for (const [key, ways] of before.ways) {
      const target = TARGETS.find((one) => one.key === key)!;
      for (const { measured, predicted } of ways) {
        expect(measured.mean).toHaveLength(predicted.mean.length);
        measured.mean.forEach((mean, i) => {
          const away = distance(
            { mean, variance: measured.variance[i]! },
            { mean: predicted.mean[i]!, variance: predicted.variance[i]! },
          );
          expect(away.mean, target.label).toBeLessThan(0.1);
          expect(away.factor, target.label).toBeLessThan(1.2);
        });
      }
    }
  });

  test('are judged by rules that say yes and no', () => {
    const record = (key: string, accuracy: number, seed: number): RunRecord => ({
      name: `${key}-${seed}`,
      configuration: key,
      seed,
      history: { loss: new Array<number>(10).fill(1) },
      secondsPerEpoch: [],
      results: { test_acc: accuracy },
      settings: { key, trainingImages: 48_000 },
    });
    const groups = (one: number[], other: number[]): Group[] =>
      [[USUAL, one] as const, [ASKED, other] as const].map(([target, values]) => ({
        target,
        runs: values.map((value, seed) => record(target.key, value, seed)),
      }));
    const verdicts = (one: number[], other: number[], from = before): string[] =>
      judgeClaims(from, groups(one, other)).map(({ verdict }) => verdict);
    expect(verdicts([0.97, 0.971], [0.97, 0.969])).toEqual(['yes', 'partly', 'yes', 'yes', 'yes', 'yes']);
    expect(verdicts([0.97, 0.971], [0.95, 0.951]).at(-1)).toBe('no');
    expect(verdicts([0.97, 0.95], [0.95, 0.949]).at(-1)).toBe('partly');
    expect(verdicts([0.97], [0.97]).at(-1)).toBe('partly');
    // Networks that keep nothing.
    const lost = before.kept.map((one) => ({ ...one, profiles: [{ mean: [0, 9], variance: [1, 900] }] }));
    expect(verdicts([0.97, 0.971], [0.97, 0.969], { ...before, kept: lost }).slice(0, 4)).toEqual([
      'yes',
      'no',
      'no',
      'no',
    ]);
  });
});

describe('the classifier', () => {
  test.each(TARGETS)(
    'of $label has its moments in every layer, and weights that add up to 0 where it needs them',
    (target) => {
      sn.setSeed(1);
      const model = buildClassifier(target, 64);
      const kernel = model.getLayer('layer3').getWeights()[0]!;
      const sums = Math.max(...sn.abs(kernel.sum(0)).dataSync());
      if (needsCentring(target)) expect(sums).toBeLessThan(1e-5);
      else expect(sums).toBeGreaterThan(0.1);
      // Pixels of MNIST's mean and spread.
      const x = sn.randomNormal([400, 28, 28, 1], 0.1307, 0.3081, 'float32', 3);
      const { layers } = sn.selfNormalizing.monitor(model, x);
      expect(
        distance(
          layers.find(({ name }) => name === 'inputs')!,
          target,
        ).factor,
      ).toBeLessThan(1.02);
      const last = layers.find(({ name }) => name === 'layer8')!;
      expect(distance(last, target).factor).toBeLessThan(1.6);
      model.dispose();
    },
  );
});

test('one layer of many samples has the predicted moments', () => {
  const stack = { depth: 1, units: 400, inputs: 400, constants: sn.selfNormalizing.constants(ASKED), centred: true };
  const start = { mean: -1, variance: 6 };
  const [measured, predicted] = [measure(stack, start, 4000, 9), predict(stack, start)];
  expect(Math.abs(measured.mean[1]! - predicted.mean[1]!)).toBeLessThan(0.05);
  expect(Math.abs(measured.variance[1]! / predicted.variance[1]! - 1)).toBeLessThan(0.05);
});

test('trials have names of their own', () => {
  for (const size of ['quick', 'default', 'full'] as const) {
    const trials = trialsOf({ experiment: 'fixed-point', seed: 1, device: 'cpu', size });
    expect(new Set(trials.map(({ name }) => name)).size).toBe(trials.length);
    expect(trials.map(({ target }) => target)).toContain(ASKED);
  }
});

describe('a run on 400 images', () => {
  const folder = mkdtempSync(join(tmpdir(), 'selfnorm-fixed-point-'));
  const out = join(folder, 'run');
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const command = [
    'run',
    'fixed-point',
    '--quick',
    '--limit',
    '400',
    '--epochs',
    '1',
    '--seeds',
    '1',
    '--device',
    'cpu',
    '--json',
    '--out',
    out,
  ];

  test('leaves a whole report, and can be asked for it again', async () => {
    expect(await main(command)).toBe(0);
    const read = (): Report => JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')) as Report;
    const report = read();
    expect(report.runs).toHaveLength(2);
    expect(report.claims).toHaveLength(6);
    expect(report.claims.at(-1)).toMatchObject({ verdict: 'open' });
    expect(report.claims.at(-1)!.measured).toContain(
      'after 1 of the 10 epochs it takes to tell, on 320 of the 48000 training images',
    );
    for (const { figures } of report.sections) {
      for (const { name } of figures) expect(existsSync(join(out, 'pictures', `${name}.png`))).toBe(true);
    }
    expect(readFileSync(join(out, 'report.html'), 'utf8')).toContain('2.40401');
    // Nothing is trained again, and what follows from the seeds follows again.
    expect(await main([...command.slice(0, 2), '--resume', '--json', '--out', out])).toBe(0);
    expect(read().sections).toEqual(report.sections);
  }, 240_000);

  test('killed or stopped, goes on to the same bits', async () => {
    const trials = (path: string): unknown =>
      readdirSync(join(path, 'trials')).map((name) => {
        const record = parseExactly(readFileSync(join(path, 'trials', name), 'utf8')) as RunRecord;
        return { ...record, secondsPerEpoch: record.secondsPerEpoch.length };
      });
    for (const signal of ['SIGKILL', 'SIGINT'] as const) {
      const other = join(folder, signal);
      const rest = [...command.slice(2, -1), other];
      const afterEvents = (event: Told): boolean => event.event === 'trial' && event.index === 2;
      const broken = await start(['run', 'fixed-point', ...rest], { signal, afterEvents, delay: 0 });
      expect(broken.code).toBe(signal === 'SIGINT' ? 130 : null);
      const resumed = await start(['run', 'fixed-point', '--resume', ...rest]);
      expect(resumed).toMatchObject({ code: 0, stderr: '' });
      expect(trials(other)).toEqual(trials(out));
    }
  }, 240_000);
});
