// Document 003: its network on MNIST, trained as its listing does it, for every configuration and seed of the run's size.
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { earlyStopping, type EarlyStopping } from '../../callbacks/early-stopping.js';
import { modelCheckpoint } from '../../callbacks/model-checkpoint.js';
import { mnist } from '../../data/image-sets.js';
import type { Model } from '../../models/model.js';
import { describeEnvironment } from '../../report/environment.js';
import type { Report, RunRecord } from '../../report/report.js';
import { setSeed } from '../../tensor/random-state.js';
import type { Tensor } from '../../tensor/tensor.js';
import { commandOf } from '../command.js';
import type { Run, RunContext } from '../experiment.js';
import { runTrial } from '../trial.js';
import { buildNetwork } from './network.js';
import { describeRuns } from './report.js';
import { trialsOf, type Trial } from './trials.js';

const BATCH_SIZE = 250;
const VALIDATION_SPLIT = 0.2;
const EVALUATION_BATCH = 1000;
/** Settings of a record that count images: for training, validation, test. */
const IMAGES = ['trainingImages', 'validationImages', 'testImages'] as const;

/** The data of a run, on its device. */
interface Images {
  readonly trainX: Tensor;
  readonly trainY: Tensor;
  readonly testX: Tensor;
  readonly testY: Tensor;
}

async function loadImages({ settings, data }: RunContext): Promise<Images> {
  const { limit } = settings;
  const sets = await mnist(data === undefined ? {} : { dataDir: data });
  const [train, test] = [sets.train.slice(0, limit), sets.test.slice(0, limit)];
  return { trainX: train.xs(), trainY: train.ys(), testX: test.xs(), testY: test.ys() };
}

async function evaluate(model: Model, { testX, testY }: Images): Promise<[loss: number, accuracy: number]> {
  const scalars = model.evaluate(testX, testY, { batchSize: EVALUATION_BATCH }) as Tensor[];
  const values = await Promise.all(scalars.map(async (scalar) => (await scalar.data())[0]!));
  for (const scalar of scalars) scalar.dispose();
  return values as [number, number];
}

/** Trains one configuration with one seed, unless its record is there already. */
async function trainOne(
  context: RunContext,
  images: Images,
  trial: Trial,
  place: { index: number; of: number },
): Promise<RunRecord> {
  const { folder, tell } = context;
  const { name, configuration, seed, epochs } = trial;
  const done = folder.record(name);
  if (done !== undefined) return done;
  setSeed(seed);
  const model = buildNetwork(configuration);
  try {
    model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
    const bestWeights = join(folder.path, 'models', `${name}-best.safetensors`);
    mkdirSync(dirname(bestWeights), { recursive: true });
    const best = modelCheckpoint({
      filepath: bestWeights,
      monitor: 'val_loss',
      saveBestOnly: true,
      saveWeightsOnly: true,
    });
    const { patience } = configuration;
    const stopping: EarlyStopping | undefined =
      patience === undefined ? undefined : earlyStopping({ monitor: 'val_loss', patience, restoreBestWeights: true });
    const trained = Math.floor(images.trainX.shape[0]! * (1 - VALIDATION_SPLIT));
    const { history, secondsPerEpoch } = await runTrial(context, {
      name,
      title: `${configuration.label}, seed ${seed}`,
      ...place,
      model,
      x: images.trainX,
      y: images.trainY,
      epochs,
      batches: Math.ceil(trained / BATCH_SIZE),
      fit: { batchSize: BATCH_SIZE, validationSplit: VALIDATION_SPLIT },
      callbacks: stopping === undefined ? [best] : [best, stopping],
      hasStopped: () => stopping?.stoppedEpoch != null,
    });
    const [testLoss, testAccuracy] = await evaluate(model, images);
    await model.save(join(folder.path, 'models', `${name}.json`));
    await model.loadWeights(bestWeights);
    const [bestTestLoss, bestTestAccuracy] = await evaluate(model, images);
    const losses = history['val_loss']!;
    const record: RunRecord = {
      name,
      configuration: configuration.label,
      seed,
      history,
      secondsPerEpoch,
      results: {
        test_loss: testLoss,
        test_acc: testAccuracy,
        best_epoch: losses.indexOf(Math.min(...losses)) + 1,
        best_test_loss: bestTestLoss,
        best_test_acc: bestTestAccuracy,
      },
      settings: {
        key: configuration.key,
        activation: configuration.activation,
        ...(configuration.alpha === undefined ? {} : { alpha: configuration.alpha }),
        initializer: configuration.initializer,
        dropout: configuration.dropout,
        ...(patience === undefined ? {} : { patience }),
        optimizer: 'adam',
        learningRate: model.optimizer.learningRate,
        batchSize: BATCH_SIZE,
        epochs,
        parameters: model.countParams(),
        trainingImages: trained,
        validationImages: images.trainX.shape[0]! - trained,
        testImages: images.testX.shape[0]!,
      },
    };
    folder.finishTrial(record);
    tell({ event: 'trial-end', trial: name, results: record.results });
    return record;
  } finally {
    model.dispose();
  }
}

/** Runs the experiment. */
export const runMnistElu: Run = async (context): Promise<Report> => {
  const { settings, folder, tell } = context;
  const trials = trialsOf(settings);
  const finished = trials.filter(({ name }) => folder.record(name) !== undefined).length;
  tell({ event: 'run', settings, folder: folder.path, trials: trials.length, finished });
  const images = await loadImages(context);
  const runs: RunRecord[] = [];
  try {
    for (const [i, trial] of trials.entries()) {
      runs.push(await trainOne(context, images, trial, { index: i + 1, of: trials.length }));
    }
  } finally {
    for (const tensor of Object.values(images) as Tensor[]) tensor.dispose();
  }
  const all = [...new Set(trials.map((trial) => trial.seed))];
  const { settings: facts } = runs[0]!;
  const count = (name: string): string => Number(facts[name]).toLocaleString('en');
  return {
    experiment: settings.experiment,
    title: 'ELU against ReLU on MNIST',
    document: 'Document 003, “How to use ELU with Keras?”',
    ...describeRuns(runs),
    command: commandOf(settings),
    runs,
    settings: {
      Size: settings.size,
      Seeds: all.join(', '),
      'Training runs': runs.length,
      Images: ['train', 'validate', 'test'].map((use, i) => `${count(IMAGES[i]!)} to ${use}`).join(', '),
    },
    environment: describeEnvironment(),
    started: folder.started,
    finished: new Date().toISOString(),
    seconds: folder.seconds,
  };
};
