// What gradients leave in memory: their results and nothing else, and backward frees what it has passed.
import { afterEach, describe, expect, test } from 'vitest';
import * as sn from '../src/index.js';
import { isRecording, record } from '../src/autograd/tape.js';
import { liveTensors } from './harness/live-tensors.js';

type T = sn.Tensor;

afterEach(() => {
  expect(isRecording()).toBe(false);
});

describe('memory', () => {
  test.each([
    ['grad', (x: T) => sn.grad((t) => t.square().exp().sum())(x), 1],
    ['grads', (x: T) => sn.grads((a, b) => a.add(b))([x, x]), 2],
    ['a second derivative', (x: T) => sn.grad(sn.grad((t) => t.tanh().mul(t)))(x), 1],
    ['valueAndGrad', (x: T) => sn.valueAndGrad((t) => sn.tidy(() => t.exp().add(1)))(x), 2],
    [
      'customGrad',
      (x: T) => sn.grad(sn.customGrad((t: T) => ({ value: t.mul(2), gradFunc: (dy) => dy.mul(2) })))(x),
      1,
    ],
    ['an array argument', () => sn.grad((t) => t.square())([1, 2, 3]), 1],
  ] as const)('%s leaves its results and nothing else', (_name, call, results) => {
    const x = sn.ones([8]);
    const before = sn.memory().numTensors;
    const result = call(x);
    expect(sn.memory().numTensors).toBe(before + results);
    sn.dispose(result);
    expect(sn.memory().numTensors).toBe(before);
    x.dispose();
  });

  test('variableGrads in a training loop', () => {
    const w = sn.variable([1, 2, 3], true, 'steady');
    const before = sn.memory().numTensors;
    for (let step = 0; step < 5; step++) {
      const { value, grads } = sn.variableGrads(() => w.square().sum());
      sn.tidy(() => w.assign(w.sub(grads['steady']!.mul(0.1))));
      sn.dispose([value, grads]);
      expect(sn.memory().numTensors).toBe(before);
    }
    w.dispose();
  });

  test('backward functions are told which inputs nobody differentiates by', () => {
    const x = sn.ones([4]);
    const constant = sn.ones([4]);
    let asked: readonly boolean[] = [];
    sn.grad((t) => {
      const y = sn.ones([4]);
      record([y], [t, constant], ([dy], wanted) => {
        asked = [...wanted];
        return [dy!, null];
      });
      return y;
    })(x).dispose();
    expect(asked).toEqual([true, false]);
    sn.dispose([x, constant]);
  });
});

describe('memory of a gradient', () => {
  test('backward frees what it has passed: at its end little more is alive than at its beginning', async () => {
    await liveTensors();
    const x = sn.ones([1000]);
    const { numBytes } = sn.memory();
    const alive = (): number => sn.memory().numBytes - numBytes;
    let [before, after] = [0, 0];
    const first = sn.customGrad((input: sn.Tensor) => ({
      value: sn.clone(input),
      gradFunc: (dy: sn.Tensor) => {
        after = alive();
        return sn.clone(dy);
      },
    }));
    const chain = (from: sn.Tensor): sn.Tensor => {
      let y = first(from);
      for (let i = 0; i < 20; i++) y = sn.tanh(sn.add(y, sn.mul(y, 0.5)));
      before = alive();
      return sn.sum(y);
    };
    const gradient = sn.grad(chain)(x);
    // Three results of 4 kB for each of the 20 links.
    expect(before).toBeGreaterThan(230_000);
    expect(after).toBeLessThan(20_000);
    expect(alive()).toBe(4000);
    gradient.dispose();
  });

  test('gradients that are one tensor, shared by several operands, are freed once and right', () => {
    const [a, b] = [sn.tensor([1, 2]), sn.tensor([3, 5])];
    const f = (p: sn.Tensor, q: sn.Tensor): sn.Tensor => {
      const both = sn.add(sn.add(p, q), sn.add(q, p));
      return sn.sum(sn.mul(sn.add(both, p), both));
    };
    const [da, db] = sn.grads(f)([a, b]);
    // (3p + 2q)(2p + 2q): by p 12p + 10q, by q 10p + 8q.
    expect([...da!.dataSync(), ...db!.dataSync()]).toEqual([42, 74, 34, 60]);
  });

  test('a gradient function may give a tensor of its own, or of the function it is for, again and again', () => {
    const fixed = sn.tensor([7, 8]);
    const f = sn.customGrad((x: sn.Tensor) => ({ value: sn.square(x), gradFunc: () => fixed }));
    const own = sn.customGrad((x: sn.Tensor, save: sn.GradSaveFunc) => {
      save([x]);
      return { value: sn.square(x), gradFunc: (_dy, saved) => saved[0]! };
    });
    const x = sn.tensor([1, 2]);
    for (let i = 0; i < 2; i++) {
      expect([
        ...sn
          .grad((v: sn.Tensor) => sn.sum(f(sn.mul(v, 2))))(x)
          .dataSync(),
      ]).toEqual([14, 16]);
      expect([
        ...sn
          .grad((v: sn.Tensor) => sn.sum(own(sn.mul(v, 3))))(x)
          .dataSync(),
      ]).toEqual([9, 18]);
    }
    expect([...fixed.dataSync()]).toEqual([7, 8]);
  });
});
