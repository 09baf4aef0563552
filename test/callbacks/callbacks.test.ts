// Callbacks: when they are called and with what, and those that come with the library.
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { ProgressLogger } from '../../src/callbacks/progress.js';

const x = sn.randomNormal([12, 2], 0, 1, 'float32', 1);
const y = sn.ones([12, 1]);

function model(rate = 0.1): sn.Sequential {
  const made = sn.sequential({
    layers: [sn.layers.dense({ units: 1, inputShape: [2], kernelInitializer: 'zeros', name: 'only' })],
  });
  made.compile({ optimizer: sn.train.sgd(rate), loss: 'meanSquaredError' });
  return made;
}
const quiet = { verbose: 0, batchSize: 4, shuffle: false } as const;

/** Puts values of our own in place of a log, so that a callback meets just those. */
class Scripted extends sn.Callback {
  constructor(
    private readonly name: string,
    private readonly values: readonly number[],
  ) {
    super();
  }
  override onEpochEnd(epoch: number, logs: sn.Logs = {}): void {
    logs[this.name] = this.values[epoch]!;
  }
}

describe('hooks', () => {
  test('are called in order, with logs, and awaited', async () => {
    const calls: string[] = [];
    const note =
      (name: string) =>
      async (...args: unknown[]): Promise<void> => {
        await new Promise(setImmediate);
        const logs = args.at(-1);
        const keys = typeof logs === 'object' ? Object.keys(logs as object).join() : '';
        calls.push(`${name}(${args.filter((one) => typeof one === 'number').join()}) ${keys}`.trim());
      };
    const callbacks: sn.CustomCallbackArgs = {
      onTrainBegin: note('train begins'),
      onTrainEnd: note('train ends'),
      onEpochBegin: note('epoch begins'),
      onEpochEnd: note('epoch ends'),
      onBatchBegin: note('batch begins'),
      onBatchEnd: note('batch ends'),
      onYield: note('yield'),
    };
    const args = { ...quiet, batchSize: 6, epochs: 3, initialEpoch: 2, yieldEvery: 'batch' } as const;
    await model().fit(x, y, { ...args, validationData: [x, y], callbacks });
    expect(calls).toEqual([
      'train begins()',
      'epoch begins(2)',
      'batch begins(0) batch,size',
      'batch ends(0) batch,size,loss',
      'yield(2,0) batch,size,loss',
      'batch begins(1) batch,size',
      'batch ends(1) batch,size,loss',
      'yield(2,1) batch,size,loss',
      'epoch ends(2) loss,val_loss',
      'train ends()',
    ]);
  });

  test('get the losses of single batches, whose mean is the epoch`s', async () => {
    const losses: number[] = [];
    const callbacks = { onBatchEnd: (_batch: number, logs?: sn.Logs) => void losses.push(logs!['loss']!) };
    const { history } = await model(0).fit(x, y, { ...quiet, callbacks });
    expect(losses).toHaveLength(3);
    expect(losses.reduce((sum, loss) => sum + loss) / 3).toBeCloseTo(history['loss']![0]!, 6);
  });

  test('know the model and the settings', async () => {
    class Curious extends sn.Callback {
      override onTrainBegin(): void {
        this.model.stopTraining = this.params['epochs'] === 4 && this.params['samples'] === 12;
      }
    }
    const { epoch } = await model().fit(x, y, { ...quiet, epochs: 4, callbacks: [new Curious()] });
    expect(epoch).toEqual([]);
  });
});

