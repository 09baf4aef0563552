// Adagrad: a rate of its own for each parameter, which shrinks with the sum of squared gradients.
import { NativeOp } from '../tensor/backend.js';
import { checkNumber, type OptimizerOptions } from './checks.js';
import { Optimizer } from './optimizer.js';
import type { LearningRate } from './learning-rate.js';

const OP = new NativeOp('adagrad');

/** squares += gradient^2; w -= learningRate * gradient / sqrt(squares + epsilon). Duchi, Hazan & Singer 2011. */
export class AdagradOptimizer extends Optimizer {
  static override readonly className = 'Adagrad';
  static override readonly opName = 'adagrad';

  constructor(
    learningRate: LearningRate,
    readonly initialAccumulatorValue: number,
    readonly epsilon: number,
    options?: OptimizerOptions,
  ) {
    super(learningRate, options, { op: OP, slots: [{ name: 'accumulator', initial: initialAccumulatorValue }] });
    checkNumber('train.adagrad', 'initialAccumulatorValue', initialAccumulatorValue, 0, Infinity);
    checkNumber('train.adagrad', 'epsilon', epsilon, 0, Infinity);
  }

  protected settings(): number[] {
    return [this.epsilon];
  }
  protected ruleConfig(): Record<string, number> {
    return { initialAccumulatorValue: this.initialAccumulatorValue, epsilon: this.epsilon };
  }
}
