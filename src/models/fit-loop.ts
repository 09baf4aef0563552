// The loop over epochs and batches that fit and fitDataset share: steps, callbacks, logs, and a turn for the event loop
// between batches. Logs are read from the device when an epoch ends, or when a callback asks.
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
import type { DataParallel } from './data-parallel.js';
import type { YieldEvery } from './fit-args.js';
import { untilAborted } from './until-aborted.js';
import type { Model } from './model.js';
import { RunningSums, type SumsState } from './running-sums.js';
import { testStep, trainedParts, trainStep, type Trained } from './step.js';
import { stepKey, Steps } from './steps.js';
import type { Samples } from './training-data.js';

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
  /** Ends the training after the step under way; null without. */
  readonly signal: AbortSignal | null;
  /** The other processes that take part; null: this one trains alone. */
  readonly parallel: DataParallel | null;
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

/** Takes test steps on batches of one source; each pass gives the losses and metrics over it. */
export class Evaluation {
  private readonly sums: RunningSums;
  private readonly steps: Steps;
  private trained: Trained | null = null;

  constructor(
    private readonly model: Model,
    private readonly compiled: Compiled,
    private readonly parallel: DataParallel | null = null,
  ) {
    this.sums = new RunningSums(false, parallel !== null);
    const test = (samples: Samples): void => testStep(this.trained!, samples, this.sums);
    const forms = (): Trained['forms'] => this.trained!.forms;
    this.steps = new Steps(`${model.name}: evaluation`, this.sums, forms, test, compiled.runEagerly);
  }

  /** The event loop gets its turns. A pass that a signal ends is over fewer batches. */
  async over(batches: BatchStream, yieldEvery: YieldEvery, signal: AbortSignal | null): Promise<number[]> {
    this.sums.reset();
    this.trained = trainedParts(this.model, this.compiled, this.parallel);
    this.steps.follow(stepKey(this.trained));
    for await (const batch of untilAborted(batches, signal)) {
      if (yieldEvery === 'never') this.steps.start(batch);
      else await this.steps.take(batch);
    }
    const values = await this.sums.read();
    this.steps.check();
    return values;
  }

  dispose(): void {
    this.steps.dispose();
    this.sums.dispose();
  }
}

/** What ends a pass through batches at once. Several processes end it together, after a batch that they agree on. */
const endOf = ({ signal, parallel }: FitPlan): AbortSignal | null => (parallel === null ? signal : null);

/** What goes through all epochs of a training. */
interface Run {
  readonly plan: FitPlan;
  readonly list: CallbackList;
  readonly sums: RunningSums;
  readonly steps: Steps;
  trained: Trained;
}

/**
 * Trains.
 * @throws The signal's reason when it ended the training; callbacks have seen it end by then.
 */
export async function runFit(plan: FitPlan): Promise<History> {
  const { model, compiled, optimizer, signal, parallel } = plan;
  const history = new History();
  const writes = parallel?.isFirst !== false;
  const printed = plan.verbose === 0 || !writes ? [] : [new ProgressLogger(plan.verbose)];
  const called = plan.callbacks.filter(({ onFirstRank }) => writes || !onFirstRank);
  // The history comes last: it keeps what callbacks add to the logs.
  const list = new CallbackList([...printed, ...called, history]);
  for (const callback of list.callbacks) {
    callback.setParams(plan.params);
    callback.setModel(model);
    callback.setFirstInputs(plan.firstInputs);
  }
  const sums = new RunningSums(list.has('onBatchEnd'), parallel !== null);
  const train = (samples: Samples): void => trainStep(run.trained, samples, optimizer, sums);
  const steps = new Steps(`${model.name}.fit`, sums, () => run.trained.forms, train, compiled.runEagerly);
  const run: Run = { plan, list, sums, steps, trained: trainedParts(model, compiled, parallel) };
  const evaluation = plan.validation === null ? null : new Evaluation(model, compiled, parallel);
  const stop = (): void => void (model.stopTraining = true);
  try {
    if (parallel === null) signal?.throwIfAborted();
    model.stopTraining = signal?.aborted === true;
    signal?.addEventListener('abort', stop);
    await list.call('onTrainBegin');
    await parallel?.agreeOnStop(model);
    for (let epoch = plan.first; epoch < plan.end && !model.stopTraining; epoch++) {
      await list.call('onEpochBegin', epoch);
      const logs = await trainEpoch(run, epoch);
      let brokenOff: boolean = model.stopTraining;
      if (!brokenOff && evaluation !== null) {
        Object.assign(logs, await validate(run, evaluation));
        // Its steps are taken, but it is not over: it goes on with its validation.
        brokenOff = endOf(plan)?.aborted === true;
        if (brokenOff) plan.progress.sums = await sums.state();
      }
      if (!brokenOff) Object.assign(plan.progress, { epoch: epoch + 1, batch: 0, sums: null });
      for (const callback of list.callbacks) callback.brokenOff = brokenOff;
      await list.call('onEpochEnd', epoch, logs);
      await parallel?.agreeOnStop(model);
    }
    await list.call('onTrainEnd');
    signal?.throwIfAborted();
    return history;
  } finally {
    signal?.removeEventListener('abort', stop);
    evaluation?.dispose();
    steps.dispose();
    sums.dispose();
  }
}

