// From what a caller passes (tensors, numbers, nested or typed arrays) to tensors, and the checks ops share.
import { invalid } from '../errors.js';
import type { Backend } from './backend.js';
import { currentBackend } from './device.js';
import { DTYPE_BYTES, promote, type DType } from './dtype.js';
import { checkShape, MAX_RANK, sizeOf, type Shape } from './shape.js';
import { makeFromBytes, makeOne, Tensor } from './tensor.js';
import { NativeOp } from './backend.js';

export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array | Uint8ClampedArray;
export type NestedValues = number | boolean | TypedArray | readonly NestedValues[];
/** What every op takes in a tensor's place. */
export type TensorLike = Tensor | NestedValues;

const CAST = new NativeOp('cast');

function isTypedArray(value: unknown): value is TypedArray {
  return (
    ArrayBuffer.isView(value) &&
    !(value instanceof DataView || value instanceof BigInt64Array || value instanceof BigUint64Array)
  );
}

function isList(value: NestedValues | undefined): value is TypedArray | readonly NestedValues[] {
  return Array.isArray(value) || isTypedArray(value);
}

/** Shape of nested arrays; throws when they are ragged. */
function nestedShape(op: string, argument: string, values: NestedValues): number[] {
  const shape: number[] = [];
  // One level beyond the largest rank is refused later; an array that holds itself would go on forever.
  for (let level: NestedValues | undefined = values; isList(level) && shape.length <= MAX_RANK; level = level[0])
    shape.push(level.length);
  const check = (level: NestedValues, axis: number): void => {
    const list = isList(level);
    if (list !== axis < shape.length || (list && level.length !== shape[axis])) {
      throw invalid(
        'ERR_SHAPE',
        op,
        argument,
        `nested arrays of equal lengths (shape [${shape.join(',')}])`,
        'ragged ones',
      );
    }
    if (isTypedArray(level)) return;
    if (list) for (const part of level) check(part, axis + 1);
    else if (typeof level !== 'number' && typeof level !== 'boolean') {
      throw invalid('ERR_ARGUMENT', op, argument, 'numbers or booleans', level);
    }
  };
  check(values, 0);
  return shape;
}

/** The values in row-major order; rows may be typed arrays. */
function flatten(values: NestedValues): ArrayLike<number | boolean> {
  if (isTypedArray(values)) return values;
  const flat: (number | boolean)[] = [];
  const collect = (level: NestedValues): void => {
    if (isList(level)) for (const part of level) collect(part);
    else flat.push(level);
  };
  collect(values);
  return flat;
}

function inferDType(flat: ArrayLike<number | boolean>, source: unknown): DType {
  if (source instanceof Float64Array || source instanceof Float32Array) return 'float32';
  if (isTypedArray(source)) return 'int32';
  return flat.length > 0 && typeof flat[0] === 'boolean' ? 'bool' : 'float32';
}

function storageFor(dtype: DType, flat: ArrayLike<number | boolean>): TypedArray {
  switch (dtype) {
    case 'float64':
      return new Float64Array(flat as ArrayLike<number>);
    case 'int32':
      return new Int32Array(flat as ArrayLike<number>);
    case 'uint8':
      return new Uint8Array(flat as ArrayLike<number>);
    case 'bool':
      // As the cast does: NaN is not 0, and so true.
      return Uint8Array.from(flat as ArrayLike<number>, (value) => (Number(value) === 0 ? 0 : 1));
    default:
      return flat instanceof Float32Array ? flat : new Float32Array(flat as ArrayLike<number>);
  }
}

function bytesOf(op: string, argument: string, stored: TypedArray): Uint8Array {
  try {
    return new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
  } catch {
    throw invalid('ERR_ARGUMENT', op, argument, 'values', 'an array whose buffer was transferred to another thread');
  }
}

/** A tensor of host values. float16 and bfloat16 travel as they are, in float64 or float32, and are rounded on the device, once. */
export function fromValues(
  op: string,
  backend: Backend,
  values: Exclude<TensorLike, Tensor>,
  shape?: Shape,
  dtype?: DType,
  argument = 'values',
): Tensor {
  const found = nestedShape(op, argument, values);
  checkShape(op, 'shape', shape ?? found);
  const flat = flatten(values);
  const resolved = shape ?? found;
  if (sizeOf(resolved) !== flat.length) {
    throw invalid(
      'ERR_SHAPE',
      op,
      argument,
      `${sizeOf(resolved)} values for shape [${resolved.join(',')}]`,
      flat.length,
    );
  }
  const target = dtype ?? inferDType(flat, values);
  const half = DTYPE_BYTES[target] === 2;
  const carrier = half ? (flat instanceof Float32Array ? 'float32' : 'float64') : target;
  const stored = storageFor(carrier, flat);
  const bytes = bytesOf(op, argument, stored);
  const tensor = makeFromBytes(backend, bytes, resolved, carrier);
  return half ? makeOne(backend, CAST, [tensor], resolved, target) : tensor;
}

/**
 * An op's operand as a live tensor. Plain numbers take the dtype of `like`, so that `x.add(1)` keeps x's.
 */
export function convert(op: string, argument: string, value: TensorLike, like?: Tensor): Tensor {
  if (value instanceof Tensor) {
    value.assertLive(op, argument);
    return value;
  }
  if (typeof value === 'number') {
    const dtype = like === undefined || like.dtype === 'bool' || like.dtype === 'uint8' ? 'float32' : like.dtype;
    const fits = dtype !== 'int32' || (value | 0) === value;
    return fromValues(op, like?.backend ?? currentBackend(), value, [], fits ? dtype : 'float32', argument);
  }
  if (typeof value === 'boolean' || Array.isArray(value) || isTypedArray(value)) {
    return fromValues(op, like?.backend ?? currentBackend(), value, undefined, undefined, argument);
  }
  throw invalid('ERR_ARGUMENT', op, argument, 'a tensor, a number or an array of numbers', value);
}

/** Checks that operands live on one device and returns it. */
export function sameBackend(op: string, a: Tensor, b: Tensor): Backend {
  if (a.backend === b.backend) return a.backend;
  throw invalid(
    'ERR_DEVICE',
    op,
    'b',
    `a tensor on ${a.device}, where a is`,
    `one on ${b.device}`,
    `use b.to('${a.device}')`,
  );
}

/** A cast that gradients do not see: for index and mask operands. */
export function castRaw(x: Tensor, dtype: DType): Tensor {
  return x.dtype === dtype ? x : makeOne(x.backend, CAST, [x], x.shape, dtype);
}

/** The dtype arithmetic on these operands is done in: bool and uint8 compute as int32. */
export function arithmeticDType(a: DType, b: DType = a): DType {
  const dtype = promote(a, b);
  return dtype === 'bool' || dtype === 'uint8' ? 'int32' : dtype;
}
