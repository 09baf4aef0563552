// The tensor: a shape, a dtype and a checked number under which the native side knows the memory.
import { fromNative, invalid } from '../errors.js';
import { runOne, withMemory, NativeOp, type Backend } from './backend.js';
import { DTYPE_INDEX, type DataOf, type DType } from './dtype.js';
import { formatTensor, nest, type Nested } from './format.js';
import { track } from './scope.js';
import type { Shape } from './shape.js';
import { sizeOf } from './shape.js';
import type { TensorMethods } from './methods.js';

const CAST = new NativeOp('cast');

/** Called when user code disposes of a tensor; true: a gradient is being recorded, and its tape frees it later. */
let deferDispose: (tensor: Tensor) => boolean = () => false;
export function onDispose(defer: (tensor: Tensor) => boolean): void {
  deferDispose = defer;
}

let lastFrozen: Shape = Object.freeze([]);
/** The array itself if nobody can change it, else a copy. Ops mostly pass on the shape they got: asking V8 takes 40 ns. */
function frozen(shape: Shape): Shape {
  if (shape !== lastFrozen) lastFrozen = Object.isFrozen(shape) ? shape : Object.freeze([...shape]);
  return lastFrozen;
}

// Methods are installed by src/ops/methods.ts, which knows every op; this file knows none.
// eslint-disable-next-line @typescript-eslint/no-empty-object-type
export interface Tensor<S extends Shape = Shape, D extends DType = DType> extends TensorMethods<S, D> {}

/**
 * A dense row-major array on a device. Made by `tensor()`, `zeros()` and every op; immutable, save for `Variable`.
 * Memory is freed by garbage collection; `dispose()`, `using` and `tidy()` free it earlier.
 */
// eslint-disable-next-line @typescript-eslint/no-unsafe-declaration-merging
export class Tensor<S extends Shape = Shape, D extends DType = DType> {
  /** @internal Row in the native tensor table; 0 before it is filled and after dispose. */
  id = 0;
  /** Set by `keep()`: `tidy()` leaves the tensor alone. */
  kept = false;
  /** Number of elements. */
  readonly size: number;
  /** Sizes of the axes. Frozen: the native side is told them once, and tensors share them. */
  readonly shape: S;

  /** @internal Tensors come from creation functions and ops. */
  constructor(
    readonly backend: Backend,
    shape: S,
    readonly dtype: D,
  ) {
    this.shape = frozen(shape) as S;
    this.size = sizeOf(shape);
    track(this);
  }

  get rank(): number {
    return this.shape.length;
  }
  /** The device that holds the values: `'cpu'` or `'cuda:0'`. */
  get device(): string {
    return this.backend.device;
  }
  get isDisposed(): boolean {
    return this.id === 0;
  }

  /** Values in row-major order, as a typed array. Waits in the thread pool: the event loop stays free. */
  async data(): Promise<DataOf[D]> {
    const stored = this.readable('data');
    let buffer: ArrayBuffer;
    try {
      buffer = await this.backend.addon.readAsync(stored.id);
    } catch (error) {
      throw fromNative('data', error);
    }
    return typed(stored.dtype, buffer) as DataOf[D];
  }

  /** Values in row-major order; blocks until the device has computed them. */
  dataSync(): DataOf[D] {
    const stored = this.readable('dataSync');
    let buffer: ArrayBuffer;
    try {
      buffer = this.backend.addon.readSync(stored.id);
    } catch (error) {
      throw fromNative('dataSync', error);
    }
    return typed(stored.dtype, buffer) as DataOf[D];
  }

  /** Values as nested arrays of the tensor's shape; bool tensors give 0 and 1. */
  async array(): Promise<Nested> {
    return nest(this.shape, await this.data());
  }
  /** The values as nested arrays, once the device has them: waits for it. */
  arraySync(): Nested {
    return nest(this.shape, this.dataSync());
  }

  /** Frees the memory now. A second call does nothing. */
  dispose(): void {
    if (this.id === 0 || deferDispose(this)) return;
    this.release();
  }
  /** `using` frees it. */
  [Symbol.dispose](): void {
    this.dispose();
  }
  /** @internal */
  release(): void {
    this.backend.addon.dispose(this.id);
    this.id = 0;
  }

  /** The values with shape and dtype, shortened in the middle when there are many. */
  toString(): string {
    return this.isDisposed
      ? `Tensor (disposed) shape [${this.shape.join(',')}] ${this.dtype}`
      : formatTensor(this.shape, this.dtype, this.dataSync());
  }

  /** @internal */
  assertLive(op: string, argument: string): void {
    if (this.id !== 0) return;
    throw invalid(
      'ERR_DISPOSED',
      op,
      argument,
      'a live tensor',
      'one that was disposed',
      'use keep() or clone() if it is needed after tidy() or dispose()',
    );
  }

  // Half types are read as float32: JavaScript has no typed array for them.
  private readable(op: string): Tensor {
    this.assertLive(op, 'tensor');
    if (this.dtype !== 'float16' && this.dtype !== 'bfloat16') return this;
    return makeOne(this.backend, CAST, [this], this.shape, 'float32');
  }
}

/** A tensor of an op's result. */
export function makeOne(
  backend: Backend,
  op: NativeOp,
  inputs: readonly (Tensor | null)[],
  shape: Shape,
  dtype: DType,
  params?: readonly number[],
): Tensor {
  const result = new Tensor<Shape>(backend, shape, dtype);
  runOne(backend, op, inputs, result, shape, dtype, params);
  return result;
}

/** A tensor that shares `source`'s memory from element `offset` on; of a variable, a copy. */
export function makeView(source: Tensor, shape: Shape, offset = 0): Tensor {
  const { backend } = source;
  const result = new Tensor<Shape>(backend, shape, source.dtype);
  withMemory(backend, 'view', () => {
    const frame = backend.frame;
    frame[0] = source.id;
    frame[1] = offset;
    frame[2] = DTYPE_INDEX[source.dtype];
    frame[3] = shape.length;
    for (let axis = 0; axis < shape.length; axis++) frame[4 + axis] = shape[axis]!;
    backend.addon.alias(result);
    result.id = frame[0]!;
  });
  return result;
}

/** A tensor with the given bytes, which are in the dtype's own storage format. */
export function makeFromBytes(backend: Backend, bytes: Uint8Array, shape: Shape, dtype: DType): Tensor {
  const result = new Tensor<Shape>(backend, shape, dtype);
  withMemory(backend, 'tensor', () => {
    const frame = backend.frame;
    frame[0] = DTYPE_INDEX[dtype];
    frame[1] = shape.length;
    for (let axis = 0; axis < shape.length; axis++) frame[2 + axis] = shape[axis]!;
    backend.addon.create(backend.queue, result, bytes);
    result.id = frame[0]!;
  });
  return result;
}

function typed(dtype: DType, buffer: ArrayBuffer): DataOf[DType] {
  switch (dtype) {
    case 'float64':
      return new Float64Array(buffer);
    case 'int32':
      return new Int32Array(buffer);
    case 'uint8':
    case 'bool':
      return new Uint8Array(buffer);
    default:
      return new Float32Array(buffer);
  }
}
