// What `compile` is given, and what it comes to for the model's outputs: a loss, its weight and metrics for each.
import { failure, invalid } from '../errors.js';
import { getLoss, type Loss, type LossLike } from '../losses/loss.js';
import { getMetric, type Metric, type MetricLike } from '../metrics/metric.js';
import type { Optimizer } from '../optimizers/optimizer.js';
import type { SymbolicShape } from '../layers/symbolic.js';
import type { DType } from '../tensor/dtype.js';
import type { Serialized } from '../serialization.js';

/** One for all outputs, one for each in a list, or some by their outputs' names. */
export type PerOutput<T> = T | readonly (T | null)[] | { readonly [outputName: string]: T };

/** What `model.compile` takes. */
export interface ModelCompileArgs {
  /** An optimizer, its name with Keras's defaults, or `{className, config}`. */
  optimizer: string | Optimizer | Serialized;
  /** Names, `{className, config}` or functions. In a list, null means an output that is not trained. */
  loss: PerOutput<LossLike>;
  /** Metrics of all outputs, or by output; they do not look at sample weights. */
  metrics?: MetricLike | readonly MetricLike[] | { readonly [outputName: string]: MetricLike | readonly MetricLike[] };
  /** As `metrics`, with the samples' weights. */
  weightedMetrics?: ModelCompileArgs['metrics'];
  /** What each output's loss counts in the sum (default 1). */
  lossWeights?: readonly number[] | { readonly [outputName: string]: number };
  /** True: every step runs op by op from JavaScript, for looking into it; false (default): steps are recorded and replayed. */
  runEagerly?: boolean;
}

/** A metric and whether samples' weights count in it. */
export interface OutputMetric {
  readonly logName: string;
  readonly metric: Metric;
  readonly weighted: boolean;
}

/** What training does with one output of the model. */
export interface CompiledOutput {
  /** Which of the model's outputs. */
  readonly index: number;
  readonly name: string;
  readonly shape: SymbolicShape;
  readonly dtype: DType;
  readonly loss: Loss;
  readonly lossWeight: number;
  readonly metrics: readonly OutputMetric[];
}

/** A compiled model. */
export interface Compiled {
  readonly outputs: readonly CompiledOutput[];
  /** Names of the logs, 'loss' first. */
  readonly logNames: readonly string[];
  readonly runEagerly: boolean;
}

/** The outputs of a model, as far as compiling needs them. */
export interface OutputInfo {
  readonly name: string;
  readonly shape: SymbolicShape;
  readonly dtype: DType;
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !('className' in value);

/** Values for the outputs, in their order; null where there is none. */
export function perOutput(op: string, argument: string, given: unknown, names: readonly string[]): readonly unknown[] {
  if (Array.isArray(given)) {
    if (given.length === names.length) return given;
    throw invalid(
      'ERR_ARGUMENT',
      op,
      argument,
      `${names.length}, one for each output (${names.join(', ')})`,
      given.length,
    );
  }
  if (!isRecord(given)) return names.map(() => given ?? null);
  const unknown = Object.keys(given).find((key) => !names.includes(key));
  if (unknown !== undefined) {
    throw invalid('ERR_ARGUMENT', op, argument, `names of outputs (${names.join(', ')})`, unknown);
  }
  return names.map((name) => given[name] ?? null);
}

/** Metrics of each output: a plain list is for all of them. */
function metricLists(argument: string, given: unknown, names: readonly string[]): readonly unknown[][] {
  if (given === undefined || given === null) return names.map(() => []);
  if (isRecord(given)) {
    return perOutput('compile', argument, given, names).map((one) =>
      one === null ? [] : Array.isArray(one) ? (one as unknown[]) : [one],
    );
  }
  const list: unknown[] = Array.isArray(given) ? given : [given];
  if (names.length > 1 && list.length === names.length && list.some(Array.isArray)) {
    return list.map((one) => (Array.isArray(one) ? (one as unknown[]) : [one]));
  }
  return names.map(() => list);
}

/** Which log an output's metric is; a name that is taken gets _1, _2 behind. */
function uniqueLogName(name: string, taken: Set<string>): string {
  let unique = name;
  for (let i = 1; taken.has(unique); i++) unique = `${name}_${i}`;
  taken.add(unique);
  return unique;
}

/**
 * Works out losses and metrics for the outputs of a model.
 * @throws ArgumentError naming what is unknown or missing.
 */
export function compileOutputs(args: ModelCompileArgs, outputs: readonly OutputInfo[]): Compiled {
  const names = outputs.map(({ name }) => name);
  const losses = perOutput('compile', 'loss', args.loss, names);
  const weights = perOutput('compile', 'lossWeights', args.lossWeights, names).map((weight, i) => {
    if (weight === null) return 1;
    if (typeof weight === 'number' && Number.isFinite(weight)) return weight;
    throw invalid('ERR_ARGUMENT', 'compile', `lossWeights[${i}]`, 'a finite number', weight);
  });
  const plain = metricLists('metrics', args.metrics, names);
  const weighted = metricLists('weightedMetrics', args.weightedMetrics, names);
  const several = outputs.length > 1;
  const taken = new Set<string>(['loss']);
  const trained = outputs.flatMap((output, index) => (losses[index] === null ? [] : [{ ...output, index }]));
  if (trained.length === 0) throw invalid('ERR_ARGUMENT', 'compile', 'loss', 'a loss', args.loss);
  if (several) for (const { name } of trained) taken.add(`${name}_loss`);
  const compiled = trained.map((output): CompiledOutput => {
    const { index, name, shape } = output;
    const loss = getLoss(losses[index], 'compile', several ? `loss of ${name}` : 'loss');
    const metricOf = (weigh: boolean) => (like: unknown) => {
      const metric = getMetric(like, { lossName: loss.name, outputShape: shape });
      const logName = uniqueLogName(several ? `${name}_${metric.name}` : metric.name, taken);
      return { logName, metric, weighted: weigh };
    };
    const metrics = [...plain[index]!.map(metricOf(false)), ...weighted[index]!.map(metricOf(true))];
    return { ...output, loss, lossWeight: weights[index]!, metrics };
  });
  const logNames = [
    'loss',
    ...(several ? compiled.map(({ name }) => `${name}_loss`) : []),
    ...compiled.flatMap(({ metrics }) => metrics.map(({ logName }) => logName)),
  ];
  const { runEagerly = false } = args;
  if (typeof runEagerly !== 'boolean') throw invalid('ERR_ARGUMENT', 'compile', 'runEagerly', 'a boolean', runEagerly);
  return { outputs: compiled, logNames, runEagerly };
}

/** The error of what needs a compiled model. */
export const notCompiled = (op: string): Error =>
  failure('ERR_ARGUMENT', op, 'the model is not compiled yet; call compile({optimizer, loss}) first');
