// fit and its kin: what they train on, in which order, what they report, and that a training that is interrupted goes on bit
// for bit. Numbers against Keras are in training-keras.test.ts.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { liveTensors } from '../harness/live-tensors.js';

/** Four features, three classes: the largest of the first three features. */
function classes(samples: number): { x: sn.Tensor; y: sn.Tensor } {
  const x = sn.randomNormal([samples, 4], 0, 1, 'float32', 5);
  return { x, y: sn.argMax(sn.slice(x, [0, 0], [samples, 3]), 1) };
}

function classifier(name: string, dropout = 0): sn.Sequential {
  const layers = [
    sn.layers.dense({ units: 16, activation: 'relu', inputShape: [4], name: 'hidden' }),
    ...(dropout > 0 ? [sn.layers.dropout({ rate: dropout, name: 'drop' })] : []),
    ...(dropout > 0 ? [sn.layers.gaussianNoise({ stddev: 0.1, seed: 4, name: 'noise' })] : []),
    sn.layers.dense({ units: 3, activation: 'softmax', name: 'classes' }),
  ];
  const model = sn.sequential({ layers, name });
  model.compile({ optimizer: sn.train.adam(0.01), loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

const bits = (tensors: readonly sn.Tensor[]): number[][] =>
  tensors.map((tensor) => {
    const data = tensor.dataSync() as Float32Array;
    return [...new Int32Array(data.buffer, data.byteOffset, data.length)];
  });
const number = (value: sn.Tensor | sn.Tensor[]): number => (value as sn.Tensor).dataSync()[0]!;

/** A model of one weight that stays 0 and reports which samples it saw, in order. */
function recorder(): { model: sn.Sequential; seen: () => Promise<number[]> } {
  const batches: sn.Tensor[] = [];
  const model = sn.sequential({
    layers: [
      sn.layers.lambda({
        fn: (x: sn.Tensor) => {
          batches.push(sn.keep(sn.clone(x)));
          return x;
        },
        inputShape: [1],
      }),
      sn.layers.dense({ units: 1, useBias: false, kernelInitializer: 'zeros' }),
    ],
  });
  model.compile({ optimizer: sn.train.sgd(0), loss: 'meanSquaredError' });
  // The layer tried itself out to learn its output's shape.
  batches.length = 0;
  const seen = async (): Promise<number[]> => {
    const values = (await Promise.all(batches.map((batch) => batch.data()))).flatMap((data) => [...data]);
    batches.splice(0).forEach((batch) => batch.dispose());
    return values;
  };
  return { model, seen };
}
const numbered = (count: number): sn.Tensor => sn.reshape(sn.range(0, count, 1, 'float32'), [count, 1]);

describe('fit', () => {
  test('learns, and reports loss, acc, val_loss and val_acc by epoch', async () => {
    sn.setSeed(1);
    const { x, y } = classes(500);
    const model = classifier('learner');
    const { history, epoch } = await model.fit(x, y, { epochs: 20, batchSize: 50, validationSplit: 0.2, verbose: 0 });
    expect(epoch).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(Object.keys(history)).toEqual(['loss', 'acc', 'val_loss', 'val_acc']);
    expect(history['loss']!.at(-1)).toBeLessThan(history['loss']![0]! / 4);
    expect(history['val_acc']!.at(-1)).toBeGreaterThan(0.85);
    expect(model.metricsNames).toEqual(['loss', 'acc']);
  });

  test('keeps the last samples for validation, and shuffles the others anew each epoch, the same for one seed', async () => {
    const { model, seen } = recorder();
    const x = numbered(10);
    const args = { epochs: 2, batchSize: 3, validationSplit: 0.3, seed: 7, verbose: 0 } as const;
    await model.fit(x, x, args);
    const first = await seen();
    expect(first).toHaveLength(20);
    const [one, two] = [first.slice(0, 7), first.slice(10, 17)];
    expect([...one].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect([...two].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(two).not.toEqual(one);
    expect(first.slice(7, 10)).toEqual([7, 8, 9]);
    await model.fit(x, x, args);
    expect(await seen()).toEqual(first);
    await model.fit(x, x, { ...args, seed: 8 });
    expect(await seen()).not.toEqual(first);
  });

  test('takes samples in their order without shuffle, and stepsPerEpoch batches of them', async () => {
    const { model, seen } = recorder();
    const x = numbered(10);
    await model.fit(x, x, { batchSize: 4, shuffle: false, verbose: 0 });
    expect(await seen()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    await model.fit(x, x, { batchSize: 4, shuffle: false, stepsPerEpoch: 2, verbose: 0 });
    expect(await seen()).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test('makes one batch of everything when batchSize is larger', async () => {
    const { model, seen } = recorder();
    const sizes: number[] = [];
    const callbacks = { onBatchEnd: (_batch: number, logs?: sn.Logs) => void sizes.push(logs!['size']!) };
    await model.fit(numbered(5), numbered(5), { batchSize: 100, callbacks, verbose: 0 });
    expect(sizes).toEqual([5]);
    expect(await seen()).toHaveLength(5);
  });

  test('gives the event loop a turn between batches', async () => {
    const { model } = recorder();
    let turns = 0;
    const count = (): void => {
      turns++;
      handle = setImmediate(count);
    };
    let handle = setImmediate(count);
    await model.fit(numbered(40), numbered(40), { batchSize: 2, verbose: 0 });
    clearImmediate(handle);
    expect(turns).toBeGreaterThanOrEqual(20);
  });

  test('frees all that its steps make', async () => {
    const { x, y } = classes(100);
    const model = classifier('tidy', 0.3);
    const args = { epochs: 1, batchSize: 10, validationSplit: 0.2, verbose: 0 } as const;
    await model.fit(x, y, args);
    const numTensors = await liveTensors();
    await model.fit(x, y, { ...args, epochs: 3 });
    expect(await liveTensors()).toBe(numTensors);
    sn.dispose(model.evaluate(x, y));
    sn.dispose(model.predict(x));
    await model.trainOnBatch(x, y);
    await model.fit([[1, 2, 3, 4]], [0], { verbose: 0 });
    expect(await liveTensors()).toBe(numTensors);
  });

  test('trains uint8 pixels as float pixels', async () => {
    const pixels = sn.tensor(
      Uint8Array.from({ length: 40 }, (_, i) => (i * 37) % 256),
      [10, 4],
      'uint8',
    );
    const labels = sn.tensor([0, 1, 2, 0, 1, 2, 0, 1, 2, 0], [10], 'int32');
    const losses: number[][] = [];
    for (const x of [pixels, sn.cast(pixels, 'float32')]) {
      sn.setSeed(3);
      const { history } = await classifier('pixels').fit(x, labels, { epochs: 2, batchSize: 4, seed: 1, verbose: 0 });
      losses.push(history['loss']!);
    }
    expect(losses[1]).toEqual(losses[0]);
  });

  test('builds a model whose input shape only the data tell', async () => {
    const model = sn.sequential({ layers: [sn.layers.dense({ units: 1 })] });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const { history } = await model.fit(sn.ones([6, 3]), sn.ones([6, 1]), { verbose: 0 });
    expect(history['loss']).toHaveLength(1);
    expect(model.inputs[0]!.shape).toEqual([null, 3]);
  });

  test('ends after the batch when a callback sets stopTraining', async () => {
    const { model, seen } = recorder();
    const callbacks = { onBatchEnd: (batch: number) => void (model.stopTraining = batch === 1) };
    const { epoch } = await model.fit(numbered(10), numbered(10), { batchSize: 2, epochs: 5, callbacks, verbose: 0 });
    expect(epoch).toEqual([0]);
    expect(await seen()).toHaveLength(4);
  });

  test('applies constraints after each step, and adds penalties to the loss', async () => {
    const dense = sn.layers.dense({
      units: 1,
      inputShape: [2],
      kernelInitializer: 'ones',
      useBias: false,
      kernelConstraint: sn.constraints.maxNorm({ maxValue: 0.5 }),
      kernelRegularizer: sn.regularizers.l2({ l2: 0.25 }),
    });
    const model = sn.sequential({ layers: [dense] });
    model.compile({ optimizer: sn.train.sgd(0.001), loss: 'meanSquaredError' });
    const x = sn.tensor([[1, 1]]);
    // (2 - 2)^2 + 0.25 (1 + 1)
    expect(await model.testOnBatch(x, [[2]])).toBeCloseTo(0.5, 6);
    await model.fit(x, [[2]], { verbose: 0 });
    expect(number(sn.norm(dense.weights[0]!))).toBeCloseTo(0.5, 5);
  });
});

describe('constraints hold after every step', () => {
  const { constraints } = sn;
  type Weight = number[][];
  const units = (kernel: Weight): number[][] => kernel[0]!.map((_, unit) => kernel.map((row) => row[unit]!));
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
  const norm = (values: readonly number[]): number => Math.hypot(...values);
  const near = (value: number, wanted: number): boolean => Math.abs(value - wanted) < 1e-5;
  const rows: readonly (readonly [string, sn.Constraint | string, (kernel: Weight) => boolean])[] = [
    ['weightCentralization', constraints.weightCentralization(), (w) => near(mean(w.flat()), 0)],
    [
      'weightCentralization per unit',
      constraints.weightCentralization({ axis: 0 }),
      (w) => units(w).every((unit) => near(mean(unit), 0)),
    ],
    [
      'weightStandardization',
      constraints.weightStandardization({ epsilon: 0 }),
      (w) => units(w).every((unit) => near(mean(unit), 0) && near(norm(unit) / Math.sqrt(unit.length), 1)),
    ],
    ['maxNorm', constraints.maxNorm({ maxValue: 0.5 }), (w) => units(w).every((unit) => norm(unit) < 0.50001)],
    [
      'minMaxNorm',
      constraints.minMaxNorm({ minValue: 1.5, maxValue: 1.75 }),
      (w) => units(w).every((unit) => norm(unit) > 1.49999 && norm(unit) < 1.75001),
    ],
    ['unitNorm', 'unitNorm', (w) => units(w).every((unit) => near(norm(unit), 1))],
    ['nonNeg', 'nonNeg', (w) => w.flat().every((value) => value >= 0) && w.flat().includes(0)],
  ];

  test.each(rows.flatMap((row) => ['sgd', 'adam', 'lion'].map((optimizer) => [...row, optimizer] as const)))(
    '%s',
    async (_name, kernelConstraint, holds, optimizer) => {
      sn.setSeed(4);
      const dense = sn.layers.dense({ units: 3, inputShape: [6], kernelConstraint });
      const model = sn.sequential({ layers: [dense, sn.layers.dense({ units: 1, name: `free_${optimizer}` })] });
      model.compile({ optimizer, loss: 'meanSquaredError' });
      const [x, free] = [sn.randomNormal([20, 6], 0, 1, 'float32', 2), model.layers[1]!.weights[0]!];
      const start = free.arraySync();
      const kernels: Weight[] = [];
      const onBatchEnd = (): void => void kernels.push(dense.weights[0]!.arraySync() as Weight);
      await model.fit(x, x.sum(1, true).neg(), { batchSize: 4, verbose: 0, callbacks: { onBatchEnd } });
      expect(kernels).toHaveLength(5);
      expect(kernels.map(holds)).toEqual(kernels.map(() => true));
      // The step itself was taken.
      expect(JSON.stringify(kernels[0])).not.toBe(JSON.stringify(kernels[4]));
      expect(free.arraySync()).not.toEqual(start);
    },
  );

  test('one derived from nonNeg is applied as it says', async () => {
    class AtLeastOne extends (constraints.nonNeg().constructor as new () => sn.Constraint) {
      override apply(weight: sn.Tensor): sn.Tensor {
        return weight.maximum(1);
      }
    }
    const dense = sn.layers.dense({ units: 1, inputShape: [2], kernelConstraint: new AtLeastOne() });
    const model = sn.sequential({ layers: [dense] });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    await model.fit([[1, 1]], [[0]], { verbose: 0 });
    expect([...dense.weights[0]!.dataSync()]).toEqual([1, 1]);
  });
});

describe('a training that is interrupted', () => {
  const args = { batchSize: 16, validationSplit: 0.2, verbose: 0 } as const;

  async function uninterrupted(): Promise<{ weights: number[][]; history: Record<string, number[]> }> {
    sn.setSeed(9);
    const { x, y } = classes(120);
    const model = classifier('resumed', 0.4);
    const { history } = await model.fit(x, y, { ...args, epochs: 4 });
    return { weights: bits(model.getWeights()), history };
  }
  /** As another process finds it: JSON, bytes, and random numbers that stand elsewhere. */
  function elsewhere(state: sn.TrainingState): sn.TrainingState {
    const values = JSON.parse(JSON.stringify(state.values)) as sn.TrainingState['values'];
    const tensors = state.tensors.map(({ name, tensor }) => {
      const copy = sn.tensor(tensor.dataSync(), [...tensor.shape], tensor.dtype);
      tensor.dispose();
      return { name, tensor: copy };
    });
    sn.setSeed(12345);
    sn.dispose(sn.randomNormal([3]));
    return { values, tensors };
  }

  test('goes on bit for bit after two of four epochs, with dropout', async () => {
    const whole = await uninterrupted();
    sn.setSeed(9);
    const { x, y } = classes(120);
    const first = classifier('resumed', 0.4);
    const { history: before } = await first.fit(x, y, { ...args, epochs: 2 });
    const state = elsewhere(await first.trainingState());
    const second = classifier('resumed', 0.4);
    await second.setTrainingState(state);
    sn.dispose(state.tensors);
    const { history: after, epoch } = await second.fit(x, y, { ...args, epochs: 4, initialEpoch: 2 });
    expect(epoch).toEqual([2, 3]);
    expect(bits(second.getWeights())).toEqual(whole.weights);
    for (const name of Object.keys(whole.history)) {
      expect([...before[name]!, ...after[name]!]).toEqual(whole.history[name]);
    }
  });

  test('goes on bit for bit in the middle of an epoch, logs included', async () => {
    const whole = await uninterrupted();
    sn.setSeed(9);
    const { x, y } = classes(120);
    const first = classifier('resumed', 0.4);
    let batches = 0;
    const callbacks = { onBatchEnd: () => void (first.stopTraining = ++batches === 9) };
    await first.fit(x, y, { ...args, epochs: 4, callbacks });
    const state = elsewhere(await first.trainingState());
    expect(state.values).toMatchObject({ epoch: 1, batch: 3 });
    const second = classifier('resumed', 0.4);
    await second.setTrainingState(state);
    const { history } = await second.fit(x, y, { ...args, epochs: 4, initialEpoch: 1 });
    expect(bits(second.getWeights())).toEqual(whole.weights);
    for (const name of Object.keys(whole.history)) expect(history[name]).toEqual(whole.history[name]!.slice(1));
  });

  test('refuses the state of another model', async () => {
    const model = classifier('small');
    const state = await model.trainingState();
    const other = sn.sequential({ layers: [sn.layers.dense({ units: 2, inputShape: [4], name: 'hidden' })] });
    other.compile({ optimizer: 'adam', loss: 'mse' });
    await expect(other.setTrainingState(state)).rejects.toThrow(/hidden\/kernel: expected shape \[4,2\], got \[4,16\]/);
  });
});

describe('evaluate and predict', () => {
  test('do not depend on the batch size', () => {
    const { x, y } = classes(37);
    const model = classifier('batched');
    const whole = model.evaluate(x, y, { batchSize: 37 }) as sn.Tensor[];
    const parts = model.evaluate(x, y, { batchSize: 5 }) as sn.Tensor[];
    whole.forEach((value, i) => expect(number(parts[i]!)).toBeCloseTo(number(value), 6));
    const predictions = model.predict(x, { batchSize: 5 }) as sn.Tensor;
    expect(predictions.shape).toEqual([37, 3]);
    const once = [...(model.predictOnBatch(x) as sn.Tensor).dataSync()];
    [...predictions.dataSync()].forEach((value, i) => expect(value).toBeCloseTo(once[i]!, 6));
  });

  test('take only `steps` batches', () => {
    const { x, y } = classes(40);
    const model = classifier('steps');
    const part = model.evaluate(x, y, { batchSize: 10, steps: 2 }) as sn.Tensor[];
    const same = model.evaluate(sn.slice(x, 0, 20), sn.slice(y, 0, 20), { batchSize: 10 }) as sn.Tensor[];
    expect(part.map(number)).toEqual(same.map(number));
  });
});

describe('several inputs and outputs', () => {
  function twoOutputs(): sn.Model {
    const [a, b] = ['a', 'b'].map((name) => sn.input({ shape: [2], name }));
    const joint = sn.layers.concatenate().apply([a!, b!]);
    const one = sn.layers.dense({ units: 1, name: 'one' }).apply(joint);
    const two = sn.layers.dense({ units: 3, activation: 'softmax', name: 'two' }).apply(joint);
    return sn.model({ inputs: [a!, b!], outputs: [one, two] });
  }
  const loss = { one: 'meanSquaredError', two: 'sparseCategoricalCrossentropy' };
  const data = (): { x: Record<string, sn.Tensor>; y: Record<string, sn.Tensor> } => ({
    x: { a: sn.randomNormal([8, 2], 0, 1, 'float32', 1), b: sn.randomNormal([8, 2], 0, 1, 'float32', 2) },
    y: { one: sn.ones([8]), two: sn.tensor([0, 1, 2, 0, 1, 2, 0, 1], [8], 'int32') },
  });

  test('go by name or in lists, with a log for each output and weights of losses', async () => {
    const { x, y } = data();
    const model = twoOutputs();
    model.compile({ optimizer: 'sgd', loss, metrics: { two: 'accuracy' }, lossWeights: { two: 0.5 } });
    expect(model.metricsNames).toEqual(['loss', 'one_loss', 'two_loss', 'two_acc']);
    const named = (model.evaluate(x, y) as sn.Tensor[]).map(number);
    const listed = (model.evaluate([x['a']!, x['b']!], [y['one']!, y['two']!]) as sn.Tensor[]).map(number);
    expect(listed).toEqual(named);
    expect(named[0]).toBeCloseTo(named[1]! + 0.5 * named[2]!, 5);
    const { history } = await model.fit(x, y, { epochs: 3, verbose: 0 });
    expect(Object.keys(history)).toEqual(['loss', 'one_loss', 'two_loss', 'two_acc']);
    expect((model.predict(x) as sn.Tensor[]).map(({ shape }) => shape)).toEqual([
      [8, 1],
      [8, 3],
    ]);
  });

  test('leave an output without a loss alone', async () => {
    const { x, y } = data();
    const model = twoOutputs();
    model.compile({ optimizer: 'sgd', loss: { one: 'mse' } });
    const frozen = bits(model.getLayer('two').getWeights());
    await model.fit(x, { one: y['one']! }, { verbose: 0 });
    expect(bits(model.getLayer('two').getWeights())).toEqual(frozen);
  });
});

describe('fitDataset', () => {
  test('trains as fit does on the same batches, and frees them', async () => {
    const { x, y } = classes(60);
    const weights: number[][][] = [];
    for (const way of ['tensors', 'data set']) {
      sn.setSeed(2);
      const model = classifier('batches');
      if (way === 'tensors') await model.fit(x, y, { batchSize: 20, epochs: 2, shuffle: false, verbose: 0 });
      else {
        const dataset = {
          *[Symbol.iterator]() {
            for (let at = 0; at < 60; at += 20) yield { xs: sn.slice(x, at, 20), ys: sn.slice(y, at, 20) };
          },
        };
        await model.fitDataset(dataset, { epochs: 1, verbose: 0, validationData: dataset });
        const numTensors = await liveTensors();
        await model.fitDataset(dataset, { epochs: 2, initialEpoch: 1, verbose: 0, validationData: [x, y] });
        expect(await liveTensors()).toBe(numTensors);
        const both = (await model.evaluateDataset(dataset)) as sn.Tensor[];
        const direct = model.evaluate(x, y, { batchSize: 20 }) as sn.Tensor[];
        both.forEach((value, i) => expect(number(value)).toBeCloseTo(number(direct[i]!), 6));
      }
      weights.push(bits(model.getWeights()));
    }
    expect(weights[1]).toEqual(weights[0]);
  });

  test('takes batchesPerEpoch of a data set that repeats, and says when one ends', async () => {
    const { x, y } = classes(12);
    const model = classifier('repeat');
    const dataset = sn.data.array([0, 1, 2]).map(() => ({ xs: sn.clone(x), ys: sn.clone(y) }));
    let batches = 0;
    const callbacks = { onBatchEnd: () => void batches++ };
    await model.fitDataset(dataset.repeat(), { epochs: 2, batchesPerEpoch: 4, callbacks, verbose: 0 });
    expect(batches).toBe(8);
    await expect(model.fitDataset(dataset, { batchesPerEpoch: 4, verbose: 0 })).rejects.toThrow(
      /expected 4 batches, got 3; .*repeat/,
    );
  });
});
