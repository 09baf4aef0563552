// Which of two values of a log is better, and the log's value at the end of an epoch.
import { invalid } from '../errors.js';
import type { Logs } from './callback.js';

/** Whether less or more is better; 'auto' goes by the name. */
export type MonitorMode = 'auto' | 'min' | 'max';

const MODES: readonly MonitorMode[] = ['auto', 'min', 'max'];
/** Logs of which more is better: shares of right answers. */
const MORE_IS_BETTER = /acc|precision|recall|top\d|topk|r2/i;

/** A log that is watched. */
export class Monitor {
  private readonly sign: number;

  constructor(
    readonly op: string,
    readonly name: string,
    mode: MonitorMode = 'auto',
    private readonly minDelta = 0,
  ) {
    if (typeof name !== 'string') throw invalid('ERR_ARGUMENT', op, 'monitor', "a log's name", name);
    if (!MODES.includes(mode)) throw invalid('ERR_ARGUMENT', op, 'mode', "'auto', 'min' or 'max'", mode);
    if (!(typeof minDelta === 'number' && Math.abs(minDelta) < Infinity)) {
      throw invalid('ERR_ARGUMENT', op, 'minDelta', 'a finite number', minDelta);
    }
    this.minDelta = Math.abs(minDelta);
    this.sign = (mode === 'auto' ? MORE_IS_BETTER.test(name) : mode === 'max') ? 1 : -1;
  }

  /** Worse than every value. */
  get worst(): number {
    return -this.sign * Infinity;
  }

  /** Whether `value` beats `best` by more than minDelta. NaN beats nothing. */
  isBetter(value: number, best: number): boolean {
    return this.sign * (value - best) > this.minDelta || (best === this.worst && this.sign * value > this.sign * best);
  }

  /**
   * The log's value; null when the epoch was broken off before it was worked out.
   * @throws ArgumentError when there is no such log.
   */
  valueIn(logs: Logs, brokenOff: boolean): number | null {
    const value = logs[this.name];
    if (value !== undefined) return value;
    if (brokenOff) return null;
    const fix = this.name.startsWith('val_') ? 'give fit validationData or validationSplit' : undefined;
    throw invalid('ERR_ARGUMENT', this.op, 'monitor', `one of ${Object.keys(logs).join(', ')}`, this.name, fix);
  }
}
