// Document 002: its deep network on images of many classes, for every method and learning rate, and its other attempts.
import type { Report, RunRecord } from '../../report/report.js';
import type { Run, RunContext } from '../experiment.js';
import { reportOf, tellRun } from '../run-report.js';
import { Images } from './images.js';
import { describeRuns } from './report.js';
import { trainOne } from './train.js';
import { extentOf, trialsOf, type Task, type Trial } from './trials.js';

/** Images of the tasks, each loaded when it is first needed. */
class Tasks {
  private readonly loaded = new Map<string, Images>();
  constructor(private readonly context: RunContext) {}

  async get(task: Task): Promise<Images> {
    let images = this.loaded.get(task.key);
    if (images === undefined) {
      images = await Images.load(task, this.context);
      this.loaded.set(task.key, images);
    }
    return images;
  }
  dispose(): void {
    for (const images of this.loaded.values()) images.dispose();
  }
}

async function trainAll(context: RunContext, trials: readonly Trial[]): Promise<RunRecord[]> {
  const extent = extentOf(context.settings);
  const tasks = new Tasks(context);
  const records: RunRecord[] = [];
  try {
    for (const [i, trial] of trials.entries()) {
      const done = context.folder.record(trial.name);
      if (done !== undefined) {
        records.push(done);
        continue;
      }
      const images = (await tasks.get(trial.task)).get(trial.method.standardized);
      records.push(await trainOne(context, images, trial, extent, { index: i + 1, of: trials.length }));
    }
    return records;
  } finally {
    tasks.dispose();
  }
}

/** Runs the experiment. */
export const runDeepCnn: Run = async (context): Promise<Report> => {
  const { settings } = context;
  const trials = trialsOf(settings);
  tellRun(context, trials);
  const runs = await trainAll(context, trials);
  return reportOf(context, {
    title: 'A deep CNN that SELU collapses, and what rescues it',
    document: 'Document 002, “SELUs in a deep CNN learn nothing”',
    ...describeRuns(runs, extentOf(settings)),
    runs,
    settings: {
      Seeds: [...new Set(trials.map((trial) => trial.seed))].join(', '),
      'Training runs': trials.length,
    },
  });
};
