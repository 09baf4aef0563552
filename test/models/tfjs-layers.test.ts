// Models to and from the real tfjs-layers: each is built by one program on both sides, saved by one, loaded by the other, and
// predicts the same.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import '@tensorflow/tfjs-backend-cpu';
import * as tfc from '@tensorflow/tfjs-core';
import * as tfl from '@tensorflow/tfjs-layers';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { expectClose } from '../harness/compare.js';
import { liveTensors } from '../harness/live-tensors.js';
import { fillWeights } from './saved-models.js';

let folder: string;
beforeAll(() => {
  // Spares the advice to install tfjs-node.
  tfc.env().set('IS_TEST', true);
  return tfc.setBackend('cpu');
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'selfnorm-tfjs-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** What both libraries have, under names they share. */
type Api = Pick<typeof sn, 'layers' | 'sequential' | 'model' | 'input'>;
const theirs = tfl as unknown as Api;

/** Each layer that both have, in models small enough to run on tfjs's own CPU backend. */
const MODELS: Readonly<Record<string, (api: Api) => sn.Model>> = {
  image: ({ layers: l, sequential }) =>
    sequential({
      layers: [
        l.rescaling({ scale: 0.5, offset: -0.1, inputShape: [9, 8, 2] }),
        l.conv2d({ filters: 4, kernelSize: [3, 2], strides: [2, 1], padding: 'same', activation: 'selu' }),
        l.batchNormalization({ axis: -1, epsilon: 1e-2 }),
        l.prelu({ sharedAxes: [1, 2] }),
        l.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 2, activation: 'softsign', useBias: false }),
        l.gaussianNoise({ stddev: 1 }),
        l.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: 'same', activation: 'tanh' }),
        l.maxPooling2d({ poolSize: 2 }),
        l.averagePooling2d({ poolSize: [2, 3], strides: 1, padding: 'same' }),
        l.conv2d({ filters: 2, kernelSize: 2, dilationRate: 2, activation: 'softplus' }),
        l.flatten(),
        l.alphaDropout({ rate: 0.1 }),
        l.dense({ units: 4, activation: 'softmax', kernelConstraint: 'nonNeg', kernelRegularizer: 'l1l2' }),
      ],
    }),
  branches: ({ layers: l, model, input }) => {
    const x = input({ shape: [4, 6], name: 'x' });
    const y = input({ shape: [4, 6], name: 'y' });
    const shared = l.dense({ units: 6, activation: 'elu' });
    const a = shared.apply(x);
    const b = shared.apply(y);
    const c = l.timeDistributed({ layer: l.dense({ units: 6, activation: 'sigmoid' }) }).apply(x);
    const merged = [
      l.add().apply([a, b, c]),
      l.multiply().apply([a, b]),
      l.average().apply([a, c]),
      l.maximum().apply([b, c]),
      l.minimum().apply([a, c]),
      l.dot({ axes: [2, 2], normalize: true }).apply([a, c]),
    ];
    const joined = l.concatenate({ axis: -1 }).apply(merged);
    const norm = l.layerNormalization({ axis: -1 }).apply(joined);
    const turned = l.permute({ dims: [2, 1] }).apply(norm);
    const shaped = l.reshape({ targetShape: [8, 17] }).apply(turned);
    const left = l.dense({ units: 2, activation: 'mish', useBias: false }).apply(shaped);
    return model({ inputs: [x, y], outputs: [left, l.softmax({ axis: -1 }).apply(b)] });
  },
  activations: ({ layers: l, sequential }) =>
    sequential({
      layers: [
        l.dense({ units: 5, inputShape: [6], activation: 'swish' }),
        l.elu(),
        l.dense({ units: 5, activation: 'gelu' }),
        l.leakyReLU({ alpha: 0.2 }),
        l.dense({ units: 5, activation: 'relu6' }),
        l.reLU({ maxValue: 2 }),
        l.dropout({ rate: 0.5 }),
        l.thresholdedReLU({ theta: 0.01 }),
        l.gaussianDropout({ rate: 0.5 }),
        l.dense({ units: 5 }),
        l.activation({ activation: 'relu' }),
        l.prelu(),
        l.dense({ units: 3, activation: 'logSoftmax' }),
      ],
    }),
  words: ({ layers: l, sequential }) =>
    sequential({
      layers: [
        l.embedding({ inputDim: 7, outputDim: 6, inputLength: 8 }),
        l.reshape({ targetShape: [2, 4, 6] }),
        l.globalAveragePooling2d({}),
        l.dense({ units: 2, activation: 'linear' }),
      ],
    }),
  nested: ({ layers: l, sequential, model, input }) => {
    const inner = sequential({
      name: 'inner',
      layers: [l.dense({ units: 8, inputShape: [4], activation: 'selu' }), l.batchNormalization()],
    });
    const x = input({ shape: [4] });
    const block = model({
      inputs: x,
      outputs: l.reshape({ targetShape: [2, 2, 2] }).apply(inner.apply(x)),
      name: 'block',
    });
    const from = input({ shape: [4] });
    const pooled = l.globalMaxPooling2d({}).apply(block.apply(from));
    return sequential({ layers: [model({ inputs: from, outputs: pooled }), l.dense({ units: 1 })] });
  },
};

