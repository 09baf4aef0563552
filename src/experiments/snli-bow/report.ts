// The words, tables and pictures of the snli-bow report, from its records.
import { basename } from 'node:path';
import type { Chart, Series } from '../../report/chart.js';
import type { Cell, Claim, Figure, RunRecord, Section, Table } from '../../report/report.js';
import { estimateOf } from '../estimate.js';
import { median } from '../median.js';
import { changeOf } from '../turns.js';
import { judgeClaims } from './claims.js';
import { WATCHED } from './network.js';
import type { PairFacts, PartFacts } from './pairs.js';
import * as results from './results.js';
import type { Group, Groups } from './results.js';
import { BATCH_SIZE, DROPOUT_RATE, L2, LEARNING_RATE, MAX_LEN, type Configuration } from './trials.js';

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;
const count = (number: number): string => number.toLocaleString('en');

/** Configurations that are drawn together. */
const CURVES = [
  { name: 'norm', title: 'With batch normalisation', keys: ['relu-bn', 'selu-bn'] },
  { name: 'plain', title: 'Without it', keys: ['relu', 'selu'] },
  { name: 'adam', title: 'Without it, Adam', keys: ['relu-adam', 'selu-adam'] },
  {
    name: 'selu',
    title: 'What SELU’s authors ask for',
    keys: ['selu', 'selu-alpha', 'selu-alpha-lecun', 'selu-lecun', 'selu-advised'],
  },
] as const;

interface Charted {
  readonly log: 'acc' | 'val_acc' | 'val_loss';
  readonly what: string;
}
const CHARTED: readonly Charted[] = [
  { log: 'val_acc', what: 'validation accuracy' },
  { log: 'val_loss', what: 'validation loss' },
];
const TRAINING: Charted = { log: 'acc', what: 'training accuracy' };

/** Losses above this are cut off: SELU without normalisation begins far above all the rest. */
const HIGHEST_LOSS = 2;

/** Up to where losses are drawn; every configuration gets below it. */
function topOf(groups: readonly Group[], log: string): number {
  const lowest = groups.map(({ runs }) => {
    const curves = runs.map(({ history }) => history[log]!);
    const worst = curves[0]!.map((_, epoch) => Math.max(...curves.map((curve) => curve[epoch]!)));
    return Math.min(...worst.filter(Number.isFinite));
  });
  return Math.max(HIGHEST_LOSS, ...lowest.filter(Number.isFinite).map((loss) => 1.1 * loss));
}

function seriesOf(group: Group, log: string): Series[] {
  const { label, color, dashed } = group.configuration;
  return group.runs.map(({ history }) => ({ label, color, dashed: dashed === true, y: history[log]! }));
}

function curvesOf(groups: readonly Group[], { log, what }: Charted): Chart {
  const series = groups.flatMap((group) => seriesOf(group, log));
  const values = series.flatMap(({ y }) => y).filter(Number.isFinite);
  const top = topOf(groups, log);
  const cut = log === 'val_loss' && Math.max(...values) > top;
  return {
    kind: 'lines',
    xTitle: 'epoch',
    yTitle: what,
    series,
    showBand: true,
    ...(log === 'val_loss' ? {} : { yFormat: '.0%' }),
    ...(cut ? { yDomain: [Math.min(...values), top] as const } : {}),
  };
}

function curveFigure(
  groups: Groups,
  { name, title, keys }: (typeof CURVES)[number],
  charted: Charted,
  note = '',
): Figure[] {
  const own = keys.flatMap((key) => groups.get(key) ?? []);
  if (own.length < 2) return [];
  const several = own[0]!.runs.length > 1 ? ' Mean of the seeds; the band reaches from the worst to the best.' : '';
  return [
    {
      name: `${name}-${charted.log}`,
      title: `${title}: ${charted.what}`,
      caption: `After each epoch${note}.${several}`,
      chart: curvesOf(own, charted),
    },
  ];
}

const curveFigures = (groups: Groups): Figure[] => [
  ...CURVES.flatMap((curves) => CHARTED.flatMap((charted) => curveFigure(groups, curves, charted))),
  ...curveFigure(groups, CURVES[0], TRAINING, ', with dropout'),
];

