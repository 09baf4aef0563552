// Bad input to compile, fit, evaluate and predict: one clear error each, before anything has changed.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { liveTensors } from '../harness/live-tensors.js';

function model(loss = 'sparseCategoricalCrossentropy'): sn.Sequential {
  const made = sn.sequential({
    name: 'net',
    layers: [sn.layers.dense({ units: 3, activation: 'softmax', inputShape: [2], name: 'out' })],
  });
  made.compile({ optimizer: 'sgd', loss });
  return made;
}
const x = (): sn.Tensor => sn.ones([4, 2]);
const y = (): sn.Tensor => sn.tensor([0, 1, 2, 0], [4], 'int32');
const quiet = { verbose: 0 } as const;

test('a model that is not compiled says so', async () => {
  const raw = sn.sequential({ name: 'raw', layers: [sn.layers.dense({ units: 1, inputShape: [2] })] });
  const message = /raw.fit: the model is not compiled yet; call compile\({optimizer, loss}\) first/;
  await expect(raw.fit(x(), y())).rejects.toThrow(message);
  await expect(raw.trainOnBatch(x(), y())).rejects.toThrow(/raw.trainOnBatch: the model is not compiled/);
  expect(() => raw.evaluate(x(), y())).toThrow(/raw.evaluate: the model is not compiled/);
  expect((raw.predict(x()) as sn.Tensor).shape).toEqual([4, 1]);
});

test.each<[string, object, RegExp]>([
  ['no loss', { optimizer: 'sgd' }, /compile: loss: expected a loss, got undefined/],
  ['an unknown optimizer', { optimizer: 'sdg', loss: 'mse' }, /optimizer: name: expected one of .*sgd.*, got "sdg"/],
  ['an unknown loss', { optimizer: 'sgd', loss: 'mze' }, /loss: expected a function or one of .*, got "mze"/],
  ['an unknown metric', { optimizer: 'sgd', loss: 'mse', metrics: ['acuracy'] }, /metrics: .*, got "acuracy"/],
  [
    'a loss of no output',
    { optimizer: 'sgd', loss: { other: 'mse' } },
    /loss: expected names of outputs \(out\), got "other"/,
  ],
  [
    'too many losses',
    { optimizer: 'sgd', loss: ['mse', 'mse'] },
    /loss: expected 1, one for each output \(out\), got 2/,
  ],
  [
    'a bad loss weight',
    { optimizer: 'sgd', loss: 'mse', lossWeights: [NaN] },
    /lossWeights\[0\]: expected a finite number/,
  ],
])('compile refuses %s', (_, args, message) => {
  expect(() => model().compile(args as sn.ModelCompileArgs)).toThrow(message);
});

