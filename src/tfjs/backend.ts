// The tfjs backend's storage: what a data id stands for. Numbers are tensors on our device, uploaded when they are written;
// strings stay on the host; a complex tensor is two of numbers.
import { backend_util, DataStorage, engine, KernelBackend, util } from '@tensorflow/tfjs-core';
import type { BackendTimingInfo, DataToGPUOptions, DataType, GPUData, TensorInfo } from '@tensorflow/tfjs-core';
import { failure } from '../errors.js';
import type { Backend } from '../tensor/backend.js';
import { currentBackend } from '../tensor/device.js';
import type { DType } from '../tensor/dtype.js';
import { sameShape, type Shape } from '../tensor/shape.js';
import { makeFromBytes, makeView, type Tensor } from '../tensor/tensor.js';

export type BackendValues = backend_util.BackendValues;
type TypedArray = backend_util.TypedArray;
/** The object that a tfjs tensor knows its values by. */
export type DataId = object;

/** Both parts of a complex tensor. */
interface ComplexParts {
  readonly real: Tensor;
  readonly imag: Tensor;
}

/** What a data id stands for: a tensor, strings or two parts. */
interface Stored {
  refCount: number;
  readonly dtype: DataType;
  readonly tensor?: Tensor;
  /** The same memory in other shapes: tfjs reshapes by handing out the same id. */
  views?: Tensor[];
  readonly strings?: Uint8Array[];
  readonly parts?: ComplexParts;
}

/** Shapes of one tensor that are kept at hand. */
const MOST_VIEWS = 4;

/** Dtypes that the native kernels compute in; the others are for the host. */
export function isNative(dtype: DataType): dtype is 'float32' | 'int32' | 'bool' {
  return dtype !== 'string' && dtype !== 'complex64';
}