/** Inputs of a model: indices where they are embedded. */
function inputsOf(name: string, model: sn.Model): sn.Tensor[] {
  return model.inputs.map(({ shape }, i) => {
    const sizes = [3, ...shape.slice(1)] as number[];
    const uniform = sn.randomUniform(sizes, name === 'words' ? 0 : -1, name === 'words' ? 6.99 : 1, 'float32', i + 1);
    return name === 'words' ? sn.floor(uniform) : uniform;
  });
}
const list = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);

function expectSamePredictions(name: string, ours: sn.Model, model: tfl.LayersModel): void {
  const inputs = inputsOf(name, ours);
  const found = list(ours.predict(inputs));
  const fed = inputs.map((x) => tfc.tensor(x.dataSync() as Float32Array, [...x.shape]));
  const wanted = list(model.predict(fed.length === 1 ? fed[0]! : fed));
  expect(found).toHaveLength(wanted.length);
  wanted.forEach((tensor, i) => {
    const reference = { shape: tensor.shape, data: tensor.dataSync() };
    const scale = Math.max(...reference.data.map(Math.abs));
    expect(scale).toBeGreaterThan(1e-3);
    expectClose(name, { shape: found[i]!.shape, data: found[i]!.dataSync() }, reference, 'float32', 'composite', scale);
  });
}

/** As a browser would: the JSON, then the files it names. */
function readFiles(json: string): tfc.io.IOHandler {
  const file = JSON.parse(readFileSync(json, 'utf8')) as tfc.io.ModelJSON;
  const [group] = file.weightsManifest;
  const data = Buffer.concat(group!.paths.map((name) => readFileSync(join(json, '..', name))));
  return tfc.io.fromMemory({
    modelTopology: file.modelTopology,
    weightSpecs: group!.weights,
    weightData: Uint8Array.from(data).buffer,
  });
}

describe.each(Object.keys(MODELS))('the model %s', (name) => {
  test('saved here, predicts the same in tfjs', async () => {
    const model = MODELS[name]!(sn);
    fillWeights(model, 4);
    await model.save(folder, { format: 'tfjs' });
    expect(readdirSync(folder).sort()).toEqual(
      ['model.json', expect.stringMatching(/^model\.[0-9a-f]{16}\.bin$/)].sort(),
    );
    const loaded = await tfl.loadLayersModel(readFiles(join(folder, 'model.json')));
    expectSamePredictions(name, model, loaded);
    loaded.dispose();
    const again = await sn.loadLayersModel(folder);
    expect(again.getWeights().map((w) => w.arraySync())).toEqual(model.getWeights().map((w) => w.arraySync()));
  });

  test('saved by tfjs, predicts the same here', async () => {
    const model = MODELS[name]!(theirs) as unknown as tfl.LayersModel;
    const values = model.weights.map(({ shape }, i) =>
      tfc.randomUniform(shape as number[], 0.5, 1.5, 'float32', i + 1),
    );
    model.setWeights(values);
    let artifacts: tfc.io.ModelArtifacts | undefined;
    await model.save(
      tfc.io.withSaveHandler((given) => {
        artifacts = given;
        return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' as const } });
      }),
    );
    const { weightSpecs, weightData, ...rest } = artifacts!;
    writeFileSync(join(folder, 'a.bin'), new Uint8Array(tfc.io.CompositeArrayBuffer.join(weightData)));
    const json = { ...rest, weightsManifest: [{ paths: ['a.bin'], weights: weightSpecs }] };
    writeFileSync(join(folder, 'model.json'), JSON.stringify(json));
    expectSamePredictions(name, await sn.loadLayersModel(`file://${folder}`), model);
    model.dispose();
  });
});