describe('earlyStopping', () => {
  const run = async (
    values: readonly number[],
    config: Parameters<typeof sn.callbacks.earlyStopping>[0],
  ): Promise<number> => {
    const callbacks = [new Scripted('score', values), sn.callbacks.earlyStopping({ monitor: 'score', ...config })];
    return (await model().fit(x, y, { ...quiet, epochs: values.length, callbacks })).epoch.length;
  };

  test.each([
    ['stops when the value no longer falls', [3, 2, 2, 1], {}, 3],
    ['waits for patience epochs', [3, 2, 2, 2, 2, 2], { patience: 2 }, 4],
    ['starts to wait anew after an improvement', [3, 4, 2, 3, 3, 3], { patience: 2 }, 5],
    ['wants minDelta', [3, 2.95, 2.9, 2.8], { minDelta: 0.2, patience: 2 }, 3],
    ['can maximise', [1, 2, 3, 3, 3], { mode: 'max' as const }, 4],
    ['never stops after the first epoch', [NaN, 1, 2], {}, 3],
    ['wants the baseline beaten', [3, 2.5, 2.2, 2.1], { baseline: 2, patience: 3 }, 4],
    ['begins where it is told', [1, 5, 4, 4, 4], { startFromEpoch: 1 }, 4],
  ])('%s', async (_, values, config, epochs) => {
    expect(await run(values, config)).toBe(epochs);
  });

  test('takes more for better where the name says so', async () => {
    const callbacks = [new Scripted('val_acc', [1, 2, 2]), sn.callbacks.earlyStopping({ monitor: 'val_acc' })];
    const { epoch } = await model().fit(x, y, { ...quiet, epochs: 3, callbacks });
    expect(epoch).toHaveLength(3);
  });

  test('gives the best epoch`s weights back, or leaves the last', async () => {
    for (const restoreBestWeights of [true, false]) {
      const net = model();
      const weights: number[][] = [];
      const record = { onEpochEnd: () => void weights.push([...net.weights[0]!.dataSync()]) };
      const stopping = sn.callbacks.earlyStopping({ monitor: 'score', patience: 2, restoreBestWeights });
      const callbacks = [record, new Scripted('score', [3, 1, 2, 2, 2]), stopping];
      await net.fit(x, y, { ...quiet, epochs: 5, callbacks });
      expect(weights).toHaveLength(4);
      expect([...net.weights[0]!.dataSync()]).toEqual(weights[restoreBestWeights ? 1 : 3]);
      expect(stopping).toMatchObject({ bestEpoch: 1, stoppedEpoch: 3 });
    }
  });

  test('remembers what it waited for when training is resumed', async () => {
    const scores = [3, 1, 2, 2, 2, 2];
    const make = (): sn.Callback[] => [
      new Scripted('score', scores),
      sn.callbacks.earlyStopping({ monitor: 'score', patience: 3, restoreBestWeights: true }),
    ];
    const whole = model();
    const { epoch: all } = await whole.fit(x, y, { ...quiet, epochs: 6, callbacks: make() });
    const first = model();
    let state: sn.TrainingState | undefined;
    const save = { onEpochEnd: async () => void (state = await first.trainingState()) };
    await first.fit(x, y, { ...quiet, epochs: 3, callbacks: [...make(), save] });
    const second = model();
    await second.setTrainingState(state!);
    const rest = await second.fit(x, y, { ...quiet, epochs: 6, initialEpoch: 3, callbacks: make() });
    expect([0, 1, 2, ...rest.epoch]).toEqual(all);
    expect([...second.weights[0]!.dataSync()]).toEqual([...whole.weights[0]!.dataSync()]);
  });

  test('names the logs there are when its own is missing', async () => {
    const callbacks = sn.callbacks.earlyStopping();
    await expect(model().fit(x, y, { ...quiet, callbacks })).rejects.toThrow(
      /earlyStopping: monitor: expected one of loss, got "val_loss"; give fit validationData or validationSplit/,
    );
    expect(() => sn.callbacks.earlyStopping({ patience: -1 })).toThrow(/patience: expected an integer of at least 0/);
    expect(() => sn.callbacks.earlyStopping({ mode: 'best' as never })).toThrow(
      /mode: expected 'auto', 'min' or 'max'/,
    );
  });
});

describe('terminateOnNaN', () => {
  test('ends training whose loss is not finite, and no other', async () => {
    const callbacks = sn.callbacks.terminateOnNaN();
    const lost = await model(1e30).fit(x, y, { ...quiet, epochs: 5, callbacks });
    expect(lost.epoch.length).toBeLessThan(3);
    expect((await model().fit(x, y, { ...quiet, epochs: 5, callbacks })).epoch).toHaveLength(5);
  });

  test('ends it after the batch with yieldEvery batch', async () => {
    let batches = 0;
    const callbacks = [sn.callbacks.terminateOnNaN(), { onBatchEnd: () => void batches++ }];
    await model(1e30).fit(x, y, { ...quiet, batchSize: 1, yieldEvery: 'batch', callbacks });
    expect(batches).toBeLessThan(5);
  });
});

