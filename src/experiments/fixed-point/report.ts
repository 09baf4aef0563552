// The words, tables and pictures of the fixed-point report.
import type { LineChart } from '../../report/chart.js';
import type { Claim, Figure, Section, Table, Verdict } from '../../report/report.js';
import { estimateOf } from '../estimate.js';
import { judgeClaims } from './claims.js';
import { crossingChart, mapChart, meanChart, paceChart, shapeChart, varianceChart } from './pictures.js';
import { endOf, isKept, type BeforeTraining, type Group, type Kept } from './results.js';
import { ASKED, DEPTH, TRAINED_DEPTH, USUAL } from './trials.js';

const two = (value: number): string => value.toFixed(2).replace('-', '−');
const percent = (share: number): string => `${(100 * share).toFixed(2)}%`;
const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

function constantsTable(kept: readonly Kept[]): Table {
  return {
    caption: `The constants for each pair, what a layer leaves of a small deviation, and the moments that are left of the chosen ones after ${DEPTH} layers (means over seeds): with weights that add up to 0 in each unit where the mean is not 0, and with weights as they are drawn.`,
    columns: [
      { title: 'Mean', digits: 2 },
      { title: 'Variance', digits: 2 },
      { title: 'α', digits: 5 },
      { title: 'λ', digits: 5 },
      { title: 'Left of a deviation after a layer', digits: 4 },
      { title: 'Norm of the Jacobian', digits: 4 },
      { title: `Mean after ${DEPTH} layers`, digits: 2 },
      { title: 'Variance', digits: 2 },
      { title: 'Mean, weights as drawn', digits: 2 },
      { title: 'Variance, as drawn', digits: 2 },
    ],
    rows: kept.map(({ target, constants, factor, norm, profiles, asDrawn }) => {
      const [end, drawn] = [endOf(profiles), endOf(asDrawn)];
      const { alpha, scale } = constants;
      return [
        target.mean,
        target.variance,
        alpha,
        scale,
        factor,
        norm,
        end.mean,
        end.variance,
        drawn.mean,
        drawn.variance,
      ];
    }),
  };
}

function mapFigures({ kept, ways }: BeforeTraining): Figure[] {
  const figures = [USUAL, ASKED].map((target): Figure => {
    const { constants } = kept.find((one) => one.target === target)!;
    return {
      name: `map-${target.key}`,
      title: `One fixed point, (${target.mean}, ${target.variance}), and every way leads there`,
      caption:
        `The plane of moments for α = ${constants.alpha.toFixed(4)}, λ = ${constants.scale.toFixed(4)}. An arrow shows where a layer takes a point ` +
        `(a third of the way). Lines are networks fed with the wrong moments (rings), dots their layers. One layer takes the mean to its place, the variance follows.`,
      chart: mapChart(target, constants, ways.get(target.key)!),
    };
  });
  const curves = [USUAL, ASKED].map((target) => ({
    target,
    own: kept.find((one) => one.target === target)!.constants,
    label: target.pair,
    color: target.color,
  }));
  return [
    ...figures,
    {
      name: 'contraction',
      title: 'Contraction: a curve that crosses the diagonal less steeply',
      caption:
        'Variance after a layer by the variance before it. Where the curve is flatter than the diagonal, each layer brings the variance nearer.',
      chart: crossingChart(curves),
    },
  ];
}

const KEPT_TICKS = [0.25, 1, 4, 16];

