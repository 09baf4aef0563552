// Saving the model while it trains.
import { invalid } from '../errors.js';
import { Callback, type CallbackState, type Logs } from './callback.js';
import { Monitor, type MonitorMode } from './monitor.js';

/** Options of callbacks.modelCheckpoint. */
export interface ModelCheckpointConfig {
  /**
   * Where: `{epoch}` (from 1, as Keras) and names of logs are filled in, `{epoch:02d}` with leading zeros and `{val_loss:.3f}` with
   * so many decimals.
   */
  filepath: string;
  /** The log that says which epoch is best (default 'val_loss'). */
  monitor?: string;
  /** Default 'auto': more is better for accuracies and their like, else less. */
  mode?: MonitorMode;
  /** Save only when the log is better than ever (default false). */
  saveBestOnly?: boolean;
  /** Save weights alone, not the model (default false). */
  saveWeightsOnly?: boolean;
  /** After each epoch (default), or after so many batches. */
  saveFreq?: 'epoch' | number;
  /** Taken for tfjs's sake; nothing is printed. */
  verbose?: number;
}

/** A value as `{name:02d}` or `{name:.3f}` wants it. */
function formatted(value: number, format: string | undefined): string {
  if (format === undefined) return String(value);
  const decimals = /^\.(\d+)f$/.exec(format);
  if (decimals !== null) return value.toFixed(Number(decimals[1]));
  const width = /^0(\d+)d$/.exec(format);
  if (width !== null) return String(value).padStart(Number(width[1]), '0');
  throw invalid('ERR_ARGUMENT', 'callbacks.modelCheckpoint', 'filepath', 'formats as 02d or .3f', format);
}

/** The path with numbers in place of names. */
export function fillIn(filepath: string, values: Logs): string {
  return filepath.replace(/\{(\w+)(?::([^}]*))?\}/g, (_, name: string, format: string | undefined) => {
    const value = values[name];
    if (value !== undefined) return formatted(value, format);
    const known = Object.keys(values).join(', ');
    throw invalid('ERR_ARGUMENT', 'callbacks.modelCheckpoint', 'filepath', `names among ${known}`, name);
  });
}

/** Saves the model after epochs or batches. */
export class ModelCheckpoint extends Callback {
  override readonly onFirstRank = true;
  private readonly monitor: Monitor;
  private readonly config: Required<Pick<ModelCheckpointConfig, 'filepath' | 'saveBestOnly' | 'saveWeightsOnly'>>;
  private readonly everyBatches: number | null;
  private best: number;
  private epoch = 0;
  private batches = 0;

  constructor(config: ModelCheckpointConfig) {
    super();
    const op = 'callbacks.modelCheckpoint';
    const { filepath, monitor = 'val_loss', mode = 'auto', saveFreq = 'epoch' } = config ?? {};
    if (typeof filepath !== 'string' || filepath === '') {
      throw invalid('ERR_ARGUMENT', op, 'filepath', 'a path', filepath);
    }
    if (saveFreq !== 'epoch' && !(Number.isInteger(saveFreq) && saveFreq > 0)) {
      throw invalid('ERR_ARGUMENT', op, 'saveFreq', "'epoch' or a number of batches", saveFreq);
    }
    this.monitor = new Monitor(op, monitor, mode);
    this.config = {
      filepath,
      saveBestOnly: config.saveBestOnly ?? false,
      saveWeightsOnly: config.saveWeightsOnly ?? false,
    };
    this.everyBatches = saveFreq === 'epoch' ? null : saveFreq;
    this.best = this.monitor.worst;
    // Listening to batches makes each wait for the device: only where it is asked for.
    if (this.everyBatches !== null) this.onBatchEnd = (_batch, logs) => this.afterBatch(logs);
  }

  override onEpochBegin(epoch: number): void {
    this.epoch = epoch;
  }
  override async onEpochEnd(_epoch: number, logs: Logs = {}): Promise<void> {
    if (this.everyBatches === null) await this.consider(logs);
  }
  private async afterBatch(logs: Logs = {}): Promise<void> {
    this.batches++;
    if (this.batches % this.everyBatches! === 0) await this.consider(logs);
  }

  private async consider(logs: Logs): Promise<void> {
    const { filepath, saveBestOnly, saveWeightsOnly } = this.config;
    if (saveBestOnly) {
      const value = this.monitor.valueIn(logs, this.model.stopTraining);
      if (value === null || !this.monitor.isBetter(value, this.best)) return;
      this.best = value;
    }
    const path = fillIn(filepath, { ...logs, epoch: this.epoch + 1 });
    await (saveWeightsOnly ? this.model.saveWeights(path) : this.model.save(path));
  }

  override getState(): CallbackState {
    const best = Number.isFinite(this.best) ? this.best : null;
    return { values: { best, batches: this.batches }, tensors: [] };
  }
  override setState({ values }: CallbackState): void {
    this.best = (values['best'] as number | null) ?? this.monitor.worst;
    this.batches = values['batches'] as number;
  }
}

/**
 * Saves the model while it trains.
 * @example sn.callbacks.modelCheckpoint({filepath: 'best.json', saveBestOnly: true})
 * @throws ArgumentError for a bad option; from fit, when a log is missing, or the file cannot be written (the old one is intact).
 */
export function modelCheckpoint(config: ModelCheckpointConfig): ModelCheckpoint {
  return new ModelCheckpoint(config);
}
