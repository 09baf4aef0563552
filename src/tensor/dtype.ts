// Data types: names, storage, and which type two operands meet in.

/** Data types of tensors. `float64` is meant for gradient checks, `float16` and `bfloat16` compute in float32. */
export type DType = 'float32' | 'float16' | 'bfloat16' | 'float64' | 'int32' | 'uint8' | 'bool';

/** In the order of the native enum DType (cuda/kernels/storage.h). */
export const DTYPES: readonly DType[] = ['float32', 'float16', 'bfloat16', 'float64', 'int32', 'uint8', 'bool'];

/** What `data()` returns for a dtype; the half types come as float32. */
export interface DataOf {
  float32: Float32Array;
  float16: Float32Array;
  bfloat16: Float32Array;
  float64: Float64Array;
  int32: Int32Array;
  uint8: Uint8Array;
  bool: Uint8Array;
}

export const DTYPE_INDEX: Readonly<Record<DType, number>> = {
  float32: 0,
  float16: 1,
  bfloat16: 2,
  float64: 3,
  int32: 4,
  uint8: 5,
  bool: 6,
};

/** Bytes an element takes on the device. */
export const DTYPE_BYTES: Readonly<Record<DType, number>> = {
  float32: 4,
  float16: 2,
  bfloat16: 2,
  float64: 8,
  int32: 4,
  uint8: 1,
  bool: 1,
};

export function isDType(value: unknown): value is DType {
  return typeof value === 'string' && Object.hasOwn(DTYPE_INDEX, value);
}

export function isFloat(dtype: DType): boolean {
  return DTYPE_INDEX[dtype] <= 3;
}

const RANK: Readonly<Record<DType, number>> = {
  bool: 0,
  uint8: 1,
  int32: 2,
  float16: 3,
  bfloat16: 3,
  float32: 4,
  float64: 5,
};

/** The dtype two operands are computed in, as tfjs's upcastType: the wider of the two; float16 with bfloat16 is float32. */
export function promote(a: DType, b: DType): DType {
  if (a === b) return a;
  if (RANK[a] === RANK[b]) return 'float32';
  return RANK[a] > RANK[b] ? a : b;
}
