// Document 004: its toy task with every activation of the library, from its two starts, from random ones, and over a map.
import type { Report, RunRecord } from '../../report/report.js';
import { randomUniform } from '../../ops/random.js';
import { setSeed } from '../../tensor/random-state.js';
import { device } from '../../tensor/device.js';
import { tidy } from '../../tensor/memory.js';
import { variable } from '../../tensor/variable.js';
import { Interrupted, type Run, type RunContext } from '../experiment.js';
import { reportOf, tellRun } from '../run-report.js';
import { approximators, SHOWN, type Approximator } from './activations.js';
import { evaluate, fit, gridOf, type Fitted, type Start } from './fit.js';
import { median } from '../median.js';
import { describeRuns } from './report.js';
import { LEARNT_ERROR, SHAPES, type Shape } from './shapes.js';
import { DOCUMENT_DS, DOCUMENT_STARTS, REACH, trialsOf, type Trial } from './trials.js';
import { errorSurface } from './surface.js';
import { SNAPSHOT_POINTS, snapshotName, snapshotsUpTo } from './results.js';

/** Starts that are fitted at once: what they take stays in the cache, or fills the GPU. */
const STARTS_AT_ONCE = { cpu: 256, cuda: 32_768 } as const;
/** Marks of a fit from the document's starts: every step at first, then this many a decade. */
const MARKS_A_DECADE = 40;
/** Steps between marks where all runs of an activation are looked at together. */
const FRESH_MARK = 10;

/** What is kept of float32 values: their own digits and no more. */
const brief = (values: Iterable<number>): number[] => [...values].map((value) => Number(value.toPrecision(6)));

/** Steps that are about equally far apart on a logarithmic axis, snapshots and the last one included. */
function logarithmicMarks(steps: number): number[] {
  const marks = new Set(snapshotsUpTo(steps).filter((step) => step > 0));
  for (let i = 0; ; i++) {
    const step = Math.round(10 ** (i / MARKS_A_DECADE));
    if (step > steps) break;
    marks.add(step);
  }
  return [...marks.add(steps)].sort((a, b) => a - b);
}

/** The first mark at which the error is that of a ReLU that was learnt; NaN if there is none. */
function learntAt(errors: readonly number[], marks: readonly number[]): number {
  return marks[errors.findIndex((error) => error < LEARNT_ERROR)] ?? NaN;
}

/** A function's values at the snapshots, for each of the document's starts. */
function snapshots(
  approximator: Approximator,
  { parametersAt }: Fitted,
  marks: readonly number[],
  steps: number,
): Record<string, number[]> {
  const lists: Record<string, number[]> = {};
  const first = [...DOCUMENT_STARTS[0]!.keys()].map((i) => DOCUMENT_STARTS.map((start) => start[i]!));
  const begin = [...first, ...approximator.ownStart.map((value) => DOCUMENT_STARTS.map(() => value))];
  for (const step of snapshotsUpTo(steps)) {
    const parameters = step === 0 ? begin : parametersAt[marks.indexOf(step)]!;
    const values = tidy(() => {
      const columns = parameters.map((list) => variable([...list].map((value) => [value])));
      const y = evaluate(approximator, columns, gridOf(SNAPSHOT_POINTS)).arraySync() as number[][];
      for (const each of columns) each.dispose();
      return y;
    });
    DOCUMENT_DS.forEach((d, i) => (lists[snapshotName(d, step)] = brief(values[i]!)));
  }
  return lists;
}

/** Does a trial's fits, and gives what its record says. */
class Fitting {
  constructor(
    private readonly context: RunContext,
    private readonly trial: Trial,
    private readonly place: { readonly index: number; readonly of: number },
  ) {}

  /** Fits from all starts, as many at once as suit the device. Only a fit on the grid may be cut into several. */
  private async fitAll(starts: readonly Start[], marks?: readonly number[]): Promise<Fitted[]> {
    const { signal, tell } = this.context;
    const { name, title, approximator, learningRate, batch, steps } = this.trial;
    const most = batch === 'grid' ? STARTS_AT_ONCE[device() === 'cpu' ? 'cpu' : 'cuda'] : starts.length;
    const groups = Math.ceil(starts.length / most);
    const all = { epochs: 1, batches: groups * steps, doneEpochs: 0, doneBatches: 0 };
    tell({ event: 'trial', trial: name, title, ...this.place, ...all });
    const fitted: Fitted[] = [];
    for (let group = 0; group < groups; group++) {
      const onSteps = (done: number): void =>
        tell({ event: 'batch', trial: name, epoch: 1, batch: group * steps + done });
      const some = starts.slice(group * most, (group + 1) * most);
      fitted.push(await fit({ approximator, starts: some, steps, learningRate, batch, marks }, { signal, onSteps }));
    }
    return fitted;
  }

  async do(): Promise<Pick<RunRecord, 'results' | 'lists'>> {
    switch (this.trial.part) {
      case 'grid':
        return this.fromDocumentStarts();
      case 'fresh':
        return this.withFreshBatches();
      case 'starts':
        return this.fromRandomStarts();
      case 'map':
        return this.overMap();
    }
  }

  private async fromDocumentStarts(): Promise<Pick<RunRecord, 'results' | 'lists'>> {
    const { approximator, steps } = this.trial;
    const marks = logarithmicMarks(steps);
    const [fitted] = (await this.fitAll(DOCUMENT_STARTS, marks)) as [Fitted];
    const results: Record<string, number> = {};
    const lists: Record<string, number[]> = { steps: marks, ...snapshots(approximator, fitted, marks, steps) };
    DOCUMENT_DS.forEach((d, i) => {
      const errors = fitted.errorsAt.map((list) => list[i]!);
      lists[`error, d ${d}`] = brief(errors);
      for (const [k, letter] of ['a', 'b'].entries()) {
        lists[`${letter}, d ${d}`] = brief(fitted.parametersAt.map((parameters) => parameters[k]![i]!));
      }
      results[`error, d ${d}`] = fitted.errors[i]!;
      results[`learnt at, d ${d}`] = learntAt(errors, marks);
    });
    return { results, lists };
  }

