// One of each optimizer, for tests of what all of them do alike.
import * as sn from '../../src/index.js';

/** By the name it is tested under, with settings under which every one of its slots counts. */
export const everyOptimizer: readonly (readonly [
  string,
  (options?: sn.OptimizerOptions, rate?: sn.LearningRate) => sn.Optimizer,
])[] = [
  ['sgd', (options, rate = 0.1) => sn.train.sgd(rate, options)],
  ['momentum', (options, rate = 0.05) => sn.train.momentum(rate, 0.9, false, options)],
  ['nesterov', (options, rate = 0.05) => sn.train.momentum(rate, 0.9, true, options)],
  ['adam', (options, rate = 0.1) => sn.train.adam(rate, 0.9, 0.999, null, options)],
  ['adamw', (options, rate = 0.1) => sn.train.adamw(rate, options)],
  ['adamax', (options, rate = 0.1) => sn.train.adamax(rate, 0.9, 0.999, null, 0, options)],
  ['nadam', (options, rate = 0.1) => sn.train.nadam(rate, options)],
  ['adadelta', (options, rate = 1) => sn.train.adadelta(rate, 0.9, 1e-3, options)],
  ['adagrad', (options, rate = 0.3) => sn.train.adagrad(rate, 0.1, options)],
  ['rmsprop', (options, rate = 0.05) => sn.train.rmsprop(rate, 0.9, 0, null, false, options)],
  ['rmsprop with momentum', (options, rate = 0.02) => sn.train.rmsprop(rate, 0.9, 0.8, null, false, options)],
  ['rmsprop centered', (options, rate = 0.05) => sn.train.rmsprop(rate, 0.9, 0, 1e-3, true, options)],
  ['rmsprop centered with momentum', (options, rate = 0.02) => sn.train.rmsprop(rate, 0.9, 0.8, 1e-3, true, options)],
  ['lion', (options, rate = 0.05) => sn.train.lion(rate, options)],
];
