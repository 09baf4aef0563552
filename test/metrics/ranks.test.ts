// Accuracies read ranks of classes: against sorted scores, and left by the cross-entropy of the same predictions in training.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { classRanks, NO_RANK } from '../../src/ops/class-ranks.js';
import { noting, ranksOf } from '../../src/ops/noted.js';

const ROWS = 7;

/** Scores with many ties, of short rows and long ones. */
function scoresOf(classes: number, dtype: sn.DType = 'float32'): sn.Tensor {
  const values = Array.from({ length: ROWS * classes }, (_, i) => Math.round(3 * Math.sin(i * 12.9898)));
  return sn.tensor(values, [ROWS, classes], 'float32').cast(dtype);
}
const labelsOf = (classes: number): number[] => Array.from({ length: ROWS }, (_, row) => (row * 5 + 1) % classes);

/** Where the class comes when larger scores come first, and those of equal ones that stand first. */
function placeOf(scores: readonly number[], label: number): { above: number; ties: boolean } {
  const own = scores[label]!;
  return { above: scores.filter((score) => score > own).length, ties: scores.slice(0, label).includes(own) };
}

describe.each([3, 10, 100])('of %i classes', (classes) => {
  const rows = scoresOf(classes).arraySync() as number[][];
  const labels = labelsOf(classes);
  const numbers = sn.tensor1d(labels, 'int32');
  const places = rows.map((row, i) => placeOf(row, labels[i]!));

  test.each(['float32', 'float16', 'bfloat16', 'float64'] as const)(
    'ranks are places among sorted scores, %s',
    (dtype) => {
      const scores = scoresOf(classes, dtype);
      const expected = places.map(({ above, ties }) => 2 * above + Number(ties));
      expect([...classRanks('test', 'numbers', numbers, scores).dataSync()]).toEqual(expected);
      expect([...classRanks('test', 'one-hot', sn.oneHot(numbers, classes), scores).dataSync()]).toEqual(expected);
    },
  );

  test('top-k counts ties as right, accuracy the first of them alone', () => {
    const scores = scoresOf(classes);
    const { sparseCategoricalAccuracy, sparseTopKCategoricalAccuracy } = sn.metrics;
    const right = places.map(({ above, ties }) => Number(above === 0 && !ties));
    expect([...sparseCategoricalAccuracy(numbers, scores).dataSync()]).toEqual(right);
    for (const k of [1, 2, 5, 2 ** 40]) {
      const among = places.map(({ above }) => Number(above < k));
      expect([...sparseTopKCategoricalAccuracy({ k })(numbers, scores).dataSync()]).toEqual(among);
    }
  });

  test.each([
    ['softmax', false],
    ['logits', true],
  ] as const)('a cross-entropy of %s leaves them, with the loss it gives alone', (_what, fromLogits) => {
    const scores = scoresOf(classes);
    const hot = sn.oneHot(numbers, classes).cast('float32');
    const predict = (): sn.Tensor => (fromLogits ? scores : sn.softmax(scores));
    for (const [labelled, loss] of [
      [hot, sn.metrics.categoricalCrossentropy],
      [numbers, sn.metrics.sparseCategoricalCrossentropy],
    ] as const) {
      const alone = noting(false, () => [...loss(labelled, predict(), fromLogits).dataSync()]);
      const kept = noting(true, () => {
        const predictions = predict();
        const values = [...loss(labelled, predictions, fromLogits).dataSync()];
        // Of just these labels and predictions.
        expect(ranksOf(labelled, scores.clone())).toBeUndefined();
        expect(ranksOf(labelled.clone(), predictions)).toBeUndefined();
        return { values, ranks: [...ranksOf(labelled, predictions)!.dataSync()] };
      });
      expect(kept.values).toEqual(alone);
      expect(kept.ranks).toEqual(places.map(({ above, ties }) => 2 * above + Number(ties)));
    }
  });
});

test('a class that is none, or whose score is NaN, is right for no k', () => {
  const scores = sn.tensor([
    [1, 2, NaN],
    [1, 2, NaN],
    [1, 2, 3],
    [1, 2, 3],
  ]);
  const ranks = classRanks('test', 'numbers', sn.tensor1d([2, 1, 3, -1], 'int32'), scores);
  expect([...ranks.dataSync()]).toEqual([NO_RANK, 2, NO_RANK, NO_RANK]);
});

test('labels of another shape are refused in one line', () => {
  const scores = scoresOf(3);
  const { categoricalAccuracy, sparseCategoricalAccuracy, topKCategoricalAccuracy } = sn.metrics;
  expect(() => categoricalAccuracy(sn.zeros([ROWS, 4]), scores)).toThrow(
    /^categoricalAccuracy: yTrue: expected yPred's shape \[7,3\], got \[7,4\]/,
  );
  expect(() => sparseCategoricalAccuracy(sn.zeros([ROWS, 2]), scores)).toThrow(
    /^sparseCategoricalAccuracy: yTrue: expected class numbers of shape \[7\], got \[7,2\]/,
  );
  expect(() => topKCategoricalAccuracy()(sn.zeros([3]), scores)).toThrow(/^metrics\.topKCategoricalAccuracy: yTrue/);
});

describe.each([
  ['categoricalCrossentropy', true],
  ['sparseCategoricalCrossentropy', false],
] as const)('trained with %s', (loss, hot) => {
  const CLASSES = 12;
  const x = sn.randomNormal([40, 6], 0, 1, 'float32', 3);
  const classes = sn.tensor1d(
    Array.from({ length: 40 }, (_, i) => (i * 7) % CLASSES),
    'int32',
  );
  const y = hot ? sn.oneHot(classes, CLASSES).cast('float32') : classes;

  const modelOf = (output: 'softmax' | 'linear', runEagerly: boolean): sn.Sequential => {
    sn.setSeed(4);
    const model = sn.sequential({
      layers: [
        sn.layers.dense({ units: 16, activation: 'selu', inputShape: [6] }),
        sn.layers.dense({ units: CLASSES, activation: output }),
      ],
    });
    model.compile({
      optimizer: 'adam',
      loss: { className: loss, config: { fromLogits: output === 'linear' } },
      metrics: ['accuracy', 'top5'],
      runEagerly,
    });
    return model;
  };

  test.each(['softmax', 'linear'] as const)('accuracies over %s are those of the predictions', async (output) => {
    const model = modelOf(output, false);
    const logs = await model.fit(x, y, { epochs: 3, batchSize: 16, verbose: 0, seed: 5 });
    const again = await modelOf(output, true).fit(x, y, { epochs: 3, batchSize: 16, verbose: 0, seed: 5 });
    expect(logs.history).toEqual(again.history);
    const scalars = model.evaluate(x, y, { batchSize: 16 }) as sn.Tensor[];
    const [, accuracy, top5] = scalars.map((scalar) => scalar.dataSync()[0]!);
    const rows = (model.predict(x) as sn.Tensor).arraySync() as number[][];
    const places = rows.map((row, i) => placeOf(row, (i * 7) % CLASSES).above);
    const shareBelow = (k: number): number => places.filter((above) => above < k).length / places.length;
    expect(Math.abs(accuracy! - shareBelow(1))).toBeLessThan(1e-6);
    expect(Math.abs(top5! - shareBelow(5))).toBeLessThan(1e-6);
    expect(top5!).toBeGreaterThan(accuracy!);
  });
});
