// Charts as data, and their Vega-Lite form. A chart is small on purpose: drawn about 400 units wide, so that its words stay
// readable when a phone shows it in full width.
import type { TopLevelSpec } from 'vega-lite';

/** A line of a line chart: `y[i]` belongs to `x[i]`, which counts from 1 when not given. */
export interface Series {
  readonly label: string;
  readonly y: readonly number[];
  readonly x?: readonly number[];
  /** A CSS colour. Series of one label must agree in colour and dash. */
  readonly color: string;
  readonly dashed?: boolean;
}

/** Lines over a common axis. Several series of one label are several runs of one thing: their mean is drawn bold. */
export interface LineChart {
  readonly kind: 'lines';
  readonly xTitle: string;
  readonly yTitle: string;
  readonly series: readonly Series[];
  /** What to show of y; by default what the values need. */
  readonly yDomain?: readonly [number, number];
  readonly yFormat?: string;
  /** Draws the single runs too, thin behind their mean. */
  readonly showRuns?: boolean;
}

/** Dots by category: every run a dot, the mean a bar, and a value to compare with as a diamond. */
export interface DotChart {
  readonly kind: 'dots';
  readonly xTitle: string;
  readonly rows: readonly {
    readonly label: string;
    readonly values: readonly number[];
    readonly reference?: number;
    readonly color: string;
  }[];
  /** What the diamonds are, as `'the document'`. */
  readonly referenceLabel?: string;
  readonly xFormat?: string;
}

export type Chart = LineChart | DotChart;

/** Colours that stay apart for colour-blind readers (Okabe and Ito). */
export const COLORS = {
  blue: '#0072B2',
  vermilion: '#D55E00',
  green: '#009E73',
  pink: '#CC79A7',
  orange: '#E69F00',
  sky: '#56B4E9',
  grey: '#6B7280',
} as const;

/** Short lines show their points. */
const MOST_POINTS = 10;
const WIDTH = 330;
const HEIGHT = 210;
const FONT = 'Inter, system-ui, sans-serif';
const INK = '#1f2937';

const CONFIG: TopLevelSpec['config'] = {
  font: FONT,
  background: '#ffffff',
  view: { stroke: null },
  axis: {
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 500,
    labelColor: INK,
    titleColor: INK,
    gridColor: '#e5e7eb',
    domainColor: '#9ca3af',
    tickColor: '#9ca3af',
    titlePadding: 8,
  },
  legend: {
    labelFontSize: 12,
    labelColor: INK,
    title: null,
    orient: 'top',
    direction: 'horizontal',
    columnPadding: 14,
    symbolStrokeWidth: 2.5,
    symbolSize: 220,
    symbolOpacity: 1,
    labelLimit: 240,
  },
};

/** What is not finite is a gap in the line. */
const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** Labels in the order they come, each once. */
const labelsOf = (chart: LineChart): string[] => [...new Set(chart.series.map(({ label }) => label))];

/** The mean over runs that have a value there; runs may have stopped early. */
function meanOf(series: readonly Series[]): { x: number; y: number }[] {
  const sums = new Map<number, { sum: number; count: number }>();
  for (const { x, y } of series) {
    y.forEach((value, i) => {
      const at = x?.[i] ?? i + 1;
      const { sum, count } = sums.get(at) ?? { sum: 0, count: 0 };
      sums.set(at, { sum: sum + value, count: count + 1 });
    });
  }
  return [...sums].sort(([a], [b]) => a - b).map(([x, { sum, count }]) => ({ x, y: sum / count }));
}

/** The first, the last, and round numbers between: epochs are counted, not measured. */
function ticks(longest: number): number[] {
  const step = [1, 2, 5, 10, 20, 25, 50, 100, 250, 500, 1000].find((size) => longest / size <= 6) ?? longest;
  const round = Array.from({ length: Math.floor(longest / step) }, (_, i) => (i + 1) * step);
  return [...new Set([1, ...round.filter((tick) => tick === 1 || tick > step / 2)])];
}

