// What document 001 claims or leaves open, each with what is measured for it and when it counts as so. Accuracies are compared
// by their spread over seeds, times by the rounds in which the configurations took turns.
import type { Claim, Verdict } from '../../report/report.js';
import { estimateOf, isAbove, type Above, type Estimate } from '../estimate.js';
import { median } from '../median.js';
import { changeOf, isSlower } from '../turns.js';
import * as results from './results.js';
import type { Group, TaskResults } from './results.js';
import { ENOUGH } from './trials.js';

const percent = (share: number): string => `${(100 * share).toFixed(2)}%`;
const accuracy = (group: Group): string => `${group.configuration.label} ${percent(results.accuracyOf(group).mean)}`;

/** Yes when it is clear everywhere, no when it is nowhere so. */
function overTasks(found: readonly Above[]): Verdict {
  if (found.every((above) => above === 'clearly')) return 'yes';
  return found.every((above) => above === 'not') ? 'no' : 'partly';
}

interface Judged {
  readonly measured: string;
  readonly verdict: Verdict;
}

/** How much slower `own` is than `other` on each task. */
function judgeTimes(all: readonly TaskResults[], own: string, other: string): Judged & { found: Above[] } {
  const ratios = all.map((task) => results.timeRatios(results.groupOf(task, own), results.groupOf(task, other)));
  const found = ratios.map(isSlower);
  const measured = all.map(({ task }, i) => `${task.label} ${changeOf(median(ratios[i]!))}`).join('; ');
  return { measured: `Time of a training step: ${measured}.`, verdict: overTasks(found), found };
}

/** Whether what `better` gets on each task is above what `worse` gets. */
function judgeAccuracies(all: readonly TaskResults[], better: string, worse: string): Judged {
  const found = all.map((task) => {
    const [high, low] = [better, worse].map((key) => results.groupOf(task, key)) as [Group, Group];
    return { task, high, low, above: isAbove(results.accuracyOf(high), results.accuracyOf(low)) };
  });
  const measured = found.map(
    ({ task: { task }, high, low }) =>
      `${task.label} ${percent(results.accuracyOf(high).mean)} and ${percent(results.accuracyOf(low).mean)}`,
  );
  const [first] = found;
  const labels = `${first!.high.configuration.label} and ${first!.low.configuration.label}`;
  return { measured: `${labels}: ${measured.join('; ')}.`, verdict: overTasks(found.map(({ above }) => above)) };
}

/** What dropout takes from the accuracy: of each run, beside the run of the same seed. */
function lostByDropout(task: TaskResults, plain: string, dropped: string): Estimate {
  const [without, with_] = [plain, dropped].map((key) => results.groupOf(task, key).runs.map(results.testAccuracy));
  return estimateOf(without!.map((value, i) => value - with_![i]!));
}

function judgeBrittleness(all: readonly TaskResults[]): Judged {
  const found = all.map((task) => {
    const selu = lostByDropout(task, 'selu', 'selu-dropout');
    const norm = lostByDropout(task, 'relu-bn', 'relu-bn-dropout');
    return { label: task.task.label, selu, norm, above: isAbove(selu, norm) };
  });
  const points = ({ mean }: Estimate): string => `${mean >= 0 ? '' : '−'}${Math.abs(100 * mean).toFixed(2)}`;
  const measured = found.map(({ label, selu, norm }) => `${label} ${points(selu)} and ${points(norm)}`).join('; ');
  return {
    measured: `Points of accuracy that Dropout takes from SELU and from ReLU + BN (negative: gives): ${measured}.`,
    verdict: overTasks(found.map(({ above }) => above)),
  };
}

