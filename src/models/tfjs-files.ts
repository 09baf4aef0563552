// A model in tfjs's files: model.json beside weights as one run of bytes. The weights' file is named for its content, and the
// JSON, which comes last, is what makes a save count: a process that dies between leaves the old pair whole.
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, normalize } from 'node:path';
import { failure, invalid } from '../errors.js';
import { unreadable } from '../files/safetensors.js';
import { writeTogether } from '../files/write-atomically.js';
import { castRaw } from '../tensor/convert.js';
import type { DType } from '../tensor/dtype.js';
import { tidy } from '../tensor/memory.js';
import type { Tensor } from '../tensor/tensor.js';
import { version } from '../version.js';
import { decodeWeights, encodeWeights, storedSize, type ModelArtifacts, type WeightSpec } from './artifacts.js';
import type { Model } from './model.js';
import { makeFolderOf, modelPaths } from './model-paths.js';
import { toPythonic } from './pythonic.js';
import { tfjsLayer, tfjsWeightNames } from './tfjs-topology.js';

const OP = 'loadLayersModel';

/** tfjs's dtypes; others are saved as float32 (uint8 as int32). */
const tfjsDType = (dtype: DType): DType =>
  dtype === 'int32' || dtype === 'bool' ? dtype : dtype === 'uint8' ? 'int32' : 'float32';

/**
 * A model as tfjs loads it.
 * @throws ArgumentError that names the layer which tfjs does not have, or has as another function.
 */
export function tfjsArtifacts(
  op: string,
  model: Model,
  weights: readonly [string, Tensor][],
): ModelArtifacts & Required<Pick<ModelArtifacts, 'weightSpecs' | 'weightData'>> {
  const own = { className: model.getClassName(), config: model.getConfig() };
  // tfjs finds weights by the name of their layer alone.
  const renamed = model.namedWeights().find(({ name, variable }) => name !== variable.name);
  if (renamed !== undefined) {
    const fix = 'give the layers of nested models names that differ';
    throw invalid('ERR_ARGUMENT', op, 'layers', 'each weight name once', renamed.variable.name, fix);
  }
  const modelTopology = toPythonic({
    ...tfjsLayer(op, own),
    kerasVersion: `selfnorm ${version}`,
    backend: 'selfnorm',
  }) as Record<string, unknown>;
  const names = tfjsWeightNames(model.layers);
  const encoded = tidy(() =>
    encodeWeights(
      op,
      weights.map(([name, tensor]) => [names.get(name) ?? name, castRaw(tensor, tfjsDType(tensor.dtype))] as const),
    ),
  );
  return {
    format: 'layers-model',
    generatedBy: `selfnorm v${version}`,
    convertedBy: null,
    modelTopology,
    ...encoded,
  };
}

interface Places {
  readonly json: string;
  /** What the weights' file of some content is called. */
  weights(digest: string): string;
  isWeights(name: string): boolean;
}

