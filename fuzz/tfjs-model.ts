// tfjs's model.json: a structure, and a list of weights in files of bytes beside it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadLayersModel } from '../src/index.js';
import { packageRoot } from '../src/native/paths.js';
import type { Choices } from './choices.js';
import { damaged } from './damage.js';
import { mutated, type Json } from './json-mutation.js';
import type { Target } from './target.js';

interface Saved {
  readonly json: Json;
  readonly weights: Uint8Array;
}

let saved: readonly Saved[] | undefined;

/** Models that tfjs and Keras wrote, each with its weights as one file. */
function models(): readonly Saved[] {
  if (saved !== undefined) return saved;
  const fixtures = join(packageRoot(), 'test', 'fixtures');
  const whole = ['conv', 'two-inputs'].map((name): Saved => {
    const folder = join(fixtures, 'tfjs-models', name);
    const json = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8')) as {
      weightsManifest: [{ paths: string[] }];
    };
    const parts = readdirSync(folder).filter((file) => file.endsWith('.bin'));
    const weights = Buffer.concat(parts.sort().map((file) => readFileSync(join(folder, file))));
    json.weightsManifest[0].paths = ['weights.bin'];
    return { json: json, weights };
  });
  const topologies = JSON.parse(readFileSync(join(fixtures, 'models', 'topology.json'), 'utf8')) as {
    models: Record<string, { json?: Json; topology?: Json }>;
  };
  const alone = Object.values(topologies.models).flatMap(({ json, topology }): Saved[] => {
    const found = json ?? topology;
    if (found === undefined) return [];
    const modelTopology = typeof found === 'string' ? (JSON.parse(found) as Json) : found;
    return [{ json: { modelTopology, weightsManifest: [] }, weights: new Uint8Array() }];
  });
  return (saved = [...whole, ...whole.map(quantized), ...alone]);
}

/** The same model with its weights as bytes and a scale, or as half-precision numbers. */
function quantized({ json }: Saved, index: number): Saved {
  const copy = structuredClone(json) as unknown as { weightsManifest: [{ weights: { shape: number[] }[] }] };
  const form = [{ dtype: 'uint8', scale: 0.1, min: -1 }, { dtype: 'float16' }][index % 2]!;
  const [group] = copy.weightsManifest;
  const sizes = group.weights.map(({ shape }) => shape.reduce((product, side) => product * side, 1));
  group.weights = group.weights.map((spec) => ({ ...spec, quantization: form }));
  const bytes = sizes.reduce((sum, size) => sum + size, 0) * (form.dtype === 'uint8' ? 1 : 2);
  return { json: copy, weights: new Uint8Array(bytes).fill(7) };
}

function build(choices: Choices): (Uint8Array | string)[] {
  const { json, weights } = choices.pick(models());
  const text = Buffer.from(JSON.stringify(mutated(json, choices)));
  return [choices.rarely(6) ? damaged(text, choices) : text, choices.rarely(6) ? damaged(weights, choices) : weights];
}

export const tfjsModel: Target = {
  files: ['model.json', 'weights.bin'],
  build,
  async read([path], choices) {
    (await loadLayersModel(path!, { strict: choices.byte() % 4 !== 3 })).dispose();
  },
};
