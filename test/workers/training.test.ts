// Training in worker threads: the bits of the main thread, several at once, news on the way, and an end at any moment.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { flatWeights, train, type Job, type Message } from './training-worker.js';

/** A thread with the program, which tsx translates. */
function start(job: Job): Worker {
  const source = new URL('./training-worker.ts', import.meta.url).href;
  const load = `import('tsx/esm/api').then(({ register }) => { register(); return import('${source}'); })`;
  return new Worker(load, { eval: true, workerData: job });
}

/** All that a thread says, until it ends by itself. */
async function saidBy(worker: Worker): Promise<Message[]> {
  const messages: Message[] = [];
  worker.on('message', (message: Message) => messages.push(message));
  const [code] = (await once(worker, 'exit')) as [number];
  expect(code).toBe(0);
  return messages;
}

async function here(job: Job): Promise<{ weights: Float32Array; loss: number[] }> {
  const { model, loss } = await train(job, () => undefined);
  const weights = flatWeights(model);
  model.dispose();
  return { weights, loss };
}

test('several threads and the main one train at once, each to the bits it gets alone', async () => {
  const jobs = [1, 2, 3].map((seed): Job => ({ seed, epochs: 3 }));
  const threads = jobs.map((job) => saidBy(start(job)));
  // The main thread is busy meanwhile.
  const beside = await here(jobs[0]!);
  const messages = await Promise.all(threads);
  for (const [i, job] of jobs.entries()) {
    const alone = await here(job);
    const [last, ...others] = messages[i]!.reverse();
    expect(last).toEqual({ kind: 'done', ...alone });
    expect(others.reverse()).toEqual(alone.loss.map((loss, epoch) => ({ kind: 'epoch', epoch, loss })));
  }
  expect(beside).toEqual(await here(jobs[0]!));
});

test('news arrive while a thread trains; a thread that is terminated in the middle does no harm', async () => {
  const before = await here({ seed: 5, epochs: 2 });
  for (let round = 0; round < 3; round++) {
    const worker = start({ seed: round, epochs: 1_000_000 });
    const seen: Message[] = [];
    while (seen.length < 2 + round) seen.push(...((await once(worker, 'message')) as Message[]));
    expect(seen[0]).toMatchObject({ kind: 'epoch', epoch: 0 });
    expect(await worker.terminate()).toBe(1);
  }
  expect(await here({ seed: 5, epochs: 2 })).toEqual(before);
});

test('a thread is told to stop, and ends by itself', async () => {
  const worker = start({ seed: 1, epochs: 1_000_000 });
  const messages = saidBy(worker);
  await once(worker, 'message');
  worker.postMessage('enough');
  const last = (await messages).at(-1)!;
  expect(last).toMatchObject({ kind: 'aborted', reason: 'enough' });
  expect((last as { steps: number }).steps).toBeGreaterThan(0);
});
