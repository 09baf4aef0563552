// Registers the backend and its kernels with tfjs.
import * as tf from '@tensorflow/tfjs-core';
import { SelfnormBackend } from './backend.js';
import { HOST_KERNELS, hostKernel } from './host-kernels.js';
import { kernelFunction, type KernelFunction } from './kernel.js';
import { nativeKernels } from './kernels/index.js';

/** The name of the backend, as tf.setBackend() takes it. */
export const BACKEND_NAME = 'selfnorm';
/** Above tfjs's CPU backend (1) and tfjs-node (3), so that importing the package is choosing it. */
const PRIORITY = 5;

/** tfjs's kernels: those that are computed by native ops, and those that the host computes. */
export interface KernelNames {
  readonly native: readonly string[];
  readonly host: readonly string[];
}

function add(name: string, kernelFunc: KernelFunction): void {
  tf.registerKernel({ kernelName: name, backendName: BACKEND_NAME, kernelFunc: kernelFunc });
}

/** Registers backend and kernels; a second call changes nothing. */
export function register(): KernelNames {
  if (tf.findBackendFactory(BACKEND_NAME) === null) {
    for (const kernel of nativeKernels) add(kernel.name, kernelFunction(kernel, hostKernel(kernel.name)));
    for (const name of HOST_KERNELS) add(name, hostKernel(name));
    tf.registerBackend(BACKEND_NAME, () => new SelfnormBackend(), PRIORITY);
  }
  const constants = tf as unknown as Record<string, unknown>;
  // tfjs exports each kernel's name under that name; those that it does not know are our gradients'.
  const native = nativeKernels.map(({ name }) => name).filter((name) => constants[name] === name);
  return { native, host: HOST_KERNELS };
}
