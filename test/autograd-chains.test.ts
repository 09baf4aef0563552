// Gradients through chains of layers: a product's backward goes through the activation below it in the same pass, and
// gradients of a weight that is used twice are added up in place. The gradients are those of the separate ops.
import { expect, test } from 'vitest';
import * as sn from '../src/index.js';
import { expectWithin } from './harness/compare.js';
import { nativeOps } from './harness/native-ops.js';

type T = sn.Tensor;

function expectClose(actual: T, expected: T, tolerance: number): void {
  const values = (x: T) => ({ shape: x.shape, data: x.dataSync() as Float32Array });
  expectWithin('values', values(actual), values(expected), (_, scale) => tolerance * Math.max(scale, 1e-3));
}

const times = (names: readonly string[], name: string): number => names.filter((other) => other === name).length;

const x = sn.randomNormal([24, 8], 0, 1, 'float32', 1);
const w1 = sn.randomNormal([8, 16], 0, 0.4, 'float32', 2);
const b1 = sn.randomNormal([16], 0, 0.4, 'float32', 3);
const w2 = sn.randomNormal([16, 12], 0, 0.4, 'float32', 4);
const b2 = sn.randomNormal([12], 0, 0.4, 'float32', 5);
const parameters = [w1, b1, w2, b2];

type Net = (...parameters: T[]) => T;
/** Gradients of the sum of squares of a net's results. */
const gradients = (net: Net, of: T[] = parameters): T[] =>
  sn.grads((...ps) =>
    net(...ps)
      .square()
      .sum(),
  )(of);

function expectSameGradients(actual: Net, expected: Net, of?: T[]): void {
  const [as, es] = [gradients(actual, of), gradients(expected, of)];
  as.forEach((a, i) => expectClose(a, es[i]!, 2e-5));
}

test.each(['linear', 'relu', 'elu', 'selu', 'softplus', 'tanh', 'gelu', 'mish'] as const)(
  'two layers, %s below',
  (activation) => {
    const dense = (a: T, b: T, bias: T): T => sn.fused.matMul({ a, b, bias, activation });
    const chained: Net = (p, q, r, s) => dense(dense(x, p, q), r, s);
    const apart = (a: T, b: T, bias: T): T => {
      const z = sn.add(sn.matMul(a, b), bias);
      return activation === 'linear' ? z : sn[activation](z);
    };
    expectSameGradients(chained, (p, q, r, s) => apart(apart(x, p, q), r, s));
    const names = nativeOps(() => gradients(chained));
    expect(times(names, 'matmul/derivative')).toBe(1);
    // Only the top layer, which has no product above it, takes its derivative by itself.
    expect(times(names, `${activation}/bias_backward`)).toBe(activation === 'linear' ? 0 : 1);
    expect(times(names, 'matmul/sums')).toBe(activation === 'linear' ? 1 : 0);
  },
);

test('without a bias below, and with a weight that is transposed', () => {
  const net = (turned: boolean, fused: boolean): Net => {
    return (p, _q, r) => {
      const y = fused ? sn.fused.matMul({ a: x, b: p, activation: 'selu' }) : sn.selu(sn.matMul(x, p));
      return sn.matMul(y, turned ? sn.transpose(r) : r, false, turned);
    };
  };
  for (const turned of [false, true]) expectSameGradients(net(turned, true), net(false, false));
  expect(
    times(
      nativeOps(() => gradients(net(true, true))),
      'matmul/derivative',
    ),
  ).toBe(1);
});

test('rows of a longer tensor are one matrix, seen through its views', () => {
  const steps = x.reshape([4, 6, 8]);
  const net: Net = (p, q, r, s) => {
    const y = sn.fused.matMul({ a: steps, b: p, bias: q, activation: 'elu' });
    return sn.fused.matMul({ a: y, b: r, bias: s, activation: 'elu' });
  };
  expectSameGradients(net, (p, q, r, s) => sn.elu(sn.elu(x.matMul(p).add(q)).matMul(r).add(s)).reshape([4, 6, 12]));
  expect(
    times(
      nativeOps(() => gradients(net)),
      'matmul/derivative',
    ),
  ).toBe(1);
});

test.each(['dropout', 'alphaDropout'] as const)('through %s behind the activation below', (kind) => {
  const dropout = { rate: 0.25, kind, seed: 7 };
  const chained: Net = (p, q, r, s) => {
    const y = sn.fused.matMul({ a: x, b: p, bias: q, activation: 'selu', dropout });
    return sn.fused.matMul({ a: y, b: r, bias: s, activation: 'selu' });
  };
  const apart: Net = (p, q, r, s) => {
    const y = sn.selu(sn.matMul(x, p).add(q));
    const dropped = kind === 'dropout' ? sn.dropout(y, 0.25, undefined, 7) : sn.alphaDropout(y, 0.25, 7);
    return sn.selu(sn.matMul(dropped, r).add(s));
  };
  expectSameGradients(chained, apart);
  const names = nativeOps(() => gradients(chained));
  expect([times(names, 'matmul/derivative'), times(names, 'dropout')]).toEqual([1, 0]);
});

