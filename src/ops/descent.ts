// The backward of a product or convolution that goes on through the activation below in the same pass.
import { Descent } from '../autograd/gradient-table.js';
import type { Slope } from '../autograd/tape.js';
import { run, type NativeOp } from '../tensor/backend.js';
import { Tensor } from '../tensor/tensor.js';

/**
 * The gradient by x, which an activation made, through that activation and with its bias's gradient.
 * @param op (...operands, saved?, stamp?) -> (dz, dBias?); parameters as given, then the slope's.
 */
export function descend(
  op: NativeOp,
  operands: readonly Tensor[],
  { backend, shape, dtype }: Tensor,
  { saved, stamp, parameters, bias }: Slope,
  ownParameters: readonly number[],
): Descent {
  const holders = [shape, ...(bias === null ? [] : [bias.shape])].map((size) => new Tensor(backend, size, dtype));
  const inputs = [...operands, ...(saved === null ? [] : [saved]), ...(stamp === null ? [] : [stamp])];
  const outputs = holders.map((holder) => ({ holder, shape: holder.shape, dtype }));
  run(backend, op, inputs, outputs, [...ownParameters, ...parameters]);
  return new Descent(holders[0]!, holders[1] ?? null);
}
