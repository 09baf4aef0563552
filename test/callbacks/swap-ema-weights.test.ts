// Running averages in the weights' place: when validation and other callbacks see them, as in Keras, and that training goes on from
// the weights themselves.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { liveTensors } from '../harness/live-tensors.js';

interface Training {
  readonly loss: readonly number[];
  readonly val_loss: readonly number[];
  readonly weights: readonly (readonly number[])[];
}
const { averages: keras } = JSON.parse(
  readFileSync(new URL('../fixtures/callbacks/callbacks.json', import.meta.url), 'utf8'),
) as {
  averages: { x: number[]; y: number[]; kernel: number[] } & Record<'without' | 'validation' | 'epoch', Training>;
};

const x = sn.tensor(keras.x, [12, 3]);
const y = sn.tensor(keras.y, [12, 1]);
const args = { batchSize: 4, shuffle: false, verbose: 0, validationData: [x, y] } as const;

function model(options: sn.OptimizerOptions = { emaMomentum: 0.75 }): sn.Sequential {
  const made = sn.sequential({
    layers: [sn.layers.dense({ units: 1, useBias: false, inputShape: [3], name: 'only' })],
  });
  made.compile({ optimizer: sn.train.sgd(0.25, options), loss: 'meanSquaredError' });
  made.setWeights([sn.tensor(keras.kernel, [3, 1])]);
  return made;
}
const kernel = (net: sn.Sequential): number[] => [...net.weights[0]!.dataSync()];

function expectClose(got: readonly number[], wanted: readonly number[]): void {
  expect(got).toHaveLength(wanted.length);
  got.forEach((value, i) => expect(!(Math.abs(value - wanted[i]!) <= 2e-6)).toBe(false));
}

test.each(['without', 'validation', 'epoch'] as const)('losses and weights are those of Keras: %s', async (when) => {
  const net = model();
  const seen: number[][] = [];
  const look = { onEpochEnd: () => void seen.push(kernel(net)) };
  const swap = when === 'without' ? [] : [sn.callbacks.swapEmaWeights({ swapOnEpoch: when === 'epoch' })];
  const { history } = await net.fit(x, y, { ...args, epochs: 4, callbacks: [...swap, look] });
  expectClose(history['loss']!, keras[when].loss);
  expectClose(history['val_loss']!, keras[when].val_loss);
  seen.forEach((weights, epoch) => expectClose(weights, keras[when].weights[epoch]!));
});

test('evaluate and predict see the averages after the last epoch, and the next fit goes on from the weights', async () => {
  const [net, other] = [model(), model()];
  const callbacks = (): sn.Callback[] => [sn.callbacks.swapEmaWeights({ swapOnEpoch: true })];
  const { history } = await net.fit(x, y, { ...args, epochs: 2, callbacks: callbacks() });
  expect(net.optimizer.averagesInPlace).toBe(true);
  expect((net.evaluate(x, y) as sn.Tensor).dataSync()[0]).toBeCloseTo(history['val_loss']![1]!, 6);
  await net.fit(x, y, { ...args, initialEpoch: 2, epochs: 4, callbacks: callbacks() });
  await other.fit(x, y, { ...args, epochs: 4 });
  expect(kernel(net)).not.toEqual(kernel(other));
  net.optimizer.swapAverages();
  expect(kernel(net)).toEqual(kernel(other));
});

test('a checkpoint behind it has the averages; a training state has the weights, and goes on from them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'selfnorm-averages-'));
  try {
    const whole = model();
    const callbacks = (): sn.Callback[] => [sn.callbacks.swapEmaWeights({ swapOnEpoch: true })];
    await whole.fit(x, y, { ...args, epochs: 4, callbacks: callbacks() });

    const first = model();
    const filepath = join(folder, 'best');
    await first.fit(x, y, {
      ...args,
      epochs: 2,
      callbacks: [...callbacks(), sn.callbacks.modelCheckpoint({ filepath })],
    });
    const loaded = await sn.loadLayersModel(filepath);
    expect([...loaded.weights[0]!.dataSync()]).toEqual(kernel(first));
    expectClose(kernel(first), keras.epoch.weights[1]!);

    const training = join(folder, 'training');
    await first.save(training, { includeOptimizer: true });
    const second = model();
    // Averages of its own are in place when the training's weights come.
    await second.fit(x, y, { ...args, epochs: 1, callbacks: callbacks() });
    const initialEpoch = await second.loadTrainingState(training);
    expect(second.optimizer.averagesInPlace).toBe(false);
    await second.fit(x, y, { ...args, epochs: 4, initialEpoch, callbacks: callbacks() });
    expect(kernel(second)).toEqual(kernel(whole));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('the weights are back when validation fails', async () => {
  const net = model();
  const fail = {
    onTestBegin: () => {
      throw new Error('no validation today');
    },
  };
  const callbacks = [sn.callbacks.swapEmaWeights(), fail];
  await expect(net.fit(x, y, { ...args, callbacks })).rejects.toThrow('no validation today');
  expect(net.optimizer.averagesInPlace).toBe(false);
});

test('validation hooks are called around validation, with its logs', async () => {
  const calls: string[] = [];
  const callbacks: sn.CustomCallbackArgs = {
    onEpochEnd: () => void calls.push('epoch'),
    onTestBegin: () => void calls.push('begin'),
    onTestEnd: (logs) => void calls.push(`end ${Object.keys(logs!).join()}`),
  };
  await model().fit(x, y, { ...args, epochs: 2, callbacks });
  expect(calls).toEqual(['begin', 'end val_loss', 'epoch', 'begin', 'end val_loss', 'epoch']);
});

test('leaves no tensors behind', async () => {
  const net = model();
  const round = async (): Promise<void> => {
    await net.fit(x, y, { ...args, epochs: 2, callbacks: [sn.callbacks.swapEmaWeights({ swapOnEpoch: true })] });
    net.optimizer.applyAverages();
  };
  await round();
  const before = await liveTensors();
  await round();
  await round();
  expect(await liveTensors()).toBe(before);
});

test('wants an optimizer that keeps averages', async () => {
  await expect(model({}).fit(x, y, { ...args, callbacks: sn.callbacks.swapEmaWeights() })).rejects.toThrow(
    /callbacks.swapEmaWeights: model: expected an optimizer with emaMomentum, got "SGD"; make it as/,
  );
  expect(() => sn.callbacks.swapEmaWeights({ swapOnEpoch: 1 as unknown as boolean })).toThrow(
    /callbacks.swapEmaWeights: swapOnEpoch: expected a boolean, got 1/,
  );
});
