// Loss scaling: a scaled step is the step itself, a gradient that is not finite changes nothing, and scale and counts go on bit
// for bit. The scale lives on the device: a step reads nothing.
import { describe, expect, test, vi } from 'vitest';
import * as sn from '../../src/index.js';
import { currentBackend } from '../../src/tensor/device.js';
import { bits } from '../models/saved-models.js';
import { everyOptimizer } from './every-optimizer.js';

/** Two parameters, and a step of a loss that is not symmetric in them. */
function problem(name: string): { variables: sn.Variable[]; loss: () => sn.Tensor } {
  const w = sn.variable([[0.5, -1.25, 2]], true, `${name}/w`);
  const h = sn.variable([1.5, -0.5, 0.75], true, `${name}/h`);
  return { variables: [w, h], loss: () => sn.sum(sn.square(sn.add(sn.mul(w, h), [[1, 2, 3]]))) };
}

/** All that an optimizer and its variables are, bit for bit, but for the scale and its counts. */
async function standing(optimizer: sn.Optimizer, variables: readonly sn.Variable[]): Promise<unknown[]> {
  const weights = await optimizer.getWeights();
  const kept = weights.filter(({ name }) => !['loss_scale', 'good_steps', 'skipped_steps'].includes(name));
  return [...variables.map(bits), ...kept.map(({ name, tensor }) => [name, bits(tensor)])];
}

const variants = [
  ['as it is', {}],
  ['with decay, clipping and averages', { globalClipNorm: 3, weightDecay: 0.1, emaMomentum: 0.9 }],
  ['with each gradient clipped', { clipNorm: 0.5 }],
] as const;

describe.each(everyOptimizer)('%s', (name, make) => {
  test.each(variants)('takes the same steps with a scale, %s', async (_what, options) => {
    const plain = problem(`${name} plain`);
    const scaled = problem(`${name} plain`);
    const [first, second] = [make(options), make({ ...options, lossScaling: true })];
    for (let i = 0; i < 4; i++) {
      const cost = first.minimize(plain.loss, true)!;
      expect(bits(second.minimize(scaled.loss, true)!)).toBe(bits(cost));
    }
    expect(await standing(second, scaled.variables)).toEqual(await standing(first, plain.variables));
    expect(await second.lossScale).toBe(2 ** 15);
    expect(await first.lossScale).toBe(1);
  });

  test.each(variants)('leaves out a step whose gradient is not finite, %s', async (_what, options) => {
    const { variables, loss } = problem(`${name} left out`);
    const optimizer = make({ ...options, lossScaling: { initialScale: 1024 } });
    optimizer.minimize(loss);
    const before = await standing(optimizer, variables);
    for (const [i, bad] of [Infinity, -Infinity, NaN].entries()) {
      optimizer.applyGradients([
        { name: variables[0]!.name, tensor: sn.tensor([[1, bad, 2]]) },
        { name: variables[1]!.name, tensor: sn.tensor([1, 2, 3]) },
      ]);
      expect(await standing(optimizer, variables)).toEqual(before);
      expect(await optimizer.lossScale).toBe(512 / 2 ** i);
      expect(await optimizer.skippedSteps).toBe(i + 1);
      expect(optimizer.iterations).toBe(1);
    }
    optimizer.minimize(loss);
    expect(optimizer.iterations).toBe(2);
    expect(await standing(optimizer, variables)).not.toEqual(before);
  });
});

test('the scale doubles after as many steps as asked for, counted from the last change', async () => {
  const { variables, loss } = problem('growth');
  const optimizer = sn.train.sgd(1e-3, { lossScaling: { initialScale: 8, growthSteps: 3 } });
  const scales: number[] = [];
  for (let step = 1; step <= 9; step++) {
    if (step === 5) optimizer.applyGradients({ [variables[1]!.name]: sn.tensor([NaN, 0, 0]) });
    else optimizer.minimize(loss);
    scales.push(await optimizer.lossScale);
  }
  expect(scales).toEqual([8, 8, 16, 16, 8, 8, 8, 16, 16]);
});

