// The words, tables and pictures of the deep-cnn report, from its records.
import { classTable, confusionChart } from '../../report/classification.js';
import type { Figure, RunRecord, Section, Table } from '../../report/report.js';
import type { RunSettings } from '../experiment.js';
import { judgeClaims } from './claims.js';
import * as pictures from './pictures.js';
import * as results from './results.js';
import type { Cell, TaskResults } from './results.js';
import { METHODS, rateText, RELU, SELU, STANDARD, TENSOR, UNIT, extentOf, type Method } from './trials.js';

const count = (number: number): string => number.toLocaleString('en');
const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;
const plural = (number: number, what: string): string => `${count(number)} ${what}${number === 1 ? '' : 's'}`;

/** What is drawn through depth and time. */
const WATCHED_METHODS = [SELU, TENSOR, UNIT, STANDARD];

function gridTable(task: TaskResults): Table {
  return {
    caption: 'On the test images, means over seeds; ± is the standard error of top-1.',
    columns: [
      { title: 'Method' },
      { title: 'Learning rate' },
      { title: 'Runs that learn' },
      { title: 'Training loss', digits: 3 },
      { title: 'Test loss', digits: 3 },
      { title: 'Top-1' },
      { title: '± over seeds' },
      { title: 'Top-5' },
    ],
    rows: task.cells.map((cell) => {
      const { mean, error } = results.estimate(cell, results.top1);
      return [
        cell.method.label,
        rateText(cell.rate),
        `${results.countOf(cell, task, 'learns')} of ${cell.runs.length}`,
        results.meanOf(cell, results.trainingLoss),
        results.meanOf(cell, results.testLoss),
        percent(mean),
        error === undefined ? undefined : percent(error),
        percent(results.meanOf(cell, results.top5)),
      ];
    }),
  };
}

function attemptTable(task: TaskResults): Table {
  return {
    caption: `Plain SELU but for what is named; Adam has the learning rate ${rateText(task.rate)}.`,
    columns: [
      { title: 'Attempt' },
      { title: 'Runs that learn' },
      { title: 'Training loss', digits: 3 },
      { title: 'Top-1' },
      { title: 'Top-5' },
      { title: 'Outcome' },
    ],
    rows: task.tried.map((tried) => [
      tried.attempt.method.label,
      `${results.countOf(tried, task, 'learns')} of ${tried.runs.length}`,
      results.meanOf(tried, results.trainingLoss),
      percent(results.meanOf(tried, results.top1)),
      percent(results.meanOf(tried, results.top5)),
      pictures.outcomeLabel(results.usualOutcome(tried, task)),
    ]),
  };
}

/** The monitor's lines about a layer, without its name; of moments the first row of layers that drifted. */
function saidOf(run: RunRecord, layer: string): string {
  const lines = String(run.settings['diagnosis']).split('\n');
  const own = lines.filter((line) => line.startsWith(`${layer}: `) || line.startsWith(`${layer}_activation: `));
  const said = own.map((line) => line.slice(line.indexOf(': ') + 2).replace(/; look at the inputs.*$/, ''));
  return said.length === 0 ? 'nothing wrong' : said.join('. ');
}

/** Two digits, however small: `92%`, `0.0046%`. */
const shareText = (share: number): string =>
  share < 1e-8
    ? 'less than 0.000001%'
    : `${Number((100 * share).toPrecision(2)).toLocaleString('en', { maximumFractionDigits: 8 })}%`;

function diagnosisTable(task: TaskResults): Table {
  const last = task.layers.at(-1)!;
  return {
    caption: `At the end of the first seed’s run with learning rate ${rateText(task.rate)}: what selfNormalizing.monitor says of the last hidden layer, and how much of the variance there comes from the image.`,
    columns: [{ title: 'Method' }, { title: 'From the image' }, { title: `The monitor on ${last}` }],
    rows: METHODS.map((method) => {
      const [run] = results.cellOf(task, method).runs;
      return [method.label, shareText(results.atEnd(run!, 'image', task.layers).at(-1)!), saidOf(run!, last)];
    }),
  };
}

function networkText(task: TaskResults, run: RunSettings): string {
  const { shape, batchSize } = extentOf(run, task.task);
  const { settings } = task.cells[0]!.runs[0]!;
  const filters = Array.from({ length: shape.blocks }, (_, b) => shape.filters * Math.min(2 ** b, 4)).join(', ');
  return (
    `The document’s network: ${shape.blocks * shape.convolutions} convolutions of 3×3 in ${shape.blocks} blocks (${filters} filters; 2×2 max pooling behind each), ` +
    `${shape.dense} dense layers of ${shape.units} units and an output of ${task.classes}: ${count(Number(settings['parameters']))} weights. ` +
    `SELU starts from LeCun’s initialisation, ReLU from He’s; biases from 0. Batches of ${batchSize}, ${plural(Number(settings['steps']), 'step')}.`
  );
}

