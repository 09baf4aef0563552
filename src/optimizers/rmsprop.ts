// RMSProp: gradients divided by the root of their mean square, or where centred by their deviation; with momentum if wanted.
import { NativeOp } from '../tensor/backend.js';
import { checkFlag, checkNumber, type OptimizerOptions } from './checks.js';
import { Optimizer, zeroSlots } from './optimizer.js';
import type { LearningRate } from './learning-rate.js';

const OP = new NativeOp('rmsprop');

/** step = learningRate gradient / sqrt(square + epsilon), square less mean^2 where centred. Tieleman & Hinton 2012, Graves 2013. */
export class RMSPropOptimizer extends Optimizer {
  static override readonly className = 'RMSProp';
  static override readonly opName = 'rmsprop';

  /** @param decay Keras's rho: how slowly the means forget. */
  constructor(
    learningRate: LearningRate,
    readonly decay: number,
    readonly momentum: number,
    readonly epsilon: number,
    readonly centered: boolean,
    options?: OptimizerOptions,
  ) {
    const slots = zeroSlots('rms', ...(centered ? ['mg'] : []), ...(momentum === 0 ? [] : ['momentum']));
    super(learningRate, options, { op: OP, slots });
    checkNumber('train.rmsprop', 'decay', decay, 0, 1);
    checkNumber('train.rmsprop', 'momentum', momentum, 0, Infinity);
    checkNumber('train.rmsprop', 'epsilon', epsilon, 0, Infinity);
    checkFlag('train.rmsprop', 'centered', centered);
  }

  protected settings(): number[] {
    return [this.decay, this.momentum, this.epsilon, this.centered ? 1 : 0];
  }
  protected ruleConfig(): Record<string, number | boolean> {
    const { decay, momentum, epsilon, centered } = this;
    return { decay, momentum, epsilon, centered };
  }
}
