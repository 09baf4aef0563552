// The records by task and configuration, with the numbers that the claims and pictures are about.
import type { RunRecord } from '../../report/report.js';
import { estimateOf, type Estimate } from '../estimate.js';
import { momentsRecordName } from './moments.js';
import { speedRecordName } from './speed.js';
import { CONFIGURATIONS, TASKS, type Configuration, type Task } from './trials.js';

/** The training runs of a configuration on a task, one a seed. */
export interface Group {
  readonly configuration: Configuration;
  readonly runs: readonly RunRecord[];
  /** Seconds of a batch, one a round. */
  readonly secondsPerBatch: readonly number[];
  /** Of each hidden layer at initialisation; deep dense networks alone. */
  readonly moments: { readonly mean: readonly number[]; readonly variance: readonly number[] } | undefined;
}

/** Everything measured on a task. */
export interface TaskResults {
  readonly task: Task;
  readonly groups: readonly Group[];
}

/** The records in the tasks' and configurations' order. */
export function resultsOf(records: readonly RunRecord[]): TaskResults[] {
  const byName = new Map(records.map((record) => [record.name, record]));
  return TASKS.map((task) => {
    const speed = byName.get(speedRecordName(task))!;
    const moments = byName.get(momentsRecordName(task));
    const groups = CONFIGURATIONS.map((configuration): Group => {
      const { key } = configuration;
      const [mean, variance] = ['mean', 'variance'].map((what) => moments?.history[`${key}/${what}`]);
      return {
        configuration,
        runs: records.filter(({ settings }) => settings['task'] === task.key && settings['key'] === key),
        secondsPerBatch: speed.history[key]!,
        moments: mean === undefined || variance === undefined ? undefined : { mean, variance },
      };
    });
    return { task, groups };
  });
}

/** The group of a configuration. */
export const groupOf = ({ groups }: TaskResults, key: string): Group =>
  groups.find(({ configuration }) => configuration.key === key)!;

export const testAccuracy = ({ results }: RunRecord): number => results['test_acc']!;
export const testLoss = ({ results }: RunRecord): number => results['test_loss']!;

/** Test accuracy over the seeds. */
export const accuracyOf = ({ runs }: Group): Estimate => estimateOf(runs.map(testAccuracy));

/** Time of a batch beside another configuration's, round by round: the two took turns. */
export const timeRatios = (own: Group, other: Group): number[] =>
  own.secondsPerBatch.map((seconds, round) => seconds / other.secondsPerBatch[round]!);

/** The number in a training run's settings. */
export const settingOf = ({ groups }: TaskResults, name: string): number => Number(groups[0]!.runs[0]!.settings[name]);
