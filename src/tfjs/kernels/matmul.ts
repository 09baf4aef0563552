// Matrix products, alone and with bias and activation; einsum in terms of them.
import * as tf from '@tensorflow/tfjs-core';
import type { BatchMatMulAttrs, _FusedMatMulAttrs } from '@tensorflow/tfjs-core';
import { matMul } from '../../ops/matmul.js';
import { matMul as fusedMatMul, type FusedActivation } from '../../ops/fused.js';
import type { Tensor } from '../../tensor/tensor.js';
import { kernel, type NativeKernel } from '../kernel.js';

/** What tfjs's fused kernels say of the activation behind a product, as our fused ops take it. */
export function epilogue(
  { bias, preluActivationWeights }: Readonly<Record<string, Tensor | undefined>>,
  { activation, leakyreluAlpha }: { activation?: string | null; leakyreluAlpha?: number },
): {
  bias?: Tensor;
  activation: FusedActivation;
  preluActivationWeights?: Tensor;
  leakyreluAlpha?: number;
} {
  return {
    activation: (activation ?? 'linear') as FusedActivation,
    ...(bias === undefined ? {} : { bias }),
    ...(activation === 'prelu' && preluActivationWeights !== undefined ? { preluActivationWeights } : {}),
    ...(activation === 'leakyrelu' && leakyreluAlpha !== undefined ? { leakyreluAlpha } : {}),
  };
}

export const matmulKernels: readonly NativeKernel[] = [
  kernel<BatchMatMulAttrs>(tf.BatchMatMul, ({ a, b }, { transposeA, transposeB }) =>
    matMul(a!, b!, transposeA, transposeB),
  ),
  kernel<_FusedMatMulAttrs>(tf._FusedMatMul, (operands, attributes) => {
    const { transposeA, transposeB } = attributes;
    return fusedMatMul({
      a: operands['a']!,
      b: operands['b']!,
      transposeA,
      transposeB,
      ...epilogue(operands, attributes),
    });
  }),
];
