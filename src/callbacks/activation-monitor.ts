// Watching the units while a model trains: shares of dead, linear and saturated units and moments in the history, and an end to
// training that has nothing left to train.
import { invalid } from '../errors.js';
import type { Feed } from '../models/feed.js';
import { monitor, type LayerReport, type MonitorReport } from '../self-normalizing/monitor.js';
import type { ProblemKind } from '../self-normalizing/problems.js';
import { tidy } from '../tensor/memory.js';
import { Callback, type Logs } from './callback.js';
import type { Tensor } from '../tensor/tensor.js';

const OP = 'callbacks.activationMonitor';
const KINDS: readonly ProblemKind[] = ['dead', 'linear', 'saturated', 'nonFinite', 'drift'];
/** Kinds that are shares of a layer's units. */
const SHARES = ['dead', 'linear', 'saturated', 'nonFinite'] as const;

/** When training is to stop. */
export type StopOn =
  | ProblemKind
  | readonly ProblemKind[]
  | Partial<Record<ProblemKind, number>>
  | ((report: MonitorReport, epoch: number) => boolean);

/** Options of callbacks.activationMonitor. */
export interface ActivationMonitorConfig {
  /** Looks after every so many epochs (default 1). */
  every?: number;
  /** The inputs it looks at; by default those of the first training samples, as many as a batch has. Needed with fitDataset. */
  data?: Feed;
  /**
   * Stops training: on a kind of problem, or on any of several, wherever a layer has it; with numbers, where at least that share of a
   * layer's units has it (`{dead: 0.5}`); or when a function of the report says so. By default never.
   */
  stopOn?: StopOn;
}

type Stops = (report: MonitorReport, epoch: number) => boolean;

function stopsOn(given: unknown): Stops {
  if (given === undefined || given === null) return () => false;
  if (typeof given === 'function') return given as Stops;
  const expected = `one or several of ${KINDS.join(', ')}, {kind: share} or a function`;
  const fault = (got: unknown): Error => invalid('ERR_ARGUMENT', OP, 'stopOn', expected, got);
  const named: readonly unknown[] | null = typeof given === 'string' ? [given] : Array.isArray(given) ? given : null;
  if (named === null && typeof given !== 'object') throw fault(given);
  const entries: [unknown, unknown][] = named === null ? Object.entries(given) : named.map((kind) => [kind, 0]);
  for (const [kind, share] of entries) {
    if (!KINDS.includes(kind as ProblemKind)) throw fault(kind);
    if (!(typeof share === 'number' && share >= 0 && share <= 1)) {
      throw invalid('ERR_ARGUMENT', OP, `stopOn.${String(kind)}`, 'a share of units in [0, 1]', share);
    }
  }
  const least = new Map(entries as [ProblemKind, number][]);
  return ({ problems }) => problems.some(({ kind, share }) => share >= (least.get(kind) ?? Infinity));
}

/** Monitors the model's activations after epochs. */
export class ActivationMonitor extends Callback {
  private readonly every: number;
  private readonly data: Feed | undefined;
  private readonly stops: Stops;
  private firstInputs: (() => readonly Tensor[]) | null = null;
  /** What it saw last; null before. */
  report: MonitorReport | null = null;
  /** The epoch after which it stopped training; null when it did not. */
  stoppedEpoch: number | null = null;

  constructor({ every = 1, data, stopOn }: ActivationMonitorConfig = {}) {
    super();
    if (!(Number.isInteger(every) && every >= 1)) {
      throw invalid('ERR_ARGUMENT', OP, 'every', 'an integer of at least 1', every);
    }
    this.every = every;
    this.data = data;
    this.stops = stopsOn(stopOn);
  }

  override setFirstInputs(firstInputs: (() => readonly Tensor[]) | null): void {
    this.firstInputs = firstInputs;
  }

  override onTrainBegin(): void {
    this.report = null;
    this.stoppedEpoch = null;
    if (this.data !== undefined || this.firstInputs !== null) return;
    throw invalid('ERR_ARGUMENT', OP, 'data', 'inputs to look at, when training reads a data set', undefined);
  }

  override onEpochEnd(epoch: number, logs: Logs = {}): void {
    // An epoch that was broken off is not over: it ends when training goes on.
    if ((epoch + 1) % this.every !== 0 || this.model.stopTraining) return;
    const report = tidy(() => monitor(this.model, this.data ?? this.firstInputs!()));
    this.report = report;
    Object.assign(logs, logsOf(report));
    if (!this.stops(report, epoch)) return;
    this.stoppedEpoch = epoch;
    this.model.stopTraining = true;
  }
}

/** Shares of all the model's judged units, then of each layer, then the layers' moments. */
function logsOf({ layers }: MonitorReport): Logs {
  const logs: Logs = {};
  for (const kind of SHARES) {
    const judged = layers.filter((layer) => layer[kind] !== null);
    const units = judged.reduce((sum, layer) => sum + layer.units, 0);
    if (units > 0) logs[kind] = judged.reduce((sum, layer) => sum + layer.units * layer[kind]!, 0) / units;
  }
  for (const layer of layers) Object.assign(logs, layerLogs(layer));
  return logs;
}

function layerLogs(layer: LayerReport): Logs {
  const { name, mean, variance } = layer;
  const shares = SHARES.flatMap((kind) => (layer[kind] === null ? [] : [[`${name}_${kind}`, layer[kind]]]));
  return { [`${name}_mean`]: mean, [`${name}_variance`]: variance, ...(Object.fromEntries(shares) as Logs) };
}

/**
 * Runs `selfNormalizing.monitor` after epochs and logs what it sees: `dead`, `linear`, `saturated`, `nonFinite` (shares of all units) and,
 * for each layer, `<layer>_mean`, `<layer>_variance`, `<layer>_dead`, ... They are in the history and in the logs of callbacks that come
 * after it; `report.text` of the callback has the problems in words.
 * @example model.fit(x, y, {epochs: 20, callbacks: sn.callbacks.activationMonitor({stopOn: {dead: 0.9, nonFinite: 0}})})
 * @throws ArgumentError for a bad option; from fitDataset, when there is no `data`.
 */
export function activationMonitor(config?: ActivationMonitorConfig): ActivationMonitor {
  return new ActivationMonitor(config);
}
