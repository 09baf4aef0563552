// What document 002 claims, each with what was measured for it and when it counts as so. Runs are counted, not averaged: a network
// either leaves chance or it does not.
import type { Claim, Verdict } from '../../report/report.js';
import { isAbove, type Above, type Estimate } from '../estimate.js';
import * as results from './results.js';
import type { Cell, Group, TaskResults, Tried } from './results.js';
import { ENOUGH, rateText, RELU, SELU, STANDARD, TENSOR, UNIT, type Method } from './trials.js';

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;

/** `3 of 3 learn`. */
const learning = (group: Group, task: TaskResults): string =>
  `${results.countOf(group, task, 'learns')} of ${group.runs.length} learn`;

/** `0 of 3 learn (training loss 4.76)`. */
const withLoss = (group: Group, task: TaskResults): string =>
  `${learning(group, task)} (training loss ${results.meanOf(group, results.trainingLoss).toFixed(2)})`;

const accuracies = (group: Group): string =>
  `top-1 ${percent(results.meanOf(group, results.top1))}, top-5 ${percent(results.meanOf(group, results.top5))}`;

/** Whether all of them, some or none are so; that all are, one seed does not show. */
function overRuns(so: number, all: number, seeds: number): Verdict {
  if (all === 0) return 'open';
  if (so === 0) return 'no';
  return so === all && seeds > 1 ? 'yes' : 'partly';
}

interface Judged {
  readonly measured: string;
  readonly verdict: Verdict;
}

/** A method at every learning rate of the grid. */
const perRate = (task: TaskResults, method: Method): Cell[] =>
  task.rates.map((rate) => results.cellOf(task, method, rate));

/** The learning rates at which plain SELU stays at chance in every run; the ones a cure is to be tried at. */
const illRates = (task: TaskResults): number[] =>
  perRate(task, SELU)
    .filter((cell) => results.countOf(cell, task, 'learns') === 0)
    .map(({ rate }) => rate);

/** Plain SELU at the rate that is looked at closely. */
function judgeCollapse(task: TaskResults): Judged {
  const cell = results.cellOf(task, SELU);
  const stuck = cell.runs.length - results.countOf(cell, task, 'learns');
  const lost = results.countOf(cell, task, 'collapsed');
  return {
    measured:
      `Adam, learning rate ${rateText(cell.rate)}: ${stuck} of ${cell.runs.length} runs stay at chance, training loss ` +
      `${results.meanOf(cell, results.trainingLoss).toFixed(2)} (ln ${task.classes} = ${results.chanceLoss(task).toFixed(2)}), ` +
      `${accuracies(cell)}; in ${lost} of them the image is lost on its way through the layers.`,
    verdict: overRuns(stuck, cell.runs.length, cell.runs.length),
  };
}

function judgeRelu(task: TaskResults): Judged {
  const best = results.bestCell(task, RELU);
  const learnt = results.countOf(best, task, 'learns');
  const slow = results.countOf(best, task, 'chance');
  const steps = results.stepsOf(best.runs[0]!);
  return {
    measured: `At its best learning rate, ${rateText(best.rate)}: ${withLoss(best, task)}, ${accuracies(best)}.${
      learnt < best.runs.length && slow > 0 ? ` The others have not lost the image, and ${steps} steps are few.` : ''
    }`,
    // What has not left chance yet may do so.
    verdict: learnt === 0 && slow > 0 ? 'open' : overRuns(learnt, best.runs.length, best.runs.length),
  };
}

/** SELU at all the learning rates. */
function judgeRates(task: TaskResults): Judged {
  const cells = perRate(task, SELU);
  const stuck = cells.filter((cell) => results.countOf(cell, task, 'learns') === 0).length;
  const list = cells.map((cell) => `${rateText(cell.rate)}: ${withLoss(cell, task)}`).join('; ');
  return { measured: `Adam, learning rate ${list}.`, verdict: overRuns(stuck, cells.length, cells[0]!.runs.length) };
}

/** Whether the network stays at chance with other things changed. */
function judgeAttempts(task: TaskResults, keys: readonly string[]): Judged {
  const tried = keys.flatMap((key) => task.tried.filter(({ attempt }) => attempt.method.key === key));
  if (tried.length === 0) return { measured: 'Not tried in this run.', verdict: 'open' };
  const stuck = (one: Tried): boolean => results.countOf(one, task, 'learns') === 0;
  const list = tried.map((one) => `${one.attempt.method.label}: ${withLoss(one, task)}`).join('; ');
  return { measured: `${list}.`, verdict: overRuns(tried.filter(stuck).length, tried.length, tried[0]!.runs.length) };
}

/** Whether a method learns at the learning rates at which plain SELU does not. */
function judgeCure(task: TaskResults, method: Method): Judged {
  const rates = illRates(task);
  const cells = rates.map((rate) => results.cellOf(task, method, rate));
  if (cells.length === 0) {
    return { measured: 'Plain SELU learns at every learning rate that was tried: nothing to cure.', verdict: 'open' };
  }
  const learnt = cells.reduce((sum, cell) => sum + results.countOf(cell, task, 'learns'), 0);
  const runs = cells.reduce((sum, cell) => sum + cell.runs.length, 0);
  const list = cells.map((cell) => `${rateText(cell.rate)}: ${withLoss(cell, task)}, ${accuracies(cell)}`).join('; ');
  return {
    measured: `Where plain SELU stays at chance, learning rate ${list}.`,
    verdict: overRuns(learnt, runs, cells[0]!.runs.length),
  };
}

