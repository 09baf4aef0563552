// Losses by name against Keras's: values for each sample, and gradients by the predictions.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { getLoss } from '../../src/losses/loss.js';
import type { LossConfig } from '../../src/losses/loss.js';
import { noting } from '../../src/ops/noted.js';
import { expectWithin } from '../harness/compare.js';
import { load, numbers, type StoredTensor } from '../harness/fixtures.js';
import { liveTensors } from '../harness/live-tensors.js';

interface Case {
  name: string;
  config: LossConfig;
  yTrue: StoredTensor;
  yPred: StoredTensor;
  values: StoredTensor;
  gradient: StoredTensor;
}

const stored = new URL('../fixtures/training/training.json', import.meta.url);
const { losses } = JSON.parse(readFileSync(stored, 'utf8')) as { losses: Case[] };

describe.each(['float64', 'float32'] as const)('%s', (dtype) => {
  const tolerance = dtype === 'float64' ? 1e-6 : 2e-5;
  // Clipped in float32, a probability of 1 is 1 - 1.2e-7, and its logarithm another one: that is float64's to compare.
  const isSaturated = ({ name, yPred }: Case): boolean => name === 'binaryCrossentropy' && yPred.data.includes(1);
  const cases = losses.filter((one) => dtype === 'float64' || !isSaturated(one));
  test.each(cases.map((one, i) => ({ ...one, i })))('$i $name $config', ({ name, config, ...expected }) => {
    const loss = getLoss({ className: name, config });
    const yTrue = load(expected.yTrue, dtype);
    const yPred = load(expected.yPred, dtype);
    const check = (what: string, actual: sn.Tensor, reference: StoredTensor): void =>
      expectWithin(
        what,
        { shape: actual.shape, data: actual.dataSync() },
        { shape: reference.shape, data: numbers(reference) },
        (value, scale) => tolerance * (Math.abs(value) + 0.1 * scale + 1e-3),
      );
    check('values', loss.of(yTrue, yPred), expected.values);
    check('gradient', sn.grad((p) => sn.sum(loss.of(yTrue, p)))(yPred), expected.gradient);
    expect(loss.name).toBe(name);
  });
});

describe('the cross-entropy of softmax', () => {
  const logits = sn.tensor([[120, -120, 0]]);
  const wrong = sn.tensor([1], [1], 'int32');
  const sparse = getLoss('sparseCategoricalCrossentropy').of;
  const dense = getLoss('categoricalCrossentropy').of;

  test('is that of the logits, where probabilities have rounded to 0 and 1', () => {
    const value = (of: () => sn.Tensor): number => noting(false, of).dataSync()[0]!;
    expect(value(() => sparse(wrong, sn.softmax(logits)))).toBeCloseTo(240, 3);
    expect(value(() => dense(sn.tensor([[0, 1, 0]]), sn.softmax(logits)))).toBeCloseTo(240, 3);
    const gradient = sn.grad((x) => noting(false, () => sn.sum(sparse(wrong, sn.softmax(x)))))(logits);
    expect([...gradient.dataSync()]).toEqual([1, -1, 0]);
  });

  test('survives the freeing of the logits, and frees what it kept', async () => {
    const before = await liveTensors();
    const value = sn.tidy(() => {
      const loss = noting(false, () =>
        sparse(
          wrong,
          sn.tidy(() => sn.softmax(sn.add(logits, 0))),
        ),
      );
      return loss.dataSync()[0];
    });
    expect(value).toBeCloseTo(240, 3);
    // The view of the logits is nobody's to free but noting'.
    expect(sn.memory().numTensors).toBe(before);
  });
});

describe('a loss by name', () => {
  test.each([
    ['mse', 'meanSquaredError'],
    ['MAE', 'meanAbsoluteError'],
    ['mean_squared_error', 'meanSquaredError'],
    ['kld', 'kullbackLeiblerDivergence'],
    ['cosine', 'cosineProximity'],
  ])('%s is %s', (name, full) => {
    expect(getLoss(name).name).toBe(full);
  });

  test('is found by its function as well', () => {
    expect(getLoss(sn.metrics.meanSquaredError)).toMatchObject({ name: 'meanSquaredError', labels: 'like output' });
  });

  test.each([
    ['nonsense', /loss: expected a function or one of meanSquaredError, .*, got "nonsense"/],
    [5, /loss: expected a function or one of /],
    [{ className: 'huber', config: { delta: 0 } }, /loss.config.delta: expected a number above 0, got 0/],
    [{ className: 'meanSquaredError', config: { fromLogits: true } }, /expected no options of meanSquaredError/],
    [{ className: 'binaryCrossentropy', config: { labelSmoothing: 2 } }, /expected a number in \[0, 1\], got 2/],
  ])('that is not one is refused: %j', (loss, message) => {
    expect(() => getLoss(loss)).toThrow(message);
  });
});
