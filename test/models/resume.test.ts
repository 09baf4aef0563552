// A training saved beside the model goes on bit for bit; to whoever wants the model alone it is not there.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { liveTensors } from '../harness/live-tensors.js';
import { weightsOf } from './saved-models.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'selfnorm-resume-'));
  path = join(folder, 'net');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Dropout, statistics, an optimizer with two slots. */
function net(units = 6): sn.Model {
  const { alphaDropout, batchNormalization, dense } = sn.layers;
  const model = sn.sequential({
    layers: [
      dense({ units, activation: 'selu', kernelInitializer: 'leCunNormal', inputShape: [4], name: 'hidden' }),
      batchNormalization({ name: 'norm' }),
      alphaDropout({ rate: 0.2, name: 'drop' }),
      dense({ units: 3, activation: 'softmax', name: 'out' }),
    ],
  });
  model.compile({ optimizer: sn.train.adam(0.01), loss: 'sparseCategoricalCrossentropy', metrics: ['acc'] });
  return model;
}
const data = (): [sn.Tensor, sn.Tensor] => [
  sn.randomNormal([50, 4], 0, 1, 'float32', 1),
  sn.randomUniform([50], 0, 3, 'int32', 2),
];
const args = { batchSize: 8, verbose: 0 } as const;

describe('a saved training', () => {
  test.each([
    ['after two epochs', Infinity, 2, 2],
    ['in the middle of the second', 10, 4, 1],
    ['behind the last batch of the second', 14, 4, 1],
  ])('goes on %s', async (_, batches, epochs, resumedIn) => {
    const [x, y] = data();
    sn.setSeed(5);
    const whole = net();
    const { history: wanted } = await whole.fit(x, y, { ...args, epochs: 4 });

    sn.setSeed(5);
    const first = net();
    let seen = 0;
    await first.fit(x, y, {
      ...args,
      epochs,
      callbacks: { onBatchEnd: () => void (first.stopTraining = ++seen === batches) },
    });
    await first.save(path, { includeOptimizer: true });

    sn.setSeed(99);
    const second = net();
    const initialEpoch = await second.loadTrainingState(path);
    expect(initialEpoch).toBe(resumedIn);
    expect(weightsOf(second)).toEqual(weightsOf(first));
    const { history } = await second.fit(x, y, { ...args, epochs: 4, initialEpoch });
    expect(weightsOf(second)).toEqual(weightsOf(whole));
    expect(history['loss']).toEqual(wanted['loss']!.slice(initialEpoch));
  });

  test('is not there for those who load the model or its weights', async () => {
    const [x, y] = data();
    const model = net();
    await model.fit(x, y, { ...args, epochs: 1 });
    await model.save(path, { includeOptimizer: true });
    const loaded = await sn.loadLayersModel(path);
    expect(weightsOf(loaded)).toEqual(weightsOf(model));
    const other = net();
    await other.loadWeights(path);
    expect(weightsOf(other)).toEqual(weightsOf(model));
    const names = [...sn.readSafetensors(`${path}.safetensors`).tensors.keys()];
    expect(names).toContain('hidden/kernel');
    expect(names).toContain('training/optimizer/hidden/kernel/m');
  });

  test('keeps clear of layers of any name', async () => {
    const model = sn.sequential({ layers: [sn.layers.dense({ units: 1, inputShape: [1], name: 'training' })] });
    model.compile({ optimizer: 'adam', loss: 'meanSquaredError' });
    await model.fit([[1], [2]], [[1], [2]], { verbose: 0 });
    await model.save(path, { includeOptimizer: true });
    expect(weightsOf(await sn.loadLayersModel(path))).toEqual(weightsOf(model));
    const names = [...sn.readSafetensors(`${path}.safetensors`).tensors.keys()];
    expect(names).toContain('_training/optimizer/training/kernel/v');
    expect(await model.loadTrainingState(path)).toBe(1);
  });

  test('leaves no tensors behind', async () => {
    const [x, y] = data();
    const model = net();
    const round = async (): Promise<void> => {
      await model.fit(x, y, { ...args, epochs: 1 });
      await model.save(path, { includeOptimizer: true });
      await model.loadTrainingState(path);
      (await sn.loadLayersModel(path)).dispose();
    };
    await round();
    const before = await liveTensors();
    await round();
    await round();
    expect(await liveTensors()).toBe(before);
  });
});

describe('is refused:', () => {
  test('a file of weights alone', async () => {
    const model = net();
    await model.save(path);
    await expect(model.loadTrainingState(path)).rejects.toThrow(
      /net\.safetensors: expected a training, got weights alone; save with includeOptimizer: true$/,
    );
    await expect(model.loadTrainingState(join(folder, 'none'))).rejects.toThrow(
      /none\.safetensors: the file does not exist/,
    );
  });

  test('the training of another model, and the weights stay', async () => {
    const model = net();
    await model.save(path, { includeOptimizer: true });
    const other = net(7);
    const before = weightsOf(other);
    await expect(other.loadTrainingState(path)).rejects.toThrow(
      /net\.safetensors: .*hidden\/kernel: expected shape \[4,7\], got \[4,6\]/,
    );
    expect(weightsOf(other)).toEqual(before);
  });

  test('a model that is not compiled', async () => {
    const model = sn.sequential({ layers: [sn.layers.dense({ units: 1, inputShape: [1] })] });
    await expect(model.save(path, { includeOptimizer: true })).rejects.toThrow(/not compiled yet/);
    await net().save(path, { includeOptimizer: true });
    await expect(model.loadTrainingState(path)).rejects.toThrow(/not compiled yet/);
  });

  test('a handler, and half of the weights', async () => {
    const options = { includeOptimizer: true };
    await expect(net().save({ save: () => undefined }, options)).rejects.toThrow(
      /includeOptimizer: expected a path, .*a handler/,
    );
    await expect(net().save(path, { ...options, trainableOnly: true })).rejects.toThrow(/got "trainableOnly too"/);
  });

  test.each([
    ['no JSON', 'x'],
    ['another JSON', '{"prefix":"","order":[],"values":{}}'],
    ['no values', '{"prefix":"t/","order":[],"values":null}'],
  ])('a note that is %s', async (_, training) => {
    const model = net();
    sn.writeSafetensors(
      `${path}.safetensors`,
      Object.fromEntries(model.namedWeights().map((w) => [w.name, w.variable])),
      { training },
    );
    for (const load of [() => model.loadTrainingState(path), () => model.loadWeights(path)]) {
      await expect(load()).rejects.toThrow(
        /net\.safetensors: note "training": expected JSON with prefix, order and values/,
      );
    }
  });

  test('a tensor that the note names and the file has not', async () => {
    const model = net();
    const training = JSON.stringify({ prefix: 't/', order: ['optimizer/iter'], values: { epoch: 0 } });
    sn.writeSafetensors(
      `${path}.safetensors`,
      Object.fromEntries(model.namedWeights().map((w) => [w.name, w.variable])),
      { training },
    );
    await expect(model.loadTrainingState(path)).rejects.toThrow(/net\.safetensors: has no t\/optimizer\/iter/);
  });
});
