// Two networks learn two spirals, each in a thread of its own, while the main thread stays free: it prints their progress, ends
// one of them early, and gets the trained weights back.
//   npx tsx examples/worker.ts
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import * as sn from '../src/index.js'; // In a project of your own 'selfnorm'.

interface Job {
  readonly activation: 'selu' | 'sigmoid';
  readonly epochs: number;
}
type Message =
  | { readonly kind: 'progress'; readonly epoch: number; readonly accuracy: number }
  | { readonly kind: 'end'; readonly reason: string; readonly accuracy: number; readonly weights: Float32Array[] };

/** Points of two spirals, one inside the other, with their classes. */
function spirals(count: number): { x: sn.Tensor; y: sn.Tensor } {
  const points: number[][] = [];
  const classes: number[] = [];
  for (let i = 0; i < count; i++) {
    const turn = (i / count) * 3 * Math.PI;
    const side = i % 2 === 0 ? 1 : -1;
    points.push([side * (turn / 9) * Math.cos(turn), side * (turn / 9) * Math.sin(turn)]);
    classes.push(i % 2);
  }
  return { x: sn.tensor(points), y: sn.tensor(classes, [count], 'int32') };
}

function network(activation: Job['activation']): sn.Sequential {
  const hidden = { units: 32, activation, kernelInitializer: 'leCunNormal' } as const;
  const model = sn.sequential({
    layers: [
      sn.layers.dense({ ...hidden, inputShape: [2] }),
      sn.layers.dense(hidden),
      sn.layers.dense(hidden),
      sn.layers.dense({ units: 2, activation: 'softmax' }),
    ],
  });
  model.compile({ optimizer: sn.train.adam(0.01), loss: 'sparseCategoricalCrossentropy', metrics: ['acc'] });
  return model;
}

/** What a thread does: train, tell, and send the weights. */
async function work({ activation, epochs }: Job): Promise<void> {
  const say = (message: Message): void => parentPort!.postMessage(message);
  const controller = new AbortController();
  parentPort!.once('message', (reason: string) => controller.abort(reason));
  sn.setSeed(7);
  const { x, y } = spirals(400);
  const model = network(activation);
  let accuracy = 0;
  const callbacks: sn.CustomCallbackArgs = {
    onEpochEnd(epoch, logs) {
      accuracy = logs!['acc']!;
      if ((epoch + 1) % 20 === 0) say({ kind: 'progress', epoch: epoch + 1, accuracy });
    },
  };
  let reason = 'all epochs trained';
  try {
    await model.fit(x, y, { epochs, batchSize: 64, verbose: 0, callbacks, signal: controller.signal });
  } catch (error) {
    if (!controller.signal.aborted) throw error;
    reason = String(error);
  }
  const weights = await Promise.all(model.getWeights().map(async (weight) => Float32Array.from(await weight.data())));
  say({ kind: 'end', reason, accuracy, weights });
  parentPort!.close();
}

/** This file in a thread. tsx has to translate it there as well; in JavaScript it is `new Worker(new URL(import.meta.url), ...)`. */
function startThread(job: Job): Worker {
  const load = `import('tsx/esm/api').then(({ register }) => { register(); return import('${import.meta.url}'); })`;
  return new Worker(load, { eval: true, workerData: job });
}

/** Starts a thread; when it has learnt enough, it is told to stop. */
function learn(job: Job): Promise<Extract<Message, { kind: 'end' }>> {
  return new Promise((resolve, reject) => {
    const worker = startThread(job);
    worker.on('error', reject);
    worker.on('message', (message: Message) => {
      if (message.kind === 'end') return resolve(message);
      console.log(`${job.activation.padEnd(8)} epoch ${message.epoch}: accuracy ${message.accuracy.toFixed(3)}`);
      if (message.accuracy > 0.99) worker.postMessage('it has learnt enough');
    });
  });
}

async function main(): Promise<void> {
  const jobs: Job[] = [
    { activation: 'selu', epochs: 200 },
    { activation: 'sigmoid', epochs: 60 },
  ];
  const results = await Promise.all(jobs.map(learn));
  const { x, y } = spirals(400);
  for (const [i, { activation }] of jobs.entries()) {
    const { reason, weights } = results[i]!;
    const model = network(activation);
    model.setWeights(weights.map((values, at) => sn.tensor(values, model.weights[at]!.shape)));
    const [, accuracy] = model.evaluate(x, y) as [sn.Tensor, sn.Tensor];
    console.log(`${activation}: ${reason}; its weights here: accuracy ${accuracy.dataSync()[0]!.toFixed(3)}`);
  }
}

await (isMainThread ? main() : work(workerData as Job));
