// Document 001's open question: SELU against BatchNorm on MNIST and CIFAR-10, dense and convolutional, in accuracy and seconds.
import { describeEnvironment } from '../../report/environment.js';
import type { Report, RunRecord } from '../../report/report.js';
import type { Model } from '../../models/model.js';
import { setSeed } from '../../tensor/random-state.js';
import type { Tensor } from '../../tensor/tensor.js';
import { commandOf } from '../command.js';
import type { Run, RunContext } from '../experiment.js';
import { runTrial } from '../trial.js';
import { disposeImages, loadImages, type Images } from './images.js';
import { measureMoments, momentsRecordName } from './moments.js';
import { buildNetwork } from './network.js';
import { describeRuns } from './report.js';
import { measureSpeed, speedRecordName } from './speed.js';
import { extentOf, TASKS, trialsOf, type Task, type Trial } from './trials.js';

const BATCH_SIZE = 128;
const VALIDATION_SPLIT = 0.1;
const EVALUATION_BATCH = 1000;

async function evaluate(model: Model, { testX, testY }: Images): Promise<[loss: number, accuracy: number]> {
  const scalars = model.evaluate(testX, testY, { batchSize: EVALUATION_BATCH }) as Tensor[];
  const values = await Promise.all(scalars.map(async (scalar) => (await scalar.data())[0]!));
  for (const scalar of scalars) scalar.dispose();
  return values as [number, number];
}

/** Trains one configuration with one seed. */
async function trainOne(
  context: RunContext,
  images: Images,
  trial: Trial,
  place: { index: number; of: number },
): Promise<RunRecord> {
  const { name, task, configuration, seed, epochs } = trial;
  setSeed(seed);
  const model = buildNetwork(task, configuration, images.trainX.shape.slice(1));
  try {
    model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
    const all = images.trainX.shape[0]!;
    const trained = Math.floor(all * (1 - VALIDATION_SPLIT));
    const title = `${task.label}: ${configuration.label}`;
    const { history, secondsPerEpoch } = await runTrial(context, {
      name,
      title: `${title}, seed ${seed}`,
      ...place,
      model,
      x: images.trainX,
      y: images.trainY,
      epochs,
      batches: Math.ceil(trained / BATCH_SIZE),
      fit: { batchSize: BATCH_SIZE, validationSplit: VALIDATION_SPLIT },
    });
    const [testLoss, testAccuracy] = await evaluate(model, images);
    const record: RunRecord = {
      name,
      configuration: title,
      seed,
      history,
      secondsPerEpoch,
      results: { test_loss: testLoss, test_acc: testAccuracy },
      settings: {
        kind: 'training',
        task: task.key,
        key: configuration.key,
        initializer: configuration.initializer,
        optimizer: 'adam',
        learningRate: model.optimizer.learningRate,
        batchSize: BATCH_SIZE,
        epochs,
        parameters: model.countParams(),
        trainingImages: trained,
        validationImages: all - trained,
        testImages: images.testX.shape[0]!,
        ...(images.part === undefined ? {} : { part: images.part }),
      },
    };
    context.folder.finishTrial(record);
    context.tell({ event: 'trial-end', trial: name, results: record.results });
    return record;
  } finally {
    model.dispose();
  }
}

/** Images of the sets, each loaded when it is first needed; one set is on the device at a time. */
class Sets {
  private held: { set: Task['set']; images: Images } | undefined;
  constructor(private readonly context: RunContext) {}

  async get(set: Task['set']): Promise<Images> {
    if (this.held?.set !== set) {
      this.dispose();
      const { data, settings } = this.context;
      this.held = { set, images: await loadImages(set, data, extentOf(settings).images) };
    }
    return this.held.images;
  }
  dispose(): void {
    if (this.held !== undefined) disposeImages(this.held.images);
    this.held = undefined;
  }
}

/** Everything that is measured, from the folder where it is there already. */
async function measureAll(context: RunContext, trials: readonly Trial[]): Promise<RunRecord[]> {
  const { folder, settings } = context;
  const { rounds, batches } = extentOf(settings);
  const sets = new Sets(context);
  const records: RunRecord[] = [];
  try {
    for (const task of TASKS) {
      if (task.network === 'dense') {
        const done = folder.record(momentsRecordName(task));
        records.push(done ?? measureMoments(context, task, await sets.get(task.set)));
      }
      const size = { rounds, batches: batches[task.network], batchSize: BATCH_SIZE };
      const done = folder.record(speedRecordName(task));
      records.push(done ?? (await measureSpeed(context, task, await sets.get(task.set), size)));
    }
    for (const [i, trial] of trials.entries()) {
      const place = { index: i + 1, of: trials.length };
      const done = folder.record(trial.name);
      records.push(done ?? (await trainOne(context, await sets.get(trial.task.set), trial, place)));
    }
  } finally {
    sets.dispose();
  }
  return records;
}

/** Runs the experiment. */
export const runSeluVsBatchNorm: Run = async (context): Promise<Report> => {
  const { settings, folder, tell } = context;
  const trials = trialsOf(settings);
  const finished = trials.filter(({ name }) => folder.record(name) !== undefined).length;
  tell({ event: 'run', settings, folder: folder.path, trials: trials.length, finished });
  const runs = await measureAll(context, trials);
  return {
    experiment: settings.experiment,
    title: 'SELU against batch normalisation',
    document: 'Document 001, “Paper Review: Self-Normalizing Neural Networks”',
    ...describeRuns(runs),
    command: commandOf(settings),
    runs,
    settings: {
      Size: settings.size,
      Seeds: [...new Set(trials.map((trial) => trial.seed))].join(', '),
      'Training runs': trials.length,
    },
    environment: describeEnvironment(),
    started: folder.started,
    finished: new Date().toISOString(),
    seconds: folder.seconds,
  };
};
