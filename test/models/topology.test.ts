// Models that tfjs wrote: read, listed in its order, printed as it prints them, and written back.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import * as sn from '../../src/index.js';
import { modelFromTopology } from '../../src/models/model-json.js';
import './small-layers.js';

interface Stored {
  json: Record<string, unknown>;
  layers: string[];
  weights: { name: string; shape: number[] }[];
  trainable: string[];
  summary: string[];
}
function read(name: string): Record<string, Stored> {
  const file = fileURLToPath(new URL(`../fixtures/models/${name}.json`, import.meta.url));
  return (JSON.parse(readFileSync(file, 'utf8')) as { models: Record<string, Stored> }).models;
}
const stored = read('topology');

/** What either writer may add, and who wrote it. */
const INCIDENTAL = new Set(['dtype', 'trainable', 'sparse', 'keras_version', 'backend']);
function essence(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(essence);
  if (value === null || typeof value !== 'object') return value;
  const kept = Object.entries(value).filter(([key]) => !INCIDENTAL.has(key));
  return Object.fromEntries(kept.map(([key, item]) => [key, essence(item)]));
}

/** The table of tfjs: its positions, of which there is one more where the layers are no chain. */
function summaryOf(model: sn.Model, width?: number, positions?: number[]): string[] {
  const table = (given: number[]): string[] => {
    const lines: string[] = [];
    model.summary(width, given, (line) => lines.push(line));
    return lines;
  };
  if (positions !== undefined) return table(positions);
  const branched = table([0.24, 0.48, 0.7, 0.8, 1]);
  return branched[1]!.includes('Receives inputs') ? branched : table([0.32, 0.61, 0.89, 1]);
}

describe.each(Object.entries(stored))('the tfjs model %s', (name, { json, layers, weights, trainable, summary }) => {
  const model = modelFromTopology(json);

  it('has its layers and weights in the order tfjs has them', () => {
    expect(model.layers.map((layer) => layer.name)).toEqual(layers);
    expect(model.weights.map((w) => ({ name: w.name, shape: [...w.shape] }))).toEqual(weights);
    expect(model.trainableWeights.map((w) => w.name)).toEqual(trainable);
    expect(model.getWeights().map((w) => [...w.shape])).toEqual(weights.map(({ shape }) => shape));
  });

  it('is written back as it was', async () => {
    expect(essence(model.toJSON(null, false))).toEqual(essence(json));
    const again = await sn.models.modelFromJSON(model.toJSON());
    expect(again.toJSON()).toBe(model.toJSON());
    expect(again.trainableWeights.map((w) => w.name)).toEqual(trainable);
  });

  // Of a nested model tfjs lists calls that are not in this graph, and so 'multiple' shapes; we list the graph's own.
  const comparable = name === 'nested' ? summary.filter((line) => !/\((Model|Sequential)\)/.test(line)) : summary;
  it('is printed as tfjs prints it', () => {
    const lines = summaryOf(model);
    expect(name === 'nested' ? lines.filter((line) => !/\((Model|Sequential)\)/.test(line)) : lines).toEqual(
      comparable,
    );
  });
});

