// Dot charts as Vega-Lite.
import type { TopLevelSpec } from 'vega-lite';
import type { DotChart } from './chart.js';
import { CONFIG, INK, WIDTH } from './chart-style.js';

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Dots by category. */
export function dotSpec(chart: DotChart): TopLevelSpec {
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
        axis: { grid: true, labelLimit: 300, ticks: false, domain: false, labelPadding: 8 },
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
