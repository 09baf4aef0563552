// One training run of an experiment: told about while it goes on, saved after every epoch and when it is to stop, and continued
// from there bit for bit. The checkpoint is a safetensors file: the training's tensors, and in its notes the recorded history.
import { existsSync } from 'node:fs';
import { Callback, type Logs } from '../callbacks/callback.js';
import { failure } from '../errors.js';
import { readSafetensors, writeSafetensors } from '../files/safetensors.js';
import type { ModelFitArgs } from '../models/fit-args.js';
import type { Feed } from '../models/feed.js';
import type { Model } from '../models/model.js';
import type { TrainingState } from '../models/training-state.js';
import { parseExactly, stringifyExactly } from './exact-json.js';
import { Interrupted, type RunContext } from './experiment.js';

/** What a training run records, epoch by epoch. */
export interface Recorded {
  readonly history: Record<string, number[]>;
  readonly secondsPerEpoch: number[];
}

/** A training run to do. */
export interface TrialPlan {
  /** Unique in the run, and usable as a file name. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** Counts from 1. */
  readonly index: number;
  readonly of: number;
  /** Compiled, with its first weights; the same ones whenever the trial is begun. */
  readonly model: Model;
  readonly x: Feed;
  readonly y: Feed;
  readonly epochs: number;
  /** Batches of an epoch. */
  readonly batches: number;
  readonly fit: Pick<ModelFitArgs, 'batchSize' | 'stepsPerEpoch' | 'validationSplit' | 'validationData' | 'shuffle'>;
  /** Those with something to remember must be the same, in the same order, when the trial goes on. */
  readonly callbacks?: readonly Callback[];
  /** Whether a callback has ended the training. */
  readonly hasStopped?: () => boolean;
}

/** The notes of a checkpoint file. */
interface Notes {
  readonly trial: string;
  readonly state: TrainingState['values'];
  /** Names of the state's tensors, in its order: the file has an order of its own. */
  readonly order: readonly string[];
  readonly recorded: Recorded;
  /** Seconds spent on the epoch under way. */
  readonly elapsed: number;
}

/** Watches a training: tells, records, saves. Comes last among the callbacks, so that it saves what they remember. */
class TrialWatch extends Callback {
  private begun = 0;
  private readonly stop = (): void => {
    this.model.stopTraining = true;
  };

  constructor(
    private readonly context: RunContext,
    private readonly plan: TrialPlan,
    readonly recorded: Recorded,
    private elapsed: number,
  ) {
    super();
  }

  get doneEpochs(): number {
    return this.recorded.secondsPerEpoch.length;
  }

  override onTrainBegin(): void {
    if (this.context.signal.aborted) this.stop();
    else this.context.signal.addEventListener('abort', this.stop);
  }
  override onTrainEnd(): void {
    this.context.signal.removeEventListener('abort', this.stop);
  }
  override onEpochBegin(): void {
    this.begun = performance.now() - 1000 * this.elapsed;
    this.elapsed = 0;
  }
  override onYield(epoch: number, batch: number): void {
    this.context.tell({ event: 'batch', trial: this.plan.name, epoch: epoch + 1, batch: batch + 1 });
  }

  override async onEpochEnd(epoch: number, logs: Logs = {}): Promise<void> {
    const { plan, context, recorded } = this;
    const seconds = (performance.now() - this.begun) / 1000;
    const state = await plan.model.trainingState();
    const isWhole = state.values['epoch'] === epoch + 1;
    if (isWhole) {
      for (const [name, value] of Object.entries(logs)) (recorded.history[name] ??= []).push(value);
      recorded.secondsPerEpoch.push(seconds);
      const { name: trial, epochs } = plan;
      context.tell({ event: 'epoch', trial, epoch: epoch + 1, epochs, logs: { ...logs }, seconds });
    }
    // Of a training that a callback has ended there is nothing to go on with: after a crash its last epoch is done again,
    // and the callback ends it again.
    if (plan.hasStopped?.() !== true) this.save(state, isWhole ? 0 : seconds);
    for (const { tensor } of state.tensors) tensor.dispose();
    context.folder.save();
  }

  private save({ values, tensors }: TrainingState, elapsed: number): void {
    const { plan, context, recorded } = this;
    const order = tensors.map(({ name }) => name);
    const notes: Notes = { trial: plan.name, state: values, order, recorded, elapsed };
    const named = tensors.map(({ name, tensor }) => [name, tensor] as const);
    writeSafetensors(context.folder.checkpoint(plan.name), named, { selfnorm: stringifyExactly(notes) });
  }
}

/** Puts a checkpoint's state into the model. */
async function restore(path: string, { name, model }: TrialPlan): Promise<Notes> {
  const { tensors, metadata } = readSafetensors(path);
  try {
    const notes = parseExactly(metadata['selfnorm'] ?? 'null') as Partial<Notes> | null;
    if (notes?.trial !== name) throw failure('ERR_FILE_FORMAT', 'run', `${path}: not a checkpoint of ${name}`);
    const list = notes.order!.map((each) => {
      const tensor = tensors.get(each);
      if (tensor === undefined) throw failure('ERR_FILE_FORMAT', 'run', `${path}: expected a tensor ${each}, got none`);
      return { name: each, tensor };
    });
    await model.setTrainingState({ values: notes.state!, tensors: list });
    return notes as Notes;
  } finally {
    for (const tensor of tensors.values()) tensor.dispose();
  }
}

/**
 * Trains the plan's model, from the trial's checkpoint if there is one.
 * @returns What was recorded; the model has its last weights, or those that a callback put back.
 * @throws Interrupted when the run is to stop; the checkpoint is written then.
 */
export async function runTrial(context: RunContext, plan: TrialPlan): Promise<Recorded> {
  if (context.signal.aborted) throw new Interrupted();
  const path = context.folder.checkpoint(plan.name);
  const notes = existsSync(path) ? await restore(path, plan) : undefined;
  const recorded = notes?.recorded ?? { history: {}, secondsPerEpoch: [] };
  const watch = new TrialWatch(context, plan, recorded, notes?.elapsed ?? 0);
  const { name: trial, title, index, of, epochs, batches } = plan;
  const doneBatches = (notes?.state['batch'] as number | undefined) ?? 0;
  const { doneEpochs } = watch;
  context.tell({ event: 'trial', trial, title, index, of, epochs, batches, doneEpochs, doneBatches });
  await plan.model.fit(plan.x, plan.y, {
    ...plan.fit,
    epochs,
    initialEpoch: doneEpochs,
    verbose: 0,
    callbacks: [...(plan.callbacks ?? []), watch],
  });
  if (watch.doneEpochs < epochs && plan.hasStopped?.() !== true) throw new Interrupted();
  return recorded;
}
