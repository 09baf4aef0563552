// The recorded runs by configuration, with the numbers that the document's claims are about.
import type { RunRecord } from '../../report/report.js';
import { estimateOf, type Estimate } from '../estimate.js';
import { CONFIGURATIONS, type Configuration } from './trials.js';

/** The runs of one configuration, one a seed. */
export interface Group {
  readonly configuration: Configuration;
  readonly runs: readonly RunRecord[];
}

/** The runs in the configurations' order; those without runs are left out. */
export function groupRuns(records: readonly RunRecord[]): Group[] {
  return CONFIGURATIONS.map((configuration) => ({
    configuration,
    runs: records.filter(({ settings }) => settings['key'] === configuration.key),
  })).filter(({ runs }) => runs.length > 0);
}

/** Mean and standard error over the runs of a number that each run has. */
export const estimate = ({ runs }: Group, value: (run: RunRecord) => number): Estimate => estimateOf(runs.map(value));

export const testLoss = ({ results }: RunRecord): number => results['test_loss']!;
export const testAccuracy = ({ results }: RunRecord): number => results['test_acc']!;

/** The validation loss after the last epoch over the lowest on the way: 1 where it fell to the end. */
export function overfit({ history }: RunRecord): number {
  const losses = history['val_loss']!;
  return losses.at(-1)! / Math.min(...losses);
}

/** The first epoch, from 1, after which the validation accuracy is at least `level`; Infinity if there is none. */
export function epochsUntil({ history }: RunRecord, level: number): number {
  const at = history['val_acc']!.findIndex((accuracy) => accuracy >= level);
  return at < 0 ? Infinity : at + 1;
}

/** The fewest epochs that a run of the group trained. */
export const epochsOf = ({ runs }: Group): number => Math.min(...runs.map(({ history }) => history['loss']!.length));
