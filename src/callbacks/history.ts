// The record of a training: losses and metrics of every epoch. `fit` returns it.
import { Callback, type Logs } from './callback.js';

/** Losses and metrics by epoch. */
export class History extends Callback {
  /** Numbers of the epochs, from 0. */
  epoch: number[] = [];
  /** For each log name its value after each epoch; NaN where an epoch had none. */
  history: Record<string, number[]> = {};

  override onTrainBegin(): void {
    this.epoch = [];
    this.history = {};
  }
  override onEpochEnd(epoch: number, logs: Logs = {}): void {
    for (const name of Object.keys(logs)) {
      this.history[name] ??= new Array<number>(this.epoch.length).fill(NaN);
    }
    for (const [name, values] of Object.entries(this.history)) values.push(logs[name] ?? NaN);
    this.epoch.push(epoch);
  }
}
