// The pictures of the deep-cnn report: outcomes, losses, and what becomes of an image on its way through the layers.
import {
  COLORS,
  type DotChart,
  type GridChart,
  type HeatChart,
  type LineChart,
  type Series,
} from '../../report/chart.js';
import type { RunRecord } from '../../report/report.js';
import { logName } from './layer-watch.js';
import * as results from './results.js';
import type { Cell, Outcome, TaskResults } from './results.js';
import { METHODS, rateText, type Method } from './trials.js';

/** Backgrounds for words. */
const OUTCOME_CLASSES: Readonly<Record<Outcome, { readonly label: string; readonly color: string }>> = {
  learns: { label: 'learns', color: '#BFE3D3' },
  chance: { label: 'still at chance', color: '#FBE7B2' },
  collapsed: { label: 'collapsed', color: '#F6C3A4' },
  'not finite': { label: 'not finite', color: '#D1D5DB' },
};

export const outcomeLabel = (outcome: Outcome): string => OUTCOME_CLASSES[outcome].label;

/** Methods by learning rate: how many runs learn, and their training loss at the end. */
export function outcomeGrid(task: TaskResults): GridChart {
  const cellOf = (cell: Cell): { class: number; text: string; note: string } => ({
    class: results.OUTCOMES.indexOf(results.usualOutcome(cell, task)),
    text: `${results.countOf(cell, task, 'learns')} of ${cell.runs.length}`,
    note: `loss ${results.meanOf(cell, results.trainingLoss).toFixed(2)}`,
  });
  return {
    kind: 'grid',
    xTitle: 'learning rate of Adam',
    rows: METHODS.map(({ label }) => label),
    columns: task.rates.map(rateText),
    classes: results.OUTCOMES.map((outcome) => OUTCOME_CLASSES[outcome]),
    cells: METHODS.map((method) => task.rates.map((rate) => cellOf(results.cellOf(task, method, rate)))),
  };
}

/** Steps after which the layers were looked at. */
const stepsSeen = (run: RunRecord): number[] => run.history['loss']!.map((_, i) => (i + 1) * results.everyOf(run));

/** Training loss by step for every method at one learning rate, with bands over seeds. */
export function lossCurves(task: TaskResults, rate: number): LineChart {
  const cells = METHODS.map((method) => results.cellOf(task, method, rate));
  const last = Math.max(...cells.flatMap(({ runs }) => runs.map(results.stepsOf)));
  const chance = results.chanceLoss(task);
  const series = cells.flatMap(({ method, runs }) =>
    runs.map((run): Series => ({
      label: method.label,
      color: method.color,
      dashed: method.dashed === true,
      // A loss is the mean over the steps up to a look: it belongs to their middle.
      x: stepsSeen(run).map((step) => step - results.everyOf(run) / 2),
      y: run.history['loss']!,
    })),
  );
  const highest = Math.max(...series.flatMap(({ y }) => y).filter(Number.isFinite), chance);
  return {
    kind: 'lines',
    xTitle: 'step',
    yTitle: 'training loss',
    series,
    showBand: true,
    xDomain: [0, last],
    yDomain: [0, Math.min(highest, 2 * chance)],
    level: { y: chance, label: `chance: ln ${task.classes}` },
  };
}

/** Below this float32 has nothing to tell. */
const LEAST_SHARE = 1e-7;

/** How much of the variance after each layer comes from the image, at the end; before the first step of the first method. */
export function imageShares(task: TaskResults): LineChart {
  const line = (
    run: RunRecord,
    { label, color, dashed }: Pick<Method, 'label' | 'color' | 'dashed'>,
    y: readonly number[],
  ) => ({ label, color, dashed: dashed === true, y, x: y.map((_, i) => i + 1) }) satisfies Series;
  const ends = METHODS.flatMap((method) =>
    results.cellOf(task, method).runs.map((run) => line(run, method, results.atEnd(run, 'image', task.layers))),
  );
  const [first] = results.cellOf(task, METHODS[1]!).runs;
  const start = line(
    first!,
    { label: 'SELU before training', color: COLORS.pink, dashed: true },
    results.atStart(first!, 'image'),
  );
  const lowest = Math.min(...[...ends, start].flatMap(({ y }) => y).filter((value) => value > 0));
  return {
    kind: 'lines',
    xTitle: 'hidden layer',
    yTitle: 'share of the variance',
    series: [...ends, start],
    showBand: true,
    logarithmic: 'y',
    yFormat: '~%',
    yDomain: [Math.max(10 ** Math.floor(Math.log10(lowest)), LEAST_SHARE), 1],
  };
}

