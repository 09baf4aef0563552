// Training that was stopped goes on bit for bit from configuration, weights and variables; weights of other optimizers are refused.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { getOptimizer } from '../../src/optimizers/get-optimizer.js';
import { everyOptimizer } from './every-optimizer.js';

const bits = (t: sn.Tensor): number[] => [...new Uint8Array(Float64Array.from(t.dataSync()).buffer)];

/** Two parameters of two dtypes, and a step of a loss that is not symmetric in them. */
function problem(name: string): { variables: sn.Variable[]; step: (optimizer: sn.Optimizer) => void } {
  const w = sn.variable([[0.5, -1.25, 2]], true, `${name}/w`);
  const h = sn.variable(sn.tensor([1.5, -0.5, 0.75], undefined, 'float64'), true, `${name}/h`);
  const loss = (): sn.Tensor =>
    sn.sum(sn.square(sn.add(sn.mul(w.cast('float64'), h), sn.tensor([[1, 2, 3]], undefined, 'float64'))));
  return { variables: [w, h], step: (optimizer) => void optimizer.minimize(loss) };
}

describe.each(everyOptimizer)('%s', (name, make) => {
  test.each([
    ['as it is', {}, undefined],
    [
      'with a schedule, decay, clipping and averages',
      { globalClipNorm: 3, weightDecay: 0.1, emaMomentum: 0.9 },
      sn.train.schedules.cosineDecay(0.05, 9),
    ],
  ])('goes on bit for bit, %s', async (_what, options, rate) => {
    const through = problem(`${name} through`);
    const optimizer = make(options, rate);
    for (let i = 0; i < 3; i++) through.step(optimizer);
    const values = through.variables.map((v) => sn.clone(v));
    const weights = await optimizer.getWeights();
    const config = JSON.parse(JSON.stringify(optimizer.getConfig())) as Record<string, unknown>;
    for (let i = 0; i < 4; i++) through.step(optimizer);

    // In another optimizer with variables of its own, and back in the first one.
    const later = problem(`${name} through`);
    later.variables.forEach((v, i) => v.assign(values[i]!));
    const resumed = getOptimizer({ className: optimizer.className, config });
    await resumed.setWeights(weights);
    expect(resumed.iterations).toBe(3);
    for (let i = 0; i < 4; i++) later.step(resumed);
    expect(later.variables.map(bits)).toEqual(through.variables.map(bits));

    const end = await optimizer.getWeights();
    through.variables.forEach((v, i) => v.assign(values[i]!));
    await optimizer.setWeights(weights);
    for (let i = 0; i < 4; i++) through.step(optimizer);
    expect(through.variables.map(bits)).toEqual(later.variables.map(bits));
    for (const state of [await optimizer.getWeights(), await resumed.getWeights()]) {
      expect(state.map((one) => [one.name, bits(one.tensor)])).toEqual(end.map((one) => [one.name, bits(one.tensor)]));
    }
  });
});

describe('weights', () => {
  const trained = (optimizer: sn.Optimizer, name: string): sn.Variable => {
    const w = sn.variable([1, 2], true, name);
    optimizer.minimize(() => sn.sum(sn.square(w)));
    return w;
  };

  test('are named as in tfjs', async () => {
    const names = async (optimizer: sn.Optimizer): Promise<string[]> => {
      trained(optimizer, 'dense/kernel');
      return (await optimizer.getWeights()).map(({ name }) => name);
    };
    expect(await names(sn.train.adam())).toEqual(['iter', 'dense/kernel/m', 'dense/kernel/v']);
    expect(await names(sn.train.sgd(0.1, { emaMomentum: 0.5 }))).toEqual(['iter', 'dense/kernel/average']);
    expect(await names(sn.train.nadam())).toEqual(['iter', 'momentum_product', 'dense/kernel/m', 'dense/kernel/v']);
    expect(await names(sn.train.rmsprop(0.1, 0.9, 0.9, null, true))).toEqual([
      'iter',
      'dense/kernel/rms',
      'dense/kernel/mg',
      'dense/kernel/momentum',
    ]);
  });

  test('from before the first step make a used optimizer a new one', async () => {
    const fresh = await sn.train.adagrad(0.1).getWeights();
    const optimizer = sn.train.adagrad(0.1);
    const w = trained(optimizer, 'used');
    const after = [...w.dataSync()];
    w.assign([1, 2]);
    await optimizer.setWeights(fresh);
    optimizer.minimize(() => sn.sum(sn.square(w)));
    expect([...w.dataSync()]).toEqual(after);
    expect(optimizer.iterations).toBe(1);
  });

  test.each<[string, (weights: sn.NamedTensor[]) => unknown, RegExp]>([
    ['nothing', () => undefined, /weights: expected a list/],
    ['an empty list', () => [], /weights: expected a list/],
    ['no tensors', () => [1, 2], /weights: expected a list/],
    ['no step count', (weights) => weights.slice(1), /'iter' first, got "kept\/m"/],
    [
      'a step count of half',
      (weights) => [{ name: 'iter', tensor: sn.scalar(0.5) }, ...weights.slice(1)],
      /iter: expected the number of steps/,
    ],
    [
      'a slot of another shape',
      ([iter, , v]) => [iter, { name: 'kept/m', tensor: sn.ones([3]) }, v],
      /kept\/m: expected shape \[2\], got \[3\]/,
    ],
    [
      'slots of another optimizer',
      ([iter]) => [iter, { name: 'kept/rms', tensor: sn.ones([2]) }],
      /expected \.\.\.\/m, \.\.\.\/v.*, got "kept\/rms"/,
    ],
    ['averages of none', ([iter]) => [iter, { name: 'kept/average', tensor: sn.ones([2]) }], /"kept\/average"/],
  ])('that are %s are refused and change nothing', async (_name, spoil, message) => {
    const optimizer = sn.train.adam(0.1);
    trained(optimizer, 'kept');
    const before = await optimizer.getWeights();
    await expect(optimizer.setWeights(spoil(await optimizer.getWeights()) as sn.NamedTensor[])).rejects.toThrow(
      message,
    );
    const after = await optimizer.getWeights();
    expect(after.map((one) => [one.name, bits(one.tensor)])).toEqual(before.map((one) => [one.name, bits(one.tensor)]));
  });

  test('of another shape that wait for a variable are refused when it comes, before anything moves', async () => {
    const optimizer = sn.train.adam(0.1);
    await optimizer.setWeights([
      { name: 'iter', tensor: sn.scalar(2, 'int32') },
      { name: 'late/m', tensor: sn.ones([5]) },
    ]);
    const [early, late] = [sn.variable([1], true, 'early'), sn.variable([1, 2], true, 'late')];
    expect(() => optimizer.minimize(() => sn.add(sn.sum(early), sn.sum(late)))).toThrow(
      /late\/m: expected shape \[2\]/,
    );
    expect([...early.dataSync(), ...late.dataSync()]).toEqual([1, 1, 2]);
    expect(optimizer.iterations).toBe(2);
  });
});
