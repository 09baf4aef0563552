// Callbacks that change the learning rate: what Keras's do to it, epoch by epoch; recorded steps that follow; and trainings that go on.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';

interface Trace {
  readonly name: string;
  readonly logged: readonly number[];
  readonly left: readonly number[];
}
interface Plateau extends Trace {
  readonly config: Readonly<Record<string, number | string>>;
  readonly values: readonly (number | string)[];
}
const keras = JSON.parse(
  readFileSync(new URL('../fixtures/callbacks/callbacks.json', import.meta.url), 'utf8'),
) as Readonly<{ plateaus: readonly Plateau[]; schedules: readonly Trace[] }>;

const x = sn.randomNormal([12, 2], 0, 1, 'float32', 1);
const y = sn.ones([12, 1]);
const quiet = { verbose: 0, batchSize: 4, shuffle: false } as const;

function model(rate: sn.LearningRate = 0.5, runEagerly = false): sn.Sequential {
  const made = sn.sequential({
    layers: [sn.layers.dense({ units: 1, inputShape: [2], kernelInitializer: 'ones', name: 'only' })],
  });
  made.compile({ optimizer: sn.train.sgd(rate), loss: 'meanSquaredError', runEagerly });
  return made;
}

/** Puts values of our own in place of val_loss. */
const scripted = (values: readonly number[]): sn.CustomCallbackArgs => ({
  onEpochEnd: (epoch, logs) => void Object.assign(logs!, { val_loss: values[epoch]! }),
});

async function rates(callbacks: readonly (sn.Callback | sn.CustomCallbackArgs)[], epochs: number): Promise<Trace> {
  const net = model();
  const left: number[] = [];
  const note = { onEpochEnd: () => void left.push(net.optimizer.learningRate) };
  const { history } = await net.fit(x, y, { ...quiet, batchSize: 12, epochs, callbacks: [...callbacks, note] });
  return { name: '', logged: history['learning_rate']!, left };
}

/** Keras keeps the rate in float32. */
function expectRates(got: readonly number[], wanted: readonly number[]): void {
  expect(got).toHaveLength(wanted.length);
  got.forEach((rate, i) => {
    expect(!(Math.abs(rate - wanted[i]!) <= 2 ** -23 * Math.abs(wanted[i]!))).toBe(false);
  });
}

const camelCase: Readonly<Record<string, string>> = { min_delta: 'minDelta', min_lr: 'minLR' };

test.each(keras.plateaus)(
  'reduceLROnPlateau has the rates of Keras: $name',
  async ({ config, values, logged, left }) => {
    const options = Object.fromEntries(Object.entries(config).map(([name, value]) => [camelCase[name] ?? name, value]));
    const plateau = sn.callbacks.reduceLROnPlateau(options);
    const got = await rates([scripted(values.map(Number)), plateau], values.length);
    expectRates(got.logged, logged);
    expectRates(got.left, left);
  },
);

test.each([
  ['halves every second epoch', (epoch: number, rate: number) => (epoch % 2 === 1 ? rate / 2 : rate)],
  ['of the epoch alone', (epoch: number) => 1 / (1 + epoch)],
])('learningRateScheduler has the rates of Keras: %s', async (name, schedule) => {
  const { logged, left } = keras.schedules.find((trace) => trace.name === name)!;
  const got = await rates([sn.callbacks.learningRateScheduler(schedule)], logged.length);
  expectRates(got.logged, logged);
  expectRates(got.left, left);
});