test('a training with a scale goes on bit for bit', async () => {
  const options = { lossScaling: { initialScale: 64, growthSteps: 3 } };
  const { variables, loss } = problem('goes on');
  const optimizer = sn.train.adam(0.1, 0.9, 0.999, null, options);
  const bad = { 'goes on/h': sn.tensor([NaN, 0, 0]) };
  const rest = async (from: sn.Optimizer): Promise<unknown> => {
    from.minimize(loss);
    from.applyGradients(bad);
    for (let i = 0; i < 4; i++) from.minimize(loss);
    return [await standing(from, variables), await from.lossScale, await from.skippedSteps];
  };
  for (let i = 0; i < 2; i++) optimizer.minimize(loss);
  optimizer.applyGradients(bad);
  optimizer.minimize(loss);
  const weights = await optimizer.getWeights();
  expect(weights.slice(0, 4).map(({ name, tensor }) => [name, tensor.dataSync()[0]])).toEqual([
    ['iter', 3],
    ['loss_scale', 32],
    ['good_steps', 1],
    ['skipped_steps', 1],
  ]);
  const values = variables.map((variable) => sn.clone(variable));
  const wanted = await rest(optimizer);
  const resumed = sn.train.adam(0.1, 0.9, 0.999, null, options);
  await resumed.setWeights(weights);
  variables.forEach((variable, i) => variable.assign(values[i]!));
  expect(await rest(resumed)).toEqual(wanted);
  // In an optimizer that has taken other steps already.
  await optimizer.setWeights(weights);
  variables.forEach((variable, i) => variable.assign(values[i]!));
  expect(await rest(optimizer)).toEqual(wanted);
});

test('weights of an optimizer without a scale start it anew; with nonsense for a scale they are refused', async () => {
  const { loss } = problem('without');
  const plain = sn.train.sgd(0.1);
  plain.minimize(loss);
  const scaled = sn.train.sgd(0.1, { lossScaling: true });
  scaled.applyGradients({ 'without/h': sn.tensor([NaN, 0, 0]) });
  await scaled.setWeights(await plain.getWeights());
  expect(await scaled.lossScale).toBe(2 ** 15);
  expect(await scaled.skippedSteps).toBe(0);
  const weights = await scaled.getWeights();
  weights[1] = { name: 'loss_scale', tensor: sn.scalar(-1) };
  await expect(scaled.setWeights(weights)).rejects.toThrow(
    /^SGD: loss_scale: expected a finite number above 0, got -1$/,
  );
});

test('float16 gradients of float32 variables are looked at and unscaled in float32', async () => {
  const w = sn.variable([1, 2], true, 'float16 gradients');
  const optimizer = sn.train.sgd(1, { lossScaling: { initialScale: 2 ** 20 } });
  optimizer.applyGradients({ [w.name]: sn.tensor([2 ** 15, 2 ** -10], [2], 'float16') });
  // Unscaled in float16, the second would be 0.
  expect([...w.dataSync()]).toEqual([1 - 2 ** -5, 2]);
  w.assign([0, 0]);
  optimizer.applyGradients({ [w.name]: sn.tensor([2 ** 15, 2 ** -10], [2], 'float16') });
  expect([...w.dataSync()]).toEqual([-(2 ** -5), -(2 ** -30)]);
  optimizer.applyGradients({ [w.name]: sn.tensor([70000, 0], [2], 'float16') });
  expect(await optimizer.skippedSteps).toBe(1);
});

