// Document 002: its deep network on images of many classes, for every method and learning rate, and its other attempts.
import type { Report, RunRecord } from '../../report/report.js';
import type { Run, RunContext } from '../experiment.js';
import { reportOf, tellRun } from '../run-report.js';
import { Images, tasksOf } from './images.js';
import { describeRuns } from './report.js';
import { trainOne } from './train.js';
import { extentOf, trialsOf, type Task, type Trial } from './trials.js';

/** Images of the tasks, each loaded when it is first needed; one task's are on the device at a time. */
class Loader {
  private held: { readonly task: Task; readonly images: Images } | undefined;
  constructor(private readonly context: RunContext) {}

  async get(task: Task): Promise<Images> {
    if (this.held?.task !== task) {
      this.dispose();
      this.held = { task, images: await Images.load(task, this.context) };
    }
    return this.held.images;
  }
  dispose(): void {
    this.held?.images.dispose();
    this.held = undefined;
  }
}

async function trainAll(context: RunContext, trials: readonly Trial[]): Promise<RunRecord[]> {
  const loader = new Loader(context);
  const records: RunRecord[] = [];
  try {
    for (const [i, trial] of trials.entries()) {
      const done = context.folder.record(trial.name);
      if (done !== undefined) {
        records.push(done);
        continue;
      }
      const images = (await loader.get(trial.task)).get(trial.method.standardized);
      const extent = extentOf(context.settings, trial.task);
      records.push(await trainOne(context, images, trial, extent, { index: i + 1, of: trials.length }));
    }
    return records;
  } finally {
    loader.dispose();
  }
}

/** Runs the experiment. */
export const runDeepCnn: Run = async (context): Promise<Report> => {
  const { settings } = context;
  const tasks = await tasksOf(context);
  const trials = trialsOf(settings, tasks);
  tellRun(context, trials);
  const runs = await trainAll(context, trials);
  return reportOf(context, {
    title: 'A deep CNN that SELU collapses, and what rescues it',
    document: 'Document 002, “SELUs in a deep CNN learn nothing”',
    ...describeRuns(runs, settings),
    runs,
    settings: {
      Seeds: [...new Set(trials.map((trial) => trial.seed))].join(', '),
      'Training runs': trials.length,
      Images: tasks.map(({ label }) => label).join(', '),
    },
  });
};
