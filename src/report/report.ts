// What a report says, as data: the HTML page, the JSON file and the pictures are three views of one Report. No value here is
// formatted for a page, and nothing here knows which experiment it came from.
import type { Environment } from './environment.js';
import type { Chart } from './chart.js';

/** What one training run recorded. */
export interface RunRecord {
  /** Unique in the report and usable as a file name, as `'elu-he-seed1'`. */
  readonly name: string;
  /** What runs that differ only in their seed share, as `'ELU, He'`. */
  readonly configuration: string;
  readonly seed: number;
  /** One value an epoch by log name: `loss`, `acc`, `val_loss`, `val_acc`. Empty where nothing goes by epochs. */
  readonly history: Readonly<Record<string, readonly number[]>>;
  /** Seconds of each epoch, validation included. */
  readonly secondsPerEpoch: readonly number[];
  /** Single numbers measured after training, by name, as `test_acc`. */
  readonly results: Readonly<Record<string, number>>;
  /** Longer lists that were measured, by name: the errors of many starts, a learnt function's values. */
  readonly lists?: Readonly<Record<string, readonly number[]>>;
  /** What made this run what it is: optimizer, batch size, parameters, ... */
  readonly settings: Readonly<Record<string, string | number | boolean>>;
}

/** Whether what a document claims was seen. `'open'`: this run cannot tell, and the claim's `measured` says why. */
export type Verdict = 'yes' | 'no' | 'partly' | 'open';

/** One row of the table a report ends with. */
export interface Claim {
  /** The document's words, or close to them. */
  readonly claim: string;
  /** What was measured, with numbers. */
  readonly measured: string;
  readonly verdict: Verdict;
}

export type Cell = string | number | undefined;

/** A table: numbers are right-aligned and shown with the column's digits. */
export interface Table {
  readonly caption: string;
  readonly columns: readonly { readonly title: string; readonly digits?: number }[];
  readonly rows: readonly (readonly Cell[])[];
}

/** A picture with its words. */
export interface Figure {
  /** File name without ending; unique in the report. */
  readonly name: string;
  readonly title: string;
  /** What a reader is to see in it. */
  readonly caption: string;
  readonly chart: Chart;
}

/** A part of the page: words, then tables, then pictures. */
export interface Section {
  readonly title: string;
  readonly text: readonly string[];
  readonly tables: readonly Table[];
  readonly figures: readonly Figure[];
}

/** Everything a report says. */
export interface Report {
  /** The experiment's name on the command line. */
  readonly experiment: string;
  readonly title: string;
  /** What is being reproduced. */
  readonly document: string;
  /** What was found, in a few sentences; the first is the one to remember. */
  readonly findings: readonly string[];
  /** The command that makes this report again. */
  readonly command: string;
  readonly sections: readonly Section[];
  readonly claims: readonly Claim[];
  readonly runs: readonly RunRecord[];
  /** Options of the run, by name. */
  readonly settings: Readonly<Record<string, string | number | boolean>>;
  readonly environment: Environment;
  /** ISO dates. */
  readonly started: string;
  readonly finished: string;
  /** Seconds spent, those of interrupted parts included. */
  readonly seconds: number;
}
