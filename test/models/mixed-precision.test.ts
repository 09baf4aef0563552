// Mixed precision: what layers compute in and what they keep, their gradients against float64, a step against Keras's mixed
// policies, and whole trainings against float32.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import type { LayerDType } from '../../src/index.js';
import { expectWithin, scaleOf } from '../harness/compare.js';
import { load, numbers, type StoredTensor } from '../harness/fixtures.js';
import { bound } from '../tolerance.js';
import { bits, weightsOf } from './saved-models.js';

const { layers } = sn;
afterEach(() => void sn.mixedPrecision('float32'));

const halves = [
  ['bfloat16', 'mixed_bfloat16'],
  ['float16', 'mixed_float16'],
] as const;

describe('mixedPrecision', () => {
  test.each(halves)('%s means %s, for layers made from then on', (short, name) => {
    const before = layers.dense({ units: 2 });
    expect(sn.mixedPrecision()).toBe('float32');
    expect(sn.mixedPrecision(short)).toBe(name);
    const made = layers.dense({ units: 2 });
    expect([made.dtype, made.computeDType]).toEqual(['float32', short]);
    expect(before.computeDType).toBe('float32');
    expect(layers.dense({ units: 2, dtype: 'float32' }).computeDType).toBe('float32');
    sn.mixedPrecision('float32');
    expect(sn.mixedPrecision(name)).toBe(name);
    sn.mixedPrecision('float32');
    expect(layers.dense({ units: 2, dtype: name }).computeDType).toBe(short);
  });

  test.each(['float64', 'half', '', null, 16])('refuses %j', (policy) => {
    expect(() => sn.mixedPrecision(policy as 'float32')).toThrow(
      /^mixedPrecision: policy: expected one of 'float32', 'bfloat16', 'float16', 'mixed_bfloat16', 'mixed_float16', got/,
    );
    expect(sn.mixedPrecision()).toBe('float32');
  });

  test("refuses a layer's unknown dtype", () => {
    expect(() => layers.dense({ units: 2, dtype: 'mixed' as 'float32', name: 'd' })).toThrow(
      /^d: dtype: expected one of float32, .*mixed_bfloat16, mixed_float16, got "mixed"$/,
    );
  });
});

describe.each(halves)('%s', (half, policy) => {
  test('keeps weights and their gradients in float32 and computes in 16 bits', () => {
    const layer = layers.dense({ units: 3, activation: 'selu', dtype: policy });
    const x = sn.randomNormal([4, 2]);
    const y = layer.apply(x);
    expect(y.dtype).toBe(half);
    expect(layer.weights.map(({ dtype }) => dtype)).toEqual(['float32', 'float32']);
    const { grads } = sn.variableGrads(() => sn.sum(layer.apply(x)));
    expect(Object.values(grads).map(({ dtype }) => dtype)).toEqual(['float32', 'float32']);
  });

  test('gives placeholders the dtypes that values have', () => {
    sn.mixedPrecision(half);
    const x = sn.input({ shape: [4] });
    const hidden = layers.dense({ units: 3 }).apply(x);
    const ends = [
      layers.dense({ units: 2, activation: 'softmax' }),
      layers.softmax(),
      layers.activation({ activation: 'logSoftmax' }),
      layers.dense({ units: 2, dtype: 'float32' }),
      layers.activation({ activation: 'relu', dtype: 'float32' }),
      layers.batchNormalization(),
      layers.prelu(),
    ].map((layer) => layer.apply(hidden));
    const model = sn.model({ inputs: x, outputs: ends });
    const values = model.predict(sn.randomNormal([3, 4])) as sn.Tensor[];
    expect([x.dtype, hidden.dtype]).toEqual(['float32', half]);
    const wide = ['float32', 'float32', 'float32', 'float32', 'float32', half, half];
    expect(values.map(({ dtype }) => dtype)).toEqual(wide);
    expect(ends.map(({ dtype }) => dtype)).toEqual(wide);
  });

  test('does not join a layer that computes in another dtype', () => {
    const norm = layers.batchNormalization({ dtype: policy, inputShape: [3] });
    const model = sn.sequential({ layers: [norm, layers.activation({ activation: 'selu', dtype: 'float32' })] });
    expect((model.predict(sn.randomNormal([2, 3])) as sn.Tensor).dtype).toBe('float32');
  });

  test('reads indices as they are', () => {
    sn.mixedPrecision(half);
    const inner = layers.embedding({ inputDim: 3000, outputDim: 2, inputLength: 2 });
    const model = sn.sequential({ layers: [inner] });
    const table = sn.reshape(sn.range(0, 6000), [3000, 2]).mod(100);
    inner.setWeights([table]);
    const y = model.predict(sn.tensor([[257, 2999]])) as sn.Tensor;
    expect(y.dtype).toBe(half);
    expect(y.arraySync()).toEqual([
      [
        [14, 15],
        [98, 99],
      ],
    ]);
    const steps = layers.timeDistributed({ layer: layers.embedding({ inputDim: 3000, outputDim: 2 }) });
    steps.apply(sn.tensor([[[257]]]));
    steps.setWeights([table]);
    expect(steps.apply(sn.tensor([[[257], [2999]]])).arraySync()).toEqual([[[[14, 15]], [[98, 99]]]]);
  });

  test('is kept by configurations and files, whose weights are float32', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'selfnorm-mixed-'));
    try {
      sn.mixedPrecision(half);
      const model = sn.sequential({
        layers: [
          layers.dense({ units: 3, activation: 'selu', inputShape: [4] }),
          layers.dense({ units: 2, dtype: 'float32' }),
        ],
      });
      sn.mixedPrecision('float32');
      await model.save(join(folder, 'net'));
      const loaded = await sn.loadLayersModel(join(folder, 'net'));
      expect(loaded.layers.map((layer) => layer.getConfig()['dtype'])).toEqual(
        model.layers.map((layer) => layer.getConfig()['dtype']),
      );
      expect(loaded.layers.map((layer) => layer.computeDType)).toEqual(model.layers.map((layer) => layer.computeDType));
      expect(loaded.layers.some((layer) => layer.computeDType === half)).toBe(true);
      expect(weightsOf(loaded)).toEqual(weightsOf(model));
      const { tensors } = sn.readSafetensors(join(folder, 'net.safetensors'));
      expect([...tensors.values()].every(({ dtype }) => dtype === 'float32')).toBe(true);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test("is read from Keras's form of it", () => {
    const dtype = { className: 'DTypePolicy', config: { name: policy } } as unknown as LayerDType;
    expect(layers.dense({ units: 2, dtype }).computeDType).toBe(half);
  });
});

