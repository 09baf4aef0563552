// What summary() says that a model costs: cases worked out by hand for every kind of layer, and the table as it is printed.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { costsOf } from '../../src/models/costs.js';

const { layers } = sn;

function linesOf(model: sn.Model, width?: number, positions?: number[]): string[] {
  const lines: string[] = [];
  model.summary(width, positions, (line) => lines.push(line));
  return lines;
}

/** The costs of a layer between inputs of these shapes (without batch axis) and nothing. */
function costs(make: () => sn.layers.Layer, shapes: readonly (readonly (number | null)[])[], dtype?: sn.DType) {
  const inputs = shapes.map((shape) => sn.input({ shape: [...shape], ...(dtype === undefined ? {} : { dtype }) }));
  const layer = make();
  const output = layer.apply(inputs.length === 1 ? inputs[0]! : inputs);
  const { graph } = sn.model({ inputs, outputs: output });
  const { flops, parameterBytes, activationBytes } = costsOf(layer, graph.nodes);
  return [flops, parameterBytes, activationBytes];
}

test.each<[string, () => sn.layers.Layer, (number | null)[][], (number | null)[]]>([
  // 3 outputs of 2 products and sums, then bias; 2 x 3 + 3 weights.
  ['dense', () => layers.dense({ units: 3 }), [[2]], [2 * 2 * 3 + 3, 4 * 9, 12]],
  ['dense without bias', () => layers.dense({ units: 3, useBias: false }), [[2]], [12, 24, 12]],
  ['dense with activation', () => layers.dense({ units: 3, activation: 'selu' }), [[2]], [12 + 3 + 3, 36, 12]],
  ['dense with softmax', () => layers.dense({ units: 3, activation: 'softmax' }), [[2]], [12 + 3 + 5 * 3, 36, 12]],
  ['dense along the last axis', () => layers.dense({ units: 3 }), [[5, 2]], [5 * (12 + 3), 36, 60]],
  // 6 x 6 places, 4 filters of 3 x 3 x 3.
  ['conv2d', () => layers.conv2d({ filters: 4, kernelSize: 3 }), [[8, 8, 3]], [144 * 54 + 144, 4 * 112, 576]],
  // 3 x 3 places with stride 2, taps beyond the edge counted.
  [
    'conv2d with strides',
    () => layers.conv2d({ filters: 2, kernelSize: 3, strides: 2, padding: 'same' }),
    [[5, 5, 1]],
    [18 * 18 + 18, 4 * 20, 72],
  ],
  // Each filter sees half of the 4 channels.
  [
    'conv2d in groups',
    () => layers.conv2d({ filters: 4, kernelSize: [1, 2], groups: 2, useBias: false }),
    [[2, 3, 4]],
    [16 * 2 * 4, 4 * 16, 64],
  ],
  [
    'depthwiseConv2d',
    () => layers.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2 }),
    [[5, 5, 3]],
    [54 * 18 + 54, 4 * (54 + 6), 216],
  ],
  // 36 inputs, each spread over 3 x 3 places of 2 filters.
  [
    'conv2dTranspose',
    () => layers.conv2dTranspose({ filters: 2, kernelSize: 3, strides: 2, padding: 'same' }),
    [[3, 3, 4]],
    [2 * 36 * 9 * 2 + 72, 4 * (72 + 2), 288],
  ],
  ['maxPooling2d', () => layers.maxPooling2d({ poolSize: 2 }), [[5, 5, 3]], [12 * 4, 0, 48]],
  ['averagePooling2d', () => layers.averagePooling2d({ poolSize: [3, 2] }), [[6, 6, 1]], [6 * 6, 0, 24]],
  ['globalAveragePooling2d', () => layers.globalAveragePooling2d(), [[5, 5, 3]], [75, 0, 12]],
  ['globalMaxPooling2d', () => layers.globalMaxPooling2d(), [[5, 5, 3]], [75, 0, 12]],
  ['batchNormalization', () => layers.batchNormalization(), [[4]], [4 * 4, 4 * 16, 16]],
  ['batchNormalization alone', () => layers.batchNormalization({ scale: false, center: false }), [[4]], [8, 32, 16]],
  ['layerNormalization', () => layers.layerNormalization(), [[4]], [4 * 8, 32, 16]],
  ['embedding', () => layers.embedding({ inputDim: 7, outputDim: 3 }), [[5]], [0, 84, 60]],
  ['flatten', () => layers.flatten(), [[2, 3]], [0, 0, 0]],
  ['reshape', () => layers.reshape({ targetShape: [6] }), [[2, 3]], [0, 0, 0]],
  ['permute', () => layers.permute({ dims: [2, 1] }), [[2, 3]], [0, 0, 24]],
  ['activation', () => layers.activation({ activation: 'tanh' }), [[4]], [4, 0, 16]],
  ['activation linear', () => layers.activation({ activation: 'linear' }), [[4]], [0, 0, 16]],
  ['softmax', () => layers.softmax(), [[4]], [20, 0, 16]],
  ['leakyReLU', () => layers.leakyReLU(), [[4]], [4, 0, 16]],
  ['prelu', () => layers.prelu(), [[4]], [4, 16, 16]],
  ['dropout', () => layers.dropout({ rate: 0.5 }), [[4]], [0, 0, 16]],
  ['gaussianNoise', () => layers.gaussianNoise({ stddev: 1 }), [[4]], [0, 0, 16]],
  ['rescaling', () => layers.rescaling({ scale: 2 }), [[2, 2, 1]], [8, 0, 16]],
  ['add', () => layers.add(), [[4], [4], [4]], [8, 0, 16]],
  ['average', () => layers.average(), [[4], [4], [4]], [12, 0, 16]],
  ['concatenate', () => layers.concatenate(), [[4], [2]], [0, 0, 24]],
  ['dot', () => layers.dot({ axes: 1 }), [[5], [5]], [10, 0, 4]],
  ['dot of unit vectors', () => layers.dot({ axes: -1, normalize: true }), [[5], [5]], [10 + 30, 0, 4]],
  [
    'dot of matrices',
    () => layers.dot({ axes: [2, 1] }),
    [
      [2, 5],
      [5, 3],
    ],
    [2 * 5 * 6, 0, 24],
  ],
  ['timeDistributed', () => layers.timeDistributed({ layer: layers.dense({ units: 3 }) }), [[5, 2]], [75, 36, 60]],
  ['lambda', () => layers.lambda({ fn: (x) => sn.square(x) }), [[4]], [null, 0, 16]],
  ['dense over any number of steps', () => layers.dense({ units: 3 }), [[null, 2]], [null, 36, null]],
])('%s', (_, make, shapes, expected) => {
  expect(costs(make, shapes)).toEqual(expected);
});

