// What tfjs's save and load handlers exchange, and its model.json holds: weights as one run of bytes beside a list that says
// what is where in it.
import { failure, invalid, show, type SelfnormError } from '../errors.js';
import { bytesOf } from '../files/safetensors.js';
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
  /** Keeps a model; may return a promise. What it gives, `model.save` gives. */
  save(artifacts: ModelArtifacts): unknown;
}
/** Gives a model in a path's place. */
export interface LoadHandler {
  /** The model that was kept. */
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

function decode(bad: (what: string) => SelfnormError, spec: WeightSpec, bytes: Uint8Array): Tensor {
  const { name, shape, dtype, quantization } = spec;
  if (quantization === undefined) {
    const wrong = dtype === 'bool' ? bytes.findIndex((value) => value > 1) : -1;
    if (wrong >= 0) throw bad(`weight ${name}: expected 0 or 1, got ${bytes[wrong]!}`);
    return makeFromBytes(currentBackend(), bytes, shape, dtype);
  }
  if (quantization.dtype === 'float16') {
    return tidy(() => castRaw(makeFromBytes(currentBackend(), bytes, shape, 'float16'), dtype));
  }
  const { scale = 1, min = 0 } = quantization;
  const stored = quantization.dtype === 'uint16' ? new Uint16Array(Uint8Array.from(bytes).buffer) : bytes;
  // In double and rounded once, so that tfjs has the same bits.
  const whole = dtype === 'int32';
  const values = new Float64Array(stored.length);
  for (let i = 0; i < values.length; i++) {
    const value = stored[i]! * scale + min;
    values[i] = whole ? Math.round(value) : Math.fround(value);
  }
  return tidy(() => castRaw(tensorOf(values, shape, 'float64'), dtype));
}

function checkQuantization(bad: (what: string) => SelfnormError, { name, dtype, quantization }: WeightSpec): void {
  const of = (what: string): SelfnormError => bad(`weight ${name}: quantization: ${what}`);
  const { dtype: stored, scale = 1, min = 0 } = (quantization ?? {}) as NonNullable<WeightSpec['quantization']>;
  if (!['uint8', 'uint16', 'float16'].includes(stored)) {
    throw of(`expected uint8, uint16 or float16, got ${show(stored)}`);
  }
  if (!Number.isFinite(scale) || !Number.isFinite(min)) {
    throw of(`expected numbers scale and min, got ${show(scale)} and ${show(min)}`);
  }
  if (dtype === 'bool') throw of('expected weights of numbers, got bool');
}

function checkSpec(bad: (what: string) => SelfnormError, spec: WeightSpec): void {
  const { name, shape, dtype, quantization } = spec ?? {};
  if (typeof name !== 'string') throw bad('a weight without a name');
  try {
    checkShape('weight', name, shape);
  } catch (error) {
    throw bad((error as Error).message);
  }
  if (!isDType(dtype)) throw bad(`weight ${name}: dtype: expected float32, int32 or bool, got ${show(dtype)}`);
  if (quantization !== undefined) checkQuantization(bad, spec);
}

const faultIn =
  (source: string) =>
  (what: string): SelfnormError =>
    failure('ERR_FILE_FORMAT', 'loadLayersModel', `${source}: ${what}`);

/**
 * How many bytes a list of weights describes.
 * @param source The file, for errors.
 * @throws FileFormatError when it is no list of weights.
 */
export function storedSize(source: string, specs: readonly WeightSpec[]): number {
  const bad = faultIn(source);
  if (!Array.isArray(specs)) throw bad('weightSpecs: expected a list of weights');
  return (specs as readonly WeightSpec[]).reduce((sum, spec) => {
    checkSpec(bad, spec);
    return sum + sizeOf(spec.shape) * storedBytes(spec);
  }, 0);
}

/**
 * The tensors in a run of bytes.
 * @param source The file, for errors.
 * @throws FileFormatError when the bytes are too few, too many, or described by what is no list of weights.
 */
export function decodeWeights(source: string, specs: readonly WeightSpec[], data: Uint8Array): Map<string, Tensor> {
  const bad = faultIn(source);
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
      tensors.set(spec.name, decode(bad, spec, data.subarray(at, end)));
      at = end;
    }
    if (at < data.length) throw bad(`expected ${at} bytes of weights, got ${data.length}`);
    return tensors;
  } catch (error) {
    for (const tensor of tensors.values()) tensor.dispose();
    throw error;
  }
}

/**
 * The weights of artifacts; null where there are none.
 * @throws FileFormatError when the bytes are too few, too many, or described by what is no list of weights.
 */
export function weightsOfArtifacts({ weightSpecs, weightData }: ModelArtifacts): Map<string, Tensor> | null {
  if (weightSpecs == null || weightData == null) return null;
  const parts: readonly unknown[] = Array.isArray(weightData) ? weightData : [weightData];
  const isBytes = (part: unknown): part is ArrayBuffer => part instanceof ArrayBuffer;
  if (!parts.every(isBytes)) {
    throw invalid('ERR_FILE_FORMAT', 'loadLayersModel', 'weightData', 'an ArrayBuffer, or several', weightData);
  }
  const data = Buffer.concat(parts.map((part) => new Uint8Array(part)));
  if (!Array.isArray(weightSpecs)) return decodeWeights('weightData', weightSpecs, data);
  const own = (weightSpecs as readonly WeightSpec[]).filter((spec) => spec?.group !== 'optimizer');
  if (own.length === weightSpecs.length) return decodeWeights('weightData', own, data);
  // The optimizer's weights come last.
  return decodeWeights('weightData', own, data.subarray(0, storedSize('weightData', own)));
}
