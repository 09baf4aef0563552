// What a step of any optimizer must do and must not: many parameters, half types, NaN, names, memory.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { everyOptimizer } from './every-optimizer.js';

const sumOf = (variables: readonly sn.Tensor[]): sn.Tensor =>
  variables.map((v) => sn.sum(v)).reduce((a, b) => sn.add(a, b));

describe('a step', () => {
  test('changes only variables that the loss uses and that are trainable', () => {
    const [used, unused] = [sn.variable([1, 2]), sn.variable([1, 2])];
    const frozen = sn.variable([3, 4], false);
    sn.train.sgd(0.5).minimize(() => sn.sum(sn.mul(used, frozen)));
    expect([...used.dataSync()]).toEqual([-0.5, 0]);
    expect([...unused.dataSync(), ...frozen.dataSync()]).toEqual([1, 2, 3, 4]);
  });

  test('follows a learning rate that changes', () => {
    const w = sn.variable([1]);
    const sgd = sn.train.sgd(0.5);
    sgd.minimize(() => sn.sum(w));
    sgd.learningRate = 0.25;
    sgd.minimize(() => sn.sum(w));
    expect(w.dataSync()[0]).toBe(0.25);
    sgd.learningRate = sn.train.schedules.piecewiseConstant([2], [0.125, 0.5]);
    sgd.minimize(() => sn.sum(w));
    expect(w.dataSync()[0]).toBe(0.125);
    sgd.minimize(() => sn.sum(w));
    expect(w.dataSync()[0]).toBe(-0.375);
    expect([sgd.learningRate, sgd.schedule?.at(0)]).toEqual([0.5, 0.125]);
    sgd.learningRate = 0.75;
    expect([sgd.learningRate, sgd.schedule]).toEqual([0.75, null]);
  });

  test('takes gradients by name, and refuses those of another shape', () => {
    const w = sn.variable([1, 2], true, 'weights of this test');
    const { grads } = sn.variableGrads(() => sn.sum(sn.square(w)));
    const sgd = sn.train.sgd(0.5);
    sgd.applyGradients(grads);
    expect([...w.dataSync()]).toEqual([0, 0]);
    expect(() => sgd.applyGradients({ 'weights of this test': sn.ones([3]) })).toThrow(/shape \[2\]/);
    expect(() => sgd.applyGradients({ nobody: sn.ones([3]) })).toThrow(/nobody/);
    expect(sgd.iterations).toBe(1);
  });

  test('that is refused changes no parameter and is not counted', () => {
    const [a, b] = [sn.variable([1], true, 'first of a refused step'), sn.variable([1], true, 'second of it')];
    const adam = sn.train.adam(0.1);
    const gradients = { [a.name]: sn.ones([1]), [b.name]: sn.ones([2]) };
    expect(() => adam.applyGradients(gradients)).toThrow(/second of it/);
    expect([...a.dataSync(), ...b.dataSync()]).toEqual([1, 1]);
    expect(adam.iterations).toBe(0);
  });

  test('counts once however many dtypes and calls it takes', () => {
    const variables = (['float32', 'float64', 'float16'] as const).map((dtype) =>
      sn.variable([1], true, undefined, dtype),
    );
    const many = Array.from({ length: 130 }, () => sn.variable([1]));
    const adam = sn.train.adam(0.1);
    adam.minimize(() => sumOf([...variables, ...many].map((v) => v.cast('float32'))));
    expect(adam.iterations).toBe(1);
    for (const v of [...variables, ...many]) expect(Math.abs(v.dataSync()[0]! - 0.9)).toBeLessThan(1e-3);
  });
});

describe.each(everyOptimizer)('%s', (_name, make) => {
  test('gives each of more parameters than a launch or a call holds what it gives one alone', () => {
    const values = (i: number): number[] =>
      Array.from({ length: (i % 7) + (i % 50 === 49 ? 5000 : 1) }, (_, k) => Math.sin(i + k));
    const variables = Array.from({ length: 300 }, (_, i) => sn.variable(values(i)));
    const together = make();
    for (let step = 0; step < 2; step++) together.minimize(() => sumOf(variables.map((v) => sn.square(v))));
    for (const i of [0, 59, 63, 64, 119, 120, 128, 249, 299]) {
      const alone = sn.variable(values(i));
      const single = make();
      for (let step = 0; step < 2; step++) single.minimize(() => sn.sum(sn.square(alone)));
      expect(variables[i]!.dataSync()).toEqual(alone.dataSync());
    }
  });

  test.each(['float16', 'bfloat16'] as const)(
    'minimizes over %s parameters, with its slots in float32',
    async (dtype) => {
      const w = sn.variable(sn.ones([9], dtype));
      const optimizer = make();
      for (let i = 0; i < 150; i++) optimizer.minimize(() => sn.sum(sn.square(w)));
      for (const value of w.dataSync()) expect(Math.abs(value)).toBeLessThan(0.3);
      const [, ...slots] = (await optimizer.getWeights()).filter(({ name }) => name !== 'momentum_product');
      for (const { tensor } of slots) expect(tensor.dtype).toBe('float32');
    },
  );

  test('keeps NaN visible, in its own element only', () => {
    const w = sn.variable([1, 1, 1]);
    const optimizer = make();
    optimizer.minimize(() => sn.sum(sn.mul(w, sn.tensor([1, NaN, 1]))));
    const [first, second, third] = w.dataSync();
    expect(second).toBeNaN();
    expect(first).toBeLessThan(1);
    expect(third).toBe(first);
  });

  test('leaves an empty parameter alone', () => {
    const [empty, w] = [sn.variable(sn.zeros([0, 3])), sn.variable([1])];
    make().minimize(() => sn.add(sn.sum(empty), sn.sum(w)));
    expect(empty.shape).toEqual([0, 3]);
    expect(w.dataSync()[0]).toBeLessThan(1);
  });

  test('leaves no tensors behind', () => {
    const w = sn.variable([1, 2]);
    const h = sn.variable(sn.ones([2], 'float16'));
    const optimizer = make({ globalClipNorm: 0.5, emaMomentum: 0.9 });
    const step = (): void => void optimizer.minimize(() => sn.sum(sn.square(sn.mul(w, h.cast('float32')))));
    const outside = sn.memory().numTensors;
    step();
    const before = sn.memory().numTensors;
    for (let i = 0; i < 5; i++) step();
    expect(sn.memory().numTensors).toBe(before);
    optimizer.dispose();
    expect(sn.memory().numTensors).toBe(outside);
  });
});
