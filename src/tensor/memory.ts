// tidy, keep, dispose and memory().
import { failure, invalid } from '../errors.js';
import { currentBackend } from './device.js';
import { closeScope, openScope } from './scope.js';
import { Tensor } from './tensor.js';

/** Anything that may hold tensors: results of tidy, arguments of dispose. */
export type TensorContainer = unknown;

/** @internal The tensors in a value, an array or an object, at any depth. */
export function tensorsIn(
  container: TensorContainer,
  found: Set<Tensor> = new Set(),
  seen: Set<unknown> = new Set(),
): Set<Tensor> {
  if (container instanceof Tensor) found.add(container as Tensor);
  else if (
    container !== null &&
    typeof container === 'object' &&
    !ArrayBuffer.isView(container) &&
    !seen.has(container)
  ) {
    seen.add(container);
    for (const part of Object.values(container)) tensorsIn(part, found, seen);
  }
  return found;
}

/**
 * Runs `fn` and frees every tensor it made, save those in its result and those that were kept.
 * @throws ArgumentError when `fn` is async: its tensors would be freed before it ends.
 */
export function tidy<T>(fn: () => T): T;
export function tidy<T>(name: string, fn: () => T): T;
export function tidy<T>(nameOrFn: string | (() => T), maybeFn?: () => T): T {
  const fn = typeof nameOrFn === 'function' ? nameOrFn : maybeFn;
  if (typeof fn !== 'function') throw invalid('ERR_ARGUMENT', 'tidy', 'fn', 'a function', fn);
  openScope();
  let kept: Iterable<Tensor> = [];
  try {
    const result = fn();
    if (result instanceof Promise) {
      // Its tensors are gone: what becomes of it is of no interest, and must not end the process.
      result.catch(() => undefined);
      throw failure('ERR_ARGUMENT', 'tidy', 'fn: expected a synchronous function, got one that returns a promise');
    }
    kept = tensorsIn(result);
    return result;
  } finally {
    closeScope(kept);
  }
}

/** Marks a tensor so that `tidy()` leaves it alone, and returns it. */
export function keep<T extends Tensor>(tensor: T): T {
  if (!(tensor instanceof Tensor)) throw invalid('ERR_ARGUMENT', 'keep', 'tensor', 'a tensor', tensor);
  tensor.kept = true;
  return tensor;
}

/** Frees a tensor, or all tensors in an array or object. */
export function dispose(container: TensorContainer): void {
  for (const tensor of tensorsIn(container)) tensor.dispose();
}

/** A recorded Program. */
export interface ProgramMemory {
  /** Kernels, copies and fills of one replay. */
  readonly launches: number;
  /** Bytes of the memory that its own tensors share. */
  readonly arenaBytes: number;
  /** The most bytes of it that are in use at one time. */
  readonly liveBytes: number;
}

/** Memory of the current device, in bytes. */
export interface MemoryInfo {
  /** Live tensors of this thread. */
  numTensors: number;
  /** Bytes those tensors hold; memory that several share counts once. */
  numBytes: number;
  /** Bytes freed and kept for reuse. */
  cachedBytes: number;
  /** The most that was ever in use. */
  peakBytes: number;
  /** The recorded Programs of this thread. */
  programs: readonly ProgramMemory[];
}

/** Live tensors, their bytes, cached bytes and the peak, on the current device; and recorded Programs. */
export function memory(): MemoryInfo {
  const backend = currentBackend();
  const { numTensors, numBytes, cachedBytes, peakBytes, programs } = backend.addon.memory(backend.queue);
  return { numTensors, numBytes, cachedBytes, peakBytes, programs };
}

/**
 * Sets the most memory that tensors on the current device may take, cached memory included. Work that needs more gets an
 * out-of-memory error, after the cache was released and garbage collected; the process lives, and smaller work goes on.
 * On the CPU the limit is the process's; on CUDA it is this thread's on the device.
 * @param bytes At least 0; Infinity for no limit.
 * @throws ArgumentError
 */
export function setMemoryLimit(bytes: number): void {
  if (!(typeof bytes === 'number' && bytes >= 0)) {
    throw invalid('ERR_ARGUMENT', 'setMemoryLimit', 'bytes', 'a number of at least 0', bytes);
  }
  const { addon, queue } = currentBackend();
  addon.setMemoryLimit(queue, bytes);
}
