// Adam (Kingma & Ba 2015), as Keras 3: epsilon outside the bias correction.
import { NativeOp } from '../tensor/backend.js';
import { checkNumber, Optimizer } from './optimizer.js';

/** w -= rate * mean / (sqrt(square) + epsilon), rate = learningRate sqrt(1 - beta2^t) / (1 - beta1^t). */
export class AdamOptimizer extends Optimizer {
  static override readonly opName = 'adam';
  readonly className = 'Adam';
  protected readonly op = new NativeOp('adam');
  protected readonly slotNames = ['m', 'v'] as const;

  constructor(
    learningRate: number,
    readonly beta1: number,
    readonly beta2: number,
    readonly epsilon: number,
  ) {
    super(learningRate);
    checkNumber(this.className, 'beta1', beta1, 0, 1);
    checkNumber(this.className, 'beta2', beta2, 0, 1);
    checkNumber(this.className, 'epsilon', epsilon, 0, Infinity);
  }

  protected settings(): number[] {
    return [this.beta1, this.beta2, this.epsilon];
  }
  getConfig(): Record<string, number | boolean> {
    const { learningRate, beta1, beta2, epsilon } = this;
    return { learningRate, beta1, beta2, epsilon };
  }
}
