// Losses as `compile` takes them: by name, as {className, config}, or as a function of one's own.
import { invalid } from '../errors.js';
import type { Tensor } from '../tensor/tensor.js';
import {
  binaryCrossentropy,
  categoricalCrossentropy,
  categoricalHinge,
  hinge,
  kullbackLeiblerDivergence,
  sparseCategoricalCrossentropy,
  squaredHinge,
} from './classification.js';
import {
  cosineProximity,
  huber,
  logcosh,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredError,
  meanSquaredLogarithmicError,
  poisson,
} from './regression.js';

/** A loss of one's own: from labels and predictions to a loss for each sample `[batch, ...]`, or to a scalar. */
export type LossFunction = (yTrue: Tensor, yPred: Tensor) => Tensor;

/** Options of the built-in losses, where a loss has them. */
export interface LossConfig {
  /** The model's output are logits: cross-entropies (default false). */
  fromLogits?: boolean;
  /** In [0, 1]; categoricalCrossentropy and binaryCrossentropy (default 0). */
  labelSmoothing?: number;
  /** huber (default 1). */
  delta?: number;
}

/** A built-in loss with options: `{className: 'categoricalCrossentropy', config: {fromLogits: true}}`. */
export interface SerializedLoss {
  readonly className: string;
  readonly config?: LossConfig;
}

/** What `compile` takes as an output's loss. */
export type LossLike = string | SerializedLoss | LossFunction;

/** What labels must look like: like the output, class numbers in place of its last axis, or whatever the function takes. */
export type LabelKind = 'like output' | 'class numbers' | 'any';

/** A loss as the trainer uses it. */
export interface Loss {
  /** Its name in tfjs; of a function, the function's. */
  readonly name: string;
  readonly labels: LabelKind;
  /** A loss for each sample, or a scalar. */
  readonly of: LossFunction;
  /** What files keep; null for a function. */
  readonly serialized: string | SerializedLoss | null;
}

interface Entry {
  readonly labels: LabelKind;
  readonly options: readonly (keyof LossConfig)[];
  readonly make: (config: LossConfig) => LossFunction;
}

const plain = (of: LossFunction): Entry => ({ labels: 'like output', options: [], make: () => of });

const LOSSES: Readonly<Record<string, Entry>> = {
  meanSquaredError: plain(meanSquaredError),
  meanAbsoluteError: plain(meanAbsoluteError),
  meanAbsolutePercentageError: plain(meanAbsolutePercentageError),
  meanSquaredLogarithmicError: plain(meanSquaredLogarithmicError),
  squaredHinge: plain(squaredHinge),
  hinge: plain(hinge),
  categoricalHinge: plain(categoricalHinge),
  logcosh: plain(logcosh),
  huber: {
    labels: 'like output',
    options: ['delta'],
    make:
      ({ delta }) =>
      (yTrue, yPred) =>
        huber(yTrue, yPred, delta),
  },
  categoricalCrossentropy: {
    labels: 'like output',
    options: ['fromLogits', 'labelSmoothing'],
    make:
      ({ fromLogits, labelSmoothing }) =>
      (yTrue, yPred) =>
        categoricalCrossentropy(yTrue, yPred, fromLogits, labelSmoothing),
  },
  sparseCategoricalCrossentropy: {
    labels: 'class numbers',
    options: ['fromLogits'],
    make:
      ({ fromLogits }) =>
      (yTrue, yPred) =>
        sparseCategoricalCrossentropy(yTrue, yPred, fromLogits),
  },
  binaryCrossentropy: {
    labels: 'like output',
    options: ['fromLogits', 'labelSmoothing'],
    make:
      ({ fromLogits, labelSmoothing }) =>
      (yTrue, yPred) =>
        binaryCrossentropy(yTrue, yPred, fromLogits, labelSmoothing),
  },
  kullbackLeiblerDivergence: plain(kullbackLeiblerDivergence),
  poisson: plain(poisson),
  cosineProximity: plain(cosineProximity),
};

