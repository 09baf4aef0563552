// The words, tables and pictures of the mnist-elu report, from its recorded runs.
import { COLORS, type Chart, type LineChart, type Series } from '../../report/chart.js';
import type { Claim, Figure, RunRecord, Section, Table, Verdict } from '../../report/report.js';
import { classTable, confusionChart, sumOfCounts } from '../../report/classification.js';
import { median } from '../median.js';
import { judgeClaims } from './claims.js';
import { CLASSES } from './network.js';
import * as results from './results.js';
import type { Group } from './results.js';

const percent = (share: number): string => `${(100 * share).toFixed(2)}%`;
const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
const accuracyOf = (group: Group): number => results.estimate(group, results.testAccuracy).mean;
const lossOf = (group: Group): number => results.estimate(group, results.testLoss).mean;

/** Runs this long have early epochs that would squeeze the later ones into a stripe: the frame leaves them out. */
const LONG_ENOUGH_TO_CUT = 10;
/** The document shows its own plots whole; over 250 epochs ours would be a stripe. */
const LONG_ENOUGH_TO_CUT_PLOTS = 100;
const EPOCHS_CUT = 2;

function cutEarlyEpochs(chart: LineChart): LineChart {
  const late = chart.series.flatMap(({ y }) => y.slice(EPOCHS_CUT)).filter(Number.isFinite);
  return { ...chart, yDomain: [Math.min(...late), Math.max(...late)] };
}

/** A validation log of several configurations as one line chart. */
function comparison(groups: readonly Group[], log: 'val_acc' | 'val_loss', yTitle: string): Chart {
  const series = groups.flatMap(({ configuration: { label, color, dashed }, runs }) =>
    runs.map(({ history }): Series => ({ label, color, dashed: dashed === true, y: history[log]! })),
  );
  const chart: LineChart = { kind: 'lines', xTitle: 'epoch', yTitle, series };
  return Math.min(...series.map(({ y }) => y.length)) < LONG_ENOUGH_TO_CUT ? chart : cutEarlyEpochs(chart);
}

/** Validation accuracy and loss of several configurations, side by side. */
function comparisons(groups: readonly Group[], name: string, what: string): Figure[] {
  const runs = groups[0]!.runs.length;
  const seeds = runs === 1 ? 'One seed' : `Means of ${runs} seeds`;
  return [
    {
      name: `${name}-accuracy`,
      title: `Validation accuracy: ${what}`,
      caption: `Share of the validation images classified correctly after each epoch. ${seeds}.`,
      chart: comparison(groups, 'val_acc', 'validation accuracy'),
    },
    {
      name: `${name}-loss`,
      title: `Validation loss: ${what}`,
      caption: 'The same runs. Where a line turns up again, the network overfits.',
      chart: comparison(groups, 'val_loss', 'validation loss'),
    },
  ];
}

/** The plot of the document's listing: training and validation of one configuration. */
function documentPlot(group: Group, log: string, yTitle: string): Chart {
  const series = group.runs.flatMap(({ history }): Series[] => [
    { label: 'training', color: COLORS.grey, y: history[log]! },
    { label: 'validation', color: group.configuration.color, y: history[`val_${log}`]! },
  ]);
  const chart: LineChart = { kind: 'lines', xTitle: 'epoch', yTitle, series, showRuns: true };
  return results.epochsOf(group) < LONG_ENOUGH_TO_CUT_PLOTS ? chart : cutEarlyEpochs(chart);
}

function documentPlots(group: Group): Figure[] {
  const { key, label } = group.configuration;
  const acc = `test accuracy ${accuracyOf(group).toFixed(4)}`;
  const loss = `test loss ${lossOf(group).toFixed(4)}`;
  return [
    {
      name: `${key}-accuracy`,
      title: `${label}: accuracy`,
      caption: acc,
      chart: documentPlot(group, 'acc', 'accuracy'),
    },
    { name: `${key}-loss`, title: `${label}: loss`, caption: loss, chart: documentPlot(group, 'loss', 'loss') },
  ];
}

