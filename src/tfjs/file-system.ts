// Models in files by file:// paths, as tfjs-node has them: a folder with model.json and weights.bin. Files appear whole.
import { mkdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import type { io } from '@tensorflow/tfjs-core';
import { failure, invalid } from '../errors.js';
import { reasonOf, writeTogether } from '../files/write-atomically.js';

const SCHEME = 'file://';
const MODEL = 'model.json';
const WEIGHTS = 'weights.bin';

async function read(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw failure('ERR_FILE_FORMAT', 'load', `${path}: ${missing ? 'no such file' : reasonOf(error)}`);
  }
}

function parse(path: string, text: string): io.ModelJSON {
  try {
    return JSON.parse(text) as io.ModelJSON;
  } catch {
    throw failure('ERR_FILE_FORMAT', 'load', `${path}: expected JSON`);
  }
}

/** The weights of a manifest, from files beside the model's. */
async function readWeights(
  manifest: io.WeightsManifestConfig,
  folder: string,
): Promise<[io.WeightsManifestEntry[], ArrayBuffer]> {
  const files = await Promise.all(manifest.flatMap(({ paths }) => paths).map((path) => read(join(folder, path))));
  const bytes = new Uint8Array(files.reduce((size, file) => size + file.length, 0));
  let at = 0;
  for (const file of files) {
    bytes.set(file, at);
    at += file.length;
  }
  return [manifest.flatMap(({ weights }) => weights), bytes.buffer];
}

class FileSystem implements io.IOHandler {
  /** @param path The folder to save to; to load from, the folder or the model.json in it. */
  constructor(private readonly path: string) {}

  async save(artifacts: io.ModelArtifacts): Promise<io.SaveResult> {
    if (artifacts.modelTopology instanceof ArrayBuffer) {
      throw failure('ERR_ARGUMENT', 'save', 'expected a topology in JSON, got a binary one');
    }
    try {
      mkdirSync(this.path, { recursive: true });
    } catch (error) {
      throw failure('ERR_FILE_FORMAT', 'save', `${this.path}: ${reasonOf(error)}`);
    }
    const weights = new Uint8Array(tf.io.CompositeArrayBuffer.join(artifacts.weightData));
    const manifest: io.WeightsManifestConfig = [{ paths: [WEIGHTS], weights: artifacts.weightSpecs ?? [] }];
    const described = { ...artifacts };
    delete described.weightSpecs;
    delete described.weightData;
    const model = JSON.stringify({ ...described, weightsManifest: manifest });
    // The model last: it names the weights, and is the file that a reader opens.
    writeTogether([
      { path: join(this.path, WEIGHTS), content: weights },
      { path: join(this.path, MODEL), content: model },
    ]);
    return Promise.resolve({ modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts) });
  }

  async load(): Promise<io.ModelArtifacts> {
    const file = statSync(this.path, { throwIfNoEntry: false })?.isDirectory() ? join(this.path, MODEL) : this.path;
    const model = parse(file, (await read(file)).toString('utf8'));
    return tf.io.getModelArtifactsForJSON(model, (manifest) => readWeights(manifest, dirname(file)));
  }
}

/**
 * Saves models to a folder and loads them from there: what `model.save('file://folder')` and
 * `tf.loadLayersModel('file://folder/model.json')` use.
 * @param path A folder, or (to load) its model.json.
 */
export function fileSystem(path: string): io.IOHandler {
  if (typeof path !== 'string') throw invalid('ERR_ARGUMENT', 'fileSystem', 'path', 'a path', path);
  return new FileSystem(resolve(path));
}

const router = (url: string | string[]): io.IOHandler => {
  const path = Array.isArray(url) ? url[0] : url;
  // tfjs asks each router in turn; null is "not mine", which its types leave out.
  return (path?.startsWith(SCHEME) ? fileSystem(path.slice(SCHEME.length)) : null) as io.IOHandler;
};

/** Lets tfjs save to and load from file:// paths; after tfjs-node's routers, if it is loaded too. */
export function registerFileSystem(): void {
  tf.io.registerLoadRouter(router);
  tf.io.registerSaveRouter(router);
}
