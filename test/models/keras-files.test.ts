// Files of Keras 3: each model predicts what it predicts there, and what cannot be read is one error that names it.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { withZip, zipOf } from '../../src/files/zip.js';
import * as sn from '../../src/index.js';
import { expectClose } from '../harness/compare.js';
import { liveTensors } from '../harness/live-tensors.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/keras/${name}`, import.meta.url));
interface Stored {
  readonly shape: number[];
  readonly data: number[];
}
const { models } = JSON.parse(readFileSync(fixture('values.json'), 'utf8')) as {
  models: Record<string, { inputs: Stored[]; outputs: Stored[] }>;
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'selfnorm-keras-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function expectPredictions(name: string, model: sn.Model): void {
  const { inputs, outputs } = models[name]!;
  const found = model.predict(inputs.map(({ shape, data }) => sn.tensor(data, shape)));
  const list = Array.isArray(found) ? found : [found];
  expect(list).toHaveLength(outputs.length);
  outputs.forEach((wanted, i) => {
    const scale = Math.max(...wanted.data.map(Math.abs));
    expect(scale).toBeGreaterThan(1e-3);
    const values = { shape: list[i]!.shape, data: list[i]!.dataSync() };
    expectClose(`${name} ${i}`, values, wanted, 'float32', 'composite', scale);
  });
}

describe.each(Object.keys(models))('the model %s', (name) => {
  test('predicts what it predicts in Keras', async () => {
    expectPredictions(name, await sn.loadLayersModel(fixture(`${name}.keras`)));
    expectPredictions(name, await sn.loadKerasModel(readFileSync(fixture(`${name}.keras`))));
  });

  test('comes back from a file of ours', async () => {
    const model = await sn.loadLayersModel(`file://${fixture(`${name}.keras`)}`);
    await model.save(join(folder, 'net'));
    expectPredictions(name, await sn.loadLayersModel(join(folder, 'net')));
  });
});

describe('weights alone', () => {
  const { embedding, reshape, globalAveragePooling2d, dense, reLU, elu } = sn.layers;
  const words = (units = 5): sn.Model =>
    sn.sequential({
      layers: [
        embedding({ inputDim: 7, outputDim: 6, inputLength: 8 }),
        reshape({ targetShape: [2, 4, 6] }),
        globalAveragePooling2d(),
        dense({ units, activation: 'gelu', name: 'hidden' }),
        reLU({ maxValue: 2 }),
        elu({ alpha: 0.5 }),
        dense({ units: 1, activation: 'sigmoid', name: 'last' }),
      ],
    });
  test.each(['words.keras', 'words.weights.h5'])('of %s go onto a model of the same layers', async (file) => {
    const model = words();
    await model.loadWeights(fixture(file));
    expectPredictions('words', model);
  });
  test('of another model are refused, and nothing changes', async () => {
    const model = words(4);
    const before = model.getWeights().map((weight) => weight.arraySync());
    const count = await liveTensors();
    await expect(model.loadWeights(fixture('words.keras'))).rejects.toThrow(
      /words\.keras: weights of .*: has other shapes: hidden\/kernel \(expected \[6,4\], got \[6,5\]\)/,
    );
    const short = sn.sequential({ layers: [dense({ units: 5, inputShape: [6], name: 'short' })] });
    await expect(short.loadWeights(fixture('words.keras'))).rejects.toThrow(
      /has layers\/embedding, layers\/dense_1, which the model has not|has layers\/dense_1, layers\/embedding/,
    );
    await short.loadWeights(fixture('words.keras'), false);
    short.dispose();
    expect(await liveTensors()).toBe(count);
    expect(model.getWeights().map((weight) => weight.arraySync())).toEqual(before);
    await expect(model.saveWeights(join(folder, 'w.h5'))).rejects.toThrow(
      /path: expected a path of \.safetensors or \.npz/,
    );
  });
});

describe('a file with what has no equal here is refused by name:', () => {
  test.each([
    [
      'operation',
      /operation\.keras: layer .*: expected one of Keras's layers, got "keras\.src\.ops\..*Exp"; make the model in code/,
    ],
    [
      'unknown',
      /unknown\.keras: layerFromConfig: layer unit: className: expected a registered layer class .*got "UnitNormalization"/,
    ],
    ['keepdims', /keepdims\.keras: layer pool: keepdims: expected false, got true/],
  ])('%s', async (name, message) => {
    const before = await liveTensors();
    await expect(sn.loadLayersModel(fixture(`${name}.keras`))).rejects.toThrow(message);
    expect(await liveTensors()).toBe(before);
  });
});

