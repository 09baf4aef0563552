// Lion: steps of one size, in the direction of the sign of a mixed momentum.
import { NativeOp } from '../tensor/backend.js';
import { checkNumber, type OptimizerOptions } from './checks.js';
import { Optimizer, zeroSlots } from './optimizer.js';
import type { LearningRate } from './learning-rate.js';

const RULE = { op: new NativeOp('lion'), slots: zeroSlots('m') };

/** w -= learningRate sign(beta1 m + (1 - beta1) gradient), then m = beta2 m + (1 - beta2) gradient. Chen et al. 2023. */
export class LionOptimizer extends Optimizer {
  static override readonly className = 'Lion';
  static override readonly opName = 'lion';

  constructor(
    learningRate: LearningRate,
    readonly beta1: number,
    readonly beta2: number,
    options?: OptimizerOptions,
  ) {
    super(learningRate, options, RULE);
    checkNumber('train.lion', 'beta1', beta1, 0, 1);
    checkNumber('train.lion', 'beta2', beta2, 0, 1);
  }

  protected settings(): number[] {
    return [this.beta1, this.beta2];
  }
  protected ruleConfig(): Record<string, number> {
    return { beta1: this.beta1, beta2: this.beta2 };
  }
}
