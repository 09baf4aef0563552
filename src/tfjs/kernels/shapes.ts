// Kernels that move values and compute nothing: views, transposes, slices, padding, joining, repeating.
import * as tf from '@tensorflow/tfjs-core';
import type {
  BatchToSpaceNDAttrs,
  ConcatAttrs,
  DepthToSpaceAttrs,
  ExpandDimsAttrs,
  MirrorPadAttrs,
  PackAttrs,
  PadV2Attrs,
  ReshapeAttrs,
  ReverseAttrs,
  SliceAttrs,
  SpaceToBatchNDAttrs,
  SplitVAttrs,
  StridedSliceAttrs,
  TensorInfo,
  TileAttrs,
  TransposeAttrs,
  UnpackAttrs,
} from '@tensorflow/tfjs-core';
import { failure, invalid } from '../../errors.js';
import { fromValues } from '../../tensor/convert.js';
import type { Tensor } from '../../tensor/tensor.js';
import { sizeOf } from '../../tensor/shape.js';
import { tile } from '../../ops/broadcast.js';
import { gather } from '../../ops/gather.js';
import { concat, stack } from '../../ops/join.js';
import { clone, reshape } from '../../ops/reshape.js';
import { pad, slice, split, unstack } from '../../ops/slice.js';
import { stridedCopy, stridesOf } from '../../ops/strided-copy.js';
import { reverse, transpose } from '../../ops/transpose.js';
import { tidy } from '../../tensor/memory.js';
import type { SelfnormBackend } from '../backend.js';
import { kernel, owned, tensorsOf, type NativeKernel } from '../kernel.js';

/** A kernel that hands out the values it got, in any dtype. */
function sharing(
  name: string,
  operand: string,
  shapeOf: (x: TensorInfo, attributes: object) => readonly number[],
): NativeKernel {
  return {
    name,
    anyDType: true,
    run: (inputs, attributes, backend) => {
      const x = inputs[operand]!;
      return backend.share(x, shapeOf(x, attributes));
    },
  };
}

function reshaped(x: TensorInfo, attributes: object): number[] {
  const size = sizeOf(x.shape);
  const shape = tf.util.inferFromImplicitShape((attributes as ReshapeAttrs).shape, size);
  if (sizeOf(shape) !== size) {
    throw failure('ERR_SHAPE', 'reshape', `shape: expected ${size} elements, got [${shape.join(',')}]`);
  }
  return shape;
}

function expanded(x: TensorInfo, attributes: object): number[] {
  const { dim } = attributes as ExpandDimsAttrs;
  const shape = [...x.shape];
  if (dim < -shape.length - 1 || dim > shape.length) {
    const axes = `an axis in [${-shape.length - 1}, ${shape.length}]`;
    throw invalid('ERR_ARGUMENT', 'expandDims', 'axis', axes, dim);
  }
  // tfjs counts a negative axis from behind the last.
  shape.splice(dim < 0 ? x.shape.length + dim + 1 : dim, 0, 1);
  return shape;
}

