// Every kernel that is computed by native ops.
import type { NativeKernel } from '../kernel.js';
import { activationKernels } from './activations.js';
import { binaryKernels } from './binary.js';
import { convolution3dKernels } from './convolution-3d.js';
import { convolutionKernels } from './convolution.js';
import { creationKernels } from './creation.js';
import { einsumKernels } from './einsum.js';
import { elementwiseKernels } from './elementwise.js';
import { gatheringKernels } from './gathering.js';
import { matmulKernels } from './matmul.js';
import { normalizationKernels } from './normalization.js';
import { poolingKernels } from './pooling.js';
import { reductionKernels } from './reductions.js';
import { resizingKernels } from './resizing.js';
import { shapeKernels } from './shapes.js';

export const nativeKernels: readonly NativeKernel[] = [
  ...elementwiseKernels,
  ...binaryKernels,
  ...activationKernels,
  ...reductionKernels,
  ...matmulKernels,
  ...einsumKernels,
  ...convolutionKernels,
  ...convolution3dKernels,
  ...poolingKernels,
  ...shapeKernels,
  ...gatheringKernels,
  ...creationKernels,
  ...normalizationKernels,
  ...resizingKernels,
];
