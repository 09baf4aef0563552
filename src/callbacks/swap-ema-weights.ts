// Running averages of the weights in the place of the weights themselves while a model is judged: Keras's SwapEMAWeights.
import { invalid } from '../errors.js';
import { Callback } from './callback.js';

const OP = 'callbacks.swapEmaWeights';

/** Options of callbacks.swapEmaWeights. */
export interface SwapEmaWeightsConfig {
  /**
   * Whether the averages are in place from the end of an epoch to the beginning of the next, for callbacks that come after this one,
   * modelCheckpoint for instance (default false: during validation alone).
   */
  swapOnEpoch?: boolean;
}

/** Puts the averages in the weights' place and back. */
export class SwapEmaWeights extends Callback {
  private readonly swapOnEpoch: boolean;

  constructor({ swapOnEpoch = false }: SwapEmaWeightsConfig = {}) {
    super();
    if (typeof swapOnEpoch !== 'boolean') throw invalid('ERR_ARGUMENT', OP, 'swapOnEpoch', 'a boolean', swapOnEpoch);
    this.swapOnEpoch = swapOnEpoch;
  }

  private place(averages: boolean): void {
    const { optimizer } = this.model;
    if (optimizer.averagesInPlace !== averages) optimizer.swapAverages();
  }

  override onTrainBegin(): void {
    const { optimizer } = this.model;
    if (!optimizer.keepsAverages) {
      const fix = `make it as train.adam(0.001, 0.9, 0.999, 1e-7, {emaMomentum: 0.99})`;
      throw invalid('ERR_ARGUMENT', OP, 'model', 'an optimizer with emaMomentum', optimizer.className, fix);
    }
    this.place(false);
  }
  override onEpochBegin(): void {
    this.place(false);
  }
  override onTestBegin(): void {
    this.place(true);
  }
  override onTestEnd(): void {
    this.place(false);
  }
  override onEpochEnd(): void {
    if (this.swapOnEpoch) this.place(true);
  }
}

/**
 * Judges a model by the running averages of its weights: they are in place while `fit` validates, and with `swapOnEpoch` from the
 * end of an epoch to the beginning of the next, the end of the last included. The optimizer must keep them (`emaMomentum`).
 * Elsewhere `optimizer.swapAverages()` does the same by hand, and `optimizer.applyAverages()` makes them the weights for good.
 * @example
 * model.compile({optimizer: sn.train.adam(0.001, 0.9, 0.999, 1e-7, {emaMomentum: 0.99}), loss: 'meanSquaredError'});
 * await model.fit(x, y, {validationSplit: 0.1, callbacks: [
 *   sn.callbacks.swapEmaWeights({swapOnEpoch: true}), sn.callbacks.modelCheckpoint({filepath: 'averaged'})]});
 * @throws ArgumentError for a bad option; from fit, when the optimizer keeps no averages.
 */
export function swapEmaWeights(config?: SwapEmaWeightsConfig): SwapEmaWeights {
  return new SwapEmaWeights(config);
}