function accuracyFigure(groups: Groups): Figure {
  return {
    name: 'test-accuracy',
    title: 'Test accuracy',
    caption: 'With the weights of the epoch whose validation loss was lowest. A dot a seed, a bar for their mean.',
    chart: {
      kind: 'dots',
      xTitle: 'test accuracy',
      xFormat: '.0%',
      rows: [...groups.values()].map((group) => ({
        label: group.configuration.label,
        color: group.configuration.color,
        values: group.runs.map(results.testAccuracy),
      })),
    },
  };
}

function speedFigure(groups: Groups): Figure {
  const relu = groups.get('relu')!;
  return {
    name: 'speed',
    title: 'Time of a step',
    caption: 'Beside plain ReLU’s, which is 1. A dot a round in which all took turns, a bar for their mean.',
    chart: {
      kind: 'dots',
      xTitle: 'time beside plain ReLU',
      xFormat: '.2f',
      rows: [...groups.values()]
        .filter(({ secondsPerBatch }) => secondsPerBatch !== undefined)
        .map((group) => ({
          label: group.configuration.label,
          color: group.configuration.color,
          values: results.timeRatios(group, relu),
        })),
    },
  };
}

const MOMENT_COLUMNS: Readonly<Record<string, string>> = {
  joint: 'sums',
  dense1_end: 'dense 1',
  dense2_end: 'dense 2',
  dense3_end: 'dense 3',
};

/** Mean and variance at each watched layer, as one cell a layer. */
function momentTable(groups: Groups): Table {
  const looked = [...groups.values()].filter(({ moments }) => moments !== undefined);
  // Without the sign of what is rounded to 0.
  const signed = (value: number): string =>
    value
      .toFixed(2)
      .replace(/^-(?!0\.00)/, '−')
      .replace('-', '');
  return {
    caption: 'Mean and variance of all values, before the first step, as the next layer gets them while training.',
    columns: [{ title: 'Configuration' }, ...WATCHED.map((name) => ({ title: `Behind ${MOMENT_COLUMNS[name]!}` }))],
    rows: looked.map(({ configuration, moments }) => [
      configuration.label,
      ...WATCHED.map((_, i) => `${signed(moments!.mean[i]!)}, ${moments!.variance[i]!.toFixed(2)}`),
    ]),
  };
}

function resultsTable(groups: Groups): Table {
  return {
    caption: `Means over seeds, at the epoch whose validation loss is lowest. The last three: the median time of a training step, where configurations took turns, in milliseconds, times the steps of an epoch, in seconds, and beside plain ReLU’s.`,
    columns: [
      { title: 'Configuration' },
      { title: 'Seeds' },
      { title: 'Best epoch', digits: 1 },
      { title: 'Validation accuracy', digits: 4 },
      { title: 'Test accuracy', digits: 4 },
      { title: '± over seeds', digits: 4 },
      { title: 'ms a step', digits: 1 },
      { title: 's an epoch', digits: 2 },
      { title: 'beside ReLU', digits: 3 },
    ],
    rows: [...groups.values()].map((group): Cell[] => {
      const { mean, error } = results.estimate(group, results.testAccuracy);
      const timed = group.secondsPerBatch;
      return [
        group.configuration.label,
        group.runs.length,
        results.meanOf(group, results.bestEpoch),
        results.meanOf(group, results.bestValidation),
        mean,
        error,
        timed && 1000 * median(timed),
        results.secondsPerEpoch(group),
        timed && median(results.timeRatios(group, groups.get('relu')!)),
      ];
    }),
  };
}

