// Document 003: its network on MNIST, trained as its listing does it, for every configuration and seed of the run's size.
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { earlyStopping, type EarlyStopping } from '../../callbacks/early-stopping.js';
import { modelCheckpoint } from '../../callbacks/model-checkpoint.js';
import type { Report, RunRecord } from '../../report/report.js';
import { setSeed } from '../../tensor/random-state.js';
import { confusionOf } from '../confusion.js';
import type { Run, RunContext } from '../experiment.js';
import {
  compileClassifier,
  describeImages,
  disposeImages,
  loadMnist,
  testOn,
  trainOnImages,
  type Images,
} from '../images.js';
import { reportOf, tellRun } from '../run-report.js';
import { buildNetwork, CLASSES } from './network.js';
import { describeRuns } from './report.js';
import { trialsOf, type Trial } from './trials.js';

const BATCH_SIZE = 250;
const VALIDATION_SPLIT = 0.2;

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
    compileClassifier(model);
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
    const { history, secondsPerEpoch, facts } = await trainOnImages(context, images, {
      name,
      title: `${configuration.label}, seed ${seed}`,
      ...place,
      model,
      epochs,
      batchSize: BATCH_SIZE,
      validationSplit: VALIDATION_SPLIT,
      callbacks: stopping === undefined ? [best] : [best, stopping],
      hasStopped: () => stopping?.stoppedEpoch != null,
    });
    const [testLoss, testAccuracy] = await testOn(model, images);
    const confusion = await confusionOf(model, images.testX, images.testY, CLASSES);
    await model.save(join(folder.path, 'models', `${name}.json`));
    await model.loadWeights(bestWeights);
    const [bestTestLoss, bestTestAccuracy] = await testOn(model, images);
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
      lists: { confusion },
      settings: {
        key: configuration.key,
        activation: configuration.activation,
        ...(configuration.alpha === undefined ? {} : { alpha: configuration.alpha }),
        initializer: configuration.initializer,
        dropout: configuration.dropout,
        ...(patience === undefined ? {} : { patience }),
        ...facts,
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
  const trials = trialsOf(context.settings);
  tellRun(context, trials);
  const images = await loadMnist(context, 'pixels');
  const runs: RunRecord[] = [];
  try {
    for (const [i, trial] of trials.entries()) {
      runs.push(await trainOne(context, images, trial, { index: i + 1, of: trials.length }));
    }
  } finally {
    disposeImages(images);
  }
  return reportOf(context, {
    title: 'ELU against ReLU on MNIST',
    document: 'Document 003, “How to use ELU with Keras?”',
    ...describeRuns(runs),
    runs,
    settings: {
      Seeds: [...new Set(trials.map((trial) => trial.seed))].join(', '),
      'Training runs': runs.length,
      Images: describeImages(runs[0]!),
    },
  });
};