function lineSpec(chart: LineChart): TopLevelSpec {
  const labels = labelsOf(chart);
  const first = labels.map((label) => chart.series.find((series) => series.label === label)!);
  const runs = chart.series.flatMap(({ label, x, y }, run) =>
    y.map((value, i) => ({ label, run, x: x?.[i] ?? i + 1, y: finite(value) })),
  );
  const means = labels.flatMap((label) =>
    meanOf(chart.series.filter((series) => series.label === label)).map(({ x, y }) => ({ label, x, y: finite(y) })),
  );
  const repeated = chart.showRuns === true && chart.series.length > labels.length;
  const longest = Math.max(0, ...means.map(({ x }) => x));
  const drawable = means.some(({ y }) => y !== null);
  const points = longest <= MOST_POINTS;
  const encoding = {
    x: {
      field: 'x',
      type: 'quantitative',
      title: chart.xTitle,
      scale: { domain: [1, Math.max(longest, 2)], nice: false, padding: points ? 6 : 0 },
      // Vega would thin the ticks out to one less than there are steps of 1.
      axis: { grid: false, format: 'd', values: ticks(longest), tickMinStep: 0.5, labelFlush: false },
    },
    y: {
      field: 'y',
      type: 'quantitative',
      title: chart.yTitle,
      scale: {
        zero: false,
        ...(drawable ? {} : { domain: [0, 1] }),
        ...(chart.yDomain === undefined ? {} : { domain: chart.yDomain }),
      },
      axis: { tickCount: 6, ...(chart.yFormat === undefined ? {} : { format: chart.yFormat }) },
    },
    color: {
      field: 'label',
      type: 'nominal',
      scale: { domain: labels, range: first.map(({ color }) => color) },
      legend: { columns: labels.length > 3 ? 2 : labels.length, symbolType: 'stroke' },
    },
    strokeDash: {
      field: 'label',
      type: 'nominal',
      scale: { domain: labels, range: first.map(({ dashed }) => (dashed === true ? [5, 3] : [1, 0])) },
      legend: { columns: labels.length > 3 ? 2 : labels.length, symbolType: 'stroke' },
    },
  } as const;
  const spec = {
    width: WIDTH,
    height: HEIGHT,
    encoding,
    layer: [
      ...(repeated
        ? [
            {
              data: { values: runs },
              mark: { type: 'line', strokeWidth: 1, opacity: 0.35, clip: true },
              encoding: { detail: { field: 'run', type: 'nominal' } },
            },
          ]
        : []),
      { data: { values: means }, mark: { type: 'line', strokeWidth: 2.25, point: points, clip: true } },
    ],
    config: CONFIG,
  };
  return spec as unknown as TopLevelSpec;
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function dotSpec(chart: DotChart): TopLevelSpec {
  const labels = chart.rows.map(({ label }) => label);
  const color = {
    field: 'label',
    type: 'nominal',
    scale: { domain: labels, range: chart.rows.map((row) => row.color) },
    legend: null,
  };
  const values = chart.rows.flatMap(({ label, values }) => values.map((x) => ({ label, x })));
  const means = chart.rows
    .filter((row) => row.values.length > 0)
    .map((row) => ({ label: row.label, x: mean(row.values) }));
  const references = chart.rows.flatMap(({ label, reference }) =>
    reference === undefined ? [] : [{ label, x: reference, what: chart.referenceLabel ?? 'reference' }],
  );
  const spec = {
    width: WIDTH - 120,
    height: { step: 30 },
    encoding: {
      y: {
        field: 'label',
        type: 'nominal',
        sort: labels,
        title: null,
        scale: { domain: labels },
        axis: { grid: true, labelLimit: 240, ticks: false, domain: false, labelPadding: 8 },
      },
      x: {
        field: 'x',
        type: 'quantitative',
        title: chart.xTitle,
        scale: { zero: false, padding: 12 },
        axis: { tickCount: 4, grid: false, ...(chart.xFormat === undefined ? {} : { format: chart.xFormat }) },
      },
    },
    layer: [
      { data: { values: means }, mark: { type: 'tick', thickness: 3, size: 18 }, encoding: { color } },
      { data: { values }, mark: { type: 'point', filled: true, size: 55, opacity: 0.75 }, encoding: { color } },
      ...(references.length === 0
        ? []
        : [
            {
              data: { values: references },
              mark: { type: 'point', shape: 'diamond', size: 90, strokeWidth: 1.8 },
              encoding: {
                stroke: {
                  field: 'what',
                  type: 'nominal',
                  scale: { domain: [references[0]!.what], range: [INK] },
                  legend: { symbolType: 'diamond', symbolSize: 90, symbolStrokeWidth: 1.8 },
                },
              },
            },
          ]),
    ],
    config: CONFIG,
  };
  return spec as unknown as TopLevelSpec;
}

/** The Vega-Lite specification of a chart. Values that are not finite leave a gap. */
export function toVegaLite(chart: Chart): TopLevelSpec {
  return chart.kind === 'lines' ? lineSpec(chart) : dotSpec(chart);
}
