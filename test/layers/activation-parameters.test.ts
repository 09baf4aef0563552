// An activation's parameters have the same effect wherever they may be given: op, method, layer, option of a layer, fused op.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import type { Tensor } from '../../src/index.js';
import type { ActivationConfig } from '../../src/layers/activation.js';
import { activationNamed, type ActivationName } from '../../src/ops/activation.js';
import { activationTable } from '../../src/tensor/activation-facts.js';
import { expectClose } from '../harness/compare.js';

const rows = [...activationTable().values()].filter(({ parameters }) => parameters.length > 0);
const host = (t: Tensor): { shape: readonly number[]; data: ArrayLike<number> } => ({
  shape: t.shape,
  data: t.dataSync(),
});
const same = (found: Tensor, expected: Tensor): void =>
  expectClose('value', host(found), host(expected), 'float64', 'product');
const normal = (shape: number[], seed: number): Tensor => sn.randomNormal(shape, 0, 1, 'float64', seed);

test('are those of the API', () => {
  const named = rows.map(({ name, parameters }) => [name, ...parameters.map((one) => one.name)]);
  expect(named).toEqual([
    ['leakyRelu', 'alpha'],
    ['elu', 'alpha'],
    ['selu', 'alpha', 'scale'],
    ['celu', 'alpha'],
    ['softplus', 'beta'],
  ]);
});

describe.each(rows)('$name', ({ name: given, parameters }) => {
  const name = given as ActivationName;
  const values = Object.fromEntries(parameters.map((one, i) => [one.name, one.fallback * (i === 0 ? 0.6 : 1.7)]));
  const option: ActivationConfig = { name, ...values };
  const activation = activationNamed(name);
  const apply = (x: Tensor): Tensor => activation.apply(x, Object.values(values));

  test('as an op and a method', () => {
    const x = normal([40], 1);
    const argument: unknown = name === 'selu' ? values : Object.values(values)[0];
    const op = sn[name as 'elu'] as unknown as (x: Tensor, argument: unknown) => Tensor;
    const method = (x as unknown as Record<string, (argument: unknown) => Tensor>)[name]!;
    same(op(x, argument), apply(x));
    same(method.call(x, argument), apply(x));
    expect(x.sub(apply(x)).abs().max().dataSync()[0]).toBeGreaterThan(0.1);
    // The defaults are others.
    expect(
      apply(x)
        .sub(activation.apply(x, activation.parameters({})))
        .abs()
        .max()
        .dataSync()[0],
    ).toBeGreaterThan(0.01);
  });

  test('as a layer and as a layer’s option', () => {
    const x = normal([3, 6, 6, 2], 2);
    same(sn.layers.activation({ activation: option }).apply<Tensor>(x), apply(x));
    const plain = { kernelInitializer: sn.initializers.glorotNormal({ seed: 3 }), dtype: 'float64' } as const;
    const pairs = [null, option].map((one) => [
      sn.layers.dense({ units: 5, ...plain, activation: one }),
      sn.layers.conv2d({ filters: 4, kernelSize: 3, ...plain, activation: one }),
      sn.layers.depthwiseConv2d({
        kernelSize: 3,
        depthwiseInitializer: plain.kernelInitializer,
        dtype: 'float64',
        activation: one,
      }),
    ]);
    const [without, behind] = pairs as [(typeof pairs)[0], (typeof pairs)[0]];
    behind.forEach((layer, i) => same(layer.apply<Tensor>(x), apply(without[i]!.apply<Tensor>(x))));
    expect(behind[0]!.getConfig()['activation']).toEqual(option);
    const other = { elu: sn.layers.elu, leakyRelu: sn.layers.leakyReLU }[given];
    if (other !== undefined) same(other(values).apply<Tensor>(x), apply(x));
  });

  test('in fused.matMul and fused.conv2d, with gradients', () => {
    const [a, b, bias] = [normal([7, 6], 4), normal([6, 5], 5), normal([5], 6)];
    const dense = sn.valueAndGrads((...p) =>
      sn.fused.matMul({ a: p[0]!, b: p[1]!, bias: p[2]!, activation: name, ...values }),
    );
    const single = sn.valueAndGrads((...p) => apply(p[0]!.matMul(p[1]!).add(p[2]!)));
    const [x, filter] = [normal([2, 6, 6, 3], 7), normal([3, 3, 3, 5], 8)];
    const shape = { strides: 1, pad: 'same' } as const;
    const conv = sn.valueAndGrads((...p) =>
      sn.fused.conv2d({ x: p[0]!, filter: p[1]!, ...shape, bias: p[2]!, activation: name, ...values }),
    );
    const convSingle = sn.valueAndGrads((...p) => apply(sn.conv2d(p[0]!, p[1]!, 1, 'same').add(p[2]!)));
    for (const [fused, apart, inputs] of [
      [dense, single, [a, b, bias]],
      [conv, convSingle, [x, filter, bias]],
    ] as const) {
      const [found, expected] = [fused([...inputs]), apart([...inputs])];
      same(found.value, expected.value);
      expect(found.grads).toHaveLength(3);
      found.grads.forEach((gradient, i) => same(gradient, expected.grads[i]!));
    }
  });
});

test('of other activations are refused', () => {
  const [a, b] = [sn.ones([1, 2]), sn.ones([2, 1])];
  expect(() => sn.fused.matMul({ a, b, activation: 'elu', alpha: -1 })).toThrow(/^elu: alpha: /);
  expect(() => sn.layers.dense({ units: 1, activation: { name: 'relu', alpha: 1 } })).toThrow(
    /no parameters, got "alpha"/,
  );
});