interface KerasStep {
  policy: LayerDType;
  optimizer: 'sgd' | 'adam';
  loss: number;
  after: StoredTensor[];
  predicted: StoredTensor;
  scale?: number;
  skipped?: { scale: number; iterations: number };
}
const stored = JSON.parse(readFileSync(new URL('../fixtures/training/mixed.json', import.meta.url), 'utf8')) as {
  x: StoredTensor;
  y: StoredTensor;
  before: StoredTensor[];
  cases: KerasStep[];
};

const computed = { float32: 'float32', mixed_bfloat16: 'bfloat16', mixed_float16: 'float16' } as const;

// Adam's first step goes by the gradient's sign, which is anybody's where the gradient is lost in rounding: such elements are
// told by how far plain descent moves them.
describe.each(stored.cases)("Keras's step under $policy with $optimizer", (step) => {
  test('has the loss, the weights and the predictions that Keras has', async () => {
    sn.mixedPrecision(step.policy as 'float32');
    const { activation, batchNormalization, conv2d, dense, flatten, layerNormalization } = layers;
    const model = sn.sequential({
      layers: [
        conv2d({ filters: 5, kernelSize: 3, activation: 'selu', inputShape: [6, 6, 2] }),
        batchNormalization(),
        flatten(),
        dense({ units: 8, activation: 'tanh' }),
        layerNormalization(),
        dense({ units: 3 }),
        activation({ activation: 'softmax' }),
      ],
    });
    // Keras lists weights by layer, as ours do within trained ones and statistics.
    const inKerasOrder = model.layers.flatMap((layer) => layer.weights);
    inKerasOrder.forEach((weight, i) => weight.assign(load(stored.before[i]!, 'float32')));
    const bySgd = stored.cases.find(({ policy, optimizer }) => policy === step.policy && optimizer === 'sgd')!;
    const optimizer = step.optimizer === 'sgd' ? sn.train.sgd(0.5) : sn.train.adam(0.01);
    model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy' });
    const [x, y] = [load(stored.x, 'float32'), load(stored.y, 'float32')];
    const dtype = computed[step.policy as keyof typeof computed];
    const loss = (await model.trainOnBatch(x, y)) as number;
    expect(Math.abs(loss - step.loss)).toBeLessThanOrEqual(bound(dtype, 'elementwise', step.loss, 0));
    // Rounding to 16 bits hides what adds up over a step in float32.
    const kind = dtype === 'float32' ? 'composite' : 'elementwise';
    let sure = 0;
    inKerasOrder.forEach((weight, i) => {
      const [before, after] = [numbers(stored.before[i]!), numbers(step.after[i]!)];
      const plainly = numbers(bySgd.after[i]!).map((value, k) => Math.abs(value - before[k]!));
      const leastSure = step.optimizer === 'sgd' ? 0 : bound(dtype, 'elementwise', 0, 32 * scaleOf(plainly));
      const data = weight.dataSync().map((value, k) => (plainly[k]! >= leastSure ? value : after[k]!));
      sure += plainly.filter((moved) => moved >= leastSure).length;
      const moved = scaleOf(after.map((value, k) => value - before[k]!));
      expectWithin(weight.name, { shape: weight.shape, data }, { shape: weight.shape, data: after }, (value) =>
        Math.max(bound(dtype, kind, 0, 32 * moved), bound('float32', 'elementwise', value, 0)),
      );
    });
    expect(sure).toBeGreaterThan(inKerasOrder.reduce((sum, { size }) => sum + size, 0) / 2);
    expect(await model.optimizer.lossScale).toBe(step.scale ?? 1);
    if (step.skipped === undefined) return;
    await model.trainOnBatch(sn.mul(x, Infinity), y);
    expect(await model.optimizer.lossScale).toBe(step.skipped.scale);
    expect(model.optimizer.iterations).toBe(step.skipped.iterations);
    expect(await model.optimizer.skippedSteps).toBe(1);
  });
});

