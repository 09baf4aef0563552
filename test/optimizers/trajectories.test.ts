// Ten steps of each optimizer against Keras's rules in float64, in float64 and float32, and what a step must not do.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { expectWithin } from '../harness/compare.js';
import { load, lookUp, numbers, readFixtures, type StoredTensor } from '../harness/fixtures.js';

interface Trajectory {
  op: string;
  name: string;
  inputs: StoredTensor[];
  args: Record<string, number | boolean>;
  constants: StoredTensor[];
  trajectory: { loss: number; parameters: StoredTensor[] }[];
}

const cases = readFixtures<Trajectory>('optimizers');

describe.each(['float64', 'float32'] as const)('%s', (dtype) => {
  test.each(cases)('$op: $name', ({ op, inputs, args, constants, trajectory }) => {
    const [w, b] = inputs.map((input) => sn.variable(load(input, dtype))) as [sn.Variable, sn.Variable];
    const [x, y] = constants.map((constant) => load(constant, dtype)) as [sn.Tensor, sn.Tensor];
    const optimizer = lookUp(op)!(...Object.values(args)) as sn.Optimizer;
    const quartic = (t: sn.Tensor): sn.Tensor => sn.sum(sn.square(sn.square(t)));
    const loss = (): sn.Tensor => {
      const fit = sn.mean(sn.square(sn.sub(sn.add(sn.matMul(x, w), b), y)));
      return sn.add(fit, sn.mul(sn.add(quartic(w), quartic(b)), 0.1));
    };
    // Keras rounds its betas to float32; the stored steps are of the exact rule.
    const tolerance = 1e-5;
    trajectory.forEach((expected, step) => {
      const cost = optimizer.minimize(loss, true)!.dataSync()[0]!;
      expect(Math.abs(cost - expected.loss)).toBeLessThan(tolerance * Math.max(1, expected.loss));
      expected.parameters.forEach((parameter, i) => {
        const actual = [w, b][i]!;
        expectWithin(
          `parameter ${i} after step ${step + 1}`,
          { shape: actual.shape, data: actual.dataSync() },
          { shape: parameter.shape, data: numbers(parameter) },
          (reference) => tolerance * Math.max(1, Math.abs(reference)),
        );
      });
    });
    expect(optimizer.iterations).toBe(trajectory.length);
  });
});

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
  });

  test('updates more parameters than a launch or a call holds', () => {
    const variables = Array.from({ length: 300 }, (_, i) => sn.variable(sn.fill([i + 1], 1)));
    const adam = sn.train.adam(0.1);
    adam.minimize(() => variables.map((v) => sn.sum(v)).reduce((a, b) => sn.add(a, b)));
    for (const variable of variables) {
      for (const value of variable.dataSync()) expect(Math.abs(value - 0.9)).toBeLessThan(1e-5);
    }
  });

  test('keeps NaN visible', () => {
    const w = sn.variable([1, 1]);
    sn.train.adam(0.1).minimize(() => sn.sum(sn.mul(w, sn.tensor([NaN, 1]))));
    const [first, second] = w.dataSync();
    expect(first).toBeNaN();
    expect(second).toBeLessThan(1);
  });

  test('takes gradients by name, and refuses those of another shape', () => {
    const w = sn.variable([1, 2], true, 'weights of this test');
    const { grads } = sn.variableGrads(() => sn.sum(sn.square(w)));
    const sgd = sn.train.sgd(0.5);
    sgd.applyGradients(grads);
    expect([...w.dataSync()]).toEqual([0, 0]);
    expect(() => sgd.applyGradients({ 'weights of this test': sn.ones([3]) })).toThrow(/shape \[2\]/);
    expect(() => sgd.applyGradients({ nobody: sn.ones([3]) })).toThrow(/nobody/);
  });

  test('trains half-precision parameters with float32 moments', () => {
    const w = sn.variable(sn.ones([8], 'bfloat16'));
    const adam = sn.train.adam(0.01);
    for (let i = 0; i < 200; i++) adam.minimize(() => sn.sum(sn.square(w)));
    for (const value of w.dataSync()) expect(Math.abs(value)).toBeLessThan(0.2);
  });

  test('leaves no tensors behind', () => {
    const w = sn.variable([1, 2]);
    const adam = sn.train.adam(0.01);
    const step = (): void => void adam.minimize(() => sn.sum(sn.square(w)));
    step();
    const before = sn.memory().numTensors;
    for (let i = 0; i < 10; i++) step();
    expect(sn.memory().numTensors).toBe(before);
  });
});
