// Kernels that run on the host: tfjs's own CPU kernels on values read back. They are for what training does not use
// (strings, sparse and ragged tensors, Fourier transforms, boxes) and for strings and complex numbers everywhere else.
import { createRequire } from 'node:module';
import * as tf from '@tensorflow/tfjs-core';
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { failure } from '../errors.js';
import type { SelfnormBackend } from './backend.js';
import type { KernelFunction, Result } from './kernel.js';

/** Kernels that have no native form. */
export const HOST_KERNELS: readonly string[] = [
  ...[tf.Acos, tf.Asin, tf.Atan, tf.Atan2, tf.Cos, tf.Sin, tf.Tan, tf.Erf, tf.BitwiseAnd, tf.Cumprod],
  ...[tf.FFT, tf.IFFT, tf.BroadcastArgs, tf.SearchSorted, tf.Unique, tf.TensorScatterUpdate],
  ...[tf.CropAndResize, tf.RotateWithOffset, tf.Transform, tf.Draw, tf.MaxPoolWithArgmax],
  ...[tf.Dilation2D, tf.Dilation2DBackpropFilter, tf.Dilation2DBackpropInput],
  ...[tf.NonMaxSuppressionV3, tf.NonMaxSuppressionV4, tf.NonMaxSuppressionV5],
  ...[tf.RaggedGather, tf.RaggedRange, tf.RaggedTensorToTensor],
  ...[tf.SparseFillEmptyRows, tf.SparseReshape, tf.SparseSegmentMean, tf.SparseSegmentSum, tf.SparseToDense],
  ...[tf.StaticRegexReplace, tf.StringNGrams, tf.StringSplit, tf.StringToHashBucketFast],
];

/** What is used of tfjs's CPU backend. */
interface HostBackend extends tf.KernelBackend {
  /** Set: it advises a faster backend when it is first written to. */
  firstUse: boolean;
  makeTensorInfo(shape: number[], dtype: tf.DataType, values: tf.backend_util.BackendValues): TensorInfo;
}

let host: HostBackend | undefined;

function hostBackend(kernelName: string): HostBackend {
  if (host === undefined) {
    loadHostKernels();
    const made = tf.findBackendFactory('cpu')?.();
    if (made === undefined) {
      const missing = 'runs on the host, by @tensorflow/tfjs-backend-cpu, which is not installed';
      throw failure('ERR_DEVICE', kernelName, `${missing}; npm install @tensorflow/tfjs-backend-cpu`);
    }
    host = made as unknown as HostBackend;
    host.firstUse = false;
  }
  return host;
}

/** Registers tfjs's CPU kernels, unless the program has; silently none where the package is missing. */
function loadHostKernels(): void {
  if (tf.findBackendFactory('cpu') !== null) return;
  try {
    createRequire(import.meta.url)('@tensorflow/tfjs-backend-cpu');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND')) throw error;
  }
}

/** A copy of an operand with the host; some of its kernels ask for the rank that tfjs's tensors have. */
const copyOf = (info: TensorInfo, ours: SelfnormBackend, theirs: HostBackend): TensorInfo =>
  Object.assign(download(info, ours, theirs), { rank: info.shape.length });

function download(info: TensorInfo, ours: SelfnormBackend, theirs: HostBackend): TensorInfo {
  const values = ours.readSync(info.dataId);
  if (info.dtype !== 'complex64') return theirs.makeTensorInfo(info.shape, info.dtype, values);
  const { real, imag } = tf.backend_util.splitRealAndImagArrays(values as Float32Array);
  const [re, im] = [real, imag].map((part) => theirs.makeTensorInfo(info.shape, 'float32', part));
  const complex = tf
    .getKernel(tf.Complex, 'cpu')
    .kernelFunc({ inputs: { real: re!, imag: im! }, attrs: {}, backend: theirs });
  theirs.disposeData(re!.dataId);
  theirs.disposeData(im!.dataId);
  return complex as TensorInfo;
}

/** The host's kernel of a name, on our operands. */
export function hostKernel(name: string): KernelFunction {
  return ({ inputs, attrs, backend }) => {
    const ours = backend as SelfnormBackend;
    const theirs = hostBackend(name);
    const { kernelFunc } = tf.getKernel(name, 'cpu');
    const copies = Array.isArray(inputs) ? ([] as unknown as typeof inputs) : {};
    for (const operand in inputs) {
      const given = inputs[operand] as TensorInfo | TensorInfo[] | undefined;
      if (given == null) continue;
      const copied = Array.isArray(given) ? given.map((one) => copyOf(one, ours, theirs)) : copyOf(given, ours, theirs);
      (copies as Record<string, unknown>)[operand] = copied;
    }
    const result = kernelFunc({ inputs: copies, attrs: attrs ?? {}, backend: theirs });
    const upload = (info: TensorInfo): TensorInfo =>
      ours.makeTensorInfo(info.shape, info.dtype, theirs.readSync(info.dataId));
    const uploaded: Result = Array.isArray(result) ? result.map(upload) : upload(result);
    const used = [...Object.values(copies).flat(), result].flat() as TensorInfo[];
    for (const { dataId } of used) theirs.disposeData(dataId, true);
    return uploaded;
  };
}
