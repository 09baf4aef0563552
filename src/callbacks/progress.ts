// What `fit` prints: a bar on a terminal, or a line each epoch.
import { SingleBar } from 'cli-progress';
import { Callback, type Logs } from './callback.js';

const shown = (logs: Logs): string =>
  Object.entries(logs)
    .filter(([name]) => name !== 'batch' && name !== 'size')
    .map(([name, value]) => `${name} ${Number.isFinite(value) ? value.toPrecision(4) : value}`)
    .join('  ');

/** Prints to standard error. `verbose` 1: a bar for each epoch, on a terminal alone; 2: a line for each epoch. */
export class ProgressLogger extends Callback {
  private bar: SingleBar | null = null;
  private started = 0;
  /** Batches of the epoch when it was last looked at. */
  private batches = 0;

  constructor(
    private readonly verbose: 1 | 2,
    private readonly stream: NodeJS.WriteStream = process.stderr,
  ) {
    super();
  }

  private get hasBar(): boolean {
    return this.verbose === 1 && this.stream.isTTY;
  }
  private epochOf(epoch: number): string {
    return `epoch ${epoch + 1}/${String(this.params['epochs'])}`;
  }

  override onEpochBegin(epoch: number): void {
    this.started = Date.now();
    this.batches = 0;
    const steps = this.params['steps'];
    if (!this.hasBar || typeof steps !== 'number') return;
    const format = `${this.epochOf(epoch)} {bar} {value}/{total}  {logs}`;
    this.bar = new SingleBar({ format, stream: this.stream, hideCursor: true, barsize: 24 });
    this.bar.start(steps, 0, { logs: '' });
  }
  override onYield(_epoch: number, batch: number, logs: Logs): void {
    this.batches = batch + 1;
    this.bar?.update(this.batches, { logs: shown(logs) });
  }
  override onEpochEnd(epoch: number, logs: Logs = {}): void {
    if (this.bar !== null) {
      const reached = this.model.stopTraining ? this.batches : this.bar.getTotal();
      this.bar.update(reached, { logs: shown(logs) });
      this.bar.stop();
      this.bar = null;
    } else if (this.verbose === 2) {
      const seconds = ((Date.now() - this.started) / 1000).toFixed(1);
      this.stream.write(`${this.epochOf(epoch)}  ${seconds} s  ${shown(logs)}\n`);
    }
  }
}
