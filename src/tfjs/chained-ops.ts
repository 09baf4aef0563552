// Ops as methods of tfjs's tensors: the union package @tensorflow/tfjs has them, tfjs-core alone has not, and scripts for
// tfjs-node use them. Whatever is there already stays.
import type {} from '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
import * as tf from '@tensorflow/tfjs-core';

/** Ops that take the tensor first: `x.add(y)` is `add(x, y)`. */
const OPS = [
  'abs acos acosh add all any argMax argMin asin asinh atan atan2 atanh avgPool batchNorm batchToSpaceND broadcastTo',
  'cast ceil clipByValue conv1d conv2d conv2dTranspose cos cosh cumprod cumsum depthToSpace depthwiseConv2d dilation2d div',
  'divNoNan dot elu equal erf euclideanNorm exp expandDims expm1 fft floor floorDiv gather greater greaterEqual ifft irfft',
  'isFinite isInf isNaN leakyRelu less lessEqual localResponseNormalization log log1p logSigmoid logSoftmax logSumExp',
  'logicalAnd logicalNot logicalOr logicalXor matMul max maxPool maximum mean min minimum mirrorPad mod mul neg norm',
  'notEqual oneHot onesLike pad pool pow prelu prod reciprocal relu relu6 reshape reverse rfft round rsqrt selu',
  'separableConv2d sigmoid sign sin sinh slice softmax softplus spaceToBatchND split sqrt square squaredDifference squeeze',
  'step stridedSlice sub sum tan tanh tile topk transpose unique unsortedSegmentSum unstack zerosLike',
].flatMap((line) => line.split(' '));

type Method = (this: never, ...rest: never[]) => unknown;
type Op = (x: tf.Tensor, ...rest: unknown[]) => unknown;

const asList = (given: tf.Tensor | tf.Tensor[]): tf.Tensor[] => (Array.isArray(given) ? given : [given]);

/** Methods that are more than an op by the same name. */
const OTHERS: Record<string, Method> = {
  as1D(this: tf.Tensor) {
    return tf.reshape(this, [this.size]);
  },
  asScalar(this: tf.Tensor) {
    return tf.reshape(this, []);
  },
  flatten(this: tf.Tensor) {
    return tf.reshape(this, [this.size]);
  },
  asType(this: tf.Tensor, dtype: tf.DataType) {
    return tf.cast(this, dtype);
  },
  toBool(this: tf.Tensor) {
    return tf.cast(this, 'bool');
  },
  toFloat(this: tf.Tensor) {
    return tf.cast(this, 'float32');
  },
  toInt(this: tf.Tensor) {
    return tf.cast(this, 'int32');
  },
  reshapeAs(this: tf.Tensor, like: tf.Tensor) {
    return tf.reshape(this, like.shape);
  },
  concat(this: tf.Tensor, others: tf.Tensor | tf.Tensor[], axis?: number) {
    return tf.concat([this, ...asList(others)], axis);
  },
  stack(this: tf.Tensor, others: tf.Tensor | tf.Tensor[], axis?: number) {
    return tf.stack([this, ...asList(others)], axis);
  },
  where(this: tf.Tensor, condition: tf.Tensor, other: tf.Tensor) {
    return tf.where(condition, this, other);
  },
  resizeBilinear(this: tf.Tensor3D, size: [number, number], alignCorners?: boolean, halfPixelCenters?: boolean) {
    return tf.image.resizeBilinear(this, size, alignCorners, halfPixelCenters);
  },
  resizeNearestNeighbor(this: tf.Tensor3D, size: [number, number], alignCorners?: boolean, halfPixelCenters?: boolean) {
    return tf.image.resizeNearestNeighbor(this, size, alignCorners, halfPixelCenters);
  },
};

for (const rank of [2, 3, 4, 5]) {
  OTHERS[`as${rank}D`] = function (this: tf.Tensor, ...shape: number[]) {
    return tf.reshape(this, shape);
  };
}

/** Gives tfjs's tensors the methods that they lack. */
export function installChainedOps(): void {
  const prototype = tf.Tensor.prototype as unknown as Record<string, Method>;
  const ops = { ...tf, ...tf.spectral } as unknown as Record<string, Op | undefined>;
  for (const name of OPS) {
    prototype[name] ??= function (this: tf.Tensor, ...rest: unknown[]) {
      // The library's own check: a disposed tensor is named as such.
      this.throwIfDisposed();
      return ops[name]!(this, ...rest);
    } as Method;
  }
  for (const [name, method] of Object.entries(OTHERS)) prototype[name] ??= method;
}
