// What an experiment is to the command line: a name, a document, three sizes, and a run that tells what it does while it does
// it and gives a report.
import type { Report } from '../report/report.js';
import type { RunFolder } from './run-folder.js';

/** How much to run: minutes on a CPU, what shows the document's point, the document's own size. */
export type Size = 'quick' | 'default' | 'full';

/** What a run was asked for. With the package's version and the device it decides every number in the report. */
export interface RunSettings {
  readonly experiment: string;
  readonly size: Size;
  /** At most so many epochs in each training run; by default what the size says. */
  readonly epochs?: number;
  /** At most so many steps in each fit, where there are no epochs; by default what the size says. */
  readonly steps?: number;
  /** The first seed. */
  readonly seed: number;
  /** How many seeds, counting up from the first; by default what the size says. */
  readonly seeds?: number;
  /** `'cpu'` or `'cuda:N'`. */
  readonly device: string;
  /** How many training samples to use, from the first on; all by default. */
  readonly limit?: number;
}

/** What happens during a run, in order. */
export type RunEvent =
  | {
      readonly event: 'run';
      readonly settings: RunSettings;
      readonly folder: string;
      readonly trials: number;
      readonly finished: number;
    }
  | { readonly event: 'message'; readonly text: string }
  | {
      readonly event: 'trial';
      readonly trial: string;
      readonly title: string;
      /** Counts from 1. */
      readonly index: number;
      readonly of: number;
      readonly epochs: number;
      /** Batches of an epoch. */
      readonly batches: number;
      /** Where it goes on: epochs that are done, and batches of the next one. */
      readonly doneEpochs: number;
      readonly doneBatches: number;
    }
  | { readonly event: 'batch'; readonly trial: string; readonly epoch: number; readonly batch: number }
  | {
      readonly event: 'epoch';
      readonly trial: string;
      /** Counts from 1. */
      readonly epoch: number;
      readonly epochs: number;
      readonly logs: Readonly<Record<string, number>>;
      readonly seconds: number;
    }
  | { readonly event: 'trial-end'; readonly trial: string; readonly results: Readonly<Record<string, number>> };

/** What a run works with. */
export interface RunContext {
  readonly settings: RunSettings;
  /** Where data sets lie, if not in their usual place. */
  readonly data?: string;
  readonly folder: RunFolder;
  /** Aborted when the run is to stop after the batch under way. */
  readonly signal: AbortSignal;
  readonly tell: (event: RunEvent) => void;
}

/** Does an experiment and says what came of it. @throws Interrupted when the signal stopped it and its state is saved. */
export type Run = (context: RunContext) => Promise<Report>;

/** An option that not every experiment has a use for. */
export type ExperimentOption = 'epochs' | 'steps' | 'seeds' | 'limit' | 'data';

/** An experiment as the registry lists it. */
export interface Experiment {
  /** As the command line takes it: `mnist-elu`. */
  readonly name: string;
  /** The document whose claims it checks. */
  readonly document: string;
  readonly description: string;
  /** What each size runs. */
  readonly sizes: Readonly<Record<Size, string>>;
  /** The options it takes beside those of every experiment. */
  readonly options: readonly ExperimentOption[];
  /** Loads the library and the experiment. */
  load(): Promise<Run>;
}

/** The run was told to stop, and has saved where it was. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  constructor() {
    super('interrupted');
  }
}
