// From what `compile` is given, or a file has kept, to the optimizer.
import { Registry } from '../serialization.js';
import * as train from '../train.js';
import type { OptimizerOptions } from './checks.js';
import type { LearningRate } from './learning-rate.js';
import { Optimizer } from './optimizer.js';

/** Settings by name; the optimizers check their values. */
interface Config extends OptimizerOptions {
  learningRate?: LearningRate;
  beta1?: number;
  beta2?: number;
  epsilon?: number | null;
  rho?: number;
  decay?: number;
  momentum?: number;
  useNesterov?: boolean;
  centered?: boolean;
  initialAccumulatorValue?: number;
}

const registry = new Registry<Optimizer>('optimizer', (value): value is Optimizer => value instanceof Optimizer);

/** The names compare without case: `SGD` and `RMSProp`, the class names, are these. */
const MAKERS: Readonly<Record<string, (config: Config) => Optimizer>> = {
  sgd: ({ learningRate, ...options }) => train.sgd(learningRate, options),
  momentum: ({ learningRate = 0.01, momentum = 0.9, useNesterov, ...options }) =>
    train.momentum(learningRate, momentum, useNesterov, options),
  adam: ({ learningRate, beta1, beta2, epsilon, ...options }) =>
    train.adam(learningRate, beta1, beta2, epsilon, options),
  adamw: ({ learningRate, ...options }) => train.adamw(learningRate, options),
  adamax: ({ learningRate, beta1, beta2, epsilon, decay, ...options }) =>
    train.adamax(learningRate, beta1, beta2, epsilon, decay, options),
  nadam: ({ learningRate, ...options }) => train.nadam(learningRate, options),
  adadelta: ({ learningRate, rho, epsilon, ...options }) => train.adadelta(learningRate, rho, epsilon, options),
  adagrad: ({ learningRate, initialAccumulatorValue, ...options }) =>
    train.adagrad(learningRate, initialAccumulatorValue, options),
  rmsprop: ({ learningRate, decay, momentum, epsilon, centered, ...options }) =>
    train.rmsprop(learningRate, decay, momentum, epsilon, centered, options),
  lion: ({ learningRate, ...options }) => train.lion(learningRate, options),
};
for (const [name, make] of Object.entries(MAKERS)) registry.enterAs(name, (config) => make(config));

/**
 * The optimizer itself, the one of that name with Keras 3's defaults (`'adam'`, `'rmsprop'`, `'SGD'`; momentum 0.9 for
 * `'momentum'`), or the one that `{className, config: getConfig()}` describes.
 * @throws ArgumentError that lists the known names.
 */
export function getOptimizer(identifier: unknown): Optimizer {
  return registry.get(identifier);
}
