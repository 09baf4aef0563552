// What the threads under test run: a training that follows from its seed alone, told of epoch by epoch.
import { parentPort, workerData } from 'node:worker_threads';
import * as sn from '../../src/index.js';

/** What a training is asked for. */
export interface Job {
  readonly seed: number;
  readonly epochs: number;
}
/** What it says on its way. */
export type Message =
  | { readonly kind: 'epoch'; readonly epoch: number; readonly loss: number }
  | { readonly kind: 'done'; readonly weights: Float32Array; readonly loss: readonly number[] }
  | { readonly kind: 'aborted'; readonly reason: string; readonly steps: number };

/** Trains a network with everything random in it; gives its weights and losses. */
export async function train(
  { seed, epochs }: Job,
  onEpoch: (epoch: number, loss: number) => void,
  signal: AbortSignal | null = null,
): Promise<{ model: sn.Sequential; loss: number[] }> {
  sn.setSeed(seed);
  const x = sn.randomNormal([200, 6]);
  const y = sn.sum(sn.square(x), 1, true);
  const { alphaDropout, batchNormalization, dense } = sn.layers;
  const model = sn.sequential({
    layers: [
      dense({ units: 32, activation: 'selu', kernelInitializer: 'leCunNormal', inputShape: [6] }),
      alphaDropout({ rate: 0.05 }),
      dense({ units: 32, activation: 'selu', kernelInitializer: 'leCunNormal' }),
      batchNormalization(),
      dense({ units: 1 }),
    ],
  });
  model.compile({ optimizer: sn.train.adam(0.01), loss: 'meanSquaredError' });
  const callbacks: sn.CustomCallbackArgs = { onEpochEnd: (epoch, logs) => onEpoch(epoch, logs!['loss']!) };
  const { history } = await model.fit(x, y, {
    epochs,
    batchSize: 16,
    validationSplit: 0.1,
    verbose: 0,
    callbacks,
    signal,
  });
  return { model, loss: history['loss']! };
}

export const flatWeights = (model: sn.Sequential): Float32Array =>
  Float32Array.from(model.weights.flatMap((weight) => [...weight.dataSync()]));

if (parentPort !== null && workerData !== null) {
  const port = parentPort;
  const say = (message: Message): void => port.postMessage(message);
  const controller = new AbortController();
  port.on('message', (reason: string) => controller.abort(reason));
  let steps = 0;
  try {
    const onEpoch = (epoch: number, loss: number): void => {
      steps = epoch + 1;
      say({ kind: 'epoch', epoch, loss });
    };
    const { model, loss } = await train(workerData as Job, onEpoch, controller.signal);
    say({ kind: 'done', weights: flatWeights(model), loss });
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    say({ kind: 'aborted', reason: String(error), steps });
  }
  // Nothing else keeps the thread alive.
  port.close();
}