  private async withFreshBatches(): Promise<Pick<RunRecord, 'results' | 'lists'>> {
    const { steps, count } = this.trial;
    const marks = Array.from({ length: Math.ceil(steps / FRESH_MARK) }, (_, i) =>
      Math.min(steps, (i + 1) * FRESH_MARK),
    );
    const starts = DOCUMENT_STARTS.flatMap((start) => Array.from({ length: count }, () => start));
    const [fitted] = (await this.fitAll(starts, marks)) as [Fitted];
    const results: Record<string, number> = {};
    const lists: Record<string, number[]> = { steps: marks };
    DOCUMENT_DS.forEach((d, i) => {
      const runs = Array.from({ length: count }, (_, run) => i * count + run);
      const at = runs.map((run) =>
        learntAt(
          fitted.errorsAt.map((list) => list[run]!),
          marks,
        ),
      );
      lists[`learnt at, d ${d}`] = at;
      lists[`error, d ${d}`] = brief(runs.map((run) => fitted.errors[run]!));
      lists[`median error, d ${d}`] = brief(fitted.errorsAt.map((list) => median(runs.map((run) => list[run]!))));
      results[`runs that learn, d ${d}`] = at.filter(Number.isFinite).length;
    });
    return { results, lists };
  }

  private async fromRandomStarts(): Promise<Pick<RunRecord, 'results' | 'lists'>> {
    const { count } = this.trial;
    const { seed } = this.context.settings;
    const starts = tidy(
      () => randomUniform([count, 4], -REACH, REACH, 'float32', seed).arraySync() as unknown as Start[],
    );
    const lists: Record<string, number[]> = {};
    for (const [i, letter] of ['a', 'b', 'c', 'd'].entries()) lists[letter] = brief(starts.map((start) => start[i]!));
    return countShapes(await this.fitAll(starts), lists);
  }

  private async overMap(): Promise<Pick<RunRecord, 'results' | 'lists'>> {
    const { count } = this.trial;
    const [[a, b]] = DOCUMENT_STARTS as readonly [Start];
    const axis = Array.from({ length: count }, (_, i) => -REACH + (2 * REACH * i) / (count - 1));
    const starts = axis.flatMap((d) => axis.map((c): Start => [a, b, c, d]));
    return countShapes(await this.fitAll(starts), { axis: brief(axis) });
  }
}

function countShapes(
  fitted: readonly Fitted[],
  lists: Readonly<Record<string, readonly number[]>>,
): Pick<RunRecord, 'results' | 'lists'> {
  const shapes = fitted.flatMap((each) => each.shapes);
  const count = (wanted: Shape): [string, number] => [wanted, shapes.filter((shape) => shape === wanted).length];
  return {
    results: Object.fromEntries(SHAPES.map(count)),
    lists: {
      ...lists,
      shape: shapes.map((shape) => SHAPES.indexOf(shape)),
      error: brief(fitted.flatMap(({ errors }) => errors)),
    },
  };
}

/** Fits one trial, unless its record is there already. A trial takes seconds, so one that is broken off begins again. */
async function doTrial(
  context: RunContext,
  trial: Trial,
  place: { readonly index: number; readonly of: number },
): Promise<RunRecord> {
  const { folder, settings, tell, signal } = context;
  const done = folder.record(trial.name);
  if (done !== undefined) return done;
  if (signal.aborted) throw new Interrupted();
  setSeed(settings.seed);
  const begun = performance.now();
  const { results, lists } = await new Fitting(context, trial, place).do();
  const { name, part, approximator, learningRate, batch, steps, count } = trial;
  const record: RunRecord = {
    name,
    configuration: approximator.label,
    seed: settings.seed,
    history: {},
    secondsPerEpoch: [(performance.now() - begun) / 1000],
    results,
    lists,
    settings: { key: approximator.key, part, learningRate, batch, steps, count },
  };
  folder.finishTrial(record);
  tell({ event: 'trial-end', trial: name, results });
  return record;
}

/** Runs the experiment. */
export const runReluApproximation: Run = async (context): Promise<Report> => {
  const all = approximators();
  const trials = trialsOf(context.settings, all);
  tellRun(context, trials);
  const runs: RunRecord[] = [];
  for (const [i, trial] of trials.entries()) {
    runs.push(await doTrial(context, trial, { index: i + 1, of: trials.length }));
  }
  const shown = all.filter(({ key }) => SHOWN.includes(key));
  const surfaces = new Map(shown.map((approximator) => [approximator.key, errorSurface(approximator)]));
  return reportOf(context, {
    title: 'Units that go straight: learning ReLU with one unit',
    document: 'Document 004, “SELUs don’t actually solve the dying ReLU problem”',
    ...describeRuns(runs, all, surfaces),
    runs,
    settings: {
      Seed: context.settings.seed,
      Activations: all.length,
      Fits: countFits(trials).toLocaleString('en'),
    },
  });
};

const countFits = (trials: readonly Trial[]): number =>
  trials
    .map(({ part, count }) =>
      part === 'map' ? count ** 2 : part === 'starts' ? count : DOCUMENT_STARTS.length * count,
    )
    .reduce((sum, fits) => sum + fits, 0);