const HEATS: Readonly<Record<'mean' | 'variance' | 'image', HeatChart['scale']>> = {
  mean: { kind: 'diverging', title: 'mean', domain: [-2, 2], ticks: [-2, 0, 2] },
  variance: {
    kind: 'diverging',
    title: 'variance',
    domain: [1 / 16, 16],
    logarithmic: true,
    ticks: [1 / 16, 1, 16],
    format: '~r',
  },
  image: {
    kind: 'rising',
    title: 'share of the image',
    domain: [1e-5, 1],
    logarithmic: true,
    ticks: [1e-5, 1e-3, 0.1],
    format: '~%',
  },
};

/** A quantity through depth and time, a panel a method: the first seed at the learning rate that is looked at closely. */
export function layerHeat(task: TaskResults, what: keyof typeof HEATS, methods: readonly Method[]): HeatChart {
  const runs = methods.map((method) => results.cellOf(task, method).runs[0]!);
  const { layers } = task;
  return {
    kind: 'heat',
    xTitle: 'step',
    yTitle: 'hidden layer',
    columns: 2,
    x: [0, ...stepsSeen(runs[0]!)],
    y: layers.map((_, i) => i + 1),
    upwards: true,
    scale: HEATS[what],
    panels: runs.map((run, i) => ({
      title: methods[i]!.label,
      cells: layers.map((layer, k) => [results.atStart(run, what)[k], ...run.history[logName(what, layer)]!]),
    })),
  };
}

/** A sum of the units' weights by step, as a mean over layers, with bands over seeds. */
export function weightSums(task: TaskResults, what: 'omega' | 'omegaMean', yTitle: string): LineChart {
  const over = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + Math.abs(value), 0) / values.length;
  const series = METHODS.flatMap((method) =>
    results.cellOf(task, method).runs.map((run): Series => {
      const steps = stepsSeen(run);
      const at = (i: number): number[] => task.layers.map((layer) => run.history[logName(what, layer)]![i]!);
      return {
        label: method.label,
        color: method.color,
        dashed: method.dashed === true,
        x: [0, ...steps],
        y: [over(results.atStart(run, what)), ...steps.map((_, i) => over(at(i)))],
      };
    }),
  );
  const last = Math.max(...series.flatMap(({ x }) => x!));
  return { kind: 'lines', xTitle: 'step', yTitle, series, showBand: true, xDomain: [0, last] };
}

/** A share of the test images by method, at the learning rate that is looked at closely. */
export function accuracyDots(task: TaskResults, of: (run: RunRecord) => number, xTitle: string): DotChart {
  return {
    kind: 'dots',
    xTitle,
    xFormat: '.0%',
    rows: METHODS.map((method) => ({
      label: method.label,
      color: method.color,
      values: results.cellOf(task, method).runs.map(of),
    })),
  };
}

/** The document's other attempts by their training loss at the end. */
export function attemptDots(task: TaskResults): DotChart {
  const cell = results.cellOf(task, METHODS[1]!);
  return {
    kind: 'dots',
    xTitle: 'training loss at the end',
    rows: [
      { label: `Adam ${rateText(cell.rate)}`, color: COLORS.grey, values: cell.runs.map(results.trainingLoss) },
      ...task.tried.map((tried) => ({
        label: tried.attempt.method.label,
        color: results.countOf(tried, task, 'learns') > 0 ? COLORS.green : COLORS.vermilion,
        values: tried.runs.map(results.trainingLoss),
      })),
    ],
  };
}
