// What every family of layers gives under the mixed policies, and its gradients, against the same layer in float64.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import type { LayerDType } from '../../src/index.js';
import { expectClose } from '../harness/compare.js';

const { layers } = sn;
const halves = [
  ['bfloat16', 'mixed_bfloat16'],
  ['float16', 'mixed_float16'],
] as const;

/** Values that all dtypes hold, so that a layer meets the same ones in each. */
const exact = (shape: readonly number[], seed: number): sn.Tensor =>
  sn.div(sn.round(sn.mul(sn.randomUniform(shape, -2, 2, 'float32', seed), 16)), 16);

type Make = (dtype: LayerDType) => sn.layers.Layer;
const families: readonly (readonly [name: string, inputs: readonly (readonly number[])[], make: Make])[] = [
  ['dense', [[6, 5]], (dtype) => layers.dense({ units: 4, dtype })],
  ['dense with selu', [[6, 5]], (dtype) => layers.dense({ units: 4, activation: 'selu', dtype })],
  ['dense with gelu', [[6, 5]], (dtype) => layers.dense({ units: 4, activation: 'gelu', dtype })],
  ['dense with softmax', [[6, 5]], (dtype) => layers.dense({ units: 4, activation: 'softmax', dtype })],
  ['dense on sequences', [[3, 4, 5]], (dtype) => layers.dense({ units: 4, activation: 'tanh', dtype })],
  [
    'conv2d',
    [[2, 6, 6, 3]],
    (dtype) => layers.conv2d({ filters: 4, kernelSize: 3, activation: 'elu', padding: 'same', dtype }),
  ],
  ['depthwiseConv2d', [[2, 6, 6, 3]], (dtype) => layers.depthwiseConv2d({ kernelSize: 3, activation: 'relu', dtype })],
  [
    'conv2dTranspose',
    [[2, 4, 4, 3]],
    (dtype) => layers.conv2dTranspose({ filters: 2, kernelSize: 2, strides: 2, dtype }),
  ],
  ['batchNormalization', [[8, 5]], (dtype) => layers.batchNormalization({ dtype })],
  ['layerNormalization', [[6, 9]], (dtype) => layers.layerNormalization({ dtype })],
  ['prelu', [[6, 5]], (dtype) => layers.prelu({ alphaInitializer: 'ones', dtype })],
  ['elu', [[6, 5]], (dtype) => layers.elu({ dtype })],
  ['leakyReLU', [[6, 5]], (dtype) => layers.leakyReLU({ dtype })],
  ['reLU', [[6, 5]], (dtype) => layers.reLU({ maxValue: 1.5, dtype })],
  ['thresholdedReLU', [[6, 5]], (dtype) => layers.thresholdedReLU({ dtype })],
  ['activation', [[6, 5]], (dtype) => layers.activation({ activation: 'softplus', dtype })],
  ['softmax', [[6, 5]], (dtype) => layers.softmax({ dtype })],
  ['maxPooling2d', [[2, 6, 6, 3]], (dtype) => layers.maxPooling2d({ dtype })],
  ['averagePooling2d', [[2, 6, 6, 3]], (dtype) => layers.averagePooling2d({ dtype })],
  ['globalAveragePooling2d', [[2, 6, 6, 3]], (dtype) => layers.globalAveragePooling2d({ dtype })],
  ['globalMaxPooling2d', [[2, 6, 6, 3]], (dtype) => layers.globalMaxPooling2d({ dtype })],
  ['rescaling', [[6, 5]], (dtype) => layers.rescaling({ scale: 0.3, offset: -0.1, dtype })],
  ['flatten', [[2, 3, 4]], (dtype) => layers.flatten({ dtype })],
  ['permute', [[2, 3, 4]], (dtype) => layers.permute({ dims: [2, 1], dtype })],
  ['dropout', [[6, 5]], (dtype) => layers.dropout({ rate: 0.4, seed: 3, dtype })],
  ['alphaDropout', [[6, 5]], (dtype) => layers.alphaDropout({ rate: 0.4, seed: 3, dtype })],
  [
    'add',
    [
      [4, 5],
      [4, 5],
    ],
    (dtype) => layers.add({ dtype }),
  ],
  [
    'multiply',
    [
      [4, 5],
      [4, 5],
    ],
    (dtype) => layers.multiply({ dtype }),
  ],
  [
    'average',
    [
      [4, 5],
      [4, 5],
    ],
    (dtype) => layers.average({ dtype }),
  ],
  [
    'maximum',
    [
      [4, 5],
      [4, 5],
    ],
    (dtype) => layers.maximum({ dtype }),
  ],
  [
    'concatenate',
    [
      [4, 5],
      [4, 2],
    ],
    (dtype) => layers.concatenate({ dtype }),
  ],
  [
    'dot',
    [
      [4, 5],
      [4, 5],
    ],
    (dtype) => layers.dot({ axes: 1, normalize: true, dtype }),
  ],
  [
    'timeDistributed',
    [[2, 3, 5]],
    (dtype) => layers.timeDistributed({ layer: layers.dense({ units: 2, dtype }), dtype }),
  ],
  ['lambda', [[6, 5]], (dtype) => layers.lambda({ fn: (x) => sn.mul(x, sn.sigmoid(x)), outputShape: [5], dtype })],
];

