// Document 001's closing question: constants for other means and variances, deep networks that keep them, and training with them.
import { mnist } from '../../data/image-sets.js';
import type { Model } from '../../models/model.js';
import { describeEnvironment } from '../../report/environment.js';
import type { Report, RunRecord } from '../../report/report.js';
import { monitor, type LayerReport } from '../../self-normalizing/monitor.js';
import { slice } from '../../ops/slice.js';
import { tidy } from '../../tensor/memory.js';
import { setSeed } from '../../tensor/random-state.js';
import type { Tensor } from '../../tensor/tensor.js';
import { commandOf } from '../command.js';
import { Interrupted, type Run, type RunContext } from '../experiment.js';
import { runTrial } from '../trial.js';
import { buildClassifier } from './network.js';
import { describe } from './report.js';
import { groupRuns, lookBeforeTraining } from './results.js';
import { seedsOf, TRAINED_DEPTH, trialsOf, WIDTHS, type Trial } from './trials.js';

const BATCH_SIZE = 250;
const VALIDATION_SPLIT = 0.2;
const EVALUATION_BATCH = 1000;
/** Images that moments are taken over. */
const MONITORED = 1000;

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

/** The last hidden layer's moments. */
function lastHidden(model: Model, { trainX }: Images): LayerReport {
  const count = Math.min(MONITORED, trainX.shape[0]!);
  const { layers } = tidy(() => monitor(model, slice(trainX, 0, count)));
  return layers.find(({ name }) => name === `layer${TRAINED_DEPTH}`)!;
}

/** Trains one network, unless its record is there already. */
async function trainOne(
  context: RunContext,
  images: Images,
  trial: Trial,
  place: { index: number; of: number },
): Promise<RunRecord> {
  const { folder, tell, settings } = context;
  const { name, target, seed, epochs } = trial;
  const done = folder.record(name);
  if (done !== undefined) return done;
  setSeed(seed);
  const { trainedUnits: units } = WIDTHS[settings.size];
  const model = buildClassifier(target, units);
  try {
    model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
    const first = lastHidden(model, images);
    const trained = Math.floor(images.trainX.shape[0]! * (1 - VALIDATION_SPLIT));
    const { history, secondsPerEpoch } = await runTrial(context, {
      name,
      title: `${target.label}, seed ${seed}`,
      ...place,
      model,
      x: images.trainX,
      y: images.trainY,
      epochs,
      batches: Math.ceil(trained / BATCH_SIZE),
      fit: { batchSize: BATCH_SIZE, validationSplit: VALIDATION_SPLIT },
    });
    const [testLoss, testAccuracy] = await evaluate(model, images);
    const last = lastHidden(model, images);
    const { alpha, scale } = constantsOf(model);
    const record: RunRecord = {
      name,
      configuration: target.label,
      seed,
      history,
      secondsPerEpoch,
      results: {
        test_loss: testLoss,
        test_acc: testAccuracy,
        first_mean: first.mean,
        first_variance: first.variance,
        last_mean: last.mean,
        last_variance: last.variance,
      },
      settings: {
        key: target.key,
        mean: target.mean,
        variance: target.variance,
        alpha,
        scale,
        layers: TRAINED_DEPTH,
        units,
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

/** The constants of the hidden layers. */
function constantsOf(model: Model): { alpha: number; scale: number } {
  return model.getLayer('layer1').unitRanges!.selu!;
}

/** Runs the experiment. */
export const runFixedPoint: Run = async (context): Promise<Report> => {
  const { settings, folder, tell, signal } = context;
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
  tell({ event: 'message', text: 'networks with new weights: moments through their layers' });
  // It follows from the seeds alone, so that there is nothing to save.
  const before = lookBeforeTraining(settings, () => {
    if (signal.aborted) throw new Interrupted();
  });
  const { settings: facts } = runs[0]!;
  const count = (name: string): string => Number(facts[name]).toLocaleString('en');
  return {
    experiment: settings.experiment,
    title: 'Why mean 0 and variance 1? The fixed point of SELU, moved',
    document: 'Document 001, “Paper Review: Self-Normalizing Neural Networks”',
    ...describe(before, groupRuns(runs)),
    command: commandOf(settings),
    runs,
    settings: {
      Size: settings.size,
      Seeds: seedsOf(settings).join(', '),
      'Training runs': runs.length,
      Images: `${count('trainingImages')} to train, ${count('validationImages')} to validate, ${count('testImages')} to test`,
    },
    environment: describeEnvironment(),
    started: folder.started,
    finished: new Date().toISOString(),
    seconds: folder.seconds,
  };
};
