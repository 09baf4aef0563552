// Cross-validation: every element is held out once, parts are even, classes too, and nothing is copied that need not be.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { liveTensors } from '../harness/live-tensors.js';

const numbers = (count: number): Int32Array => Int32Array.from({ length: count }, (_, i) => i);
const samples = (count: number): { x: sn.Tensor; y: sn.Tensor } => ({
  x: sn.tensor(
    Float32Array.from({ length: 2 * count }, (_, i) => i),
    [count, 2],
  ),
  y: sn.tensor(numbers(count), [count], 'int32'),
});

test('without shuffling, parts are the pieces of scikit-learn`s KFold', () => {
  const folds = sn.data.kFold(samples(8), { k: 3, shuffle: false });
  expect(folds.map(({ validationIndices }) => [...validationIndices])).toEqual([
    [0, 1, 2],
    [3, 4, 5],
    [6, 7],
  ]);
  expect(folds.map(({ trainIndices }) => [...trainIndices])).toEqual([
    [3, 4, 5, 6, 7],
    [0, 1, 2, 6, 7],
    [0, 1, 2, 3, 4, 5],
  ]);
});

test('parts hold every sample once, and are even, in all and in each class', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 7 }),
      fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 7, maxLength: 60 }),
      fc.boolean(),
      fc.boolean(),
      fc.integer(),
      (k, classes, shuffle, stratify, seed) => {
        const y = sn.tensor(classes, [classes.length], 'int32');
        const folds = sn.data.kFold({ x: y, y }, { k, shuffle, stratify, seed });
        expect(folds).toHaveLength(k);
        const held = folds.flatMap(({ validationIndices }) => [...validationIndices]);
        expect(held.sort((a, b) => a - b)).toEqual([...numbers(classes.length)]);
        for (const { trainIndices, validationIndices } of folds) {
          const both = [...trainIndices, ...validationIndices].sort((a, b) => a - b);
          expect(both).toEqual([...numbers(classes.length)]);
        }
        const isEven = (counts: readonly number[]): boolean => Math.max(...counts) - Math.min(...counts) <= 1;
        expect(isEven(folds.map(({ validationIndices }) => validationIndices.length))).toBe(true);
        for (const label of stratify ? new Set(classes) : []) {
          const counts = folds.map(
            ({ validationIndices }) => validationIndices.filter((i) => classes[i] === label).length,
          );
          expect(isEven(counts)).toBe(true);
        }
      },
    ),
    { seed: 4, numRuns: 60 },
  );
});

test('the seed alone says who is in which part; without one setSeed does', () => {
  const parts = (options: sn.data.SampleFoldOptions): number[][] =>
    sn.data.kFold(samples(20), options).map(({ validationIndices }) => [...validationIndices]);
  expect(parts({ seed: 1 })).toEqual(parts({ seed: 1 }));
  expect(parts({ seed: 1 })).not.toEqual(parts({ seed: 2 }));
  sn.setSeed(8);
  const first = parts({});
  expect(parts({})).not.toEqual(first);
  sn.setSeed(8);
  expect(parts({})).toEqual(first);
  expect(first).toHaveLength(5);
});

