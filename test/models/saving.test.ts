// Saved models come back bit for bit: through files, handlers, Python's eyes on the weights' file, and from tfjs's own files.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { expectClose } from '../harness/compare.js';
import { load, numbers, type StoredTensor } from '../harness/fixtures.js';
import { bits, convNet, fillWeights, twoInputs, weightsOf } from './saved-models.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'selfnorm-models-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const models = { convNet, twoInputs } as const;
const outputOf = (model: sn.Model): string => {
  const inputs = model.inputs.map(({ shape }, i) =>
    sn.randomNormal([2, ...shape.slice(1)] as number[], 0, 1, 'float32', i),
  );
  return bits(model.apply(inputs));
};

describe.each(['convNet', 'twoInputs'] as const)('%s', (kind) => {
  test('comes back from its files: structure, weights and outputs, bit for bit', async () => {
    const model = models[kind]();
    const path = join(folder, 'deep', 'net');
    const { modelArtifactsInfo } = await model.save(path);
    expect(modelArtifactsInfo.modelTopologyType).toBe('JSON');
    expect(modelArtifactsInfo.weightDataBytes).toBe(4 * model.countParams());
    expect(readdirSync(join(folder, 'deep')).sort()).toEqual(['net.json', 'net.safetensors']);
    const loaded = await sn.loadLayersModel(path);
    expect(loaded.toJSON()).toBe(model.toJSON());
    expect(weightsOf(loaded)).toEqual(weightsOf(model));
    expect(outputOf(loaded)).toBe(outputOf(model));
  });

  test('comes back from its weights alone, onto a model of the same names', async () => {
    const model = models[kind]();
    const wanted = weightsOf(model);
    await model.saveWeights(join(folder, 'w'));
    expect(readdirSync(folder)).toEqual(['w.safetensors']);
    fillWeights(model, 9);
    expect(weightsOf(model)).not.toEqual(wanted);
    await model.loadWeights(join(folder, 'w'));
    expect(weightsOf(model)).toEqual(wanted);
  });

  test('comes back through handlers', async () => {
    const model = models[kind]();
    let artifacts: sn.ModelArtifacts | undefined;
    await model.save({
      save: (given) => {
        artifacts = given;
      },
    });
    const loaded = await sn.loadLayersModel({ load: () => structuredClone(artifacts!) });
    expect(weightsOf(loaded)).toEqual(weightsOf(model));
    expect(outputOf(loaded)).toBe(outputOf(model));
  });

  test('leaves no tensors behind', async () => {
    const model = models[kind]();
    await model.save(join(folder, 'net'));
    const before = sn.memory().numTensors;
    await model.save(join(folder, 'net'));
    (await sn.loadLayersModel(join(folder, 'net'))).dispose();
    await model.loadWeights(join(folder, 'net'));
    expect(sn.memory().numTensors).toBe(before);
  });
});

test.each(['net', 'net.json', 'net.safetensors', 'file://net'])(
  'saved as %s, it is found as all of them',
  async (name) => {
    const model = convNet();
    const at = (form: string): string =>
      form.startsWith('file://') ? `file://${join(folder, form.slice(7))}` : join(folder, form);
    await model.save(at(name));
    expect(readdirSync(folder).sort()).toEqual(['net.json', 'net.safetensors']);
    for (const form of ['net', 'net.json', 'net.safetensors', 'file://net']) {
      expect(weightsOf(await sn.loadLayersModel(at(form)))).toEqual(weightsOf(model));
    }
  },
);

test('a path that ends in a slash is a folder with a model in it', async () => {
  const model = convNet();
  await model.save(`${folder}/sub/`);
  expect(readdirSync(join(folder, 'sub')).sort()).toEqual(['model.json', 'model.safetensors']);
  expect(weightsOf(await sn.loadLayersModel(join(folder, 'sub')))).toEqual(weightsOf(model));
});

test('half and double weights keep their bits; into other dtypes they are cast', async () => {
  const make = (dtype: 'float16' | 'bfloat16' | 'float64' | 'float32'): sn.Model =>
    sn.sequential({ layers: [sn.layers.dense({ units: 3, inputShape: [2], dtype, name: 'only' })] });
  for (const dtype of ['float16', 'bfloat16', 'float64'] as const) {
    const model = make(dtype);
    fillWeights(model, 3);
    await model.save(join(folder, dtype));
    const loaded = await sn.loadLayersModel(join(folder, dtype));
    expect(loaded.weights[0]!.dtype).toBe(dtype);
    expect(weightsOf(loaded)).toEqual(weightsOf(model));
  }
  const wide = make('float32');
  await wide.loadWeights(join(folder, 'bfloat16'));
  const narrow = await sn.loadLayersModel(join(folder, 'bfloat16'));
  expect([...wide.weights[0]!.dataSync()]).toEqual([...narrow.weights[0]!.dataSync()]);
});

