// The pictures of the relu-approximation report.
import { COLORS, type Chart, type LineChart, type MapChart, type Series } from '../../report/chart.js';
import type { Figure, RunRecord } from '../../report/report.js';
import { SHOWN, type Approximator } from './activations.js';
import { LINE_ERROR, RANGE } from './fit.js';
import {
  countOf,
  list,
  type Records,
  result,
  SNAPSHOT_POINTS,
  snapshotName,
  snapshotsUpTo,
  stepsOf,
} from './results.js';
import { LEARNT_ERROR, ON_LINE, SHAPE_COLORS, SHAPE_WORDS, SHAPES } from './shapes.js';
import { CUT, rowAt, type Surface, type Surfaces } from './surface.js';
import { BATCH, DOCUMENT_DS, DOCUMENT_STARTS, sayD, SMALL_RATE } from './trials.js';

const points = Array.from(
  { length: SNAPSHOT_POINTS },
  (_, i) => RANGE[0] + ((RANGE[1] - RANGE[0]) * i) / (SNAPSHOT_POINTS - 1),
);
/** From the start to the end of a fit. */
const TIMES = ['#7c8594', '#9ecae1', '#4292c6', '#084a91', COLORS.vermilion];
const say = (steps: number): string => steps.toLocaleString('en');
const shown = (all: readonly Approximator[]): Approximator[] =>
  SHOWN.map((key) => all.find((each) => each.key === key)!);

const CLASSES = SHAPES.map((shape) => ({ label: SHAPE_WORDS[shape], color: SHAPE_COLORS[shape] }));
const LEVEL = { y: LINE_ERROR, label: 'straight line' };

/** The document's pictures: what was learnt after so many steps, of the four activations that it shows. */
function functions(records: Records, all: readonly Approximator[], d: number): Chart {
  return {
    kind: 'panels',
    xTitle: 'x',
    yTitle: 'learnt f(ax + b)c + d',
    columns: 2,
    xDomain: RANGE,
    yDomain: [-0.3, 0.65],
    backdrop: { label: 'ReLU, to be learnt', color: '#d9dee6', x: RANGE_WITH_KINK, y: [0, 0, RANGE[1]] },
    panels: shown(all).map(({ key, label }) => {
      const record = records.find(key, 'grid')!;
      const snapshots = snapshotsUpTo(stepsOf(record));
      return {
        title: label,
        series: snapshots.map((step, i) => ({
          label: step === 0 ? 'start' : `${say(step)} steps`,
          color: TIMES[snapshots.length === TIMES.length ? i : Math.min(i, TIMES.length - 1)]!,
          x: points,
          y: list(record, snapshotName(d, step)),
        })),
      };
    }),
  };
}
const RANGE_WITH_KINK: readonly number[] = [RANGE[0], 0, RANGE[1]];

/** Errors on the way, of the four. */
function errors(records: Records, all: readonly Approximator[], d: number, rate?: number): LineChart {
  const found = shown(all).map((each) => ({ ...each, record: records.find(each.key, 'grid', { rate })! }));
  return {
    kind: 'lines',
    xTitle: 'step',
    yTitle: 'mean absolute difference',
    logarithmic: 'both',
    yDomain: [0.005, 1],
    yFormat: '~g',
    level: LEVEL,
    series: found.map(({ label, color, record }): Series => {
      return { label, color, x: list(record, 'steps'), y: list(record, `error, d ${d}`) };
    }),
  };
}

/** The share of runs with fresh batches that have learnt by a step. */
function learntBy(record: RunRecord, d: number, name: Pick<Series, 'label' | 'color'>): Series {
  const at = list(record, `learnt at, d ${d}`);
  const steps = list(record, 'steps');
  const y = steps.map((step) => at.filter((each) => each <= step).length / at.length);
  return { ...name, x: steps, y };
}

function escapes(series: readonly Series[]): LineChart {
  const steps = Math.max(...series.flatMap(({ x }) => x!.at(-1)!));
  return {
    kind: 'lines',
    xTitle: 'step',
    yTitle: 'runs that have learnt ReLU',
    yFormat: '.0%',
    xDomain: [0, steps],
    yDomain: [0, 1],
    series,
  };
}

const BATCH_COLORS = [COLORS.sky, COLORS.blue, '#08306b'];

