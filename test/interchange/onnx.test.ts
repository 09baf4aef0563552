// ONNX files run by ONNX Runtime: they predict what the models here predict, for any batch size.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as ort from 'onnxruntime-node';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { LAYERS } from '../../src/interchange/onnx/layers.js';
import { activationTable } from '../../src/tensor/activation-facts.js';
import { expectWithin } from '../harness/compare.js';
import { fillWeights } from '../models/saved-models.js';

const l = sn.layers;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'selfnorm-onnx-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const chain = (...layers: sn.layers.Layer[]): sn.Model => sn.sequential({ layers });

const MODELS: Readonly<Record<string, () => sn.Model>> = {
  images: () =>
    chain(
      l.rescaling({ scale: 1 / 127.5, offset: -1, inputShape: [9, 8, 2] }),
      l.conv2d({ filters: 4, kernelSize: [3, 2], strides: [2, 1], padding: 'same', activation: 'selu' }),
      l.batchNormalization({ epsilon: 1e-2 }),
      l.prelu({ sharedAxes: [1, 2] }),
      l.depthwiseConv2d({ kernelSize: 2, depthMultiplier: 2, activation: 'softsign', useBias: false }),
      l.batchNormalization({ scale: false, center: false }),
      l.gaussianNoise({ stddev: 1 }),
      l.conv2dTranspose({ filters: 3, kernelSize: 3, strides: 2, padding: 'same', activation: 'tanh' }),
      l.conv2d({ filters: 6, kernelSize: 1, groups: 3 }),
      l.maxPooling2d({ poolSize: 2 }),
      l.averagePooling2d({ poolSize: [2, 3], strides: 1, padding: 'same' }),
      l.conv2d({ filters: 3, kernelSize: 2, dilationRate: 2, padding: 'same', activation: 'softmax' }),
      l.prelu(),
      l.softmax({ axis: [1, 2] }),
      l.flatten(),
      l.alphaDropout({ rate: 0.1 }),
      l.dense({ units: 4, activation: 'softmax' }),
    ),
  'images of any size': () =>
    chain(
      l.conv2d({ filters: 3, kernelSize: 3, padding: 'same', dilationRate: 2, inputShape: [null, null, 2] }),
      l.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }),
      l.conv2d({ filters: 3, kernelSize: 2, strides: 2, padding: 'same', activation: 'elu' }),
      l.globalAveragePooling2d(),
    ),
  'transposed convolutions': () =>
    chain(
      l.conv2dTranspose({ filters: 2, kernelSize: 2, strides: 3, inputShape: [3, 2, 2] }),
      l.conv2dTranspose({ filters: 3, kernelSize: [4, 1], strides: [2, 2], padding: 'same', activation: 'selu' }),
      l.conv2dTranspose({ filters: 2, kernelSize: 4, strides: 1, padding: 'valid' }),
      l.globalMaxPooling2d(),
    ),
  branches: () => {
    const x = sn.input({ shape: [4, 6], name: 'left' });
    const y = sn.input({ shape: [4, 6], name: 'right' });
    const v = sn.input({ shape: [6], name: 'vector' });
    const shared = l.dense({ units: 6, activation: 'elu' });
    const [a, b] = [shared.apply(x), shared.apply(y)];
    const c = l.timeDistributed({ layer: l.dense({ units: 6, activation: 'sigmoid' }) }).apply(x);
    const merged = [
      l.add().apply([a, b, c]),
      l.multiply().apply([a, v]),
      l.average().apply([a, c, b]),
      l.maximum().apply([b, c]),
      l.minimum().apply([a, c]),
      l.dot({ axes: [2, 2], normalize: true }).apply([a, c]),
    ];
    const joined = l.concatenate().apply(merged);
    const norm = l.layerNormalization().apply(joined);
    const other = l.layerNormalization({ axis: 1, epsilon: 1e-2 }).apply(norm);
    const turned = l.permute({ dims: [2, 1] }).apply(l.batchNormalization().apply(other));
    const shaped = l.reshape({ targetShape: [-1, 17] }).apply(turned);
    const left = l.dense({ units: 2, activation: 'mish', useBias: false }).apply(shaped);
    const scores = l.softmax({ axis: 1 }).apply(b);
    const dots = l.dot({ axes: 1 }).apply([v, v]);
    return sn.model({ inputs: [x, y, v], outputs: [left, scores, dots, b, b] });
  },
  'nested models': () => {
    const inner = sn.sequential({
      name: 'inner',
      layers: [l.dense({ units: 8, inputShape: [4], activation: 'selu', name: 'same' }), l.batchNormalization()],
    });
    const x = sn.input({ shape: [4], name: 'x' });
    const block = sn.model({
      inputs: x,
      outputs: l.dense({ units: 4, name: 'same' }).apply(inner.apply(x)),
      name: 'block',
    });
    const from = sn.input({ shape: [4], name: 'from' });
    const twice = block.apply(block.apply(from));
    const steps = sn.input({ shape: [null, 4], name: 'steps' });
    const over = l.timeDistributed({ layer: sn.sequential({ layers: [l.dense({ units: 3, inputShape: [4] })] }) });
    return sn.model({ inputs: [from, steps], outputs: [twice, from, over.apply(steps)] });
  },
  'a residual block': () => {
    const x = sn.input({ shape: [6, 6, 3] });
    const convolve = (input: sn.SymbolicTensor): sn.SymbolicTensor =>
      l.conv2d({ filters: 3, kernelSize: 3, padding: 'same', activation: 'relu' }).apply(input);
    const sum = l.add().apply([convolve(convolve(x)), x]);
    const joined = l.concatenate({ axis: 3 }).apply([sum, convolve(sum)]);
    const high = l.concatenate({ axis: 1 }).apply([joined, joined]);
    return sn.model({
      inputs: x,
      outputs: [l.leakyReLU().apply(high), l.flatten({ dataFormat: 'channelsFirst' }).apply(sum)],
    });
  },
  words: () =>
    chain(
      l.embedding({ inputDim: 7, outputDim: 6, inputLength: 8 }),
      l.gaussianDropout({ rate: 0.5 }),
      l.reshape({ targetShape: [2, 4, 6] }),
      l.globalAveragePooling2d(),
      l.dense({ units: 5, activation: 'logSoftmax' }),
      l.elu({ alpha: 0.6 }),
      l.reLU({ maxValue: 2 }),
      l.dropout({ rate: 0.5 }),
      l.thresholdedReLU({ theta: 0.01 }),
      l.dense({ units: 3 }),
      l.reLU(),
    ),
  'half precision': () => chain(l.dense({ units: 3, inputShape: [4], dtype: 'float16', activation: 'tanh' })),
  bytes: () =>
    sn.sequential({
      layers: [l.inputLayer({ inputShape: [4, 4, 1], dtype: 'uint8' }), l.rescaling({ scale: 1 / 255 }), l.flatten()],
    }),
};

