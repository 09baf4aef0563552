// Charts as data. A chart is small on purpose: drawn about 400 units wide, so that its words stay readable when a phone shows it
// in full width.
import type { PlaneChart } from './plane-chart.js';

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
  /** Logarithmic axes; x is not in whole numbers then, nor marked as such. */
  readonly logarithmic?: 'x' | 'y' | 'both';
  /** What to show of x; by default from 1 to the last value. */
  readonly xDomain?: readonly [number, number];
  /** A thin horizontal line to hold the others against; its name stands below its left end. */
  readonly level?: { readonly y: number; readonly label: string };
  /** Draws the single runs too, thin behind their mean. */
  readonly showRuns?: boolean;
  /** Shades what lies between the lowest and the highest run of a label. */
  readonly showBand?: boolean;
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

/** Small pictures of functions side by side, on the same axes. */
export interface PanelChart {
  readonly kind: 'panels';
  readonly xTitle: string;
  readonly yTitle: string;
  readonly columns: number;
  readonly panels: readonly { readonly title: string; readonly series: readonly Series[] }[];
  /** What each panel has behind its lines, as the function to be learnt. */
  readonly backdrop?: Series;
  readonly xDomain: readonly [number, number];
  readonly yDomain: readonly [number, number];
}

/** Small maps side by side, on the same axes: a plane cut into cells, each of one class. */
export interface MapChart {
  readonly kind: 'maps';
  readonly xTitle: string;
  readonly yTitle: string;
  readonly columns: number;
  /** Classes by number, in the order of the legend. */
  readonly classes: readonly { readonly label: string; readonly color: string }[];
  /** Middles of the cells, ascending and evenly far apart on their axis. */
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly logarithmicY?: boolean;
  /** Places that are marked in every panel. */
  readonly rings?: readonly { readonly x: number; readonly y: number }[];
  readonly panels: readonly {
    readonly title: string;
    /** `cells[i][j]` is the class at `y[i]` and `x[j]`. */
    readonly cells: readonly (readonly number[])[];
    /** A way over the map, from a ring to a disc. */
    readonly path?: { readonly x: readonly number[]; readonly y: readonly number[] };
  }[];
}

/** A bar for each row, divided into classes. */
export interface ShareChart {
  readonly kind: 'shares';
  readonly xTitle: string;
  readonly classes: readonly { readonly label: string; readonly color: string }[];
  /** `counts[i]` is of class `i`. */
  readonly rows: readonly { readonly label: string; readonly counts: readonly number[] }[];
}

/** What came of each pair of a row and a column. */
export interface GridChart {
  readonly kind: 'grid';
  readonly xTitle: string;
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  /** Classes by number, in the order of the legend. Colours are backgrounds: light ones. */
  readonly classes: readonly { readonly label: string; readonly color: string }[];
  /** `cells[i][j]` is of row `i` and column `j`: a class, words, and smaller words below. Undefined: not tried. */
  readonly cells: readonly (readonly (
    { readonly class: number; readonly text: string; readonly note?: string } | undefined
  )[])[];
}

/** Numbers as colours over two counted axes, panels side by side. */
export interface HeatChart {
  readonly kind: 'heat';
  readonly xTitle: string;
  readonly yTitle: string;
  readonly columns: number;
  /** What the columns and rows of cells are counted by: steps, layers, classes. */
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** Whether y goes up, as in a plot; by default the first row is on top, as in a table. */
  readonly upwards?: boolean;
  /** The colours: around the middle of the domain, or rising. What lies outside gets the colour of the end. */
  readonly scale: {
    readonly kind: 'diverging' | 'rising';
    readonly title: string;
    readonly domain: readonly [number, number];
    readonly logarithmic?: boolean;
    readonly ticks?: readonly number[];
    readonly format?: string;
  };
  /** `cells[i][j]` belongs to `y[i]` and `x[j]`; undefined leaves it blank. */
  readonly panels: readonly {
    readonly title: string;
    readonly cells: readonly (readonly (number | undefined)[])[];
  }[];
}

export type Chart = LineChart | DotChart | PanelChart | MapChart | ShareChart | PlaneChart | GridChart | HeatChart;

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
