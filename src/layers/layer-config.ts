// The options that every layer has, and the shape they declare.
import type { Tensor } from '../tensor/tensor.js';
import type { LayerDType } from './dtype-policy.js';
import { checkSymbolicShape, type SymbolicShape } from './symbolic.js';

/** What every layer's options have. */
export interface LayerConfig {
  /** Default: as tfjs, `dense_Dense1`. */
  name?: string | undefined;
  /** False freezes the weights (default true). */
  trainable?: boolean | undefined;
  /** Shape of the input without the batch axis: makes a first layer of `sequential` build at once. */
  inputShape?: SymbolicShape | undefined;
  /** As inputShape, with the batch axis in front. */
  batchInputShape?: SymbolicShape | undefined;
  /** The batch axis's size where inputShape is given (default: any). */
  batchSize?: number | undefined;
  /**
   * Dtype of the weights, of inputShape's input and of what the layer computes in; or `'mixed_bfloat16'`, `'mixed_float16'`:
   * float32 weights and input, 16-bit maths. Default: as `mixedPrecision()` says, float32 unless it was set. Float inputs are
   * cast to what the layer computes in; only float64 ones pass a layer that is not mixed as they are.
   */
  dtype?: LayerDType | undefined;
  /** The weights' first values, in the order of `getWeights()`. */
  weights?: readonly Tensor[] | undefined;
}

/** The shape of the input, batch axis in front, where the options say it. */
export function declaredShape(op: string, config: LayerConfig): SymbolicShape | undefined {
  const { inputShape, batchInputShape, batchSize } = config;
  if (batchInputShape !== undefined) {
    checkSymbolicShape(op, 'batchInputShape', batchInputShape);
    return Object.freeze(batchInputShape.map((size) => size ?? null));
  }
  if (inputShape === undefined) return undefined;
  checkSymbolicShape(op, 'inputShape', inputShape);
  return Object.freeze([batchSize ?? null, ...inputShape.map((size) => size ?? null)]);
}
