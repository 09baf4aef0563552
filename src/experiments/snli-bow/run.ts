// Document 000: its bag-of-words network on SNLI, ReLU and SELU in every configuration of the run's size.
import type { Report, RunRecord } from '../../report/report.js';
import type { Run, RunContext } from '../experiment.js';
import { reportOf, tellRun } from '../run-report.js';
import { measureMoments, MOMENTS_RECORD } from './moments.js';
import { Pairs } from './pairs.js';
import { describeRuns } from './report.js';
import { measureSpeed, SPEED_RECORD, trainOne } from './train.js';
import { extentOf, trialsOf, type Trial } from './trials.js';

/** Everything that is measured, from the folder where it is there already. */
async function measureAll(context: RunContext, pairs: Pairs, trials: readonly Trial[]): Promise<RunRecord[]> {
  const { folder } = context;
  const records = [
    folder.record(MOMENTS_RECORD) ?? measureMoments(context, pairs),
    folder.record(SPEED_RECORD) ?? (await measureSpeed(context, pairs)),
  ];
  for (const [i, trial] of trials.entries()) {
    const done = folder.record(trial.name);
    records.push(done ?? (await trainOne(context, pairs, trial, { index: i + 1, of: trials.length })));
  }
  return records;
}

/** Runs the experiment. */
export const runSnliBow: Run = async (context): Promise<Report> => {
  const { settings, data } = context;
  const extent = extentOf(settings);
  const trials = trialsOf(settings);
  tellRun(context, trials);
  const pairs = await Pairs.load(data, extent.pairs);
  try {
    const runs = await measureAll(context, pairs, trials);
    return reportOf(context, {
      title: 'SELU against ReLU in a bag of words',
      document: 'Document 000, “SELU vs RELU activation in simple NLP models”',
      ...describeRuns(runs, pairs.facts, extent.configurations),
      runs,
      settings: {
        Seeds: [...new Set(trials.map((trial) => trial.seed))].join(', '),
        'Training runs': trials.length,
      },
    });
  } finally {
    pairs.dispose();
  }
};
