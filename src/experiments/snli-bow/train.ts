// One training run, judged as the document's program does it: with the weights of the epoch whose validation loss was lowest. And
// what a batch costs.
import { earlyStopping } from '../../callbacks/early-stopping.js';
import type { Model } from '../../models/model.js';
import { slice } from '../../ops/slice.js';
import type { Optimizer } from '../../optimizers/optimizer.js';
import type { RunRecord } from '../../report/report.js';
import { setSeed } from '../../tensor/random-state.js';
import type { Tensor } from '../../tensor/tensor.js';
import { adam, rmsprop } from '../../train.js';
import { confusionOf } from '../confusion.js';
import type { RunContext } from '../experiment.js';
import { median } from '../median.js';
import { runTrial } from '../trial.js';
import { secondsInTurns } from '../turns.js';
import { buildNetwork } from './network.js';
import type { Pairs, Part } from './pairs.js';
import { BATCH_SIZE, extentOf, LEARNING_RATE, TIMED, type Configuration, type Trial } from './trials.js';

/** Name of the record with the times. */
export const SPEED_RECORD = 'speed';

/** A compiled network; both are to be disposed of. */
function compiled(configuration: Configuration, vectors: Tensor): { model: Model; optimizer: Optimizer } {
  const { model } = buildNetwork(configuration, vectors);
  const optimizer = configuration.optimizer === 'adam' ? adam(LEARNING_RATE) : rmsprop(LEARNING_RATE);
  model.compile({ optimizer, loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return { model, optimizer };
}

/** Loss, the penalty on weights included, and accuracy. */
async function scoresOn(model: Model, { x, y }: Part): Promise<[loss: number, accuracy: number]> {
  const scalars = model.evaluate([...x], y, { batchSize: BATCH_SIZE }) as Tensor[];
  const values = await Promise.all(scalars.map(async (scalar) => (await scalar.data())[0]!));
  for (const scalar of scalars) scalar.dispose();
  return values as [number, number];
}

/**
 * Trains a configuration with a seed, from the trial's checkpoint if there is one, and keeps its record.
 * @throws Interrupted
 */
export async function trainOne(
  context: RunContext,
  pairs: Pairs,
  { name, configuration, seed, epochs }: Trial,
  place: { index: number; of: number },
): Promise<RunRecord> {
  const { train, validation, test, vectors, facts } = pairs;
  setSeed(seed);
  const { model, optimizer } = compiled(configuration, vectors);
  try {
    const size = train.y.shape[0]!;
    // Keeps the best weights; its patience never ends.
    const best = earlyStopping({ monitor: 'val_loss', patience: epochs, restoreBestWeights: true });
    const { history, secondsPerEpoch } = await runTrial(context, {
      name,
      title: `${configuration.label}, seed ${seed}`,
      ...place,
      model,
      x: [...train.x],
      y: train.y,
      epochs,
      batches: Math.ceil(size / BATCH_SIZE),
      fit: { batchSize: BATCH_SIZE, validationData: [[...validation.x], validation.y] },
      callbacks: [best],
    });
    const [testLoss, testAccuracy] = await scoresOn(model, test);
    const epoch = best.bestEpoch!;
    const { activation, batchNorm, initializer, dropout } = configuration;
    const record: RunRecord = {
      name,
      configuration: configuration.label,
      seed,
      history,
      secondsPerEpoch,
      results: {
        best_epoch: epoch + 1,
        best_val_acc: history['val_acc']![epoch]!,
        test_loss: testLoss,
        test_acc: testAccuracy,
      },
      lists: { confusion: await confusionOf(model, [...test.x], test.y, facts.classNames.length) },
      settings: {
        kind: 'training',
        key: configuration.key,
        activation,
        batchNorm,
        initializer,
        dropout,
        optimizer: configuration.optimizer,
        learningRate: LEARNING_RATE,
        batchSize: BATCH_SIZE,
        epochs,
        parameters: model.countParams() - vectors.size,
        trainingPairs: size,
      },
    };
    context.folder.finishTrial(record);
    context.tell({ event: 'trial-end', trial: name, results: record.results });
    return record;
  } finally {
    model.dispose();
    optimizer.dispose();
  }
}

/**
 * Seconds of a training batch, by configuration: in `history` one value a round, in `results` their medians.
 * @throws Interrupted
 */
export async function measureSpeed(context: RunContext, pairs: Pairs): Promise<RunRecord> {
  const { settings, folder, tell } = context;
  const extent = extentOf(settings);
  tell({ event: 'message', text: 'measuring what a batch costs' });
  setSeed(settings.seed);
  const configurations = extent.configurations.filter(({ key }) => TIMED.includes(key));
  const rows = Math.min(extent.batches * BATCH_SIZE, pairs.train.y.shape[0]!);
  const batches = Math.ceil(rows / BATCH_SIZE);
  const parts = [...pairs.train.x, pairs.train.y].map((whole) => slice(whole, 0, rows));
  const networks = configurations.map((configuration) => compiled(configuration, pairs.vectors));
  let times: number[][];
  try {
    const data = { x: parts.slice(0, 2), y: parts[2]!, batchSize: BATCH_SIZE, batches };
    times = await secondsInTurns(
      context,
      networks.map(({ model }) => model),
      data,
      extent.rounds,
    );
  } finally {
    for (const { model, optimizer } of networks) {
      model.dispose();
      optimizer.dispose();
    }
    for (const part of parts) part.dispose();
  }
  const record: RunRecord = {
    name: SPEED_RECORD,
    configuration: 'Seconds of a batch',
    seed: settings.seed,
    history: Object.fromEntries(configurations.map(({ key }, i) => [key, times[i]!])),
    secondsPerEpoch: [],
    results: Object.fromEntries(configurations.map(({ key }, i) => [key, median(times[i]!)])),
    settings: { kind: 'speed', batchSize: Math.min(rows, BATCH_SIZE), rounds: extent.rounds, batches },
  };
  folder.finishTrial(record);
  return record;
}
