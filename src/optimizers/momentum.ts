// Gradient descent with momentum, as Keras 3's SGD(momentum, nesterov).
import { NativeOp } from '../tensor/backend.js';
import { checkNumber, Optimizer } from './optimizer.js';

/** velocity = momentum * velocity - learningRate * gradient; w += velocity (Nesterov: w += momentum * velocity - step). */
export class MomentumOptimizer extends Optimizer {
  static override readonly opName = 'momentum';
  readonly className = 'Momentum';
  protected readonly op = new NativeOp('momentum');
  protected readonly slotNames = ['momentum'] as const;

  constructor(
    learningRate: number,
    readonly momentum: number,
    readonly useNesterov: boolean,
  ) {
    super(learningRate);
    checkNumber(this.className, 'momentum', momentum, 0, Infinity);
  }

  protected settings(): number[] {
    return [this.momentum, this.useNesterov ? 1 : 0];
  }
  getConfig(): Record<string, number | boolean> {
    return { learningRate: this.learningRate, momentum: this.momentum, useNesterov: this.useNesterov };
  }
}