describe.each(halves)('training in %s', (half) => {
  test('comes to the result of float32', async () => {
    const x = sn.randomNormal([96, 6, 6, 2], 0, 1, 'float32', 5);
    const y = sn.cast(sn.greater(sn.sum(sn.slice(x, [0, 0, 0, 0], [96, 3, 6, 1]), [1, 2, 3]), 0), 'int32');
    const train = async (policy: 'float32' | typeof half): Promise<{ loss: number[]; model: sn.Model }> => {
      sn.setSeed(11);
      sn.mixedPrecision(policy);
      const { activation, alphaDropout, batchNormalization, conv2d, dense, flatten, maxPooling2d } = layers;
      const model = sn.sequential({
        layers: [
          conv2d({ filters: 6, kernelSize: 3, activation: 'selu', inputShape: [6, 6, 2] }),
          maxPooling2d({ poolSize: 2 }),
          flatten(),
          dense({ units: 16 }),
          batchNormalization({ momentum: 0.8 }),
          activation({ activation: 'selu' }),
          alphaDropout({ rate: 0.05 }),
          dense({ units: 2, activation: 'softmax' }),
        ],
      });
      const optimizer = sn.train.adam(0.01);
      model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', metrics: ['acc'] });
      const { history } = await model.fit(x, y, { epochs: 12, batchSize: 16, verbose: 0 });
      expect(Object.keys(history)).toEqual(
        policy === 'float16' ? ['loss', 'acc', 'lossScale', 'skippedSteps'] : ['loss', 'acc'],
      );
      return { loss: history['loss']!, model };
    };
    const exactly = await train('float32');
    const rounded = await train(half);
    expect(exactly.loss.at(-1)).toBeLessThan(exactly.loss[0]! / 3);
    rounded.loss.forEach((loss, epoch) => {
      const difference = Math.abs(loss - exactly.loss[epoch]!);
      expect(difference, `epoch ${epoch}`).toBeLessThanOrEqual(bound(half, 'elementwise', exactly.loss[0]!, 0));
    });
    expect(rounded.loss).not.toEqual(exactly.loss);
    const [loss] = rounded.model.evaluate(x, y) as sn.Tensor[];
    const [wanted] = exactly.model.evaluate(x, y) as sn.Tensor[];
    const difference = Math.abs(loss!.dataSync()[0]! - wanted!.dataSync()[0]!);
    expect(difference).toBeLessThanOrEqual(bound(half, 'elementwise', exactly.loss[0]!, 0));
  });
});

