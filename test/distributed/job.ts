// What each rank of a job runs for the tests: it writes what it has found to <folder>/<rank>.json.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as sn from '../../src/index.js';
import { normalized, points, snn, TRAININGS } from './trainings.js';

const [folder, task, checkpoint] = process.argv.slice(2) as [string, string, string];
const found: Record<string, unknown> = {};
const rank = sn.distributed.rank();

/** Every training, from other weights and seeds on every rank but the first; and the collectives. */
async function everything(): Promise<void> {
  const { worldSize } = await sn.distributed.init();
  for (const [name, training] of Object.entries(TRAININGS)) {
    sn.setSeed(rank === 0 ? 11 : 100 + rank);
    found[name] = await training({ distributed: true });
  }
  found['normalized'] = await normalized({ distributed: true });

  const mine = sn.tensor([rank, 10 * rank, -1], [3], 'int32');
  found['sum'] = await (await sn.distributed.allReduce(mine)).array();
  found['mean'] = await (await sn.distributed.allReduce(sn.cast([rank, 1], 'bfloat16'), 'mean')).array();
  found['broadcast'] = await (await sn.distributed.broadcast([[rank, 5]], worldSize - 1)).array();
  found['mask'] = await masks();
  const refusal = sn.distributed.allReduce(sn.zeros([rank === 0 ? 2 : 3])).catch((error: Error) => error.message);
  found['refusal'] = await refusal;
  await sn.distributed.barrier();
}

/** What dropout leaves of ones while a training is under way. */
async function masks(): Promise<unknown> {
  sn.setSeed(3);
  const model = snn();
  let mask: unknown;
  const onTrainBegin = (): void => void (mask = sn.dropout(sn.ones([40]), 0.5).arraySync());
  const [x, y] = points();
  await model.fit(x, y, { batchSize: 45, verbose: 0, distributed: true, callbacks: { onTrainBegin } });
  return mask;
}

/** Goes on with the checkpoint, which rank 0 alone has read. */
async function resume(): Promise<void> {
  const model = snn();
  if (rank === 0) await model.loadTrainingState(checkpoint);
  const [x, y] = points();
  const args = { batchSize: 8, epochs: 6, initialEpoch: 2, verbose: 0, distributed: true } as const;
  await model.fit(x, y, args);
  found['weights'] = await Promise.all(model.getWeights().map(async (weight) => [...(await weight.data())]));
}

/** Saves after each epoch, until rank 1 dies in the fourth. */
async function die(): Promise<void> {
  sn.setSeed(21);
  const model = snn();
  const [x, y] = points();
  const onEpochEnd = async (epoch: number): Promise<void> => {
    if (rank === 0 && epoch < 2) await model.save(checkpoint, { includeOptimizer: true });
    if (rank === 1 && epoch === 2) {
      if (task === 'throw') throw new Error('the disk of rank 1 is on fire');
      process.kill(process.pid, 'SIGKILL');
    }
  };
  await model.fit(x, y, {
    batchSize: 8,
    epochs: 6,
    seed: 12,
    verbose: 0,
    distributed: true,
    callbacks: { onEpochEnd },
  });
}

/** One rank asks for an end, in the middle of an epoch; another leaves a call out. */
async function stop(): Promise<void> {
  const model = snn();
  const [x, y] = points();
  let batches = 0;
  const onBatchBegin = (batch: number): void => {
    batches++;
    if (rank === 1 && batch === 3) model.stopTraining = true;
  };
  await model.fit(x, y, { batchSize: 1, epochs: 3, verbose: 0, distributed: true, callbacks: { onBatchBegin } });
  found['batches'] = batches;
  if (rank === 0) await sn.distributed.barrier().catch((error: Error) => (found['alone'] = error.message));
  else found['alone'] = await sn.distributed.allReduce([1]).catch((error: Error) => error.message);
}

const TASKS: Readonly<Record<string, () => Promise<void>>> = { everything, resume, die, throw: die, stop };
for (const name of task.split('+')) await TASKS[name]!();
writeFileSync(join(folder, `${rank}.json`), JSON.stringify(found));
