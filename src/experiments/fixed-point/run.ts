// Document 001's closing question: constants for other means and variances, deep networks that keep them, and training with them.
import type { Model } from '../../models/model.js';
import { slice } from '../../ops/slice.js';
import type { Report, RunRecord } from '../../report/report.js';
import { monitor, type LayerReport } from '../../self-normalizing/monitor.js';
import { tidy } from '../../tensor/memory.js';
import { setSeed } from '../../tensor/random-state.js';
import { Interrupted, type Run, type RunContext } from '../experiment.js';
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
import { buildClassifier } from './network.js';
import { describe } from './report.js';
import { groupRuns, lookBeforeTraining } from './results.js';
import { seedsOf, TRAINED_DEPTH, trialsOf, WIDTHS, type Trial } from './trials.js';

const BATCH_SIZE = 250;
const VALIDATION_SPLIT = 0.2;
/** Images that moments are taken over. */
const MONITORED = 1000;

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
    compileClassifier(model);
    const first = lastHidden(model, images);
    const { history, secondsPerEpoch, facts } = await trainOnImages(context, images, {
      name,
      title: `${target.label}, seed ${seed}`,
      ...place,
      model,
      epochs,
      batchSize: BATCH_SIZE,
      validationSplit: VALIDATION_SPLIT,
    });
    const [testLoss, testAccuracy] = await testOn(model, images);
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

/** The constants of the hidden layers. */
function constantsOf(model: Model): { alpha: number; scale: number } {
  return model.getLayer('layer1').unitRanges!.selu!;
}

/** Runs the experiment. */
export const runFixedPoint: Run = async (context): Promise<Report> => {
  const { settings, tell, signal } = context;
  const trials = trialsOf(settings);
  tellRun(context, trials);
  const images = await loadMnist(context);
  const runs: RunRecord[] = [];
  try {
    for (const [i, trial] of trials.entries()) {
      runs.push(await trainOne(context, images, trial, { index: i + 1, of: trials.length }));
    }
  } finally {
    disposeImages(images);
  }
  tell({ event: 'message', text: 'networks with new weights: moments through their layers' });
  // It follows from the seeds alone, so that there is nothing to save.
  const before = lookBeforeTraining(settings, () => {
    if (signal.aborted) throw new Interrupted();
  });
  return reportOf(context, {
    title: 'Why mean 0 and variance 1? The fixed point of SELU, moved',
    document: 'Document 001, “Paper Review: Self-Normalizing Neural Networks”',
    ...describe(before, groupRuns(runs)),
    runs,
    settings: {
      Seeds: seedsOf(settings).join(', '),
      'Training runs': runs.length,
      Images: describeImages(runs[0]!),
    },
  });
};
