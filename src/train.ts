// Optimizers by the names of tfjs's `train`, with the rules and default settings of Keras 3. Each takes a learning rate or one of
// `train.schedules` first and OptimizerOptions last.
import { AdadeltaOptimizer } from './optimizers/adadelta.js';
import { AdagradOptimizer } from './optimizers/adagrad.js';
import { AdamaxOptimizer, AdamOptimizer, AdamWOptimizer, NadamOptimizer } from './optimizers/adam.js';
import { checkNumber, type OptimizerOptions } from './optimizers/checks.js';
import { LionOptimizer } from './optimizers/lion.js';
import { MomentumOptimizer } from './optimizers/momentum.js';
import { RMSPropOptimizer } from './optimizers/rmsprop.js';
import { InverseTimeDecay, type LearningRate } from './optimizers/learning-rate.js';
import { SGDOptimizer } from './optimizers/sgd.js';
import { checkOptions } from './serialization.js';
import { failure } from './errors.js';

export * as schedules from './optimizers/schedules.js';

const EPSILON = 1e-7;

export interface AdagradOptions extends OptimizerOptions {
  /** Added to the sum of squares (default 1e-7). */
  epsilon?: number | null | undefined;
}
export interface NadamOptions extends OptimizerOptions {
  /** How slowly the mean of gradients forgets (default 0.9). */
  beta1?: number | undefined;
  /** How slowly the mean of squares forgets (default 0.999). */
  beta2?: number | undefined;
  /** Added to the root of the mean square (default 1e-7). */
  epsilon?: number | null | undefined;
}
/** As Nadam's; weightDecay is 0.004 by default. */
export type AdamWOptions = NadamOptions;
export interface LionOptions extends OptimizerOptions {
  /** Share of the momentum in a step's direction (default 0.9). */
  beta1?: number | undefined;
  /** How slowly the momentum forgets (default 0.99). */
  beta2?: number | undefined;
}

/** Gradient descent: w -= learningRate * gradient. */
export function sgd(learningRate: LearningRate = 0.01, options?: OptimizerOptions): SGDOptimizer {
  return new SGDOptimizer(learningRate, options);
}

/** Gradient descent with momentum; Nesterov's form if asked for. Rules of Keras 3. */
export function momentum(
  learningRate: LearningRate,
  momentum: number,
  useNesterov = false,
  options?: OptimizerOptions,
): MomentumOptimizer {
  return new MomentumOptimizer(learningRate, momentum, useNesterov, options);
}

/** Adam (Kingma & Ba 2015) with the rules and defaults of Keras 3: learning rate 0.001, epsilon 1e-7. */
export function adam(
  learningRate: LearningRate = 0.001,
  beta1 = 0.9,
  beta2 = 0.999,
  epsilon: number | null = null,
  options?: OptimizerOptions,
): AdamOptimizer {
  return new AdamOptimizer(learningRate, beta1, beta2, epsilon ?? EPSILON, options);
}

/** Adam with decoupled weight decay (Loshchilov & Hutter 2019): w -= learningRate weightDecay w before each step. */
export function adamw(learningRate: LearningRate = 0.001, options?: AdamWOptions): AdamWOptimizer {
  const { beta1 = 0.9, beta2 = 0.999, epsilon, weightDecay, ...rest } = checkOptions('train.adamw', options);
  const common = { ...rest, weightDecay: weightDecay ?? 0.004 };
  return new AdamWOptimizer(learningRate, beta1, beta2, epsilon ?? EPSILON, common);
}

/**
 * Adamax, Adam with the infinity norm (Kingma & Ba 2015, section 7).
 * @param decay Divides the learning rate by 1 + decay * step, as tfjs does; only of a learning rate that is a number.
 */
export function adamax(
  learningRate: LearningRate = 0.001,
  beta1 = 0.9,
  beta2 = 0.999,
  epsilon: number | null = null,
  decay = 0,
  options?: OptimizerOptions,
): AdamaxOptimizer {
  checkNumber('train.adamax', 'decay', decay, 0, Infinity);
  if (decay !== 0 && typeof learningRate !== 'number') {
    throw failure('ERR_ARGUMENT', 'train.adamax', 'decay: expected 0 with a learning-rate schedule; put it there');
  }
  const rate =
    decay === 0 || typeof learningRate !== 'number'
      ? learningRate
      : new InverseTimeDecay({ initialLearningRate: learningRate, decaySteps: 1, decayRate: decay });
  return new AdamaxOptimizer(rate, beta1, beta2, epsilon ?? EPSILON, options);
}

/** Adam with Nesterov momentum (Dozat 2016). */
export function nadam(learningRate: LearningRate = 0.001, options?: NadamOptions): NadamOptimizer {
  const { beta1 = 0.9, beta2 = 0.999, epsilon, ...rest } = checkOptions('train.nadam', options);
  return new NadamOptimizer(learningRate, beta1, beta2, epsilon ?? EPSILON, rest);
}

/** Adadelta (Zeiler 2012). The paper's own step has learning rate 1. */
export function adadelta(
  learningRate: LearningRate = 0.001,
  rho = 0.95,
  epsilon: number | null = null,
  options?: OptimizerOptions,
): AdadeltaOptimizer {
  return new AdadeltaOptimizer(learningRate, rho, epsilon ?? EPSILON, options);
}

/** Adagrad (Duchi, Hazan & Singer 2011); sums of squares start from `initialAccumulatorValue`. */
export function adagrad(
  learningRate: LearningRate = 0.001,
  initialAccumulatorValue = 0.1,
  options?: AdagradOptions,
): AdagradOptimizer {
  const { epsilon, ...rest } = checkOptions('train.adagrad', options);
  return new AdagradOptimizer(learningRate, initialAccumulatorValue, epsilon ?? EPSILON, rest);
}

/**
 * RMSProp (Tieleman & Hinton 2012).
 * @param decay Keras's rho.
 * @param centered Divides by the gradients' deviation (Graves 2013) instead of their root mean square.
 */
export function rmsprop(
  learningRate: LearningRate = 0.001,
  decay = 0.9,
  momentum = 0,
  epsilon: number | null = null,
  centered = false,
  options?: OptimizerOptions,
): RMSPropOptimizer {
  return new RMSPropOptimizer(learningRate, decay, momentum, epsilon ?? EPSILON, centered, options);
}

/** Lion (Chen et al. 2023), whose steps all have the size of the learning rate: it should be smaller than Adam's. */
export function lion(learningRate: LearningRate = 0.0001, options?: LionOptions): LionOptimizer {
  const { beta1 = 0.9, beta2 = 0.99, ...rest } = checkOptions('train.lion', options);
  return new LionOptimizer(learningRate, beta1, beta2, rest);
}
