// The networks of all configurations: each can be built, and is the document's.
import { expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { buildNetwork } from '../../src/experiments/mnist-elu/network.js';
import { CONFIGURATIONS, trialsOf, type Configuration } from '../../src/experiments/mnist-elu/trials.js';

const X = (): sn.Tensor => sn.randomUniform([2, 28, 28, 1], 0, 256, 'int32', 5).cast('uint8');
const SLOPES = 26 * 26 * 32 + 11 * 11 * 64 + 256;

test.each(CONFIGURATIONS.map((configuration) => [configuration.label, configuration] as const))(
  '%s has the document’s layers and gives probabilities',
  (_label, configuration) => {
    const network = buildNetwork(configuration);
    const slopes = configuration.activation === 'prelu' ? SLOPES : 0;
    expect(network.countParams()).toBe(431_242 + slopes);
    const shapes = network.layers.map(({ outputShape }) => outputShape);
    expect(shapes).toContainEqual([null, 5, 5, 64]);
    const output = network.predict(X()) as sn.Tensor;
    expect(output.shape).toEqual([2, 10]);
    for (const sum of output.sum(1).dataSync()) expect(Math.abs(sum - 1)).toBeLessThan(1e-5);
    network.dispose();
  },
);

test('the activation and its alpha act: from the same weights each configuration’s output differs', () => {
  const byActivation = CONFIGURATIONS.filter(({ length, patience, initializer }) => {
    return length === 'short' && patience === undefined && initializer === 'heNormal';
  });
  const outputs = byActivation.map((configuration: Configuration) => {
    sn.setSeed(1);
    const network = buildNetwork(configuration);
    const values = [...(network.predict(X()) as sn.Tensor).dataSync()].map((value) => value.toFixed(6)).join();
    network.dispose();
    return [configuration.key, values] as const;
  });
  expect(outputs.map(([key]) => key)).toEqual(['relu-he', 'elu-he', 'elu-0.1-he', 'leaky-relu-he', 'prelu-he']);
  // PReLU's slopes start at 0, where it is ReLU.
  expect(new Map(outputs).get('prelu-he')).toBe(new Map(outputs).get('relu-he'));
  expect(new Set(outputs.map(([, values]) => values)).size).toBe(4);
});

test('trials have names of their own, and the sizes are what the document trained', () => {
  const settings = { experiment: 'mnist-elu', seed: 1, device: 'cpu' } as const;
  const full = trialsOf({ ...settings, size: 'full' });
  expect(new Set(full.map(({ name }) => name)).size).toBe(full.length);
  expect(full.filter(({ epochs }) => epochs === 250).map(({ configuration }) => configuration.dropout)).toEqual(
    Array<number>(9).fill(0.5),
  );
  const quick = trialsOf({ ...settings, size: 'quick' });
  expect(quick.map(({ configuration, epochs }) => [configuration.key, epochs])).toEqual([
    ['relu-glorot', 3],
    ['elu-glorot', 3],
    ['relu-he', 3],
    ['elu-he', 3],
  ]);
});
