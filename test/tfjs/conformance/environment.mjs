// The one environment the suite's specs are made for: our backend, with its gradients and optimizers. Before the specs are made.
import { setTestEnvs } from '@tensorflow/tfjs-core/dist/jasmine_util';
import { getKernelsForBackend } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops';
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import '@tensorflow/tfjs-backend-cpu';
import { registerGradients } from '../../../src/tfjs/gradients.ts';
import { fuseOptimizers } from '../../../src/tfjs/optimizers.ts';
import { register } from '../../../src/tfjs/register.ts';

export const kernels = register();
registerGradients();
fuseOptimizers();

/** Kernels of tfjs's CPU backend that ours has nowhere: there must be none. */
export const unsorted = getKernelsForBackend('cpu')
  .map(({ kernelName }) => kernelName)
  .filter((name) => !kernels.native.includes(name) && !kernels.host.includes(name));

setTestEnvs([{ name: 'selfnorm', backendName: 'selfnorm', isDataSync: true }]);
