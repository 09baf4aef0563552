// A device as TypeScript sees it: the addon's op table and the functions through which every op reaches it.
import { runInNewContext } from 'node:vm';
import { setFlagsFromString } from 'node:v8';
import { failure, fromNative, SelfnormError } from '../errors.js';
import type { Addon } from '../native/addon.js';
import { DTYPE_INDEX, type DType } from './dtype.js';

/** A native op by name; the index in each backend's table is looked up once. */
export class NativeOp {
  readonly indices: number[] = [];
  constructor(readonly name: string) {}
}

/** A device with its queue on this JavaScript thread. */
export class Backend {
  readonly frame: Float64Array;
  private readonly names: Map<string, number>;

  constructor(
    readonly device: string,
    readonly ordinal: number,
    readonly addon: Addon,
    readonly queue: number,
  ) {
    this.frame = addon.frame;
    this.names = new Map(addon.ops().map((name, index) => [name, index]));
  }

  indexOf(op: NativeOp): number {
    const known = op.indices[this.ordinal];
    if (known !== undefined) return known;
    const index = this.names.get(op.name);
    if (index === undefined) {
      throw new SelfnormError('ERR_INTERNAL', `${op.name}: not in the native op table of ${this.device}`);
    }
    op.indices[this.ordinal] = index;
    return index;
  }

  get opNames(): string[] {
    return [...this.names.keys()];
  }
}

/** What the native side fills in: the id of its row for this tensor. */
export interface Holder {
  id: number;
}

/** A tensor that an op reads. */
export interface Operand extends Holder {
  readonly backend: Backend;
}

/** Never a row: what the native side is told of a disposed tensor, since 0 means an operand that was left out. */
const DISPOSED = -1;

function idOf(backend: Backend, op: string, operand: Operand | null): number {
  if (operand === null) return 0;
  // Each backend counts its own rows: an id of another one would name a stranger.
  if (operand.backend !== backend) {
    throw failure(
      'ERR_DEVICE',
      op,
      `expected all tensors on ${backend.device}, got one on ${operand.backend.device}; use to('${backend.device}')`,
    );
  }
  return operand.id || DISPOSED;
}

/** A tensor to make (`holder`, `shape`, `dtype`), or one to overwrite (`id` alone). */
export type Output = { holder: Holder; shape: readonly number[]; dtype: DType } | { id: number };

let collectGarbage: (() => void) | undefined;

// Dropped tensors free their memory only when V8 notices; when memory is short it is asked to look.
function reclaim(backend: Backend): void {
  if (collectGarbage === undefined) {
    setFlagsFromString('--expose-gc');
    collectGarbage = runInNewContext('gc') as () => void;
  }
  collectGarbage();
  backend.addon.sweep();
}

/** Runs `attempt`; if memory runs out, frees what is no longer reachable and tries once more. */
export function withMemory(backend: Backend, op: string, attempt: () => void): void {
  try {
    attempt();
  } catch (error) {
    retryAfter(error, backend, op, attempt);
  }
}

function retryAfter(error: unknown, backend: Backend, op: string, attempt: () => void): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ERR_OUT_OF_MEMORY')) throw fromNative(op, error);
  reclaim(backend);
  try {
    attempt();
  } catch (again) {
    throw fromNative(op, again);
  }
}

const NO_PARAMS: readonly number[] = [];

/**
 * Runs a native op with one new output. `inputs` are tensors, null for an optional one left out; `holder` gets the id.
 * The path every eager op takes, so it allocates nothing.
 */
export function runOne(
  backend: Backend,
  op: NativeOp,
  inputs: readonly (Operand | null)[],
  holder: Holder,
  shape: readonly number[],
  dtype: DType,
  params: readonly number[] = NO_PARAMS,
): void {
  fillOne(backend, op.name, inputs, shape, dtype, params);
  try {
    backend.addon.call(backend.queue, backend.indexOf(op), holder);
  } catch (error) {
    retryAfter(error, backend, op.name, () => {
      fillOne(backend, op.name, inputs, shape, dtype, params);
      backend.addon.call(backend.queue, backend.indexOf(op), holder);
    });
  }
  holder.id = backend.frame[0]!;
}

function fillOne(
  backend: Backend,
  op: string,
  inputs: readonly (Operand | null)[],
  shape: readonly number[],
  dtype: DType,
  params: readonly number[],
): void {
  const frame = backend.frame;
  let at = 3;
  frame[0] = inputs.length;
  frame[1] = 1;
  frame[2] = params.length;
  for (let i = 0; i < inputs.length; i++) frame[at++] = idOf(backend, op, inputs[i]!);
  frame[at++] = 0;
  frame[at++] = DTYPE_INDEX[dtype];
  frame[at++] = shape.length;
  for (let i = 0; i < shape.length; i++) frame[at++] = shape[i]!;
  for (let i = 0; i < params.length; i++) frame[at++] = params[i]!;
}

/** Runs a native op with any number of outputs, new or overwritten in place. */
export function run(
  backend: Backend,
  op: NativeOp,
  inputs: readonly (Operand | null)[],
  outputs: readonly Output[],
  params: readonly number[] = NO_PARAMS,
): void {
  const frame = backend.frame;
  const holders: Holder[] = [];
  for (const output of outputs) if ('holder' in output) holders.push(output.holder);
  withMemory(backend, op.name, () => {
    let at = 3;
    frame[0] = inputs.length;
    frame[1] = outputs.length;
    frame[2] = params.length;
    for (const input of inputs) frame[at++] = idOf(backend, op.name, input);
    for (const output of outputs) {
      if ('id' in output) {
        frame[at++] = output.id || DISPOSED;
        continue;
      }
      frame[at++] = 0;
      frame[at++] = DTYPE_INDEX[output.dtype];
      frame[at++] = output.shape.length;
      for (const size of output.shape) frame[at++] = size;
    }
    for (const param of params) frame[at++] = param;
    backend.addon.call(backend.queue, backend.indexOf(op), ...holders);
    for (let i = 0; i < holders.length; i++) holders[i]!.id = frame[i]!;
  });
}