describe.each(Object.entries(read('tfjs-layers')))("the model %s of tfjs's own layers", (_name, found) => {
  const { json, layers, weights, trainable, summary } = found;
  const model = modelFromTopology(json);
  // Inside timeDistributed tfjs names weights after the wrapper.
  const nameOf = (name: string) => name.replace(/^step\//, 'steps/');

  it('has the layers, weights and shapes it has in tfjs', () => {
    expect(model.layers.map((layer) => layer.name)).toEqual(layers);
    expect(model.weights.map((w) => ({ name: nameOf(w.name), shape: [...w.shape] }))).toEqual(weights);
    expect(model.trainableWeights.map((w) => nameOf(w.name))).toEqual(trainable);
    expect(summaryOf(model)).toEqual(summary);
  });

  it('keeps every option that tfjs wrote', () => {
    const written = essence(model.toJSON(null, false));
    expect(missing(essence(json), written)).toEqual([]);
    const again = modelFromTopology(model.toJSON());
    expect(again.toJSON()).toBe(model.toJSON());
  });
});

/** Where `whole` lacks or changes what `part` has; null and [] say no more than nothing. */
function missing(part: unknown, whole: unknown, path = ''): string[] {
  if (part === null || (Array.isArray(part) && part.length === 0)) return [];
  if (typeof part !== 'object')
    return part === whole ? [] : [`${path}: ${JSON.stringify(part)} is ${JSON.stringify(whole)}`];
  if (whole === null || typeof whole !== 'object') return [`${path} is gone`];
  return Object.entries(part).flatMap(([key, value]) =>
    missing(value, (whole as Record<string, unknown>)[key], `${path}/${key}`),
  );
}

describe('summary', () => {
  it('shows the calls of nested models', () => {
    const lines = summaryOf(modelFromTopology(stored['nested']!.json)).map((line) => line.split(/ {2,}/).slice(0, 5));
    expect(lines).toContainEqual(['inner (Model)', '[[null,3]],[[null,3]]', '[null,4]', '24', 'a[0][0]']);
    expect(lines).toContainEqual(['tail (Sequential)', '[[null,4]]', '[null,2]', '10', 'sum[0][0]']);
  });

  it('takes a width and positions, as shares or characters', () => {
    const model = modelFromTopology(stored['chainOfInput']!.json);
    const lines = summaryOf(model, 40, [0.5, 0.7, 0.9, 1]);
    expect(lines[0]).toBe('_'.repeat(40));
    expect(lines[3]).toBe('in (InputLayer)     [[null, [null,3 0   ');
    expect(summaryOf(model, 40, [20, 28, 36, 40])).toEqual(lines);
  });

  it('goes to the console unless told otherwise', () => {
    const printed: string[] = [];
    vi.spyOn(console, 'log').mockImplementation((line: string) => void printed.push(line));
    modelFromTopology(stored['chain']!.json).summary(90, [0.32, 0.61, 0.89, 1]);
    expect(printed).toEqual(stored['chain']!.summary);
  });
});

describe('modelFromJSON', () => {
  const { json } = stored['chain']!;
  it('finds the model inside a model.json, and in Keras files with an optimizer', async () => {
    const expected = (await sn.models.modelFromJSON(json)).toJSON();
    const wrapped = [{ modelTopology: json }, { model_config: json }, { modelTopology: { model_config: json } }];
    for (const given of [...wrapped, ...wrapped.map((one) => JSON.stringify(one))]) {
      expect((await sn.models.modelFromJSON(given)).toJSON()).toBe(expected);
    }
  });

  it("reads Keras's names: Functional, and a chain that is a bare list", async () => {
    const functional = await sn.models.modelFromJSON({ ...stored['shared']!.json, class_name: 'Functional' });
    expect(functional.layers.map(({ name }) => name)).toEqual(stored['shared']!.layers);
    const { layers } = json['config'] as { layers: unknown };
    const bare = await sn.models.modelFromJSON({ class_name: 'Sequential', config: layers });
    expect(bare.layers.map(({ name }) => name)).toEqual(stored['chain']!.layers);
  });

  const cases: [string, unknown, RegExp][] = [
    ['text that is no JSON', '{"a', /^modelFromJSON: json: expected a model as JSON, got a text/],
    ['a number', 3, /^modelFromJSON: json: expected a model as JSON, got 3$/],
    ['an empty object', {}, /^modelFromJSON: json: expected a model's class_name and config, got undefined$/],
    [
      'a layer that is no model',
      { class_name: 'TestAdd', config: { name: 'add' } },
      /^modelFromJSON: class_name: expected a model, got "TestAdd"$/,
    ],
    [
      'an unknown layer',
      { class_name: 'Sequential', config: { layers: [{ class_name: 'Strange', config: {} }] } },
      /expected a registered layer class .*got "Strange"; .*registerLayer/,
    ],
    [
      'a chain without layers',
      { class_name: 'Sequential', config: { name: 'bad' } },
      /^bad: layers: expected an array of layers, got undefined$/,
    ],
    [
      'a graph without outputs',
      { class_name: 'Model', config: { name: 'bad', layers: [], input_layers: [] } },
      /^bad: outputLayers: expected an array, as in a functional model, got undefined$/,
    ],
    [
      'a call of a missing layer',
      {
        class_name: 'Model',
        config: {
          name: 'bad',
          layers: [{ name: 'add', class_name: 'TestAdd', config: {}, inbound_nodes: [[['gone', 0, 0, {}]]] }],
          input_layers: [],
          output_layers: [['add', 0, 0]],
        },
      },
      /^bad: layers: expected a layer named "gone", got "none"$/,
    ],
    [
      'a circle',
      {
        class_name: 'Model',
        config: {
          name: 'bad',
          layers: [{ name: 'add', class_name: 'TestAdd', config: {}, inbound_nodes: [[['add', 0, 0, {}]]] }],
          input_layers: [],
          output_layers: [['add', 0, 0]],
        },
      },
      /^bad: layers: the operands of add are made by no layer before them$/,
    ],
  ];
  it.each(cases)('refuses %s', async (_what, given, message) => {
    await expect(sn.models.modelFromJSON(given as never)).rejects.toThrow(message);
  });
});