function dataText(task: TaskResults): string {
  const { settings } = task.cells[0]!.runs[0]!;
  const [mean, deviation] = ['imageMean', 'imageDeviation'].map((name) => Number(settings[name]).toFixed(2));
  return (
    `${task.task.description} ${count(Number(settings['trainingImages']))} to train, ${count(Number(settings['testImages']))} to test. ` +
    `Inputs lie in [0, 1], as the document’s lightness does, with mean ${mean} and standard deviation ${deviation}.`
  );
}

function gridSection(task: TaskResults, run: RunSettings): Section {
  const curves = (rate: number, what: string): Figure => ({
    name: `${task.task.key}-loss-${rateText(rate)}`,
    title: `Training loss at learning rate ${rateText(rate)}`,
    caption: `Means over seeds, shaded from the lowest to the highest run. ${what}`,
    chart: pictures.lossCurves(task, rate),
  });
  const lowest = Math.min(...task.rates);
  return {
    title: `${task.task.label}: who learns`,
    text: [networkText(task, run), dataText(task)],
    tables: [gridTable(task)],
    figures: [
      {
        name: `${task.task.key}-grid`,
        title: 'Learning rate by method',
        caption:
          'How many runs learn, and the training loss at the end. Collapsed: at chance, and the last hidden layer hands on nearly the same for every image.',
        chart: pictures.outcomeGrid(task),
      },
      curves(task.rate, 'A collapsed network stays at or above the loss of guessing.'),
      ...(lowest === task.rate ? [] : [curves(lowest, 'Small steps leave the image in.')]),
      {
        name: `${task.task.key}-top1`,
        title: `Top-1 at learning rate ${rateText(task.rate)}`,
        caption: 'Share of the test images whose class is the first answer. A dot a seed, a bar for their mean.',
        chart: pictures.accuracyDots(task, results.top1, 'top-1 accuracy'),
      },
      {
        name: `${task.task.key}-top5`,
        title: `Top-5 at learning rate ${rateText(task.rate)}`,
        caption: 'Share of the test images whose class is among the first five answers.',
        chart: pictures.accuracyDots(task, results.top5, 'top-5 accuracy'),
      },
    ],
  };
}

function whySection(task: TaskResults): Section {
  const { key } = task.task;
  const heat = (what: 'mean' | 'variance' | 'image', title: string, caption: string): Figure => ({
    name: `${key}-${what}`,
    title,
    caption,
    chart: pictures.layerHeat(task, what, WATCHED_METHODS),
  });
  return {
    title: `${task.task.label}: why`,
    text: [
      'A unit multiplies what all images have in common, here their grey, by the sum of its weights, ω. SELU’s fixed point is derived for ω = 0. With weights as they are drawn ω is about 1 in size, so the common part is handed on from layer to layer, as large as the image’s own part is small; large steps let it grow until units only ever see one straight piece of SELU, or its floor, and every image gets the same answer.',
      'Taking the mean off the whole weight tensor makes the units’ sums 0 on average and leaves each as large as it was. Taking off each unit’s own mean makes every sum 0: the grey is gone after the first layer. Standardised inputs have no common grey to begin with.',
    ],
    tables: [diagnosisTable(task)],
    figures: [
      {
        name: `${key}-image-share`,
        title: 'How much of the signal is the image',
        caption: `Of the variance after each layer, the share that lies between images; at the end, learning rate ${rateText(task.rate)}.`,
        chart: pictures.imageShares(task),
      },
      {
        name: `${key}-omega`,
        title: 'ω: the sums of units’ weights',
        caption: 'Root mean square over a layer’s units, mean over layers: what multiplies the common part.',
        chart: pictures.weightSums(task, 'omega', 'size of ω'),
      },
      {
        name: `${key}-omega-mean`,
        title: 'The mean of the weights',
        caption: 'The units’ sums averaged with their signs, as size: what the document’s centring makes 0.',
        chart: pictures.weightSums(task, 'omegaMean', 'size of the mean of ω'),
      },
      heat(
        'image',
        'The image through depth and time',
        'Share of the variance that lies between images. Pale: the layer hands on the same for every image.',
      ),
      heat(
        'mean',
        'Means through depth and time',
        'Of everything a layer hands on; SELU’s fixed point is 0 (white). First seed.',
      ),
      heat(
        'variance',
        'Variances through depth and time',
        'SELU’s fixed point is 1 (white), for every unit over its inputs. First seed.',
      ),
    ],
  };
}

