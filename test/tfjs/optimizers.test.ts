// A step in one native call: the numbers of tfjs's own, its state where tfjs keeps it, and a way back to tfjs's steps.
import { describe, expect, test } from 'vitest';
import type { AdamOptimizer, Variable } from '@tensorflow/tfjs-core';
import { distance, onBoth, tf } from './on-both.js';

const loss = (w: Variable) => () => tf.tidy(() => w.sub([1, -2, 3]).square().mul([1, 4, 9]).sum().asScalar());

/** The values of a variable after steps of an optimizer. */
function descend(
  make: () => { minimize: (f: () => ReturnType<ReturnType<typeof loss>>) => unknown; dispose(): void },
  steps: number,
): number[] {
  const w = tf.variable(tf.tensor1d([0.5, 0.25, -1]));
  const optimizer = make();
  for (let i = 0; i < steps; i++) optimizer.minimize(loss(w));
  const values = [...w.dataSync()];
  w.dispose();
  optimizer.dispose();
  return values;
}

describe('an optimizer on our backend', () => {
  const MAKERS = {
    adam: () => tf.train.adam(0.05, 0.8, 0.95, 1e-3),
    rmsprop: () => tf.train.rmsprop(0.02, 0.9, 0, 1e-6),
    'rmsprop with momentum': () => tf.train.rmsprop(0.02, 0.9, 0.5, 1e-6),
    'centred rmsprop': () => tf.train.rmsprop(0.02, 0.9, 0, 1e-3, true),
    adagrad: () => tf.train.adagrad(0.1, 0.2),
    sgd: () => tf.train.sgd(0.01),
  };
  for (const [name, make] of Object.entries(MAKERS)) {
    test(`takes ${name}'s steps`, async () => {
      const { ours, reference } = await onBoth(() => descend(make, 7));
      expect(distance(ours, reference)).toBeLessThan(2e-5);
    });
  }

  test('goes on where its saved weights left off', async () => {
    const { ours, reference } = await onBoth(async () => {
      const w = tf.variable(tf.tensor1d([0.5, 0.25, -1]));
      const first = tf.train.adam(0.05);
      for (let i = 0; i < 3; i++) first.minimize(loss(w));
      const weights = await first.getWeights();
      const second = tf.train.adam(0.05);
      await second.setWeights(weights.map(({ name, tensor }) => ({ name, tensor: tensor.clone() })));
      for (let i = 0; i < 3; i++) second.minimize(loss(w));
      return [...weights.map(({ name }) => name.length), ...w.dataSync()];
    });
    expect(distance(ours, reference)).toBeLessThan(2e-5);
  });

  test('leaves a copy of the variable alone, and takes that step as tfjs does', () => {
    const w = tf.variable(tf.tensor1d([0.5, 0.25, -1]));
    const adam = tf.train.adam(0.05);
    adam.minimize(loss(w));
    const copy = w.clone();
    const before = [...copy.dataSync()];
    adam.minimize(loss(w));
    adam.minimize(loss(w));
    expect([...copy.dataSync()]).toEqual(before);
    const steps = descend(() => tf.train.adam(0.05), 3);
    expect(distance([...w.dataSync()], steps)).toBeLessThan(1e-6);
    tf.dispose([w, copy]);
  });

  test('goes on when another backend becomes the active one', async () => {
    const w = tf.variable(tf.tensor1d([0.5, 0.25, -1]));
    const adam: AdamOptimizer = tf.train.adam(0.05);
    for (const backend of ['selfnorm', 'selfnorm', 'cpu', 'selfnorm']) {
      await tf.setBackend(backend);
      adam.minimize(loss(w));
    }
    const values = [...w.dataSync()];
    const steps = descend(() => tf.train.adam(0.05), 4);
    expect(distance(values, steps)).toBeLessThan(2e-6);
    w.dispose();
  });
});
