// Gradients of several batches before one step: the step of one large batch, Keras's trainings, and what waits between batches.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { liveTensors } from '../harness/live-tensors.js';
import { bits } from '../models/saved-models.js';
import { everyOptimizer } from './every-optimizer.js';

interface Training {
  readonly name: string;
  readonly loss: readonly number[];
  readonly weights: readonly (readonly number[])[];
  readonly iterations: readonly number[];
}
const keras = JSON.parse(readFileSync(new URL('../fixtures/training/accumulation.json', import.meta.url), 'utf8')) as {
  x: number[];
  y: number[];
  kernel: number[];
  trainings: Training[];
};

function expectClose(got: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number): void {
  expect(got).toHaveLength(wanted.length);
  for (let i = 0; i < wanted.length; i++) expect(!(Math.abs(got[i]! - wanted[i]!) <= tolerance)).toBe(false);
}

function linear(optimizer: sn.Optimizer, runEagerly = false): sn.Sequential {
  const made = sn.sequential({
    layers: [sn.layers.dense({ units: 2, useBias: false, inputShape: [3], name: 'only' })],
  });
  made.compile({ optimizer, loss: 'meanSquaredError', runEagerly });
  made.setWeights([sn.tensor(keras.kernel, [3, 2])]);
  return made;
}
const kerasData = (): [sn.Tensor, sn.Tensor] => [sn.tensor(keras.x, [18, 3]), sn.tensor(keras.y, [18, 2])];
const makers: Readonly<Record<string, (options: sn.OptimizerOptions) => sn.Optimizer>> = {
  sgd: (options) => sn.train.sgd(0.25, options),
  momentum: (options) => sn.train.momentum(0.125, 0.9, true, options),
  adam: (options) => sn.train.adam(0.0625, 0.9, 0.999, 1e-7, options),
  'adam, global norm': (options) => sn.train.adam(0.0625, 0.9, 0.999, 1e-7, { ...options, globalClipNorm: 0.25 }),
  'adam, norms': (options) =>
    sn.train.adam(0.0625, 0.9, 0.999, 1e-7, { ...options, clipNorm: 0.125, weightDecay: 0.25 }),
  rmsprop: (options) => sn.train.rmsprop(0.03125, 0.9, 0, 1e-7, false, options),
};

test.each(keras.trainings)('fit goes as in Keras: $name', async ({ name, loss, weights, iterations }) => {
  const optimizer = makers[name]!({ gradientAccumulationSteps: 3 });
  const net = linear(optimizer);
  const [x, y] = kerasData();
  const callbacks: sn.CustomCallbackArgs = {
    onEpochEnd(epoch) {
      expectClose(net.weights[0]!.dataSync(), weights[epoch]!, 3e-5);
      expect(optimizer.iterations).toBe(iterations[epoch]);
    },
  };
  const { history } = await net.fit(x, y, {
    batchSize: 4,
    epochs: weights.length,
    shuffle: false,
    verbose: 0,
    callbacks,
  });
  expectClose(history['loss']!, loss, 3e-5);
});

/** Two layers, with a constraint that acts behind the step. */
function deep(optimizer: sn.Optimizer): sn.Sequential {
  const { dense } = sn.layers;
  const kernelConstraint = sn.constraints.maxNorm({ maxValue: 1 });
  const made = sn.sequential({
    layers: [
      dense({ units: 7, activation: 'selu', inputShape: [5], kernelConstraint, name: 'a' }),
      dense({ units: 3, activation: 'softmax', name: 'b' }),
    ],
  });
  made.compile({ optimizer, loss: 'categoricalCrossentropy' });
  return made;
}

const variants = [
  ['as it is', {}],
  ['with decay, clipping and averages', { globalClipNorm: 0.5, weightDecay: 0.1, emaMomentum: 0.9 }],
  ['with loss scaling', { lossScaling: true, clipNorm: 0.5 }],
] as const;

describe.each(everyOptimizer)('%s', (_, make) => {
  test.each(variants)(
    'makes of four batches the step of a batch of four times the size, %s',
    async (_what, options) => {
      const x = sn.randomNormal([48, 5], 0, 1, 'float32', 1);
      const y = sn.oneHot(sn.randomUniform([48], 0, 3, 'int32', 2), 3);
      const [small, large] = [make({ ...options, gradientAccumulationSteps: 4 }), make(options)];
      const [first, second] = [deep(small), deep(large)];
      second.setWeights(first.getWeights());
      const args = { epochs: 2, verbose: 0, seed: 1 } as const;
      await first.fit(x, y, { ...args, batchSize: 4 });
      await second.fit(x, y, { ...args, batchSize: 16 });
      expect(small.iterations).toBe(6);
      // Signs of gradients near 0 may differ: a step of lion is 0.05 either way.
      const tolerance = small instanceof sn.LionOptimizer ? 0.3 : 2e-4;
      first.weights.forEach((weight, i) => expectClose(weight.dataSync(), second.weights[i]!.dataSync(), tolerance));
      if ('emaMomentum' in options) {
        small.swapAverages();
        large.swapAverages();
        first.weights.forEach((weight, i) => expectClose(weight.dataSync(), second.weights[i]!.dataSync(), tolerance));
      }
    },
  );
});

