// The entry `selfnorm/tfjs`: importing it gives tfjs our backend. It exports what @tensorflow/tfjs-core and -layers do, and
// tfjs-node's `node`, so that it can stand in tfjs-node's place.
import './peers.js';
import * as tf from '@tensorflow/tfjs-core';
import { registerCallbackConstructor } from '@tensorflow/tfjs-layers';
import { installChainedOps } from './chained-ops.js';
import { fileSystem, registerFileSystem } from './file-system.js';
import { registerGradients } from './gradients.js';
import { fuseOptimizers } from './optimizers.js';
import { ProgressBar } from './progress.js';
import { BACKEND_NAME, register } from './register.js';
import { summaryFileWriter, tensorBoard } from './tensor-board.js';
import { currentBackend } from '../tensor/device.js';
import { version } from '../version.js';

export * from '@tensorflow/tfjs-core';
export * from '@tensorflow/tfjs-layers';

/** The kernels that are computed by native ops, and those that run on the host. */
export const kernels = register();
registerGradients();
fuseOptimizers();
installChainedOps();
registerFileSystem();
registerCallbackConstructor(1, ProgressBar);
// Now rather than in a kernel: a missing addon is an error of the import, which says what to do.
currentBackend();
void tf.setBackend(BACKEND_NAME);

/** tfjs's io with tfjs-node's `fileSystem`. */
export const io = {
  ...tf.io,
  /** Load and save handlers of a path, without `file://` in front. */
  fileSystem,
};
/** What tfjs-node has under this name and training uses. */
export const node = {
  /** A callback that writes TensorBoard's event files. */
  tensorBoard,
  /** Writes event files by hand. */
  summaryFileWriter,
};
/** Versions of this package and of tfjs. */
export const versions = { selfnorm: version, 'tfjs-core': tf.version_core };