/** Answers by class, of all runs of a configuration together. */
function confusionTable({ configuration, runs }: Group, { classNames }: PairFacts): Table {
  const classes = classNames.length;
  const counts = Array.from({ length: classes * classes }, (_, i) =>
    runs.reduce((sum, { lists }) => sum + lists!['confusion']![i]!, 0),
  );
  const at = (truth: number, answer: number): number => counts[truth * classes + answer]!;
  const share = (part: number, whole: number): string | undefined => (whole === 0 ? undefined : percent(part / whole));
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return {
    caption: `${configuration.label}: what the test pairs of a class were taken for${runs.length > 1 ? ', all seeds' : ''}. Recall is on the diagonal; precision: how many of a class’s answers are right.`,
    columns: [
      { title: 'Pairs of' },
      ...classNames.map((name) => ({ title: `as ${name}` })),
      { title: 'Precision' },
      { title: 'Pairs', digits: 0 },
    ],
    rows: classNames.map((name, truth): Cell[] => {
      const row = classNames.map((_, answer) => at(truth, answer));
      const answered = sum(classNames.map((_, from) => at(from, truth)));
      return [
        name,
        ...row.map((value) => share(value, sum(row))),
        share(at(truth, truth), answered),
        sum(row) / runs.length,
      ];
    }),
  };
}

function dataTable({ parts, classNames }: PairFacts): Table {
  return {
    caption: 'What was read.',
    columns: [
      { title: 'Part' },
      { title: 'Pairs' },
      ...classNames.map((title) => ({ title })),
      { title: 'No gold label' },
      { title: 'Unreadable' },
      { title: 'Words' },
      { title: 'Without a vector' },
      { title: `Sentences over ${MAX_LEN} words` },
    ],
    rows: parts.map(({ name, pairs, classes, unlabelled, skipped, words, withoutVector, truncated }: PartFacts) => [
      name,
      count(pairs),
      ...classes.map(count),
      count(unlabelled),
      count(skipped),
      count(words),
      percent(words === 0 ? 0 : withoutVector / words),
      count(truncated),
    ]),
  };
}

/** Which data it is, and how it differs from the document's. */
function describeData(facts: PairFacts): string[] {
  const { whole, published, parts, dimension, vectorFile, vocabulary, known } = facts;
  const pairs = parts[0]!.pairs;
  const steps = Math.ceil(pairs / BATCH_SIZE);
  const set = whole
    ? `The whole of SNLI: ${count(pairs)} training pairs with a gold label.`
    : `A part of SNLI: ${count(pairs)} of its ${count(published)} training pairs with a gold label (${percent(pairs / published)}); so an epoch is ${steps} steps where the document’s is ${count(Math.ceil(published / BATCH_SIZE))}, and accuracies are lower than its.`;
  const width = dimension === 300 ? '' : ' where the document has 300';
  return [
    set,
    `GloVe vectors of ${dimension} numbers${width}, from ${basename(vectorFile)}: ${count(known)} of the ${count(vocabulary)} words of the training pairs have one, the others are zeros, as is the padding. Words are lower case, and contractions cut as the Penn Treebank does; the document takes SNLI’s own parses, and keeps capitals.`,
  ];
}

/** What the averages of batch normalisation are after an epoch's few steps, where that shows. */
function describeAverages({ parts }: PairFacts): string[] {
  const steps = Math.ceil(parts[0]!.pairs / BATCH_SIZE);
  const left = 0.99 ** steps;
  if (left < 0.05) return [];
  return [
    `Keras’s batch normalisation keeps 0.99 of its running averages in a step. After an epoch of ${steps} steps ${percent(left)} of what they began with is left, which holds the first epochs on validation pairs down; convergence is better seen while training, where they are not used.`,
  ];
}

/** The numbers behind SELU's bad beginning. */
function describeMoments(groups: Groups): string {
  const variance = (key: string, layer: number): string => groups.get(key)!.moments!.variance[layer]!.toFixed(1);
  const loss = (key: string): string =>
    results.meanOf(groups.get(key)!, ({ history }) => history['loss']![0]!).toFixed(1);
  const last = WATCHED.length - 1;
  return `SELU’s constants keep mean 0 and variance 1 where inputs have them. A sum of words has not: before the first step the variance of the sums is ${variance('selu', 0)} with SELU, ${variance('selu-alpha-lecun', 0)} from LeCun’s initialisation, and ${variance('relu', 0)} with ReLU, which drops half of what words add. Above 0 SELU is a straight line, so three layers on it is still ${variance('selu', last)}, ${variance('selu-alpha-lecun', last)} and ${variance('relu', last)}; and the −1.76 that AlphaDropout puts in is made for variance 1. The mean loss of the first epoch is then ${loss('selu')}, ${loss('selu-alpha-lecun')} and ${loss('relu')}, where answering blindly has 1.1. Batch normalisation of the two sums alone gives SELU the inputs that its authors assume.`;
}

