// tf.node.tensorBoard and tf.node.summaryFileWriter, with tfjs-node's arguments, folders and names.
import { join } from 'node:path';
import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import { CustomCallback, type LayersModel, type Logs } from '@tensorflow/tfjs-layers';
import { invalid } from '../errors.js';
import { SummaryWriter } from '../interchange/tensorboard/summary-writer.js';

/** Options of tf.node.tensorBoard, as tfjs-node's. */
export interface TensorBoardCallbackArgs {
  /** When losses and metrics are written: after each epoch (default), or after each batch too. */
  updateFreq?: 'batch' | 'epoch';
  /** Epochs between histograms of all weights; 0 (default): none. */
  histogramFreq?: number;
}

const VALIDATION = 'val_';

class TensorBoardCallback extends CustomCallback {
  private readonly writers = new Map<string, SummaryWriter>();
  private trained: LayersModel | null = null;
  private batchesSeen = 0;

  constructor(
    private readonly logdir: string,
    { updateFreq = 'epoch', histogramFreq = 0 }: TensorBoardCallbackArgs,
  ) {
    super({
      onBatchEnd: (_batch, logs) => {
        this.batchesSeen++;
        if (updateFreq === 'batch') this.scalars(logs, 'batch_', this.batchesSeen);
      },
      onEpochEnd: async (epoch, logs) => {
        this.scalars(logs, 'epoch_', epoch + 1);
        if (histogramFreq > 0 && epoch % histogramFreq === 0) await this.histograms(epoch);
        for (const writer of this.writers.values()) writer.flush();
      },
      onTrainEnd: () => {
        for (const writer of this.writers.values()) writer.close();
        this.writers.clear();
      },
    });
    if (updateFreq !== 'batch' && updateFreq !== 'epoch') {
      throw invalid('ERR_ARGUMENT', 'tensorBoard', 'updateFreq', "'batch' or 'epoch'", updateFreq);
    }
    if (!(Number.isInteger(histogramFreq) && histogramFreq >= 0)) {
      throw invalid('ERR_ARGUMENT', 'tensorBoard', 'histogramFreq', 'an integer of at least 0', histogramFreq);
    }
  }

  override setModel(model: Parameters<CustomCallback['setModel']>[0]): void {
    this.trained = model as unknown as LayersModel;
  }

  private scalars(logs: Logs | undefined, prefix: string, step: number): void {
    for (const [name, value] of Object.entries(logs ?? {})) {
      if (name === 'batch' || name === 'size' || name === 'num_steps') continue;
      const validation = name.startsWith(VALIDATION);
      const own = validation ? name.slice(VALIDATION.length) : name;
      this.writer(validation ? 'val' : 'train').scalar(prefix + own, Number(value), step);
    }
  }
  private async histograms(step: number): Promise<void> {
    for (const weight of this.trained?.weights ?? []) {
      this.writer('train').histogram(weight.name, await weight.read().data(), step);
    }
  }
  private writer(run: string): SummaryWriter {
    let writer = this.writers.get(run);
    if (writer === undefined)
      this.writers.set(run, (writer = new SummaryWriter(join(this.logdir, run), { suffix: '.v2' })));
    return writer;
  }
}

/**
 * A callback for `fit` that writes losses, metrics and, with `histogramFreq`, weights to event files in `logdir/train` and
 * `logdir/val`.
 * @param logdir Default './logs'.
 */
export function tensorBoard(logdir = './logs', args: TensorBoardCallbackArgs = {}): CustomCallback {
  return new TensorBoardCallback(logdir, args);
}

/** What tf.node.summaryFileWriter gives. */
class SummaryFileWriter {
  constructor(private readonly writer: SummaryWriter) {}
  /** Writes a number, or a scalar tensor's. */
  scalar(name: string, value: Scalar | number, step: number): void {
    this.writer.scalar(name, typeof value === 'number' ? value : value.dataSync()[0]!, step);
    this.writer.flush();
  }
  /** Writes how a tensor's values are distributed. */
  histogram(name: string, data: Tensor, step: number, buckets?: number): void {
    this.writer.histogram(name, data.dataSync(), step, buckets);
    this.writer.flush();
  }
  /** Writes what waits in memory. */
  flush(): void {
    this.writer.flush();
  }
}

/**
 * A writer of event files.
 * @param logdir The folder of the run.
 * @param _maxQueue Taken for tfjs-node's sake: every summary is written at once.
 * @param _flushMillis Likewise.
 * @param filenameSuffix What the file's name ends with; '.v2' by default.
 */
export function summaryFileWriter(
  logdir: string,
  _maxQueue?: number,
  _flushMillis?: number,
  filenameSuffix = '.v2',
): SummaryFileWriter {
  return new SummaryFileWriter(new SummaryWriter(logdir, { suffix: filenameSuffix }));
}
