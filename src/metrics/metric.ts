// Metrics as `compile` takes them, and what the trainer does with one: two sums a batch, whose quotient over all batches is
// the metric. So nothing is read from the device before the end of an epoch.
import { invalid } from '../errors.js';
import { fullName, FUNCTIONS, SHORT_NAMES } from '../losses/loss.js';
import { wide } from '../losses/operands.js';
import { weighted, weightsLike } from '../losses/weighting.js';
import { mul } from '../ops/arithmetic.js';
import { sum } from '../ops/reductions.js';
import type { SymbolicShape } from '../layers/symbolic.js';
import { Tensor } from '../tensor/tensor.js';
import {
  binaryAccuracy,
  categoricalAccuracy,
  readsRanks,
  sparseCategoricalAccuracy,
  sparseTopKCategoricalAccuracy,
  topKCategoricalAccuracy,
} from './accuracy.js';
import { hits, precision, r2Score, recall } from './counts.js';

/** A metric of one's own: from labels and predictions to a value for each sample `[batch, ...]`, or to a scalar. */
export type MetricFunction = (yTrue: Tensor, yPred: Tensor) => Tensor;
/** What `compile` takes as a metric. */
export type MetricLike = string | MetricFunction;

/** A batch's part of a metric: the sum of values, and the weight of them. */
export type Part = readonly [sum: Tensor, weight: Tensor | number];

/** A metric as the trainer uses it. */
export interface Metric {
  /** Its name in logs. */
  readonly name: string;
  /** Whether it reads the ranks of the labelled classes, which a cross-entropy of the same predictions leaves for it. */
  readonly readsRanks: boolean;
  part(yTrue: Tensor, yPred: Tensor, weights: Tensor | null): Part;
}

/** The mean of a function's values; scalars count once for each sample of the batch. */
function meanOf(name: string, of: MetricFunction): Metric {
  return {
    name,
    readsRanks: readsRanks(of),
    part(yTrue, yPred, weights) {
      const given: unknown = of(yTrue, yPred);
      if (!(given instanceof Tensor)) {
        throw invalid('ERR_ARGUMENT', 'compile', `metric ${name}`, 'a function that returns a tensor', given);
      }
      const values = wide(given as Tensor);
      if (values.rank === 0) {
        const batch = yPred.shape[0] ?? 1;
        return [mul(values, batch), batch];
      }
      if (weights === null) return [sum(values), values.size];
      return [sum(weighted(name, values, weights)), sum(weightsLike(name, weights, values))];
    },
  };
}

const ratioOf = (name: 'precision' | 'recall'): Metric => ({
  name,
  readsRanks: false,
  part: (yTrue, yPred, weights) => hits(name, yTrue, yPred, (values) => weighted(name, values, weights)),
});

const METRICS: Readonly<Record<string, MetricFunction>> = {
  ...FUNCTIONS,
  binaryAccuracy,
  categoricalAccuracy,
  sparseCategoricalAccuracy,
  r2Score,
  topKCategoricalAccuracy: topKCategoricalAccuracy(),
  sparseTopKCategoricalAccuracy: sparseTopKCategoricalAccuracy(),
};
const RATIOS: Readonly<Record<'precision' | 'recall', MetricFunction>> = { precision, recall };

const ALIASES = ['acc', 'accuracy', 'ce', 'crossentropy', 'top5'] as const;

/** What a metric's name may depend on: the output's loss and its shape. */
export interface MetricContext {
  readonly lossName: string;
  readonly outputShape: SymbolicShape;
}

/**
 * The metric that a name or a function stands for. 'accuracy' (logged as 'acc'), 'crossentropy' ('ce') and 'top5' pick their
 * form by the loss and the output's shape, as tfjs.
 * @throws ArgumentError for an unknown name.
 */
export function getMetric(metric: unknown, context: MetricContext, op = 'compile'): Metric {
  if (typeof metric === 'function') {
    const of = metric as MetricFunction & { readonly metricName?: string };
    for (const [name, other] of Object.entries(RATIOS)) {
      if (of === other) return ratioOf(name as 'precision' | 'recall');
    }
    const builtIn = Object.entries(METRICS).find(([, other]) => other === of)?.[0];
    return meanOf(of.metricName ?? builtIn ?? (of.name || 'metric'), of);
  }
  if (typeof metric !== 'string') throw unknownMetric(op, metric);
  const lower = metric.toLowerCase();
  if (lower === 'acc' || lower === 'accuracy') return meanOf('acc', accuracyFor(context));
  if (lower === 'ce' || lower === 'crossentropy') return meanOf('ce', crossentropyFor(context));
  const top = /^top(\d+)$/.exec(lower);
  if (top !== null) {
    const k = Number(top[1]);
    const of = isSparse(context) ? sparseTopKCategoricalAccuracy({ k }) : topKCategoricalAccuracy({ k });
    return meanOf(of.metricName, of);
  }
  const name = fullName(metric);
  if (name === 'precision' || name === 'recall') return ratioOf(name);
  if (!Object.hasOwn(METRICS, name)) throw unknownMetric(op, metric);
  // Logged by the name that was given, as tfjs does: 'mse' stays 'mse'.
  return meanOf(metric, METRICS[name]!);
}

function unknownMetric(op: string, metric: unknown): Error {
  const names = [...ALIASES, ...Object.keys(METRICS), ...Object.keys(RATIOS), ...Object.keys(SHORT_NAMES)];
  return invalid('ERR_ARGUMENT', op, 'metrics', `a function or one of ${names.join(', ')}`, metric);
}

const isSparse = ({ lossName }: MetricContext): boolean => lossName === 'sparseCategoricalCrossentropy';
const isBinary = ({ lossName, outputShape }: MetricContext): boolean =>
  lossName === 'binaryCrossentropy' || outputShape.at(-1) === 1;

function accuracyFor(context: MetricContext): MetricFunction {
  if (isSparse(context)) return sparseCategoricalAccuracy;
  return isBinary(context) ? binaryAccuracy : categoricalAccuracy;
}

function crossentropyFor(context: MetricContext): MetricFunction {
  if (isSparse(context)) return FUNCTIONS['sparseCategoricalCrossentropy']!;
  return isBinary(context) ? FUNCTIONS['binaryCrossentropy']! : FUNCTIONS['categoricalCrossentropy']!;
}
