// Whole calls of fit and evaluate against Keras's: history, weights, with sample weights, class weights, a validation split,
// penalties, constraints and several outputs.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { expectWithin } from '../harness/compare.js';
import { load, numbers, type StoredTensor } from '../harness/fixtures.js';

interface Case {
  name: string;
  x: StoredTensor;
  y: StoredTensor[];
  options: { validation_split?: number; sample_weight?: StoredTensor; class_weight?: Record<number, number> };
  before: StoredTensor[];
  history: Record<string, number[]>;
  after: StoredTensor[];
  evaluated: Record<string, number>;
}

const stored = new URL('../fixtures/training/training.json', import.meta.url);
const { fits } = JSON.parse(readFileSync(stored, 'utf8')) as { fits: Case[] };

function classifier(): sn.Model {
  return sn.sequential({
    layers: [
      sn.layers.dense({
        units: 8,
        activation: 'tanh',
        inputShape: [4],
        kernelRegularizer: sn.regularizers.l2({ l2: 0.01 }),
        kernelConstraint: sn.constraints.maxNorm({ maxValue: 1 }),
      }),
      sn.layers.dense({ units: 3, activation: 'softmax' }),
    ],
  });
}

const models: Record<string, () => sn.Model> = {
  'sample weights and validation split': () => {
    const model = classifier();
    const [optimizer, loss] = [sn.train.sgd(0.5), 'sparseCategoricalCrossentropy'];
    model.compile({ optimizer, loss, metrics: ['accuracy'], weightedMetrics: ['accuracy'] });
    return model;
  },
  'class weights': () => {
    const model = classifier();
    model.compile({ optimizer: sn.train.sgd(0.5), loss: 'categoricalCrossentropy', metrics: 'accuracy' });
    return model;
  },
  'two outputs with loss weights': () => {
    const inputs = sn.input({ shape: [4] });
    const hidden = sn.layers.dense({ units: 5, activation: 'sigmoid' }).apply(inputs);
    const one = sn.layers.dense({ units: 1, name: 'one' }).apply(hidden);
    const two = sn.layers.dense({ units: 2, activation: 'sigmoid', name: 'two' }).apply(hidden);
    const model = sn.model({ inputs, outputs: [one, two] });
    const loss = ['meanSquaredError', 'binaryCrossentropy'];
    model.compile({ optimizer: sn.train.momentum(0.2, 0.9), loss, lossWeights: [0.3, 2] });
    return model;
  },
};

/** Keras's name of a log. */
function kerasName(name: string): string {
  const weighted = name.replace(/acc_1$/, 'weighted_accuracy');
  return weighted === name ? name.replace(/acc$/, 'accuracy') : weighted;
}

describe.each(fits)('$name', ({ name, x, y, options, before, history, after, evaluated }) => {
  test('has the history, the weights and the evaluation that Keras has', async () => {
    const model = models[name]!();
    model.setWeights(before.map((weight) => load(weight, 'float32')));
    const labels = y.map((part) => load(part, 'float32'));
    const targets = labels.length === 1 ? labels[0]! : labels;
    const { sample_weight, class_weight, validation_split } = options;
    const fitted = await model.fit(load(x, 'float32'), targets, {
      epochs: 3,
      batchSize: 6,
      shuffle: false,
      verbose: 0,
      ...(validation_split === undefined ? {} : { validationSplit: validation_split }),
      ...(sample_weight === undefined ? {} : { sampleWeight: load(sample_weight, 'float32') }),
      ...(class_weight === undefined ? {} : { classWeight: class_weight }),
    });
    const names = Object.keys(fitted.history);
    expect(names.map(kerasName).sort()).toEqual(Object.keys(history).sort());
    for (const log of names) {
      const expected = history[kerasName(log)]!;
      fitted.history[log]!.forEach((value, i) => expect(Math.abs(value - expected[i]!), log).toBeLessThan(1e-5));
    }
    after.forEach((weight, i) => {
      const actual = model.weights[i]!;
      expectWithin(
        actual.name,
        { shape: actual.shape, data: actual.dataSync() },
        { shape: weight.shape, data: numbers(weight) },
        () => 1e-5,
      );
    });
    const values = model.evaluate(load(x, 'float32'), targets, { batchSize: 6 }) as sn.Tensor[];
    model.metricsNames.forEach((log, i) => {
      expect(Math.abs(values[i]!.dataSync()[0]! - evaluated[kerasName(log)]!), log).toBeLessThan(1e-5);
    });
  });
});
