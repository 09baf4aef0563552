// file:// paths, the progress lines and the TensorBoard callback: what tfjs-node has around training.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { readEvents } from '../interchange/event-reader.js';
import { tf } from './on-both.js';

const folder = mkdtempSync(join(tmpdir(), 'selfnorm-tfjs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function small() {
  const model = tf.sequential({
    layers: [tf.layers.dense({ units: 4, activation: 'selu', inputShape: [3] }), tf.layers.dense({ units: 1 })],
  });
  model.compile({ loss: 'meanSquaredError', optimizer: 'adam', metrics: ['mae'] });
  return model;
}

const data = () => ({
  x: tf.randomNormal([12, 3], 0, 1, 'float32', 1),
  y: tf.randomNormal([12, 1], 0, 1, 'float32', 2),
});

describe('file:// paths', () => {
  test('hold a model that predicts the same once it is loaded', async () => {
    const model = small();
    const { x, y } = data();
    await model.fit(x, y, { epochs: 1, verbose: 0 });
    const { modelArtifactsInfo } = await model.save(`file://${folder}/model`);
    expect(modelArtifactsInfo.weightDataBytes).toBe(4 * (3 * 4 + 4 + 4 + 1));
    const loaded = await tf.loadLayersModel(`file://${folder}/model/model.json`);
    const [before, after] = [model, loaded].map((one) => [...(one.predict(x) as typeof x).dataSync()]);
    expect(after).toEqual(before);
    expect(readdirSync(join(folder, 'model')).sort()).toEqual(['model.json', 'weights.bin']);
  });

  test('may name the folder for loading too', async () => {
    await small().save(`file://${folder}/folder`);
    const loaded = await tf.loadLayersModel(`file://${folder}/folder`);
    expect(loaded.countParams()).toBe(21);
  });

  test('keep the optimizer when asked to', async () => {
    const model = small();
    const { x, y } = data();
    await model.fit(x, y, { epochs: 2, verbose: 0 });
    await model.save(`file://${folder}/optimizer`, { includeOptimizer: true });
    const loaded = await tf.loadLayersModel(`file://${folder}/optimizer/model.json`);
    const [left, right] = await Promise.all(
      [model, loaded].map((one) => one.fit(x, y, { epochs: 2, shuffle: false, verbose: 0 })),
    );
    expect(right!.history['loss']).toEqual(left!.history['loss']);
  });

  test('that do not lead to a model are told as such', async () => {
    await expect(tf.loadLayersModel(`file://${folder}/none/model.json`)).rejects.toThrow(
      /none\/model\.json: no such file/,
    );
    writeFileSync(join(folder, 'broken.json'), '{');
    await expect(tf.loadLayersModel(`file://${folder}/broken.json`)).rejects.toThrow(/broken\.json: expected JSON/);
    await expect(small().save(`file://${folder}/broken.json`)).rejects.toThrow(/broken\.json/);
    expect(readFileSync(join(folder, 'broken.json'), 'utf8')).toBe('{');
  });
});

describe('fit', () => {
  test('prints a line before and behind each epoch', async () => {
    const lines: string[] = [];
    const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => lines.push(String(text)) > 0);
    const { x, y } = data();
    await small().fit(x, y, { epochs: 2, batchSize: 4 });
    write.mockRestore();
    expect(lines.join('')).toMatch(
      /^Epoch 1 \/ 2\n\d+ms \d+us\/step - loss=[\d.]+ mae=[\d.]+\nEpoch 2 \/ 2\n\d+ms \d+us\/step - loss=[\d.]+ mae=[\d.]+\n$/,
    );
  });

  test('writes event files with node.tensorBoard, in the folders and under the names of tfjs-node', async () => {
    const { x, y } = data();
    const model = small();
    const { history } = await model.fit(x, y, {
      epochs: 2,
      batchSize: 4,
      verbose: 0,
      validationData: [x, y],
      callbacks: tf.node.tensorBoard(join(folder, 'logs'), { updateFreq: 'batch', histogramFreq: 1 }),
    });
    const [train, validation] = ['train', 'val'].map((run) => {
      const [file] = readdirSync(join(folder, 'logs', run));
      return readEvents(readFileSync(join(folder, 'logs', run, file!)));
    });
    const scalars = (events: typeof train, tag: string) =>
      events!.filter((event) => event.tag === tag).map(({ step, scalar }) => [step, scalar]);
    expect(scalars(train, 'epoch_loss')).toEqual(
      (history['loss'] as number[]).map((loss, i) => [i + 1, Math.fround(loss)]),
    );
    expect(scalars(validation, 'epoch_mae').map(([step]) => step)).toEqual([1, 2]);
    expect(scalars(train, 'batch_loss').map(([step]) => step)).toEqual([1, 2, 3, 4, 5, 6]);
    const kernel = train!.filter(({ tag, histogram }) => histogram !== undefined && tag === model.weights[0]!.name);
    expect(kernel.map(({ step, histogram }) => [step, histogram!.count])).toEqual([
      [0, 12],
      [1, 12],
    ]);
  });

  test('refuses options of tensorBoard that are none', () => {
    expect(() => tf.node.tensorBoard('x', { updateFreq: 'never' as 'batch' })).toThrow(/updateFreq: expected/);
    expect(() => tf.node.tensorBoard('x', { histogramFreq: -1 })).toThrow(/histogramFreq: expected/);
  });

  test('has a writer of scalars and histograms of its own', () => {
    const writer = tf.node.summaryFileWriter(join(folder, 'summaries'));
    writer.scalar('a', tf.scalar(0.5), 3);
    writer.histogram('b', tf.tensor1d([1, 2, 3]), 4, 2);
    const [file] = readdirSync(join(folder, 'summaries'));
    const events = readEvents(readFileSync(join(folder, 'summaries', file!)));
    expect(events.map(({ tag, step }) => [tag, step])).toEqual([
      [undefined, 0],
      ['a', 3],
      ['b', 4],
    ]);
    expect(events[2]!.histogram).toMatchObject({ min: 1, max: 3, count: 3, sum: 6, counts: [1, 2] });
  });
});
