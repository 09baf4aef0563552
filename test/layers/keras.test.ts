// Every layer against Keras (stored, float64): output, gradients of inputs and weights, and statistics that a step leaves behind.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import type { Tensor } from '../../src/index.js';
import { layerFromConfig } from '../../src/layers/registry.js';
import type { Layer } from '../../src/layers/layer.js';
import { expectClose } from '../harness/compare.js';
import { load, readFixtures, type StoredTensor, numbers } from '../harness/fixtures.js';

interface LayerCase {
  layer: string;
  name: string;
  config: Record<string, unknown>;
  training: boolean;
  inputs: StoredTensor[];
  weights: StoredTensor[];
  output: StoredTensor;
  dy: StoredTensor;
  inputGradients: StoredTensor[];
  weightGradients: StoredTensor[];
  weightsAfter?: StoredTensor[];
}
const FLOATS = ['float64', 'float32'] as const;
type Float = (typeof FLOATS)[number];

const cases = readFixtures<LayerCase>('layers/layers');
const factories = sn.layers as unknown as Record<string, (config: object) => Layer>;

/** The options with the dtype under test, in an inner layer too. */
function withDType(config: Record<string, unknown>, dtype: Float): Record<string, unknown> {
  const inner = config['layer'] as { className: string; config: Record<string, unknown> } | undefined;
  const options = { ...config, dtype };
  return inner === undefined ? options : { ...options, layer: { ...inner, config: { ...inner.config, dtype } } };
}

/** The case's layer, built for its inputs, with its weights. */
function make(stored: LayerCase, float: Float): { layer: Layer; inputs: Tensor[] } {
  const layer = factories[stored.layer]!(withDType(stored.config, float));
  const inputs = stored.inputs.map((x) => load(x, float));
  layer.buildOnce(inputs.map((x) => x.shape));
  layer.setWeights(stored.weights.map((w) => load(w, float)));
  return { layer, inputs };
}

function check(what: string, actual: Tensor, expected: StoredTensor, float: Float, seed?: StoredTensor): void {
  const leastScale = seed === undefined ? 0 : Math.max(...numbers(seed).map(Math.abs), 0);
  const host = { shape: actual.shape, data: actual.dataSync() };
  expectClose(what, host, { shape: expected.shape, data: numbers(expected) }, float, 'composite', leastScale);
}

describe.each(FLOATS)('in %s', (float) => {
  test.each(cases.map((stored) => [`${stored.layer}: ${stored.name}`, stored] as const))('%s', (_what, stored) => {
    const { training, dy: seed } = stored;
    const { layer, inputs } = make(stored, float);
    const single = (xs: readonly Tensor[]): Tensor => layer.apply(xs, { training });
    const dy = load(seed, float);

    const y = single(inputs);
    expect(y.dtype).toBe(float);
    check('output', y, stored.output, float);
    stored.weightsAfter?.forEach((w, i) => check(layer.weights[i]!.name, layer.weights[i]!, w, float));

    const floats = inputs.filter((x) => x.dtype === float);
    expect(floats.length).toBe(stored.inputGradients.length);
    if (floats.length === inputs.length) {
      const found = sn.grads((...xs) => single(xs).mul(dy).sum())(inputs);
      found.forEach((g, i) => check(`gradient of input ${i}`, g, stored.inputGradients[i]!, float, seed));
    }
    const trained = layer.trainableWeights;
    expect(trained.length).toBe(stored.weightGradients.length);
    if (trained.length === 0) return;
    const { grads } = sn.variableGrads(() => single(inputs).mul(dy).sum());
    trained.forEach((w, i) => check(`gradient of ${w.name}`, grads[w.name]!, stored.weightGradients[i]!, float, seed));
  });
});

describe('a layer made again from its configuration', () => {
  test.each(cases.map((stored) => [`${stored.layer}: ${stored.name}`, stored] as const))('%s', (_what, stored) => {
    const { layer, inputs } = make(stored, 'float64');
    const config = JSON.parse(JSON.stringify(layer.getConfig())) as Record<string, unknown>;
    const again = layerFromConfig({ className: layer.getClassName(), config });
    expect(again.name).toBe(layer.name);
    expect(again.dtype).toBe('float64');
    expect(again.getConfig()).toEqual(config);
    again.buildOnce(inputs.map((x) => x.shape));
    again.setWeights(layer.getWeights());
    const { training } = stored;
    const [ours, theirs] = [layer, again].map((one) => one.apply<Tensor>(inputs, { training }));
    expect(theirs!.arraySync()).toEqual(ours!.arraySync());
  });
});