/** The losses and metrics over the validation data; none when a signal ended the pass. */
async function validate({ plan, list }: Run, evaluation: Evaluation): Promise<Logs> {
  const { compiled, yieldEvery } = plan;
  const signal = endOf(plan);
  let logs: Logs = {};
  try {
    await list.call('onTestBegin');
    const values = await evaluation.over(plan.validation!(), yieldEvery, signal);
    if (signal?.aborted !== true) logs = named(compiled.logNames, values, 'val_');
  } finally {
    await list.call('onTestEnd', { ...logs });
  }
  return logs;
}

/** One epoch's steps, until training is to stop; the losses and metrics over them. */
async function trainEpoch(run: Run, epoch: number): Promise<Logs> {
  const { plan, list, sums, steps } = run;
  const { model, compiled, yieldEvery, yieldInterval, progress, parallel } = plan;
  const { logNames } = compiled;
  sums.reset();
  const follow = (): void => {
    run.trained = trainedParts(model, compiled, parallel);
    steps.follow(stepKey(run.trained));
  };
  follow();
  const watched = list.has('onBatchBegin') || list.has('onBatchEnd');
  let lastYield = performance.now();
  let batchNumber = 0;
  const skipped = progress.epoch === epoch ? progress.batch : 0;
  if (progress.sums !== null && !(progress.sums instanceof RunningSums)) sums.restore(progress.sums);
  Object.assign(progress, { epoch, batch: skipped, sums });
  try {
    for await (const batch of untilAborted(plan.batches(epoch), endOf(plan))) {
      const { size } = batch;
      if (batchNumber < skipped) {
        batchNumber++;
        continue;
      }
      const counts = { batch: batchNumber, size };
      if (list.has('onBatchBegin')) await list.call('onBatchBegin', batchNumber, { ...counts });
      // A callback may have changed what the step does.
      if (watched) follow();
      if (yieldEvery === 'never') steps.start(batch);
      else await steps.take(batch);
      progress.batch = batchNumber + 1;
      if (list.has('onBatchEnd')) {
        await list.call('onBatchEnd', batchNumber, { ...counts, ...named(logNames, await sums.readLast()) });
      }
      if (list.has('onYield') && performance.now() - lastYield >= yieldInterval) {
        await list.call('onYield', epoch, batchNumber, { ...counts, ...named(logNames, await sums.read()) });
        lastYield = performance.now();
      }
      batchNumber++;
      if (parallel === null ? model.stopTraining : await parallel.stopsAfter(model, batchNumber)) break;
    }
    const logs = sums.isEmpty ? {} : named(logNames, await sums.read());
    steps.check();
    await parallel?.settleEpoch(model);
    Object.assign(logs, await plan.optimizer.lossScalingLogs());
    if (yieldEvery === 'epoch') await list.call('onYield', epoch, Math.max(0, batchNumber - 1), { ...logs });
    return logs;
  } finally {
    if (model.stopTraining) progress.sums = await sums.state();
  }
}