describe('samples in memory', () => {
  test('come as batches gathered on the device, shuffled or not', async () => {
    const { x, y } = samples(9);
    const [fold] = sn.data.kFold({ x, y }, { k: 3, seed: 5 });
    const { train, validation, trainIndices, validationIndices } = fold!;
    expect([train.size, validation.size]).toEqual([6, 3]);
    const batches = await train.batch(4).toArray();
    expect(batches.map(({ xs }) => xs.shape)).toEqual([
      [4, 2],
      [2, 2],
    ]);
    expect(batches.flatMap(({ ys }) => [...ys.dataSync()])).toEqual([...trainIndices]);
    expect(batches.flatMap(({ xs }) => [...xs.dataSync()])).toEqual(
      [...trainIndices].flatMap((i) => [2 * i, 2 * i + 1]),
    );
    expect(batches[0]!.ys.dtype).toBe('int32');
    const shuffled = await train.shuffle(6, 1).batch(6).toArray();
    const order = [...shuffled[0]!.ys.dataSync()];
    expect(order).not.toEqual([...trainIndices]);
    expect(order.sort((a, b) => a - b)).toEqual([...trainIndices]);
    const elements = await validation.toArray();
    expect(elements.map(({ ys }) => ys.dataSync()[0])).toEqual([...validationIndices]);
    expect(elements.map(({ xs }) => xs.shape)).toEqual([[2], [2], [2]]);
  });

  test('may be lists and objects of tensors, and numbers', async () => {
    const { x, y } = samples(6);
    const lists = sn.data.kFold({ x: [x, y], y: { a: y, b: x } }, { k: 2, shuffle: false })[1]!;
    const [batch] = await lists.validation.batch(9).toArray();
    expect(batch!.xs.map(({ shape }) => shape)).toEqual([[3, 2], [3]]);
    expect([...batch!.ys.a.dataSync()]).toEqual([3, 4, 5]);
    expect([...batch!.ys.b.dataSync()]).toEqual([6, 7, 8, 9, 10, 11]);
    const plain = sn.data.kFold(
      {
        x: [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
        y: [7, 8, 9],
      },
      { k: 3, shuffle: false },
    )[2]!;
    const [last] = await plain.validation.batch(1).toArray();
    expect([...last!.xs.dataSync(), ...last!.ys.dataSync()]).toEqual([5, 6, 9]);
  });

  test('are stratified by one-hot labels as by numbers', () => {
    const labels = sn.tensor(
      Array.from({ length: 30 }, (_, i) => (i < 21 ? 0 : i < 27 ? 1 : 2)),
      [30],
      'int32',
    );
    const options = { k: 3, seed: 2, stratify: true };
    const byNumber = sn.data.kFold({ x: labels, y: labels }, options);
    const oneHot = sn.data.kFold({ x: labels, y: sn.oneHot(labels, 3) }, options);
    const column = sn.data.kFold({ x: labels, y: labels.reshape([30, 1]) }, options);
    for (const [i, { validationIndices }] of byNumber.entries()) {
      expect(oneHot[i]!.validationIndices).toEqual(validationIndices);
      expect(column[i]!.validationIndices).toEqual(validationIndices);
      const held = [...validationIndices].map((place) => (place < 21 ? 0 : place < 27 ? 1 : 2));
      expect([0, 1, 2].map((label) => held.filter((own) => own === label).length)).toEqual([7, 2, 1]);
    }
  });

  test('train a model, part by part, and leave no tensors behind', async () => {
    const x = sn.randomNormal([40, 2], 0, 1, 'float32', 1);
    const y = sn.greater(sn.sum(x, 1), 0).cast('int32');
    const model = sn.sequential({ layers: [sn.layers.dense({ units: 2, activation: 'softmax', inputShape: [2] })] });
    model.compile({ optimizer: sn.train.adam(0.1), loss: 'sparseCategoricalCrossentropy', metrics: ['acc'] });
    const start = model.getWeights();
    for (const weight of start) weight.kept = true;
    const round = async (): Promise<number[]> => {
      const accuracies: number[] = [];
      for (const { train, validation } of sn.data.kFold({ x, y }, { k: 4, seed: 3, stratify: true })) {
        model.setWeights(start);
        const { history } = await model.fitDataset(train.shuffle(30).batch(10), {
          epochs: 12,
          verbose: 0,
          validationData: validation.batch(10),
        });
        accuracies.push(history['val_acc']!.at(-1)!);
      }
      return accuracies;
    };
    expect(Math.min(...(await round()))).toBeGreaterThan(0.6);
    const before = await liveTensors();
    await round();
    expect(await liveTensors()).toBe(before);
  });
});

describe('data sets', () => {
  const letters = (): sn.data.Dataset<string> => sn.data.array([...'abcdefgh']);

  test('are passed through, and elements of other parts left out', async () => {
    const folds = sn.data.kFold(letters(), { k: 3, shuffle: false });
    expect(folds.map(({ train, validation }) => [train.size, validation.size])).toEqual([
      [5, 3],
      [5, 3],
      [6, 2],
    ]);
    expect(await folds[1]!.validation.toArray()).toEqual(['d', 'e', 'f']);
    expect(await folds[1]!.train.toArray()).toEqual(['a', 'b', 'c', 'g', 'h']);
    expect(await folds[1]!.train.toArray()).toEqual(['a', 'b', 'c', 'g', 'h']);
  });

  test('of unknown length are counted once, when they are used', async () => {
    let passes = 0;
    const counted = sn.data.generator(function* () {
      passes++;
      yield* 'abcdefgh';
    });
    const folds = sn.data.kFold(counted, { k: 3, shuffle: false });
    expect(folds[0]!.train.size).toBe(null);
    expect(passes).toBe(0);
    expect(await folds[2]!.validation.toArray()).toEqual(['g', 'h']);
    expect(await folds[0]!.train.toArray()).toEqual(['d', 'e', 'f', 'g', 'h']);
    expect(passes).toBe(3);
  });

  test('are stratified by what a function says, by ys, or by their labels', async () => {
    const elements = Array.from({ length: 12 }, (_, i) => ({ xs: [i], ys: i < 8 ? 0 : 1 }));
    const classesOf = async (folds: sn.data.Fold<{ xs: number[]; ys: number }>[]): Promise<number[]> =>
      Promise.all(
        folds.map(async ({ validation }) => (await validation.toArray()).reduce((sum, { ys }) => sum + ys, 0)),
      );
    const dataset = sn.data.array(elements);
    expect(await classesOf(sn.data.kFold(dataset, { k: 4, seed: 1, stratify: true }))).toEqual([1, 1, 1, 1]);
    const byFunction = sn.data.kFold(dataset, { k: 4, seed: 1, stratify: ({ ys }) => (ys === 1 ? 'yes' : 'no') });
    expect(await classesOf(byFunction)).toEqual([1, 1, 1, 1]);

    const images = new sn.data.ImageDataset({
      images: new Uint8Array(12),
      labels: Uint8Array.from(elements, ({ ys }) => ys),
      imageShape: [1, 1, 1],
      classNames: ['a', 'b'],
    });
    for (const { validation } of sn.data.kFold(images, { k: 4, seed: 1, stratify: true })) {
      const [batch] = await validation.batch(3).toArray();
      expect(batch!.ys.shape).toEqual([3, 2]);
      expect(sn.sum(batch!.ys, 0).dataSync()[1]).toBe(1);
    }
  });

  test('free the tensors of elements that are left out', async () => {
    const source = sn.data.generator(function* () {
      for (let i = 0; i < 6; i++) yield { xs: sn.ones([2]), ys: sn.scalar(i % 2) };
    });
    const pass = async (): Promise<void> => {
      for (const { train } of sn.data.kFold(source, { k: 2, stratify: true }))
        await train.forEachAsync(() => undefined);
    };
    await pass();
    const before = await liveTensors();
    await pass();
    expect(await liveTensors()).toBe(before);
  });
});

test.each<[string, () => unknown, RegExp]>([
  ['one part', () => sn.data.kFold(samples(4), { k: 1 }), /data.kFold: k: expected an integer of at least 2, got 1/],
  ['more parts than samples', () => sn.data.kFold(samples(2), { k: 3 }), /expected at least 3 elements, .*, got 2/],
  [
    'x and y of different length',
    () => sn.data.kFold({ x: sn.ones([3]), y: sn.ones([4]) }),
    /y: expected 3 samples, as x has/,
  ],
  ['a scalar', () => sn.data.kFold({ x: sn.scalar(1), y: sn.ones([4]) }), /x: expected an axis of samples, got \[\]/],
  ['no data', () => sn.data.kFold(7 as unknown as sn.data.KFoldSamples), /data: expected a data set, or {x, y}, got 7/],
  ['a wrong seed', () => sn.data.kFold(samples(9), { seed: 0.5 }), /seed: expected a safe integer, got 0.5/],
  ['an endless data set', () => sn.data.kFold(sn.data.array([1]).repeat()), /the data set is endless; use take\(\)/],
  [
    'classes that are no tensor',
    () => sn.data.kFold({ x: sn.ones([9]), y: [sn.ones([9])] }, { stratify: true }),
    /stratify: expected one tensor of class numbers/,
  ],
])('refuses %s', (_, make, message) => {
  expect(make).toThrow(message);
});

test('an element without a class is refused when the data set is used', async () => {
  const folds = sn.data.kFold(sn.data.array([1, 2, 3, 4, 5, 6]), { k: 2, stratify: true });
  await expect(folds[0]!.train.toArray()).rejects.toThrow(
    /stratify: expected elements {xs, ys} with classes as ys, got 1;/,
  );
});
