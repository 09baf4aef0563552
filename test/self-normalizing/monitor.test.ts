// The monitor against loops over what layers compute, for every activation and kind of layer; and what it says.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { activationTable } from '../../src/tensor/activation-facts.js';

const identity = (units: number): sn.Tensor => sn.eye(units);

/** A model whose one layer gets each column as a unit's input. */
function columns(layer: (config: { inputShape: number[] }) => sn.layers.Layer, units: number): sn.Sequential {
  return sn.sequential({ layers: [layer({ inputShape: [units] })] });
}

/** Inputs of each unit: on the positive side, on the negative one, on both, far below, far above, always 0. */
const SAMPLES = 40;
const sides = (): sn.Tensor => {
  const rows = Array.from({ length: SAMPLES }, (_, i) => {
    const share = (i + 0.5) / SAMPLES;
    return [0.5 + 2 * share, -0.5 - 2 * share, 4 * share - 2, -60 - share, 60 + share, 0];
  });
  return sn.tensor2d(rows);
};
type Kind = '.' | 'dead' | 'linear' | 'saturated';
/** What each of them makes of a unit, by the function's shape. */
const EXPECTED: Readonly<Record<string, readonly Kind[]>> = {
  linear: ['.', '.', '.', '.', '.', 'dead'],
  relu: ['linear', 'dead', '.', 'dead', 'linear', 'dead'],
  relu6: ['linear', 'dead', '.', 'dead', 'saturated', 'dead'],
  leakyRelu: ['linear', 'linear', '.', 'linear', 'linear', 'dead'],
  elu: ['linear', '.', '.', 'saturated', 'linear', 'dead'],
  selu: ['linear', '.', '.', 'saturated', 'linear', 'dead'],
  celu: ['linear', '.', '.', 'saturated', 'linear', 'dead'],
  softplus: ['.', '.', '.', 'saturated', '.', '.'],
  sigmoid: ['.', '.', '.', 'saturated', 'saturated', '.'],
  hardSigmoid: ['linear', 'linear', 'linear', 'dead', 'saturated', 'linear'],
  tanh: ['.', '.', '.', 'saturated', 'saturated', 'dead'],
  softsign: ['.', '.', '.', '.', '.', 'dead'],
  gelu: ['.', '.', '.', 'dead', '.', 'dead'],
  geluTanh: ['.', '.', '.', 'dead', '.', 'dead'],
  silu: ['.', '.', '.', '.', '.', 'dead'],
  mish: ['.', '.', '.', '.', '.', 'dead'],
  hardSwish: ['.', '.', '.', 'dead', 'linear', 'dead'],
  logSigmoid: ['.', '.', '.', '.', 'saturated', '.'],
};

function shares(kinds: readonly Kind[]): Record<string, number> {
  const of = (kind: Kind): number => kinds.filter((one) => one === kind).length / kinds.length;
  return { dead: of('dead'), linear: of('linear'), saturated: of('saturated') };
}

