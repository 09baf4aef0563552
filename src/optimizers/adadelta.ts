// Adadelta: steps as large as those before, by the ratio of running means of squares.
import { NativeOp } from '../tensor/backend.js';
import { checkNumber, type OptimizerOptions } from './checks.js';
import { Optimizer, zeroSlots } from './optimizer.js';
import type { LearningRate } from './learning-rate.js';

const RULE = { op: new NativeOp('adadelta'), slots: zeroSlots('accum_grad', 'accum_var') };

/** step = gradient sqrt(steps + epsilon) / sqrt(squares + epsilon); w -= learningRate * step. Zeiler 2012. */
export class AdadeltaOptimizer extends Optimizer {
  static override readonly className = 'Adadelta';
  static override readonly opName = 'adadelta';

  constructor(
    learningRate: LearningRate,
    readonly rho: number,
    readonly epsilon: number,
    options?: OptimizerOptions,
  ) {
    super(learningRate, options, RULE);
    checkNumber('train.adadelta', 'rho', rho, 0, 1);
    checkNumber('train.adadelta', 'epsilon', epsilon, 0, Infinity);
  }

  protected settings(): number[] {
    return [this.rho, this.epsilon];
  }
  protected ruleConfig(): Record<string, number> {
    return { rho: this.rho, epsilon: this.epsilon };
  }
}
