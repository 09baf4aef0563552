// Numbers as colours over two counted axes, small panels side by side, as Vega-Lite: a quantity by layer and step, or answers by class.
import type { TopLevelSpec } from 'vega-lite';
import type { HeatChart } from './chart.js';
import { CONFIG, INK, panelSize } from './chart-style.js';

/** Two sides of a middle, or from nothing to much. Readable for colour-blind eyes. */
const DIVERGING = ['#0072B2', '#8CBFE0', '#ffffff', '#F2B48C', '#B34A00'] as const;
const RISING = ['#f3f4f6', '#8CBFE0', '#0072B2', '#06324f'] as const;

/** At most so many labels on an axis: those of many cells would overlap. */
const LABELS = 5;
const ROUND = [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 2500, 5000];

/** The labels that are whole multiples of a round number. */
function ticksOf(labels: readonly number[]): readonly number[] {
  const multiples = ROUND.map((step) => labels.filter((label) => label % step === 0));
  return multiples.find((found) => found.length <= LABELS) ?? [labels[0]!];
}

/** Small multiples; cells without a number are blank. */
export function heatSpec(chart: HeatChart): TopLevelSpec {
  const { panels, columns, x, y, scale } = chart;
  const titles = panels.map(({ title }) => title);
  const values = panels.flatMap(({ title, cells }) =>
    cells.flatMap((row, i) =>
      row.flatMap((value, j) =>
        value === undefined || !Number.isFinite(value) ? [] : [{ panel: title, x: x[j]!, y: y[i]!, value, rim: value }],
      ),
    ),
  );
  const size = panelSize(columns);
  const stops = scale.kind === 'diverging' ? DIVERGING : RISING;
  const [low, high] = scale.domain;
  const logarithmic = scale.logarithmic === true;
  const [to, from] = logarithmic ? [Math.log, Math.exp] : [(v: number) => v, (v: number) => v];
  const domain = stops.map((_, i) => from(to(low) + ((to(high) - to(low)) * i) / (stops.length - 1)));
  const colors = {
    type: logarithmic ? 'log' : 'linear',
    domain,
    range: stops,
    clamp: true,
    nice: false,
    interpolate: 'rgb',
  };
  const legend = {
    orient: 'top',
    direction: 'horizontal',
    title: scale.title,
    titleFontSize: 11.5,
    titleFontWeight: 500,
    titleColor: INK,
    gradientLength: 200,
    gradientThickness: 10,
    labelFontSize: 11,
    format: scale.format ?? '~g',
    values: scale.ticks ?? [low, high],
  };
  const place = (field: 'x' | 'y', title: string, labels: readonly number[]): object => ({
    field,
    type: 'ordinal',
    title,
    scale: { domain: labels, paddingInner: 0, paddingOuter: 0 },
    axis: { values: ticksOf(labels), labelAngle: 0, ticks: false, domain: false, labelPadding: 4 },
  });
  const spec = {
    data: { values },
    facet: { field: 'panel', type: 'nominal', sort: titles, title: null },
    columns,
    spacing: { row: 26, column: 14 },
    bounds: 'flush',
    spec: {
      width: size,
      height: size,
      view: { fill: '#ffffff', stroke: '#d1d5db' },
      // A thin rim of the cell's colour, by a field of its own for want of a legend: no background shines through.
      mark: { type: 'rect', strokeWidth: 0.6 },
      encoding: {
        x: place('x', chart.xTitle, x),
        y: { ...place('y', chart.yTitle, y), sort: chart.upwards === true ? 'descending' : 'ascending' },
        stroke: { field: 'rim', type: 'quantitative', scale: colors, legend: null },
        color: {
          field: 'value',
          type: 'quantitative',
          scale: colors,
          legend,
        },
      },
    },
    config: { ...CONFIG, header: { labelFontSize: 11.5, labelFontWeight: 500, labelColor: INK, labelPadding: 3 } },
  };
  return spec as unknown as TopLevelSpec;
}
