// Fits on our backend give what they give on tfjs's CPU backend, and leave nothing behind.
import { describe, expect, test } from 'vitest';
import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { distance, onBoth, tf } from './on-both.js';

const SAMPLES = 48;
const CLASSES = 4;
const { layers } = tf;
const seeded = (seed: number) => ({ kernelInitializer: tf.initializers.varianceScaling({ seed }) });

type Build = () => LayersModel;

const NETWORKS: Record<string, { readonly shape: number[]; readonly build: Build }> = {
  dense: {
    shape: [10],
    build: () =>
      tf.sequential({
        layers: [
          layers.dense({ units: 16, activation: 'relu', inputShape: [10], ...seeded(1) }),
          layers.dense({ units: 12, activation: 'tanh', ...seeded(2) }),
          layers.dense({ units: CLASSES, activation: 'softmax', ...seeded(3) }),
        ],
      }),
  },
  'convolutional, with batch normalisation': {
    shape: [8, 8, 2],
    build: () =>
      tf.sequential({
        layers: [
          layers.conv2d({
            filters: 6,
            kernelSize: 3,
            padding: 'same',
            useBias: false,
            inputShape: [8, 8, 2],
            ...seeded(4),
          }),
          layers.batchNormalization(),
          layers.leakyReLU({ alpha: 0.1 }),
          layers.maxPooling2d({ poolSize: 2 }),
          layers.depthwiseConv2d({
            kernelSize: 3,
            activation: 'elu',
            depthwiseInitializer: tf.initializers.varianceScaling({ seed: 5 }),
          }),
          layers.averagePooling2d({ poolSize: 2 }),
          layers.flatten(),
          layers.dense({ units: CLASSES, activation: 'softmax', ...seeded(6) }),
        ],
      }),
  },
  'self-normalizing': {
    shape: [10],
    build: () =>
      tf.sequential({
        layers: [
          layers.dense({ units: 16, activation: 'selu', inputShape: [10], ...seeded(7) }),
          layers.dense({ units: 16, activation: 'selu', ...seeded(8) }),
          layers.prelu(),
          layers.dense({ units: 8, activation: 'softplus', ...seeded(9) }),
          layers.dense({ units: CLASSES, activation: 'softmax', ...seeded(10) }),
        ],
      }),
  },
};

async function fit(shape: number[], build: Build, optimizer: string): Promise<number[]> {
  const before = tf.memory().numDataBuffers;
  const x = tf.randomNormal([SAMPLES, ...shape], 0, 1, 'float32', 11);
  const y = tf.tidy(() => tf.oneHot(tf.randomUniform([SAMPLES], 0, CLASSES, 'int32', 12), CLASSES).toFloat());
  const model = build();
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  const { history } = await model.fit(x, y, { epochs: 3, batchSize: 16, shuffle: false, verbose: 0 });
  const weights = model.getWeights().flatMap((weight) => [...weight.dataSync()]);
  const values = [...(history['loss'] as number[]), ...(history['acc'] as number[]), ...weights];
  tf.dispose([x, y]);
  model.optimizer.dispose();
  model.dispose();
  const left = tf.memory().numDataBuffers - before;
  return [...values, left];
}

describe('a fit on our backend', () => {
  for (const [name, { shape, build }] of Object.entries(NETWORKS)) {
    for (const optimizer of ['adam', 'rmsprop', 'adagrad', 'sgd', 'adamax']) {
      test(`of a ${name} network with ${optimizer} gives what tfjs's CPU backend gives`, async () => {
        const { ours, reference } = await onBoth(() => fit(shape, build, optimizer));
        expect(ours.every(Number.isFinite)).toBe(true);
        expect(distance(ours, reference)).toBeLessThan(2e-4);
      });
    }
  }

  test('leaves no data behind', async () => {
    await tf.setBackend('selfnorm');
    const backend = tf.backend();
    const { shape, build } = NETWORKS['convolutional, with batch normalisation']!;
    // The first fit makes what the loss and the metrics keep for good.
    await fit(shape, build, 'adam');
    const before = backend.numDataIds();
    await fit(shape, build, 'adam');
    expect(backend.numDataIds()).toBe(before);
  });
});

describe('gradients', () => {
  const x = [-2, -0.5, 0.5, 2, 7];
  const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));
  const slope = (value: number): number => sigmoid(value) * (1 - sigmoid(value));
  const sech2 = (value: number): number => 1 - Math.tanh(value) ** 2;
  const [scale, alpha] = [1.0507009873554805, 1.6732632423543772];
  /** Each with its first and second derivative. */
  const FUNCTIONS: Record<string, [(value: TfTensor) => TfTensor, (x: number) => number, (x: number) => number]> = {
    elu: [tf.elu, (v) => (v > 0 ? 1 : Math.exp(v)), (v) => (v > 0 ? 0 : Math.exp(v))],
    selu: [
      tf.selu,
      (v) => (v > 0 ? scale : scale * alpha * Math.exp(v)),
      (v) => (v > 0 ? 0 : scale * alpha * Math.exp(v)),
    ],
    softplus: [tf.softplus, sigmoid, slope],
    sigmoid: [tf.sigmoid, slope, (v) => slope(v) * (1 - 2 * sigmoid(v))],
    tanh: [tf.tanh, sech2, (v) => -2 * Math.tanh(v) * sech2(v)],
    relu: [tf.relu, (v) => Number(v > 0), () => 0],
    relu6: [tf.relu6, (v) => Number(v > 0 && v < 6), () => 0],
    leakyRelu: [(value) => tf.leakyRelu(value, 0.3), (v) => (v > 0 ? 1 : 0.3), () => 0],
  };
  for (const [name, [f, first, second]] of Object.entries(FUNCTIONS)) {
    test(`of ${name} are its derivative, and theirs the second one`, () => {
      const [once, twice] = tf.tidy(() => {
        const derivative = tf.grad((value) => f(value));
        const again = tf.grad((value) => derivative(value).mul(value));
        return [derivative, again].map((g) => [...g(tf.tensor(x)).dataSync()]);
      });
      expect(distance(once!, x.map(first))).toBeLessThan(1e-6);
      expect(
        distance(
          twice!,
          x.map((v) => second(v) * v + first(v)),
        ),
      ).toBeLessThan(2e-6);
    });
  }

  test('of prelu by the input and by the slopes are those of tfjs', async () => {
    const { ours, reference } = await onBoth(() =>
      tf.tidy(() => {
        const [dx, dAlpha] = tf.grads((value, slopes) => tf.prelu(value, slopes).square())([
          tf.tensor2d([-1, 2, -3, 0.5, -0.25, 4], [2, 3]),
          tf.tensor1d([0.1, 0.2, 0.3]),
        ]);
        return [...dx!.dataSync(), ...dAlpha!.dataSync()];
      }),
    );
    expect(distance(ours, reference)).toBeLessThan(1e-6);
  });
});
