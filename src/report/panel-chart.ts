// Small pictures of functions side by side, as Vega-Lite.
import type { TopLevelSpec } from 'vega-lite';
import type { PanelChart } from './chart.js';
import { CONFIG, finite, GRID, INK, isInPlot, panelSize } from './chart-style.js';

/** How wide a panel is for its height. */
const ASPECT = 1.15;

/** Small multiples of lines. */
export function panelSpec(chart: PanelChart): TopLevelSpec {
  const { panels, backdrop, columns } = chart;
  const titles = panels.map(({ title }) => title);
  const all = [...(backdrop === undefined ? [] : [backdrop]), ...panels.flatMap(({ series }) => series)];
  const labels = [...new Set(all.map(({ label }) => label))];
  const first = labels.map((label) => all.find((series) => series.label === label)!);
  const rows = panels.flatMap(({ title, series }) =>
    series
      .filter(({ y }) => isInPlot(y, chart.yDomain))
      .flatMap(({ label, x, y }) =>
        y.map((value, i) => ({ panel: title, label, x: x?.[i] ?? i + 1, y: finite(value) })),
      ),
  );
  const behind = backdrop?.y.map((value, i) => ({ label: backdrop.label, x: backdrop.x?.[i] ?? i + 1, y: value }));
  const width = panelSize(columns);
  const axis = (title: string, domain: readonly [number, number]): object => ({
    title,
    scale: { domain, nice: false },
    axis: { tickCount: 3, grid: true, gridColor: GRID, labelFlush: true },
  });
  const spec = {
    data: { values: rows },
    facet: { field: 'panel', type: 'nominal', sort: titles, title: null },
    columns,
    spacing: { row: 14, column: 14 },
    spec: {
      width,
      height: Math.round(width / ASPECT),
      encoding: {
        x: { field: 'x', type: 'quantitative', ...axis(chart.xTitle, chart.xDomain) },
        y: { field: 'y', type: 'quantitative', ...axis(chart.yTitle, chart.yDomain) },
        color: {
          field: 'label',
          type: 'nominal',
          scale: { domain: labels, range: first.map(({ color }) => color) },
          legend: { columns: 2, symbolType: 'stroke', symbolOpacity: 1 },
        },
      },
      layer: [
        ...(behind === undefined
          ? []
          : [{ data: { values: behind }, mark: { type: 'line', strokeWidth: 7, opacity: 0.9, clip: true } }]),
        { mark: { type: 'line', strokeWidth: 1.75, clip: true } },
      ],
    },
    config: { ...CONFIG, header: { labelFontSize: 12.5, labelFontWeight: 500, labelColor: INK, labelPadding: 4 } },
  };
  return spec as unknown as TopLevelSpec;
}