/** A layer's result, and the gradients of its sum, weighted, by inputs and weights. */
function passes(make: Make, policy: LayerDType, float: 'float32' | 'float64', shapes: readonly (readonly number[])[]) {
  const layer = make(policy);
  const inputs = shapes.map((shape, i) => sn.variable(exact(shape, i + 1), true, undefined, float));
  const operands = inputs.length === 1 ? inputs[0]! : inputs;
  layer.apply<sn.Tensor>(operands);
  layer.setWeights(
    layer.weights.map(({ shape }, i) =>
      exact(shape, 20 + i)
        .mul(0.5)
        .add(0.25),
    ),
  );
  const y = layer.apply<sn.Tensor>(operands, { training: true });
  const seed = exact(y.shape, 40).cast(float);
  const f = (): sn.Tensor => sn.sum(sn.mul(layer.apply<sn.Tensor>(operands, { training: true }), seed));
  const variables = [...inputs, ...layer.trainableWeights];
  const { grads } = sn.variableGrads(f, variables);
  return { y, gradients: variables.map(({ name }) => grads[name]!), weights: layer.trainableWeights };
}

describe.each(halves)('%s gradients', (half, policy) => {
  test.each(families)('of %s are those of float64', (name, shapes, make) => {
    const wanted = passes(make, 'float64', 'float64', shapes);
    const found = passes(make, policy, 'float32', shapes);
    const of = (x: sn.Tensor) => ({ shape: x.shape, data: x.dataSync() });
    expectClose(`${name}: y`, of(found.y), of(wanted.y), half, 'elementwise');
    expect(found.gradients.length).toBe(wanted.gradients.length);
    found.gradients.forEach((gradient, i) => {
      expect(gradient.dtype).toBe('float32');
      expectClose(`${name}: gradient ${i}`, of(gradient), of(wanted.gradients[i]!), half, 'elementwise', 1 / 8);
    });
  });

  test('of an embedding are added up in float32', () => {
    const layer = layers.embedding({ inputDim: 2, outputDim: 1, dtype: policy });
    const indices = sn.zeros([1, 3000], 'int32');
    layer.apply(indices);
    const { grads } = sn.variableGrads(() => sn.sum(layer.apply(indices)));
    expect(Object.values(grads)[0]!.arraySync()).toEqual([[3000], [0]]);
  });
});

describe.each(['bfloat16', 'float16'] as const)('fused ops in %s', (half) => {
  const bias = sn.variable([0.5, -0.25, 2], true, `${half} bias`);
  const cases: readonly (readonly [string, () => sn.Tensor])[] = [
    [
      'matMul',
      () =>
        sn.fused.matMul({ a: exact([4, 2], 1).cast(half), b: exact([2, 3], 2).cast(half), bias, activation: 'selu' }),
    ],
    [
      'conv2d',
      () => {
        const [x, filter] = [exact([1, 4, 4, 2], 1).cast(half), exact([2, 2, 2, 3], 2).cast(half)];
        return sn.fused.conv2d({ x, filter, strides: 1, pad: 'valid', bias, activation: 'elu' });
      },
    ],
  ];
  test.each(cases)('%s takes a float32 bias, whose gradient is float32', (_name, f) => {
    expect(f().dtype).toBe(half);
    const { grads } = sn.variableGrads(() => sn.sum(f()), [bias]);
    expect(grads[bias.name]!.dtype).toBe('float32');
    expect(grads[bias.name]!.dataSync().every((value) => value > 0)).toBe(true);
  });
});
