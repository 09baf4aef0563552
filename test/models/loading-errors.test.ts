// Damaged and mismatched model files: each is refused with one line that names the file, and nothing stays on the device.
import { cpSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { liveTensors } from '../harness/live-tensors.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'selfnorm-damaged-'));
  path = join(folder, 'net');
  await net('first', 3).save(path);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function net(name: string, units: number): sn.Model {
  const { dense } = sn.layers;
  return sn.sequential({ layers: [dense({ units, inputShape: [2], name }), dense({ units: 1, name: 'last' })] });
}

const json = (): string => `${path}.json`;
const weights = (): string => `${path}.safetensors`;
/** Changes the JSON file's object; the digest stays, as when a person edits it. */
function edit(change: (file: { modelTopology: Topology } & Record<string, unknown>) => unknown): void {
  const file = JSON.parse(readFileSync(json(), 'utf8')) as Parameters<typeof change>[0];
  writeFileSync(json(), JSON.stringify(change(file) ?? file));
}
interface Topology {
  class_name: string;
  config: { layers: { class_name: string; config: Record<string, unknown> }[] };
}

describe('a model whose files are', () => {
  test.each<[string, () => void, RegExp]>([
    ['not there', () => [json(), weights()].forEach((file) => rmSync(file)), /net\.json: the file does not exist$/],
    ['without weights', () => rmSync(weights()), /read: .*net\.safetensors: the file does not exist$/],
    ['empty JSON', () => writeFileSync(json(), ''), /net\.json: expected a model as JSON: /],
    ['cut JSON', () => truncateSync(json(), 100), /net\.json: expected a model as JSON: /],
    ['another JSON', () => writeFileSync(json(), '[1]'), /net\.json: expected a model as JSON, got \[1\]/],
    ['no model', () => edit(() => ({ a: 1 })), /net\.json: .*class_name and config, got undefined/],
    ['a graph model', () => edit((file) => void (file['format'] = 'graph-model')), /format: .*got "graph-model"/],
    [
      'of an unknown layer',
      () => edit((file) => void (file.modelTopology.config.layers[0]!.class_name = 'Dens')),
      /net\.json: .*Dens/,
    ],
    [
      'of an unknown model',
      () => edit((file) => void (file.modelTopology.class_name = 'Flatten')),
      /net\.json: class_name: expected a model, got "Flatten"/,
    ],
    [
      'with a bad option',
      () => edit((file) => void (file.modelTopology.config.layers[0]!.config['units'] = -3)),
      /net\.json: .*units: .*got -3/,
    ],
    [
      'with a layer that is none',
      () => edit((file) => void ((file.modelTopology.config.layers as unknown[])[0] = null)),
      /net\.json: .*expected .*got null/,
    ],
    [
      'with a layer without a configuration',
      () => edit((file) => void Object.assign(file.modelTopology.config.layers[0]!, { config: null })),
      /net\.json: .*expected /,
    ],
    [
      'of other sizes',
      () => edit((file) => void (file.modelTopology.config.layers[0]!.config['units'] = 5)),
      /net\.safetensors: weights of .*: has other shapes: first\/kernel \(expected \[2,5\], got \[2,3\]\), first\/bias/,
    ],
    [
      'of other names',
      () => edit((file) => void (file.modelTopology.config.layers[1]!.config['name'] = 'end')),
      /net\.safetensors: weights of .*: has no end\/kernel, end\/bias; has .*last\/kernel, which the model has not/,
    ],
    [
      'cut weights',
      () => truncateSync(weights(), readFileSync(weights()).length - 1),
      /net\.safetensors: byte \d+: tensor ".*": .*it is cut off/,
    ],
    ['empty weights', () => truncateSync(weights(), 0), /net\.safetensors: byte 0: .*a file of 0 bytes/],
    [
      'weights of another format',
      () => writeFileSync(weights(), 'PK\x03\x04 and so on'),
      /net\.safetensors: byte 0: expected a header of at most/,
    ],
    [
      'weights without the structure',
      () => {
        sn.writeSafetensors(weights(), { a: sn.ones([1]) });
        rmSync(json());
      },
      /net\.json: the file does not exist; weights alone are for model.loadWeights/,
    ],
  ])('%s', async (_, damage, message) => {
    damage();
    const before = sn.memory().numTensors;
    await expect(sn.loadLayersModel(path)).rejects.toThrow(message);
    await expect(sn.loadLayersModel(path)).rejects.toBeInstanceOf(sn.SelfnormError);
    expect(sn.memory().numTensors).toBe(before);
  });
});

test('loadWeights changes nothing when one weight does not fit, and says which', async () => {
  const model = net('first', 4);
  const before = model.weights.map((weight) => weight.arraySync());
  const numTensors = sn.memory().numTensors;
  await expect(model.loadWeights(path)).rejects.toThrow(
    /^sequential_\d+.loadWeights: .*net\.safetensors: weights of sequential_\d+: has other shapes: first\/kernel \(expected \[2,4\], got \[2,3\]\), first\/bias .*, last\/kernel/,
  );
  await expect(net('renamed', 3).loadWeights(path)).rejects.toThrow(
    /has no renamed\/kernel, renamed\/bias; has .*first\//,
  );
  await expect(model.loadWeights(path, false)).rejects.toThrow(/has other shapes/);
  expect(model.weights.map((weight) => weight.arraySync())).toEqual(before);
  expect(sn.memory().numTensors).toBe(numTensors + 4);
});

test('many missing weights are counted, not listed', async () => {
  const { dense } = sn.layers;
  const deep = sn.sequential({
    layers: Array.from({ length: 6 }, (_, i) =>
      dense({ units: 2, name: `deep${i}`, ...(i === 0 ? { inputShape: [2] } : {}) }),
    ),
  });
  await expect(deep.loadWeights(path)).rejects.toThrow(/has no deep0\/kernel, .* and 6 more; has/);
});

describe('a model of tfjs whose files are', () => {
  const fixture = fileURLToPath(new URL('../fixtures/tfjs-models/two-inputs', import.meta.url));
  type Manifest = {
    paths: unknown;
    weights: { name: unknown; shape: unknown; dtype: unknown; quantization?: unknown }[];
  }[];
  function change(body: (manifest: Manifest) => void): void {
    const file = JSON.parse(readFileSync(join(folder, 'tfjs', 'model.json'), 'utf8')) as { weightsManifest: Manifest };
    body(file.weightsManifest);
    writeFileSync(join(folder, 'tfjs', 'model.json'), JSON.stringify(file));
  }
  const shard = (): string => join(folder, 'tfjs', 'group1-shard2of2.bin');
  test.each<[string, () => void, RegExp]>([
    [
      'listed twice',
      () => change((manifest) => void manifest.push(structuredClone(manifest[0]!))),
      /weight .*: expected each name once/,
    ],
    [
      'quantized by nothing',
      () => change(([group]) => void (group!.weights[0]!.quantization = null)),
      /quantization: expected uint8, uint16 or float16/,
    ],
    ['missing a shard', () => rmSync(shard()), /read: .*shard2of2\.bin: the file does not exist/],
    [
      'cut',
      () => truncateSync(shard(), 60),
      /shard2of2\.bin: weight .*: expected data up to byte \d+, got \d+ bytes; it is cut off/,
    ],
    [
      'too long',
      () => writeFileSync(shard(), Buffer.alloc(999)),
      /shard2of2\.bin: expected 132 bytes of weights, got 1065/,
    ],
    [
      'without paths',
      () => change((manifest) => void (manifest[0]!.paths = 3)),
      /weightsManifest: expected paths of files, got 3/,
    ],
    ['without names', () => change((manifest) => void delete manifest[0]!.weights[0]!.name), /a weight without a name/],
    [
      'of a bad shape',
      () => change((manifest) => void (manifest[0]!.weights[0]!.shape = [-1])),
      /expected an array of integers of at least 0/,
    ],
    [
      'of a bad dtype',
      () => change((manifest) => void (manifest[0]!.weights[0]!.dtype = 'string')),
      /dtype: .*got "string"/,
    ],
    [
      'of a bad quantization',
      () => change((manifest) => void (manifest[0]!.weights[0]!.quantization = { dtype: 'int4' })),
      /quantization: .*got "int4"/,
    ],
    [
      'of a weight twice',
      () => change((manifest) => void (manifest[0]!.weights[1] = manifest[0]!.weights[0]!)),
      /expected each name once|cut off|bytes of weights/,
    ],
    [
      'of no list',
      () => change((manifest) => void manifest.splice(0, 1, 7 as never)),
      /weightsManifest: expected paths of files/,
    ],
  ])('%s', async (_, damage, message) => {
    cpSync(fixture, join(folder, 'tfjs'), { recursive: true });
    damage();
    const before = sn.memory().numTensors;
    await expect(sn.loadLayersModel(join(folder, 'tfjs', 'model.json'))).rejects.toThrow(message);
    expect(sn.memory().numTensors).toBe(before);
  });
});

const shallow = { class_name: 'Dense', name: 'd', config: { name: 'd', units: 2, batch_input_shape: [null, 2] } };
const functional = (layers: unknown[], ends: unknown = ['d', 0, 0]): unknown => ({
  class_name: 'Functional',
  config: { layers, input_layers: ends, output_layers: ends },
});
test.each<[string, unknown, RegExp]>([
  [
    'layers that are none',
    functional([null]),
    /layers: expected layers with name, className, config and inboundNodes, got null/,
  ],
  ['layers without calls', functional([shallow]), /got "d without config or inboundNodes"/],
  [
    'calls of nothing',
    functional([{ ...shallow, inbound_nodes: [null] }]),
    /expected references \[layer, call, output\], got null/,
  ],
  ['ends that are none', functional([{ ...shallow, inbound_nodes: [] }], [7]), /expected references .*, got 7/],
  [
    'a Sequential of nothing',
    { class_name: 'Sequential', config: { layers: [null] } },
    /expected layers with className/,
  ],
  [
    'a layer that cannot be',
    { class_name: 'Sequential', config: { layers: [shallow, { class_name: 'Conv2D', config: { filters: 1 } }] } },
    /conv2d_.*: kernelSize: expected an integer/i,
  ],
  ['models in models, too deep', deep(20_000), /got a damaged one \(Maximum call stack/],
])('a structure with %s is one error, and what was made of it is freed', async (_, modelTopology, message) => {
  const load = (): sn.ModelArtifacts => ({ modelTopology: modelTopology as Record<string, unknown> });
  const before = await liveTensors();
  const error: unknown = await sn.loadLayersModel({ load }).catch((fault: unknown) => fault);
  expect(sn.memory().numTensors).toBeLessThanOrEqual(before);
  expect(error).toBeInstanceOf(sn.SelfnormError);
  expect((error as Error).message).toMatch(message);
});
test('a structure of more weights than the file has is refused before they are made', async () => {
  edit((file) => void (file.modelTopology.config.layers[0]!.config['units'] = 1e9));
  await expect(sn.loadLayersModel(path)).rejects.toThrow(
    /net\.json: first\/kernel: expected weights as large as the file's, got shape \[2,1000000000\]/,
  );
});
/** A model in a model in a model. */
function deep(levels: number): unknown {
  let made: unknown = { class_name: 'Flatten', config: {} };
  for (let i = 0; i < levels; i++) made = { class_name: 'Sequential', config: { layers: [made] } };
  return made;
}

test.each<[string, unknown, RegExp]>([
  ['nothing', undefined, /loadLayersModel: path: expected a path, got undefined/],
  ['an address', 'https://example.com/model.json', /path: expected a path or file:\/\/path, got "https/],
  ['a handler that gives nothing', { load: () => null }, /load\(\): expected artifacts with modelTopology, got null/],
])('%s is no model', async (_, source, message) => {
  await expect(sn.loadLayersModel(source as string)).rejects.toThrow(message);
});

describe('a functional structure', () => {
  const structure = (): { config: { layers: Record<string, unknown>[]; output_layers: unknown } } => {
    const x = sn.input({ shape: [2], name: 'x' });
    const hidden = sn.layers.dense({ units: 3, name: 'hidden' }).apply(x);
    const made = sn.model({ inputs: x, outputs: sn.layers.dense({ units: 1, name: 'out' }).apply(hidden) });
    const json = JSON.parse(made.toJSON()) as ReturnType<typeof structure>;
    made.dispose();
    return json;
  };
  test.each<[string, (json: ReturnType<typeof structure>) => void, RegExp]>([
    ['a layer twice', ({ config }) => void config.layers.push(config.layers[1]!), /each name once, got "hidden"/],
    ['a layer that is null', ({ config }) => void config.layers.push(null as never), /expected layers with .*got null/],
    [
      'calls that are none',
      ({ config }) => void (config.layers[1]!['inbound_nodes'] = 3),
      /got "hidden without config or inboundNodes"/,
    ],
    [
      'a call of a number',
      ({ config }) => void (config.layers[1]!['inbound_nodes'] = [3]),
      /expected references .*got 3/,
    ],
    [
      'an output that is none',
      ({ config }) => void (config.output_layers = [[1, 0, 0]]),
      /expected references .*got \[1,0,0\]/,
    ],
    ['a layer of no known class', ({ config }) => void (config.layers[2]!['class_name'] = 'Dens'), /Dens/],
  ])('with %s is refused, and leaves nothing behind', async (_, damage, message) => {
    const json = structure();
    damage(json);
    const { numTensors } = sn.memory();
    await expect(sn.models.modelFromJSON(json)).rejects.toThrow(message);
    expect(sn.memory().numTensors).toBe(numTensors);
  });

  test('with a layer that no output needs frees it', async () => {
    const json = structure();
    json.config.output_layers = [['hidden', 0, 0]];
    const { numTensors } = sn.memory();
    const made = await sn.models.modelFromJSON(json);
    expect(sn.memory().numTensors).toBe(numTensors + 2);
    made.dispose();
    expect(sn.memory().numTensors).toBe(numTensors);
  });
});
