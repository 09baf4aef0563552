// The records by method and learning rate, with the numbers that claims and pictures are about.
import type { RunRecord } from '../../report/report.js';
import { estimateOf, type Estimate } from '../estimate.js';
import { hiddenLayers, type Shape } from './network.js';
import { logName, type Watched } from './layer-watch.js';
import type { RunSettings } from '../experiment.js';
import { ATTEMPTS, extentOf, METHODS, TASKS, type Attempt, type Method, type Task } from './trials.js';

/**
 * What came of a run. At chance: the loss has not left ln(classes). Collapsed: at chance, and what the last hidden layer hands on
 * depends on the image less than before the first step.
 */
export const OUTCOMES = ['learns', 'chance', 'collapsed', 'not finite'] as const;
export type Outcome = (typeof OUTCOMES)[number];

/**
 * How far below ln(classes) the training loss is to be at the end: more than it goes up and down by there. A hard task's comes down
 * later than the right class comes up among the first five answers: it is below ln(classes) at all, and these are so many times those
 * of guessing.
 */
const LEFT_CHANCE = 0.3;
const ABOVE_CHANCE = 2;
/** By what the share of the image in the last hidden layer's variance has to fall: a slow learner's changes less. */
const LOST = 0.1;

/** Runs that differ in their seed alone. */
export interface Group {
  readonly runs: readonly RunRecord[];
}
/** A method at a learning rate. */
export interface Cell extends Group {
  readonly method: Method;
  readonly rate: number;
}
/** One of the document's other attempts. */
export interface Tried extends Group {
  readonly attempt: Attempt;
}

/** Everything measured on a task. */
export interface TaskResults {
  readonly task: Task;
  readonly classes: number;
  readonly classNames: readonly string[];
  readonly layers: readonly string[];
  /** Learning rates of the grid, ascending. */
  readonly rates: readonly number[];
  /** The one that is looked at closely. */
  readonly rate: number;
  readonly cells: readonly Cell[];
  /** Empty where none were made. */
  readonly tried: readonly Tried[];
}

/** The records of the tasks that were run, in the order of what they are compared by. */
export function resultsOf(records: readonly RunRecord[], settings: RunSettings): TaskResults[] {
  return TASKS.flatMap((task) => {
    const { rates, rate, shape } = extentOf(settings, task);
    const own = records.filter(({ settings }) => settings['task'] === task.key);
    if (own.length === 0) return [];
    const of = (part: string, key: string): RunRecord[] =>
      own.filter(({ settings }) => settings['part'] === part && settings['key'] === key);
    const cells = METHODS.flatMap((method) =>
      rates.map((one) => ({
        method,
        rate: one,
        runs: of('grid', method.key).filter(({ settings }) => settings['learningRate'] === one),
      })),
    );
    const tried = ATTEMPTS.map((attempt) => ({ attempt, runs: of('attempt', attempt.method.key) }));
    return [
      {
        task,
        classes: Number(own[0]!.settings['classes']),
        classNames: JSON.parse(String(own[0]!.settings['classNames'])) as string[],
        layers: hiddenLayers(shapeOf(own[0]!, shape)),
        rates,
        rate,
        cells: cells.filter(({ runs }) => runs.length > 0),
        tried: tried.filter(({ runs }) => runs.length > 0),
      },
    ];
  });
}

const shapeOf = ({ settings }: RunRecord, shape: Shape): Shape => ({
  ...shape,
  blocks: Number(settings['blocks']),
  convolutions: Number(settings['convolutions']),
  dense: Number(settings['dense']),
});

/** The runs of a method at a learning rate; by default the one that is looked at closely. */
export function cellOf({ cells, rate }: TaskResults, method: Method, at = rate): Cell {
  return cells.find((cell) => cell.method.key === method.key && cell.rate === at)!;
}

/** The loss of answering without looking: ln(classes). */
export const chanceLoss = ({ classes }: TaskResults): number => Math.log(classes);

export const trainingLoss = ({ history }: RunRecord): number => history['loss']!.at(-1)!;
export const testLoss = ({ results }: RunRecord): number => results['test_loss']!;
export const top1 = ({ results }: RunRecord): number => results['test_acc']!;
export const top5 = ({ results }: RunRecord): number => results['test_top5']!;

/** Mean over seeds and its error. */
export const estimate = ({ runs }: Group, of: (run: RunRecord) => number): Estimate => estimateOf(runs.map(of));
export const meanOf = (group: Group, of: (run: RunRecord) => number): number => estimate(group, of).mean;

/** A watched quantity by layer, before the first step and at the end. */
export const atStart = ({ lists }: RunRecord, what: Watched): readonly number[] => lists![`start/${what}`]!;
export const atEnd = ({ history }: RunRecord, what: Watched, layers: readonly string[]): number[] =>
  layers.map((layer) => history[logName(what, layer)]!.at(-1)!);

/** What came of a run. */
export function outcomeOf(run: RunRecord, task: TaskResults): Outcome {
  const loss = trainingLoss(run);
  if (!Number.isFinite(loss)) return 'not finite';
  const chance = chanceLoss(task);
  if (loss < chance - LEFT_CHANCE) return 'learns';
  if (loss < chance && top5(run) >= (ABOVE_CHANCE * 5) / task.classes) return 'learns';
  const [first, last] = [atStart(run, 'image').at(-1)!, atEnd(run, 'image', task.layers).at(-1)!];
  return last < LOST * first ? 'collapsed' : 'chance';
}

/** How many of the runs came to that. */
export const countOf = ({ runs }: Group, task: TaskResults, ...outcomes: readonly Outcome[]): number =>
  runs.filter((run) => outcomes.includes(outcomeOf(run, task))).length;

/** What most of the runs came to; of two that are equal the better one. */
export function usualOutcome(group: Group, task: TaskResults): Outcome {
  const counts = OUTCOMES.map((outcome) => countOf(group, task, outcome));
  return OUTCOMES[counts.indexOf(Math.max(...counts))]!;
}

/** The rate at which a method's training loss ends lowest. */
export function bestCell(task: TaskResults, method: Method): Cell {
  const own = task.cells.filter((cell) => cell.method.key === method.key);
  const loss = (cell: Cell): number => {
    const mean = meanOf(cell, trainingLoss);
    return Number.isFinite(mean) ? mean : Infinity;
  };
  return own.reduce((best, cell) => (loss(cell) < loss(best) ? cell : best));
}

/** Steps of a run and of one of its looks. */
export const stepsOf = ({ settings }: RunRecord): number => Number(settings['steps']);
export const everyOf = ({ settings }: RunRecord): number => Number(settings['stepsPerEpoch']);