describe('units', () => {
  test.each([...activationTable().keys()])(
    'of %s are told apart, fused into the layer and in a layer of its own',
    (name) => {
      const fused = columns(
        (config) => sn.layers.dense({ ...config, units: 6, activation: name, weights: [identity(6), sn.zeros([6])] }),
        6,
      );
      const alone = columns((config) => sn.layers.activation({ ...config, activation: name }), 6);
      for (const model of [fused, alone]) {
        const { layers } = sn.selfNormalizing.monitor(model, sides());
        expect(layers).toHaveLength(1);
        expect(layers[0]).toMatchObject({ activation: name, units: 6, nonFinite: 0, ...shares(EXPECTED[name]!) });
      }
    },
  );

  test.each([
    ['reLU', () => sn.layers.reLU(), EXPECTED['relu']!],
    ['reLU of at most 6', () => sn.layers.reLU({ maxValue: 6 }), EXPECTED['relu6']!],
    ['leakyReLU', () => sn.layers.leakyReLU(), EXPECTED['leakyRelu']!],
    ['leakyReLU without a slope', () => sn.layers.leakyReLU({ alpha: 0 }), EXPECTED['relu']!],
    ['elu', () => sn.layers.elu(), EXPECTED['elu']!],
    ['elu of alpha 0', () => sn.layers.elu({ alpha: 0 }), EXPECTED['relu']!],
    ['thresholdedReLU', () => sn.layers.thresholdedReLU({ theta: 0.25 }), EXPECTED['relu']!],
    // A negative slope makes both sides positive: the input tells them apart.
    [
      'prelu',
      () => sn.layers.prelu({ alphaInitializer: sn.initializers.constant({ value: -0.5 }) }),
      EXPECTED['leakyRelu']!,
    ],
    ['prelu without slopes', () => sn.layers.prelu({}), ['linear', 'dead', '.', 'dead', 'linear', 'dead'] as const],
  ])('of layers.%s', (_name, layer, expected) => {
    const x = sn.input({ shape: [6] });
    const model = sn.model({ inputs: x, outputs: layer().apply(x) });
    expect(sn.selfNormalizing.monitor(model, sides()).layers[0]).toMatchObject({ nonFinite: 0, ...shares(expected) });
  });

  test('of softmax, pooling and flatten are not judged, but have moments', () => {
    const model = sn.sequential({
      layers: [
        sn.layers.conv2d({ inputShape: [6, 6, 1], filters: 3, kernelSize: 3, activation: 'relu' }),
        sn.layers.maxPooling2d({ poolSize: 2 }),
        sn.layers.flatten(),
        sn.layers.dense({ units: 4, activation: 'softmax' }),
      ],
    });
    const { layers } = sn.selfNormalizing.monitor(model, sn.randomNormal([9, 6, 6, 1]));
    expect(layers.map(({ activation }) => activation)).toEqual(['relu', null, null, null]);
    expect(layers.map(({ dead }) => dead === null)).toEqual([false, true, true, true]);
    expect(layers[3]!.mean).toBeCloseTo(0.25, 6);
  });

  test('of a convolution are its channels, at all places', () => {
    const kernel = sn.tensor4d([1, -1, 1], [1, 1, 1, 3]);
    const model = sn.sequential({
      layers: [
        sn.layers.conv2d({
          inputShape: [2, 2, 1],
          filters: 3,
          kernelSize: 1,
          activation: 'relu',
          weights: [kernel, sn.tensor1d([0, 0, -1])],
        }),
      ],
    });
    // The first channel sees positive values only; the second is dead; the third is both.
    const x = sn.tensor4d([0.5, 1, 1.5, 2, 3, 0.25, 1, 4], [2, 2, 2, 1]);
    const [layer] = sn.selfNormalizing.monitor(model, x).layers;
    expect(layer).toMatchObject({ units: 3, dead: 1 / 3, linear: 1 / 3, saturated: 0 });
    const outputs = [0.5, 1, 1.5, 2, 3, 0.25, 1, 4].flatMap((value) => [value, 0, Math.max(value - 1, 0)]);
    const mean = outputs.reduce((sum, value) => sum + value) / 24;
    const variance = outputs.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 24;
    expect(Math.abs(layer!.mean - mean)).toBeLessThan(1e-7);
    expect(Math.abs(layer!.variance - variance)).toBeLessThan(1e-6);
  });

  test('have the moments of what layers give, in every float dtype', () => {
    sn.setSeed(5);
    for (const dtype of ['float32', 'float16', 'bfloat16'] as const) {
      const x = sn.randomNormal([200, 7], 3, 0.5, dtype);
      const model = columns((config) => sn.layers.activation({ ...config, activation: 'tanh' }), 7);
      const y = sn.tanh(x).dataSync() as Float32Array;
      const mean = y.reduce((sum, value) => sum + value, 0) / y.length;
      const variance = y.reduce((sum, value) => sum + (value - mean) ** 2, 0) / y.length;
      const [layer] = sn.selfNormalizing.monitor(model, sn.cast(x, 'float32')).layers;
      const loose = dtype === 'float32' ? 1e-6 : 0.01;
      expect(Math.abs(layer!.mean - mean)).toBeLessThan(loose);
      expect(Math.abs(layer!.variance - variance)).toBeLessThan(loose);
    }
  });
});

