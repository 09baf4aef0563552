// Stopping when the loss is lost.
import { Callback, type Logs } from './callback.js';

/** Stops training when the loss is NaN or infinite. */
export class TerminateOnNaN extends Callback {
  // The epoch's loss so far stays NaN once a batch's was: looking now and then misses nothing and stops no step.
  override onYield(_epoch: number, _batch: number, logs: Logs): void {
    this.look(logs);
  }
  override onEpochEnd(_epoch: number, logs: Logs = {}): void {
    this.look(logs);
  }
  private look({ loss }: Logs): void {
    if (loss !== undefined && !Number.isFinite(loss)) this.model.stopTraining = true;
  }
}

/**
 * Stops training when the loss is NaN or infinite: within the `yieldEvery` of fit (an eighth of a second by default), and at the latest
 * at the end of the epoch.
 */
export function terminateOnNaN(): TerminateOnNaN {
  return new TerminateOnNaN();
}