function dots(groups: readonly Group[], value: (run: RunRecord) => number, key: 'acc' | 'loss', xTitle: string): Chart {
  return {
    kind: 'dots',
    xTitle,
    referenceLabel: 'the document',
    rows: groups.map(({ configuration, runs }) => {
      const reference = configuration.document?.[key];
      return {
        label: configuration.label,
        color: configuration.color,
        values: runs.map(value),
        // A run far shorter than the document's is not to be held against its numbers.
        ...(reference === undefined || !isWholeLength({ configuration, runs }) ? {} : { reference }),
      };
    }),
  };
}

const WHOLE: Readonly<Record<'short' | 'long', number>> = { short: 25, long: 250 };
const isWholeLength = (group: Group): boolean => results.epochsOf(group) >= WHOLE[group.configuration.length];

function resultsTable(groups: readonly Group[]): Table {
  return {
    caption:
      'On the test images, means over seeds. The last columns are what the document got after 25 epochs, and with dropout 0.5 after 250.',
    columns: [
      { title: 'Configuration' },
      { title: 'Seeds' },
      { title: 'Epochs', digits: 0 },
      { title: 'Accuracy', digits: 4 },
      { title: 'Loss', digits: 4 },
      { title: 'Lowest validation loss at epoch', digits: 0 },
      { title: 'Test loss with those weights', digits: 4 },
      { title: 'Seconds an epoch', digits: 1 },
      { title: 'Document: accuracy', digits: 4 },
      { title: 'Document: loss', digits: 4 },
    ],
    rows: groups.map((group) => {
      const mean = (value: (run: RunRecord) => number): number => results.estimate(group, value).mean;
      const { label, document } = group.configuration;
      return [
        label,
        group.runs.length,
        mean(({ history }) => history['loss']!.length),
        accuracyOf(group),
        lossOf(group),
        mean((run) => run.results['best_epoch']!),
        mean((run) => run.results['best_test_loss']!),
        mean(({ secondsPerEpoch }) => median(secondsPerEpoch)),
        document?.acc,
        document?.loss,
      ];
    }),
  };
}

const DIGITS = Array.from({ length: CLASSES }, (_, digit) => String(digit));

/** Which digits are taken for which, at the end of all seeds' runs; nothing where no answers were kept. */
function answerSections(groups: readonly Group[]): Section[] {
  const kept = groups.filter(({ runs }) => runs.every(({ lists }) => lists?.['confusion'] !== undefined));
  if (kept.length === 0) return [];
  const countsOf = ({ runs }: Group): number[] => sumOfCounts(runs.map(({ lists }) => lists!['confusion']!));
  const best = kept.reduce((first, group) => (accuracyOf(group) > accuracyOf(first) ? group : first));
  return [
    {
      title: 'What is confused',
      text: ['Answers on the test images at the end, of all seeds together.'],
      tables: [classTable(countsOf(best), DIGITS, best.configuration.label)],
      figures: [
        {
          name: 'confusion',
          title: 'Answers by digit',
          caption: 'A row is a digit; right answers lie on the diagonal.',
          chart: {
            ...confusionChart(
              kept.map((group) => ({ title: group.configuration.label, counts: countsOf(group) })),
              CLASSES,
            ),
            columns: 2,
          },
        },
      ],
    },
  ];
}