test('NaNs and infinities in weights come back', async () => {
  const model = sn.sequential({ layers: [sn.layers.dense({ units: 4, inputShape: [1], name: 'odd' })] });
  model.weights[1]!.assign([NaN, Infinity, -Infinity, -0]);
  await model.save(join(folder, 'odd'));
  expect(weightsOf(await sn.loadLayersModel(join(folder, 'odd')))).toEqual(weightsOf(model));
});

test('trainableOnly leaves statistics out, and strict: false takes what is there', async () => {
  const model = convNet();
  await model.save(join(folder, 'net'), { trainableOnly: true });
  const path = join(folder, 'net');
  await expect(sn.loadLayersModel(path)).rejects.toThrow(/net.safetensors: weights of .*: has no .*moving_mean, /);
  const loaded = await sn.loadLayersModel(path, { strict: false });
  const mean = loaded.weights.find(({ name }) => name.endsWith('moving_mean'))!;
  expect(Math.max(...mean.dataSync())).toBe(0);
  expect(bits(loaded.weights[0]!)).toBe(bits(model.weights[0]!));
});

test('weights can be given as tensors by name', () => {
  const model = sn.sequential({ layers: [sn.layers.dense({ units: 2, inputShape: [1], name: 'given' })] });
  model.loadWeights({ 'given/kernel': sn.tensor([[3, 4]]), 'given/bias': sn.tensor([5, 6]) });
  expect(model.weights.map((weight) => weight.arraySync())).toEqual([[[3, 4]], [5, 6]]);
  expect(() => model.loadWeights({ 'given/kernel': sn.tensor([[1, 2]]) })).toThrow(/weights of .*: has no given\/bias/);
  model.loadWeights({ 'given/bias': sn.tensor([7, 8]), other: sn.tensor([1]) }, false);
  expect(model.weights.map((weight) => weight.arraySync())).toEqual([[[3, 4]], [7, 8]]);
});

test('the weights file says what weights are called, and keeps the structure', async () => {
  const model = convNet();
  await model.save(join(folder, 'net'));
  const { tensors, metadata } = sn.readSafetensors(join(folder, 'net.safetensors'));
  expect([...tensors.keys()].sort()).toEqual(
    model
      .namedWeights()
      .map(({ name }) => name)
      .sort(),
  );
  expect(metadata['model']).toBe(readFileSync(join(folder, 'net.json'), 'utf8'));
  rmSync(join(folder, 'net.json'));
  expect(weightsOf(await sn.loadLayersModel(join(folder, 'net')))).toEqual(weightsOf(model));
});

test('a JSON file changed by hand counts', async () => {
  const model = convNet();
  await model.save(join(folder, 'net'));
  const json = readFileSync(join(folder, 'net.json'), 'utf8').replaceAll('"rate":0.1', '"rate":0.25');
  writeFileSync(join(folder, 'net.json'), json);
  expect((await sn.loadLayersModel(join(folder, 'net'))).toJSON()).toContain('"rate":0.25');
});

