// Document 001's open question: SELU against BatchNorm on MNIST and CIFAR-10, dense and convolutional, in accuracy and seconds.
import type { Report, RunRecord } from '../../report/report.js';
import { setSeed } from '../../tensor/random-state.js';
import { confusionOf } from '../confusion.js';
import type { Run, RunContext } from '../experiment.js';
import { compileClassifier, disposeImages, testOn, trainOnImages } from '../images.js';
import { reportOf, tellRun } from '../run-report.js';
import { loadStandardized, type StandardizedImages } from './images.js';
import { measureMoments, momentsRecordName } from './moments.js';
import { buildNetwork } from './network.js';
import { describeRuns } from './report.js';
import { measureSpeed, speedRecordName } from './speed.js';
import { extentOf, TASKS, trialsOf, type Task, type Trial } from './trials.js';

const BATCH_SIZE = 128;
const VALIDATION_SPLIT = 0.1;

/** Trains one configuration with one seed. */
async function trainOne(
  context: RunContext,
  images: StandardizedImages,
  trial: Trial,
  place: { index: number; of: number },
): Promise<RunRecord> {
  const { name, task, configuration, seed, epochs } = trial;
  setSeed(seed);
  const model = buildNetwork(task, configuration, images.trainX.shape.slice(1));
  try {
    compileClassifier(model);
    const title = `${task.label}: ${configuration.label}`;
    const { history, secondsPerEpoch, facts } = await trainOnImages(context, images, {
      name,
      title: `${title}, seed ${seed}`,
      ...place,
      model,
      epochs,
      batchSize: BATCH_SIZE,
      validationSplit: VALIDATION_SPLIT,
    });
    const [testLoss, testAccuracy] = await testOn(model, images);
    const { testX, testY, classNames } = images;
    const record: RunRecord = {
      name,
      configuration: title,
      seed,
      history,
      secondsPerEpoch,
      results: { test_loss: testLoss, test_acc: testAccuracy },
      lists: { confusion: await confusionOf(model, testX, testY, classNames.length) },
      settings: {
        kind: 'training',
        task: task.key,
        key: configuration.key,
        initializer: configuration.initializer,
        classNames: classNames.join(','),
        ...facts,
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
  private held: { set: Task['set']; images: StandardizedImages } | undefined;
  constructor(private readonly context: RunContext) {}

  async get(set: Task['set']): Promise<StandardizedImages> {
    if (this.held?.set !== set) {
      this.dispose();
      const { data, settings } = this.context;
      this.held = { set, images: await loadStandardized(set, data, extentOf(settings).images) };
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
  const trials = trialsOf(context.settings);
  tellRun(context, trials);
  const runs = await measureAll(context, trials);
  return reportOf(context, {
    title: 'SELU against batch normalisation',
    document: 'Document 001, “Paper Review: Self-Normalizing Neural Networks”',
    ...describeRuns(runs),
    runs,
    settings: {
      Seeds: [...new Set(trials.map((trial) => trial.seed))].join(', '),
      'Training runs': trials.length,
    },
  });
};
