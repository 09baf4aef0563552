// Collectives of tensors: for a step, begun and finished in the device's order, so that it can be recorded; and for whoever
// calls them, as promises.
import { fromNative, invalid } from '../errors.js';
import { withoutRecording } from '../autograd/tape.js';
import { mul } from '../ops/arithmetic.js';
import { NativeOp, type Backend } from '../tensor/backend.js';
import { castRaw, convert, type TensorLike } from '../tensor/convert.js';
import type { DType } from '../tensor/dtype.js';
import { settled } from '../tensor/recording.js';
import { makeOne, type Tensor } from '../tensor/tensor.js';
import { join, worldNow, type Group } from './group.js';

const ASSIGN = new NativeOp('assign');

/** Dtypes that engines sum; others are summed as the one behind the arrow. */
const SUMMED_AS: Readonly<Partial<Record<DType, DType>>> = {
  float32: 'float32',
  float64: 'float64',
  int32: 'int32',
  float16: 'float32',
  bfloat16: 'float32',
};

/** The dtype in which values are summed over ranks. */
export function summedAs(op: string, dtype: DType): DType {
  const wide = SUMMED_AS[dtype];
  if (wide !== undefined) return wide;
  throw invalid('ERR_DTYPE', op, 'tensor', 'a float or int32 tensor', dtype, 'use cast()');
}

/** Begins to sum a tensor over all ranks, in its own memory, which nobody shares. */
export function beginAllReduce({ backend, id }: Tensor): void {
  try {
    backend.addon.beginAllReduce(id);
  } catch (error) {
    throw fromNative('distributed.allReduce', error);
  }
}

/** Begins to overwrite a tensor with rank `root`'s values. */
export function beginBroadcast({ backend, id }: Tensor, root: number): void {
  try {
    backend.addon.beginBroadcast(id, root);
  } catch (error) {
    throw fromNative('distributed.broadcast', error);
  }
}

/** Whatever follows on the device finds done what was begun on these tensors. */
export function finishCollectives(backend: Backend, tensors: readonly Tensor[]): void {
  tensors.forEach(({ id }, i) => (backend.frame[i] = id));
  try {
    backend.addon.finishCollectives(backend.queue, tensors.length);
  } catch (error) {
    throw fromNative('distributed', error);
  }
}

/** Waits for all that was begun, not on JavaScript's thread. */
export async function collectivesDone(backend: Backend): Promise<void> {
  try {
    await backend.addon.collectivesDone();
  } catch (error) {
    throw fromNative('distributed', error);
  }
}

/** Gives the tensors the values of one rank, in place. The device is idle when it begins: what was queued waits for nobody. */
export async function broadcastAll(tensors: readonly Tensor[], root: number): Promise<void> {
  for (const backend of new Set(tensors.map((tensor) => tensor.backend))) {
    await settled(backend);
    for (const tensor of tensors) if (tensor.backend === backend && tensor.size > 0) beginBroadcast(tensor, root);
    await collectivesDone(backend);
  }
}

/** How tensors of several ranks become one: added up, or their mean. */
export type Reduction = 'sum' | 'mean';

/** A copy in memory of its own, in the dtype in which it is summed. */
export function ownCopy(tensor: Tensor, dtype: DType): Tensor {
  const cast = castRaw(tensor, dtype);
  return cast === tensor ? makeOne(tensor.backend, ASSIGN, [tensor], tensor.shape, dtype) : cast;
}

/** Runs a collective on a copy of the tensor, once every rank is there with its like. */
async function shared(
  op: string,
  given: TensorLike,
  dtypeOf: (dtype: DType) => DType,
  body: (copy: Tensor, group: Group) => void,
): Promise<{ copy: Tensor; dtype: DType }> {
  const group = await join();
  const tensor = convert(op, 'tensor', given);
  const { dtype, backend } = tensor;
  const copy = withoutRecording(() => ownCopy(tensor, dtypeOf(dtype)));
  if (tensor !== given) tensor.dispose();
  if (group !== null) {
    await group.agree(op, { shape: copy.shape, dtype, device: backend.device.replace(/:.*/, '') });
    await group.reach(op, backend);
    await settled(backend);
    if (copy.size > 0) body(copy, group);
    await collectivesDone(backend);
  }
  return { copy, dtype };
}

/**
 * The sum, or the mean, of every rank's tensor. Every rank has to call it, with the same shape and dtype.
 * @param tensor Float or int32; a mean is of floats alone.
 * @param reduction Default 'sum'.
 * @returns A new tensor, the same on every rank.
 * @throws ArgumentError naming a rank that calls something else, or with another shape.
 */
export async function allReduce(tensor: TensorLike, reduction: Reduction = 'sum'): Promise<Tensor> {
  const op = 'distributed.allReduce';
  if (reduction !== 'sum' && reduction !== 'mean') {
    throw invalid('ERR_ARGUMENT', op, 'reduction', "'sum' or 'mean'", reduction);
  }
  const { copy, dtype } = await shared(op, tensor, (given) => summedAs(op, given), beginAllReduce);
  if (reduction === 'mean' && dtype === 'int32') throw invalid('ERR_DTYPE', op, 'tensor', 'a float tensor', dtype);
  const result = withoutRecording(() => {
    const mean = reduction === 'mean' ? mul(copy, 1 / worldNow().size) : copy;
    const cast = castRaw(mean, dtype);
    if (mean !== cast && mean !== copy) mean.dispose();
    return cast;
  });
  if (result !== copy) copy.dispose();
  return result;
}

/**
 * Rank `root`'s tensor. Every rank has to call it, with a tensor of the same shape and dtype.
 * @param root Default 0.
 * @returns A new tensor, the same on every rank.
 * @throws ArgumentError naming a rank that calls something else, or with another shape.
 */
export async function broadcast(tensor: TensorLike, root = 0): Promise<Tensor> {
  const op = 'distributed.broadcast';
  const { size } = worldNow();
  if (!(Number.isInteger(root) && root >= 0 && root < size)) {
    throw invalid('ERR_ARGUMENT', op, 'root', `a rank from 0 to ${size - 1}`, root);
  }
  const same = (dtype: DType): DType => dtype;
  return (await shared(op, tensor, same, (copy) => beginBroadcast(copy, root))).copy;
}

/** Resolves once every rank has called it. */
export async function barrier(): Promise<void> {
  await (await join())?.exchange('distributed.barrier', null);
}