describe('models of tfjs', () => {
  const fixtures = fileURLToPath(new URL('../fixtures/tfjs-models/', import.meta.url));
  test.each(['conv', 'two-inputs'])('%s predicts as it does there', async (name) => {
    const { inputs, output } = JSON.parse(readFileSync(`${fixtures}${name}/values.json`, 'utf8')) as {
      inputs: StoredTensor[];
      output: StoredTensor;
    };
    for (const form of [`${fixtures}${name}/model.json`, `file://${fixtures}${name}`]) {
      const model = await sn.loadLayersModel(form);
      const found = model.apply<sn.Tensor>(inputs.map((input) => load(input, 'float32')));
      const wanted = { shape: output.shape, data: numbers(output) };
      expectClose(name, { shape: found.shape, data: found.dataSync() }, wanted, 'float32', 'composite');
      expect(found.shape).toEqual(output.shape);
    }
  });

  test('a model of tfjs, saved here, comes back', async () => {
    const model = await sn.loadLayersModel(`${fixtures}conv/model.json`);
    await model.save(join(folder, 'net'));
    expect(weightsOf(await sn.loadLayersModel(join(folder, 'net')))).toEqual(weightsOf(model));
  });

  test('quantised weights are widened, the optimizer’s are left out', async () => {
    const model = sn.sequential({ layers: [sn.layers.dense({ units: 2, inputShape: [2], name: 'quantised' })] });
    const kernel = Uint16Array.of(0, 1, 2, 65535);
    const bias = Uint16Array.of(0x3c00, 0xc000);
    const weightData = Buffer.concat([new Uint8Array(kernel.buffer), new Uint8Array(bias.buffer), Buffer.alloc(4)]);
    const quantised = { dtype: 'uint16', scale: 0.5, min: -1 } as const;
    const loaded = await sn.loadLayersModel({
      load: () => ({
        modelTopology: model.toJSON(undefined, false) as Record<string, unknown>,
        weightSpecs: [
          { name: 'quantised/kernel', shape: [2, 2], dtype: 'float32', quantization: quantised },
          { name: 'quantised/bias', shape: [2], dtype: 'float32', quantization: { dtype: 'float16' } },
          { name: 'iter', shape: [], dtype: 'int32', group: 'optimizer' },
        ],
        weightData: new Uint8Array(weightData).buffer,
      }),
    });
    expect(loaded.weights.map((weight) => weight.arraySync())).toEqual([
      [
        [-1, -0.5],
        [0, 32766.5],
      ],
      [1, -2],
    ]);
  });
});

describe('a save that cannot be made', () => {
  test('leaves the old pair, whichever of the two files it is that fails', async () => {
    const model = convNet();
    const wanted = weightsOf(model);
    await model.save(join(folder, 'net'));
    const old = ['net.json', 'net.safetensors'].map((name) => readFileSync(join(folder, name)));
    fillWeights(model, 5);
    for (const name of ['blocked.json', 'blocked.safetensors']) {
      mkdirSync(join(folder, name));
      await expect(model.save(join(folder, 'blocked'))).rejects.toThrow(`write: ${join(folder, name)}: it is a folder`);
      expect(readdirSync(folder).sort()).toEqual(['net.json', 'net.safetensors', name].sort());
      rmSync(join(folder, name), { recursive: true });
    }
    rmSync(join(folder, 'net.json'));
    mkdirSync(join(folder, 'net.json'));
    await expect(model.save(join(folder, 'net'))).rejects.toThrow('it is a folder');
    expect(readFileSync(join(folder, 'net.safetensors')).equals(old[1]!)).toBe(true);
    rmSync(join(folder, 'net.json'), { recursive: true });
    writeFileSync(join(folder, 'net.json'), old[0]!);
    expect(weightsOf(await sn.loadLayersModel(join(folder, 'net')))).toEqual(wanted);
  });

  test('says so: no place, no model, no path', async () => {
    const model = convNet();
    writeFileSync(join(folder, 'file'), '');
    await expect(model.save(join(folder, 'file', 'net'))).rejects.toThrow(/write: .*file: /);
    await expect(model.save('')).rejects.toThrow(/save: path: expected a path, got ""/);
    await expect(model.save('indexeddb://net')).rejects.toThrow(/save: path: expected a path or file:\/\/path/);
    await expect(model.saveWeights(7 as never)).rejects.toThrow(/saveWeights: path: expected a path, got 7/);
    await expect(model.save('x', 7 as never)).rejects.toThrow(/save: config: expected an object, got 7/);
    const unbuilt = sn.sequential({ layers: [sn.layers.dense({ units: 2 })] });
    await expect(unbuilt.save(join(folder, 'net'))).rejects.toThrow(/save: the model is not built yet; give its first/);
    expect(existsSync(join(folder, 'net.json'))).toBe(false);
  });

  test('names an object that no file can keep', async () => {
    const own = { apply: (shape: readonly number[]) => sn.ones(shape) };
    const model = sn.sequential({ layers: [sn.layers.dense({ units: 2, inputShape: [1], kernelInitializer: own })] });
    await expect(model.save(join(folder, 'net'))).rejects.toThrow(/serialize: expected an object whose class extends/);
    expect(readdirSync(folder)).toEqual([]);
  });
});
