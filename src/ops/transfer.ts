// Moving tensors between devices.
import { convert, type TensorLike } from '../tensor/convert.js';
import { backendOf } from '../tensor/device.js';
import { makeFromBytes, type Tensor } from '../tensor/tensor.js';
import { recordOne } from './define.js';

/**
 * x on another device, copied through the host; x itself when it is there already. Waits for x to be computed.
 * @param device `'cpu'`, `'cuda'` or `'cuda:N'`.
 */
export function to(x: TensorLike, device: string): Tensor {
  const input = convert('to', 'x', x);
  const backend = backendOf('to', device);
  if (backend === input.backend) return input;
  const bytes = new Uint8Array(input.backend.addon.readSync(input.id));
  return recordOne(makeFromBytes(backend, bytes, input.shape, input.dtype), [input], (dy) => [to(dy, input.device)]);
}
