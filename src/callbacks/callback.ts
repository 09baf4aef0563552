// What training tells: hooks around training, epochs and batches, as in tfjs. A callback overrides those it needs; what none
// overrides costs nothing, so losses of single batches are read from the device only when somebody listens.
import type { Model } from '../models/model.js';
import type { NamedTensor } from '../optimizers/optimizer.js';
import type { Tensor } from '../tensor/tensor.js';

/** Losses and metrics by name, and counts such as `batch` and `size`. */
export type Logs = Record<string, number>;
/** Settings of the training: epochs, initialEpoch, samples, steps, batchSize, verbose, doValidation, metrics. */
export type Params = Record<string, number | string | boolean | null | readonly string[]>;

type Hook = void | Promise<void>;

/** Base of callbacks. Hooks may be async: training waits for them. */
export abstract class Callback {
  /** Of the training under way. */
  params: Params = {};
  /** True: where several processes train together, rank 0 alone calls it, since it writes files. */
  readonly onFirstRank: boolean = false;
  /** The model that is trained; set before training begins. `stopTraining = true` on it ends training after the batch. */
  model!: Model;
  /** Whether the epoch that ends was broken off by `stopTraining`: when training goes on it is finished, and ends once more. */
  brokenOff = false;

  /** Told before training begins. */
  setParams(params: Params): void {
    this.params = params;
  }
  /** Told before training begins. */
  setModel(model: Model): void {
    this.model = model;
  }
  /**
   * How to get the inputs of the first training samples, as many as a batch has, for callbacks that look into the model; null
   * where training reads a data set. The tensors are the caller's to free.
   */
  setFirstInputs(_firstInputs: (() => readonly Tensor[]) | null): void {}
  /** Called once, before the first epoch. */
  onTrainBegin(_logs?: Logs): Hook {}
  /** Called once, after the last epoch. */
  onTrainEnd(_logs?: Logs): Hook {}
  /** Called before each epoch, counted from 0. */
  onEpochBegin(_epoch: number, _logs?: Logs): Hook {}
  /** `logs`: loss and metrics over the epoch, and over the validation data as `val_...`. */
  onEpochEnd(_epoch: number, _logs?: Logs): Hook {}
  /** `logs`: batch and size. */
  onBatchBegin(_batch: number, _logs?: Logs): Hook {}
  /** `logs`: batch, size, and the batch's own loss and metrics. Overriding it makes every batch wait for the device. */
  onBatchEnd(_batch: number, _logs?: Logs): Hook {}
  /** Before the validation of an epoch. */
  onTestBegin(_logs?: Logs): Hook {}
  /** After it, whether it went through or failed. `logs`: the losses and metrics, where it went through. */
  onTestEnd(_logs?: Logs): Hook {}
  /** Called as often as `yieldEvery` says (8 times a second by default). `logs`: loss and metrics over the epoch so far. */
  onYield(_epoch: number, _batch: number, _logs: Logs): Hook {}

  /** What it must remember for training to go on in another process; null when nothing. Its tensors are the caller's. */
  getState(): CallbackState | null {
    return null;
  }
  /** Takes over what `getState()` gave, before onTrainBegin. The tensors are the callback's from now on. */
  setState(_state: CallbackState): void {}
}

/** What a callback remembers. */
export interface CallbackState {
  /** JSON. */
  readonly values: Readonly<Record<string, number | string | boolean | null>>;
  readonly tensors: readonly NamedTensor[];
}

/** Hooks as plain functions: what `fit` takes in a callback's place. */
export interface CustomCallbackArgs {
  /** Once, before the first epoch. */
  onTrainBegin?: (logs?: Logs) => unknown;
  /** Once, after the last epoch. */
  onTrainEnd?: (logs?: Logs) => unknown;
  /** Before each epoch, counted from 0. */
  onEpochBegin?: (epoch: number, logs?: Logs) => unknown;
  /** After each epoch, with its losses and metrics, those of validation as `val_...`. */
  onEpochEnd?: (epoch: number, logs?: Logs) => unknown;
  /** Before each batch, counted from 0 in its epoch. */
  onBatchBegin?: (batch: number, logs?: Logs) => unknown;
  /** After each batch, with its own losses and metrics: every batch waits for the device. */
  onBatchEnd?: (batch: number, logs?: Logs) => unknown;
  /** Before the validation of an epoch. */
  onTestBegin?: (logs?: Logs) => unknown;
  /** After it, with its losses and metrics where it went through. */
  onTestEnd?: (logs?: Logs) => unknown;
  /** As often as `yieldEvery` says, with losses and metrics of the epoch so far. */
  onYield?: (epoch: number, batch: number, logs: Logs) => unknown;
}

export const HOOKS = [
  'onTrainBegin',
  'onTrainEnd',
  'onEpochBegin',
  'onEpochEnd',
  'onBatchBegin',
  'onBatchEnd',
  'onTestBegin',
  'onTestEnd',
  'onYield',
] as const;
export type HookName = (typeof HOOKS)[number];

/** A callback made of functions. */
export class CustomCallback extends Callback {
  constructor(hooks: CustomCallbackArgs) {
    super();
    for (const name of HOOKS) {
      const hook = hooks[name];
      if (hook !== undefined) Object.assign(this, { [name]: hook.bind(hooks) });
    }
  }
}

/** Whether the callback does anything there. */
export const listens = (callback: Callback, hook: HookName): boolean => callback[hook] !== Callback.prototype[hook];