/** Sections of the short runs and, if there are any, of the long ones. */
export function sectionsOf(groups: readonly Group[]): Section[] {
  const short = groups.filter(({ configuration }) => configuration.length === 'short');
  const long = groups.filter(({ configuration }) => configuration.length === 'long');
  // The stopped run's curve is the beginning of another's.
  const whole = short.filter(({ configuration }) => configuration.patience === undefined);
  const four = whole.filter(({ configuration }) => configuration.document !== undefined);
  const he = whole.filter(({ configuration }) => configuration.initializer === 'heNormal');
  return [
    {
      title: 'All configurations together',
      text: [
        'The document’s network: two 3×3 convolutions of 32 and 64 filters, each with 2×2 max pooling and dropout, a dense layer of 256 units and a softmax of 10; Adam, batches of 250; the last fifth of the 60,000 training images is for validation.',
      ],
      tables: [resultsTable(groups)],
      figures: [
        ...comparisons(four, 'initialisation', 'ReLU and ELU'),
        ...(he.length > 2 ? comparisons(he, 'activation', 'all activations, He') : []),
        {
          name: 'test-accuracy',
          title: 'Test accuracy at the end',
          caption: 'A dot a seed, a bar for their mean.',
          chart: dots(short, results.testAccuracy, 'acc', 'test accuracy'),
        },
        {
          name: 'test-loss',
          title: 'Test loss at the end',
          caption: 'Accuracy hides what loss shows: how sure the network is of its errors.',
          chart: dots(short, results.testLoss, 'loss', 'test loss'),
        },
      ],
    },
    {
      title: 'The document’s two plots, for each configuration',
      text: [
        'Accuracy and loss on the training and on the validation images. Training values are means over the epoch with dropout on, so in the beginning they lie below what the network can do.',
      ],
      tables: [],
      figures: short.flatMap(documentPlots),
    },
    ...(long.length === 0
      ? []
      : [
          {
            title: 'The long runs: He initialisation, dropout 0.5',
            text: ['Here the document saw ELU overfit, and advised EarlyStopping with ModelCheckpoint.'],
            tables: [],
            figures: long.flatMap(documentPlots),
          },
        ]),
    ...answerSections(four),
  ];
}

const SAID: Readonly<Record<Verdict, string>> = {
  yes: 'reproduced',
  partly: 'in part',
  no: 'not reproduced',
  open: 'open',
};

function countVerdicts(claims: readonly Claim[]): string {
  const parts = (Object.keys(SAID) as Verdict[]).flatMap((verdict) => {
    const count = claims.filter((claim) => claim.verdict === verdict).length;
    return count === 0 ? [] : [`${count} ${SAID[verdict]}`];
  });
  const why = claims.some(({ verdict }) => verdict === 'open')
    ? ', as they are about longer or other training runs'
    : '';
  return `Of the document’s ${claims.length} claims: ${parts.join(', ')}${why}.`;
}

function findings(groups: readonly Group[], claims: readonly Claim[]): string[] {
  const byKey = new Map(groups.map((group) => [group.configuration.key, group]));
  const four = ['relu-glorot', 'elu-glorot', 'relu-he', 'elu-he'].map((key) => byKey.get(key)!);
  const accuracies = four.map(accuracyOf);
  const [, , relu, elu] = accuracies as [number, number, number, number];
  const spread = Math.max(...accuracies) - Math.min(...accuracies);
  const best = four[accuracies.indexOf(Math.max(...accuracies))]!.configuration.label;
  const small = byKey.get('elu-0.1-he');
  return [
    `After ${plural(results.epochsOf(four[0]!), 'epoch')} with He initialisation ReLU classifies ${percent(relu)} of the test images correctly and ELU ${percent(elu)}; with Glorot’s the four lie within ${(100 * spread).toFixed(2)} points, and “${best}” is ahead.`,
    countVerdicts(claims),
    small === undefined
      ? 'The document’s listing sets ELU’s α to 0.1, its text and results say 1.0, which is used here; a run of the usual size tries both.'
      : `The document’s listing sets ELU’s α to 0.1, its text and results say 1.0: test accuracy ${percent(accuracyOf(small))} with 0.1, ${percent(elu)} with 1.0.`,
  ];
}

/** What the report of these runs says. */
export function describeRuns(runs: readonly RunRecord[]): {
  findings: readonly string[];
  sections: readonly Section[];
  claims: readonly Claim[];
} {
  const groups = results.groupRuns(runs);
  const claims = judgeClaims(groups);
  return { findings: findings(groups, claims), sections: sectionsOf(groups), claims };
}
