// What layers do in training and not outside it: masks and noise by seed, moving averages, frozen layers, and nothing left in
// memory or read back.
import { describe, expect, test, vi } from 'vitest';
import * as sn from '../../src/index.js';
import type { Tensor } from '../../src/index.js';
import type { Layer } from '../../src/layers/layer.js';
import { liveTensors } from '../harness/live-tensors.js';
import { Tensor as TensorClass } from '../../src/tensor/tensor.js';

const { layers } = sn;
const train = (layer: Layer, x: Tensor): number[] => [...layer.apply<Tensor>(x, { training: true }).dataSync()];

const noises: [string, (seed?: number) => Layer][] = [
  ['dropout', (seed) => layers.dropout({ rate: 0.5, seed })],
  ['alphaDropout', (seed) => layers.alphaDropout({ rate: 0.5, seed })],
  ['gaussianNoise', (seed) => layers.gaussianNoise({ stddev: 1, seed })],
  ['gaussianDropout', (seed) => layers.gaussianDropout({ rate: 0.5, seed })],
];

describe.each(noises)('%s', (_name, make) => {
  const x = sn.ones([8, 16]);

  test('does nothing outside training, and its result outlives the input', () => {
    const input = sn.ones([3]);
    const y = make().apply<Tensor>(input);
    input.dispose();
    expect(y.arraySync()).toEqual([1, 1, 1]);
  });

  test('with a seed: other numbers each step, the same steps each time', () => {
    const [first, second] = [make(7), make(7)].map((layer) => [train(layer, x), train(layer, x)] as const);
    expect(second).toEqual(first);
    expect(first![0]).not.toEqual(first![1]);
    expect(train(make(8), x)).not.toEqual(first![0]);
  });

  test('without a seed: the numbers that follow setSeed, which leaves seeded layers alone', () => {
    sn.setSeed(3);
    const [one, two] = [train(make(), x), train(make(), x)];
    expect(one).not.toEqual(two);
    sn.setSeed(3);
    const seeded = make(7);
    const expected = train(make(7), x);
    expect(train(seeded, x)).toEqual(expected);
    expect(train(make(), x)).toEqual(one);
  });

  test('the gradient has the noise of the forward pass', () => {
    const layer = make(5);
    const at = sn.randomUniform([6, 5], 0.5, 1.5);
    const { value, grad } = sn.valueAndGrad((a) => layer.apply<Tensor>(a, { training: true }))(at);
    // All four are linear in x: y = g x + what a dropped or added element gets.
    const [y, g, data] = [value, grad, at].map((t) => t.dataSync()) as [Float32Array, Float32Array, Float32Array];
    const rest = [...y].map((one, i) => one - g[i]! * data[i]!);
    const isAdded = layer instanceof layers.GaussianNoise;
    const different = new Set(rest.map((value) => value.toFixed(4).replace('-0.0000', '0.0000')));
    expect(isAdded ? different.size > 20 : different.size <= 2).toBe(true);
    expect(isAdded ? [...g].every((one) => one === 1) : new Set(g).size > 1).toBe(true);
  });
});

describe('dropout', () => {
  test('takes a noise shape with the batch left open', () => {
    const x = sn.ones([4, 3, 3, 8]);
    const layer = layers.dropout({ rate: 0.5, noiseShape: [null, 1, 1, null], seed: 2 });
    const y = layer.apply<Tensor>(x, { training: true });
    const spread = y
      .max([1, 2])
      .sub(y.min([1, 2]))
      .abs()
      .max()
      .dataSync()[0];
    expect(spread).toBe(0);
    expect([...new Set(y.dataSync())].sort()).toEqual([0, 2]);
  });

  test('alphaDropout drops whole channels when asked to, and nothing at inference', () => {
    const x = sn.randomNormal([64, 5, 5, 16], 0, 1, 'float32', 3);
    const layer = layers.alphaDropout({ rate: 0.25, noiseShape: [null, 1, 1, null], seed: 2 });
    // Dropped channels hold one value, kept ones an affine map of what they were.
    const y = layer.apply<Tensor>(x, { training: true });
    const spread = y
      .max([1, 2])
      .sub(y.min([1, 2]))
      .dataSync();
    const given = x
      .max([1, 2])
      .sub(x.min([1, 2]))
      .dataSync();
    const ratios = [...spread].map((value, i) => value / given[i]!);
    const kept = ratios.filter((ratio) => ratio > 0);
    expect(Math.max(...kept) - Math.min(...kept)).toBeLessThan(1e-5);
    expect(Math.abs(kept.length / ratios.length - 0.75)).toBeLessThan(5 * Math.sqrt((0.25 * 0.75) / ratios.length));
    // Mean and variance stay: of 1024 channels, by their standard errors.
    const { mean, variance } = sn.moments(y);
    expect(Math.abs(mean.dataSync()[0]!)).toBeLessThan(0.15);
    expect(Math.abs(variance.dataSync()[0]! - 1)).toBeLessThan(0.15);
    expect(layer.apply<Tensor>(x).arraySync()).toEqual(x.arraySync());
  });

  test('in a model drops in training only', () => {
    const model = sn.sequential({ layers: [layers.alphaDropout({ rate: 0.5, inputShape: [64] })] });
    const x = sn.randomNormal([32, 64]);
    const calm = model.apply<Tensor>(x);
    expect(calm.arraySync()).toEqual(x.arraySync());
    expect(model.apply<Tensor>(x, { training: true }).arraySync()).not.toEqual(x.arraySync());
  });
});

