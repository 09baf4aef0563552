// Layers made with the same options as @tensorflow/tfjs's (stored) have its class names, options, weights and output shapes; and
// its configurations make our layers.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import type { Layer } from '../../src/layers/layer.js';
import { snakeCase } from '../../src/layers/naming.js';
import { layerFromConfig } from '../../src/layers/registry.js';
import type { SymbolicShape } from '../../src/layers/symbolic.js';
import { readFixtures } from '../harness/fixtures.js';

interface TfjsCase {
  layer: string;
  args: Record<string, unknown>;
  inputs: SymbolicShape[];
  className: string;
  config: Record<string, unknown>;
  outputShape: SymbolicShape;
  weights: { name: string; shape: number[]; trainable: boolean }[];
}
const cases = readFixtures<TfjsCase>('layers/tfjs-layers');
const factories = sn.layers as unknown as Record<string, (config: object) => Layer>;

/** What a configuration says, without its own name. */
const settings = ({ name, ...rest }: Record<string, unknown>): Record<string, unknown> => {
  expect(typeof name).toBe('string');
  return rest;
};

describe.each(cases.map((stored) => [`${stored.layer}(${JSON.stringify(stored.args)})`, stored] as const))(
  '%s',
  (_what, stored) => {
    const check = (layer: Layer): void => {
      const placeholders = stored.inputs.map((batchShape) => sn.input({ batchShape }));
      expect(layer.apply(placeholders).shape).toEqual(stored.outputShape);
      const weights = layer.weights.map(({ name, shape, trainable }) => ({ name, shape, trainable }));
      expect(weights).toEqual(stored.weights.map((w) => ({ ...w, name: `${layer.name}/${w.name}` })));
    };

    test('has the class name, the options, the weights and the output shape', () => {
      const layer = factories[stored.layer]!(stored.args);
      expect(layer.getClassName()).toBe(stored.className);
      expect(layer.name).toMatch(new RegExp(`^${snakeCase(stored.className)}_${stored.className}\\d+$`));
      expect(layer.getConfig()).toMatchObject(settings(stored.config));
      check(layer);
    });

    test('is made from the configuration that tfjs writes', () => {
      const layer = layerFromConfig({ className: stored.className, config: stored.config });
      expect(layer.getConfig()).toMatchObject(stored.config);
      check(layer);
    });
  },
);
