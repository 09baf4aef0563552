// From what a caller passes (tensors, numbers, nested or typed arrays) to tensors, and the checks ops share.
import { invalid } from '../errors.js';
import type { Backend } from './backend.js';
import { currentBackend } from './device.js';
import { DTYPE_BYTES, promote, type DType } from './dtype.js';
import { checkShape, sizeOf, type Shape } from './shape.js';
import { makeFromBytes, makeOne, Tensor } from './tensor.js';
import { NativeOp } from './backend.js';

export type TypedArray = Float32Array | Float64Array | Int32Array | Uint8Array | Uint8ClampedArray;
type NestedValues = number | boolean | readonly NestedValues[];
/** What every op takes in a tensor's place. */
export type TensorLike = Tensor | TypedArray | NestedValues;

const CAST = new NativeOp('cast');

function isTypedArray(value: unknown): value is TypedArray {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

function isList(value: NestedValues | undefined): value is readonly NestedValues[] {
  return Array.isArray(value);
}

/** Shape of nested arrays; throws when they are ragged. */
function nestedShape(op: string, argument: string, values: NestedValues): number[] {
  const shape: number[] = [];
  for (let level: NestedValues | undefined = values; isList(level); level = level[0]) shape.push(level.length);
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
    if (list) for (const part of level) check(part, axis + 1);
    else if (typeof level !== 'number' && typeof level !== 'boolean') {
      throw invalid('ERR_ARGUMENT', op, argument, 'numbers or booleans', level);
    }
  };
  check(values, 0);
  return shape;
}

function inferDType(flat: ArrayLike<number | boolean>, source: unknown): DType {
  if (source instanceof Float64Array || source instanceof Float32Array) return 'float32';
  if (isTypedArray(source)) return 'int32';
  return flat.length > 0 && typeof flat[0] === 'boolean' ? 'bool' : 'float32';
}

function storageFor(dtype: DType, flat: ArrayLike<number | boolean>): TypedArray {
  switch (dtype) {
    case 'float64':
      return Float64Array.from(flat as ArrayLike<number>, Number);
    case 'int32':
      return Int32Array.from(flat as ArrayLike<number>, Number);
    case 'uint8':
      return Uint8Array.from(flat as ArrayLike<number>, Number);
    case 'bool':
      return Uint8Array.from(flat as ArrayLike<number>, (value) => (value ? 1 : 0));
    default:
      return flat instanceof Float32Array ? flat : Float32Array.from(flat as ArrayLike<number>, Number);
  }
}

/** A tensor of host values. float16 and bfloat16 travel as float32 and are rounded on the device. */
export function fromValues(
  op: string,
  backend: Backend,
  values: Exclude<TensorLike, Tensor>,
  shape?: Shape,
  dtype?: DType,
): Tensor {
  const found = isTypedArray(values) ? [values.length] : nestedShape(op, 'values', values);
  const flat = isTypedArray(values)
    ? values
    : Array.isArray(values)
      ? (values.flat(Infinity) as number[])
      : [values as number];
  const resolved = shape ?? found;
  checkShape(op, 'shape', resolved);
  if (sizeOf(resolved) !== flat.length) {
    throw invalid(
      'ERR_SHAPE',
      op,
      'values',
      `${sizeOf(resolved)} values for shape [${resolved.join(',')}]`,
      flat.length,
    );
  }
  const target = dtype ?? inferDType(flat, values);
  const half = DTYPE_BYTES[target] === 2;
  const stored = storageFor(half ? 'float32' : target, flat);
  const bytes = new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
  const tensor = makeFromBytes(backend, bytes, resolved, half ? 'float32' : target);
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
    const fits = dtype !== 'int32' || Number.isInteger(value);
    return fromValues(op, like?.backend ?? currentBackend(), value, [], fits ? dtype : 'float32');
  }
  if (typeof value === 'boolean' || Array.isArray(value) || isTypedArray(value)) {
    return fromValues(op, like?.backend ?? currentBackend(), value);
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
