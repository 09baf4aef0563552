// Options of fit, fitDataset, evaluate and predict, and their checks.
import { invalid } from '../errors.js';
import type { CallbackLike } from '../callbacks/callback-list.js';
import type { DistributedOptions } from './data-parallel.js';
import type { Feed } from './feed.js';
import type { ClassWeights } from './training-data.js';

/** An AbortSignal, where the program's types have one: those of Node and of browsers do, and ours shall not need them. */
export type StopSignal = typeof globalThis extends { AbortSignal: { prototype: infer Signal } } ? Signal : object;

/** When `onYield` is called: 8 times a second, after every batch, every epoch, never, or every so many milliseconds. */
export type YieldEvery = 'auto' | 'batch' | 'epoch' | 'never' | number;

/** What every kind of training takes. */
export interface EpochArgs {
  /** The epoch to end at (default 1): with `initialEpoch` fewer are trained. */
  epochs?: number;
  /** The first epoch's number (default 0): to go on with a training. */
  initialEpoch?: number;
  /** 0: nothing is printed; 1: a progress bar, where standard error is a terminal (default); 2: a line each epoch. */
  verbose?: 0 | 1 | 2;
  callbacks?: CallbackLike | readonly CallbackLike[];
  /** Default 'auto'. The event loop gets a turn after every batch, save with 'never'. */
  yieldEvery?: YieldEvery;
  /** Weights of classes: a sample counts as its class. */
  classWeight?: ClassWeights;
  /**
   * Ends training after the step under way, as `stopTraining` does: callbacks see the epoch and the training end, the weights are those
   * of the last step, and `trainingState()` goes on from it. Then the promise is rejected with the signal's reason.
   */
  signal?: StopSignal | null;
  /**
   * True: train together with the other processes of the job (docs/distributed.md). Every rank passes the same data and
   * options and takes its part of each batch; weights, logs and stopping are the same on all of them, as if one process had
   * trained on whole batches. Default false.
   */
  distributed?: boolean | DistributedOptions;
}

/** Options of `fit`. */
export interface ModelFitArgs extends EpochArgs {
  /** Samples a step (default 32), of all processes together. More than there are make one batch. */
  batchSize?: number;
  /** Whether samples come in a new order each epoch (default true). */
  shuffle?: boolean;
  /** Of the orders. Without it they follow from `setSeed()`. */
  seed?: number;
  /** Share of the samples, the last ones before shuffling, that is kept for validation. */
  validationSplit?: number;
  /** [x, y] or [x, y, sampleWeight]; goes before validationSplit. */
  validationData?: readonly [Feed, Feed] | readonly [Feed, Feed, Feed];
  /** One weight a sample `[samples]` or for each of its losses; one for all outputs, or by output. */
  sampleWeight?: Feed;
  /** Batches an epoch (default: all). */
  stepsPerEpoch?: number;
}

/** Options of `evaluate`. */
export interface ModelEvaluateArgs {
  /** Samples at a time (default 32). */
  batchSize?: number;
  sampleWeight?: Feed;
  /** Batches after which evaluation ends (default: all). */
  steps?: number;
  /** Throws its reason when it is aborted already; what runs synchronously cannot be aborted on its way. */
  signal?: StopSignal | null;
  /** Taken for tfjs's sake; nothing is printed. */
  verbose?: number;
}

/** Options of `predict`. */
export interface ModelPredictArgs {
  /** Samples at a time (default 32). */
  batchSize?: number;
  /** Throws its reason when it is aborted already; what runs synchronously cannot be aborted on its way. */
  signal?: StopSignal | null;
  /** Taken for tfjs's sake; nothing is printed. */
  verbose?: boolean | number;
}

/** Options of `trainOnBatch` and `testOnBatch`. */
export interface BatchArgs {
  sampleWeight?: Feed;
  classWeight?: ClassWeights;
}

/** A count with its default. */
export function countOf(op: string, argument: string, value: unknown, otherwise: number, least = 1): number {
  if (value === undefined || value === null) return otherwise;
  if (Number.isSafeInteger(value) && (value as number) >= least) return value as number;
  throw invalid('ERR_ARGUMENT', op, argument, `an integer of at least ${least}`, value);
}

/** The epochs to train: from the first up to the last. */
export function epochRange(op: string, { epochs, initialEpoch }: EpochArgs): { first: number; end: number } {
  return { first: countOf(op, 'initialEpoch', initialEpoch, 0, 0), end: countOf(op, 'epochs', epochs, 1, 0) };
}

/** Milliseconds between calls of onYield: Infinity for never, 0 for each batch. */
export function yieldInterval(op: string, given: unknown): number {
  if (given === undefined || given === 'auto') return 125;
  if (given === 'batch') return 0;
  if (given === 'epoch' || given === 'never') return Infinity;
  if (typeof given === 'number' && given > 0) return given;
  throw invalid('ERR_ARGUMENT', op, 'yieldEvery', "'auto', 'batch', 'epoch', 'never' or milliseconds", given);
}

/**
 * The signal that may end a call; null without.
 * @throws Its reason when it is aborted already: nothing has begun.
 */
export function signalOf(op: string, given: unknown): AbortSignal | null {
  if (given === undefined || given === null) return null;
  if (!(given instanceof AbortSignal)) throw invalid('ERR_ARGUMENT', op, 'signal', 'an AbortSignal', given);
  given.throwIfAborted();
  return given;
}

/** How much is printed. */
export function verbosity(op: string, verbose: unknown): 0 | 1 | 2 {
  if (verbose === undefined || verbose === null) return 1;
  if (verbose === 0 || verbose === 1 || verbose === 2) return verbose;
  throw invalid('ERR_ARGUMENT', op, 'verbose', '0, 1 or 2', verbose);
}

/** Refuses data that belongs in another call. */
export function requireObject(op: string, args: unknown): void {
  if (args === undefined || (typeof args === 'object' && args !== null && !Array.isArray(args))) return;
  throw invalid('ERR_ARGUMENT', op, 'args', 'an object of options', args);
}
