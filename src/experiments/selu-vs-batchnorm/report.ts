// The words, tables and pictures of the selu-vs-batchnorm report, from its records.
import type { Chart, LineChart, Series } from '../../report/chart.js';
import type { Figure, RunRecord, Section, Table } from '../../report/report.js';
import { estimateOf } from '../estimate.js';
import { classTable, confusionChart, sumOfCounts } from '../../report/classification.js';
import { median } from '../median.js';
import { judgeClaims } from './claims.js';
import * as results from './results.js';
import type { Group, TaskResults } from './results.js';
import { DROPOUT_RATE } from './trials.js';

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;
const count = (number: number): string => number.toLocaleString('en');

/** Seconds that the batches of an epoch take. */
function secondsPerEpoch({ runs, secondsPerBatch }: Group): number {
  const { trainingImages, batchSize } = runs[0]!.settings;
  return Math.ceil(Number(trainingImages) / Number(batchSize)) * median(secondsPerBatch);
}

/** Validation accuracy after each epoch, over the time it took to get there: what is cheap comes further to the left. */
function accuracyCurves({ groups }: TaskResults): Chart {
  const series = groups.flatMap((group) =>
    group.runs.map(({ history }): Series => {
      const { label, color, dashed } = group.configuration;
      const y = history['val_acc']!;
      const seconds = secondsPerEpoch(group);
      return { label, color, dashed: dashed === true, x: y.map((_, i) => (i + 1) * seconds), y };
    }),
  );
  const last = Math.max(...series.flatMap(({ x }) => x!));
  return {
    kind: 'lines',
    xTitle: 'seconds of training',
    yTitle: 'validation accuracy',
    series,
    xDomain: [0, last],
    yFormat: '.0%',
  };
}

const dots = (
  { groups }: TaskResults,
  xTitle: string,
  values: (group: Group) => readonly number[],
  xFormat: string,
): Chart => ({
  kind: 'dots',
  xTitle,
  xFormat,
  rows: groups.map((group) => ({
    label: group.configuration.label,
    color: group.configuration.color,
    values: values(group),
  })),
});

function accuracyFigures(task: TaskResults): Figure[] {
  const { key, label } = task.task;
  const seeds = task.groups[0]!.runs.length;
  return [
    {
      name: `${key}-curves`,
      title: `${label}: while training`,
      caption: `After each epoch${seeds === 1 ? '' : `, means of ${seeds} seeds`}: high and far to the left is good.`,
      chart: accuracyCurves(task),
    },
    {
      name: `${key}-accuracy`,
      title: `${label}: test accuracy`,
      caption: 'A dot a seed, a bar for their mean.',
      chart: dots(task, 'test accuracy', ({ runs }) => runs.map(results.testAccuracy), '.1%'),
    },
  ];
}

const speedFigure = (task: TaskResults): Figure => ({
  name: `${task.task.key}-speed`,
  title: `${task.task.label}: time of a step`,
  caption: 'Beside plain ReLU’s, which is 1. A dot a round in which all took turns, a bar for their mean.',
  chart: dots(
    task,
    'time beside plain ReLU',
    (group) => results.timeRatios(group, results.groupOf(task, 'relu')),
    '.1f',
  ),
});

function momentCurves({ groups }: TaskResults, what: 'mean' | 'variance'): LineChart {
  const series = groups.map(({ configuration: { label, color, dashed }, moments }): Series => ({
    label,
    color,
    dashed: dashed === true,
    y: moments![what],
  }));
  return {
    kind: 'lines',
    xTitle: 'hidden layer',
    yTitle: what,
    series,
    ...(what === 'variance' ? { level: { y: 1, label: '' } } : {}),
  };
}

const momentFigures = (task: TaskResults): Figure[] =>
  (['mean', 'variance'] as const).map((what) => ({
    name: `${task.task.key}-${what}`,
    title: `${task.task.label}: ${what} by layer`,
    caption:
      what === 'mean'
        ? 'Of everything a layer hands on, before the first step. SELU’s constants aim at 0.'
        : 'The same networks. SELU’s constants aim at 1.',
    chart: momentCurves(task, what),
  }));

function resultsTable(all: readonly TaskResults[]): Table {
  return {
    caption:
      'Means over seeds. Seconds of an epoch: the median time of a step, measured with the configurations taking turns.',
    columns: [
      { title: 'Network' },
      { title: 'Configuration' },
      { title: 'Seeds' },
      { title: 'Test accuracy', digits: 4 },
      { title: '± over seeds', digits: 4 },
      { title: 'Test loss', digits: 4 },
      { title: 'Seconds an epoch', digits: 2 },
      { title: 'Time beside ReLU', digits: 2 },
      { title: 'Weights' },
    ],
    rows: all.flatMap((task) =>
      task.groups.map((group) => {
        const { mean, error } = results.accuracyOf(group);
        const { parameters } = group.runs[0]!.settings;
        return [
          task.task.label,
          group.configuration.label,
          group.runs.length,
          mean,
          error,
          estimateOf(group.runs.map(results.testLoss)).mean,
          secondsPerEpoch(group),
          median(results.timeRatios(group, results.groupOf(task, 'relu'))),
          count(Number(parameters)),
        ];
      }),
    ),
  };
}

