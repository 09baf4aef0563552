// What tfjs's `fit` prints at verbosity 1: a bar on a terminal, and a line for each epoch. As tfjs-node's.
import { SingleBar } from 'cli-progress';
import { CustomCallback, type Logs } from '@tensorflow/tfjs-layers';

/** A number in few digits. */
function short(value: number): string {
  const digits =
    !Number.isFinite(value) || value === 0 || Math.abs(value) > 1 ? 2 : 2 - Math.floor(Math.log10(Math.abs(value)));
  return digits > 4 ? value.toExponential(2) : value.toFixed(digits);
}

const shown = (logs: Logs = {}): string =>
  Object.keys(logs)
    .filter((name) => name !== 'batch' && name !== 'size')
    .sort()
    .map((name) => `${name}=${short(Number(logs[name]))}`)
    .join(' ');

/** The progress bar of `fit`: the bar to standard error if that is a terminal, lines to standard output. */
export class ProgressBar extends CustomCallback {
  private bar: SingleBar | null = null;
  private started = 0;
  private batches = 0;

  constructor() {
    super({
      onEpochBegin: (epoch) => this.begin(epoch),
      onBatchEnd: (_batch, logs) => this.tick(logs),
      onEpochEnd: (_epoch, logs) => this.end(logs),
    });
  }

  /** Batches of an epoch; 0 where they are not known before it ends. */
  private get steps(): number {
    const { samples, batchSize, steps } = this.params as Record<string, number | undefined>;
    return samples == null ? (steps ?? 0) : Math.ceil(samples / (batchSize ?? 32));
  }

  private begin(epoch: number): void {
    process.stdout.write(`Epoch ${epoch + 1} / ${String(this.params['epochs'])}\n`);
    this.started = performance.now();
    this.batches = 0;
    if (!process.stderr.isTTY || this.steps === 0) return;
    const format = 'eta={eta}s {bar} {value}/{total}  {logs}';
    this.bar = new SingleBar({ format, stream: process.stderr, hideCursor: true, barsize: 24, clearOnComplete: true });
    this.bar.start(this.steps, 0, { logs: '' });
  }
  private tick(logs?: Logs): void {
    this.batches++;
    this.bar?.update(this.batches, { logs: shown(logs) });
  }
  private end(logs?: Logs): void {
    this.bar?.stop();
    this.bar = null;
    const elapsed = performance.now() - this.started;
    const samples = this.params['samples'] as number | undefined;
    const perStep = (elapsed / (samples ?? Math.max(this.batches, 1))) * 1000;
    process.stdout.write(`${elapsed.toFixed(0)}ms ${perStep.toFixed(0)}us/step - ${shown(logs)}\n`);
  }
}
