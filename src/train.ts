// Optimizers by the names of tfjs's `train`.
import { AdamOptimizer } from './optimizers/adam.js';
import { MomentumOptimizer } from './optimizers/momentum.js';
import { SGDOptimizer } from './optimizers/sgd.js';

/** Gradient descent: w -= learningRate * gradient. */
export function sgd(learningRate: number): SGDOptimizer {
  return new SGDOptimizer(learningRate);
}

/** Gradient descent with momentum; Nesterov's form if asked for. Rules of Keras 3. */
export function momentum(learningRate: number, momentum: number, useNesterov = false): MomentumOptimizer {
  return new MomentumOptimizer(learningRate, momentum, useNesterov);
}

/** Adam (Kingma & Ba 2015) with the rules and defaults of Keras 3: learning rate 0.001, epsilon 1e-7. */
export function adam(learningRate = 0.001, beta1 = 0.9, beta2 = 0.999, epsilon: number | null = null): AdamOptimizer {
  return new AdamOptimizer(learningRate, beta1, beta2, epsilon ?? 1e-7);
}
