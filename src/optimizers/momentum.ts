// Gradient descent with momentum, as Keras 3's SGD(momentum, nesterov).
import { NativeOp } from '../tensor/backend.js';
import { checkFlag, checkNumber, type OptimizerOptions } from './checks.js';
import { Optimizer, zeroSlots } from './optimizer.js';
import type { LearningRate } from './learning-rate.js';

const RULE = { op: new NativeOp('momentum'), slots: zeroSlots('momentum') };

/** velocity = momentum * velocity - learningRate * gradient; w += velocity (Nesterov: w += momentum * velocity - step). */
export class MomentumOptimizer extends Optimizer {
  static override readonly className = 'Momentum';
  static override readonly opName = 'momentum';

  constructor(
    learningRate: LearningRate,
    readonly momentum: number,
    readonly useNesterov = false,
    options?: OptimizerOptions,
  ) {
    super(learningRate, options, RULE);
    checkNumber('train.momentum', 'momentum', momentum, 0, Infinity);
    checkFlag('train.momentum', 'useNesterov', useNesterov);
  }

  protected settings(): number[] {
    return [this.momentum, this.useNesterov ? 1 : 0];
  }
  protected ruleConfig(): Record<string, number | boolean> {
    return { momentum: this.momentum, useNesterov: this.useNesterov };
  }
}