/** A path that ends in .json is that file; any other is the folder of model.json, as in tfjs-node. */
function placesOf(op: string, target: string): Places {
  const { base } = modelPaths(op, target);
  const json = /\.json$/.test(target) ? `${base}.json` : join(target.replace(/^file:\/\//, ''), 'model.json');
  const stem = basename(json, '.json');
  return {
    json,
    weights: (digest) => join(dirname(json), `${stem}.${digest}.bin`),
    isWeights: (name) => name.startsWith(`${stem}.`) && /^[0-9a-f]{16}\.bin$/.test(name.slice(stem.length + 1)),
  };
}

/** The weights' files that a JSON file of an earlier save names; none where it is not one of ours. */
function filesOf(places: Places): string[] {
  try {
    const { weightsManifest } = JSON.parse(readFileSync(places.json, 'utf8')) as {
      weightsManifest: readonly { paths: readonly string[] }[];
    };
    return weightsManifest.flatMap(({ paths }) => paths).filter((name) => places.isWeights(name));
  } catch {
    return [];
  }
}

/** Writes artifacts into a folder, or as a .json file with its weights beside it. */
export function writeTfjsFiles(op: string, target: string, artifacts: ReturnType<typeof tfjsArtifacts>): void {
  const { weightSpecs, weightData, ...file } = artifacts;
  const places = placesOf(op, target);
  const content = new Uint8Array(weightData as ArrayBuffer);
  const weights = places.weights(createHash('sha256').update(content).digest('hex').slice(0, 16));
  const weightsManifest = [{ paths: [basename(weights)], weights: weightSpecs }];
  makeFolderOf(places.json);
  const old = filesOf(places);
  writeTogether([
    { path: weights, content },
    { path: places.json, content: JSON.stringify({ ...file, weightsManifest }) },
  ]);
  for (const name of old) {
    if (name !== basename(weights)) rmSync(join(dirname(places.json), name), { force: true });
  }
}

/** The files of one group, which lie beside the JSON or in folders there. */
function shardsOf(path: string, group: { paths?: unknown } | null): string[] {
  const paths: unknown = group?.paths;
  if (!Array.isArray(paths) || !paths.every((name) => typeof name === 'string')) {
    throw invalid('ERR_FILE_FORMAT', OP, `${path}: weightsManifest`, 'paths of files', paths);
  }
  return paths.map((name, i) => {
    const plain = normalize(name);
    if (isAbsolute(plain) || plain.startsWith('..') || name.includes('\0')) {
      throw invalid('ERR_FILE_FORMAT', OP, `${path}: weightsManifest`, 'files beside the JSON file', name);
    }
    if (paths.indexOf(name) !== i) {
      throw invalid('ERR_FILE_FORMAT', OP, `${path}: weightsManifest`, 'each file once', name);
    }
    return join(dirname(path), plain);
  });
}

/** The bytes of a group. Sizes are compared before anything is read. */
function bytesOf(files: readonly string[], specs: readonly WeightSpec[]): Uint8Array {
  const wanted = storedSize(files.join(', '), specs);
  const reading = <T>(file: string, body: () => T): T => {
    try {
      return body();
    } catch (error) {
      throw unreadable(file, error);
    }
  };
  const got = files.reduce((sum, file) => sum + reading(file, () => statSync(file).size), 0);
  if (got > wanted) {
    throw failure('ERR_FILE_FORMAT', OP, `${files.join(', ')}: expected ${wanted} bytes of weights, got ${got}`);
  }
  return Buffer.concat(files.map((file) => reading(file, () => readFileSync(file))));
}

/**
 * The weights that a tfjs model.json lists, from the files beside it.
 * @param path The JSON file.
 * @throws FileFormatError for a file that is missing, elsewhere, too short or too long.
 */
export function weightsOfManifest(path: string, manifest: unknown): Map<string, Tensor> {
  if (!Array.isArray(manifest)) {
    throw invalid('ERR_FILE_FORMAT', OP, `${path}: weightsManifest`, 'a list of groups', manifest);
  }
  const all = new Map<string, Tensor>();
  try {
    for (const group of manifest as readonly ({ paths?: unknown; weights?: unknown } | null)[]) {
      const files = shardsOf(path, group);
      const specs = group!.weights as readonly WeightSpec[];
      const decoded = decodeWeights(files.join(', '), specs, bytesOf(files, specs));
      const twice = [...decoded.keys()].find((name) => all.has(name));
      if (twice !== undefined) {
        for (const tensor of decoded.values()) tensor.dispose();
        throw invalid('ERR_FILE_FORMAT', OP, `${path}: weight ${twice}`, 'each name once', 'it twice');
      }
      for (const [name, tensor] of decoded) all.set(name, tensor);
    }
    return all;
  } catch (error) {
    for (const tensor of all.values()) tensor.dispose();
    throw error;
  }
}
