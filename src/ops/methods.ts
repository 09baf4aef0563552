// Installs every op as a method of Tensor. Type-checked both ways against TensorMethods: a method that is declared and not
// installed, or installed and not declared, does not compile.
import type { TensorMethods } from '../tensor/methods.js';
import { Tensor } from '../tensor/tensor.js';
import type { TensorLike } from '../tensor/convert.js';
import * as activations from './activations.js';
import * as arithmetic from './arithmetic.js';
import { broadcastTo, tile } from './broadcast.js';
import { castCopy } from './cast.js';
import * as comparison from './comparison.js';
import { alphaDropout, dropout } from './dropout.js';
import * as elementwise from './elementwise.js';
import { gather, oneHot } from './gather.js';
import { concat, stack } from './join.js';
import { prelu } from './prelu.js';
import * as reductions from './reductions.js';
import { conv2d, conv2dTranspose, depthwiseConv2d } from './convolution.js';
import { avgPool, maxPool } from './pooling.js';
import { dot, matMul, outerProduct } from './matmul.js';
import { batchNorm, layerNorm } from './normalisation.js';
import { clone, expandDims, reshape, squeeze } from './reshape.js';
import { cumsum } from './scan.js';
import { where } from './select.js';
import { pad, slice, split, unstack } from './slice.js';
import { topk } from './topk.js';
import { to } from './transfer.js';
import { reverse, transpose } from './transpose.js';
import { logSoftmax, softmax } from './softmax.js';

const listOf = (x: TensorLike, others: TensorLike | readonly TensorLike[]): TensorLike[] =>
  Array.isArray(others) && others.every((other) => other instanceof Tensor)
    ? [x, ...others]
    : [x, others as TensorLike];

const methods = {
  ...arithmetic,
  ...comparison,
  ...elementwise,
  ...reductions,
  where: (x: TensorLike, condition: TensorLike, b: TensorLike) => where(condition, x, b),
  cast: castCopy,
  clone,
  reshape,
  expandDims,
  squeeze,
  ...{ broadcastTo, tile, transpose, reverse, slice, pad, split, unstack, gather, oneHot, cumsum, topk, to },
  concat: (x: TensorLike, others: TensorLike | readonly TensorLike[], axis?: number) => concat(listOf(x, others), axis),
  stack: (x: TensorLike, others: TensorLike | readonly TensorLike[], axis?: number) => stack(listOf(x, others), axis),
  ...{ matMul, dot, outerProduct },
  ...{ conv2d, depthwiseConv2d, conv2dTranspose, maxPool, avgPool },
  ...{ softmax, logSoftmax, batchNorm, layerNorm },
  ...{ dropout, alphaDropout },
  ...activations,
  prelu,
} satisfies Record<keyof TensorMethods<number[], 'float32'>, (x: TensorLike, ...rest: never[]) => unknown>;

for (const [name, op] of Object.entries(methods)) {
  const call = op as (x: unknown, ...rest: unknown[]) => unknown;
  Object.defineProperty(Tensor.prototype, name, {
    configurable: true,
    writable: true,
    value(this: Tensor, ...rest: unknown[]) {
      return call(this, ...rest);
    },
  });
}