function bytesOf(values: BackendValues | readonly number[], dtype: DType): Uint8Array {
  let array: Float32Array | Int32Array | Uint8Array;
  if (dtype === 'float32') array = values instanceof Float32Array ? values : Float32Array.from(values as TypedArray);
  else if (dtype === 'int32') array = values instanceof Int32Array ? values : Int32Array.from(values as TypedArray);
  else array = values instanceof Uint8Array ? values : Uint8Array.from(values as TypedArray);
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

/** tfjs's KernelBackend over selfnorm's tensors; the kernels are in kernels/. */
export class SelfnormBackend extends KernelBackend {
  /** Where the tensors are: the device that was current when the backend was made. */
  readonly device: Backend = currentBackend();
  private readonly data = new DataStorage<Stored>(this, engine());

  private add(stored: Stored): DataId {
    const dataId = {};
    this.data.set(dataId, stored);
    return dataId;
  }

  private upload(values: BackendValues | readonly number[], shape: Shape, dtype: DType): Tensor {
    return makeFromBytes(this.device, bytesOf(values, dtype), shape, dtype);
  }

  private stored(values: BackendValues, shape: number[], dtype: DataType, refCount: number): Stored {
    if (dtype === 'string') return { refCount, dtype, strings: values as Uint8Array[] };
    if (dtype === 'complex64') {
      const { real, imag } = backend_util.splitRealAndImagArrays(values as Float32Array);
      const part = (own: Float32Array): Tensor => this.upload(own, shape, 'float32');
      return { refCount, dtype, parts: { real: part(real), imag: part(imag) } };
    }
    return { refCount, dtype, tensor: this.upload(values, shape, dtype) };
  }

  override write(values: BackendValues, shape: number[], dtype: DataType): DataId {
    return this.add(this.stored(values, shape, dtype, 1));
  }
  override move(dataId: DataId, values: BackendValues, shape: number[], dtype: DataType, refCount: number): void {
    this.data.set(dataId, this.stored(values, shape, dtype, refCount));
  }

  /** Host values as the result of a kernel; strings as they are or encoded. */
  makeTensorInfo(shape: number[], dtype: DataType, values: BackendValues | string[]): TensorInfo {
    const encoded =
      dtype === 'string' && typeof values[0] === 'string'
        ? (values as string[]).map((text) => util.encodeString(text))
        : (values as BackendValues);
    return { dataId: this.write(encoded, shape, dtype), shape, dtype };
  }

  /** A new tensor as the result of a kernel, which owns it. */
  wrap(tensor: Tensor, shape: Shape = tensor.shape): TensorInfo {
    const dtype = tensor.dtype as 'float32' | 'int32' | 'bool';
    return { dataId: this.add({ refCount: 1, dtype, tensor }), shape: shape as number[], dtype };
  }

  /** A complex result of two new tensors of one shape. */
  wrapComplex(real: Tensor, imag: Tensor): TensorInfo {
    const dataId = this.add({ refCount: 1, dtype: 'complex64', parts: { real, imag } });
    return { dataId, shape: real.shape as number[], dtype: 'complex64' };
  }

  /** The values of `info` under another id of theirs, as tfjs's reshape and identity want it. */
  share(info: TensorInfo, shape: Shape = info.shape): TensorInfo {
    this.incRef(info.dataId);
    return { dataId: info.dataId, shape: shape as number[], dtype: info.dtype };
  }

  /** The tensor of an operand in the operand's shape; it stays the backend's. */
  tensor(info: TensorInfo): Tensor {
    const stored = this.data.get(info.dataId);
    const { tensor, views } = stored;
    if (tensor === undefined) {
      throw failure('ERR_DTYPE', 'tfjs', `expected a tensor of numbers, got one of dtype ${info.dtype}`);
    }
    if (sameShape(tensor.shape, info.shape)) return tensor;
    for (const view of views ?? []) if (sameShape(view.shape, info.shape)) return view;
    const view = makeView(tensor, info.shape);
    // The oldest of many may still be an operand of this kernel: garbage collection frees it.
    if (views === undefined) stored.views = [view];
    else if (views.push(view) > MOST_VIEWS) views.shift();
    return view;
  }

  /** A part of a complex operand, as a tensor of the caller's that shares its memory. */
  part(info: TensorInfo, which: keyof ComplexParts): Tensor {
    return makeView(this.data.get(info.dataId).parts![which], info.shape);
  }

  /** True where nobody else reads the values: they may be overwritten. */
  isSole(dataId: DataId): boolean {
    return this.data.get(dataId).refCount === 1;
  }

  /** Frees the views of values that were overwritten: they keep the old ones. */
  forgetViews(dataId: DataId): void {
    const stored = this.data.get(dataId);
    stored.views?.forEach((view) => view.dispose());
    delete stored.views;
  }

  override refCount(dataId: DataId): number {
    return this.data.has(dataId) ? this.data.get(dataId).refCount : 0;
  }
  override incRef(dataId: DataId): void {
    this.data.get(dataId).refCount++;
  }
  override disposeData(dataId: DataId, force = false): boolean {
    if (!this.data.has(dataId)) return true;
    const stored = this.data.get(dataId);
    stored.refCount--;
    if (!force && stored.refCount > 0) return false;
    stored.views?.forEach((view) => view.dispose());
    stored.tensor?.dispose();
    stored.parts?.real.dispose();
    stored.parts?.imag.dispose();
    this.data.delete(dataId);
    return true;
  }
  override numDataIds(): number {
    return this.data.numDataIds();
  }

  override readSync(dataId: DataId): BackendValues {
    const { tensor, strings, parts } = this.data.get(dataId);
    if (tensor !== undefined) return tensor.dataSync() as BackendValues;
    if (strings !== undefined) return strings;
    const [real, imag] = [parts!.real.dataSync(), parts!.imag.dataSync()];
    return backend_util.mergeRealAndImagArrays(real as Float32Array, imag as Float32Array);
  }
  override async read(dataId: DataId): Promise<BackendValues> {
    const { tensor, strings, parts } = this.data.get(dataId);
    if (tensor !== undefined) return (await tensor.data()) as BackendValues;
    if (strings !== undefined) return strings;
    const [real, imag] = await Promise.all([parts!.real.data(), parts!.imag.data()]);
    return backend_util.mergeRealAndImagArrays(real as Float32Array, imag as Float32Array);
  }
  override readToGPU(_dataId: DataId, _options?: DataToGPUOptions): GPUData {
    throw failure('ERR_DEVICE', 'tfjs', 'readToGPU: textures and WebGPU buffers do not exist in Node.js');
  }

  override timerAvailable(): boolean {
    return true;
  }
  /** Runs `f` on an idle device and waits for the device. */
  override time(f: () => void): Promise<BackendTimingInfo> {
    const { addon, queue } = this.device;
    addon.synchronize(queue);
    const start = performance.now();
    f();
    addon.synchronize(queue);
    return Promise.resolve({ kernelMs: performance.now() - start, getExtraProfileInfo: () => '' });
  }

  /** What tfjs's memory() adds to its own counts: bytes of the device, cached ones and the peak. */
  override memory(): { unreliable: boolean; numBytesOnDevice: number; cachedBytes: number; peakBytes: number } {
    const { inUseBytes, cachedBytes, peakBytes } = this.device.addon.memory(this.device.queue);
    return { unreliable: false, numBytesOnDevice: inUseBytes, cachedBytes, peakBytes };
  }
  override floatPrecision(): 16 | 32 {
    return 32;
  }
  override epsilon(): number {
    return super.epsilon();
  }
  /** Nothing: the data ids that are left free their memory when they are collected. */
  override dispose(): void {}
}