describe('fit refuses', () => {
  const fails = async (message: RegExp, ...args: Parameters<sn.Model['fit']>): Promise<void> => {
    const net = model();
    const before = [...net.weights[0]!.dataSync()];
    const numTensors = await liveTensors();
    const made = args.filter((one) => one instanceof sn.Tensor);
    await expect(net.fit(...args)).rejects.toThrow(message);
    expect([...net.weights[0]!.dataSync()]).toEqual(before);
    expect(made.every((tensor) => !tensor.isDisposed)).toBe(true);
    expect(await liveTensors()).toBe(numTensors);
  };

  test('empty data', () => fails(/net.fit: x: expected at least one sample, got 0/, sn.zeros([0, 2]), sn.zeros([0])));
  test('x and y of different lengths', () =>
    fails(/net.fit: x and y: expected as many labels as samples, got 4 samples and 3 labels/, x(), sn.zeros([3])));
  test('inputs of another shape', () =>
    fails(/net.fit: x: expected shape \[null,2\] for out_input, got \[4,3\]/, sn.ones([4, 3]), y()));
  test('several inputs for one', () => fails(/x: expected 1 tensor \(out_input\), got "2 of them"/, [x(), x()], y()));
  test('inputs of another name', () => fails(/x: expected data named out_input, got "images"/, { images: x() }, y()));
  test('no labels', () => fails(/y: expected a tensor or arrays, got undefined/, x(), undefined as never));
  test('NaN in x', () =>
    fails(
      /x: expected finite numbers, got "NaN in sample 2"/,
      sn.tensor([
        [0, 1],
        [1, 2],
        [3, NaN],
        [1, 1],
      ]),
      y(),
    ));
  test('infinities that cancel', () =>
    fails(
      /x: expected finite numbers, got "Infinity in sample 1"/,
      sn.tensor([
        [0, 1],
        [1, Infinity],
        [3, -Infinity],
        [1, 1],
      ]),
      y(),
    ));
  test('class numbers out of range', async () => {
    const message = /y: expected class numbers from 0 to 2, got /;
    await fails(message, x(), sn.tensor([0, 1, 3, 0], [4], 'int32'));
    await fails(message, x(), [0, 1, -1, 0]);
  });
  test('one-hot labels for class numbers', () =>
    fails(
      /y: expected class numbers of shape \[null\] for out, got \[4,3\]; use .*'categorical/,
      x(),
      sn.ones([4, 3]),
    ));
  test('a sample weight too few', () =>
    fails(/sampleWeight: expected 4 weights, one for each sample, got 3/, x(), y(), { sampleWeight: sn.ones([3]) }));
  test('weights of something else', () =>
    fails(/classWeight: expected an object of class numbers/, x(), y(), { classWeight: { 0: -1 } }));
  test.each<[sn.ModelFitArgs, RegExp]>([
    [{ batchSize: 0 }, /batchSize: expected an integer of at least 1, got 0/],
    [{ epochs: 1.5 }, /epochs: expected an integer of at least 0, got 1.5/],
    [{ validationSplit: 1 }, /validationSplit: expected a number in \[0, 1\), got 1/],
    [{ validationSplit: 0.9 }, /validationSplit: expected at least one sample on either side, got "0.9 of 4"/],
    [{ validationData: [x()] as never }, /validationData: expected \[x, y\] or \[x, y, sampleWeight\]/],
    [{ stepsPerEpoch: 2 }, /stepsPerEpoch: expected at most the 1 batches there are, got 2/],
    [{ callbacks: {} }, /callbacks: expected a Callback, or an object with onTrainBegin/],
    [{ callbacks: { onEpochEnd: 3 as never } }, /callbacks.onEpochEnd: expected a function, got 3/],
    [{ verbose: 3 as never }, /verbose: expected 0, 1 or 2, got 3/],
    [{ yieldEvery: 'sometimes' as never }, /yieldEvery: expected 'auto'/],
    [{ seed: 0.5 }, /seed: expected a safe integer, got 0.5/],
    [{ shuffle: 'batch' as never }, /shuffle: expected a boolean, got "batch"/],
  ])('options %j', (args, message) => fails(message, x(), y(), { ...quiet, ...args }));
});

test('class numbers for one-hot labels', async () => {
  const message =
    /y: expected one-hot labels of shape \[null,3\] for out, got \[4\]; use oneHot\(\), or the loss 'sparse/;
  await expect(model('categoricalCrossentropy').fit(x(), y(), quiet)).rejects.toThrow(message);
});

test('a second fit while one runs', async () => {
  const net = model();
  const first = net.fit(x(), y(), quiet);
  await expect(net.fit(x(), y(), quiet)).rejects.toThrow(
    /net.fit: another fit of this model is under way; await it first/,
  );
  expect((await first).epoch).toEqual([0]);
  expect((await net.fit(x(), y(), quiet)).epoch).toEqual([0]);
});

test('an error in a callback ends the training and leaves the model fit for another', async () => {
  const net = model();
  const callbacks = {
    onBatchEnd: () => {
      throw new Error('enough');
    },
  };
  await expect(net.fit(x(), y(), { ...quiet, callbacks })).rejects.toThrow('enough');
  expect((await net.fit(x(), y(), quiet)).epoch).toEqual([0]);
});

test('data sets of something else', async () => {
  const net = model();
  await expect(net.fitDataset(5 as never, quiet)).rejects.toThrow(/net.fitDataset: dataset: expected a data set/);
  await expect(net.fitDataset([], quiet)).rejects.toThrow(/dataset: expected at least one batch, got none/);
  await expect(net.fitDataset([{ x: 1 }], quiet)).rejects.toThrow(/expected elements {xs, ys} or \[xs, ys\]/);
});
