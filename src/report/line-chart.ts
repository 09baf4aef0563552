// Line charts as Vega-Lite.
import type { TopLevelSpec } from 'vega-lite';
import type { LineChart, Series } from './chart.js';
import { CONFIG, finite, HEIGHT, isInPlot, WIDTH } from './chart-style.js';

/** Short lines show their points. */
const MOST_POINTS = 10;

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

/** The lowest and highest of the runs that have a value there. */
function bandOf(series: readonly Series[]): { x: number; low: number; high: number }[] {
  const ends = new Map<number, { low: number; high: number }>();
  for (const { x, y } of series) {
    y.forEach((value, i) => {
      if (!Number.isFinite(value)) return;
      const at = x?.[i] ?? i + 1;
      const { low, high } = ends.get(at) ?? { low: value, high: value };
      ends.set(at, { low: Math.min(low, value), high: Math.max(high, value) });
    });
  }
  return [...ends].sort(([a], [b]) => a - b).map(([x, end]) => ({ x, ...end }));
}

/** The first, the last, and round numbers between: epochs are counted, not measured. */
function ticks(longest: number): number[] {
  const step = [1, 2, 5, 10, 20, 25, 50, 100, 250, 500, 1000].find((size) => longest / size <= 6) ?? longest;
  const round = Array.from({ length: Math.floor(longest / step) }, (_, i) => (i + 1) * step);
  return [...new Set([1, ...round.filter((tick) => tick === 1 || tick > step / 2)])];
}

const isLogarithmic = ({ logarithmic }: LineChart, axis: 'x' | 'y'): boolean =>
  logarithmic === axis || logarithmic === 'both';
/** Whether x is epochs, or the like: whole numbers from 1 on. */
const isCounted = (chart: LineChart): boolean => chart.xDomain === undefined && !isLogarithmic(chart, 'x');

/** Over more powers of ten than this, a logarithmic axis has ticks at powers alone. */
const FEW_DECADES = 3;

/** Ticks of a logarithmic axis; those beyond what is shown are not drawn. */
function logarithmicTicks(domain: LineChart['yDomain']): number[] {
  const [low, high] = domain ?? [1e-4, 1e3];
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const digits = domain !== undefined && last - first > FEW_DECADES ? [1] : [1, 2, 5];
  return Array.from({ length: last - first + 1 }, (_, i) => first + i).flatMap((power) =>
    digits.map((digit) => Number(`${digit}e${power}`)),
  );
}

/** Scale and axis of x. */
function xAxis(chart: LineChart, longest: number): object {
  if (isCounted(chart)) {
    return {
      scale: { domain: [1, Math.max(longest, 2)], nice: false, padding: longest <= MOST_POINTS ? 6 : 0 },
      // Vega would thin the ticks out to one less than there are steps of 1.
      axis: { grid: false, format: 'd', values: ticks(longest), tickMinStep: 0.5, labelFlush: false },
    };
  }
  const domain = chart.xDomain ?? [1, Math.max(longest, 2)];
  if (!isLogarithmic(chart, 'x')) return { scale: { domain, nice: false }, axis: { grid: false, tickCount: 6 } };
  const decades = Array.from({ length: Math.floor(Math.log10(domain[1])) + 1 }, (_, i) => 10 ** i);
  const values = decades.filter((tick) => tick >= domain[0]);
  return { scale: { domain, nice: false, type: 'log' }, axis: { grid: false, format: ',d', values } };
}

/** The level, and its name below its left end; the name lies over the lines, which it would be lost among. */
function levelLayers({ level, xDomain }: LineChart, longest: number): { rule: object[]; name: object[] } {
  if (level === undefined) return { rule: [], name: [] };
  const data = { values: [{ x: xDomain?.[0] ?? 1, y: level.y, text: level.label }] };
  const y = { field: 'y', type: 'quantitative' };
  const none = { color: null, strokeDash: null };
  const text = { type: 'text', align: 'left', baseline: 'top', dx: 4, dy: 4, fontSize: 11.5 };
  const encoding = { y, text: { field: 'text' }, ...none };
  const halo = { ...text, color: '#ffffff', stroke: '#ffffff', strokeWidth: 4, strokeJoin: 'round' };
  return {
    rule: [{ data, mark: { type: 'rule', color: '#9ca3af', strokeWidth: 1.25 }, encoding: { y, x: null, ...none } }],
    name:
      longest > 0
        ? [
            { data, mark: halo, encoding },
            { data, mark: { ...text, color: '#4b5563' }, encoding },
          ]
        : [],
  };
}

