// Options: every bad one is refused in a line that names the layer and the option; activations, weights' options and functions
// as layers do what they say.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { getActivation } from '../../src/layers/activation.js';
import { layerFromConfig } from '../../src/layers/registry.js';
import { activationTable } from '../../src/tensor/activation-facts.js';
import { liveTensors } from '../harness/live-tensors.js';

const { layers } = sn;
type Options = never;
const at = { name: 'it' };
const bad = (config: object): Options => ({ ...at, ...config }) as Options;
const on = (...shape: (number | null)[]): sn.SymbolicTensor => sn.input({ batchShape: shape });

const cases: [string, () => unknown, RegExp][] = [
  ['units left out', () => layers.dense(bad({})), /^it: units: expected an integer of at least 1, got undefined$/],
  ['no options', () => layers.dense(undefined as Options), /^dense_Dense\d+: units: expected an integer/],
  ['units 0', () => layers.dense(bad({ units: 0 })), /^it: units: .* got 0$/],
  ['units 2.5', () => layers.dense(bad({ units: 2.5 })), /^it: units: .* got 2\.5$/],
  ['units as a string', () => layers.dense(bad({ units: '3' })), /^it: units: .* got "3"$/],
  ['inputDim', () => layers.dense(bad({ units: 1, inputDim: -2 })), /^Dense: inputDim: .* got -2$/],
  ['useBias', () => layers.dense(bad({ units: 1, useBias: 'no' })), /^it: useBias: expected a boolean, got "no"$/],
  [
    'activation',
    () => layers.dense(bad({ units: 1, activation: 'rellu' })),
    /^it: activation: expected one of linear, relu, .*softmax, logSoftmax, got "rellu"; one of your own is defined by activation\(\)/,
  ],
  ['prelu', () => layers.dense(bad({ units: 1, activation: 'prelu' })), /^it: activation: .*use layers\.prelu\(\)$/],
  [
    'a function',
    () => layers.dense(bad({ units: 1, activation: sn.relu })),
    /^it: activation: expected a name or \{name, alpha, scale, beta\}, got a function; .*layers\.lambda/,
  ],
  [
    "an activation's parameter",
    () => layers.dense(bad({ units: 1, activation: { name: 'elu', alpha: -1 } })),
    /^it: activation elu\.alpha: expected a finite number of at least 0, got -1$/,
  ],
  [
    'a parameter it has not',
    () => layers.dense(bad({ units: 1, activation: { name: 'elu', beta: 1 } })),
    /^it: activation elu: expected no parameters but alpha, got "beta"$/,
  ],
  [
    'a parameter of softmax',
    () => layers.activation(bad({ activation: { name: 'softmax', alpha: 1 } })),
    /^it: activation softmax: expected no parameters, got "alpha"$/,
  ],
  ['no activation', () => layers.activation(bad({})), /^it: activation: expected a name, as 'selu', got undefined$/],
  [
    'kernelInitializer',
    () => layers.dense(bad({ units: 1, kernelInitializer: 'heNorml' })),
    /^it: kernelInitializer: .*heNormal.*"heNorml"$/,
  ],
  [
    'biasRegularizer',
    () => layers.dense(bad({ units: 1, biasRegularizer: 'l3' })),
    /^it: biasRegularizer: .*l1.*"l3"$/,
  ],
  [
    'kernelConstraint',
    () => layers.conv2d(bad({ filters: 1, kernelSize: 1, kernelConstraint: 3 })),
    /^it: kernelConstraint: .*got 3$/,
  ],
  [
    'activityRegularizer',
    () => layers.dense(bad({ units: 1, activityRegularizer: 'l2' })),
    /^it: activityRegularizer: expected nothing, got "l2"; .*not supported/,
  ],
  ['int weights', () => layers.dense(bad({ units: 1, dtype: 'int32' })), /^it: dtype: expected a float dtype/],
  ['filters', () => layers.conv2d(bad({ kernelSize: 3 })), /^it: filters: .*got undefined$/],
  [
    'kernelSize left out',
    () => layers.conv2d(bad({ filters: 1 })),
    /^it: kernelSize: expected an integer of at least 1, or two of them, got undefined$/,
  ],
  ['three sizes', () => layers.conv2d(bad({ filters: 1, kernelSize: [1, 2, 3] })), /^it: kernelSize: .*got \[1,2,3\]$/],
  ['strides', () => layers.conv2d(bad({ filters: 1, kernelSize: 1, strides: 0 })), /^it: strides: .*got 0$/],
  [
    'padding',
    () => layers.conv2d(bad({ filters: 1, kernelSize: 1, padding: 'causal' })),
    /^it: padding: expected one of "valid", "same", got "causal"$/,
  ],
  [
    'dataFormat',
    () => layers.conv2d(bad({ filters: 1, kernelSize: 1, dataFormat: 'channelsFirst' })),
    /^it: dataFormat: expected 'channelsLast', got "channelsFirst"; put layers\.permute/,
  ],
  [
    'dilationRate of a transposed convolution',
    () => layers.conv2dTranspose(bad({ filters: 1, kernelSize: 1, dilationRate: 2 })),
    /^it: dilationRate: expected 1, got 2$/,
  ],
  [
    'depthMultiplier',
    () => layers.depthwiseConv2d(bad({ kernelSize: 1, depthMultiplier: 0 })),
    /^it: depthMultiplier: /,
  ],
  ['poolSize', () => layers.maxPooling2d(bad({ poolSize: -1 })), /^it: poolSize: .*got -1$/],
  ['global dataFormat', () => layers.globalMaxPooling2d(bad({ dataFormat: 'nchw' })), /^it: dataFormat: /],
  ['flatten dataFormat', () => layers.flatten(bad({ dataFormat: 'NHWC' })), /^it: dataFormat: .*got "NHWC"$/],
  ['targetShape', () => layers.reshape(bad({ targetShape: [-1, -1] })), /^it: targetShape: .*one of them -1 at most/],
  ['targetShape left out', () => layers.reshape(bad({})), /^it: targetShape: .*got undefined$/],
  ['dims', () => layers.permute(bad({ dims: [0, 1] })), /^it: dims: expected the axes behind .*got \[0,1\]$/],
  ['rate 1', () => layers.dropout(bad({ rate: 1 })), /^it: rate: expected a number in \[0, 1\), got 1$/],
  ['rate left out', () => layers.alphaDropout(bad({})), /^it: rate: .*got undefined$/],
  ['rate NaN', () => layers.gaussianDropout(bad({ rate: NaN })), /^it: rate: .*got NaN$/],
  ['noiseShape', () => layers.dropout(bad({ rate: 0.1, noiseShape: [0, 1] })), /^it: noiseShape: .*got \[0,1\]$/],
  ['seed', () => layers.dropout(bad({ rate: 0.1, seed: 1.5 })), /^it: seed: expected a safe integer, got 1\.5$/],
  ['stddev', () => layers.gaussianNoise(bad({ stddev: -1 })), /^it: stddev: .*at least 0, got -1$/],
  ['alpha', () => layers.elu(bad({ alpha: -0.5 })), /^it: alpha: .*got -0\.5$/],
  ['leaky alpha', () => layers.leakyReLU(bad({ alpha: '0.1' })), /^it: alpha: .*got "0\.1"$/],
  ['maxValue', () => layers.reLU(bad({ maxValue: -1 })), /^it: maxValue: .*got -1$/],
  ['theta', () => layers.thresholdedReLU(bad({ theta: -1 })), /^it: theta: .*got -1$/],
  ['softmax axis', () => layers.softmax(bad({ axis: 'last' })), /^it: axis: .*got "last"$/],
  ['sharedAxes', () => layers.prelu(bad({ sharedAxes: [0] })), /^it: sharedAxes: .*at least 1, got 0$/],
  ['momentum', () => layers.batchNormalization(bad({ momentum: 1.5 })), /^it: momentum: .*\[0, 1\], got 1\.5$/],
  ['epsilon', () => layers.layerNormalization(bad({ epsilon: -1 })), /^it: epsilon: .*got -1$/],
  ['center', () => layers.batchNormalization(bad({ center: 1 })), /^it: center: expected a boolean, got 1$/],
  ['axis', () => layers.batchNormalization(bad({ axis: 1.5 })), /^it: axis: expected an integer, got 1\.5$/],
  ['inputDim of an embedding', () => layers.embedding(bad({ outputDim: 2 })), /^it: inputDim: .*got undefined$/],
  [
    'maskZero',
    () => layers.embedding(bad({ inputDim: 2, outputDim: 2, maskZero: true })),
    /^it: maskZero: expected false \(masks are not supported\), got true$/,
  ],
  ['inner layer', () => layers.timeDistributed(bad({ layer: 'dense' })), /^it: layer: expected a layer, got "dense"$/],
  ['concatenate axis', () => layers.concatenate(bad({ axis: 'last' })), /^it: axis: .*got "last"$/],
  ['axes', () => layers.dot(bad({ axes: [1] })), /^it: axes: .*got \[1\]$/],
  ['fn', () => layers.lambda(bad({ fn: 'x => x' })), /^it: fn: expected a function .*got "x => x"; files do not keep/],
  [
    'a lambda from a file',
    () => layerFromConfig({ className: 'Lambda', config: layers.lambda({ ...at, fn: (x) => x }).getConfig() }),
    /^it: fn: .*make the model in code, and load its weights$/,
  ],
];

