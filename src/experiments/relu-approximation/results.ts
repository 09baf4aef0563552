// The recorded trials, found again by what they are: a record's numbers and lists by the names that run.ts gave them.
import type { RunRecord } from '../../report/report.js';
import { median } from '../median.js';
import { SHAPES, type Shape } from './shapes.js';
import { RATE, type Part } from './trials.js';

/** Points at which learnt functions are kept. */
export const SNAPSHOT_POINTS = 65;
const SNAPSHOTS = [0, 10, 100, 1000];

/** Steps after which learnt functions are kept, the last step among them. */
export const snapshotsUpTo = (steps: number): number[] => [
  ...new Set([...SNAPSHOTS.filter((step) => step <= steps), steps]),
];
export const snapshotName = (d: number, step: number): string => `after ${step}, d ${d}`;

/** All records of a run. */
export class Records {
  constructor(private readonly runs: readonly RunRecord[]) {}

  /** The record of a part for an activation; undefined where the run has none. */
  find(
    key: string,
    part: Part,
    { batch = 'grid', rate = RATE }: { batch?: 'grid' | number; rate?: number } = {},
  ): RunRecord | undefined {
    return this.runs.find(
      ({ settings }) =>
        settings['key'] === key &&
        settings['part'] === part &&
        settings['batch'] === batch &&
        settings['learningRate'] === rate,
    );
  }

  /** Batch sizes of the fits with fresh batches, ascending. */
  get batches(): number[] {
    const sizes = this.runs
      .filter(({ settings }) => settings['part'] === 'fresh')
      .map(({ settings }) => Number(settings['batch']));
    return [...new Set(sizes)].sort((a, b) => a - b);
  }
}

export const stepsOf = ({ settings }: RunRecord): number => Number(settings['steps']);
export const countOf = ({ settings }: RunRecord): number => Number(settings['count']);
export const list = ({ lists }: RunRecord, name: string): readonly number[] => lists![name]!;
export const result = ({ results }: RunRecord, name: string): number => results[name]!;

/** The error after so many steps: the median over the steps since the mark before. */
export function errorAfter(record: RunRecord, d: number, steps: number): number {
  const at = list(record, 'steps').indexOf(steps);
  return at < 0 ? NaN : list(record, `error, d ${d}`)[at]!;
}

/** The median of the steps at which runs had learnt; infinite where most had not. */
export function medianStep(record: RunRecord, d: number): number {
  return median(list(record, `learnt at, d ${d}`).map((step) => (Number.isFinite(step) ? step : Infinity)));
}

/** The share of starts that end in a shape. */
export function share(record: RunRecord, shape: Shape): number {
  const total = SHAPES.reduce((sum, each) => sum + result(record, each), 0);
  return result(record, shape) / total;
}
