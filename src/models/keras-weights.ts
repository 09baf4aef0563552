// Weights from Keras 3's files: .keras, a zip with the structure and the weights as HDF5, and .weights.h5.
import { readFileSync } from 'node:fs';
import { failure, invalid, type SelfnormError } from '../errors.js';
import { unreadable } from '../files/safetensors.js';
import { withZip } from '../files/zip.js';
import { withHdf5, type Hdf5File } from '../interchange/keras/hdf5.js';
import { groupsOf, type Nested } from '../interchange/keras/places.js';
import type { Layer } from '../layers/layer.js';
import { formatShape } from '../layers/symbolic.js';
import { TimeDistributed } from '../layers/wrappers.js';
import { tensor as tensorOf } from '../ops/creation.js';
import { sameShape, sizeOf } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Model } from './model.js';
import { assignByName } from './named-weights.js';

const STRUCTURE = 'config.json';
const WEIGHTS = 'model.weights.h5';

/** A model or layer as the file has it. */
export type KerasConfig = Readonly<Record<string, unknown>>;

/** The files of an archive. */
export async function unpack(
  op: string,
  source: string | Uint8Array,
  label: string,
): Promise<{ config: KerasConfig; weights: Uint8Array }> {
  return withZip(op, source, label, async (entries) => {
    const read = async (name: string): Promise<Uint8Array> => {
      const entry = entries.get(name);
      if (entry !== undefined) return entry.read();
      const got = [...entries.keys()].slice(0, 8).join(', ') || 'none';
      throw failure('ERR_FILE_FORMAT', op, `${label}: expected ${name} in the archive, got ${got}`);
    };
    const text = Buffer.from(await read(STRUCTURE)).toString();
    let config: unknown;
    try {
      config = JSON.parse(text);
    } catch (error) {
      throw failure('ERR_FILE_FORMAT', op, `${label}: ${STRUCTURE}: expected JSON: ${(error as Error).message}`);
    }
    if (config === null || typeof config !== 'object') {
      throw invalid('ERR_FILE_FORMAT', op, `${label}: ${STRUCTURE}`, "a model's class_name and config", config);
    }
    return { config: config as KerasConfig, weights: await read(WEIGHTS) };
  });
}

const layersOf = (layer: Layer): readonly Layer[] | null => ('layers' in layer ? (layer as Model).layers : null);

/** A layer and those inside it, in the order of the file's structure where one is given, else in the model's own. */
export function nested(layer: Layer, config?: KerasConfig): Nested<Layer> {
  const options = config?.['config'] as KerasConfig | undefined;
  const className = layer.getClassName();
  const inner = layersOf(layer);
  const wrapped = layer instanceof TimeDistributed ? nested(layer.layer, options?.['layer'] as KerasConfig) : null;
  if (inner === null) return { layer, className, layers: null, wrapped };
  const described = options?.['layers'] as
    readonly { readonly name?: string; readonly config: { name: string } }[] | undefined;
  const layers =
    described === undefined
      ? inner.map((one) => nested(one))
      : described.map((one) => {
          const name = one.config.name ?? one.name;
          return nested(
            inner.find((own) => own.name === name)!,
            { ...one },
          );
        });
  return { layer, className, layers, wrapped };
}

/** Groups of a file that have arrays of layers in them. */
function* storedGroups(file: Hdf5File, path = ''): Generator<string> {
  const at = (name: string): string => (path === '' ? name : `${path}/${name}`);
  if ((file.names(at('vars')) ?? []).length > 0) yield path;
  if (file.names(at('layer')) !== null) yield* storedGroups(file, at('layer'));
  for (const name of file.names(at('layers')) ?? []) yield* storedGroups(file, at(`layers/${name}`));
}

/** Overwrites a model's weights with those of an HDF5 file; all of them, or none when one does not fit. */
export function assign(
  op: string,
  source: string,
  model: Model,
  groups: ReadonlyMap<Layer, string>,
  file: Hdf5File,
  strict: boolean | undefined,
): void {
  const bad = (what: string): SelfnormError =>
    failure('ERR_FILE_FORMAT', op, `${source}: weights of ${model.name}: ${what}`);
  const names = new Map(model.namedWeights().map(({ name, variable }) => [variable, name]));
  const tensors = new Map<string, Tensor>();
  const known = new Set<string>();
  try {
    for (const [layer, group] of groups) {
      if (layer instanceof TimeDistributed) continue;
      known.add(group);
      const stored = file.names(`${group}/vars`) ?? [];
      const own = layer.layerWeights.map(({ variable }) => variable);
      if (stored.length === 0) continue;
      if (stored.length !== own.length) {
        throw bad(`layer ${layer.name}: expected ${own.length} arrays in ${group}/vars, got ${stored.length}`);
      }
      own.forEach((variable, i) => {
        const place = `${group}/vars/${i}`;
        const array = file.array(place);
        const { shape, type } = array;
        const name = names.get(variable)!;
        if (type !== 'f4' && type !== 'f8') throw bad(`${name}: expected float32 or float64 in ${place}, got ${type}`);
        // Before the values are read: a damaged file may claim any size.
        if (!sameShape(shape, variable.shape)) {
          throw bad(`has other shapes: ${name} (expected ${formatShape(variable.shape)}, got ${formatShape(shape)})`);
        }
        const values = array.read();
        if (values.length !== sizeOf(shape))
          throw bad(`${name}: expected ${sizeOf(shape)} values, got ${values.length}`);
        tensors.set(name, tensorOf(values as Float32Array | Float64Array, [...shape]));
      });
    }
    const unknown = [...storedGroups(file)].filter((group) => !known.has(group));
    if (strict !== false && unknown.length > 0)
      throw bad(`has ${unknown.slice(0, 6).join(', ')}, which the model has not`);
    assignByName(op, source, model, tensors, strict);
  } finally {
    for (const tensor of tensors.values()) tensor.dispose();
  }
}

/** Overwrites a model's weights with those of a .keras or .weights.h5 file whose layers are of the same classes in the same order. */
export async function loadKerasWeights(op: string, path: string, model: Model, strict?: boolean): Promise<void> {
  let bytes: Uint8Array;
  if (path.endsWith('.keras')) bytes = (await unpack(op, path, path)).weights;
  else {
    try {
      bytes = readFileSync(path);
    } catch (error) {
      throw unreadable(path, error);
    }
  }
  const groups = groupsOf(nested(model));
  await withHdf5(op, bytes, path, (file) => assign(op, path, model, groups, file, strict));
}