/** What SELU and batch normalisation take for what, at the end of all seeds' runs. */
function answerSection(all: readonly TaskResults[]): Section {
  const answersOf = (task: TaskResults, key: string): { title: string; counts: number[] } => {
    const { configuration, runs } = results.groupOf(task, key);
    return { title: configuration.label, counts: sumOfCounts(runs.map(({ lists }) => lists!['confusion']!)) };
  };
  const namesOf = (task: TaskResults): string[] => String(task.groups[0]!.runs[0]!.settings['classNames']).split(',');
  const last = all.at(-1)!;
  const { title, counts } = answersOf(last, 'selu');
  return {
    title: 'What is confused',
    text: [
      'Answers on the test images at the end, of all seeds together. A row is a class; right answers lie on the diagonal.',
    ],
    tables: [classTable(counts, namesOf(last), `${last.task.label}, ${title}`)],
    figures: all.map((task) => ({
      name: `${task.task.key}-confusion`,
      title: `${task.task.label}: answers by class`,
      caption: `Classes from 0: ${namesOf(task).join(', ')}.`,
      chart: confusionChart(
        ['relu-bn', 'selu'].map((key) => answersOf(task, key)),
        namesOf(task).length,
      ),
    })),
  };
}

function sectionsOf(all: readonly TaskResults[]): Section[] {
  const images = (task: TaskResults): string => {
    const [train, validate, test] = ['trainingImages', 'validationImages', 'testImages'].map((name) =>
      count(results.settingOf(task, name)),
    );
    const part = task.groups[0]!.runs[0]!.settings['part'];
    const note = part === undefined ? '' : ` (a part of the set: ${String(part)})`;
    return `${task.task.label.split(',')[0]!}: ${train!} images to train, ${validate!} to validate, ${test!} to test${note}.`;
  };
  const sets = new Map(all.map((task) => [task.task.set, images(task)]));
  return [
    {
      title: 'Accuracy',
      text: [
        'Dense: eight hidden layers of 256 units. Convolutional: two 3×3 convolutions of 16 filters, pooling, two of 32, pooling, a dense layer of 128. ReLU starts from He’s initialisation, SELU from LeCun’s. Adam, learning rate 0.001, batches of 128, the same for all, which tunes it for none.',
        `BN, batch normalisation, stands between a layer and its activation; its running averages keep 0.9 in a step. Dropouts, of rate ${DROPOUT_RATE}, follow each hidden dense layer and each second convolution. Colours are at mean 0 and variance 1 over the training images, as SELU asks.`,
        [...sets.values()].join(' '),
      ],
      tables: [resultsTable(all)],
      figures: all.flatMap(accuracyFigures),
    },
    {
      title: 'Time',
      text: [
        'A step is forward, backward and Adam on one batch. BatchNorm and the ReLU behind it are one op here, and its statistics and gradients are added up in a fixed order, so that they repeat bit for bit.',
      ],
      tables: [],
      figures: all.map(speedFigure),
    },
    {
      title: 'What reaches the deep layers',
      text: [
        'The dense networks before any training: mean and variance of what each hidden layer hands to the next. Where they run away or fade, gradients do so too.',
      ],
      tables: [],
      figures: all.filter(({ groups }) => groups[0]!.moments !== undefined).flatMap(momentFigures),
    },
    answerSection(all),
  ];
}

/** In which of the tasks SELU is ahead of batch normalisation, in words. */
function findings(all: readonly TaskResults[]): string[] {
  const compared = all.map((task) => {
    const [norm, selu] = ['relu-bn', 'selu'].map((key) => results.groupOf(task, key)) as [Group, Group];
    const [a, b] = [selu, norm].map((group) => results.accuracyOf(group).mean) as [number, number];
    const time = median(results.timeRatios(norm, selu));
    return { label: task.task.label, selu: a, norm: b, time };
  });
  const ahead = compared.filter(({ selu, norm }) => selu > norm);
  const times = compared.map(({ time }) => time);
  const list = compared.map(({ label, selu, norm }) => `${label} ${percent(selu)} and ${percent(norm)}`).join('; ');
  const epochs = results.settingOf(all[0]!, 'epochs');
  const ordered = [...times].sort((a, b) => a - b).map((time) => time.toFixed(2));
  return [
    `SELU against ReLU with BatchNorm after ${epochs} epochs, test accuracy: ${list}. SELU is ahead in ${ahead.length} of ${compared.length}.`,
    `A training step with BatchNorm takes ${ordered[0]!} to ${ordered.at(-1)!} times as long as SELU’s.`,
  ];
}

/** What the report of these records says. */
export function describeRuns(records: readonly RunRecord[]): {
  findings: readonly string[];
  sections: readonly Section[];
  claims: ReturnType<typeof judgeClaims>;
} {
  const all = results.resultsOf(records);
  return { findings: findings(all), sections: sectionsOf(all), claims: judgeClaims(all) };
}