describe('layers', () => {
  test('of functional and nested models are listed in the order they run, a shared one once a call', () => {
    const inner = sn.sequential({
      name: 'inner',
      layers: [sn.layers.dense({ name: 'inside', units: 3, inputShape: [3], activation: 'tanh' })],
    });
    const [a, b] = [sn.input({ shape: [3] }), sn.input({ shape: [3] })];
    const shared = sn.layers.dense({ name: 'shared', units: 3, activation: 'relu' });
    const sum = sn.layers.add({ name: 'sum' }).apply([shared.apply(a), shared.apply(b)]);
    const model = sn.model({ inputs: [a, b], outputs: inner.apply<sn.SymbolicTensor>(sum) });
    const { layers } = sn.selfNormalizing.monitor(model, [sn.randomNormal([50, 3]), sn.randomNormal([50, 3])]);
    expect(layers.map(({ name }) => name)).toEqual(['shared', 'shared (2)', 'sum', 'inside']);
    expect(layers.map(({ activation }) => activation)).toEqual(['relu', 'relu', null, 'tanh']);
  });

  test('around a layer are judged as it is', () => {
    const dense = sn.layers.dense({ units: 2, activation: 'relu', weights: [sn.tensor2d([[1, -1]]), sn.zeros([2])] });
    const model = sn.sequential({ layers: [sn.layers.timeDistributed({ layer: dense, inputShape: [5, 1] })] });
    const [layer] = sn.selfNormalizing.monitor(model, sn.ones([4, 5, 1])).layers;
    expect(layer).toMatchObject({ activation: 'relu', units: 2, dead: 0.5, linear: 0.5 });
  });

  test('compute as in predict: no dropout, and nothing is left behind', () => {
    const model = sn.sequential({
      layers: [
        sn.layers.dense({ inputShape: [4], units: 8, activation: 'selu', kernelInitializer: 'leCunNormal' }),
        sn.layers.alphaDropout({ rate: 0.5 }),
      ],
    });
    const x = sn.randomNormal([64, 4]);
    const first = sn.selfNormalizing.monitor(model, x);
    const before = sn.memory().numTensors;
    const again = sn.selfNormalizing.monitor(model, x);
    expect(again).toEqual(first);
    expect(again.layers[1]!.mean).toBe(again.layers[0]!.mean);
    expect(sn.memory().numTensors).toBe(before);
  });

  test('take what predict takes', () => {
    const model = sn.sequential({ layers: [sn.layers.dense({ units: 2, inputShape: [3], activation: 'relu' })] });
    expect(
      sn.selfNormalizing.monitor(model, [
        [1, 2, 3],
        [4, 5, 6],
      ]).layers,
    ).toHaveLength(1);
    expect(() => sn.selfNormalizing.monitor(model, sn.zeros([2, 4]))).toThrow(
      'selfNormalizing.monitor: x: expected shape',
    );
    expect(() => sn.selfNormalizing.monitor({} as sn.Sequential, sn.zeros([2, 3]))).toThrow(
      'selfNormalizing.monitor: model: expected a model from sequential() or model(), got an object of class Object',
    );
  });
});