/** Fresh batches: who escapes, and how soon. */
export function freshFigures(records: Records, all: readonly Approximator[]): Figure[] {
  const [low] = DOCUMENT_DS as readonly [number];
  const of = (key: string, batch: number): RunRecord => records.find(key, 'fresh', { batch })!;
  const four = shown(all).map(({ key, label, color }) => learntBy(of(key, BATCH), low, { label, color }));
  const relu = records.batches.map((batch, i) =>
    learntBy(of('relu', batch), low, { label: `${say(batch)} points`, color: BATCH_COLORS[i % BATCH_COLORS.length]! }),
  );
  return [
    {
      name: 'escape',
      title: `Fresh random batches of ${BATCH}, ${sayD(low)}`,
      caption: `Runs that learn in the end: ${shown(all)
        .map(({ key, label }) => `${label} ${result(of(key, BATCH), `runs that learn, d ${low}`)}`)
        .join(', ')} of ${countOf(of('relu', BATCH))}.`,
      chart: escapes(four),
    },
    ...(relu.length < 2
      ? []
      : [
          {
            name: 'escape-batch',
            title: 'ReLU with batches of different sizes',
            caption: 'What frees a straight line is the noise of the batches: larger ones have less of it.',
            chart: escapes(relu),
          },
        ]),
  ];
}

/** Learnt functions and errors from the document's two starts. */
export function documentFigures(records: Records, all: readonly Approximator[]): Figure[] {
  return DOCUMENT_DS.flatMap((d) => [
    {
      name: `functions-d${d}`,
      title: `From a = 1, b = 0.5, c = 1, ${sayD(d)}`,
      caption: 'What f(ax + b)c + d looks like after so many steps.',
      chart: functions(records, all, d),
    },
    {
      name: `errors-d${d}`,
      title: `The error on the way, ${sayD(d)}`,
      caption: 'The same fits. On the grey line a fit is a straight line; below half of it, it has learnt ReLU.',
      chart: errors(records, all, d),
    },
  ]);
}

/** Who ends as a straight line with the smaller learning rate. */
function straightOnes(records: Records, all: readonly Approximator[], d: number): string {
  const straight = shown(all).filter(
    ({ key }) =>
      Math.abs(result(records.find(key, 'grid', { rate: SMALL_RATE })!, `error, d ${d}`) - LINE_ERROR) < ON_LINE,
  );
  const names = straight.map(({ label }) => label).join(', ');
  return `On the fixed grid. Straight lines at the end: ${names === '' ? 'none' : names}.`;
}

/** The errors with the smaller learning rate. */
export function smallRateFigures(records: Records, all: readonly Approximator[]): Figure[] {
  return [...DOCUMENT_DS].reverse().map((d) => ({
    name: `errors-rate${SMALL_RATE}-d${d}`,
    title: `The error on the way, rate ${SMALL_RATE}, ${sayD(d)}`,
    caption: straightOnes(records, all, d),
    chart: errors(records, all, d, SMALL_RATE),
  }));
}

/** Bands of the surface: below each bound and above the one before. */
const BANDS: readonly { readonly below: number; readonly label: string; readonly color: string }[] = [
  { below: 0.015, label: 'under 0.015', color: '#08519c' },
  { below: LEARNT_ERROR, label: 'under 0.031', color: '#3182bd' },
  { below: 0.045, label: 'under 0.045', color: '#6baed6' },
  { below: 0.055, label: 'under 0.055', color: '#9ecae1' },
  { below: 0.0622, label: 'under 0.062', color: '#d6e6f4' },
  { below: 0.0632, label: 'straight line', color: '#f3f4f6' },
  { below: 0.068, label: 'worse than that', color: '#fdc38d' },
  { below: Infinity, label: 'far worse', color: '#e6550d' },
];
const band = (error: number): number => BANDS.findIndex(({ below }) => error < below);

/** The kink's place and the steepness along a fit's path, as far as the map shows them. */
function pathOf(record: RunRecord, d: number, { kinks, steepnesses }: Surface): { x: number[]; y: number[] } {
  const [a, b] = [list(record, `a, d ${d}`), list(record, `b, d ${d}`)];
  const places = a.map((each, i) => ({ x: -b[i]! / each, y: each }));
  const inside = places.filter(
    ({ x, y }) => x >= kinks[0]! && x <= kinks.at(-1)! && y >= steepnesses[0]! && y <= steepnesses.at(-1)!,
  );
  return { x: inside.map(({ x }) => x), y: inside.map(({ y }) => y) };
}

