// fit, evaluate and predict by recorded steps: the bits of eager ones, and the event loop free meanwhile.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';

const { layers } = sn;

interface Outcome {
  readonly history: Record<string, number[]>;
  readonly weights: number[][];
  readonly evaluated: number[];
  readonly predicted: number[];
}

const COUNT = 90;
const images = (): sn.Tensor => sn.randomUniform([COUNT, 8, 8, 1], 0, 4, 'float32', 1).cast('uint8');
const classes = (): sn.Tensor => sn.randomUniform([COUNT], 0, 3, 'int32', 2);

/** A network with everything that has a state: batch normalisation, dropouts, constraints, regularizers. */
function network(runEagerly: boolean, optimizer: sn.Optimizer): sn.Sequential {
  const model = sn.sequential({
    layers: [
      layers.conv2d({ inputShape: [8, 8, 1], filters: 4, kernelSize: 3, kernelRegularizer: 'l1l2' }),
      layers.batchNormalization(),
      layers.elu({ alpha: 0.7 }),
      layers.dropout({ rate: 0.2 }),
      layers.flatten(),
      layers.dense({ units: 16, activation: 'selu', kernelInitializer: 'leCunNormal', kernelConstraint: 'maxNorm' }),
      layers.alphaDropout({ rate: 0.1, seed: 4 }),
      layers.dense({ units: 3, activation: 'softmax', kernelConstraint: 'nonNeg' }),
    ],
  });
  model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'], runEagerly });
  return model;
}

async function outcome(runEagerly: boolean, args: sn.ModelFitArgs): Promise<Outcome> {
  sn.setSeed(11);
  const model = network(
    runEagerly,
    sn.train.adam(sn.train.schedules.cosineDecay(0.01, 40), 0.9, 0.99, 1e-7, { globalClipNorm: 1 }),
  );
  const [x, y] = [images(), classes()];
  const { history } = await model.fit(x, y, { verbose: 0, epochs: 3, batchSize: 8, ...args });
  const scores = model.evaluate(x, y, { batchSize: 8 }) as sn.Tensor[];
  const predicted = model.predict(x, { batchSize: 8 }) as sn.Tensor;
  return {
    history,
    weights: model.getWeights().map((weight) => [...weight.dataSync()]),
    evaluated: scores.map((score) => score.dataSync()[0]!),
    predicted: [...predicted.dataSync()],
  };
}

describe('recorded steps give the bits of eager ones:', () => {
  const cases: Record<string, () => sn.ModelFitArgs> = {
    'shuffled, with a last batch that is smaller': () => ({}),
    'in order': () => ({ shuffle: false }),
    'with validation data and weights': () => ({
      validationSplit: 0.3,
      sampleWeight: sn.randomUniform([COUNT], 0, 1, 'float32', 3),
      classWeight: { 0: 2, 1: 0.5 },
    }),
    'with a callback for every batch': () => ({ callbacks: { onBatchEnd: () => undefined } }),
    'without turns of the event loop': () => ({ yieldEvery: 'never' }),
  };
  for (const [name, args] of Object.entries(cases)) {
    test(name, async () => {
      const eager = await outcome(true, args());
      const recorded = await outcome(false, args());
      expect(recorded).toEqual(eager);
      expect(eager.history['loss']!.every(Number.isFinite)).toBe(true);
    });
  }

  test('from a data set', async () => {
    const run = async (runEagerly: boolean): Promise<unknown> => {
      sn.setSeed(12);
      const model = network(runEagerly, sn.train.sgd(0.05));
      const xs = sn.data.array(images().arraySync() as number[][]);
      const ys = sn.data.array(classes().arraySync() as number[]);
      const dataset = sn.data.zip({ xs, ys }).batch(8);
      const { history } = await model.fitDataset(dataset, { epochs: 3, verbose: 0, validationData: dataset });
      const scores = (await model.evaluateDataset(dataset)) as sn.Tensor[];
      return [history, scores.map((score) => score.dataSync()[0])];
    };
    expect(await run(false)).toEqual(await run(true));
  });
});

describe('a step that changes is recorded anew:', () => {
  test('layers frozen, rates and learning rates changed by callbacks', async () => {
    const run = async (runEagerly: boolean): Promise<number[][]> => {
      sn.setSeed(13);
      const model = network(runEagerly, sn.train.sgd(0.05));
      const changes: sn.CustomCallbackArgs = {
        onEpochBegin: (epoch) => {
          model.layers[5]!.trainable = epoch !== 1;
          model.optimizer.learningRate = 0.05 / (epoch + 1);
        },
        onBatchBegin: (batch) => {
          (model.layers[3] as unknown as { rate: number }).rate = batch % 3 === 0 ? 0.2 : 0.5;
        },
      };
      await model.fit(images(), classes(), { epochs: 3, batchSize: 8, verbose: 0, callbacks: changes });
      return model.getWeights().map((weight) => [...weight.dataSync()]);
    };
    expect(await run(false)).toEqual(await run(true));
  });
});

test('a layer that reads values back runs eagerly, with one warning that says why', async () => {
  const warnings: string[] = [];
  const listener = ({ message }: Error): void => void warnings.push(message);
  process.on('warning', listener);
  let calls = 0;
  const model = sn.sequential({
    layers: [
      layers.dense({ units: 4, inputShape: [3] }),
      layers.lambda({
        fn: (x: sn.Tensor) => {
          calls++;
          return x.mul(x.abs().max().dataSync()[0]! > 0 ? 1 : 2);
        },
      }),
    ],
  });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  const before = calls;
  await model.fit(sn.ones([40, 3]), sn.zeros([40, 4]), { batchSize: 4, epochs: 2, verbose: 0 });
  await new Promise(setImmediate);
  process.off('warning', listener);
  expect(calls - before).toBe(20);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(/fit: runs eagerly, since it cannot be recorded: values are read back/);
});

test('the event loop stays free while fit runs', async () => {
  const model = sn.sequential({
    layers: [
      layers.conv2d({ inputShape: [28, 28, 1], filters: 8, kernelSize: 3, activation: 'elu' }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.conv2d({ filters: 16, kernelSize: 3, activation: 'selu' }),
      layers.flatten(),
      layers.dense({ units: 32, activation: 'selu' }),
      layers.dense({ units: 10, activation: 'softmax' }),
    ],
  });
  model.compile({ optimizer: sn.train.adam(), loss: 'sparseCategoricalCrossentropy' });
  const x = sn.randomUniform([3000, 28, 28, 1], 0, 1, 'float32', 1);
  const y = sn.randomUniform([3000], 0, 10, 'int32', 2);
  // The steps that are run from JavaScript, before there is a recording, are those of any op.
  await model.fit(x.slice([0], [500]), y.slice([0], [500]), { batchSize: 250, verbose: 0 });
  const { eventLoopUtilization } = performance;
  let before = eventLoopUtilization();
  const callbacks = { onBatchEnd: (batch: number) => void (batch === 0 && (before = eventLoopUtilization())) };
  await model.fit(x, y, { batchSize: 250, epochs: 2, verbose: 0, callbacks });
  // The share of the time in which JavaScript ran, or something held its thread; it would be 1 if steps did.
  expect(eventLoopUtilization(before).utilization).toBeLessThan(0.5);
});
