// The monitor as a callback: what is in the history, when it looks, at what, and when it stops training.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';

const x = sn.tensor2d(Array.from({ length: 64 }, (_, i) => [Math.sin(i), Math.cos(3 * i)]));
const y = sn.tensor2d(Array.from({ length: 64 }, (_, i) => [Math.sin(i) * Math.cos(3 * i)]));

/** Half of the hidden units are dead from the start. */
function model(): sn.Sequential {
  const made = sn.sequential({
    layers: [
      sn.layers.dense({
        name: 'hidden',
        inputShape: [2],
        units: 4,
        activation: 'relu',
        weights: [
          sn.tensor2d([
            [1, -1, 1, 0.5],
            [0.5, 1, 0, 0],
          ]),
          sn.tensor1d([0, 0, -9, -9]),
        ],
      }),
      sn.layers.dense({ name: 'out', units: 1, kernelInitializer: 'ones' }),
    ],
  });
  made.compile({ optimizer: sn.train.sgd(0.001), loss: 'meanSquaredError' });
  return made;
}
const quiet = { verbose: 0, batchSize: 32, epochs: 4 } as const;

describe('the history', () => {
  test('has shares and moments of each layer', async () => {
    const monitor = sn.callbacks.activationMonitor();
    const trained = model();
    const { history } = await trained.fit(x, y, { ...quiet, callbacks: monitor });
    expect(Object.keys(history)).toEqual([
      'loss',
      'dead',
      'linear',
      'saturated',
      'nonFinite',
      'hidden_mean',
      'hidden_variance',
      'hidden_dead',
      'hidden_linear',
      'hidden_saturated',
      'hidden_nonFinite',
      'out_mean',
      'out_variance',
      'out_dead',
      'out_linear',
      'out_saturated',
      'out_nonFinite',
    ]);
    expect(history['hidden_dead']).toEqual([0.5, 0.5, 0.5, 0.5]);
    // 2 of the 4 hidden units, none of the other.
    expect(history['dead']).toEqual([0.4, 0.4, 0.4, 0.4]);
    const hidden = sn.relu(x.slice([0, 0], [32, 2]).matMul(trained.weights[0]!).add(trained.weights[1]!));
    expect(Math.abs(history['hidden_mean']![3]! - (hidden.mean().dataSync()[0] as number))).toBeLessThan(1e-6);
    expect(monitor.report!.text).toContain('hidden: 2 of 4 units are dead: the output is 0 for all of 32 samples');
  });

  test('has gaps where it did not look', async () => {
    const callbacks = sn.callbacks.activationMonitor({ every: 2, data: x });
    const { history } = await model().fit(x, y, { ...quiet, callbacks });
    expect(history['dead']).toEqual([NaN, 0.4, NaN, 0.4]);
    expect(history['loss']!.every(Number.isFinite)).toBe(true);
  });

  test('is there for the callbacks behind it', async () => {
    const seen: (number | undefined)[] = [];
    const after = { onEpochEnd: (_epoch: number, logs?: sn.Logs) => seen.push(logs?.['dead']) };
    await model().fit(x, y, { ...quiet, epochs: 1, callbacks: [sn.callbacks.activationMonitor(), after] });
    expect(seen).toEqual([0.4]);
  });

  test('costs no tensors', async () => {
    const trained = model();
    const callbacks = sn.callbacks.activationMonitor();
    await trained.fit(x, y, { ...quiet, epochs: 1, callbacks });
    const before = sn.memory().numTensors;
    await trained.fit(x, y, { ...quiet, epochs: 1, callbacks });
    expect(sn.memory().numTensors).toBeLessThanOrEqual(before);
  });
});

describe('training', () => {
  test.each([
    ['a kind', 'dead' as const, 0],
    ['several kinds', ['saturated', 'dead'] as const, 0],
    ['a share that is reached', { dead: 0.5 }, 0],
    ['a share that is not', { dead: 0.51 }, null],
    ['another kind', 'nonFinite' as const, null],
    [
      'a function',
      ({ layers }: sn.selfNormalizing.MonitorReport, epoch: number) => epoch === 2 && layers.length === 2,
      2,
    ],
  ])('is stopped by %s', async (_what, stopOn, epoch) => {
    const monitor = sn.callbacks.activationMonitor({ stopOn });
    const { history } = await model().fit(x, y, { ...quiet, callbacks: monitor });
    expect(monitor.stoppedEpoch).toBe(epoch);
    expect(history['dead']).toHaveLength(epoch === null ? 4 : epoch + 1);
  });

  test('on a data set needs data to look at', async () => {
    const rows = (of: sn.Tensor): number[][] => of.arraySync() as number[][];
    const dataset = sn.data.zip({ xs: sn.data.array(rows(x)), ys: sn.data.array(rows(y)) }).batch(16);
    const fit = (data?: sn.Tensor): Promise<sn.History> =>
      model().fitDataset(dataset as sn.DatasetLike, {
        epochs: 1,
        verbose: 0,
        callbacks: sn.callbacks.activationMonitor(data === undefined ? {} : { data }),
      });
    await expect(fit()).rejects.toThrow(
      'callbacks.activationMonitor: data: expected inputs to look at, when training reads a data set, got undefined',
    );
    expect((await fit(x)).history['dead']).toEqual([0.4]);
  });
});

test.each([
  [{ every: 0 }, 'every: expected an integer of at least 1, got 0'],
  [{ stopOn: 'tired' }, 'stopOn: expected one or several of dead, linear, saturated, nonFinite, drift'],
  [{ stopOn: { dead: 2 } }, 'stopOn.dead: expected a share of units in [0, 1], got 2'],
  [{ stopOn: 3 }, 'stopOn: expected one or several of'],
])('refuses %j', (config, message) => {
  expect(() => sn.callbacks.activationMonitor(config as never)).toThrow(`callbacks.activationMonitor: ${message}`);
});