const shapes: [string, () => unknown, RegExp][] = [
  [
    'dense on another size',
    () => built(layers.dense({ ...at, units: 2 }), [1, 4]).apply(sn.ones([3, 5])),
    /^it: input: .*4.*, got \[3,5\]$/,
  ],
  ['dense on a vector', () => layers.dense({ ...at, units: 2 }).apply(sn.ones([3])), /^it: input: .*rank.*got \[3\]$/],
  [
    'dense behind an unknown size',
    () => layers.dense({ ...at, units: 2 }).apply(on(null, null)),
    /^it: input: expected a last axis of known size, got "\[null,null\]"$/,
  ],
  [
    'conv2d on a matrix',
    () => layers.conv2d({ ...at, filters: 1, kernelSize: 3 }).apply(sn.ones([3, 5])),
    /^it: input: .*got \[3,5\]$/,
  ],
  [
    'a window larger than the image',
    () => layers.conv2d({ ...at, filters: 1, kernelSize: 3 }).apply(on(null, 2, 5, 1)),
    /^it: pad: expected the window to fit the image \(height 3 into 2 \+ 0\), got "valid"; use pad 'same'$/,
  ],
  [
    'a pool larger than the image',
    () => layers.maxPooling2d({ ...at, poolSize: 4 }).apply(sn.ones([1, 8, 3, 1])),
    /^it: .*width 4 into 3/,
  ],
  [
    'reshape that does not fit',
    () => layers.reshape({ ...at, targetShape: [4, -1] }).apply(on(null, 3, 3)),
    /^it: input: expected a sample that targetShape \[4,-1\] holds, got \[null,3,3\]$/,
  ],
  [
    'permute of another rank',
    () => layers.permute({ ...at, dims: [2, 1] }).apply(sn.ones([2, 3])),
    /^it: input: .*got \[2,3\]$/,
  ],
  [
    'softmax along the batch',
    () => layers.softmax({ ...at, axis: 0 }).apply(on(null, 3)),
    /^it: axis: expected another axis/,
  ],
  [
    'sharedAxes behind the last',
    () => layers.prelu({ ...at, sharedAxes: [3] }).apply(sn.ones([2, 3])),
    /^it: sharedAxes: expected an integer in \[-2, 2\), got 3$/,
  ],
  [
    'prelu of an unknown size',
    () => layers.prelu(at).apply(on(null, null, 3)),
    /^it: input: .*; add axis 1 to sharedAxes$/,
  ],
  [
    'batch normalisation of the batch axis',
    () => layers.batchNormalization({ ...at, axis: 0 }).apply(sn.ones([2, 3])),
    /^it: axis: /,
  ],
  [
    'layer normalisation over an axis twice',
    () => layers.layerNormalization({ ...at, axis: [1, -1] }).apply(sn.ones([2, 3])),
    /^it: axis: expected each axis once/,
  ],
  [
    'embedding of another length',
    () => layers.embedding({ ...at, inputDim: 3, outputDim: 2, inputLength: 4 }).apply(sn.ones([2, 3], 'int32')),
    /^it: input: .*inputLength, got \[2,3\]$/,
  ],
  [
    'a sequence without steps',
    () => layers.timeDistributed({ ...at, layer: layers.flatten() }).apply(sn.ones([2, 3])),
    /^it: input: .*got \[2,3\]$/,
  ],
  [
    'add of one',
    () => layers.add(at).apply([sn.ones([2, 3])]),
    /^it: inputs: expected an array of at least 2, got "\[2,3\]"$/,
  ],
  [
    'add of shapes that do not broadcast',
    () => layers.add(at).apply([sn.ones([2, 3]), sn.ones([2, 4])]),
    /^it: inputs: expected shapes that are equal or broadcast, got "\[2,3\], \[2,4\]"$/,
  ],
  [
    'concatenate',
    () => layers.concatenate(at).apply([on(null, 2, 3), on(null, 4, 3)]),
    /^it: inputs: expected shapes that are equal except on axis 2, got "\[null,2,3\], \[null,4,3\]"$/,
  ],
  [
    'dot',
    () => layers.dot({ ...at, axes: 1 }).apply([sn.ones([2, 3]), sn.ones([2, 4])]),
    /^it: inputs: expected one batch/,
  ],
  [
    'dropout of integers',
    () => layers.dropout({ ...at, rate: 0.5 }).apply(sn.ones([2], 'int32'), { training: true }),
    /^it: input: expected a float/,
  ],
  [
    'a lambda that gives no tensor',
    () => layers.lambda({ ...at, fn: () => 3 as unknown as sn.Tensor }).apply(sn.ones([2])),
    /^it: fn: expected a function that returns one tensor, got 3$/,
  ],
  [
    'a lambda that zeros of its shape do not suit',
    () => layers.lambda({ ...at, fn: (x) => x.matMul(sn.ones([3, 2])) }).apply(on(null, 4)),
    /^it: fn: expected a function that zeros can be given to for input \[null,4\] \(matMul: .*\); give outputShape$/,
  ],
];

