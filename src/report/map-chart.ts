// Small maps side by side, as Vega-Lite. Cells of one class that lie beside each other become one rectangle: a picture of many
// thousand cells stays small.
import type { TopLevelSpec } from 'vega-lite';
import type { MapChart } from './chart.js';
import { CONFIG, INK, panelSize } from './chart-style.js';

/** Cells reach this share of their size into the next ones, so that no background shines through where they meet. */
const OVERLAP = 0.3;

interface Rectangle {
  readonly panel: string;
  readonly label: string;
  readonly x: number;
  readonly x2: number;
  readonly y: number;
  readonly y2: number;
}

/** The edges between evenly spaced middles; `count + 1` of them. */
function edges(middles: readonly number[]): number[] {
  const half = middles.length > 1 ? (middles.at(-1)! - middles[0]!) / (middles.length - 1) / 2 : 0.5;
  return [...middles.map((middle) => middle - half), middles.at(-1)! + half];
}

/** A row of cells as runs of one class. */
function runsOf(row: readonly number[]): { from: number; to: number; value: number }[] {
  const runs: { from: number; to: number; value: number }[] = [];
  row.forEach((value, i) => {
    const last = runs.at(-1);
    if (last?.value === value) last.to = i + 1;
    else runs.push({ from: i, to: i + 1, value });
  });
  return runs;
}

function rectanglesOf({ panels, classes, ...chart }: MapChart): Rectangle[] {
  // On a logarithmic axis cells are evenly spaced in the logarithm.
  const [to, from] = chart.logarithmicY === true ? [Math.log, Math.exp] : [(v: number) => v, (v: number) => v];
  const xs = edges(chart.x);
  const ys = edges(chart.y.map(to));
  const overlapY = OVERLAP * (ys[1]! - ys[0]!);
  const overlapX = OVERLAP * (xs[1]! - xs[0]!);
  return panels.flatMap(({ title, cells }) =>
    cells.flatMap((row, i) =>
      runsOf(row).map(({ from: first, to: end, value }) => ({
        panel: title,
        label: classes[value]!.label,
        x: xs[first]!,
        x2: Math.min(xs[end]! + overlapX, xs.at(-1)!),
        y: from(ys[i]!),
        y2: from(Math.min(ys[i + 1]! + overlapY, ys.at(-1)!)),
      })),
    ),
  );
}

/** Small multiples of maps. */
export function mapSpec(chart: MapChart): TopLevelSpec {
  const { panels, classes, columns } = chart;
  const titles = panels.map(({ title }) => title);
  const rectangles = rectanglesOf(chart);
  const [xs, ys] = [rectangles.flatMap(({ x, x2 }) => [x, x2]), rectangles.flatMap(({ y, y2 }) => [y, y2])];
  const steps = panels.flatMap(({ title, path }) =>
    (path?.x ?? []).map((x, i) => ({ panel: title, x, y: path!.y[i]!, i })),
  );
  const ends = panels.flatMap(({ title, path }) =>
    path === undefined
      ? []
      : [0, path.x.length - 1].map((i) => ({
          panel: title,
          x: path.x[i]!,
          y: path.y[i]!,
          end: i === 0 ? 'first' : 'last',
        })),
  );
  const size = panelSize(columns);
  const shown = classes.filter(({ label }) => rectangles.some((each) => each.label === label));
  const scale = (values: readonly number[], logarithmic: boolean): object => ({
    domain: [Math.min(...values), Math.max(...values)],
    nice: false,
    ...(logarithmic ? { type: 'log' } : { zero: false }),
  });
  const axis = { grid: false, domain: false, labelFlush: true };
  const logarithmic = chart.logarithmicY === true;
  const powers = [0.25, 1, 4, 16, 64].filter((tick) => tick >= Math.min(...ys) && tick <= Math.max(...ys));
  const place = {
    x: {
      field: 'x',
      type: 'quantitative',
      title: chart.xTitle,
      scale: scale(xs, false),
      axis: { ...axis, tickCount: 3 },
    },
    y: {
      field: 'y',
      type: 'quantitative',
      title: chart.yTitle,
      scale: scale(ys, logarithmic),
      axis: { ...axis, ...(logarithmic ? { values: powers, format: '~g' } : { tickCount: 3 }) },
    },
  };
  const spec = {
    data: { values: [...rectangles, ...steps.map((each) => ({ ...each, step: true })), ...ends] },
    facet: { field: 'panel', type: 'nominal', sort: titles, title: null },
    columns,
    spacing: { row: 26, column: 12 },
    // By the cells alone: titles and ticks would push narrow columns apart.
    bounds: 'flush',
    spec: {
      width: size,
      height: size,
      encoding: place,
      layer: [
        {
          transform: [{ filter: 'isValid(datum.x2)' }],
          mark: { type: 'rect', clip: true },
          encoding: {
            x2: { field: 'x2' },
            y2: { field: 'y2' },
            color: {
              field: 'label',
              type: 'nominal',
              scale: { domain: shown.map(({ label }) => label), range: shown.map(({ color }) => color) },
              legend: { columns: 2, symbolType: 'square', symbolSize: 130 },
            },
          },
        },
        ...(steps.length === 0
          ? []
          : [
              ...[
                { color: '#ffffff', strokeWidth: 4 },
                { color: INK, strokeWidth: 1.75 },
              ].map((style) => ({
                transform: [{ filter: 'datum.step === true' }],
                mark: { type: 'line', clip: true, ...style },
                encoding: { order: { field: 'i', type: 'quantitative' } },
              })),
              {
                transform: [{ filter: 'isValid(datum.end)' }],
                mark: { type: 'point', filled: true, size: 75, stroke: INK, strokeWidth: 2, opacity: 1, clip: true },
                encoding: {
                  fill: {
                    condition: { test: "datum.end === 'first'", value: '#ffffff' },
                    value: INK,
                  },
                },
              },
            ]),
        ...(chart.rings === undefined
          ? []
          : [
              {
                data: { values: chart.rings },
                mark: { type: 'point', size: 22, stroke: '#ffffff', strokeWidth: 1.6, opacity: 1 },
              },
            ]),
      ],
    },
    config: { ...CONFIG, header: { labelFontSize: 11.5, labelFontWeight: 500, labelColor: INK, labelPadding: 3 } },
  };
  return spec as unknown as TopLevelSpec;
}
