// Training ended by a signal: after the step under way, with the signal's reason, at rest; and a training that goes on from there.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { liveTensors } from '../harness/live-tensors.js';
import { weightsOf } from './saved-models.js';

const x = sn.randomNormal([24, 3], 0, 1, 'float32', 1);
const y = sn.randomNormal([24, 1], 0, 1, 'float32', 2);
const args = { batchSize: 4, verbose: 0 } as const;

function model(): sn.Sequential {
  const { dense, dropout } = sn.layers;
  const made = sn.sequential({
    name: 'net',
    layers: [
      dense({ units: 5, activation: 'selu', inputShape: [3], name: 'a' }),
      dropout({ rate: 0.5, name: 'drop' }),
      dense({ units: 1, name: 'b' }),
    ],
  });
  made.compile({ optimizer: sn.train.adam(0.01), loss: 'meanSquaredError' });
  return made;
}
const batches = (): sn.data.Dataset<unknown> =>
  sn.data.array(Array.from({ length: 6 }, () => ({ xs: sn.ones([4, 3]), ys: sn.ones([4, 1]) })));

test('fit is rejected with the reason, when callbacks have seen epoch and training end', async () => {
  const [net, controller] = [model(), new AbortController()];
  const calls: string[] = [];
  const callbacks: sn.CustomCallbackArgs = {
    onBatchEnd(batch) {
      calls.push(`batch ${batch}`);
      if (batch === 2) controller.abort();
    },
    onEpochEnd: (epoch, logs) => void calls.push(`epoch ${epoch} ${Object.keys(logs!).join()}`),
    onTrainEnd: () => void calls.push('train'),
  };
  const run = net.fit(x, y, { ...args, epochs: 3, validationData: [x, y], callbacks, signal: controller.signal });
  const error = await run.catch((thrown: unknown) => thrown);
  expect(error).toBe(controller.signal.reason);
  expect(error).toMatchObject({ name: 'AbortError' });
  expect(calls).toEqual(['batch 0', 'batch 1', 'batch 2', 'epoch 0 loss', 'train']);
});

test('what is aborted already does not begin, and says so at once', async () => {
  const reason = new Error('enough');
  const signal = AbortSignal.abort(reason);
  const net = model();
  const before = weightsOf(net);
  const calls: string[] = [];
  const callbacks = { onTrainBegin: () => void calls.push('begin') };
  await expect(net.fit(x, y, { ...args, callbacks, signal })).rejects.toBe(reason);
  await expect(net.fitDataset(batches(), { verbose: 0, callbacks, signal })).rejects.toBe(reason);
  await expect(net.evaluateDataset(batches(), { signal })).rejects.toBe(reason);
  expect(() => net.evaluate(x, y, { signal })).toThrow(reason);
  expect(() => net.predict(x, { signal })).toThrow(reason);
  expect(calls).toEqual([]);
  expect(weightsOf(net)).toEqual(before);
});

test('a signal that is not used changes nothing, and no listener stays', async () => {
  const { signal } = new AbortController();
  let listeners = 0;
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (...given: Parameters<typeof add>) => (listeners++, add(...given));
  signal.removeEventListener = (...given: Parameters<typeof remove>) => (listeners--, remove(...given));
  const [plain, signalled] = [model(), model()];
  signalled.setWeights(plain.getWeights());
  const options = { ...args, epochs: 2, validationData: [x, y] as const, seed: 5 };
  sn.setSeed(4);
  const wanted = await plain.fit(x, y, options);
  sn.setSeed(4);
  const got = await signalled.fit(x, y, { ...options, signal });
  expect(got.history).toEqual(wanted.history);
  await signalled.fitDataset(batches(), { verbose: 0, validationData: batches(), signal });
  await signalled.evaluateDataset(batches(), { signal });
  expect(listeners).toBe(0);
});

test.each(['fit', 'fitDataset'] as const)('%s hears a signal that comes from elsewhere', async (kind) => {
  const [net, controller] = [model(), new AbortController()];
  const endless = sn.data.generator(function* () {
    for (;;) yield { xs: sn.ones([4, 3]), ys: sn.ones([4, 1]) };
  });
  const options = { ...args, epochs: 1e9, signal: controller.signal };
  const run = kind === 'fit' ? net.fit(x, y, options) : net.fitDataset(endless, options);
  setTimeout(() => controller.abort('from elsewhere'), 30);
  await expect(run).rejects.toBe('from elsewhere');
  expect(net.optimizer.iterations).toBeGreaterThan(0);
});

