// What a batch costs in each configuration, measured in turns.
import type { Model } from '../../models/model.js';
import { slice } from '../../ops/slice.js';
import type { RunRecord } from '../../report/report.js';
import { setSeed } from '../../tensor/random-state.js';
import { median } from '../median.js';
import type { RunContext } from '../experiment.js';
import type { Images } from '../images.js';
import { secondsInTurns } from '../turns.js';
import { buildNetwork } from './network.js';
import { CONFIGURATIONS, type Task } from './trials.js';

/** Name of the record with a task's times. */
export const speedRecordName = (task: Task): string => `${task.key}-speed`;

/**
 * Seconds of a training batch, by configuration: in `history` one value a round, in `results` their medians.
 * @param batches Batches of a turn. The first round is not counted: it sets the libraries up.
 * @throws Interrupted
 */
export async function measureSpeed(
  context: RunContext,
  task: Task,
  images: Images,
  { rounds, batches, batchSize }: { rounds: number; batches: number; batchSize: number },
): Promise<RunRecord> {
  const name = speedRecordName(task);
  context.tell({ event: 'message', text: `measuring what a batch costs: ${task.label}` });
  const rows = Math.min(batches * batchSize, images.trainX.shape[0]!);
  const [x, y] = [slice(images.trainX, 0, rows), slice(images.trainY, 0, rows)];
  setSeed(context.settings.seed);
  const models = CONFIGURATIONS.map((configuration) => {
    const model: Model = buildNetwork(task, configuration, x.shape.slice(1));
    model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy' });
    return model;
  });
  let times: number[][];
  try {
    times = await secondsInTurns(context, models, { x, y, batchSize, batches: Math.ceil(rows / batchSize) }, rounds);
  } finally {
    for (const model of models) model.dispose();
    x.dispose();
    y.dispose();
  }
  const byKey = <T>(value: (i: number) => T): Record<string, T> =>
    Object.fromEntries(CONFIGURATIONS.map(({ key }, i) => [key, value(i)]));
  const record: RunRecord = {
    name,
    configuration: `${task.label}: seconds of a batch`,
    seed: context.settings.seed,
    history: byKey((i) => times[i]!),
    secondsPerEpoch: [],
    results: byKey((i) => median(times[i]!)),
    settings: { kind: 'speed', task: task.key, batchSize, rounds, batches: Math.ceil(rows / batchSize) },
  };
  context.folder.finishTrial(record);
  return record;
}
