// A smaller learning rate when a log no longer gets better: the rules of Keras 3.
import { invalid } from '../errors.js';
import { Callback, type CallbackState, type Logs } from './callback.js';
import { Monitor, type MonitorMode } from './monitor.js';
import { RATE_LOG, requireSettableRate } from './settable-rate.js';

const OP = 'callbacks.reduceLROnPlateau';

/** Options of callbacks.reduceLROnPlateau. */
export interface ReduceLROnPlateauConfig {
  /** The log that is watched (default 'val_loss'). */
  monitor?: string;
  /** What the learning rate is multiplied by, in [0, 1) (default 0.1). */
  factor?: number;
  /** Epochs without improvement after which the rate is reduced (default 10). */
  patience?: number;
  /** Default 'auto': more is better for accuracies and their like, else less. */
  mode?: MonitorMode;
  /** Less than that is no improvement (default 1e-4). */
  minDelta?: number;
  /** Epochs after a reduction that are not counted (default 0). */
  cooldown?: number;
  /** The rate never falls below it (default 0). */
  minLR?: number;
  /** Taken for Keras's sake; nothing is printed. */
  verbose?: number;
}

function checkCount(argument: string, value: unknown): number {
  if (Number.isInteger(value) && (value as number) >= 0) return value as number;
  throw invalid('ERR_ARGUMENT', OP, argument, 'an integer of at least 0', value);
}

/** Reduces the learning rate when the monitored log has not improved for `patience` epochs. */
export class ReduceLROnPlateau extends Callback {
  private readonly monitor: Monitor;
  private readonly factor: number;
  private readonly patience: number;
  private readonly cooldown: number;
  private readonly minLR: number;
  /** null: no value was seen yet, so that any is the best, NaN too. */
  private best: number | null = null;
  private waited = 0;
  private coolingDown = 0;
  private resumed = false;

  constructor(config: ReduceLROnPlateauConfig = {}) {
    super();
    const { monitor = 'val_loss', factor = 0.1, mode = 'auto', minDelta = 1e-4, minLR = 0 } = config;
    this.monitor = new Monitor(OP, monitor, mode, minDelta);
    if (!(typeof factor === 'number' && factor >= 0 && factor < 1)) {
      throw invalid('ERR_ARGUMENT', OP, 'factor', 'a number in [0, 1)', factor);
    }
    if (!(typeof minLR === 'number' && minLR >= 0 && minLR < Infinity)) {
      throw invalid('ERR_ARGUMENT', OP, 'minLR', 'a number in [0, Infinity)', minLR);
    }
    this.factor = factor;
    this.minLR = minLR;
    this.patience = checkCount('patience', config.patience ?? 10);
    this.cooldown = checkCount('cooldown', config.cooldown ?? 0);
  }

  override onTrainBegin(): void {
    requireSettableRate(OP, this.model);
    if (!this.resumed) {
      this.best = null;
      this.waited = 0;
      this.coolingDown = 0;
    }
    this.resumed = false;
  }

  override onEpochEnd(_epoch: number, logs: Logs = {}): void {
    logs[RATE_LOG] = this.model.optimizer.learningRate;
    if (this.brokenOff) return;
    const value = this.monitor.valueIn(logs, false)!;
    if (this.coolingDown > 0) {
      this.coolingDown--;
      this.waited = 0;
    }
    if (this.best === null || this.monitor.isBetter(value, this.best)) {
      this.best = value;
      this.waited = 0;
    } else if (this.coolingDown === 0 && ++this.waited >= this.patience) this.reduce();
  }

  private reduce(): void {
    const { optimizer } = this.model;
    const rate = optimizer.learningRate;
    if (!(rate > this.minLR)) return;
    optimizer.learningRate = Math.max(rate * this.factor, this.minLR);
    this.coolingDown = this.cooldown;
    this.waited = 0;
  }

  override getState(): CallbackState {
    const { best, waited, coolingDown } = this;
    // JSON has no NaN and no infinities.
    return { values: { best: best === null ? null : String(best), waited, coolingDown }, tensors: [] };
  }
  override setState({ values }: CallbackState): void {
    const best = values['best'] ?? null;
    this.best = best === null ? null : Number(best);
    this.waited = Number(values['waited'] ?? 0);
    this.coolingDown = Number(values['coolingDown'] ?? 0);
    this.resumed = true;
  }
}

/**
 * Multiplies the learning rate by `factor` when a log has not got better for `patience` epochs, and logs the rate that each
 * epoch was trained with as `learning_rate`. Recorded steps go on with the new rate.
 * @example model.fit(x, y, {validationSplit: 0.1, callbacks: sn.callbacks.reduceLROnPlateau({factor: 0.5, patience: 3})})
 * @throws ArgumentError for a bad option; from fit, when there is no such log, or the optimizer follows a schedule of its own.
 */
export function reduceLROnPlateau(config?: ReduceLROnPlateauConfig): ReduceLROnPlateau {
  return new ReduceLROnPlateau(config);
}