/** Inputs for a batch: indices where they are embedded, bytes where the model takes them. */
function inputsOf(name: string, model: sn.Model, batch: number): sn.Tensor[] {
  return model.inputs.map(({ shape, dtype }, i) => {
    const sizes = [batch, ...shape.slice(1).map((size) => size ?? 5)];
    const whole = name === 'words' ? 6.99 : dtype === 'uint8' ? 255 : 0;
    if (whole === 0) return sn.randomUniform(sizes, -1.5, 1.5, 'float32', i + 1);
    return sn.cast(sn.floor(sn.randomUniform(sizes, 0, whole, 'float32', i + 1)), dtype);
  });
}

async function run(bytes: Uint8Array, inputs: readonly sn.Tensor[]): Promise<ort.Tensor[]> {
  const session = await ort.InferenceSession.create(bytes, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const feeds = session.inputNames.map((name, i): [string, ort.Tensor] => {
    const { dtype, shape } = inputs[i]!;
    const type = dtype === 'uint8' || dtype === 'int32' ? dtype : 'float32';
    return [name, new ort.Tensor(type, inputs[i]!.dataSync() as Float32Array, [...shape])];
  });
  const found = await session.run(Object.fromEntries(feeds));
  const outputs = session.outputNames.map((name) => found[name] as ort.Tensor);
  await session.release();
  return outputs;
}

/** Holds a model's file against the model, for several batch sizes. */
async function expectSame(name: string, model: sn.Model, tolerance = 1e-5): Promise<void> {
  const bytes = sn.encodeOnnx(model);
  for (const batch of [1, 3]) {
    const inputs = inputsOf(name, model, batch);
    const predicted = model.predict(inputs);
    const wanted = Array.isArray(predicted) ? predicted : [predicted];
    const found = await run(bytes, inputs);
    expect(found).toHaveLength(wanted.length);
    wanted.forEach((tensor, i) => {
      const reference = { shape: tensor.shape, data: tensor.dataSync() };
      const values = { shape: found[i]!.dims, data: found[i]!.data as Float32Array };
      expectWithin(
        `${name} ${i}`,
        values,
        reference,
        (value, scale) => tolerance * Math.max(1, Math.abs(value), scale),
      );
    });
  }
}

describe('a file predicts what the model predicts:', () => {
  test.each(Object.keys(MODELS))('%s', async (name) => {
    const model = MODELS[name]!();
    fillWeights(model, 2);
    await expectSame(name, model, name === 'half precision' ? 2e-3 : 1e-5);
  });

  test('every activation of the table, with other parameters too', async () => {
    for (const [name, { parameters }] of activationTable()) {
      const others = Object.fromEntries(parameters.map((parameter, i) => [parameter.name, 0.7 + i]));
      for (const activation of parameters.length === 0 ? [{ name }] : [{ name }, { name, ...others }]) {
        const model = chain(l.rescaling({ scale: 4, inputShape: [33] }), l.activation({ activation }));
        await expectSame(JSON.stringify(activation), model);
      }
    }
    expect(activationTable().size).toBeGreaterThan(15);
  });

  test('every layer that can be written is among these models', () => {
    const seen = new Set<string>();
    const visit = (layer: sn.layers.Layer): void => {
      seen.add(layer.getClassName());
      if (layer instanceof sn.layers.TimeDistributed) visit(layer.layer);
      if (layer instanceof sn.Model) layer.layers.forEach(visit);
    };
    for (const make of Object.values(MODELS)) visit(make());
    seen.add('Activation');
    expect(Object.keys(LAYERS).filter((name) => !seen.has(name))).toEqual([]);
  });
});

test('images are turned once on the way in and once on the way out', async () => {
  const conv = (options: object = {}): sn.layers.Layer =>
    l.conv2d({ filters: 2, kernelSize: 3, padding: 'same', activation: 'selu', ...options });
  const model = chain(
    conv({ inputShape: [8, 8, 2] }),
    l.batchNormalization(),
    conv(),
    l.maxPooling2d(),
    conv(),
    l.flatten(),
  );
  const text = Buffer.from(sn.encodeOnnx(model)).toString('latin1');
  // A node's type follows its name.
  expect(text.match(/"\tTranspose/g)).toHaveLength(2);
  await expectSame('turned', model);
});

describe('exportOnnx', () => {
  test('writes one file, with names and sizes of the model', async () => {
    const model = MODELS['nested models']!();
    await sn.exportOnnx(model, join(folder, 'model.onnx'));
    expect(readdirSync(folder)).toEqual(['model.onnx']);
    const session = await ort.InferenceSession.create(join(folder, 'model.onnx'));
    expect(session.inputNames).toEqual(['from', 'steps']);
    expect(session.inputMetadata.map((one) => (one.isTensor ? one.shape : null))).toEqual([['batch', 4], ['batch', 'steps_1', 4]]); // prettier-ignore
    expect(session.outputNames[0]).toBe('block');
    await session.release();
  });

  test.each<[string, () => sn.Model, RegExp]>([
    [
      'a function',
      () => chain(l.lambda({ fn: (x) => sn.square(x), inputShape: [2], name: 'own' })),
      /exportOnnx: layer own: className: expected one of .*, got "Lambda"; export the model up to that layer/,
    ],
    ['a model that is not built', () => chain(l.dense({ units: 1 })), /exportOnnx: the model is not built yet/],
    [
      "padding that depends on the image's size",
      () => chain(l.conv2d({ filters: 1, kernelSize: 2, strides: 2, dilationRate: 2, padding: 'same', inputShape: [null, 3, 1], name: 'c' })), // prettier-ignore
      /layer c: input: expected a known height and width/,
    ],
    [
      'an activation from a formula',
      () =>
        chain(l.dense({ units: 1, inputShape: [2], name: 'd', activation: { name: 'bent', forward: 'x + sin(x)' } })),
      /layer d: activation: expected one of ONNX's, got "the formula 'bent'"; leave the layer out/,
    ],
    ['no model', () => 3 as never, /exportOnnx: model: expected a model, got 3/],
  ])('refuses %s', async (_, make, message) => {
    await expect((async () => sn.exportOnnx(make(), join(folder, 'x.onnx')))()).rejects.toThrow(message);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('says where it cannot write', async () => {
    const model = chain(l.flatten({ inputShape: [2] }));
    await expect(sn.exportOnnx(model, '')).rejects.toThrow(/exportOnnx: path: expected a path, got ""/);
    await expect(sn.exportOnnx(model, join(folder, 'no', 'x.onnx'))).rejects.toThrow(/the folder does not exist/);
  });
});