function depthFigures({ kept, contrasts }: BeforeTraining): Figure[] {
  const asked = kept.find(({ target }) => target === ASKED)!;
  const usual = kept.find(({ target }) => target === USUAL)!;
  const moved = kept.filter(({ target }) => target.mean !== 0);
  const drawn = moved.map((one) => ({
    ...one,
    label: `${one.label} drawn`,
    dashed: true,
    profiles: one.asDrawn,
  }));
  const centred = moved.map((one) => ({ ...one, label: `${one.label} sum 0`, dashed: false }));
  return [
    {
      name: 'depth-variance',
      title: `The chosen variance stays for ${DEPTH} layers`,
      caption:
        'Variance of each layer’s outputs at initialisation, for pairs (mean, variance); a line a seed. Layer 0 is the input.',
      chart: varianceChart(kept, [0.1, 50], KEPT_TICKS),
    },
    {
      name: 'depth-mean',
      title: 'So does the chosen mean',
      caption: 'The same networks; where the mean is not 0, each unit’s weights add up to 0.',
      chart: meanChart(kept),
    },
    {
      name: 'depth-wrong',
      title: 'What does not stay: wrong constants, wrong weights',
      caption:
        'SELU’s own constants take inputs of variance 4 to 1; those for 4 keep it. With He’s weights of variance 2/n, in place of LeCun’s 1/n, the variance grows from layer to layer.',
      chart: varianceChart(
        [
          { ...asked, label: '(0, 4), its own' },
          { ...contrasts.inputs, label: '(0, 4), SELU’s', dashed: true },
          { ...usual, label: '(0, 1), LeCun’s' },
          { ...contrasts.weights, label: '(0, 1), He’s', color: '#E69F00' },
        ],
        [0.5, 1000],
        [1, 4, 10, 100, 1000],
      ),
    },
    {
      name: 'depth-centred',
      title: 'A mean other than 0 needs weights that add up to 0',
      caption:
        'Weights as drawn add up to something else in each unit, which multiplies the mean: the variance grows with it.',
      chart: varianceChart([...centred, ...drawn], [0.5, 1000], [1, 10, 100, 1000]),
    },
  ];
}

function curves(groups: readonly Group[], log: string, yTitle: string): LineChart {
  const series = groups.flatMap(({ target: { pair: label, color, dashed }, runs }) =>
    runs.map(({ history }) => ({ label, color, dashed: dashed === true, y: history[log]! })),
  );
  return { kind: 'lines', xTitle: 'epoch', yTitle, series };
}

function trainingFigures(groups: readonly Group[]): Figure[] {
  const seeds = groups[0]!.runs.length;
  const note = seeds === 1 ? 'One seed.' : `Means of ${seeds} seeds.`;
  return [
    {
      name: 'training-loss',
      title: 'Training loss',
      caption: `Cross-entropy on the training images, by epoch. ${note}`,
      chart: curves(groups, 'loss', 'training loss'),
    },
    {
      name: 'validation-accuracy',
      title: 'Validation accuracy',
      caption: `Share of the validation images classified correctly. ${note}`,
      chart: curves(groups, 'val_acc', 'validation accuracy'),
    },
    {
      name: 'test-accuracy',
      title: 'Test accuracy at the end',
      caption: 'A dot a seed, a bar for their mean.',
      chart: {
        kind: 'dots',
        xTitle: 'test accuracy',
        rows: groups.map(({ target: { pair: label, color }, runs }) => ({
          label,
          color,
          values: runs.map(({ results }) => results['test_acc']!),
        })),
      },
    },
  ];
}

function trainingTable(groups: readonly Group[]): Table {
  const mean = (group: Group, name: string): number => estimateOf(group.runs.map(({ results }) => results[name]!)).mean;
  return {
    caption: 'After the last epoch, means over seeds; moments are the last hidden layer’s, before and after training.',
    columns: [
      { title: 'Chosen moments' },
      { title: 'Seeds' },
      { title: 'Test accuracy', digits: 4 },
      { title: 'Test loss', digits: 4 },
      { title: 'Mean before', digits: 2 },
      { title: 'Variance before', digits: 2 },
      { title: 'Mean after', digits: 2 },
      { title: 'Variance after', digits: 2 },
    ],
    rows: groups.map((group) => [
      group.target.label,
      group.runs.length,
      ...['test_acc', 'test_loss', 'first_mean', 'first_variance', 'last_mean', 'last_variance'].map((name) =>
        mean(group, name),
      ),
    ]),
  };
}