/** Lines over a common axis. */
export function lineSpec(chart: LineChart): TopLevelSpec {
  const labels = labelsOf(chart);
  const first = labels.map((label) => chart.series.find((series) => series.label === label)!);
  const shown = <P extends { y: number | null }>(line: P[]): P[] =>
    isInPlot(
      line.map(({ y }) => y),
      chart.yDomain,
    )
      ? line
      : [];
  const runs = chart.series.flatMap(({ label, x, y }, run) =>
    shown(y.map((value, i) => ({ label, run, x: x?.[i] ?? i + 1, y: finite(value) }))),
  );
  const averages = labels.map((label) =>
    meanOf(chart.series.filter((series) => series.label === label)).map(({ x, y }) => ({ label, x, y: finite(y) })),
  );
  const means = averages.flatMap(shown);
  const several = chart.series.length > labels.length;
  const repeated = chart.showRuns === true && several;
  const bands = labels.flatMap((label) => {
    const band = bandOf(chart.series.filter((series) => series.label === label));
    const edges = band.flatMap(({ low, high }) => [low, high]);
    return isInPlot(edges, chart.yDomain) ? band.map((ends) => ({ label, ...ends })) : [];
  });
  const longest = Math.max(0, ...averages.flat().map(({ x }) => x));
  const drawable = averages.flat().some(({ y }) => y !== null);
  const points = isCounted(chart) && longest <= MOST_POINTS;
  const { rule, name } = levelLayers(chart, longest);
  // Vega allows for wider letters than these are: two columns would reach beyond the plot.
  const legend = labels.length > 3 ? { columns: 2, columnPadding: 0, labelFontSize: 11 } : { columns: labels.length };
  const encoding = {
    x: { field: 'x', type: 'quantitative', title: chart.xTitle, ...xAxis(chart, longest) },
    y: {
      field: 'y',
      type: 'quantitative',
      title: chart.yTitle,
      scale: {
        ...(isLogarithmic(chart, 'y') ? { type: 'log' } : { zero: false }),
        ...(drawable ? {} : { domain: [0, 1] }),
        ...(chart.yDomain === undefined ? {} : { domain: chart.yDomain, nice: false }),
      },
      axis: {
        ...(isLogarithmic(chart, 'y') ? { values: logarithmicTicks(chart.yDomain) } : { tickCount: 6 }),
        ...(chart.yFormat === undefined ? {} : { format: chart.yFormat }),
      },
    },
    color: {
      field: 'label',
      type: 'nominal',
      scale: { domain: labels, range: first.map(({ color }) => color) },
      legend: { ...legend, symbolType: 'stroke' },
    },
    strokeDash: {
      field: 'label',
      type: 'nominal',
      scale: { domain: labels, range: first.map(({ dashed }) => (dashed === true ? [5, 3] : [1, 0])) },
      legend: { ...legend, symbolType: 'stroke' },
    },
  } as const;
  const spec = {
    width: WIDTH,
    height: HEIGHT,
    encoding,
    layer: [
      ...(chart.showBand === true && several
        ? [
            {
              data: { values: bands },
              mark: { type: 'area', opacity: 0.16, clip: true },
              encoding: {
                y: { ...encoding.y, field: 'low' },
                y2: { field: 'high' },
                strokeDash: null,
              },
            },
          ]
        : []),
      ...(repeated
        ? [
            {
              data: { values: runs },
              mark: { type: 'line', strokeWidth: 1, opacity: 0.35, clip: true },
              encoding: { detail: { field: 'run', type: 'nominal' } },
            },
          ]
        : []),
      ...rule,
      { data: { values: means }, mark: { type: 'line', strokeWidth: 2.25, point: points, clip: true } },
      ...name,
    ],
    config: CONFIG,
  };
  return spec as unknown as TopLevelSpec;
}