describe('a save for tfjs', () => {
  const dense = (options: Partial<sn.layers.DenseConfig>): sn.Model =>
    sn.sequential({ layers: [sn.layers.dense({ units: 2, inputShape: [2], name: 'last', ...options })] });

  test('leaves one pair of files, that of the last save', async () => {
    const model = dense({});
    for (const seed of [1, 2]) {
      fillWeights(model, seed);
      await model.save(join(folder, 'net.json'), { format: 'tfjs' });
    }
    expect(readdirSync(folder).filter((name) => /^net\.[0-9a-f]{16}\.bin$/.test(name))).toHaveLength(1);
    expect(readdirSync(folder)).toHaveLength(2);
    const loaded = await sn.loadLayersModel(join(folder, 'net.json'));
    expect(loaded.getWeights().map((w) => w.arraySync())).toEqual(model.getWeights().map((w) => w.arraySync()));
  });

  test('goes through a handler, other dtypes as float32, constraints that tfjs lacks left out', async () => {
    const model = dense({
      dtype: 'float16',
      activation: 'silu',
      kernelConstraint: sn.constraints.weightCentralization(),
      kernelInitializer: sn.initializers.leCunNormal(),
    });
    fillWeights(model, 3);
    let artifacts: sn.ModelArtifacts | undefined;
    await model.save({ save: (given) => void (artifacts = given) }, { format: 'tfjs' });
    expect(artifacts!.weightSpecs!.map(({ dtype }) => dtype)).toEqual(['float32', 'float32']);
    const loaded = await tfl.loadLayersModel(tfc.io.fromMemory(artifacts as unknown as tfc.io.ModelArtifacts));
    expect(loaded.getWeights()[0]!.arraySync()).toEqual(model.getWeights()[0]!.arraySync());
    expect(JSON.stringify(artifacts!.modelTopology)).not.toMatch(/centralization/i);
  });

  test.each<[string, () => sn.Model, RegExp]>([
    [
      'a function as a layer',
      () => sn.sequential({ layers: [sn.layers.lambda({ fn: (x) => sn.square(x), inputShape: [2], name: 'own' })] }),
      /layer own: className: expected one of tfjs's layers, got "Lambda"/,
    ],
    [
      'an activation tfjs lacks',
      () => dense({ activation: 'celu' }),
      /layer last: activation: expected .*, got "celu"/,
    ],
    [
      "tfjs's other hardSigmoid",
      () => dense({ activation: 'hardSigmoid' }),
      /layer last: activation: .*got "hardSigmoid"/,
    ],
    [
      'parameters',
      () => dense({ activation: { name: 'elu', alpha: 0.5 } }),
      /layer last: activation: .*got "elu with parameters 0.5"/,
    ],
    [
      'groups of channels',
      () =>
        sn.sequential({
          layers: [sn.layers.conv2d({ filters: 2, kernelSize: 1, groups: 2, inputShape: [2, 2, 2], name: 'c' })],
        }),
      /layer c: groups: expected 1/,
    ],
    [
      'a leaky ReLU inside another layer',
      () => dense({ activation: 'leakyRelu' }),
      /got "leakyRelu"; leave it out, and put layers.leakyReLU\(\) behind the layer/,
    ],
    [
      'ELU with another alpha',
      () => sn.sequential({ layers: [sn.layers.elu({ alpha: 0.5, inputShape: [2], name: 'e' })] }),
      /layer e: alpha: expected 1, as tfjs knows no other, got 0.5/,
    ],
    [
      'softmax along another axis',
      () => sn.sequential({ layers: [sn.layers.softmax({ axis: 1, inputShape: [2, 2], name: 's' })] }),
      /layer s: axis: expected -1, the last axis, got 1/,
    ],
  ])('of %s says which layer stands in the way', async (_, make, message) => {
    await expect(make().save(folder, { format: 'tfjs' })).rejects.toThrow(message);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('takes no optimizer, and no other format', async () => {
    const save = (options: object): Promise<unknown> => dense({}).save(folder, options);
    await expect(save({ format: 'tfjs', includeOptimizer: true })).rejects.toThrow(/includeOptimizer: .*format tfjs/);
    await expect(save({ format: 'h5' })).rejects.toThrow(/format: expected 'selfnorm' or 'tfjs', got "h5"/);
  });

  test('keeps activations with parameters as layers of their own', async () => {
    const { activation, dense: make } = sn.layers;
    const model = sn.sequential({
      layers: [make({ units: 3, inputShape: [2] }), activation({ activation: { name: 'leakyRelu', alpha: 0.4 } })],
    });
    await model.save(folder, { format: 'tfjs' });
    expectSamePredictions('parameters', model, await tfl.loadLayersModel(readFiles(join(folder, 'model.json'))));
  });
});

describe('weights that tfjs quantised', () => {
  test.each(['uint8', 'uint16'] as const)('from %s have the bits tfjs gives them', async (dtype) => {
    const model = sn.sequential({
      layers: [sn.layers.dense({ units: 40, inputShape: [6], useBias: false, name: 'q' })],
    });
    const stored = Array.from({ length: 240 }, (_, i) => (dtype === 'uint8' ? i : i * 273));
    const weightData = (dtype === 'uint8' ? Uint8Array : Uint16Array).from(stored).buffer;
    const quantization = { dtype, scale: 0.0073291, min: -0.8371 } as const;
    const weightSpecs = [{ name: 'q/kernel', shape: [6, 40], dtype: 'float32' as const, quantization }];
    const wanted = tfc.io.decodeWeights(weightData, weightSpecs)['q/kernel']!.dataSync();
    const modelTopology = model.toJSON(undefined, false) as Record<string, unknown>;
    const loaded = await sn.loadLayersModel({ load: () => ({ modelTopology, weightSpecs, weightData }) });
    expect([...loaded.weights[0]!.dataSync()]).toEqual([...wanted]);
  });

  test.each<[string, object, RegExp]>([
    [
      'null',
      { quantization: null },
      /weight q\/kernel: quantization: expected uint8, uint16 or float16, got undefined/,
    ],
    [
      'a scale that is text',
      { quantization: { dtype: 'uint8', scale: 'x' } },
      /expected numbers scale and min, got "x"/,
    ],
    ['a bool', { dtype: 'bool', quantization: { dtype: 'uint8' } }, /expected weights of numbers, got bool/],
    ['a bool of other numbers', { dtype: 'bool' }, /weight q\/kernel: expected 0 or 1, got 7/],
    [
      'a size beyond all memory',
      { shape: [2 ** 26, 2 ** 26] },
      /expected data up to byte \d+, got 2 bytes; it is cut off/,
    ],
  ])('described by %s are refused', async (_, change, message) => {
    const modelTopology = sn.sequential({ layers: [sn.layers.flatten({ inputShape: [2] })] }).toJSON(null, false);
    const spec = { name: 'q/kernel', shape: [2], dtype: 'float32', ...change } as unknown as sn.WeightSpec;
    const artifacts = { modelTopology: modelTopology as Record<string, unknown>, weightSpecs: [spec] };
    const before = await liveTensors();
    const load = (): sn.ModelArtifacts => ({ ...artifacts, weightData: Uint8Array.of(1, 7).buffer });
    await expect(sn.loadLayersModel({ load })).rejects.toThrow(message);
    expect(await liveTensors()).toBe(before);
  });
});

test.each<[string, unknown, RegExp]>([
  ['outside of the folder', ['../a.bin'], /weightsManifest: expected files beside the JSON file, got "\.\.\/a\.bin"/],
  ['anywhere', ['/etc/passwd'], /weightsManifest: expected files beside the JSON file, got "\/etc\/passwd"/],
  ['twice', ['a.bin', 'a.bin'], /weightsManifest: expected each file once, got "a.bin"/],
])('weights in files that lie %s are not read', async (_, paths, message) => {
  const modelTopology = sn.sequential({ layers: [sn.layers.flatten({ inputShape: [2] })] }).toJSON(null, false);
  writeFileSync(join(folder, 'a.bin'), '');
  const json = { modelTopology, weightsManifest: [{ paths, weights: [] }] };
  writeFileSync(join(folder, 'model.json'), JSON.stringify(json));
  await expect(sn.loadLayersModel(folder)).rejects.toThrow(message);
});

test("tfjs's hardSigmoid, another function than ours, is refused by the layer's name", async () => {
  const model = tfl.sequential({
    layers: [tfl.layers.dense({ units: 1, inputShape: [1], activation: 'hardSigmoid', name: 'gate' })],
  });
  const modelTopology = model.toJSON(null, false) as Record<string, unknown>;
  await expect(sn.loadLayersModel({ load: () => ({ modelTopology }) })).rejects.toThrow(
    /load\(\): layer gate: expected an activation that is the same here .*got its hard_sigmoid/,
  );
});