describe('gaussianNoise', () => {
  test('has the standard deviation asked for', () => {
    const y = layers.gaussianNoise({ stddev: 0.25, seed: 1 }).apply<Tensor>(sn.zeros([400, 400]), { training: true });
    const { mean, variance } = sn.moments(y);
    expect(Math.abs(mean.dataSync()[0]!)).toBeLessThan(5 * (0.25 / 400));
    expect(Math.abs(Math.sqrt(variance.dataSync()[0]!) - 0.25)).toBeLessThan(0.002);
  });
  test('gaussianDropout keeps the mean, with variance rate / (1 - rate)', () => {
    const y = layers.gaussianDropout({ rate: 0.2, seed: 1 }).apply<Tensor>(sn.ones([400, 400]), { training: true });
    const { mean, variance } = sn.moments(y);
    expect(Math.abs(mean.dataSync()[0]! - 1)).toBeLessThan(5 * (0.5 / 400));
    expect(Math.abs(variance.dataSync()[0]! - 0.25)).toBeLessThan(0.005);
  });
});

describe('batchNormalization', () => {
  const x = sn.tensor([
    [1, 10],
    [3, 30],
  ]);
  const averages = (layer: Layer): number[][] =>
    layer.weights.filter(({ name }) => name.includes('moving')).map((w) => [...w.dataSync()]);

  test('moves its averages in training, by (1 - momentum)', () => {
    const layer = layers.batchNormalization({ momentum: 0.75 });
    layer.apply(x, { training: true });
    // From 0 and 1 a quarter of the way to means 2 and 20, variances 1 and 100.
    expect(averages(layer)).toEqual([
      [0.5, 5],
      [1, 25.75],
    ]);
    layer.apply(x);
    expect(averages(layer)[0]).toEqual([0.5, 5]);
  });

  test('gives what the averages say outside training', () => {
    const layer = layers.batchNormalization({ epsilon: 0 });
    layer.apply(x);
    layer.setWeights(
      [
        [2, 3],
        [1, -1],
        [1, 10],
        [4, 100],
      ].map((values) => sn.tensor(values)),
    );
    expect(layer.apply<Tensor>(x).arraySync()).toEqual([
      [1, -1],
      [3, 5],
    ]);
  });

  test('frozen, alone or in a frozen model, keeps to its averages', () => {
    const frozen = layers.batchNormalization({ trainable: false });
    frozen.apply(x, { training: true });
    expect(averages(frozen)).toEqual([
      [0, 0],
      [1, 1],
    ]);
    const inner = layers.batchNormalization({ inputShape: [2] });
    const model = sn.sequential({ layers: [inner] });
    model.trainable = false;
    model.apply(x, { training: true });
    expect(averages(inner)[0]).toEqual([0, 0]);
    model.trainable = true;
    model.apply(x, { training: true });
    expect(averages(inner)[0]).not.toEqual([0, 0]);
  });

  test('is not spoilt by an empty batch', () => {
    const layer = layers.batchNormalization();
    layer.apply(x);
    const y = layer.apply<Tensor>(sn.zeros([0, 2]), { training: true });
    expect(y.shape).toEqual([0, 2]);
    expect(averages(layer)).toEqual([
      [0, 0],
      [1, 1],
    ]);
  });

  test('moves once when a gradient is taken, and reads nothing back', () => {
    const layer = layers.batchNormalization({ momentum: 0.5 });
    layer.apply(x);
    const reads = (['data', 'dataSync'] as const).map((method) => vi.spyOn(TensorClass.prototype, method));
    sn.variableGrads(() => layer.apply<Tensor>(x, { training: true }).square().sum());
    for (const read of reads) expect(read).not.toHaveBeenCalled();
    expect(averages(layer)[0]).toEqual([1, 10]);
  });
});

describe('memory', () => {
  const x = sn.randomUniform([4, 6, 6, 3]);
  const stack = (): Layer[] => [
    layers.conv2d({ filters: 4, kernelSize: 3, activation: 'selu' }),
    layers.depthwiseConv2d({ kernelSize: 2, activation: 'mish' }),
    layers.conv2dTranspose({ filters: 3, kernelSize: 2, activation: 'softmax' }),
    layers.batchNormalization({ axis: 1 }),
    layers.maxPooling2d(),
    layers.flatten(),
    layers.dense({ units: 5, activation: 'gelu' }),
    layers.layerNormalization(),
    layers.prelu(),
    layers.alphaDropout({ rate: 0.2 }),
    layers.softmax(),
  ];
  test('a step leaves nothing behind', async () => {
    const chain = stack();
    const run = (): Tensor => chain.reduce<Tensor>((y, layer) => layer.apply<Tensor>(y, { training: true }), x);
    const step = (): void => {
      const { value, grads } = sn.variableGrads(() => run().square().sum());
      sn.dispose([value, grads]);
    };
    step();
    const before = await liveTensors();
    for (let i = 0; i < 3; i++) step();
    expect(sn.memory().numTensors).toBe(before);
  });
  test('a prediction in tidy leaves its result', async () => {
    const chain = stack();
    const run = (): Tensor => sn.tidy(() => chain.reduce<Tensor>((y, layer) => layer.apply<Tensor>(y), x));
    run().dispose();
    const before = await liveTensors();
    const y = run();
    expect(sn.memory().numTensors).toBe(before + 1);
    y.dispose();
  });
});
