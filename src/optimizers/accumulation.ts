// Gradients of several batches before one step: their mean waits in a slot of each parameter. The device counts the batches, so
// that one recorded step serves for those that only add and for those that take the step.
import { NativeOp, run } from '../tensor/backend.js';
import type { Tensor } from '../tensor/tensor.js';

const ACCUMULATE = new NativeOp('accumulateGradients');
const CLEAR = new NativeOp('clearAccumulated');
/** Tensors of one native call; its operands are at most 512. */
const MOST_AT_ONCE = 240;

/** Adds gradients, of one device and dtype, to what waits for their step. */
export function accumulate(gradients: readonly Tensor[], waiting: readonly Tensor[], batches: number): void {
  const outputs = waiting.map(({ id }) => ({ id }));
  run(gradients[0]!.backend, ACCUMULATE, gradients, outputs, [1 / batches]);
}

/** Makes what waited zero where the step that it waited for was due; read from the progress, on the device. */
export function clearAccumulated(waiting: Iterable<Tensor>, progressOf: (tensor: Tensor) => Tensor): void {
  const alike = new Map<string, Tensor[]>();
  for (const tensor of waiting) {
    const key = `${tensor.device} ${tensor.dtype}`;
    const list = alike.get(key);
    if (list === undefined) alike.set(key, [tensor]);
    else list.push(tensor);
  }
  for (const list of alike.values()) {
    const progress = progressOf(list[0]!);
    for (let first = 0; first < list.length; first += MOST_AT_ONCE) {
      const outputs = list.slice(first, first + MOST_AT_ONCE).map(({ id }) => ({ id }));
      run(progress.backend, CLEAR, [progress], outputs);
    }
  }
}
