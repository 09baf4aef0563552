// What tfjs's save and load handlers exchange, and the model.json that tfjs writes: weights as one run of bytes beside a list
// that says what is where in it.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { failure, invalid, type SelfnormError } from '../errors.js';
import { bytesOf, unreadable } from '../files/safetensors.js';
import { add, mul } from '../ops/arithmetic.js';
import { tensor as tensorOf } from '../ops/creation.js';
import { castRaw } from '../tensor/convert.js';
import { currentBackend } from '../tensor/device.js';
import { DTYPE_BYTES, isDType, type DType } from '../tensor/dtype.js';
import { tidy } from '../tensor/memory.js';
import { checkShape, sizeOf } from '../tensor/shape.js';
import { makeFromBytes, type Tensor } from '../tensor/tensor.js';

/** One weight in a run of bytes. */
export interface WeightSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly group?: 'model' | 'optimizer';
  /** value = stored * scale + min; float16 is only widened. */
  readonly quantization?: {
    readonly dtype: 'uint8' | 'uint16' | 'float16';
    readonly scale?: number;
    readonly min?: number;
  };
}

/** A model as tfjs's handlers pass it. */
export interface ModelArtifacts {
  readonly modelTopology: Record<string, unknown>;
  readonly weightSpecs?: readonly WeightSpec[];
  readonly weightData?: ArrayBuffer | readonly ArrayBuffer[];
  readonly format?: string;
  readonly generatedBy?: string;
  readonly convertedBy?: string | null;
}

/** Takes a model in a path's place: `model.save({ save: async (artifacts) => … })`. */
export interface SaveHandler {
  save(artifacts: ModelArtifacts): unknown;
}
/** Gives a model in a path's place. */
export interface LoadHandler {
  load(): ModelArtifacts | Promise<ModelArtifacts>;
}

/** Tensors as one run of bytes. */
export function encodeWeights(
  op: string,
  tensors: Iterable<readonly [string, Tensor]>,
): { weightSpecs: WeightSpec[]; weightData: ArrayBuffer } {
  const list = [...tensors];
  const bytes = list.map(([, tensor]) => bytesOf(op, tensor));
  const data = new Uint8Array(bytes.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of bytes) {
    data.set(part, at);
    at += part.length;
  }
  const weightSpecs = list.map(([name, { shape, dtype }]) => ({ name, shape: [...shape], dtype }));
  return { weightSpecs, weightData: data.buffer };
}

/** How many bytes a stored element has. */
function storedBytes(spec: WeightSpec): number {
  const stored = spec.quantization?.dtype ?? spec.dtype;
  return stored === 'uint16' ? 2 : DTYPE_BYTES[stored];
}

function decode(spec: WeightSpec, bytes: Uint8Array): Tensor {
  const { shape, dtype, quantization } = spec;
  if (quantization === undefined) return makeFromBytes(currentBackend(), bytes, shape, dtype);
  if (quantization.dtype === 'float16') {
    return tidy(() => castRaw(makeFromBytes(currentBackend(), bytes, shape, 'float16'), dtype));
  }
  const { scale = 1, min = 0 } = quantization;
  const wide = quantization.dtype === 'uint16' ? new Uint16Array(Uint8Array.from(bytes).buffer) : bytes;
  return tidy(() => {
    const stored = tensorOf(Float32Array.from(wide), shape);
    return castRaw(add(mul(stored, scale), min), dtype);
  });
}

function checkSpec(bad: (what: string) => SelfnormError, spec: WeightSpec): void {
  const { name, shape, dtype, quantization } = spec ?? {};
  if (typeof name !== 'string') throw bad('a weight without a name');
  try {
    checkShape('weight', name, shape);
  } catch (error) {
    throw bad((error as Error).message);
  }
  if (!isDType(dtype))
    throw bad(`weight ${name}: dtype: expected float32, int32 or bool, got ${JSON.stringify(dtype)}`);
  if (quantization !== undefined && !['uint8', 'uint16', 'float16'].includes(quantization.dtype)) {
    throw bad(
      `weight ${name}: quantization: expected uint8, uint16 or float16, got ${JSON.stringify(quantization.dtype)}`,
    );
  }
}

/**
 * The tensors in a run of bytes.
 * @param source The file, for errors.
 * @throws FileFormatError when the bytes are too few, too many, or described by what is no list of weights.
 */
export function decodeWeights(source: string, specs: readonly WeightSpec[], data: Uint8Array): Map<string, Tensor> {
  const bad = (what: string): SelfnormError => failure('ERR_FILE_FORMAT', 'loadLayersModel', `${source}: ${what}`);
  if (!Array.isArray(specs)) throw bad('weightSpecs: expected a list of weights');
  const tensors = new Map<string, Tensor>();
  let at = 0;
  try {
    for (const spec of specs as readonly WeightSpec[]) {
      checkSpec(bad, spec);
      const end = at + sizeOf(spec.shape) * storedBytes(spec);
      if (end > data.length) {
        throw bad(`weight ${spec.name}: expected data up to byte ${end}, got ${data.length} bytes; it is cut off`);
      }
      if (tensors.has(spec.name)) throw bad(`weight ${spec.name}: expected each name once`);
      tensors.set(spec.name, decode(spec, data.subarray(at, end)));
      at = end;
    }
    if (at < data.length) throw bad(`expected ${at} bytes of weights, got ${data.length}`);
    return tensors;
  } catch (error) {
    for (const tensor of tensors.values()) tensor.dispose();
    throw error;
  }
}

/** The weights of artifacts; none where there are none. */
export function weightsOfArtifacts({ weightSpecs, weightData }: ModelArtifacts): Map<string, Tensor> | null {
  if (weightSpecs === undefined || weightData === undefined) return null;
  const parts = weightData instanceof ArrayBuffer ? [weightData] : weightData;
  const data = Buffer.concat(parts.map((part) => new Uint8Array(part)));
  const own = weightSpecs.filter(({ group }) => group !== 'optimizer');
  if (own.length === weightSpecs.length) return decodeWeights('weightData', own, data);
  // The optimizer's weights come last.
  const length = own.reduce((sum, spec) => sum + sizeOf(spec.shape) * storedBytes(spec), 0);
  return decodeWeights('weightData', own, data.subarray(0, length));
}

/**
 * The weights that a tfjs model.json lists, from the files beside it.
 * @throws FileFormatError for a file that is missing, too short or too long.
 */
export function weightsOfManifest(path: string, manifest: unknown): Map<string, Tensor> {
  if (!Array.isArray(manifest)) {
    throw invalid('ERR_FILE_FORMAT', 'loadLayersModel', `${path}: weightsManifest`, 'a list of groups', manifest);
  }
  const all = new Map<string, Tensor>();
  for (const group of manifest as readonly { paths?: unknown; weights?: unknown }[]) {
    if (!Array.isArray(group?.paths) || !group.paths.every((name) => typeof name === 'string')) {
      throw invalid('ERR_FILE_FORMAT', 'loadLayersModel', `${path}: weightsManifest`, 'paths of files', group?.paths);
    }
    const files = (group.paths as readonly string[]).map((name) => join(dirname(path), name));
    const data = files.map((file) => {
      try {
        return readFileSync(file);
      } catch (error) {
        throw unreadable(file, error);
      }
    });
    const specs = group.weights as readonly WeightSpec[];
    for (const [name, tensor] of decodeWeights(files.join(', '), specs, Buffer.concat(data))) all.set(name, tensor);
  }
  return all;
}
