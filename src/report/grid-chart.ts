// A grid of outcomes, as Vega-Lite: what came of each pair of a row and a column, as a colour and words.
import type { TopLevelSpec } from 'vega-lite';
import type { GridChart } from './chart.js';
import { CONFIG, GRID, INK, WIDTH } from './chart-style.js';

const ROW = 40;
/** What the names of the rows may take of the width. */
const LABELS = 150;

/** Cells in the rows' and columns' order; a pair that was not tried is left blank. */
export function gridSpec({ rows, columns, classes, cells, xTitle }: GridChart): TopLevelSpec {
  const values = cells.flatMap((row, i) =>
    row.flatMap((cell, j) =>
      cell === undefined
        ? []
        : [{ row: rows[i]!, column: columns[j]!, what: classes[cell.class]!.label, text: cell.text, note: cell.note }],
    ),
  );
  const shown = classes.filter(({ label }) => values.some(({ what }) => what === label));
  const place = (field: 'row' | 'column', labels: readonly string[]): object => ({
    field,
    type: 'nominal',
    sort: labels,
    scale: { domain: labels, paddingInner: 0.06, paddingOuter: 0.03 },
  });
  const axis = { ticks: false, domain: false, labelPadding: 8, labelLimit: 2 * LABELS };
  const words = { type: 'text', color: INK } as const;
  const spec = {
    width: WIDTH + 70 - LABELS,
    height: { step: ROW },
    data: { values },
    encoding: {
      y: { ...place('row', rows), title: null, axis },
      x: { ...place('column', columns), title: xTitle, axis: { ...axis, labelAngle: 0 } },
    },
    layer: [
      {
        mark: { type: 'rect', stroke: GRID, strokeWidth: 0.5, cornerRadius: 4 },
        encoding: {
          color: {
            field: 'what',
            type: 'nominal',
            scale: { domain: shown.map(({ label }) => label), range: shown.map(({ color }) => color) },
            legend: { columns: 2, symbolType: 'square', symbolSize: 130 },
          },
        },
      },
      { mark: { ...words, dy: -7, fontSize: 12, fontWeight: 600 }, encoding: { text: { field: 'text' } } },
      { mark: { ...words, dy: 8, fontSize: 11 }, encoding: { text: { field: 'note' } } },
    ],
    config: CONFIG,
  };
  return spec as unknown as TopLevelSpec;
}