describe('a damaged file is one error, and leaves nothing behind:', () => {
  /** The fixture with one of its files changed. */
  async function changed(change: (files: Map<string, Buffer>) => void): Promise<Uint8Array> {
    const files = await withZip('test', fixture('words.keras'), 'words', async (entries) => {
      const found = new Map<string, Buffer>();
      for (const [name, entry] of entries) found.set(name, Buffer.from(await entry.read()));
      return found;
    });
    change(files);
    return Buffer.concat(await zipOf('test', [...files], true));
  }
  const config = (files: Map<string, Buffer>, edit: (config: never) => unknown): void => {
    const json = JSON.parse(files.get('config.json')!.toString()) as never;
    files.set('config.json', Buffer.from(JSON.stringify(edit(json) ?? json)));
  };
  const weights = (files: Map<string, Buffer>): Buffer => files.get('model.weights.h5')!;
  type Config = { config: { layers: unknown } };

  test.each<[string, (files: Map<string, Buffer>) => void, RegExp]>([
    [
      'no structure',
      (files) => files.delete('config.json'),
      /keras: expected config\.json in the archive, got metadata/,
    ],
    ['no weights', (files) => files.delete('model.weights.h5'), /expected model\.weights\.h5 in the archive/],
    ['no JSON', (files) => files.set('config.json', Buffer.from('{')), /config\.json: expected JSON/],
    [
      'JSON that is no model',
      (files) => files.set('config.json', Buffer.from('[]')),
      /layer: expected class_name and config/,
    ],
    [
      'null',
      (files) => files.set('config.json', Buffer.from('null')),
      /expected a model's class_name and config, got null/,
    ],
    [
      'no layers',
      (files) => config(files, (json: Config) => void (json.config.layers = 3)),
      /layers: expected an array, got 3/,
    ],
    [
      'a layer that is none',
      (files) => config(files, (json: Config) => void (json.config.layers = [7])),
      /expected class_name and config, got 7/,
    ],
    [
      'weights cut off',
      (files) => files.set('model.weights.h5', weights(files).subarray(0, 3000)),
      /damaged or cut off/,
    ],
    ['weights that are none', (files) => files.set('model.weights.h5', Buffer.from('no')), /damaged or cut off/],
    ['empty weights', (files) => files.set('model.weights.h5', Buffer.alloc(0)), /damaged or cut off/],
  ])('%s', async (_, change, message) => {
    const bytes = await changed(change);
    const before = await liveTensors();
    await expect(sn.loadKerasModel(bytes)).rejects.toThrow(message);
    expect(await liveTensors()).toBe(before);
  });

  test('with bytes of the weights changed, it is read or refused', async () => {
    const outcomes = { read: 0, refused: 0 };
    const model = await sn.loadKerasModel(fixture('words.keras'));
    const whole = readFileSync(fixture('words.weights.h5'));
    const before = await liveTensors();
    for (let place = 0; place < whole.length; place += 97) {
      const bytes = Buffer.from(whole);
      bytes[place]! ^= 0xff;
      writeFileSync(join(folder, 'w.weights.h5'), bytes);
      const error: unknown = await model.loadWeights(join(folder, 'w.weights.h5')).catch((fault: unknown) => fault);
      if (error !== undefined) expect(error).toBeInstanceOf(sn.FileFormatError);
      outcomes[error === undefined ? 'read' : 'refused']++;
    }
    expect(await liveTensors()).toBe(before);
    expect(outcomes.refused).toBeGreaterThan(3);
    // And the library has not suffered.
    await model.loadWeights(fixture('words.weights.h5'));
    expectPredictions('words', model);
  });

  test('without the package that reads HDF5 it says what to install', async () => {
    vi.doMock('h5wasm', () => {
      throw new Error('not there');
    });
    try {
      await expect(sn.loadKerasModel(fixture('words.keras'))).rejects.toThrow(
        /words\.keras: its weights are HDF5, which needs h5wasm.*; install the package that reads it: npm install h5wasm$/,
      );
    } finally {
      vi.doUnmock('h5wasm');
    }
  });

  test('no file, no archive, no path', async () => {
    await expect(sn.loadLayersModel(join(folder, 'none.keras'))).rejects.toThrow(
      /none\.keras: the file does not exist/,
    );
    writeFileSync(join(folder, 'text.keras'), 'text');
    await expect(sn.loadLayersModel(join(folder, 'text.keras'))).rejects.toThrow(/text\.keras: expected a zip archive/);
    await expect(sn.loadKerasModel('')).rejects.toThrow(/loadKerasModel: source: expected a path, or bytes, got ""/);
  });
});