test('a step reads nothing from the device', () => {
  const { loss } = problem('reads nothing');
  const optimizer = sn.train.adam(0.1, 0.9, 0.999, null, { lossScaling: true, clipNorm: 1 });
  optimizer.minimize(loss);
  const { addon } = currentBackend();
  const spies = (['readSync', 'readAsync'] as const).map((name) => vi.spyOn(addon, name));
  try {
    for (let i = 0; i < 3; i++) optimizer.minimize(loss);
    for (const spy of spies) expect(spy).not.toHaveBeenCalled();
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
});

test('a float16 loss is scaled in float32, and gradients by hand are those of the scaled loss', async () => {
  const w = sn.variable([2], true, 'by hand', 'float32');
  const optimizer = sn.train.sgd(0.5, { lossScaling: true });
  const loss = (): sn.Tensor => sn.sum(sn.square(w.cast('float16')));
  const scaled = optimizer.scaleLoss(loss());
  expect([scaled.dtype, scaled.dataSync()[0]]).toEqual(['float32', 4 * 2 ** 15]);
  const { value, grads } = optimizer.computeGradients(loss);
  expect(value.dataSync()[0]).toBe(4);
  // 4 * 2^15 is beyond float16: the step is left out, and one with half the scale is taken.
  expect(grads['by hand']!.dataSync()[0]).toBe(Infinity);
  optimizer.applyGradients(grads);
  optimizer.applyGradients(optimizer.computeGradients(loss).grads);
  optimizer.applyGradients(optimizer.computeGradients(loss).grads);
  expect([w.dataSync()[0], await optimizer.skippedSteps, optimizer.iterations]).toEqual([0, 2, 1]);
});

test.each([
  [{ lossScaling: 2 }, 'lossScaling: expected a boolean or {initialScale, growthSteps}, got 2'],
  [{ lossScaling: { initialScale: 1000 } }, 'lossScaling.initialScale: expected a power of two'],
  [{ lossScaling: { initialScale: 0 } }, 'lossScaling.initialScale: expected a power of two'],
  [{ lossScaling: { growthSteps: 0.5 } }, 'lossScaling.growthSteps: expected an integer of at least 1, got 0.5'],
  [{ lossScaling: { grows: 1 } }, 'lossScaling: expected only initialScale, growthSteps, got "grows"'],
])('refuses %j', (options, message) => {
  expect(() => sn.train.sgd(0.1, options as sn.OptimizerOptions)).toThrow(`train.sgd: ${message}`);
});

const half = (): sn.layers.Layer => sn.layers.dense({ units: 2, dtype: 'mixed_float16', inputShape: [3] });

describe('a compiled model', () => {
  test.each([
    ['scales where a layer computes in float16', half(), undefined, 2 ** 15],
    ['does not in bfloat16', sn.layers.dense({ units: 2, dtype: 'mixed_bfloat16', inputShape: [3] }), undefined, 1],
    ['does not in float32', sn.layers.dense({ units: 2, inputShape: [3] }), undefined, 1],
    ['does not where the options forbid it', half(), false, 1],
    ['begins where the options say', half(), { initialScale: 4 }, 4],
    ['looks into models and wrappers', sn.sequential({ layers: [half()] }), undefined, 2 ** 15],
  ] as const)('%s', async (_what, layer, lossScaling, scale) => {
    const optimizer = sn.train.sgd(0.1, { lossScaling });
    const model = sn.sequential({ layers: [layer] });
    model.compile({ optimizer, loss: 'meanSquaredError' });
    expect(await model.optimizer.lossScale).toBe(scale);
  });

  test('scales where a float16 layer came after compile', async () => {
    const model = sn.sequential({ layers: [sn.layers.dense({ units: 3, inputShape: [3] })] });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    model.add(half());
    // Without a gradient, whatever the first weights are: nothing overflows.
    await model.trainOnBatch(sn.zeros([2, 3]), sn.zeros([2, 2]));
    expect(await model.optimizer.lossScale).toBe(2 ** 15);
  });

  test('leaves weights, slots and constrained weights alone in a skipped step, and says so in its history', async () => {
    const constraint = sn.constraints.unitNorm({ axis: 0 });
    const model = sn.sequential({
      layers: [
        sn.layers.dense({ units: 5, dtype: 'mixed_float16', inputShape: [3], kernelConstraint: constraint }),
        sn.layers.dense({ units: 2, dtype: 'mixed_float16', kernelConstraint: 'nonNeg' }),
      ],
    });
    const optimizer = sn.train.adam(0.1, 0.9, 0.999, null, { lossScaling: { initialScale: 64 } });
    model.compile({ optimizer, loss: 'meanSquaredError' });
    const y = sn.ones([4, 2]);
    await model.trainOnBatch(sn.randomNormal([4, 3]), y);
    // Not on the constraint's surface: applying it would be seen.
    model.weights[0]!.assign(sn.mul(model.weights[0]!, 1.5));
    const before = await standing(model.optimizer, model.weights);
    const { history } = await model.fit(sn.fill([4, 3], 1e30), y, { epochs: 3, verbose: 0 });
    expect(await standing(model.optimizer, model.weights)).toEqual(before);
    expect(history['skippedSteps']).toEqual([1, 2, 3]);
    expect(history['lossScale']).toEqual([32, 16, 8]);
    await model.trainOnBatch(sn.randomNormal([4, 3]), y);
    expect(await standing(model.optimizer, model.weights)).not.toEqual(before);
  });
});