function opposite({ measured, verdict }: Judged): Judged {
  const turned: Readonly<Record<Verdict, Verdict>> = { yes: 'no', no: 'yes', partly: 'partly', open: 'open' };
  return { measured, verdict: turned[verdict] };
}

/** Centred SELU beside ReLU, each at its best learning rate. */
function judgePace(task: TaskResults): Judged {
  const [relu, centred] = [RELU, UNIT].map((method) => results.bestCell(task, method)) as [Cell, Cell];
  const [usual, own] = [relu, centred].map((cell) => results.estimate(cell, results.trainingLoss)) as [
    Estimate,
    Estimate,
  ];
  const verdicts: Readonly<Record<Above, Verdict>> = { clearly: 'yes', barely: 'partly', not: 'no' };
  return {
    measured:
      `Training loss after ${results.stepsOf(relu.runs[0]!)} steps, each at its best learning rate: ReLU ` +
      `${usual.mean.toFixed(2)} (${rateText(relu.rate)}), SELU centred per unit ${own.mean.toFixed(2)} (${rateText(centred.rate)}).`,
    verdict: verdicts[isAbove(own, usual)],
  };
}

/** Why a run cannot tell; undefined when it can. */
function tooShort(task: TaskResults): string | undefined {
  const { settings } = task.cells[0]!.runs[0]!;
  const [steps, images] = [Number(settings['steps']), Number(settings['trainingImages'])];
  const lacks = [
    ...(steps < ENOUGH.steps ? [`${steps} steps`] : []),
    ...(images < ENOUGH.images ? [`${images} training images`] : []),
  ];
  return lacks.length === 0 ? undefined : `From ${lacks.join(' and ')}: a run of a usual size tells.`;
}

/** Turns what was judged into rows, all of them open where the task's runs cannot tell. */
function rowsOf(task: TaskResults): (claim: string, judged: Judged) => Claim {
  const short = tooShort(task);
  return (claim, { measured, verdict }) =>
    short === undefined ? { claim, measured, verdict } : { claim, measured: `${measured} ${short}`, verdict: 'open' };
}

/** What is claimed of the methods alone, on a task beside the first. */
function judgeAgain(task: TaskResults): Claim[] {
  const row = rowsOf(task);
  const { label } = task.task;
  return [
    row(`${label}: SELU stays at chance.`, judgeCollapse(task)),
    row(`${label}: ReLU learns.`, judgeRelu(task)),
    row(`${label}: W − mean(W) cures it.`, judgeCure(task, TENSOR)),
    row(`${label}: ω = 0 for every unit cures it.`, judgeCure(task, UNIT)),
  ];
}

/** Judges everything by the runs of the tasks: all claims by the first, what is at their heart by the others too. */
export function judgeClaims([task, ...others]: readonly [TaskResults, ...TaskResults[]]): Claim[] {
  const row = rowsOf(task);
  return [
    row(
      '“When using SELUs the accuracy (on both training and validation) converges to 1/365 … the cross-entropy loss also converges to a constant.”',
      judgeCollapse(task),
    ),
    row('“When using ReLUs it can achieve 40% top-1-accuracy and 70% top-5-accuracy”: it learns.', judgeRelu(task)),
    row('So it is with “the Adam optimizer with various learning rates”.', judgeRates(task)),
    row('… and with various “epsilon values”.', judgeAttempts(task, ['epsilon-0.001', 'epsilon-0.1'])),
    row(
      '… and with “the Adadelta optimizer with learning rates varying from 1.0 to 0.001”.',
      judgeAttempts(task, ['adadelta-1', 'adadelta-0.1', 'adadelta-0.01', 'adadelta-0.001']),
    ),
    row(
      '… and with “alpha dropout, weight decay, and batch normalization”.',
      judgeAttempts(task, ['alpha-dropout', 'weight-decay', 'batch-norm']),
    ),
    row('“The behaviour is the same regardless of using float16 or float32”.', judgeAttempts(task, ['float16'])),
    row('“… the same with or without Softmax at the final layer”.', judgeAttempts(task, ['logits'])),
    row('The input, “values in the range [0, 1]”, is not to blame.', opposite(judgeCure(task, STANDARD))),
    row(
      'The cure: “weight centralization … W − mean(W)”. “The SELU net is no longer converging to an accuracy of 1/365.”',
      judgeCure(task, TENSOR),
    ),
    row(
      '“The lack of constraints on the layer weights is resulting in the underperforming of SELUs”: with ω = 0 for every unit it learns.',
      judgeCure(task, UNIT),
    ),
    row('Of the centred network beside ReLU: “the convergence is slightly slower”.', judgePace(task)),
    ...others.flatMap(judgeAgain),
  ];
}
