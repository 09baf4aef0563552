// Training's losses, metrics and weights for TensorBoard, in Keras's folders and under its names.
import { join } from 'node:path';
import { invalid } from '../errors.js';
import { SummaryWriter } from '../interchange/tensorboard/summary-writer.js';
import { Callback, type CallbackState, type Logs } from './callback.js';

const OP = 'callbacks.tensorBoard';

/** Options of callbacks.tensorBoard. */
export interface TensorBoardConfig {
  /** The folder of the run, default `logs`; scalars of training go to `train` in it, those of validation to `validation`. */
  logDir?: string;
  /** Writes histograms of all weights after every so many epochs; 0 (default): never. */
  histogramFreq?: number;
  /** `'epoch'` (default): scalars after each epoch. `'batch'`: after each batch too, which makes every batch wait for the device. */
  updateFreq?: 'epoch' | 'batch';
}

const VALIDATION = 'val_';

/** Writes event files while a model trains. */
export class TensorBoard extends Callback {
  override readonly onFirstRank = true;
  private readonly logDir: string;
  private readonly histogramFreq: number;
  private readonly writers = new Map<string, SummaryWriter>();
  /** Batches seen, over all epochs: the steps of their scalars. */
  private batches = 0;

  constructor({ logDir = 'logs', histogramFreq = 0, updateFreq = 'epoch' }: TensorBoardConfig = {}) {
    super();
    if (typeof logDir !== 'string' || logDir === '') throw invalid('ERR_ARGUMENT', OP, 'logDir', 'a path', logDir);
    if (!(Number.isInteger(histogramFreq) && histogramFreq >= 0)) {
      throw invalid('ERR_ARGUMENT', OP, 'histogramFreq', 'an integer of at least 0', histogramFreq);
    }
    if (updateFreq !== 'epoch' && updateFreq !== 'batch') {
      throw invalid('ERR_ARGUMENT', OP, 'updateFreq', "'epoch' or 'batch'", updateFreq);
    }
    this.logDir = logDir;
    this.histogramFreq = histogramFreq;
    // Only then: training reads a batch's loss for those that ask for it.
    if (updateFreq === 'batch') this.onBatchEnd = (_batch, logs = {}) => this.batch(logs);
  }

  override async onEpochEnd(epoch: number, logs: Logs = {}): Promise<void> {
    this.scalars(logs, 'epoch', epoch);
    if (this.histogramFreq > 0 && (epoch + 1) % this.histogramFreq === 0) {
      for (const { name, variable } of this.model.namedWeights()) {
        this.writer('train').histogram(`${name}/histogram`, await variable.data(), epoch);
      }
    }
    for (const writer of this.writers.values()) writer.flush();
  }
  override onTrainEnd(): void {
    for (const writer of this.writers.values()) writer.close();
    this.writers.clear();
  }

  override getState(): CallbackState {
    return { values: { batches: this.batches }, tensors: [] };
  }
  override setState({ values }: CallbackState): void {
    this.batches = Number(values['batches'] ?? 0);
  }

  private batch(logs: Logs): void {
    this.scalars(logs, 'batch', this.batches++);
  }

  private scalars(logs: Logs, prefix: 'epoch' | 'batch', step: number): void {
    for (const [name, value] of Object.entries(logs)) {
      if (name === 'batch' || name === 'size') continue;
      const validation = name.startsWith(VALIDATION);
      const own = validation ? name.slice(VALIDATION.length) : name;
      this.writer(validation ? 'validation' : 'train').scalar(`${prefix}_${own}`, value, step);
    }
  }

  private writer(run: string): SummaryWriter {
    let writer = this.writers.get(run);
    if (writer === undefined)
      this.writers.set(run, (writer = new SummaryWriter(join(this.logDir, run), { suffix: '.v2' })));
    return writer;
  }
}

/**
 * Writes losses and metrics (`epoch_loss`, `epoch_accuracy`, ...; with `updateFreq: 'batch'` also `batch_loss`, ...) and, with
 * `histogramFreq`, histograms of all weights to event files, as Keras's callback of that name. Watch them with
 * `tensorboard --logdir <logDir>`.
 * @throws ArgumentError
 */
export function tensorBoard(config?: TensorBoardConfig): TensorBoard {
  return new TensorBoard(config);
}