/** Short names, tfjs's and Keras's, to the long ones. */
export const SHORT_NAMES: Readonly<Record<string, string>> = {
  mse: 'meanSquaredError',
  mae: 'meanAbsoluteError',
  mape: 'meanAbsolutePercentageError',
  msle: 'meanSquaredLogarithmicError',
  kld: 'kullbackLeiblerDivergence',
  klDivergence: 'kullbackLeiblerDivergence',
  cosine: 'cosineProximity',
  logCosh: 'logcosh',
};

/** The name in camel case and in full: files of Keras and tfjs write `mean_squared_error`, people `mse` or `MSE`. */
export function fullName(name: string): string {
  const camel = name.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  const known = Object.hasOwn(SHORT_NAMES, camel) ? camel : camel.toLowerCase();
  return Object.hasOwn(SHORT_NAMES, known) ? SHORT_NAMES[known]! : camel;
}

/** Names of the built-in losses. */
export const lossNames = (): string[] => Object.keys(LOSSES);

/**
 * The loss that a name, an object or a function stands for.
 * @throws ArgumentError for an unknown name or option.
 */
export function getLoss(loss: unknown, op = 'compile', argument = 'loss'): Loss {
  if (typeof loss === 'function') {
    const builtIn = Object.entries(FUNCTIONS).find(([, of]) => of === loss)?.[0];
    if (builtIn !== undefined) return getLoss(builtIn, op, argument);
    return { name: loss.name || 'loss', labels: 'any', of: loss as LossFunction, serialized: null };
  }
  const { className, config = {} } = (typeof loss === 'string' ? { className: loss } : (loss ?? {})) as SerializedLoss;
  const name = typeof className === 'string' ? fullName(className) : '';
  if (!Object.hasOwn(LOSSES, name)) {
    throw invalid('ERR_ARGUMENT', op, argument, `a function or one of ${lossNames().join(', ')}`, className ?? loss);
  }
  const { labels, options, make } = LOSSES[name]!;
  checkConfig(op, `${argument}.config`, name, config, options);
  const serialized = Object.keys(config).length === 0 ? name : { className: name, config };
  return { name, labels, of: make(config), serialized };
}

function checkConfig(
  op: string,
  argument: string,
  name: string,
  config: LossConfig,
  options: readonly (keyof LossConfig)[],
): void {
  for (const [key, value] of Object.entries(config) as [keyof LossConfig, unknown][]) {
    if (!options.includes(key)) {
      const known = options.length === 0 ? 'no options' : `the options ${options.join(', ')}`;
      throw invalid('ERR_ARGUMENT', op, argument, `${known} of ${name}`, key);
    }
    if (key === 'fromLogits') {
      if (typeof value !== 'boolean') throw invalid('ERR_ARGUMENT', op, `${argument}.${key}`, 'a boolean', value);
      continue;
    }
    const most = key === 'labelSmoothing' ? 1 : Infinity;
    if (!(typeof value === 'number' && value >= 0 && value <= most) || (key === 'delta' && value === 0)) {
      const range = key === 'delta' ? 'a number above 0' : 'a number in [0, 1]';
      throw invalid('ERR_ARGUMENT', op, `${argument}.${key}`, range, value);
    }
  }
}

/** The built-in losses as functions, by name: a metric may be any of them. */
export const FUNCTIONS: Readonly<Record<string, LossFunction>> = {
  meanSquaredError,
  meanAbsoluteError,
  meanAbsolutePercentageError,
  meanSquaredLogarithmicError,
  squaredHinge,
  hinge,
  categoricalHinge,
  logcosh,
  huber,
  categoricalCrossentropy,
  sparseCategoricalCrossentropy,
  binaryCrossentropy,
  kullbackLeiblerDivergence,
  poisson,
  cosineProximity,
};