test.each([
  ['a pass for each epoch', {}],
  ['one pass for all', { batchesPerEpoch: 3 }],
])('data that never comes does not hold up the end: %s', async (_, options) => {
  const signal = AbortSignal.timeout(30);
  const stuck = {
    async *[Symbol.asyncIterator]() {
      yield { xs: sn.ones([4, 3]), ys: sn.ones([4, 1]) };
      await new Promise(() => undefined);
    },
  };
  // A timer of a signal alone does not keep the process awake.
  const awake = setTimeout(() => undefined, 20_000);
  const net = model();
  const error = await net.fitDataset(stuck, { verbose: 0, signal, ...options }).catch((thrown: unknown) => thrown);
  clearTimeout(awake);
  expect(error).toMatchObject({ name: 'TimeoutError' });
  expect(net.optimizer.iterations).toBe(1);
});

describe('a training that was aborted', () => {
  test.each([
    ['in an epoch', 8, null],
    ['at the end of an epoch', 12, null],
    ['in validation', null, 2],
    ['in the first epoch`s validation', null, 1],
  ])('goes on bit for bit: %s', async (_, batch, validation) => {
    const options = { ...args, epochs: 4, validationData: [x, y] as const, seed: 5 };
    const start = model();
    const make = (): sn.Sequential => {
      const made = model();
      made.setWeights(start.getWeights());
      return made;
    };
    sn.setSeed(9);
    const whole = make();
    const { history: wanted } = await whole.fit(x, y, options);

    sn.setSeed(9);
    const [first, controller] = [make(), new AbortController()];
    let [batchesSeen, validationsSeen] = [0, 0];
    const callbacks: sn.CustomCallbackArgs = {
      onTestBegin: () => void (++validationsSeen === validation && controller.abort()),
      ...(batch === null ? {} : { onBatchEnd: () => void (++batchesSeen === batch && controller.abort()) }),
    };
    const run = first.fit(x, y, { ...options, callbacks, signal: controller.signal });
    await expect(run).rejects.toThrow(/abort/);
    const state = await first.trainingState();

    sn.setSeed(77);
    const second = model();
    await second.setTrainingState(state);
    const initialEpoch = state.values['epoch'] as number;
    expect(initialEpoch).toBe(validation === null ? 1 : validation - 1);
    const { history } = await second.fit(x, y, { ...options, initialEpoch });
    expect(weightsOf(second)).toEqual(weightsOf(whole));
    expect(history['loss']).toEqual(wanted['loss']!.slice(initialEpoch));
    expect(history['val_loss']).toEqual(wanted['val_loss']!.slice(initialEpoch));
  });

  test('leaves the model free for the next, and no tensors', async () => {
    const net = model();
    const round = async (): Promise<void> => {
      const controller = new AbortController();
      const callbacks = { onBatchEnd: () => controller.abort() };
      const { signal } = controller;
      await net.fit(x, y, { ...args, callbacks, signal }).catch(() => undefined);
      await net.fitDataset(batches(), { verbose: 0, callbacks, signal: new AbortController().signal });
      await net.fit(x, y, { ...args, epochs: 1 });
    };
    await round();
    const before = await liveTensors();
    await round();
    await round();
    expect(await liveTensors()).toBe(before);
  });
});

test('evaluation of a data set stops after the step under way', async () => {
  const controller = new AbortController();
  let read = 0;
  const source = sn.data.generator(function* () {
    for (;;) {
      if (++read === 5) controller.abort();
      yield { xs: sn.ones([4, 3]), ys: sn.ones([4, 1]) };
    }
  });
  await expect(model().evaluateDataset(source, { signal: controller.signal })).rejects.toThrow(/abort/);
  expect(read).toBe(5);
});

test('what is no signal is refused', async () => {
  const signal = { aborted: true } as unknown as AbortSignal;
  await expect(model().fit(x, y, { ...args, signal })).rejects.toThrow(
    /net.fit: signal: expected an AbortSignal, got an object of class Object/,
  );
});
