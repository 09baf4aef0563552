// Einstein sums: tfjs works out the order of the products, which are taken axis by axis.
import * as tf from '@tensorflow/tfjs-core';
import type { EinsumAttrs } from '@tensorflow/tfjs-core';
import type { Tensor } from '../../tensor/tensor.js';
import { mul } from '../../ops/arithmetic.js';
import { sum } from '../../ops/reductions.js';
import { reshape } from '../../ops/reshape.js';
import { transpose } from '../../ops/transpose.js';
import { kernel, type NativeKernel } from '../kernel.js';

const { decodeEinsumEquation, checkEinsumDimSizes, getEinsumComputePath, getEinsumPermutation } = tf.backend_util;

/** An operand with its axes in the order of the equation's, and axes of size 1 for those that it has not. */
function aligned(x: Tensor, axes: number, own: number[]): Tensor {
  const { permutationIndices, expandDims } = getEinsumPermutation(axes, own);
  const moved = transpose(x, permutationIndices);
  const shape = [...moved.shape];
  for (const axis of expandDims) shape.splice(axis, 0, 1);
  return reshape(moved, shape);
}

function einsum(operands: Tensor[], equation: string): Tensor {
  const { allDims, summedDims, idDims } = decodeEinsumEquation(equation, operands.length);
  checkEinsumDimSizes(allDims.length, idDims, operands as unknown as tf.Tensor[]);
  const { path, steps } = getEinsumComputePath(summedDims, idDims);
  let axes = allDims.length;
  let result: Tensor | null = null;
  steps.forEach((terms, step) => {
    for (const term of terms) {
      const operand = aligned(operands[term]!, axes, idDims[term]!);
      result = result === null ? operand : mul(operand, result);
    }
    if (step === steps.length - 1) return;
    if (path[step]! >= 0) result = sum(result!, path[step]! - (allDims.length - axes));
    axes--;
  });
  return result!;
}

export const einsumKernels: readonly NativeKernel[] = [
  kernel<EinsumAttrs>(tf.Einsum, (operands, { equation }) => einsum(Object.values(operands), equation)),
];