describe('the words', () => {
  const dense = (name: string, activation: string, kernel: sn.Tensor, bias: number[]): sn.layers.Layer =>
    sn.layers.dense({ name, units: bias.length, activation, weights: [kernel, sn.tensor1d(bias)] });

  test('say which layers have dead, linear and saturated units', () => {
    const model = sn.sequential({
      layers: [
        sn.layers.inputLayer({ inputShape: [4] }),
        dense('first', 'relu', identity(4), [-100, 100, 100, 0]),
        dense('second', 'tanh', identity(4), [0, 0, 0, 0]),
      ],
    });
    sn.setSeed(1);
    const { problems, text } = sn.selfNormalizing.monitor(model, sn.randomNormal([100, 4]));
    const lines = text.replace(/[\d.]+(?= in first)|[\d.]+$/g, '#').split('\n');
    expect(lines).toEqual([
      'first: 1 of 4 units is dead: the output is 0 for all of 100 samples, and so is the gradient through relu',
      'first: 2 of 4 units are linear: for all of 100 samples the input lies on one straight piece of relu, so they are plain linear maps',
      'second: 1 of 4 units is dead: the output is 0 for all of 100 samples',
      'second: 2 of 4 units are saturated: for all of 100 samples the output is next to a limit of tanh, where it has next to no slope',
      'second: moments have drifted: the variance vanishes, from # in first to #',
    ]);
    expect(problems.map(({ layer, kind, share }) => [layer, kind, share])).toEqual([
      ['first', 'dead', 0.25],
      ['first', 'linear', 0.5],
      ['second', 'dead', 0.25],
      ['second', 'saturated', 0.5],
      ['second', 'drift', 1],
    ]);
  });

  test('say where values stop being finite', () => {
    const model = sn.sequential({
      layers: [
        sn.layers.inputLayer({ inputShape: [2] }),
        dense('fine', 'tanh', identity(2), [0, 0]),
        dense('lost', 'relu', identity(2), [NaN, 0]),
        dense('last', 'linear', sn.ones([2, 2]), [0, 0]),
      ],
    });
    const { layers, problems } = sn.selfNormalizing.monitor(model, sn.randomNormal([50, 2]));
    expect(layers.map(({ nonFinite }) => nonFinite)).toEqual([0, 0.5, 1]);
    expect(layers[2]!.mean).toBeNaN();
    expect(layers[1]!.mean).toBeGreaterThan(0);
    expect(problems.map(({ text }) => text)).toEqual([
      "lost: 1 of 2 units gives NaN or infinite values; lower the learning rate, or look at the layer's input; 1 layer behind it has them too; the layers before it are finite",
    ]);
  });

  const deep = (kernelInitializer: string, constants = {}): sn.Sequential =>
    sn.sequential({
      layers: Array.from({ length: 8 }, (_, i) =>
        sn.layers.dense({
          name: `layer${i}`,
          units: 256,
          ...(i === 0 ? { inputShape: [256] } : {}),
          activation: { name: 'selu', ...constants },
          kernelInitializer,
        }),
      ),
    });

  test('are few for a network that normalises itself', () => {
    sn.setSeed(2);
    const x = sn.randomNormal([512, 256]);
    expect(sn.selfNormalizing.monitor(deep('leCunNormal'), x)).toMatchObject({
      problems: [],
      text: 'no layer has dead, linear, saturated or drifting units, and all values are finite',
    });
    const constants = sn.selfNormalizing.constants({ variance: 4 });
    expect(sn.selfNormalizing.monitor(deep('leCunNormal', constants), x.mul(2)).problems).toEqual([]);
  });

  test('say where moments drift, once for layers in a row', () => {
    sn.setSeed(2);
    const { problems } = sn.selfNormalizing.monitor(deep('heNormal'), sn.randomNormal([512, 256]));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatchObject({ layer: 'layer1', kind: 'drift' });
    expect(problems[0]!.text).toMatch(
      /^layer1: moments have drifted: mean 0\.\d+ and variance \d\.\d+, where selu keeps 0 and 1; .*; so have those of the 6 layers behind it$/,
    );
  });
});
