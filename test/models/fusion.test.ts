// A batch normalisation and the activation behind it are computed as one op, where nothing else reads what lies between: the
// same values, gradients and statistics as apart.
import { afterEach, describe, expect, test, vi } from 'vitest';
import * as sn from '../../src/index.js';
import type { SymbolicTensor, Tensor } from '../../src/index.js';
import { Activation, ELU, LeakyReLU, ReLU } from '../../src/layers/activations.js';
import { BatchNormalization } from '../../src/layers/normalization.js';
import type { Layer } from '../../src/layers/layer.js';
import { expectClose } from '../harness/compare.js';

afterEach(() => void vi.restoreAllMocks());

const SHAPE = [6, 5, 3] as const;
const host = (t: Tensor): { shape: readonly number[]; data: ArrayLike<number> } => ({
  shape: t.shape,
  data: t.dataSync(),
});

/** Input, batch normalisation, `behind`; with the normalisation as a second output nothing can be joined. */
function network(behind: Layer, apart: boolean, axis = -1): { model: sn.LayersModel; normalization: Layer } {
  const x = sn.input({ shape: SHAPE.slice(1), dtype: 'float64' });
  const normalization = sn.layers.batchNormalization({ axis, dtype: 'float64', momentum: 0.5 });
  const between = normalization.apply<SymbolicTensor>(x);
  const y = behind.apply<SymbolicTensor>(between);
  return { model: sn.model({ inputs: x, outputs: apart ? [y, between] : y }), normalization };
}

const BEHIND: readonly (readonly [string, () => Layer, new (config: never) => Layer])[] = [
  ['an activation by name', () => sn.layers.activation({ activation: 'selu' }), Activation],
  ['one with parameters', () => sn.layers.activation({ activation: { name: 'softplus', beta: 2 } }), Activation],
  ['one whose slope needs its input', () => sn.layers.activation({ activation: 'gelu' }), Activation],
  ['ReLU', () => sn.layers.reLU(), ReLU],
  ['ReLU up to 6', () => sn.layers.reLU({ maxValue: 6 }), ReLU],
  ['Leaky ReLU', () => sn.layers.leakyReLU({ alpha: 0.4 }), LeakyReLU],
  ['ELU', () => sn.layers.elu({ alpha: 0.4 }), ELU],
];

describe.each(BEHIND)('batch normalisation and %s', (_what, make, kind) => {
  test.each([-1, 1])('along axis %i: one op with the results of two', (axis) => {
    const call = vi.spyOn(kind.prototype as Layer, 'call');
    const x = sn.randomNormal(SHAPE, 1, 2, 'float64', 3);
    const dy = sn.randomNormal(SHAPE, 0, 1, 'float64', 4);
    const results = [false, true].map((apart) => {
      const { model, normalization } = network(make(), apart, axis);
      const [gamma, beta] = normalization.trainableWeights;
      gamma!.assign(
        sn.tensor(
          Array.from({ length: gamma!.size }, (_, i) => 0.5 + i),
          [gamma!.size],
          'float64',
        ),
      );
      beta!.assign(
        sn.tensor(
          Array.from({ length: beta!.size }, (_, i) => 0.3 * i - 0.4),
          [beta!.size],
          'float64',
        ),
      );
      const output = (training: boolean, input: Tensor = x): Tensor =>
        [model.apply<Tensor | Tensor[]>(input, { training })].flat()[0]!;
      const trained = output(true);
      const variables = sn.variableGrads(() => output(true).mul(dy).sum()).grads;
      const dx = sn.grad((input) => output(true, input).mul(dy).sum())(x);
      const inferred = output(false);
      const slope = sn.grad((input) => output(false, input).mul(dy).sum())(x);
      return [trained, ...Object.values(variables), dx, inferred, slope, ...normalization.nonTrainableWeights].map(
        host,
      );
    });
    const [fused, apart] = results as [(typeof results)[0], (typeof results)[0]];
    expect(fused).toHaveLength(8);
    fused.forEach((one, i) => expectClose(`result ${i}`, one, apart[i]!, 'float64', 'composite'));
    // Only the network of two outputs has called the activation layer.
    expect(call).toHaveBeenCalledTimes(5);
  });
});