function attemptSection(task: TaskResults): Section {
  return {
    title: 'What else the document tried',
    text: [
      'Each differs from plain SELU with Adam in one thing. Mixed float16 keeps float32 weights, computes in float16 and scales the loss, as Keras does.',
    ],
    tables: [attemptTable(task)],
    figures: [
      {
        name: `${task.task.key}-attempts`,
        title: 'Training loss at the end',
        caption: `Chance is ln ${task.classes} = ${results.chanceLoss(task).toFixed(2)}. Green: a run learns.`,
        chart: pictures.attemptDots(task),
      },
    ],
  };
}

function answerSection(task: TaskResults): Section {
  const [ill, well] = [SELU, UNIT].map((method: Method) => results.cellOf(task, method).runs[0]!) as [
    RunRecord,
    RunRecord,
  ];
  const countsOf = ({ lists }: RunRecord): readonly number[] => lists!['confusion']!;
  return {
    title: `${task.task.label}: what is answered`,
    text: [
      'A collapsed network gives one answer, or a few, whatever it sees; its accuracy is the share of that class.',
    ],
    tables: [classTable(countsOf(well), task.classNames, UNIT.label)],
    figures: [
      {
        name: `${task.task.key}-confusion`,
        title: 'Answers by class',
        caption: `Test images, first seed, learning rate ${rateText(task.rate)}. A row is a class; right answers lie on the diagonal.`,
        chart: confusionChart(
          [
            { title: SELU.label, counts: countsOf(ill) },
            { title: UNIT.label, counts: countsOf(well) },
          ],
          task.classes,
        ),
      },
    ],
  };
}

/** `0 of 3`. */
const learning = (cell: Cell, task: TaskResults): string =>
  `${results.countOf(cell, task, 'learns')} of ${cell.runs.length}`;

/** Who learns at the learning rate that is looked at closely. */
function finding(task: TaskResults): string {
  const at = (method: Method): Cell => results.cellOf(task, method);
  const loss = results.meanOf(at(SELU), results.trainingLoss).toFixed(2);
  return (
    `${task.task.label}, learning rate ${rateText(task.rate)}: SELU learns in ${learning(at(SELU), task)} runs (training loss ${loss}, chance ` +
    `${results.chanceLoss(task).toFixed(2)}); with the document’s centring in ${learning(at(TENSOR), task)}; with the mean taken off each ` +
    `unit’s weights in ${learning(at(UNIT), task)}; on standardised inputs in ${learning(at(STANDARD), task)}.`
  );
}

function findings(task: TaskResults): string[] {
  const learnt = task.rates.filter((one) => results.countOf(results.cellOf(task, SELU, one), task, 'learns') > 0);
  const share = (method: Method): string =>
    shareText(results.meanOf(results.cellOf(task, method), (run) => results.atEnd(run, 'image', task.layers).at(-1)!));
  const relu = results.bestCell(task, RELU);
  return [
    finding(task),
    `Why: after the last hidden layer ${share(SELU)} of the variance comes from the image, with units centred ${share(UNIT)}. The grey that all images share is handed on by weights that do not add up to 0.`,
    learnt.length === 0
      ? `Plain SELU learns at none of the learning rates ${task.rates.map(rateText).join(', ')}.`
      : `Plain SELU does learn at learning rate ${learnt.map(rateText).join(', ')}: the collapse is one of large steps. ReLU’s best is ${learning(relu, task)} runs at ${rateText(relu.rate)}, training loss ${results.meanOf(relu, results.trainingLoss).toFixed(2)}.`,
  ];
}

/** What the report of these records says. */
export function describeRuns(
  records: readonly RunRecord[],
  settings: RunSettings,
): {
  findings: readonly string[];
  sections: readonly Section[];
  claims: ReturnType<typeof judgeClaims>;
} {
  const [first, ...others] = results.resultsOf(records, settings) as [TaskResults, ...TaskResults[]];
  return {
    findings: [...findings(first), ...others.map(finding)],
    sections: [first, ...others].flatMap((task) => [
      gridSection(task, settings),
      whySection(task),
      ...(task.tried.length === 0 ? [] : [attemptSection(task)]),
      answerSection(task),
    ]),
    claims: judgeClaims([first, ...others]),
  };
}
