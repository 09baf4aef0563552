// A learning rate that a function of the epoch gives.
import { invalid } from '../errors.js';
import { Callback, type CallbackState, type Logs } from './callback.js';
import { RATE_LOG, requireSettableRate } from './settable-rate.js';

const OP = 'callbacks.learningRateScheduler';

/** The rate of an epoch (from 0), given that epoch's number and the rate of now. */
export type EpochSchedule = (epoch: number, learningRate: number) => number;

/** Sets the learning rate when an epoch begins. */
export class LearningRateScheduler extends Callback {
  /** The epoch whose rate was set last: an epoch that goes on in another process has its rate already. */
  private epoch: number | null = null;
  private resumed = false;

  constructor(private readonly schedule: EpochSchedule) {
    super();
    if (typeof schedule === 'function') return;
    throw invalid('ERR_ARGUMENT', OP, 'schedule', 'a function of (epoch, learningRate)', schedule);
  }

  override onTrainBegin(): void {
    requireSettableRate(OP, this.model);
    if (!this.resumed) this.epoch = null;
    this.resumed = false;
  }
  override onEpochBegin(epoch: number): void {
    if (epoch === this.epoch) return;
    const { optimizer } = this.model;
    const rate: unknown = this.schedule(epoch, optimizer.learningRate);
    if (!(typeof rate === 'number' && rate >= 0 && rate < Infinity)) {
      throw invalid('ERR_ARGUMENT', OP, 'schedule', 'a function that returns a number in [0, Infinity)', rate);
    }
    optimizer.learningRate = rate;
    this.epoch = epoch;
  }
  override onEpochEnd(_epoch: number, logs: Logs = {}): void {
    logs[RATE_LOG] = this.model.optimizer.learningRate;
  }

  override getState(): CallbackState {
    return { values: { epoch: this.epoch }, tensors: [] };
  }
  override setState({ values }: CallbackState): void {
    this.epoch = (values['epoch'] as number | null | undefined) ?? null;
    this.resumed = true;
  }
}

/**
 * Sets the learning rate at the beginning of every epoch, and logs it as `learning_rate`. For a rate that changes within
 * epochs give the optimizer one of `train.schedules`.
 * @param schedule Gets the epoch's number, from 0, and the rate of now; returns the new rate.
 * @example sn.callbacks.learningRateScheduler((epoch, rate) => (epoch < 10 ? rate : rate * Math.exp(-0.1)))
 * @throws ArgumentError when `schedule` is no function; from fit, when it returns no rate, or the optimizer follows a schedule of its own.
 */
export function learningRateScheduler(schedule: EpochSchedule): LearningRateScheduler {
  return new LearningRateScheduler(schedule);
}
