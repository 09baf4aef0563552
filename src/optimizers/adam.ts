// Adam and what grew out of it: a mean and a mean square (or norm) of the gradients for each parameter, with the rules of Keras
// 3, which keep epsilon outside the bias correction.
import { NativeOp } from '../tensor/backend.js';
import { checkNumber, type OptimizerOptions } from './checks.js';
import { Optimizer, zeroSlots, type Rule } from './optimizer.js';
import type { LearningRate } from './learning-rate.js';

const SLOTS = zeroSlots('m', 'v');
const ADAM: Rule = { op: new NativeOp('adam'), slots: SLOTS };
const ADAMAX: Rule = { op: new NativeOp('adamax'), slots: SLOTS };
const NADAM: Rule = { op: new NativeOp('nadam'), slots: SLOTS, keepsProduct: true };

/** What the family shares: two decays and an epsilon. */
abstract class MomentsOptimizer extends Optimizer {
  constructor(
    learningRate: LearningRate,
    readonly beta1: number,
    readonly beta2: number,
    readonly epsilon: number,
    options: OptimizerOptions | undefined,
    rule: Rule,
  ) {
    super(learningRate, options, rule);
    const op = `train.${new.target.opName}`;
    checkNumber(op, 'beta1', beta1, 0, 1);
    checkNumber(op, 'beta2', beta2, 0, 1);
    checkNumber(op, 'epsilon', epsilon, 0, Infinity);
  }

  protected settings(): number[] {
    return [this.beta1, this.beta2, this.epsilon];
  }
  protected ruleConfig(): Record<string, number> {
    const { beta1, beta2, epsilon } = this;
    return { beta1, beta2, epsilon };
  }
}

/** w -= rate * mean / (sqrt(square) + epsilon), rate = learningRate sqrt(1 - beta2^t) / (1 - beta1^t). Kingma & Ba 2015. */
export class AdamOptimizer extends MomentsOptimizer {
  static override readonly className: string = 'Adam';
  static override readonly opName: string = 'adam';
  constructor(learningRate: LearningRate, beta1: number, beta2: number, epsilon: number, options?: OptimizerOptions) {
    super(learningRate, beta1, beta2, epsilon, options, ADAM);
  }
}

/** Adam with decoupled weight decay: `options.weightDecay`. Loshchilov & Hutter 2019. */
export class AdamWOptimizer extends AdamOptimizer {
  static override readonly className = 'AdamW';
  static override readonly opName = 'adamw';
  protected override ruleConfig(): Record<string, number> {
    return { ...super.ruleConfig(), weightDecay: this.common.weightDecay };
  }
}

/** w -= learningRate / (1 - beta1^t) * mean / (norm + epsilon), norm = max(beta2 norm, |gradient|). Kingma & Ba 2015. */
export class AdamaxOptimizer extends MomentsOptimizer {
  static override readonly className = 'Adamax';
  static override readonly opName = 'adamax';
  constructor(learningRate: LearningRate, beta1: number, beta2: number, epsilon: number, options?: OptimizerOptions) {
    super(learningRate, beta1, beta2, epsilon, options, ADAMAX);
  }
}

/** Adam with Nesterov momentum, whose momentum grows as beta1 (1 - 0.96^t / 2). Dozat 2016. */
export class NadamOptimizer extends MomentsOptimizer {
  static override readonly className = 'Nadam';
  static override readonly opName = 'nadam';
  constructor(learningRate: LearningRate, beta1: number, beta2: number, epsilon: number, options?: OptimizerOptions) {
    super(learningRate, beta1, beta2, epsilon, options, NADAM);
  }
}
