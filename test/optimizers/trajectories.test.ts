// Ten steps of each optimizer against Keras's rules in float64, in float64 and float32.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { expectWithin } from '../harness/compare.js';
import { load, lookUp, numbers, readFixtures, type StoredTensor } from '../harness/fixtures.js';

interface Trajectory {
  op: string;
  name: string;
  inputs: StoredTensor[];
  args: Record<string, unknown>;
  constants: StoredTensor[];
  trajectory: { loss: number; parameters: StoredTensor[] }[];
  averages?: StoredTensor[];
}

const cases = readFixtures<Trajectory>('optimizers');

/** The factory's arguments in its own order: options last, after what the case leaves to the defaults. */
function make(op: string, args: Record<string, unknown>): sn.Optimizer {
  const { learningRate, options, ...own } = args;
  const rate = Array.isArray(learningRate)
    ? lookUp(`train.schedules.${String(learningRate[0])}`)!(...(learningRate.slice(1) as unknown[]))
    : learningRate;
  const positional = { 'train.adamax': [0], 'train.momentum': [] }[op] ?? [];
  return lookUp(op)!(rate, ...Object.values(own), ...positional, options) as sn.Optimizer;
}

const quartic = (t: sn.Tensor): sn.Tensor => sn.sum(sn.square(sn.square(t)));

describe.each(['float64', 'float32'] as const)('%s', (dtype) => {
  test.each(cases)('$op: $name', ({ op, inputs, args, constants, trajectory, averages }) => {
    const parameters = inputs.map((input) => sn.variable(load(input, dtype)));
    const [w, b] = parameters as [sn.Variable, sn.Variable];
    const [x, y] = constants.map((constant) => load(constant, dtype)) as [sn.Tensor, sn.Tensor];
    const optimizer = make(op, args);
    const loss = (): sn.Tensor => {
      const fit = sn.mean(sn.square(sn.sub(sn.add(sn.matMul(x, w), b), y)));
      return sn.add(fit, sn.mul(sn.add(quartic(w), quartic(b)), 0.1));
    };
    const tolerance = dtype === 'float64' ? 1e-11 : 1e-5;
    const expectStored = (what: string, stored: readonly StoredTensor[]): void =>
      stored.forEach((expected, i) => {
        const { shape } = parameters[i]!;
        const actual = { shape, data: parameters[i]!.dataSync() };
        expectWithin(
          `parameter ${i} ${what}`,
          actual,
          { shape: expected.shape, data: numbers(expected) },
          (reference) => {
            return tolerance * Math.max(1, Math.abs(reference));
          },
        );
      });
    trajectory.forEach((expected, step) => {
      const cost = optimizer.minimize(loss, true)!.dataSync()[0]!;
      expect(Math.abs(cost - expected.loss)).toBeLessThan(tolerance * Math.max(1, expected.loss));
      expectStored(`after step ${step + 1}`, expected.parameters);
    });
    expect(optimizer.iterations).toBe(trajectory.length);
    if (averages !== undefined) {
      expect(optimizer.swapAverages()).toBe(true);
      expectStored('as its average', averages);
      expect(optimizer.swapAverages()).toBe(false);
      expectStored('back', trajectory.at(-1)!.parameters);
    }
  });
});