test('under mixed precision values take half the bytes, weights all of theirs', () => {
  expect(costs(() => layers.dense({ units: 3, dtype: 'mixed_bfloat16' }), [[2]])).toEqual([15, 36, 6]);
});

describe('a model', () => {
  const network = (): sn.Sequential =>
    sn.sequential({
      layers: [
        layers.conv2d({ filters: 4, kernelSize: 3, activation: 'selu', inputShape: [8, 8, 3], name: 'conv' }),
        layers.maxPooling2d({ poolSize: 2, name: 'pool' }),
        layers.flatten({ name: 'flat' }),
        layers.dropout({ rate: 0.1, name: 'drop' }),
        layers.dense({ units: 10, activation: 'softmax', name: 'out' }),
      ],
    });

  test('is printed with its costs', () => {
    expect(linesOf(network()).map((line) => line.trimEnd())).toEqual([
      '_'.repeat(135),
      'Layer (type)                Input Shape               Output shape              Param #   FLOPs          Weight bytes   Output bytes',
      '='.repeat(135),
      'conv (Conv2D)               [[null,8,8,3]]            [null,6,6,4]              112       8064           448            576',
      '_'.repeat(135),
      'pool (MaxPooling2D)         [[null,6,6,4]]            [null,3,3,4]              0         144            0              144',
      '_'.repeat(135),
      'flat (Flatten)              [[null,3,3,4]]            [null,36]                 0         0              0              0',
      '_'.repeat(135),
      'drop (Dropout)              [[null,36]]               [null,36]                 0         0              0              144',
      '_'.repeat(135),
      'out (Dense)                 [[null,36]]               [null,10]                 370       780            1480           40',
      '='.repeat(135),
      'Total params: 482',
      'Trainable params: 482',
      'Non-trainable params: 0',
      'FLOPs of a forward pass, per sample: 8988',
      'Bytes of weights: 1928',
      'Bytes of outputs, per sample: 904',
      '_'.repeat(135),
    ]);
  });

  test('is printed as tfjs prints it where columns end as there, and in other widths', () => {
    const lines = linesOf(network(), undefined, [0.32, 0.61, 0.89, 1]);
    expect(lines[1]!.trimEnd()).toBe(
      'Layer (type)                Input Shape               Output shape              Param #',
    );
    expect(lines.join()).not.toMatch(/FLOPs|ytes/);
    expect(new Set(lines.filter((line) => /^[_=]/.test(line)).map(({ length }) => length))).toEqual(new Set([90]));
    const wide = linesOf(network(), 270);
    expect(wide[1]!.indexOf('FLOPs')).toBe(180);
    expect(wide[1]!.length).toBe(270);
  });

  test('says where a sum is not the whole', () => {
    const model = sn.sequential({
      layers: [layers.dense({ units: 3, inputShape: [2] }), layers.lambda({ fn: (x) => sn.square(x) })],
    });
    const lines = linesOf(model);
    expect(lines.at(-4)).toBe('FLOPs of a forward pass, per sample: at least 15');
    expect(
      lines
        .find((line) => line.includes('Lambda'))!
        .slice(90, 105)
        .trim(),
    ).toBe('?');
  });

  test('counts a shared layer`s calls each, and its weights once', () => {
    const [a, b] = [sn.input({ shape: [2] }), sn.input({ shape: [2] })];
    const shared = layers.dense({ units: 3, name: 'shared' });
    const sum = layers.add().apply([shared.apply(a), shared.apply(b)]);
    const lines = linesOf(sn.model({ inputs: [a, b], outputs: sum }));
    expect(lines[1]).toMatch(/Receives inputs +FLOPs +Weight bytes +Output bytes/);
    expect(lines.at(-4)).toBe(`FLOPs of a forward pass, per sample: ${2 * 15 + 3}`);
    expect(lines.at(-3)).toBe('Bytes of weights: 36');
    expect(lines.at(-2)).toBe(`Bytes of outputs, per sample: ${2 * 8 + 2 * 12 + 12}`);
  });

  test('counts the layers of a model inside it', () => {
    const inner = sn.sequential({ layers: [layers.dense({ units: 3, inputShape: [2] }), layers.dense({ units: 1 })] });
    const outer = sn.sequential({ layers: [inner, layers.activation({ activation: 'tanh' })] });
    expect(linesOf(outer).at(-4)).toBe(`FLOPs of a forward pass, per sample: ${15 + 7 + 1}`);
  });
});