test('recorded steps give the bits of eager ones', async () => {
  const [x, y] = kerasData();
  const args = { batchSize: 4, epochs: 5, verbose: 0, seed: 1 } as const;
  const [recorded, eager] = [false, true].map((runEagerly) =>
    linear(sn.train.adam(0.1, 0.9, 0.999, 1e-7, { gradientAccumulationSteps: 3 }), runEagerly),
  ) as [sn.Sequential, sn.Sequential];
  await recorded.fit(x, y, args);
  await eager.fit(x, y, args);
  expect(bits(recorded.weights[0]!)).toBe(bits(eager.weights[0]!));
});

test('what waits is part of a saved training, which goes on bit for bit', async () => {
  const [x, y] = kerasData();
  const make = (): sn.Optimizer =>
    sn.train.nadam(0.1, { gradientAccumulationSteps: 4, emaMomentum: 0.5, lossScaling: { initialScale: 64 } });
  const args = { batchSize: 4, verbose: 0, epochs: 5 } as const;
  sn.setSeed(3);
  const whole = linear(make());
  await whole.fit(x, y, args);
  sn.setSeed(3);
  const first = linear(make());
  let seen = 0;
  const callbacks = { onBatchEnd: () => void (first.stopTraining = ++seen === 11) };
  await first.fit(x, y, { ...args, callbacks });
  const state = await first.trainingState();
  const waiting = state.tensors.filter(({ name }) => name.startsWith('optimizer/'));
  expect(waiting.map(({ name }) => name)).toEqual([
    ...['iter', 'momentum_product', 'loss_scale', 'good_steps', 'skipped_steps', 'accumulated_batches'].map(
      (name) => `optimizer/${name}`,
    ),
    ...['m', 'v', 'average', 'gradient_accumulator'].map((name) => `optimizer/only/kernel/${name}`),
  ]);
  expect(waiting[5]!.tensor.dataSync()[0]).toBe(3);
  sn.setSeed(5);
  const second = linear(make());
  await second.setTrainingState(state);
  await second.fit(x, y, { ...args, initialEpoch: 2 });
  expect(bits(second.weights[0]!)).toBe(bits(whole.weights[0]!));
  expect(second.optimizer.iterations).toBe(6);
});

test('one batch that is not finite leaves out the whole step, and nothing of it stays', async () => {
  const w = sn.variable([1, 2], true, 'accumulated w');
  const optimizer = sn.train.sgd(1, { gradientAccumulationSteps: 2, lossScaling: { initialScale: 8 } });
  const give = (...values: number[]): void => optimizer.applyGradients({ [w.name]: sn.tensor(values) });
  give(Infinity, 1);
  expect(await optimizer.lossScale).toBe(8);
  give(1, 1);
  expect([...w.dataSync()]).toEqual([1, 2]);
  expect(await optimizer.lossScale).toBe(4);
  expect(await optimizer.skippedSteps).toBe(1);
  give(4, 8);
  expect([...w.dataSync()]).toEqual([1, 2]);
  give(0, 0);
  expect([...w.dataSync()]).toEqual([0.5, 1]);
  expect(optimizer.iterations).toBe(1);
});

test.each(['float64', 'float16', 'bfloat16'] as const)('%s parameters step by the mean', (dtype) => {
  const w = sn.variable(sn.tensor([1, 2, 3], [3]).cast(dtype), true, `accumulated ${dtype}`);
  const optimizer = sn.train.sgd(0.5, { gradientAccumulationSteps: 4 });
  for (const value of [1, 2, 3, 6]) optimizer.applyGradients({ [w.name]: sn.fill([3], value, 'float32').cast(dtype) });
  expect([...w.dataSync()]).toEqual([-0.5, 0.5, 1.5]);
});

test('1 accumulates nothing, and is not in the configuration', () => {
  expect(sn.train.sgd(0.1, { gradientAccumulationSteps: 1 }).getConfig()).not.toHaveProperty(
    'gradientAccumulationSteps',
  );
  const config = sn.train.adam(0.1, 0.9, 0.999, 1e-7, { gradientAccumulationSteps: 5 }).getConfig();
  expect(config).toMatchObject({ gradientAccumulationSteps: 5 });
});

test.each([0, 1.5, -2, '4'])('%s batches are refused', (gradientAccumulationSteps) => {
  expect(() => sn.train.sgd(0.1, { gradientAccumulationSteps } as sn.OptimizerOptions)).toThrow(
    /train.sgd: gradientAccumulationSteps: expected an integer of at least 1, got /,
  );
});

test('leaves no tensors behind', async () => {
  const w = sn.variable([1, 2], true, 'accumulated leak');
  const optimizer = sn.train.adam(0.1, 0.9, 0.999, 1e-7, { gradientAccumulationSteps: 2 });
  const round = (): void => {
    for (let i = 0; i < 4; i++) optimizer.minimize(() => sn.sum(sn.square(w)));
  };
  round();
  const before = await liveTensors();
  round();
  expect(await liveTensors()).toBe(before);
});