function stridedSlice(x: Tensor, attributes: StridedSliceAttrs): Tensor {
  const { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = attributes;
  const info = tf.slice_util.sliceInfo(
    [...x.shape],
    begin,
    end,
    strides,
    beginMask,
    endMask,
    ellipsisMask,
    newAxisMask,
    shrinkAxisMask,
  );
  if (info.isIdentity) return reshape(x, info.finalShape);
  const own = stridesOf(x.shape);
  const walk = info.begin.map((from, axis) => Math.max(0, Math.ceil((info.end[axis]! - from) / info.strides[axis]!)));
  const offset = info.begin.reduce((sum, from, axis) => sum + from * own[axis]!, 0);
  const steps = own.map((stride, axis) => stride * info.strides[axis]!);
  return stridedCopy(x, info.finalShape, steps, sizeOf(walk) === 0 ? 0 : offset, walk);
}

/** Padding with what lies behind the border: 'reflect' without the border's own elements, 'symmetric' with them. */
function mirrorPad(x: Tensor, { paddings, mode }: MirrorPadAttrs): Tensor {
  const skipped = mode === 'reflect' ? 1 : 0;
  return paddings.reduce((padded, [before, after], axis) => {
    if (before === 0 && after === 0) return padded;
    const size = x.shape[axis]!;
    const from = (i: number): number => {
      if (i < 0) return -i - 1 + skipped;
      return i < size ? i : 2 * size - 1 - i - skipped;
    };
    const places = Int32Array.from({ length: before + size + after }, (_, i) => from(i - before));
    return gather(padded, fromValues('mirrorPad', x.backend, places, [places.length], 'int32'), axis);
  }, x);
}

function spaceToBatch(x: Tensor, { blockShape, paddings }: SpaceToBatchNDAttrs): Tensor {
  const { getReshaped, getPermuted, getReshapedPermuted } = tf.backend_util;
  const block = sizeOf(blockShape);
  const sides = [[0, 0], ...paddings, ...new Array<number[]>(x.rank - 1 - blockShape.length).fill([0, 0])];
  const padded = pad(x, sides as [number, number][]);
  const blocks = getReshaped([...padded.shape], blockShape, block, false);
  const order = getPermuted(blocks.length, blockShape.length, false);
  return reshape(
    transpose(reshape(padded, blocks), order),
    getReshapedPermuted([...padded.shape], blockShape, block, false),
  );
}

function batchToSpace(x: Tensor, { blockShape, crops }: BatchToSpaceNDAttrs): Tensor {
  const { getReshaped, getPermuted, getReshapedPermuted, getSliceBeginCoords, getSliceSize } = tf.backend_util;
  const block = sizeOf(blockShape);
  const blocks = getReshaped([...x.shape], blockShape, block);
  const whole = getReshapedPermuted([...x.shape], blockShape, block);
  const moved = transpose(reshape(x, blocks), getPermuted(blocks.length, blockShape.length));
  const begin = getSliceBeginCoords(crops, blockShape.length);
  return slice(reshape(moved, whole), begin, getSliceSize(whole, crops, blockShape.length));
}

function depthToSpace(x: Tensor, { blockSize, dataFormat }: DepthToSpaceAttrs): Tensor {
  const first = dataFormat === 'NCHW';
  const [n, height, width, depth] = (first ? transpose(x, [0, 2, 3, 1]) : x).shape as [number, number, number, number];
  const own = depth / (blockSize * blockSize);
  if (first) {
    const blocks = transpose(reshape(x, [n, blockSize, blockSize, own, height, width]), [0, 3, 4, 1, 5, 2]);
    return reshape(blocks, [n, own, height * blockSize, width * blockSize]);
  }
  const blocks = transpose(reshape(x, [n, height, width, blockSize, blockSize, own]), [0, 1, 3, 2, 4, 5]);
  return reshape(blocks, [n, height * blockSize, width * blockSize, own]);
}

/** A kernel with several results. */
function parts<A extends object>(
  name: string,
  operand: string,
  cut: (x: Tensor, attributes: A) => Tensor[],
): NativeKernel {
  return {
    name,
    run: (inputs, attributes, backend) => {
      const x = backend.tensor(inputs[operand]!);
      return tidy(() => cut(x, attributes as A)).map((part) => backend.wrap(part));
    },
  };
}

/** A kernel of a list of tensors, empty ones among them. */
function joining<A extends object>(
  name: string,
  join: (list: Tensor[], attributes: A, backend: SelfnormBackend) => Tensor,
): NativeKernel {
  return {
    name,
    run: (inputs, attributes, backend) => {
      const operands = tensorsOf(inputs, backend);
      return backend.wrap(owned(operands, () => join(Object.values(operands), attributes as A, backend)));
    },
  };
}

export const shapeKernels: readonly NativeKernel[] = [
  sharing(tf.Identity, 'x', (x) => x.shape),
  sharing(tf.Reshape, 'x', reshaped),
  sharing(tf.ExpandDims, 'input', expanded),
  kernel<TransposeAttrs>(tf.Transpose, ({ x }, { perm }) => transpose(x!, perm)),
  kernel<ReverseAttrs>(tf.Reverse, ({ x }, { dims }) => (x!.rank === 0 ? clone(x!) : reverse(x!, dims))),
  kernel(tf.FlipLeftRight, ({ image }) => reverse(image!, 2)),
  kernel<SliceAttrs>(tf.Slice, ({ x }, { begin, size }) => {
    if (x!.rank === 0) return clone(x!);
    const [from, sizes] = tf.slice_util.parseSliceParams({ shape: [...x!.shape] } as TensorInfo, begin, size);
    tf.slice_util.assertParamsValid({ shape: [...x!.shape] } as TensorInfo, from!, sizes!);
    return slice(x!, from!, sizes);
  }),
  kernel<StridedSliceAttrs>(tf.StridedSlice, ({ x }, attributes) => stridedSlice(x!, attributes)),
  kernel<TileAttrs>(tf.Tile, ({ x }, { reps }) => tile(x!, reps)),
  kernel<PadV2Attrs>(tf.PadV2, ({ x }, { paddings, constantValue }) => pad(x!, paddings, constantValue)),
  kernel<MirrorPadAttrs>(tf.MirrorPad, ({ x }, attributes) => mirrorPad(x!, attributes)),
  kernel<SpaceToBatchNDAttrs>(tf.SpaceToBatchND, ({ x }, attributes) => spaceToBatch(x!, attributes)),
  kernel<BatchToSpaceNDAttrs>(tf.BatchToSpaceND, ({ x }, attributes) => batchToSpace(x!, attributes)),
  kernel<DepthToSpaceAttrs>(tf.DepthToSpace, ({ x }, attributes) => depthToSpace(x!, attributes)),
  joining<ConcatAttrs>(tf.Concat, (list, { axis }) => concat(list, axis)),
  joining<PackAttrs>(tf.Pack, (list, { axis }) => {
    const other = list.find(({ dtype }) => dtype !== list[0]!.dtype);
    if (other !== undefined) throw invalid('ERR_DTYPE', 'stack', 'tensors', `${list[0]!.dtype} tensors`, other.dtype);
    return stack(list, axis);
  }),
  parts<UnpackAttrs>(tf.Unpack, 'value', (x, { axis }) => unstack(x, axis)),
  parts<SplitVAttrs>(tf.SplitV, 'x', (x, { numOrSizeSplits, axis }) => split(x, numOrSizeSplits, axis)),
];
