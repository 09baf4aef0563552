// Bias and activation in one pass, and both their gradients in one pass over dy: what fused layers put behind a product.
import { isRecording, record } from '../autograd/tape.js';
import { NativeOp, run } from '../tensor/backend.js';
import { Tensor } from '../tensor/tensor.js';
import { activationNamed, perActivation, type Activation, type ActivationName } from './activation.js';
import { add } from './arithmetic.js';
import { cast } from './cast.js';
import { sumTo } from './broadcasting.js';

const opsOf = perActivation((name) => ({
  forward: new NativeOp(`${name}/bias_forward`),
  backward: new NativeOp(`${name}/bias_backward`),
}));

/**
 * f(x + bias), of checked operands.
 * @param x A float tensor [..., columns].
 * @param bias [columns], on x's device.
 * @param name The activation's row in the native table.
 * @param parameters Its parameters in table order.
 */
export function biasActivation(
  x: Tensor,
  bias: Tensor,
  name: ActivationName,
  parameters: readonly number[] = [],
): Tensor {
  const activation: Activation = activationNamed(name);
  const offset = cast(bias, x.dtype);
  const y = new Tensor(x.backend, x.shape, x.dtype);
  // Kept for the gradient alone, and only by activations whose derivative needs it.
  const z = isRecording() && activation.facts.saves === 'input' ? new Tensor(x.backend, x.shape, x.dtype) : undefined;
  const outputs = (z === undefined ? [y] : [y, z]).map((holder) => ({ holder, shape: x.shape, dtype: x.dtype }));
  run(x.backend, opsOf(name).forward, [x, offset], outputs, parameters);
  if (!isRecording()) return y;
  record(z === undefined ? [y] : [y, z], [x, offset], ([dy, dz]) => {
    const [dx, dBias] = dy == null ? [null, null] : biasGradients(dy, z ?? y, offset, name, parameters);
    if (dz == null) return [dx, dBias];
    const dOffset = sumTo(dz, offset.shape);
    return dx === null ? [dz, dOffset] : [add(dx, dz), add(dBias, dOffset)];
  });
  return y;
}

/** dz = dy f'(saved), and its sum over all axes but the last. */
export function biasGradients(
  dy: Tensor,
  saved: Tensor,
  bias: Tensor,
  name: ActivationName,
  parameters: readonly number[],
): [Tensor, Tensor] {
  if (name === 'linear') return [dy, sumTo(dy, bias.shape)];
  if (isRecording()) {
    // A gradient of this gradient is being taken: the parts are differentiable where the fused op is not.
    const slope = activationNamed(name).applyBackward(dy, saved, parameters);
    return [slope, sumTo(slope, bias.shape)];
  }
  const dz = new Tensor(dy.backend, dy.shape, dy.dtype);
  const dBias = new Tensor(dy.backend, bias.shape, dy.dtype);
  const outputs = [dz, dBias].map((holder) => ({ holder, shape: holder.shape, dtype: dy.dtype }));
  run(dy.backend, opsOf(name).backward, [dy, saved], outputs, parameters);
  return [dz, dBias];
}
