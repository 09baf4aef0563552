// How many tensors are alive when the garbage of earlier tests is gone: what leak tests compare.
import { memory } from '../../src/index.js';

/** Live tensors after garbage collection. */
export async function liveTensors(): Promise<number> {
  // Finalizers run when the event loop turns; what they free may be garbage's last reference.
  for (let i = 0; i < 3; i++) {
    globalThis.gc!();
    await new Promise(setImmediate);
  }
  return memory().numTensors;
}
