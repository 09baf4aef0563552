// How every chart looks: sizes, font, ink, axes and legends.
import type { TopLevelSpec } from 'vega-lite';

export const WIDTH = 330;
export const HEIGHT = 210;
const FONT = 'Inter, system-ui, sans-serif';
export const INK = '#1f2937';
export const GRID = '#e5e7eb';

export const CONFIG: TopLevelSpec['config'] = {
  font: FONT,
  background: '#ffffff',
  view: { stroke: null },
  axis: {
    labelFontSize: 12,
    titleFontSize: 12,
    titleFontWeight: 500,
    labelColor: INK,
    titleColor: INK,
    gridColor: GRID,
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
export const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** The width of one of several panels side by side. */
export const panelSize = (columns: number): number => Math.floor((WIDTH - 12 * (columns - 1)) / columns);

/**
 * Whether any of a line lies in the plot. One that lies wholly outside must not be drawn: resvg ends the process over a path of
 * which clipping leaves nothing.
 */
export function isInPlot(y: readonly (number | null)[], domain: readonly [number, number] | undefined): boolean {
  if (domain === undefined) return true;
  const [low, high] = domain;
  return y.some((value, i) => {
    if (value === null || !Number.isFinite(value)) return false;
    const before = y[i - 1] ?? value;
    return Math.min(before, value) <= high && Math.max(before, value) >= low;
  });
}