test.each(['relu', 'selu', 'gelu'] as const)(
  'convolutions with %s below, and a product behind a flattened one',
  (activation) => {
    const images = sn.randomNormal([3, 6, 6, 2], 0, 1, 'float32', 11);
    const [f1, f2] = [
      sn.randomNormal([3, 3, 2, 4], 0, 0.3, 'float32', 12),
      sn.randomNormal([3, 3, 4, 5], 0, 0.3, 'float32', 13),
    ];
    const [c1, c2] = [sn.randomNormal([4], 0, 0.3, 'float32', 14), sn.randomNormal([5], 0, 0.3, 'float32', 15)];
    const last = sn.randomNormal([5, 3], 0, 0.3, 'float32', 16);
    const fused: Net = (p, q, r, s, t) => {
      const conv = (x: T, filter: T, bias: T): T =>
        sn.fused.conv2d({ x, filter, bias, strides: 1, pad: 'same', activation });
      // Pixels as rows: the product sees the images through a view.
      return sn.matMul(conv(conv(images, p, q), r, s).reshape([-1, 5]), t);
    };
    const apart: Net = (p, q, r, s, t) => {
      const conv = (x: T, filter: T, bias: T): T => sn[activation](sn.conv2d(x, filter, 1, 'same').add(bias));
      return sn.matMul(conv(conv(images, p, q), r, s).reshape([-1, 5]), t);
    };
    const of = [f1, c1, f2, c2, last];
    expectSameGradients(fused, apart, of);
    const names = nativeOps(() => gradients(fused, of));
    expect([times(names, 'conv2d/backwardInput'), times(names, 'matmul/derivative')]).toEqual([1, 1]);
    expect(times(names, `${activation}/bias_backward`)).toBe(0);
  },
);

test('what somebody else looks at keeps a gradient of its own', () => {
  // Two users of the hidden layer; and a hidden layer that is differentiated by.
  const twice: Net = (p, q, r) => {
    const y = sn.fused.matMul({ a: x, b: p, bias: q, activation: 'selu' });
    return sn.add(sn.matMul(y, r), sn.mean(y));
  };
  const apart: Net = (p, q, r) => {
    const y = sn.selu(x.matMul(p).add(q));
    return sn.add(sn.matMul(y, r), sn.mean(y));
  };
  expectSameGradients(twice, apart);
  expect(
    times(
      nativeOps(() => gradients(twice)),
      'matmul/derivative',
    ),
  ).toBe(0);
  const hidden = sn.fused.matMul({ a: x, b: w1, bias: b1, activation: 'selu' });
  expectSameGradients(
    (h, r) => sn.matMul(h, r),
    (h, r) => sn.matMul(sn.mul(h, 1), r),
    [hidden, w2],
  );
});

test('second derivatives go through chains op by op', () => {
  const net = (w: T): T => {
    const y = sn.fused.matMul({ a: x, b: w, bias: b1, activation: 'tanh' });
    return sn.fused.matMul({ a: y, b: w2, bias: b2, activation: 'tanh' }).sum();
  };
  const apart = (w: T): T => sn.tanh(sn.tanh(x.matMul(w).add(b1)).matMul(w2).add(b2)).sum();
  const second = (f: (w: T) => T): T => sn.grad((w) => sn.grad(f)(w).square().sum())(w1);
  expectClose(second(net), second(apart), 1e-4);
  expect(second(net).shape).toEqual([8, 16]);
});

test('the gradients of a weight that is used twice are added up in place', () => {
  const square = sn.randomNormal([8, 8], 0, 0.4, 'float32', 6);
  const net: Net = (w) => sn.matMul(sn.tanh(sn.matMul(x, w)), w);
  const copied: Net = (w) => sn.matMul(sn.tanh(sn.matMul(x, w)), sn.mul(w, 1));
  expectSameGradients(net, copied, [square]);
  const names = nativeOps(() => gradients(net, [square]));
  expect([times(names, 'matmul/added'), times(names, 'add')]).toEqual([1, 0]);
  // A gradient that shares its memory with another is not written over.
  const y = sn.grads((a, w) => sn.add(sn.matMul(a, w).sum(), sn.mul(w.reshape([64]), 3).sum()))([x, square]);
  expectClose(y[1]!, sn.add(sn.matMul(x, sn.ones([24, 8]), true), 3), 1e-5);
});

test('a variable that changed before its gradient is still noticed', () => {
  const w = sn.variable(w2);
  expect(() =>
    sn.grads((p) => {
      const y = sn.fused.matMul({ a: x, b: p, bias: b1, activation: 'selu' });
      const z = sn.matMul(y, w);
      w.assign(sn.zerosLike(w));
      return z;
    })([w1]),
  ).toThrow(/assign/);
  w.dispose();
});

test('chains leave nothing in memory', () => {
  const before = sn.memory().numTensors;
  const results = gradients((p, q, r, s) =>
    sn.fused.matMul({ a: sn.fused.matMul({ a: x, b: p, bias: q, activation: 'selu' }), b: r, bias: s }),
  );
  expect(sn.memory().numTensors).toBe(before + results.length);
  sn.dispose(results);
});
