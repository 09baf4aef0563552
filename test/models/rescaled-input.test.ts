// Pixels that stay bytes on the device: a rescaling layer behind the input is computed as a batch is gathered, with the bits of
// the layer by itself and of pixels that were divided beforehand.
import { afterEach, describe, expect, test, vi } from 'vitest';
import * as sn from '../../src/index.js';
import * as backend from '../../src/tensor/backend.js';

const { layers } = sn;

afterEach(() => void vi.restoreAllMocks());

const COUNT = 50;
const pixels = (dtype: sn.DType = 'uint8'): sn.Tensor =>
  sn.randomUniform([COUNT, 6, 6, 1], 0, 256, 'float32', 1).cast('uint8').cast(dtype);
const classes = (): sn.Tensor => sn.randomUniform([COUNT], 0, 3, 'int32', 2);
const rescaling = (): sn.layers.Layer => layers.rescaling({ scale: 1 / 255 });

/** A network, with these layers before its first one with weights. */
function network(first: readonly sn.layers.Layer[], runEagerly = false): sn.Sequential {
  const model = sn.sequential({
    layers: [
      layers.inputLayer({ inputShape: [6, 6, 1] }),
      ...first,
      layers.conv2d({ filters: 4, kernelSize: 3, activation: 'selu' }),
      layers.flatten(),
      layers.dense({ units: 3, activation: 'softmax' }),
    ],
  });
  model.compile({ optimizer: 'adam', loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'], runEagerly });
  return model;
}

async function outcome(make: () => sn.Sequential, x: sn.Tensor, args: sn.ModelFitArgs = {}): Promise<unknown> {
  sn.setSeed(3);
  const model = make();
  const y = classes();
  const { history } = await model.fit(x, y, { verbose: 0, epochs: 2, batchSize: 8, validationSplit: 0.2, ...args });
  const scores = model.evaluate(x, y, { batchSize: 8 }) as sn.Tensor[];
  const results = [model.predict(x, { batchSize: 8 }) as sn.Tensor, ...scores, ...model.getWeights()];
  const onBatch = [await model.testOnBatch(x, y), await model.trainOnBatch(x, y)];
  return [history, results.map((one) => [...one.dataSync()]), onBatch];
}

const divided = (): sn.Tensor => pixels('float32').div(255);
const alone = (): Promise<unknown> => outcome(() => network([]), divided());

describe('training, evaluation and prediction have the bits of pixels divided beforehand:', () => {
  test.each(['uint8', 'int32', 'float32'] as const)('%s pixels', async (dtype) => {
    expect(await outcome(() => network([rescaling()]), pixels(dtype))).toEqual(await alone());
  });
  test('eagerly', async () => {
    expect(await outcome(() => network([rescaling()], true), pixels())).toEqual(await alone());
  });
  test('in the given order', async () => {
    const inOrder = { shuffle: false };
    const expected = await outcome(() => network([]), divided(), inOrder);
    expect(await outcome(() => network([rescaling()]), pixels(), inOrder)).toEqual(expected);
  });
  test('with a data set of batches', async () => {
    const run = async (first: readonly sn.layers.Layer[], x: sn.Tensor): Promise<unknown> => {
      sn.setSeed(3);
      const batches = [0, 10, 20, 30].map((start) => ({
        xs: sn.keep(x.slice([start], [10, 6, 6, 1])),
        ys: sn.keep(classes().slice(start, 10)),
      }));
      return (await network(first).fitDataset(batches, { epochs: 3, verbose: 0 })).history;
    };
    expect(await run([rescaling()], pixels())).toEqual(await run([], divided()));
  });
});

/** The native ops that training on a data set in shuffled batches calls, in order; eagerly, so that each step calls. */
async function opsOf(first: readonly sn.layers.Layer[], x: sn.Tensor): Promise<string[]> {
  const names: string[] = [];
  const model = network(first, true);
  const y = classes();
  const original = backend.runOne;
  vi.spyOn(backend, 'runOne').mockImplementation((...args) => {
    names.push(args[1].name);
    original(...args);
  });
  await model.fit(x, y, { verbose: 0, epochs: 1, batchSize: 25 });
  return names;
}

describe('a batch is one pass over its pixels:', () => {
  test.each([
    ['with a rescaling layer', [rescaling()]],
    ['with a cast alone', []],
  ] as const)('%s', async (_what, first) => {
    const names = await opsOf(first, pixels());
    expect(names.filter((name) => name === 'gatherRescaled')).toHaveLength(2);
    expect(names).not.toContain('rescale');
    // The labels'.
    expect(names.filter((name) => name === 'gather')).toHaveLength(2);
  });
});

describe('the layer computes for itself where a batch cannot be made of it:', () => {
  const second = (): sn.layers.Layer => layers.rescaling({ scale: 2, offset: -1 });

  test('a rescaling behind a rescaling', async () => {
    const expected = await outcome(() => network([]), divided().mul(2).sub(1));
    expect(await outcome(() => network([rescaling(), second()]), pixels())).toEqual(expected);
  });
  test('the same layer twice, and in a nested model', () => {
    const twice = layers.rescaling({ scale: 0.5, offset: 1 });
    const inner = sn.sequential({ layers: [layers.inputLayer({ inputShape: [2] }), twice] });
    const x = sn.input({ shape: [2] });
    const y = inner.apply<sn.SymbolicTensor>(twice.apply(twice.apply<sn.SymbolicTensor>(x)));
    const model = sn.model({ inputs: x, outputs: y });
    const found = model.predict(sn.tensor([[8, 16]], [1, 2], 'uint8')) as sn.Tensor;
    expect([...found.dataSync()]).toEqual([2.75, 3.75]);
  });
  test('an input that others read too, or that is an output', () => {
    const x = sn.input({ shape: [2] });
    const y = layers.rescaling({ scale: 0.5 }).apply<sn.SymbolicTensor>(x);
    const both = layers.add().apply<sn.SymbolicTensor>([x, y]);
    const values = sn.tensor([[8, 16]], [1, 2], 'uint8');
    const sum = sn.model({ inputs: x, outputs: both }).predict(values) as sn.Tensor;
    expect([...sum.dataSync()]).toEqual([12, 24]);
    const outputs = sn.model({ inputs: x, outputs: [y, x] }).predict(values) as sn.Tensor[];
    expect(outputs.map((one) => [...one.dataSync()])).toEqual([
      [4, 8],
      [8, 16],
    ]);
  });
  test('under mixed precision a byte is rounded once', () => {
    for (const dtype of ['mixed_bfloat16', 'mixed_float16'] as const) {
      const [mine, x] = [layers.rescaling({ scale: 1 / 255, dtype }), sn.range(0, 256, 1, 'int32').cast('uint8')];
      const y = mine.apply<sn.Tensor>(x);
      expect(y.dtype).toBe(dtype.slice('mixed_'.length));
      expect([...y.dataSync()]).toEqual([...x.cast('float64').div(255).cast(y.dtype).dataSync()]);
      const made = (): sn.Sequential =>
        sn.sequential({ layers: [layers.rescaling({ scale: 1 / 255, dtype, inputShape: [4] }), layers.flatten()] });
      const data = x.reshape([64, 4]);
      const model = made();
      model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
      expect([...(model.predict(data) as sn.Tensor).dataSync()]).toEqual([...y.dataSync()]);
    }
  });
});

test('bytes divided by 255 have the bits of a division', () => {
  const bytes = sn.range(0, 256, 1, 'int32').cast('uint8');
  const scaled = layers.rescaling({ scale: 1 / 255 }).apply<sn.Tensor>(bytes);
  expect([...scaled.dataSync()]).toEqual(Array.from({ length: 256 }, (_, i) => Math.fround(i / 255)));
});

test('a saved model has the layer, under the name of Keras and tfjs', async () => {
  const model = network([layers.rescaling({ scale: 1 / 127.5, offset: -1 })]);
  const again = await sn.models.modelFromJSON(model.toJSON());
  expect(again.layers[1]!.getConfig()).toMatchObject({ scale: 1 / 127.5, offset: -1 });
  expect(model.toJSON()).toContain('"class_name":"Rescaling"');
});

test('bad options', () => {
  const bad = (config: object): unknown => layers.rescaling({ name: 'it', ...config } as never);
  expect(() => bad({})).toThrow(/^it: scale: expected a finite number, got undefined$/);
  expect(() => bad({ scale: 1, offset: '2' })).toThrow(/^it: offset: expected a finite number, got "2"$/);
});
