// The records by configuration, with the numbers that claims and pictures are about.
import type { RunRecord } from '../../report/report.js';
import { estimateOf, type Estimate } from '../estimate.js';
import { median } from '../median.js';
import { MOMENTS_RECORD } from './moments.js';
import { SPEED_RECORD } from './train.js';
import type { Configuration } from './trials.js';

/** The training runs of a configuration, one a seed. */
export interface Group {
  readonly configuration: Configuration;
  readonly runs: readonly RunRecord[];
  /** Seconds of a batch, one a round; undefined where it was not timed. */
  readonly secondsPerBatch: readonly number[] | undefined;
  /** At the watched layers before the first step; undefined where it was not looked at. */
  readonly moments: { readonly mean: readonly number[]; readonly variance: readonly number[] } | undefined;
}

/** Everything measured, by the configuration's key. */
export type Groups = ReadonlyMap<string, Group>;

/** The records in the configurations' order. */
export function resultsOf(records: readonly RunRecord[], configurations: readonly Configuration[]): Groups {
  const byName = new Map(records.map((record) => [record.name, record]));
  const speed = byName.get(SPEED_RECORD)!;
  const moments = byName.get(MOMENTS_RECORD)!;
  return new Map(
    configurations.map((configuration): [string, Group] => {
      const { key } = configuration;
      const [mean, variance] = ['mean', 'variance'].map((what) => moments.history[`${key}/${what}`]);
      return [
        key,
        {
          configuration,
          runs: records.filter(({ settings }) => settings['kind'] === 'training' && settings['key'] === key),
          secondsPerBatch: speed.history[key],
          moments: mean === undefined || variance === undefined ? undefined : { mean, variance },
        },
      ];
    }),
  );
}

export const testAccuracy = ({ results }: RunRecord): number => results['test_acc']!;
export const bestEpoch = ({ results }: RunRecord): number => results['best_epoch']!;
export const bestValidation = ({ results }: RunRecord): number => results['best_val_acc']!;
/** Accuracies by epoch: while training, dropout included, and on the validation pairs. */
export type Curve = 'acc' | 'val_acc';
/** A curve's mean over the epochs: its height, great where it rises early. */
export const heightOf =
  (curve: Curve) =>
  ({ history }: RunRecord): number =>
    estimateOf(history[curve]!).mean;
/** Validation accuracy at the end. */
export const lastValidation = ({ history }: RunRecord): number => history['val_acc']!.at(-1)!;

/** Mean over seeds and its error. */
export const estimate = ({ runs }: Group, of: (run: RunRecord) => number): Estimate => estimateOf(runs.map(of));
export const meanOf = (group: Group, of: (run: RunRecord) => number): number => estimate(group, of).mean;

/** A curve, mean over seeds. */
export function meanCurve({ runs }: Group, curve: Curve): number[] {
  return runs[0]!.history[curve]!.map((_, epoch) => estimateOf(runs.map((r) => r.history[curve]![epoch]!)).mean);
}

/** Time of a batch beside another configuration's, round by round: the two took turns. */
export const timeRatios = (own: Group, other: Group): number[] =>
  own.secondsPerBatch!.map((seconds, round) => seconds / other.secondsPerBatch![round]!);

/** Seconds that the training batches of an epoch take; undefined where they were not timed. */
export function secondsPerEpoch({ runs, secondsPerBatch }: Group): number | undefined {
  if (secondsPerBatch === undefined) return undefined;
  const { trainingPairs, batchSize } = runs[0]!.settings;
  return Math.ceil(Number(trainingPairs) / Number(batchSize)) * median(secondsPerBatch);
}

/** The number in a run's settings, the same in all. */
export const settingOf = (groups: Groups, name: string): number =>
  Number([...groups.values()][0]!.runs[0]!.settings[name]);

/** The configuration with this activation whose test accuracy is best. */
export function bestOf(groups: Groups, activation: Configuration['activation']): Group {
  const own = [...groups.values()].filter(({ configuration }) => configuration.activation === activation);
  return own.reduce((best, group) => (meanOf(group, testAccuracy) > meanOf(best, testAccuracy) ? group : best));
}
