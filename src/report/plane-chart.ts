// Curves, ways, arrows and bands in a plane with axes of its own, as Vega-Lite: for functions and maps, where a line chart is for
// what goes by epochs.
import type { TopLevelSpec } from 'vega-lite';
import { CONFIG, HEIGHT, INK, WIDTH } from './chart-style.js';

/** What is shown of an axis. */
export interface PlaneAxis {
  readonly title: string;
  readonly domain: readonly [number, number];
  readonly logarithmic?: boolean;
  /** Where ticks are; by default where Vega puts about six. */
  readonly ticks?: readonly number[];
}

/** A line through points in their order. */
export interface PlaneLine {
  /** Lines of one label share colour and dash, and a place in the legend. */
  readonly label: string;
  readonly color: string;
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly dashed?: boolean;
  /** Shows the points too: of a way, whose steps count. The first is a ring. */
  readonly points?: boolean;
}

/** A chart of a plane. */
export interface PlaneChart {
  readonly kind: 'plane';
  readonly x: PlaneAxis;
  readonly y: PlaneAxis;
  readonly lines: readonly PlaneLine[];
  /** Small grey arrows, behind everything. */
  readonly arrows?: readonly { readonly from: readonly [number, number]; readonly to: readonly [number, number] }[];
  /** A shaded stripe of y, with words at its right end. */
  readonly band?: { readonly from: number; readonly to: number; readonly label: string };
  /** A point of interest, with words. */
  readonly mark?: { readonly x: number; readonly y: number; readonly label: string };
}

/** A plane with what lies in it. */
export function planeSpec({ x, y, lines, arrows = [], band, mark }: PlaneChart): TopLevelSpec {
  const labels = [...new Set(lines.map(({ label }) => label))];
  const first = labels.map((label) => lines.find((line) => line.label === label)!);
  const columns = labels.length > 3 ? 2 : labels.length;
  const legend = { columns, symbolType: 'stroke' };
  const scaleOf = ({ domain, logarithmic }: PlaneAxis): object => ({
    domain,
    nice: false,
    ...(logarithmic === true ? { type: 'log' } : { zero: false }),
  });
  const axisOf = ({ ticks }: PlaneAxis, grid: boolean): object => ({
    grid,
    tickCount: 6,
    labelFlush: false,
    format: '~g',
    ...(ticks === undefined ? {} : { values: ticks }),
  });
  const place = (axis: PlaneAxis, name: 'x' | 'y'): object => ({
    field: name,
    type: 'quantitative',
    title: axis.title,
    scale: scaleOf(axis),
    axis: axisOf(axis, name === 'y' && arrows.length === 0),
  });
  const rows = lines.flatMap(({ label, x: xs, y: ys, points }, line) =>
    ys.map((value, i) => ({ label, line, i, x: xs[i]!, y: value, points: points === true, start: i === 0 })),
  );
  const color = {
    field: 'label',
    type: 'nominal',
    scale: { domain: labels, range: first.map((line) => line.color) },
    legend: labels.length > 1 ? legend : null,
  };
  const strokeDash = {
    field: 'label',
    type: 'nominal',
    scale: { domain: labels, range: first.map(({ dashed }) => (dashed === true ? [5, 3] : [1, 0])) },
    legend: labels.length > 1 ? legend : null,
  };
  const both = { x: place(x, 'x'), y: place(y, 'y') };
  const spec = {
    width: WIDTH,
    height: HEIGHT,
    layer: [
      ...bandLayers(band, x),
      ...arrowLayers(arrows, x, y, both),
      {
        data: { values: rows },
        mark: { type: 'line', strokeWidth: 2.25, clip: true },
        encoding: {
          ...both,
          color,
          strokeDash,
          detail: { field: 'line' },
          order: { field: 'i', type: 'quantitative' },
        },
      },
      {
        data: { values: rows.filter(({ points }) => points) },
        mark: { type: 'point', filled: true, size: 34, opacity: 1, clip: true },
        encoding: { ...both, color },
      },
      {
        data: { values: rows.filter(({ points, start }) => points && start) },
        mark: { type: 'point', filled: true, size: 12, opacity: 1, color: '#ffffff', clip: true },
        encoding: both,
      },
      ...markLayers(mark),
    ],
    config: CONFIG,
  };
  return spec as unknown as TopLevelSpec;
}

const quantitative = (field: string): object => ({ field, type: 'quantitative' });

function bandLayers(band: PlaneChart['band'], x: PlaneAxis): object[] {
  if (band === undefined) return [];
  const data = { values: [{ from: band.from, to: band.to, left: x.domain[0], right: x.domain[1], text: band.label }] };
  return [
    {
      data,
      mark: { type: 'rect', color: '#fdf0cc', opacity: 0.8 },
      encoding: { x: quantitative('left'), x2: { field: 'right' }, y: quantitative('from'), y2: { field: 'to' } },
    },
    {
      data,
      mark: { type: 'text', align: 'right', baseline: 'bottom', dx: -4, dy: -3, color: '#6b4e00', fontSize: 11.5 },
      encoding: { x: quantitative('right'), y: quantitative('from'), text: { field: 'text' } },
    },
  ];
}

/** Arrows as lines with heads that are turned as the axes' units ask for. */
function arrowLayers(arrows: NonNullable<PlaneChart['arrows']>, x: PlaneAxis, y: PlaneAxis, both: object): object[] {
  const share = (value: number, { domain }: PlaneAxis): number => (value - domain[0]) / (domain[1] - domain[0]);
  const values = arrows.map(({ from, to }) => {
    const across = (share(to[0], x) - share(from[0], x)) * WIDTH;
    const up = (share(to[1], y) - share(from[1], y)) * HEIGHT;
    const degrees = (Math.atan2(across, up) * 180) / Math.PI;
    return { x: from[0], y: from[1], toX: to[0], toY: to[1], degrees };
  });
  if (values.length === 0) return [];
  return [
    {
      data: { values },
      mark: { type: 'rule', color: '#9ca3af', strokeWidth: 1.1, clip: true },
      encoding: { ...both, x2: { field: 'toX' }, y2: { field: 'toY' } },
    },
    {
      data: { values },
      mark: { type: 'point', shape: 'triangle', filled: true, color: '#9ca3af', size: 26, opacity: 1, clip: true },
      encoding: {
        x: quantitative('toX'),
        y: quantitative('toY'),
        angle: { field: 'degrees', type: 'quantitative', scale: { domain: [0, 360], range: [0, 360] } },
      },
    },
  ];
}

function markLayers(mark: PlaneChart['mark']): object[] {
  if (mark === undefined) return [];
  const data = { values: [mark] };
  const at = { x: quantitative('x'), y: quantitative('y') };
  return [
    { data, mark: { type: 'point', shape: 'cross', filled: true, size: 120, color: INK, opacity: 1 }, encoding: at },
    {
      data,
      mark: { type: 'text', align: 'left', dx: 9, dy: 11, color: INK, fontSize: 12, fontWeight: 600 },
      encoding: { ...at, text: { field: 'label' } },
    },
  ];
}
