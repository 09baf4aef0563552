// Bars that are divided into classes, as Vega-Lite.
import type { TopLevelSpec } from 'vega-lite';
import type { ShareChart } from './chart.js';
import { CONFIG, WIDTH } from './chart-style.js';

const ROW = 19;

/** A divided bar for each row, in the rows' order; the count of the first class stands beside it. */
export function shareSpec({ rows, classes, xTitle }: ShareChart): TopLevelSpec {
  const labels = rows.map(({ label }) => label);
  const values = rows.flatMap(({ label, counts }) => {
    const all = counts.reduce((sum, count) => sum + count, 0);
    return counts.map((count, i) => ({ row: label, what: classes[i]!.label, order: i, share: count / all }));
  });
  const firsts = rows.map(({ label, counts }) => ({ row: label, count: counts[0]! }));
  const spec = {
    width: WIDTH - 110,
    height: { step: ROW },
    encoding: {
      y: {
        field: 'row',
        type: 'nominal',
        sort: labels,
        title: null,
        scale: { domain: labels, paddingInner: 0.22 },
        axis: { ticks: false, domain: false, labelPadding: 8, labelLimit: 240 },
      },
    },
    layer: [
      {
        data: { values },
        mark: { type: 'bar' },
        encoding: {
          x: {
            field: 'share',
            type: 'quantitative',
            title: xTitle,
            scale: { domain: [0, 1], nice: false },
            axis: { format: '.0%', values: [0, 0.25, 0.5, 0.75, 1], grid: false },
          },
          color: {
            field: 'what',
            type: 'nominal',
            scale: { domain: classes.map(({ label }) => label), range: classes.map(({ color }) => color) },
            legend: { columns: 2, symbolType: 'square', symbolSize: 130 },
          },
          order: { field: 'order', type: 'quantitative' },
        },
      },
      {
        data: { values: firsts },
        mark: { type: 'text', align: 'left', dx: 6, fontSize: 11.5, fontWeight: 500 },
        encoding: { x: { datum: 1 }, text: { field: 'count' } },
      },
    ],
    config: CONFIG,
  };
  return spec as unknown as TopLevelSpec;
}
