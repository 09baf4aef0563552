// Plain gradient descent.
import { NativeOp } from '../tensor/backend.js';
import { Optimizer } from './optimizer.js';

/** w -= learningRate * gradient. */
export class SGDOptimizer extends Optimizer {
  static override readonly opName = 'sgd';
  readonly className = 'SGD';
  protected readonly op = new NativeOp('sgd');
  protected readonly slotNames = [] as const;

  protected settings(): number[] {
    return [];
  }
  getConfig(): Record<string, number | boolean> {
    return { learningRate: this.learningRate };
  }
}
