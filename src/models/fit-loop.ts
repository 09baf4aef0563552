// The loop over epochs and batches that fit and fitDataset share: steps, callbacks, logs, and a turn for the event loop
// between batches. Logs are read from the device when an epoch ends, or when a callback asks.
import { setImmediate as turn } from 'node:timers/promises';
import { performance } from 'node:perf_hooks';
import type { Logs, Params } from '../callbacks/callback.js';
import { CallbackList } from '../callbacks/callback-list.js';
import type { Callback } from '../callbacks/callback.js';
import { History } from '../callbacks/history.js';
import { ProgressLogger } from '../callbacks/progress.js';
import type { Optimizer } from '../optimizers/optimizer.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Batch } from './batches.js';
import type { Compiled } from './compile.js';
import type { YieldEvery } from './fit-args.js';
import type { Model } from './model.js';
import { RunningSums, type SumsState } from './running-sums.js';
import { testStep, trainedParts, trainStep } from './step.js';

/** Batches, made now or awaited. */
export type BatchStream = Iterable<Batch> | AsyncIterable<Batch>;

/** What a training consists of. */
export interface FitPlan {
  readonly model: Model;
  readonly compiled: Compiled;
  readonly optimizer: Optimizer;
  readonly first: number;
  readonly end: number;
  readonly params: Params;
  readonly callbacks: readonly Callback[];
  readonly verbose: 0 | 1 | 2;
  readonly yieldEvery: YieldEvery;
  readonly yieldInterval: number;
  /** One epoch's batches. */
  readonly batches: (epoch: number) => BatchStream;
  /** The inputs of the first samples, as many as a batch has; null where only a pass through the data would give them. */
  readonly firstInputs: (() => readonly Tensor[]) | null;
  /** The validation data's batches; null without. */
  readonly validation: (() => BatchStream) | null;
  /** Where training stands, kept up to date for `trainingState()`. */
  readonly progress: Progress;
}

/** How far a training has come. */
export interface Progress {
  /** Epochs done. */
  epoch: number;
  /** Batches done of the next one, */
  batch: number;
  /** and their sums: those that accumulate, or what is left of them when training was broken off. */
  sums: RunningSums | SumsState | null;
}

function named(names: readonly string[], values: readonly number[], prefix = ''): Logs {
  return Object.fromEntries(names.map((name, i) => [`${prefix}${name}`, values[i] ?? NaN]));
}

/** Losses and metrics over all batches of a stream; the event loop gets its turns. */
export async function evaluateStream(
  model: Model,
  compiled: Compiled,
  batches: BatchStream,
  yieldEvery: YieldEvery = 'auto',
): Promise<number[]> {
  const sums = new RunningSums();
  const trained = trainedParts(model, compiled);
  try {
    for await (const batch of batches) {
      testStep(trained, batch, sums);
      if (yieldEvery !== 'never') await turn();
    }
    return await sums.read();
  } finally {
    sums.dispose();
  }
}

/** Trains. */
export async function runFit(plan: FitPlan): Promise<History> {
  const { model, compiled } = plan;
  const history = new History();
  const printed = plan.verbose === 0 ? [] : [new ProgressLogger(plan.verbose)];
  // The history comes last: it keeps what callbacks add to the logs.
  const list = new CallbackList([...printed, ...plan.callbacks, history]);
  for (const callback of list.callbacks) {
    callback.setParams(plan.params);
    callback.setModel(model);
    callback.setFirstInputs(plan.firstInputs);
  }
  model.stopTraining = false;
  await list.call('onTrainBegin');
  for (let epoch = plan.first; epoch < plan.end && !model.stopTraining; epoch++) {
    await list.call('onEpochBegin', epoch);
    const logs = await trainEpoch(plan, list, epoch);
    if (!model.stopTraining) {
      if (plan.validation !== null) {
        const values = await evaluateStream(model, compiled, plan.validation(), plan.yieldEvery);
        Object.assign(logs, named(compiled.logNames, values, 'val_'));
      }
      Object.assign(plan.progress, { epoch: epoch + 1, batch: 0, sums: null });
    }
    await list.call('onEpochEnd', epoch, logs);
  }
  await list.call('onTrainEnd');
  return history;
}

/** One epoch's steps, until training is to stop; the losses and metrics over them. */
async function trainEpoch(plan: FitPlan, list: CallbackList, epoch: number): Promise<Logs> {
  const { model, compiled, optimizer, yieldEvery, yieldInterval, progress } = plan;
  const { logNames } = compiled;
  const sums = new RunningSums(list.has('onBatchEnd'));
  const trained = trainedParts(model, compiled);
  let lastYield = performance.now();
  let batchNumber = 0;
  const skipped = progress.epoch === epoch ? progress.batch : 0;
  if (progress.sums !== null && !(progress.sums instanceof RunningSums)) sums.restore(progress.sums);
  Object.assign(progress, { epoch, batch: skipped, sums });
  try {
    for await (const batch of plan.batches(epoch)) {
      const { size } = batch;
      if (batchNumber < skipped) {
        batchNumber++;
        continue;
      }
      const counts = { batch: batchNumber, size };
      if (list.has('onBatchBegin')) await list.call('onBatchBegin', batchNumber, { ...counts });
      trainStep(trained, batch, optimizer, sums);
      progress.batch = batchNumber + 1;
      if (list.has('onBatchEnd')) {
        await list.call('onBatchEnd', batchNumber, { ...counts, ...named(logNames, await sums.readLast()) });
      }
      if (yieldEvery !== 'never') await turn();
      if (list.has('onYield') && performance.now() - lastYield >= yieldInterval) {
        await list.call('onYield', epoch, batchNumber, { ...counts, ...named(logNames, await sums.read()) });
        lastYield = performance.now();
      }
      batchNumber++;
      if (model.stopTraining) break;
    }
    const logs = sums.isEmpty ? {} : named(logNames, await sums.read());
    if (yieldEvery === 'epoch') await list.call('onYield', epoch, Math.max(0, batchNumber - 1), { ...logs });
    return logs;
  } finally {
    if (model.stopTraining) progress.sums = await sums.state();
    sums.dispose();
  }
}