function sectionsOf(groups: Groups, facts: PairFacts): Section[] {
  const [relu, selu] = (['relu', 'selu'] as const).map((activation) => results.bestOf(groups, activation));
  const parameters = [...groups.values()].map(({ runs }) => Number(runs[0]!.settings['parameters']));
  return [
    {
      title: 'Accuracy',
      text: [
        `A word’s vector goes through a dense layer of 300 units; the ${MAX_LEN} results are added up, padding included. The two sums go through dropout and three dense layers of 600 units, each with an L2 penalty of ${L2} and dropout, to a softmax of three. BN: batch normalisation behind both sums and behind each of the three dropouts. The word vectors are not trained; ${count(Math.min(...parameters))} to ${count(Math.max(...parameters))} other numbers are.`,
        `Everything else is as in the document’s repository, with Keras’s defaults: dropout ${DROPOUT_RATE}, RMSprop (or Adam) with learning rate ${LEARNING_RATE}, batches of ${BATCH_SIZE}, Glorot’s uniform initialisation, or LeCun’s normal one where it says so. It stops nothing early, and judges by the weights of the epoch whose validation loss was lowest. AD: AlphaDropout in the place of dropout. “SELU, LeCun” has no dropout; “SELU as advised” has LeCun’s initialisation, AlphaDropout, and batch normalisation of the sums alone, so that what comes in has mean 0 and variance 1.`,
        ...describeAverages(facts),
      ],
      tables: [resultsTable(groups)],
      figures: [...curveFigures(groups), accuracyFigure(groups)],
    },
    {
      title: 'Why SELU without normalisation begins badly',
      text: [describeMoments(groups)],
      tables: [momentTable(groups)],
      figures: [],
    },
    {
      title: 'Time',
      text: [
        'A step is forward, backward and the optimizer on one batch of pairs. The document measured 49 and 65 seconds an epoch on a GPU of 2013 (g2.2xlarge), with Keras of 2017, in which SELU was composed of several ops.',
      ],
      tables: [],
      figures: [speedFigure(groups)],
    },
    {
      title: 'What is confused',
      text: [
        `The best of ReLU and of SELU. Answering one class always is right for ${percent(Math.max(...facts.parts[2]!.classes) / facts.parts[2]!.pairs)} of the test pairs.`,
      ],
      tables: [confusionTable(relu!, facts), confusionTable(selu!, facts)],
      figures: [],
    },
    { title: 'Data', text: describeData(facts), tables: [dataTable(facts)], figures: [] },
  ];
}

function findings(groups: Groups, facts: PairFacts): string[] {
  const accuracy = (key: string): string => {
    const group = groups.get(key)!;
    return `${group.configuration.label} ${percent(estimateOf(group.runs.map(results.testAccuracy)).mean)}`;
  };
  const ratio = (key: string, other: string): string =>
    changeOf(median(results.timeRatios(groups.get(key)!, groups.get(other)!)));
  const best = results.bestOf(groups, 'selu');
  const set = facts.whole
    ? 'all of SNLI'
    : `${count(facts.parts[0]!.pairs)} of SNLI’s ${count(facts.published)} training pairs`;
  const epochs = results.settingOf(groups, 'epochs');
  return [
    `Test accuracy after at most ${epochs} epochs on ${set}: ${['relu-bn', 'selu-bn', 'relu', 'selu'].map(accuracy).join(', ')}. SELU’s best is ${accuracy(best.configuration.key)}.`,
    `A training step with SELU instead of ReLU costs ${ratio('selu-bn', 'relu-bn')} with batch normalisation and ${ratio('selu', 'relu')} without it; the document measured +33%.`,
  ];
}

/** What the report of these records says. */
export function describeRuns(
  records: readonly RunRecord[],
  facts: PairFacts,
  configurations: readonly Configuration[],
): { findings: readonly string[]; sections: readonly Section[]; claims: readonly Claim[] } {
  const groups = results.resultsOf(records, configurations);
  return {
    findings: findings(groups, facts),
    sections: sectionsOf(groups, facts),
    claims: judgeClaims(groups, facts),
  };
}
