// Jobs of two and four ranks, started by mpirun: they come to what one process comes to, and a rank that fails ends the job.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { mpirun, type JobEnd } from './mpirun.js';
import { points, snn, TRAININGS, type Trained } from './trainings.js';

/** Sums over ranks are made in another order than over samples, and Adam divides small ones by their size. */
const TOLERANCE = 2e-5;

function expectClose(actual: readonly number[], expected: readonly number[], what: string): void {
  expect(actual.length, what).toBe(expected.length);
  actual.forEach((value, i) => {
    const difference = Math.abs(value - expected[i]!);
    expect(difference <= TOLERANCE, `${what}[${i}]: expected ${expected[i]}, got ${value}`).toBe(true);
  });
}

function expectSame(actual: Trained, expected: Trained): void {
  expect(actual.weights.length).toBe(expected.weights.length);
  actual.weights.forEach((weight, i) => expectClose(weight, expected.weights[i]!, `weight ${i}`));
  expect(Object.keys(actual.logs).sort()).toEqual(Object.keys(expected.logs).sort());
  for (const [name, values] of Object.entries(actual.logs)) expectClose(values, expected.logs[name]!, name);
}

describe.each([2, 4])('a job of %i ranks', (ranks) => {
  let job: JobEnd;
  beforeAll(async () => {
    job = await mpirun(ranks, 'everything');
  }, 120_000);

  test('ends well', () => {
    expect(job.stderr).toBe('');
    expect(job.code).toBe(0);
    expect(job.found).not.toContain(null);
  });

  test.each(Object.keys(TRAININGS))('trains %s as one process does, on every rank', async (name) => {
    sn.setSeed(11);
    const expected = await TRAININGS[name]!({});
    for (const found of job.found) expectSame(found![name] as Trained, expected);
    // Not to tolerance but to the bit: otherwise ranks drift apart.
    for (const found of job.found) expect(found![name]).toEqual(job.found[0]![name]);
  });

  test('ends with the same batch normalisation on every rank', () => {
    const { weights, logs } = job.found[0]!['normalized'] as Trained;
    expect(weights.length).toBe(8);
    expect(logs['loss']!.every(Number.isFinite)).toBe(true);
    for (const found of job.found) expect(found!['normalized']).toEqual({ weights, logs });
  });

  test('adds up, averages and copies tensors', () => {
    const rankSum = (ranks * (ranks - 1)) / 2;
    for (const found of job.found) {
      expect(found!['sum']).toEqual([rankSum, 10 * rankSum, -ranks]);
      expect(found!['mean']).toEqual([rankSum / ranks, 1]);
      expect(found!['broadcast']).toEqual([[ranks - 1, 5]]);
    }
  });

  test('draws other masks on every rank', () => {
    const masks = job.found.map((found) => JSON.stringify(found!['mask']));
    expect(masks.every((mask) => mask.includes('2') && mask.includes('0'))).toBe(true);
    expect(new Set(masks).size).toBe(ranks);
  });

  test('says which rank has another shape', () => {
    for (const found of job.found) {
      expect(found!['refusal']).toBe(
        'distributed.allReduce: shape: expected the same on every rank, got [2] on rank 0 and [3] on rank 1',
      );
    }
  });
});

test('all ranks stop after the same batch when one is to stop, and learn that another went elsewhere', async () => {
  const { code, found } = await mpirun(2, 'stop');
  expect(code).toBe(0);
  expect(found[0]!['batches']).toBe(found[1]!['batches']);
  expect(found[0]!['batches']).toBeGreaterThan(3);
  expect(found[0]!['batches']).toBeLessThan(45);
  expect(found[0]!['alone']).toBe(
    'distributed: distributed.barrier: rank 0 is there, while rank 1 is in distributed.allReduce; every rank has to make the same calls',
  );
  expect(found[1]!['alone']).toMatch(/rank 0 is in distributed.barrier/);
});

describe('a job whose rank dies', () => {
  let folder: string;
  let expected: readonly (readonly number[])[];
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'selfnorm-dying-'));
    sn.setSeed(21);
    const model = snn();
    const [x, y] = points();
    await model.fit(x, y, { batchSize: 8, epochs: 6, seed: 12, verbose: 0 });
    expected = model.getWeights().map((weight) => [...weight.dataSync()]);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each([
    ['die', /signal 9/],
    ['throw', /selfnorm: rank 1 of 2: Error: the disk of rank 1 is on fire/],
  ])('ends with its reason: %s', async (task, reason) => {
    const { code, stderr, found } = await mpirun(2, task, join(folder, task));
    expect(code).not.toBe(0);
    expect(stderr).toMatch(reason);
    expect(found).toEqual([null, null]);
  });

  test('goes on from its checkpoint on four ranks', async () => {
    const { code, stderr, found } = await mpirun(4, 'resume', join(folder, 'die'));
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const weights = found[0]!['weights'] as number[][];
    weights.forEach((weight, i) => expectClose(weight, expected[i]!, `weight ${i}`));
    for (const one of found) expect(one!['weights']).toEqual(weights);
  });

  test('goes on from its checkpoint on one', async () => {
    const model = snn();
    const initialEpoch = await model.loadTrainingState(join(folder, 'die'));
    expect(initialEpoch).toBe(2);
    const [x, y] = points();
    await model.fit(x, y, { batchSize: 8, epochs: 6, initialEpoch, verbose: 0, distributed: true });
    model.getWeights().forEach((weight, i) => expectClose([...weight.dataSync()], expected[i]!, `weight ${i}`));
  });
});