function surfaceMap(records: Records, all: readonly Approximator[], surfaces: Surfaces, d: number): MapChart {
  const { kinks, steepnesses } = surfaces.get(SHOWN[0]!)!;
  return {
    kind: 'maps',
    xTitle: 'kink at x = −b/a',
    yTitle: 'steepness a',
    columns: 2,
    classes: BANDS,
    x: kinks,
    y: steepnesses,
    logarithmicY: true,
    panels: shown(all).map(({ key, label }) => {
      const surface = surfaces.get(key)!;
      return {
        title: label,
        cells: surface.errors.map((row) => row.map(band)),
        path: pathOf(records.find(key, 'grid')!, d, surface),
      };
    }),
  };
}

/** Why SELU stays: the lowest error there is by where the kink lies, and as a map with the fits' paths. */
export function surfaceFigures(records: Records, all: readonly Approximator[], surfaces: Surfaces): Figure[] {
  const zero = DOCUMENT_DS.at(-1)!;
  return [
    {
      name: 'wall',
      title: 'The wall: moving the kink into view',
      caption: `The lowest error there is with the kink at x = −b/a, for a = ${CUT}: c and d are the best ones everywhere. Left of −0.5 the kink is out of view, and all but softplus are straight lines.`,
      chart: {
        kind: 'lines',
        xTitle: 'kink at x = −b/a',
        yTitle: 'lowest error',
        xDomain: RANGE_OF_WALL,
        yDomain: [0.045, 0.078],
        level: LEVEL,
        series: shown(all).map(({ key, label, color }) => {
          const surface = surfaces.get(key)!;
          return { label, color, x: surface.kinks, y: rowAt(surface, CUT) };
        }),
      },
    },
    {
      name: 'surface',
      title: `The whole surface, and the fits’ paths from ${sayD(zero)}`,
      caption:
        'The same for every steepness; the lines are the fits on the grid, from the ring to the disc. Dark blue is a learnt ReLU, grey a straight line, orange worse than that.',
      chart: surfaceMap(records, all, surfaces, zero),
    },
  ];
}
const RANGE_OF_WALL: readonly [number, number] = [-0.8, 0.5];

const learntFirst = (a: RunRecord, b: RunRecord): number =>
  result(b, 'learnt') - result(a, 'learnt') || result(b, 'other') - result(a, 'other');

function shares(records: readonly RunRecord[]): Chart {
  return {
    kind: 'shares',
    xTitle: 'share of the random starts',
    classes: CLASSES,
    rows: [...records].sort(learntFirst).map((record) => ({
      label: record.configuration,
      counts: SHAPES.map((shape) => result(record, shape)),
    })),
  };
}

/** Starts over a map of (c, d), and random ones. */
export function startFigures(records: Records, all: readonly Approximator[]): Figure[] {
  const found = (part: 'starts' | 'map', batch: 'grid' | number = 'grid'): RunRecord[] =>
    all.flatMap(({ key }) => records.find(key, part, { batch }) ?? []);
  const maps = found('map').sort(learntFirst);
  const axis = list(maps[0]!, 'axis');
  const rows = (record: RunRecord): number[][] =>
    axis.map((_, i) => list(record, 'shape').slice(i * axis.length, (i + 1) * axis.length));
  const random = found('starts');
  const fresh = found('starts', BATCH);
  const count = SHAPES.reduce((sum, shape) => sum + result(random[0]!, shape), 0);
  return [
    {
      name: 'basins',
      title: 'Where a fit ends that starts at (c, d)',
      caption: 'From a = 1 and b = 0.5, on the fixed grid; the rings are the document’s two starts.',
      chart: {
        kind: 'maps',
        xTitle: 'c',
        yTitle: 'd',
        columns: 4,
        classes: CLASSES,
        x: axis,
        y: axis,
        rings: DOCUMENT_STARTS.map(([, , c, d]) => ({ x: c, y: d })),
        panels: maps.map((record) => ({ title: record.configuration, cells: rows(record) })),
      },
    },
    {
      name: 'random-starts',
      title: `Of ${count} random starts, so many learn ReLU`,
      caption: 'a, b, c and d uniform in [−2, 2], the same for every activation; on the fixed grid.',
      chart: shares(random),
    },
    ...(fresh.length === 0
      ? []
      : [
          {
            name: 'random-starts-fresh',
            title: 'The same starts with fresh batches',
            caption: `A new random batch of ${BATCH} points at every step.`,
            chart: shares(fresh),
          },
        ]),
  ];
}