function built<L extends sn.layers.Layer>(layer: L, shape: number[]): L {
  layer.apply(sn.ones(shape));
  return layer;
}

describe('refused', () => {
  test.each([...cases, ...shapes])('%s', (_what, run, message) => {
    let thrown: unknown;
    try {
      run();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(sn.SelfnormError);
    expect((thrown as Error).message).toMatch(message);
    expect((thrown as Error).message).not.toContain('\n');
  });
});

describe('activations', () => {
  test.each([...activationTable().keys(), 'softmax', 'logSoftmax'])('%s is the same behind dense and alone', (name) => {
    const x = sn.randomUniform([4, 3], -2, 2, 'float64', 1);
    const fused = layers.dense({ units: 3, activation: name, kernelInitializer: 'identity', dtype: 'float64' });
    const alone = layers.activation({ activation: name });
    const [a, b] = [fused, alone].map((layer) => [...layer.apply<sn.Tensor>(x).dataSync()]);
    a!.forEach((value, i) => expect(Math.abs(value - b![i]!)).toBeLessThan(1e-14));
  });

  test.each([
    ['swish', 'silu'],
    ['hard_sigmoid', 'hardSigmoid'],
    ['leaky_relu', 'leakyRelu'],
    ['leakyrelu', 'leakyRelu'],
    ['gelu_new', 'geluTanh'],
    ['log_softmax', 'logSoftmax'],
    ['hard_silu', 'hardSwish'],
  ])('%s means %s, and is kept as given', (alias, name) => {
    expect(getActivation(alias).name).toBe(name);
    expect(getActivation(alias).getConfig()).toBe(alias);
  });

  test('take parameters, which the configuration keeps', () => {
    const activation = getActivation({ name: 'selu', alpha: 2, scale: 0.5 });
    expect(activation.epilogue).toEqual({ activation: 'selu', alpha: 2, scale: 0.5 });
    expect(getActivation(activation.getConfig() as never).getConfig()).toEqual({ name: 'selu', alpha: 2, scale: 0.5 });
    expect(getActivation({ className: 'elu', config: { alpha: 2 } } as never).epilogue).toEqual({
      activation: 'elu',
      alpha: 2,
    });
    expect(getActivation(null).name).toBe('linear');
  });
});

describe("weights' options", () => {
  test('reach the weights and come back from the configuration', () => {
    const make = () =>
      layers.conv2d({
        filters: 2,
        kernelSize: 1,
        kernelInitializer: sn.initializers.constant({ value: 2 }),
        biasInitializer: 'ones',
        kernelRegularizer: sn.regularizers.l2({ l2: 0.5 }),
        biasRegularizer: { className: 'L1L2', config: { l1: 0.25, l2: 0 } },
        kernelConstraint: sn.constraints.maxNorm({ maxValue: 1 }),
        name: 'conv',
      });
    const again = layerFromConfig({ className: 'Conv2D', config: make().getConfig() });
    for (const layer of [make(), again]) {
      layer.apply(sn.ones([1, 2, 2, 3]));
      expect(layer.getWeights().map((w) => [...new Set(w.dataSync())])).toEqual([[2], [1]]);
      const penalties = layer.regularizationLosses().map((loss) => loss().dataSync()[0]);
      expect(penalties).toEqual([0.5 * 6 * 4, 0.25 * 2]);
      expect(layer.layerWeights.map(({ constraint }) => constraint !== null)).toEqual([true, false]);
    }
  });

  test.each([
    ['batchNormalization', ['gamma', 'beta', 'movingMean', 'movingVariance'], [2, 3]],
    ['layerNormalization', ['gamma', 'beta'], [2, 3]],
    ['prelu', ['alpha'], [2, 3]],
    ['depthwiseConv2d', ['depthwise', 'bias'], [1, 2, 2, 3]],
    ['embedding', ['embeddings'], [2, 3]],
  ] as const)('%s: every initializer is used', (factory, prefixes, shape) => {
    const initializers = prefixes.map((prefix, i) => [
      `${prefix}Initializer`,
      sn.initializers.constant({ value: i + 2 }),
    ]);
    const options = { kernelSize: 1, inputDim: 4, outputDim: 2, ...Object.fromEntries(initializers) } as Options;
    const layer = (layers[factory] as (config: object) => sn.layers.Layer)(options);
    layer.apply(sn.ones([...shape]));
    expect(layer.getWeights().map((w) => [...new Set(w.dataSync())])).toEqual(prefixes.map((_, i) => [i + 2]));
  });

  test('the weights option gives first values', () => {
    const layer = layers.dense({ units: 1, weights: [sn.tensor([[2], [3]]), sn.tensor([4])], inputDim: 2 });
    expect(layer.batchInputShape).toEqual([null, 2]);
    expect(layer.apply<sn.Tensor>(sn.tensor([[1, 10]])).arraySync()).toEqual([[36]]);
  });
});

describe('embedding', () => {
  test('takes float indices, and gives NaN outside the table', () => {
    const layer = layers.embedding({ inputDim: 2, outputDim: 1, weights: [sn.tensor([[5], [7]])] });
    expect(layer.apply<sn.Tensor>(sn.tensor([[0, 1.5, 2]])).arraySync()).toEqual([[[5], [7], [NaN]]]);
  });
  test('as a first layer takes sequences of inputLength', () => {
    const model = sn.sequential({
      layers: [
        layers.embedding({ inputDim: 9, outputDim: 3, inputLength: 4 }),
        layers.flatten(),
        layers.dense({ units: 2 }),
      ],
    });
    expect(model.outputShape).toEqual([null, 2]);
    expect(layers.embedding({ inputDim: 9, outputDim: 3 }).batchInputShape).toEqual([null, null]);
  });
});

describe('timeDistributed', () => {
  test('has the inner weights, trains and freezes them', () => {
    const inner = layers.dense({ units: 2, kernelRegularizer: 'l2' });
    const outer = layers.timeDistributed({ layer: inner });
    outer.apply(sn.ones([2, 3, 4]));
    expect(outer.weights).toEqual(inner.weights);
    expect(outer.regularizationLosses()).toHaveLength(1);
    outer.trainable = false;
    expect(outer.trainableWeights).toEqual([]);
    expect(inner.weights.every(({ trainable }) => !trainable)).toBe(true);
  });
  test('takes sequences of any length', () => {
    const outer = layers.timeDistributed({ layer: layers.dense({ units: 2 }) });
    expect(outer.apply(on(null, null, 4)).shape).toEqual([null, null, 2]);
    expect(outer.apply<sn.Tensor>(sn.ones([2, 5, 4])).shape).toEqual([2, 5, 2]);
    expect(outer.apply<sn.Tensor>(sn.ones([2, 0, 4])).shape).toEqual([2, 0, 2]);
  });
});

describe('lambda', () => {
  test('is differentiated, and is told whether it trains', () => {
    const layer = layers.lambda({ fn: (x, { training }) => (training ? x.square() : x) });
    const x = sn.tensor([3, 4]);
    expect(layer.apply<sn.Tensor>(x).arraySync()).toEqual([3, 4]);
    const slope = sn.grad((a) => layer.apply<sn.Tensor>(a, { training: true }))(x);
    expect(slope.arraySync()).toEqual([6, 8]);
  });
  test('takes several inputs as an array', () => {
    const layer = layers.lambda({ fn: ([u, v]: sn.Tensor[]) => u!.sub(v!).abs() });
    expect(layer.apply([on(null, 3), on(null, 3)]).shape).toEqual([null, 3]);
    expect(layer.apply<sn.Tensor>([sn.tensor([1, 5]), sn.tensor([4, 4])]).arraySync()).toEqual([3, 1]);
  });
  test('tells its shape from the option, a function, or a trial that leaves nothing behind', async () => {
    const fn = (x: sn.Tensor): sn.Tensor => sn.concat([x, x], 1);
    expect(layers.lambda({ fn, outputShape: [6] }).apply(on(null, 3)).shape).toEqual([null, 6]);
    const double = (shape: sn.SymbolicShape): sn.SymbolicShape => [shape[0]!, shape[1]! * 2];
    expect(layers.lambda({ fn, outputShape: double }).apply(on(null, 3)).shape).toEqual([null, 6]);
    const before = await liveTensors();
    expect(layers.lambda({ fn }).apply(on(null, 3, null)).shape).toEqual([null, 6, null]);
    expect(layers.lambda({ fn }).apply(on(5, 3)).shape).toEqual([5, 6]);
    expect(sn.memory().numTensors).toBe(before);
  });
});