function sectionsOf(before: BeforeTraining, groups: readonly Group[]): Section[] {
  return [
    {
      title: 'What a layer does to mean and variance',
      text: [
        'Sums of many inputs are normal, so a layer maps the moments of its inputs to those of its outputs. The document asks for constants that make a pair of its choice the fixed point of that map; here they are solved for, and the map is drawn.',
      ],
      tables: [constantsTable(before.kept)],
      figures: mapFigures(before),
    },
    {
      title: `${DEPTH} layers with new weights`,
      text: [
        `Dense layers, LeCun’s normal weights, normal inputs with the chosen moments; every layer’s outputs measured by the monitor.`,
      ],
      tables: [],
      figures: depthFigures(before),
    },
    {
      title: 'Why 0 and 1?',
      text: [
        'A larger variance makes the unit see more of its bend: in units of the spread that it keeps, variance 0.01 is nearly a straight line and variance 100 nearly a ReLU. So variances are not just relative: the choice sets how nonlinear each layer is. 1 lies in the middle; 4 is as sound.',
      ],
      tables: [],
      figures: [
        {
          name: 'shape',
          title: 'The same kind of unit, more and more bent',
          caption: 'The SELU of each variance, with both axes in standard deviations of what it keeps.',
          chart: shapeChart(),
        },
        {
          name: 'pace',
          title: 'The larger the variance, the stronger the pull',
          caption:
            'At a variance near 0 SELU is almost a straight line and pulls nothing back; variance 1 leaves 78% of a deviation, 4 leaves 71%. The eigenvalue is the pace in the end, the norm the worst single step.',
          chart: paceChart(),
        },
      ],
    },
    {
      title: 'Training beside (0, 1)',
      text: [
        `MNIST, ${TRAINED_DEPTH} hidden layers, Adam with its default learning rate, batches of 250; pixels scaled to the chosen moments; the last fifth of the training images is for validation.`,
      ],
      tables: [trainingTable(groups)],
      figures: trainingFigures(groups),
    },
  ];
}

const OPENINGS: Readonly<Record<Verdict, string>> = {
  yes: 'Nothing is special about 0 and 1: 0 and 4 are kept, and train alike',
  partly: '0 and 4 can be kept as well as 0 and 1, and train nearly alike',
  no: '0 and 4 can be kept as well as 0 and 1, but do not train alike',
  open: '0 and 4 can be kept as well as 0 and 1',
};

function findings(before: BeforeTraining, groups: readonly Group[], claims: readonly Claim[]): string[] {
  const { verdict } = claims.at(-1)!;
  const asked = before.kept.find(({ target }) => target === ASKED)!;
  const usual = before.kept.find(({ target }) => target === USUAL)!;
  const end = endOf(asked.profiles);
  const { alpha, scale } = asked.constants;
  const accuracyOf = (key: string): number =>
    estimateOf(groups.find(({ target }) => target.key === key)!.runs.map(({ results }) => results['test_acc']!)).mean;
  const epochs = groups[0]!.runs[0]!.history['loss']!.length;
  const moved = before.kept.find(({ target }) => target.mean > 0)!;
  const drawn = endOf(moved.asDrawn);
  return [
    `${isKept(end, ASKED) ? OPENINGS[verdict] : '0 and 4 are not kept'}: with α = ${alpha.toFixed(4)} and λ = ${scale.toFixed(4)} a network of ${DEPTH} layers keeps mean ${two(end.mean)} and variance ${two(end.variance)}, and after ${plural(epochs, 'epoch')} of MNIST it is right on ${percent(accuracyOf(ASKED.key))} of the test images, beside ${percent(accuracyOf(USUAL.key))} for 0 and 1.`,
    `The choice is not just a matter of scale: the larger the variance, the more each unit bends and the faster deviations die out, to ${asked.factor.toFixed(2)} a layer for 4 and ${usual.factor.toFixed(2)} for 1.`,
    `The mean is less free. Constants exist only for means up to about 0.56 (or −0.63) times the root mean square, and a mean other than 0 stays only where each unit’s weights add up to 0: with weights as drawn, mean ${moved.target.mean} and variance ${moved.target.variance} have become ${two(drawn.mean)} and ${two(drawn.variance)} after ${DEPTH} layers.`,
  ];
}

/** What the report says. */
export function describe(
  before: BeforeTraining,
  groups: readonly Group[],
): { findings: readonly string[]; sections: readonly Section[]; claims: readonly Claim[] } {
  const claims = judgeClaims(before, groups);
  return { findings: findings(before, groups, claims), sections: sectionsOf(before, groups), claims };
}