describe('modelCheckpoint', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'checkpoint-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('saves each epoch under its number and its logs', async () => {
    const filepath = join(folder, 'all-{epoch:02d}-{loss:.2f}');
    const callbacks = sn.callbacks.modelCheckpoint({ filepath, saveWeightsOnly: true });
    const { history } = await model().fit(x, y, { ...quiet, epochs: 2, callbacks });
    const names = history['loss']!.map((loss, i) => `all-0${i + 1}-${loss.toFixed(2)}.safetensors`);
    expect(
      readdirSync(folder)
        .filter((name) => name.startsWith('all'))
        .sort(),
    ).toEqual(names);
  });

  test('keeps the best alone, as a model that loads', async () => {
    const net = model();
    const weights: number[][] = [];
    const record = { onEpochEnd: () => void weights.push([...net.weights[0]!.dataSync()]) };
    const filepath = join(folder, 'best');
    const checkpoint = sn.callbacks.modelCheckpoint({ filepath, monitor: 'score', saveBestOnly: true });
    await net.fit(x, y, {
      ...quiet,
      epochs: 4,
      callbacks: [record, new Scripted('score', [3, 1, 2, NaN]), checkpoint],
    });
    const loaded = await sn.loadLayersModel(filepath);
    expect([...loaded.weights[0]!.dataSync()]).toEqual(weights[1]);
  });

  test('saves after so many batches', async () => {
    const filepath = join(folder, 'batch-{epoch}');
    const callbacks = sn.callbacks.modelCheckpoint({ filepath, saveFreq: 4, saveWeightsOnly: true });
    await model().fit(x, y, { ...quiet, epochs: 2, callbacks });
    expect(['1', '2'].map((epoch) => existsSync(join(folder, `batch-${epoch}.safetensors`)))).toEqual([false, true]);
  });

  test('refuses names and formats there are not, and files that cannot be written', async () => {
    const save = (filepath: string): Promise<unknown> =>
      model().fit(x, y, { ...quiet, callbacks: sn.callbacks.modelCheckpoint({ filepath: join(folder, filepath) }) });
    await expect(save('{acc}')).rejects.toThrow(/filepath: expected names among loss, epoch, got "acc"/);
    await expect(save('{loss:x}')).rejects.toThrow(/filepath: expected formats as 02d or .3f, got "x"/);
    writeFileSync(join(folder, 'file'), '');
    await expect(save('file/model')).rejects.toThrow(/file/);
    expect(() => sn.callbacks.modelCheckpoint({ filepath: '' })).toThrow(/filepath: expected a path, got ""/);
    expect(() => sn.callbacks.modelCheckpoint({ filepath: 'a', saveFreq: 0 })).toThrow(/saveFreq: expected 'epoch'/);
  });
});

describe('what fit prints', () => {
  const printed = async (verbose: 1 | 2, isTTY: boolean): Promise<string> => {
    let text = '';
    const write = (part: string): boolean => ((text += part), true);
    const stream = { write, isTTY, columns: 80, cursorTo: () => true, clearLine: () => true, moveCursor: () => true };
    const logger = new ProgressLogger(verbose, stream as unknown as NodeJS.WriteStream);
    await model().fit(x, y, { ...quiet, epochs: 2, yieldEvery: 'batch', callbacks: logger });
    return text;
  };

  test('is a line each epoch with verbose 2', async () => {
    expect(await printed(2, false)).toMatch(/^epoch 1\/2 {2}[\d.]+ s {2}loss [\d.]+\nepoch 2\/2 .*\n$/);
  });
  test('is a bar on a terminal and nothing in a pipe with verbose 1', async () => {
    expect(await printed(1, true)).toContain('epoch 2/2');
    expect(await printed(1, false)).toBe('');
  });
});