/** Mean and variance after the last hidden layer, at initialisation. */
function judgeMoments(all: readonly TaskResults[]): Judged {
  const last = (task: TaskResults, key: string): { mean: number; variance: number } => {
    const { mean, variance } = results.groupOf(task, key).moments!;
    return { mean: mean.at(-1)!, variance: variance.at(-1)! };
  };
  const deep = all.filter(({ groups }) => groups[0]!.moments !== undefined);
  const show = ({ mean, variance }: { mean: number; variance: number }): string =>
    `${mean.toFixed(2).replace('-', '−')}, ${variance.toFixed(2)}`;
  // How far from where SELU without dropout is: the units of a real network are not independent.
  const off = (task: TaskResults, key: string): number =>
    Math.abs(Math.log(last(task, key).variance / last(task, 'selu').variance));
  const measured = deep.map(
    (task) =>
      `${task.task.label}: without dropout ${show(last(task, 'selu'))}; AlphaDropout ${show(last(task, 'selu-alpha'))}; Dropout ${show(last(task, 'selu-dropout'))}`,
  );
  const near = deep.filter((task) => off(task, 'selu-alpha') < off(task, 'selu-dropout')).length;
  return {
    measured: `Mean and variance after the last of eight hidden layers, untrained. ${measured.join('. ')}.`,
    verdict: near === deep.length ? 'yes' : near > 0 ? 'partly' : 'no',
  };
}

/** Whether SELU does as well as batch normalisation on a task: the question the document leaves open. */
function judgeTask(task: TaskResults): Judged {
  const [norm, selu] = ['relu-bn', 'selu'].map((key) => results.groupOf(task, key)) as [Group, Group];
  const [relu, alpha] = ['relu', 'selu-alpha'].map((key) => results.groupOf(task, key)) as [Group, Group];
  const behind = isAbove(results.accuracyOf(norm), results.accuracyOf(selu));
  return {
    measured: `Test accuracy: ${[norm, selu, alpha, relu].map(accuracy).join('; ')}.`,
    verdict: behind === 'clearly' ? 'no' : behind === 'barely' ? 'partly' : 'yes',
  };
}

/** Why a run cannot tell about accuracies; undefined when it can. */
function tooShort(all: readonly TaskResults[]): string | undefined {
  const [images, epochs] = ['trainingImages', 'epochs'].map((name) =>
    Math.min(...all.map((task) => results.settingOf(task, name))),
  ) as [number, number];
  const seeds = Math.min(...all.map((task) => task.groups[0]!.runs.length));
  const lacks = [
    ...(images < ENOUGH.images ? [`${images} training images`] : []),
    ...(epochs < ENOUGH.epochs ? [`${epochs} epochs`] : []),
    ...(seeds < 2 ? ['one seed, which does not show the spread'] : []),
  ];
  return lacks.length === 0 ? undefined : `From ${lacks.join(', ')}: a run of the usual size tells.`;
}

/** Judges everything by the runs there are. */
export function judgeClaims(all: readonly TaskResults[]): Claim[] {
  const short = tooShort(all);
  const spread = ({ measured, verdict }: Judged): Judged =>
    short === undefined ? { measured, verdict } : { measured: `${measured} ${short}`, verdict: 'open' };
  const cost = judgeTimes(all, 'relu-bn', 'relu');
  const saved = judgeTimes(all, 'relu-bn', 'selu');
  return [
    {
      claim: 'Batch Normalization “adds more layers and computations to your model”.',
      measured: `ReLU + BN beside ReLU. ${cost.measured}`,
      verdict: cost.verdict,
    },
    {
      claim: 'SELU is promising “by reducing the computation time relative to ReLU+BN”.',
      measured: `ReLU + BN beside SELU. ${saved.measured}`,
      verdict: saved.verdict,
    },
    ...all.map((task) => ({
      claim: `“I am still curious to see its performance vis-à-vis on these benchmarks against Batch Normalization.” ${task.task.label}: as accurate as ReLU + BN?`,
      ...spread(judgeTask(task)),
    })),
    {
      claim: 'Dropout does not play well with Batch Normalization.',
      ...spread(judgeAccuracies(all, 'relu-bn', 'relu-bn-dropout')),
    },
    { claim: 'SELU “seems even more brittle to dropout”.', ...spread(judgeBrittleness(all)) },
    {
      claim: '“As a cure, they propose Alpha Dropout.”',
      ...spread(judgeAccuracies(all, 'selu-alpha', 'selu-dropout')),
    },
    {
      claim: 'Alpha Dropout “randomizes network without degrading network properties”: mean and variance stay.',
      ...judgeMoments(all),
    },
  ];
}
