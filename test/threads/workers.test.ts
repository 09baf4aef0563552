// Threads that train at once, end, and are ended in the middle of a step: each computes what it would alone, and what it held is given back.
// SELFNORM_STRESS_ROUNDS=n repeats it n times.
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { currentBackend } from '../../src/tensor/device.js';

const ROUNDS = Math.max(1, Number(process.env['SELFNORM_STRESS_ROUNDS'] ?? 1));
const AT_ONCE = 4;

/** Trains; tells of each epoch, and at the end the sum of all weights. `epochs` may be more than anybody waits for. */
const PROGRAM = `
  const { parentPort, workerData } = require('node:worker_threads');
  import('tsx/esm/api').then(async ({ register }) => {
    register();
    const sn = await import(workerData.library);
    sn.setSeed(3);
    const model = sn.sequential({ layers: [
      sn.layers.dense({ inputShape: [24], units: 32, activation: 'selu', kernelInitializer: 'leCunNormal' }),
      sn.layers.dense({ units: 4, activation: 'softmax' }),
    ] });
    model.compile({ optimizer: sn.train.adam(0.01), loss: 'categoricalCrossentropy' });
    const x = sn.randomNormal([256, 24], 0, 1, 'float32', 5);
    const y = sn.oneHot(sn.argMax(sn.slice(x, [0, 0], [-1, 4]), -1), 4, 1, 0, 'float32');
    const onEpochEnd = (epoch) => parentPort.postMessage({ epoch });
    await model.fit(x, y, { epochs: workerData.epochs, batchSize: 16, verbose: 0, callbacks: { onEpochEnd } });
    parentPort.postMessage({ sums: model.weights.map((weight) => weight.sum().dataSync()[0]) });
  });`;

const start = (epochs: number): Worker =>
  new Worker(PROGRAM, { eval: true, workerData: { library: join(process.cwd(), 'src/index.ts'), epochs } });

interface Told {
  readonly epoch?: number;
  readonly sums?: readonly number[];
}

async function untilDone(worker: Worker): Promise<readonly number[]> {
  let sums: readonly number[] = [];
  worker.on('message', (told: Told) => (sums = told.sums ?? sums));
  const [code] = (await once(worker, 'exit')) as [number];
  expect(code).toBe(0);
  return sums;
}

/** Ends a thread after its first epoch, in the middle of some later step. */
async function untilKilled(worker: Worker, wait: number): Promise<void> {
  await once(worker, 'message');
  await new Promise((resolve) => setTimeout(resolve, wait));
  await worker.terminate();
}

const inUse = (): number => {
  const { addon, queue } = currentBackend();
  return addon.memory(queue).inUseBytes;
};

test('threads train at once, end, and are ended in the middle of a step', { timeout: 120_000 * ROUNDS }, async () => {
  const own = sn.ones([100]);
  const before = inUse();
  for (let round = 0; round < ROUNDS; round++) {
    const training = Array.from({ length: AT_ONCE }, () => untilDone(start(3)));
    const killed = Array.from({ length: AT_ONCE }, (_, i) => untilKilled(start(1e6), (7 * i + 3 * round) % 40));
    const [first, ...others] = await Promise.all(training);
    await Promise.all(killed);
    expect(first!.length).toBe(4);
    expect(first!.every(Number.isFinite)).toBe(true);
    for (const sums of others) expect(sums).toEqual(first);
    // The main thread has met nothing of it.
    const sum = own.sum();
    expect(sum.dataSync()[0]).toBe(100);
    sum.dispose();
    expect(inUse()).toBe(before);
  }
  own.dispose();
});
