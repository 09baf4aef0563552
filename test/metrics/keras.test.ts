// Metrics against Keras's: over two batches, with and without sample weights, summed on the device as in training.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { getMetric } from '../../src/metrics/metric.js';
import { RunningSums } from '../../src/models/running-sums.js';
import { load, type StoredTensor } from '../harness/fixtures.js';

interface Case {
  name: string;
  loss: string;
  batches: { yTrue: StoredTensor; yPred: StoredTensor; weight: StoredTensor }[];
  plain: number;
  weighted: number;
}

const stored = new URL('../fixtures/training/training.json', import.meta.url);
const { metrics } = JSON.parse(readFileSync(stored, 'utf8')) as { metrics: Case[] };

describe.each(['plain', 'weighted'] as const)('%s', (way) => {
  test.each(metrics)('$name for $loss', async ({ name, loss, batches, ...expected }) => {
    const sums = new RunningSums();
    const metric = getMetric(name, { lossName: loss, outputShape: [null, ...batches[0]!.yPred.shape.slice(1)] });
    for (const { yTrue, yPred, weight } of batches) {
      const weights = way === 'weighted' ? load(weight, 'float32') : null;
      sums.add([metric.part(load(yTrue, 'float32'), load(yPred, 'float32'), weights)]);
    }
    const [value] = await sums.read();
    const limit = 2e-6 * Math.max(1, expected[way]);
    expect(Math.abs(value! - expected[way])).toBeLessThan(limit);
    expect(Math.abs(sums.scalars()[0]!.dataSync()[0]! - expected[way])).toBeLessThan(limit);
    sums.dispose();
  });
});

describe('metrics as functions', () => {
  const data = (tensor: sn.Tensor): number[] => [...tensor.dataSync()];
  const yTrue = sn.tensor([
    [0, 0, 1],
    [0, 1, 0],
  ]);
  const yPred = sn.tensor([
    [0.1, 0.3, 0.6],
    [0.5, 0.2, 0.3],
  ]);

  test('give a value for each sample', () => {
    expect(data(sn.metrics.categoricalAccuracy(yTrue, yPred))).toEqual([1, 0]);
    expect(data(sn.metrics.sparseCategoricalAccuracy(sn.tensor([2, 1]), yPred))).toEqual([1, 0]);
    expect(data(sn.metrics.sparseCategoricalAccuracy(sn.tensor([[2], [0]]), yPred))).toEqual([1, 1]);
    expect(sn.metrics.mse(yTrue, yPred).shape).toEqual([2]);
  });

  test('count ties among the k largest as right, and NaN as wrong', () => {
    const tied = sn.tensor([
      [0.4, 0.4, 0.2],
      [NaN, 0.2, 0.1],
    ]);
    expect(
      data(
        sn.metrics.topKCategoricalAccuracy({ k: 1 })(
          sn.tensor([
            [0, 1, 0],
            [1, 0, 0],
          ]),
          tied,
        ),
      ),
    ).toEqual([1, 0]);
    expect(data(sn.metrics.sparseTopKCategoricalAccuracy({ k: 2 })(sn.tensor([2, 1]), tied))).toEqual([0, 1]);
    expect(() => sn.metrics.topKCategoricalAccuracy({ k: 0 })).toThrow(/k: expected an integer of at least 1, got 0/);
  });

  test('precision, recall and r2Score are scalars over the batch', () => {
    const hits = sn.tensor([
      [1, 0, 1],
      [0, 0, 1],
    ]);
    expect(data(sn.metrics.precision(yTrue, hits))).toEqual([expect.closeTo(1 / 3, 6)]);
    expect(data(sn.metrics.recall(yTrue, hits))).toEqual([0.5]);
    expect(data(sn.metrics.precision(yTrue, sn.zerosLike(yTrue)))).toEqual([0]);
    expect(data(sn.metrics.r2Score(sn.tensor([1, 2, 3]), sn.tensor([1, 2, 4])))).toEqual([0.5]);
  });

  test('stay themselves in compile', () => {
    const context = { lossName: 'meanSquaredError', outputShape: [null, 3] };
    expect(getMetric(sn.metrics.precision, context).name).toBe('precision');
    expect(getMetric(sn.metrics.topKCategoricalAccuracy({ k: 3 }), context).name).toBe('top3');
    expect(getMetric((y: sn.Tensor) => y, context).name).toBe('metric');
    expect(() => getMetric('nonsense', context)).toThrow(
      /metrics: expected a function or one of acc, .*, got "nonsense"/,
    );
  });
});