test.each(['bfloat16', 'float16'] as const)('recorded steps in %s give the bits of eager ones', async (half) => {
  const run = async (runEagerly: boolean): Promise<unknown> => {
    sn.setSeed(7);
    sn.mixedPrecision(half);
    const { batchNormalization, conv2d, dense, dropout, elu, flatten } = layers;
    const model = sn.sequential({
      layers: [
        conv2d({ filters: 4, kernelSize: 3, kernelConstraint: 'maxNorm', inputShape: [6, 6, 2] }),
        batchNormalization(),
        elu(),
        dropout({ rate: 0.2 }),
        flatten(),
        dense({ units: 3, activation: 'softmax', kernelConstraint: 'nonNeg' }),
      ],
    });
    // From a scale that overflows at first, and grows again soon: what a step does changes while it is replayed.
    const lossScaling = half === 'float16' ? { initialScale: 2 ** 24, growthSteps: 4 } : undefined;
    const optimizer = sn.train.adam(0.01, 0.9, 0.999, null, { lossScaling, clipNorm: 1, emaMomentum: 0.9 });
    model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy', runEagerly });
    const [x, y] = [sn.randomNormal([60, 6, 6, 2], 0, 1, 'float32', 1), sn.randomUniform([60], 0, 3, 'int32', 2)];
    const { history } = await model.fit(x, y, { epochs: 3, batchSize: 8, verbose: 0 });
    if (half === 'float16') expect(history['skippedSteps']!.at(-1)).toBeGreaterThan(0);
    expect(optimizer.iterations).toBe(24 - (history['skippedSteps']?.at(-1) ?? 0));
    const state = await optimizer.getWeights();
    return [history, model.weights.map(bits), state.map(({ tensor }) => [...tensor.dataSync()])];
  };
  expect(await run(false)).toEqual(await run(true));
});

test('a saved float16 training goes on bit for bit, its scale and its counts with it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'selfnorm-mixed-'));
  try {
    const make = (): sn.Model => {
      const { alphaDropout, batchNormalization, dense } = layers;
      const dtype = 'mixed_float16';
      const model = sn.sequential({
        layers: [
          dense({ units: 8, activation: 'selu', inputShape: [4], dtype, name: 'hidden' }),
          batchNormalization({ dtype, name: 'norm' }),
          alphaDropout({ rate: 0.1, dtype, name: 'drop' }),
          dense({ units: 3, activation: 'softmax', dtype, name: 'out' }),
        ],
      });
      const lossScaling = { initialScale: 2 ** 20, growthSteps: 3 };
      const optimizer = sn.train.adam(0.01, 0.9, 0.999, null, { lossScaling });
      model.compile({ optimizer, loss: 'sparseCategoricalCrossentropy' });
      return model;
    };
    const [x, y] = [sn.randomNormal([40, 4], 0, 1, 'float32', 1), sn.randomUniform([40], 0, 3, 'int32', 2)];
    const args = { batchSize: 8, verbose: 0 } as const;
    sn.setSeed(5);
    const whole = make();
    const { history: wanted } = await whole.fit(x, y, { ...args, epochs: 4 });
    expect(wanted['skippedSteps']![1]).toBeGreaterThan(0);
    sn.setSeed(5);
    const first = make();
    await first.fit(x, y, { ...args, epochs: 2 });
    await first.save(join(folder, 'net'), { includeOptimizer: true });
    sn.setSeed(99);
    const second = make();
    const initialEpoch = await second.loadTrainingState(join(folder, 'net'));
    const { history } = await second.fit(x, y, { ...args, epochs: 4, initialEpoch });
    expect(weightsOf(second)).toEqual(weightsOf(whole));
    for (const log of ['loss', 'lossScale', 'skippedSteps']) expect(history[log]).toEqual(wanted[log]!.slice(2));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("a batch that overflows float16 does not spoil batch normalisation's averages", async () => {
  const model = sn.sequential({
    layers: [
      layers.dense({ units: 3, dtype: 'mixed_float16', inputShape: [2] }),
      layers.batchNormalization({ dtype: 'mixed_float16' }),
      layers.dense({ units: 1, dtype: 'mixed_float16' }),
    ],
  });
  model.compile({ optimizer: sn.train.sgd(0.01, { lossScaling: { initialScale: 8 } }), loss: 'meanSquaredError' });
  const y = sn.ones([4, 1]);
  await model.trainOnBatch(sn.randomNormal([4, 2]), y);
  const before = weightsOf(model);
  await model.trainOnBatch(sn.mul(sn.randomNormal([4, 2]), 1e6), y);
  expect(weightsOf(model)).toEqual(before);
  expect(await model.optimizer.skippedSteps).toBe(1);
});
