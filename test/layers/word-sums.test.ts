// Sentences as sums of translated words: computed together they are what the three layers give one after the other.
import { expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { expectWithin } from '../harness/compare.js';
import { nativeOps } from '../harness/native-ops.js';

const { layers } = sn;
const [WORDS, WIDTH, TIME, UNITS] = [12, 5, 6, 7];

interface Options {
  readonly fn?: (x: sn.Tensor) => sn.Tensor;
  readonly activation?: 'selu' | 'relu' | 'softmax';
  readonly sides?: number;
  readonly trainable?: boolean;
}

/** A model of sentences; its summed words are one output, or the concatenation of them. */
function sentences({
  fn = (x) => x.sum(1),
  activation = 'selu',
  sides = 2,
  trainable = false,
}: Options = {}): sn.Model {
  const embedding = layers.embedding({ inputDim: WORDS, outputDim: WIDTH, trainable });
  const dense = layers.dense({ units: UNITS, activation, biasInitializer: 'randomUniform' });
  const translation = layers.timeDistributed({ layer: dense });
  const total = layers.lambda({ fn });
  const inputs = Array.from({ length: sides }, () => sn.input({ shape: [TIME], dtype: 'int32' }));
  const sums = inputs.map((x) => total.apply(translation.apply(embedding.apply(x))));
  return sn.model({ inputs, outputs: sums.length === 1 ? sums : layers.concatenate().apply(sums) });
}

const ids = (batch: number, seed: number): sn.Tensor => sn.randomUniform([batch, TIME], 0, WORDS, 'int32', seed);

/** What the layers give one after the other: who observes sees them apart. */
function apart(model: sn.Model, xs: sn.Tensor[]): sn.Tensor {
  return model.callAll(xs, { training: false, observe: () => undefined })[0]!;
}

function expectClose(actual: sn.Tensor, expected: sn.Tensor): void {
  const values = (x: sn.Tensor) => ({ shape: x.shape, data: x.dataSync() as Float32Array });
  expectWithin('values', values(actual), values(expected), (_, scale) => 3e-6 * Math.max(scale, 1e-3));
}

test.each([1, 2])('%i sentences of a batch', (sides) => {
  for (const activation of ['selu', 'relu', 'softmax'] as const) {
    const model = sentences({ sides, activation });
    const xs = Array.from({ length: sides }, (_, i) => ids(4, i));
    const together = (): sn.Tensor => model.callAll(xs, { training: false })[0]!;
    expectClose(together(), apart(model, xs));
    const names = nativeOps(together);
    expect(names.filter((name) => name === 'gatherSum')).toHaveLength(1);
    expect(names.filter((name) => name === 'matmul')).toHaveLength(1);
    expect(names).not.toContain('gather');
  }
});

test.each([false, true])('gradients, with embeddings that learn: %s', (trainable) => {
  const model = sentences({ trainable });
  const xs = [ids(4, 1), ids(3, 2).concat(ids(1, 5))];
  const seed = sn.randomNormal([4, 2 * UNITS], 0, 1, 'float32', 3);
  const gradients = (f: () => sn.Tensor): Record<string, sn.Tensor> =>
    sn.variableGrads(() => f().mul(seed).sum()).grads;
  const actual = gradients(() => model.callAll(xs, { training: true })[0]!);
  const expected = gradients(() => model.callAll(xs, { training: true, observe: () => undefined })[0]!);
  expect(Object.keys(actual).sort()).toEqual(Object.keys(expected).sort());
  expect(Object.keys(actual)).toHaveLength(trainable ? 3 : 2);
  for (const [name, gradient] of Object.entries(actual)) expectClose(gradient, expected[name]!);
});

test('few words are translated by themselves', () => {
  const model = sentences();
  const xs = [ids(1, 1), ids(0, 2).concat(ids(1, 4)).slice([0, 0], [1, TIME])];
  const few = sentences({ sides: 1 });
  // 6 words of a table of 12.
  expect(nativeOps(() => few.callAll([xs[0]!], { training: false }))).not.toContain('gatherSum');
  // 12 words of two sentences.
  expect(nativeOps(() => model.callAll(xs, { training: false }))).toContain('gatherSum');
});

test.each<[string, (x: sn.Tensor) => sn.Tensor]>([
  ['a mean', (x) => x.mean(1)],
  ['a sum over units', (x) => x.sum(2)],
  ['a sum that keeps its axis', (x) => x.sum(1, true).squeeze([1])],
  ['more than a sum', (x) => x.clipByValue(-100, 100).sum(1)],
  ['a part', (x) => x.slice([0, 1, 0], [-1, TIME - 1, -1]).sum(1)],
  ['what the lambda captured', (x) => sn.zerosLike(x).sum(1)],
])('%s is not taken for a sum of words', (_name, fn) => {
  const model = sentences({ fn, sides: 1 });
  const xs = [ids(8, 1)];
  expect(nativeOps(() => model.callAll(xs, { training: false }))).not.toContain('gatherSum');
  expectClose(model.callAll(xs, { training: false })[0]!, apart(model, xs));
});

test('values that somebody else reads stay', () => {
  const x = sn.input({ shape: [TIME], dtype: 'int32' });
  const words = layers
    .timeDistributed({ layer: layers.dense({ units: UNITS }) })
    .apply(layers.embedding({ inputDim: WORDS, outputDim: WIDTH }).apply(x));
  const total = layers.lambda({ fn: (t: sn.Tensor) => t.sum(1) }).apply(words);
  const model = sn.model({ inputs: x, outputs: [total, words] });
  const names = nativeOps(() => model.callAll([ids(8, 1)], { training: false }));
  expect(names).not.toContain('gatherSum');
});

test('an index outside the table gives NaN, as ever', () => {
  const model = sentences({ sides: 1 });
  const xs = [sn.concat([ids(3, 1), sn.fill([1, TIME], WORDS, 'int32')])];
  const y = model.callAll(xs, { training: false })[0]!.arraySync() as number[][];
  expect(y[3]!.every(Number.isNaN)).toBe(true);
  expect(y[2]!.some(Number.isNaN)).toBe(false);
});

test('fit gives the same weights recorded and eagerly', async () => {
  const train = async (runEagerly: boolean): Promise<sn.Tensor[]> => {
    sn.setSeed(5);
    const model = sentences();
    model.compile({ optimizer: sn.train.sgd(0.05), loss: 'meanSquaredError', runEagerly });
    const x = [ids(16, 1), ids(16, 2)];
    const y = sn.randomNormal([16, 2 * UNITS], 0, 1, 'float32', 3);
    await model.fit(x, y, { batchSize: 4, epochs: 3, verbose: 0 });
    return model.getWeights();
  };
  const [recorded, eager] = [await train(false), await train(true)];
  recorded.forEach((weight, i) => expect(weight.dataSync()).toEqual(eager[i]!.dataSync()));
});
