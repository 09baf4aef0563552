// Stopping when a log no longer gets better.
import { invalid } from '../errors.js';
import { clone } from '../ops/reshape.js';
import { withoutScope } from '../tensor/scope.js';
import type { Tensor } from '../tensor/tensor.js';
import { Callback, type CallbackState, type Logs } from './callback.js';
import { Monitor, type MonitorMode } from './monitor.js';

/** Options of callbacks.earlyStopping. */
export interface EarlyStoppingConfig {
  /** The log that is watched (default 'val_loss'). */
  monitor?: string;
  /** Less than that is no improvement (default 0). */
  minDelta?: number;
  /** Epochs without improvement after which training stops (default 0). */
  patience?: number;
  /** Taken for tfjs's sake; nothing is printed. */
  verbose?: number;
  /** Default 'auto': more is better for accuracies and their like, else less. */
  mode?: MonitorMode;
  /** A value to be beaten: epochs that do not are without improvement. */
  baseline?: number;
  /** Whether the model has the weights of its best epoch when training ends (default false: those of the last). */
  restoreBestWeights?: boolean;
  /** Epochs before that one do not count (default 0). */
  startFromEpoch?: number;
}

function checkCount(argument: string, value: unknown): number {
  if (Number.isInteger(value) && (value as number) >= 0) return value as number;
  throw invalid('ERR_ARGUMENT', 'callbacks.earlyStopping', argument, 'an integer of at least 0', value);
}

/** Stops training when the monitored log has not improved for `patience` epochs: the rules of Keras 3. */
export class EarlyStopping extends Callback {
  private readonly monitor: Monitor;
  private readonly patience: number;
  private readonly baseline: number | undefined;
  private readonly restores: boolean;
  private readonly startFromEpoch: number;
  private waited = 0;
  private best: number;
  private bestWeights: readonly Tensor[] | null = null;
  private resumed = false;
  /** The epoch after which training stopped; null when it did not. */
  stoppedEpoch: number | null = null;
  /** The epoch of the best value so far. */
  bestEpoch: number | null = null;

  constructor(config: EarlyStoppingConfig = {}) {
    super();
    const { monitor = 'val_loss', minDelta = 0, patience = 0, mode = 'auto', baseline } = config;
    this.monitor = new Monitor('callbacks.earlyStopping', monitor, mode, minDelta);
    this.patience = checkCount('patience', patience);
    this.startFromEpoch = checkCount('startFromEpoch', config.startFromEpoch ?? 0);
    if (baseline !== undefined && typeof baseline !== 'number') {
      throw invalid('ERR_ARGUMENT', 'callbacks.earlyStopping', 'baseline', 'a number', baseline);
    }
    this.baseline = baseline;
    this.restores = config.restoreBestWeights ?? false;
    this.best = this.monitor.worst;
  }

  override onTrainBegin(): void {
    this.stoppedEpoch = null;
    if (this.resumed) this.resumed = false;
    else {
      this.waited = 0;
      this.best = this.monitor.worst;
      this.bestEpoch = null;
      this.forget();
    }
  }

  override onEpochEnd(epoch: number, logs: Logs = {}): void {
    if (epoch < this.startFromEpoch) return;
    const value = this.monitor.valueIn(logs, this.model.stopTraining);
    if (value === null) return;
    if (this.restores && this.bestWeights === null) this.remember(epoch);
    this.waited++;
    if (this.monitor.isBetter(value, this.best)) {
      this.best = value;
      this.remember(epoch);
      if (this.baseline === undefined || this.monitor.isBetter(value, this.baseline)) this.waited = 0;
      return;
    }
    if (this.waited >= this.patience && epoch > 0) {
      this.stoppedEpoch = epoch;
      this.model.stopTraining = true;
    }
  }

  override onTrainEnd(): void {
    if (this.bestWeights !== null) this.model.setWeights(this.bestWeights);
    this.forget();
  }

  private remember(epoch: number): void {
    this.bestEpoch = epoch;
    if (!this.restores) return;
    this.forget();
    this.bestWeights = withoutScope(() => this.model.getWeights());
  }
  private forget(): void {
    for (const weight of this.bestWeights ?? []) weight.dispose();
    this.bestWeights = null;
  }

  override getState(): CallbackState {
    const best = Number.isFinite(this.best) ? this.best : null;
    const tensors = (this.bestWeights ?? []).map((weight, i) => ({ name: `best/${i}`, tensor: clone(weight) }));
    return { values: { waited: this.waited, best, bestEpoch: this.bestEpoch }, tensors };
  }
  override setState({ values, tensors }: CallbackState): void {
    this.waited = values['waited'] as number;
    this.best = (values['best'] as number | null) ?? this.monitor.worst;
    this.bestEpoch = values['bestEpoch'] as number | null;
    this.forget();
    this.bestWeights = tensors.length > 0 ? tensors.map(({ tensor }) => tensor) : null;
    this.resumed = true;
  }
}

/**
 * Stops training when a log no longer gets better.
 * @example model.fit(x, y, {validationSplit: 0.1, callbacks: sn.callbacks.earlyStopping({patience: 3, restoreBestWeights: true})})
 * @throws ArgumentError for a bad option; from fit, when there is no such log.
 */
export function earlyStopping(config?: EarlyStoppingConfig): EarlyStopping {
  return new EarlyStopping(config);
}
