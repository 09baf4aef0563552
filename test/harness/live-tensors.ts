// How many tensors live once garbage is gone: a plain count may fall behind a test's back, when an earlier test's is collected.
import * as sn from '../../src/index.js';

/** Collects garbage, lets finalizers run, and counts. */
export async function liveTensors(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    (globalThis.gc as () => void)();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return sn.memory().numTensors;
}
