// Plain gradient descent.
import { NativeOp } from '../tensor/backend.js';
import type { OptimizerOptions } from './checks.js';
import { Optimizer } from './optimizer.js';
import type { LearningRate } from './learning-rate.js';

const RULE = { op: new NativeOp('sgd'), slots: [] };

/** w -= learningRate * gradient. */
export class SGDOptimizer extends Optimizer {
  static override readonly className = 'SGD';
  static override readonly opName = 'sgd';

  constructor(learningRate: LearningRate, options?: OptimizerOptions) {
    super(learningRate, options, RULE);
  }

  protected settings(): number[] {
    return [];
  }
  protected ruleConfig(): Record<string, number> {
    return {};
  }
}
