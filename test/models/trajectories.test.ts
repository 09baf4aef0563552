// Whole training steps against Keras's, from the same weights: the losses, all weights and BatchNorm's moving statistics, and
// what the trained network predicts. The networks are those of test/fixtures/make_trajectories.py, dropout left out.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { expectWithin } from '../harness/compare.js';
import { load, numbers, type StoredTensor } from '../harness/fixtures.js';

interface Trajectory {
  name: string;
  inputs: StoredTensor[];
  labels: StoredTensor;
  initial: Record<string, StoredTensor[]>;
  losses: number[];
  final: Record<string, StoredTensor[]>;
  predictions: StoredTensor;
}

const stored = new URL('../fixtures/models/trajectories.json', import.meta.url);
const { cases } = JSON.parse(readFileSync(stored, 'utf8')) as { cases: Trajectory[] };

function convolutional(): sn.LayersModel {
  const model = sn.sequential({
    layers: [
      sn.layers.conv2d({
        inputShape: [14, 14, 1],
        filters: 6,
        kernelSize: 3,
        activation: 'relu',
        name: 'conv_relu',
      }),
      sn.layers.maxPooling2d({ poolSize: 2 }),
      sn.layers.conv2d({ filters: 8, kernelSize: 3, name: 'conv' }),
      sn.layers.elu({ alpha: 0.5 }),
      sn.layers.flatten(),
      sn.layers.dense({ units: 16, activation: 'elu', name: 'dense_elu' }),
      sn.layers.dense({ units: 5, activation: 'softmax', name: 'probabilities' }),
    ],
  });
  model.compile({ loss: 'categoricalCrossentropy', optimizer: sn.train.adam(0.01) });
  return model;
}

function twoSentences(): sn.LayersModel {
  const sentences = ['premise', 'hypothesis'].map((name) => sn.input({ shape: [7], dtype: 'int32', name }));
  const embed = sn.layers.embedding({ inputDim: 40, outputDim: 10, name: 'embedding' });
  const translate = sn.layers.timeDistributed({
    layer: sn.layers.dense({ units: 12, activation: 'relu' }),
    name: 'translate',
  });
  const addWords = sn.layers.lambda({ fn: (x) => sn.sum(x, 1), outputShape: [12] });
  const sums = sentences.map((sentence) => addWords.apply(translate.apply(embed.apply(sentence))));
  const normalized = sums.map((x, i) => sn.layers.batchNormalization({ name: `normalize_${i}` }).apply(x));
  const joint = sn.layers.dense({
    units: 16,
    activation: 'relu',
    kernelRegularizer: sn.regularizers.l2({ l2: 4e-3 }),
    name: 'joint',
  });
  const answer = sn.layers.dense({ units: 3, activation: 'softmax', name: 'probabilities' });
  const model = sn.model({
    inputs: sentences,
    outputs: answer.apply(joint.apply(sn.layers.concatenate().apply(normalized))),
  });
  model.compile({ loss: 'categoricalCrossentropy', optimizer: sn.train.rmsprop(0.003) });
  return model;
}

const builders: Record<string, () => sn.LayersModel> = { convolutional, 'two sentences': twoSentences };

/** The network at the stored start, and the stored batch. */
function prepare({ name, inputs, labels, initial }: Trajectory): {
  model: sn.LayersModel;
  x: sn.Tensor | sn.Tensor[];
  y: sn.Tensor;
} {
  const model = builders[name]!();
  for (const [layer, weights] of Object.entries(initial)) {
    model.getLayer(layer).setWeights(weights.map((weight) => load(weight, 'float32')));
  }
  const batch = inputs.map((input) => load(input, 'float32'));
  return { model, x: batch.length === 1 ? batch[0]! : batch, y: load(labels, 'float32') };
}

function expectStored(what: string, actual: sn.Tensor, expected: StoredTensor): void {
  expectWithin(
    what,
    { shape: actual.shape, data: actual.dataSync() },
    { shape: expected.shape, data: numbers(expected) },
    (reference) => 1e-4 * Math.max(0.1, Math.abs(reference)),
  );
}

function expectLosses(actual: readonly number[], expected: readonly number[]): void {
  expectWithin(
    'losses',
    { shape: [actual.length], data: actual },
    { shape: [expected.length], data: expected },
    (reference) => 1e-4 * reference,
  );
}

/** After training: weights, statistics and predictions. */
function expectTrained(model: sn.LayersModel, x: sn.Tensor | sn.Tensor[], expected: Trajectory): void {
  for (const [layer, weights] of Object.entries(expected.final)) {
    const { weights: variables } = model.getLayer(layer);
    expect(variables.map(({ shape }) => shape)).toEqual(weights.map(({ shape }) => shape));
    weights.forEach((weight, i) => expectStored(variables[i]!.name, variables[i]!, weight));
  }
  const counted = Object.values(expected.final).flat().length;
  expect(model.weights).toHaveLength(counted);
  expectStored('predictions', model.predict(x) as sn.Tensor, expected.predictions);
}

describe.each(cases)('$name', (trajectory) => {
  test('trainOnBatch takes the steps that Keras takes', async () => {
    const { model, x, y } = prepare(trajectory);
    const losses: number[] = [];
    for (let step = 0; step < trajectory.losses.length; step++) losses.push((await model.trainOnBatch(x, y)) as number);
    expectLosses(losses, trajectory.losses);
    expectTrained(model, x, trajectory);
  });

  test('fit takes them too, one batch an epoch', async () => {
    const { model, x, y } = prepare(trajectory);
    const { history } = await model.fit(x, y, {
      batchSize: y.shape[0]!,
      epochs: trajectory.losses.length,
      shuffle: false,
      verbose: 0,
    });
    expectLosses(history['loss'] as number[], trajectory.losses);
    expectTrained(model, x, trajectory);
  });
});
