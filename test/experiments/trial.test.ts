// A training run that is broken off anywhere and continued gives the bits of one that was not: after a crash, when it was
// told to stop, and with a callback that stops it and puts the best weights back.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { Callback } from '../../src/callbacks/callback.js';
import { earlyStopping } from '../../src/callbacks/early-stopping.js';
import { Interrupted, type RunContext, type RunEvent, type RunSettings } from '../../src/experiments/experiment.js';
import { RunFolder } from '../../src/experiments/run-folder.js';
import { runTrial, type Recorded } from '../../src/experiments/trial.js';

const EPOCHS = 4;
const SAMPLES = 40;
const BATCH = 8;
const BATCHES = 4;
/** Batches, counted over all epochs: the first, the last of an epoch, the first of the next, those between, the very last. */
const PLACES = [0, 2, 3, 4, 6, 9, 15];
const SETTINGS: RunSettings = { experiment: 'test', size: 'quick', seed: 3, device: 'cpu' };

let path: string;
beforeEach(() => {
  sn.setDevice('cpu');
  path = join(mkdtempSync(join(tmpdir(), 'selfnorm-trial-')), 'run');
});
afterEach(() => rmSync(join(path, '..'), { recursive: true, force: true }));

/** Does something before a batch, counted over all epochs. */
class AtBatch extends Callback {
  private count: number;
  constructor(
    private readonly at: number,
    private readonly act: () => void,
    begin = 0,
  ) {
    super();
    this.count = begin;
  }
  override onBatchBegin(): void {
    if (this.count++ === this.at) this.act();
  }
}

interface Outcome extends Recorded {
  readonly weights: readonly number[];
  readonly stopped: number | null;
}

interface Attempt {
  /** Before which batch, counted over all epochs; none by default. */
  readonly at?: number;
  readonly end?: 'crash' | 'stop';
  readonly patience?: number;
  readonly tell?: (event: RunEvent) => void;
}

/** One process's part of the trial; `undefined` where it was broken off. */
async function attempt(
  folder: RunFolder,
  { at = -1, end = 'crash', patience, tell }: Attempt,
): Promise<Outcome | undefined> {
  const stop = new AbortController();
  const act = (): void => {
    if (end === 'stop') stop.abort();
    else throw new Error('crash');
  };
  sn.setSeed(7);
  const model = sn.sequential({
    name: 'net',
    layers: [
      sn.layers.dense({ name: 'hidden', units: 5, activation: 'elu', inputShape: [3] }),
      sn.layers.dropout({ name: 'dropout', rate: 0.4 }),
      sn.layers.batchNormalization({ name: 'norm' }),
      sn.layers.dense({ name: 'output', units: 2, activation: 'softmax' }),
    ],
  });
  model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  const x = sn.randomNormal([SAMPLES, 3], 0, 1, 'float32', 1);
  const y = sn
    .oneHot(
      sn.tensor(
        Array.from({ length: SAMPLES }, (_, i) => (i * 7) % 2),
        [SAMPLES],
        'int32',
      ),
      2,
    )
    .cast('float32');
  const stopping = patience === undefined ? undefined : earlyStopping({ patience, restoreBestWeights: true });
  const context: RunContext = { settings: SETTINGS, folder, signal: stop.signal, tell: tell ?? (() => undefined) };
  try {
    const recorded = await runTrial(context, {
      name: 'trial',
      title: 'trial',
      index: 1,
      of: 1,
      model,
      x,
      y,
      epochs: EPOCHS,
      batches: BATCHES,
      fit: { batchSize: BATCH, validationSplit: 0.2 },
      callbacks: [new AtBatch(at, act), ...(stopping === undefined ? [] : [stopping])],
      hasStopped: () => stopping?.stoppedEpoch != null,
    });
    const weights = model.getWeights().flatMap((weight) => [...weight.dataSync()]);
    return { ...recorded, weights, stopped: stopping?.stoppedEpoch ?? null };
  } catch (error) {
    if (end === 'stop' ? !(error instanceof Interrupted) : (error as Error).message !== 'crash') throw error;
    return undefined;
  } finally {
    model.dispose();
    x.dispose();
    y.dispose();
  }
}

/** The trial done in one go. */
const whole = async (patience?: number): Promise<Outcome> => {
  const outcome = await attempt(RunFolder.create(`${path}-whole`, SETTINGS), { patience });
  return outcome!;
};
const sameBits = (a: Outcome, b: Outcome): void => {
  expect(a.history).toEqual(b.history);
  expect(a.weights).toEqual(b.weights);
  expect(a.stopped).toBe(b.stopped);
};

describe.each(['crash', 'stop'] as const)('a %s before a batch', (end) => {
  test.each([undefined, 1])('and patience %s', async (patience) => {
    const wanted = await whole(patience);
    const epochs = wanted.secondsPerEpoch.length;
    if (patience !== undefined) expect(epochs).toBeLessThan(EPOCHS);
    for (const at of PLACES.filter((place) => place < epochs * BATCHES)) {
      const begun = RunFolder.create(`${path}-${at}`, SETTINGS);
      expect(await attempt(begun, { at, end, patience })).toBeUndefined();
      sameBits((await attempt(RunFolder.resume(`${path}-${at}`), { patience }))!, wanted);
    }
  });
});

test('broken off again and again', async () => {
  const wanted = await whole();
  RunFolder.create(path, SETTINGS);
  let outcome: Outcome | undefined;
  // Each attempt gets one batch further than the epoch it starts in, or is stopped there.
  for (let i = 0; outcome === undefined && i < 40; i++) {
    outcome = await attempt(RunFolder.resume(path), { at: i % 2 === 0 ? 5 : 3, end: i % 2 === 0 ? 'crash' : 'stop' });
  }
  sameBits(outcome!, wanted);
});

test('tells where it goes on, and epochs once each', async () => {
  const events: RunEvent[] = [];
  const tell = (event: RunEvent): void => void events.push(event);
  await attempt(RunFolder.create(path, SETTINGS), { at: 6, end: 'stop', tell });
  await attempt(RunFolder.resume(path), { tell });
  const begun = events.filter((event) => event.event === 'trial');
  expect(begun.map(({ doneEpochs, doneBatches }) => [doneEpochs, doneBatches])).toEqual([
    [0, 0],
    [1, 3],
  ]);
  const epochs = events.filter((event) => event.event === 'epoch').map(({ epoch }) => epoch);
  expect(epochs).toEqual([1, 2, 3, 4]);
});

test('a checkpoint that is cut off is named', async () => {
  const folder = RunFolder.create(path, SETTINGS);
  await attempt(folder, { at: 6, end: 'stop' });
  writeFileSync(folder.checkpoint('trial'), 'abc');
  await expect(attempt(RunFolder.resume(path), { end: 'stop' })).rejects.toThrow('trial.checkpoint.safetensors');
});
