// tfjs with two backends in one process: ours, and tfjs's own CPU backend as the reference.
import '@tensorflow/tfjs-backend-cpu';
import * as tf from '../../src/tfjs/index.js';

// tfjs checks every kernel for leaked data then, and does not advise other backends.
tf.env().set('IS_TEST', true);

export { tf };

/** Runs `body` on each backend and gives both results; ours is the active one afterwards. */
export async function onBoth<T>(body: () => T | Promise<T>): Promise<{ ours: T; reference: T }> {
  await tf.setBackend('cpu');
  const reference = await body();
  await tf.setBackend('selfnorm');
  return { ours: await body(), reference };
}

/** The largest difference of two lists of numbers, by the larger of 1 and the reference's size. */
export function distance(ours: ArrayLike<number>, reference: ArrayLike<number>): number {
  let largest = ours.length === reference.length ? 0 : Infinity;
  for (let i = 0; i < reference.length; i++) {
    const difference = Math.abs(ours[i]! - reference[i]!) / Math.max(1, Math.abs(reference[i]!));
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}