describe.each<[string, () => (sn.Callback | sn.CustomCallbackArgs)[]]>([
  [
    'reduceLROnPlateau',
    () => [scripted([3, 3, 3, 2, 2, 2]), sn.callbacks.reduceLROnPlateau({ patience: 2, factor: 0.5 })],
  ],
  ['learningRateScheduler', () => [sn.callbacks.learningRateScheduler((_, rate) => rate * 0.75)]],
])('%s', (_, callbacks) => {
  const epochs = 6;
  const weights = (net: sn.Sequential): number[] => [...net.weights[0]!.dataSync()];

  test('changes the rate of recorded steps as of eager ones', async () => {
    const nets = [model(0.125), model(0.125, true), model(0.125)];
    await nets[0]!.fit(x, y, { ...quiet, epochs, callbacks: callbacks() });
    await nets[1]!.fit(x, y, { ...quiet, epochs, callbacks: callbacks() });
    await nets[2]!.fit(x, y, { ...quiet, epochs });
    expect(weights(nets[0]!)).toEqual(weights(nets[1]!));
    expect(weights(nets[0]!)).not.toEqual(weights(nets[2]!));
  });

  test.each([
    ['between epochs', 9],
    ['within an epoch', 10],
    ['behind the last batch of an epoch', 12],
  ])('goes on where a training was broken off %s', async (_where, batches) => {
    const whole = model(0.125);
    const { history } = await whole.fit(x, y, { ...quiet, epochs, callbacks: callbacks() });

    const first = model(0.125);
    let seen = 0;
    const stop = { onBatchEnd: () => void (first.stopTraining = ++seen === batches) };
    await first.fit(x, y, { ...quiet, epochs, callbacks: [...callbacks(), stop] });
    const state = await first.trainingState();

    const second = model(0.125);
    await second.setTrainingState(state);
    const initialEpoch = state.values['epoch'] as number;
    const rest = await second.fit(x, y, { ...quiet, epochs, initialEpoch, callbacks: callbacks() });
    expect(weights(second)).toEqual(weights(whole));
    expect(rest.history['learning_rate']).toEqual(history['learning_rate']!.slice(initialEpoch));
    expect(second.optimizer.learningRate).toBe(whole.optimizer.learningRate);
  });

  test('forgets a training when another begins', async () => {
    const made = callbacks();
    const [once, again] = [model(0.125), model(0.125)];
    const { history } = await once.fit(x, y, { ...quiet, epochs, callbacks: made });
    const second = await again.fit(x, y, { ...quiet, epochs, callbacks: made });
    expect(second.history['learning_rate']).toEqual(history['learning_rate']);
  });

  test('refuses an optimizer with a schedule', async () => {
    const net = model(sn.train.schedules.exponentialDecay(0.1, 10, 0.5));
    await expect(net.fit(x, y, { ...quiet, callbacks: callbacks() })).rejects.toThrow(
      /callbacks\.\w+: model: expected an optimizer with a number as learningRate, got an object of class ExponentialDecay; give/,
    );
  });
});

test.each<[object, RegExp]>([
  [{ factor: 1 }, /callbacks.reduceLROnPlateau: factor: expected a number in \[0, 1\), got 1/],
  [{ factor: -0.5 }, /factor: expected .*, got -0.5/],
  [{ patience: 1.5 }, /patience: expected an integer of at least 0, got 1.5/],
  [{ cooldown: -1 }, /cooldown: expected an integer of at least 0, got -1/],
  [{ minLR: NaN }, /minLR: expected a number in \[0, Infinity\), got NaN/],
  [{ minDelta: Infinity }, /minDelta: expected a finite number, got Infinity/],
  [{ mode: 'more' }, /mode: expected 'auto', 'min' or 'max', got "more"/],
])('reduceLROnPlateau refuses %o', (config, message) => {
  expect(() => sn.callbacks.reduceLROnPlateau(config)).toThrow(message);
});

test('reduceLROnPlateau names the logs there are when its own is missing', async () => {
  const callbacks = sn.callbacks.reduceLROnPlateau();
  await expect(model().fit(x, y, { ...quiet, callbacks })).rejects.toThrow(
    /monitor: expected one of loss, learning_rate, got "val_loss"; give fit validationData or validationSplit/,
  );
});

test('learningRateScheduler refuses what is no function, and what a function must not return', async () => {
  expect(() => sn.callbacks.learningRateScheduler(0.1 as unknown as () => number)).toThrow(
    /callbacks.learningRateScheduler: schedule: expected a function of \(epoch, learningRate\), got 0.1/,
  );
  for (const wrong of [NaN, -1, undefined]) {
    const callbacks = sn.callbacks.learningRateScheduler(() => wrong as number);
    await expect(model().fit(x, y, { ...quiet, callbacks })).rejects.toThrow(
      /schedule: expected a function that returns a number in \[0, Infinity\), got /,
    );
  }
});