describe('are computed apart', () => {
  const apply = (
    outputs: (between: SymbolicTensor) => SymbolicTensor,
    norm: Layer = sn.layers.batchNormalization(),
  ): void => {
    const x = sn.input({ shape: [3] });
    const model = sn.model({ inputs: x, outputs: outputs(norm.apply<SymbolicTensor>(x)) });
    expect((model.predict(sn.ones([2, 3])) as Tensor).shape).toEqual([2, 3]);
  };

  test('when another layer reads what lies between', () => {
    const call = vi.spyOn(ReLU.prototype, 'call');
    apply((between) =>
      sn.layers.add().apply<SymbolicTensor>([between, sn.layers.reLU().apply<SymbolicTensor>(between)]),
    );
    expect(call).toHaveBeenCalledTimes(1);
  });

  test.each([
    ['looks along an axis', () => sn.layers.activation({ activation: 'softmax' }), Activation],
    ['does nothing', () => sn.layers.activation({ activation: 'linear' }), Activation],
    ['is limited elsewhere than at 6', () => sn.layers.reLU({ maxValue: 1 }), ReLU],
    ['is of a derived class', () => new (class extends ReLU {})(), ReLU],
  ] as const)('when the activation %s', (_what, make, kind) => {
    const call = vi.spyOn(kind.prototype as Layer, 'call');
    apply((between) => make().apply<SymbolicTensor>(between));
    expect(call).toHaveBeenCalledTimes(1);
  });

  test('when somebody looks at what each layer gives', () => {
    const x = sn.input({ shape: [3] });
    const between = sn.layers.batchNormalization({ epsilon: 0 }).apply<SymbolicTensor>(x);
    const model = sn.model({ inputs: x, outputs: sn.layers.reLU().apply<SymbolicTensor>(between) });
    const seen: number[][] = [];
    const observe = (_layer: Layer, _inputs: readonly Tensor[], [y]: readonly Tensor[]): void =>
      void seen.push([...y!.dataSync()]);
    model.callAll([sn.tensor([[-1, 0, 2]])], { training: false, observe });
    expect(seen).toEqual([
      [-1, 0, 2],
      [0, 0, 2],
    ]);
  });

  test('when the normalisation is of a derived class', () => {
    const call = vi.spyOn(ReLU.prototype, 'call');
    apply((between) => sn.layers.reLU().apply<SymbolicTensor>(between), new (class extends BatchNormalization {})());
    expect(call).toHaveBeenCalledTimes(1);
  });
});

test('a shared activation layer is joined in one place and called in the other', () => {
  const call = vi.spyOn(ReLU.prototype, 'call');
  const shared = sn.layers.reLU();
  const x = sn.input({ shape: [3] });
  const first = shared.apply<SymbolicTensor>(sn.layers.batchNormalization({ epsilon: 0 }).apply<SymbolicTensor>(x));
  const model = sn.model({
    inputs: x,
    outputs: sn.layers.add().apply<SymbolicTensor>([first, shared.apply<SymbolicTensor>(x)]),
  });
  const y = model.predict(sn.tensor([[-1, 0, 2]])) as Tensor;
  expect([...y.dataSync()]).toEqual([0, 0, 4]);
  expect(call).toHaveBeenCalledTimes(1);
});

test('a chain trains as it does apart', async () => {
  const train = async (join: boolean): Promise<number[]> => {
    sn.setSeed(3);
    const layers = [0, 1].flatMap((i) => [
      sn.layers.dense({ units: 8, useBias: false, ...(i === 0 ? { inputShape: [4] } : {}) }),
      sn.layers.batchNormalization(),
      join ? sn.layers.reLU() : new (class extends ReLU {})(),
    ]);
    const model = sn.sequential({ layers: [...layers, sn.layers.dense({ units: 1 })] });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const x = sn.randomNormal([32, 4], 0, 1, 'float32', 5);
    await model.fit(x, x.sum(1, true), { epochs: 3, batchSize: 8, verbose: 0, shuffle: false });
    return model.getWeights().flatMap((w) => [...w.dataSync()]);
  };
  const [joined, apart] = [await train(true), await train(false)];
  expect(joined).toHaveLength(apart.length);
  joined.forEach((value, i) => expect(Math.abs(value - apart[i]!)).toBeLessThan(1e-5));
});
