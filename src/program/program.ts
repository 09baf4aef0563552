// program(fn): a function of tensors that is recorded once and replayed, for whoever writes a training loop.
import { invalid } from '../errors.js';
import { clone } from '../ops/reshape.js';
import type { Backend } from '../tensor/backend.js';
import { castRaw, convert, sameBackend, type TensorLike } from '../tensor/convert.js';
import { currentBackend } from '../tensor/device.js';
import type { DType } from '../tensor/dtype.js';
import { settled } from '../tensor/recording.js';
import { sameShape, type Shape } from '../tensor/shape.js';
import { withoutScope } from '../tensor/scope.js';
import { Tensor } from '../tensor/tensor.js';
import { StepProgram } from './step-program.js';

/** What a Program's function may return: a tensor, or any of them in lists and objects. */
export type ProgramResult = Tensor | readonly ProgramResult[] | { readonly [name: string]: ProgramResult } | void;

/** What a Program says of itself. */
export interface ProgramInfo {
  /** `'cpu'` or `'cuda:0'`; null before the first call. */
  readonly device: string | null;
  /** How many were recorded: one for each combination of shapes and dtypes. */
  readonly recordings: number;
  /** Kernels, copies and fills of a replay of the last one; 0 before there is one. */
  readonly launches: number;
  /** Bytes of memory that all of them hold for their own tensors. */
  readonly bytes: number;
}

/** A recorded function: `await` its result, or call it again meanwhile. */
export interface Program<Result> {
  (...args: TensorLike[]): Promise<Result>;
  /** Launches, bytes and device. */
  info(): ProgramInfo;
  /** Frees the memory; the next call starts anew. */
  dispose(): void;
}

/** An argument's shape and dtype. */
export interface ProgramInput {
  readonly shape: Shape;
  /** Default float32. */
  readonly dtype?: DType;
}

/** Options of `program`. */
export interface ProgramOptions {
  /** What the arguments must be: host values become tensors of the dtype, others are refused. Default: anything. */
  readonly inputs?: readonly ProgramInput[];
}

/** The tensors of a result in order, with what puts others in their places. */
function flatten(value: unknown, into: Tensor[]): (tensors: readonly Tensor[]) => unknown {
  if (value instanceof Tensor) {
    const at = into.push(value as Tensor) - 1;
    return (tensors) => tensors[at];
  }
  if (value === undefined || value === null) return () => value;
  const keys = typeof value === 'object' && !(value instanceof Promise) ? Object.keys(value) : null;
  if (keys === null) {
    throw invalid('ERR_ARGUMENT', 'program', 'fn', 'a synchronous function that returns tensors', value);
  }
  const parts = keys.map((key) => flatten((value as Record<string, unknown>)[key], into));
  const list = Array.isArray(value);
  return (tensors) => {
    const values = parts.map((part) => part(tensors));
    return list ? values : Object.fromEntries(keys.map((key, i) => [key, values[i]]));
  };
}

function checkInputs(inputs: unknown): void {
  const valid =
    Array.isArray(inputs) && inputs.every((one: unknown) => Array.isArray((one as ProgramInput | null)?.shape));
  if (!valid) throw invalid('ERR_ARGUMENT', 'program', 'inputs', 'a list of {shape, dtype}', inputs);
}

/** The arguments as tensors of one device; those made here are added to `made`. */
function tensorsOf(args: readonly TensorLike[], inputs: readonly ProgramInput[] | undefined, made: Tensor[]): Tensor[] {
  if (inputs !== undefined && inputs.length !== args.length) {
    throw invalid('ERR_ARGUMENT', 'program', 'arguments', `${inputs.length} of them`, args.length);
  }
  return args.map((arg, i) => {
    const label = `argument ${i}`;
    let tensor = withoutScope(() => convert('program', label, arg));
    if (tensor !== arg) made.push(tensor);
    const wanted = inputs?.[i];
    if (wanted === undefined) return tensor;
    const { shape, dtype = 'float32' } = wanted;
    if (!sameShape(tensor.shape, shape)) {
      throw invalid('ERR_SHAPE', 'program', label, `shape [${shape.join(',')}]`, [...tensor.shape]);
    }
    if (tensor.dtype === dtype) return tensor;
    if (arg instanceof Tensor) throw invalid('ERR_DTYPE', 'program', label, dtype, tensor.dtype, 'use cast()');
    tensor = withoutScope(() => castRaw(tensor, dtype));
    made.push(tensor);
    return tensor;
  });
}

/**
 * Records what `fn` does on the device and does it again without JavaScript: one launch on CUDA, a thread of its own on the
 * CPU. The event loop is free while it runs.
 *
 * The first call runs `fn` as it is, the second runs and records it, later ones replay the recording; other shapes or dtypes
 * make another. So `fn` must do the same on the device each time: what changes between calls comes in as an argument, stays
 * in a `variable` (assigned, or changed by an optimizer) or is drawn from the random state. Numbers that JavaScript works
 * out are those of the second call for good. A function that cannot be recorded, because it reads values back or keeps
 * tensors for its next call, runs as it is each time, with one warning that says why.
 * @param fn A synchronous function of tensors that returns tensors, in lists or objects if there are several.
 * @param options `inputs`: the shapes and dtypes of the arguments.
 * @returns A function of the same arguments that resolves with the result when the device has computed it.
 * @throws ArgumentError, ShapeError and DTypeError for wrong arguments; what `fn` throws.
 */
export function program<Result extends ProgramResult>(
  fn: (...args: Tensor[]) => Result,
  { inputs }: ProgramOptions = {},
): Program<Result> {
  if (typeof fn !== 'function') throw invalid('ERR_ARGUMENT', 'program', 'fn', 'a function', fn);
  if (inputs !== undefined) checkInputs(inputs);
  let rebuild: (tensors: readonly Tensor[]) => unknown = () => undefined;
  let device: Backend | null = null;
  const step = new StepProgram(fn.name || 'program', (args) => {
    const results: Tensor[] = [];
    rebuild = flatten(fn(...args), results);
    // As a replay's, each result is a tensor of its own.
    return results.map((result, i) =>
      args.includes(result) || results.indexOf(result) !== i ? clone(result) : result,
    );
  });
  const rebuilders = new Map<string, typeof rebuild>();
  const call = async (...args: TensorLike[]): Promise<Result> => {
    const made: Tensor[] = [];
    try {
      const tensors = tensorsOf(args, inputs, made);
      const [first] = tensors;
      for (const other of tensors) sameBackend('program', first!, other);
      const backend = first?.backend ?? currentBackend();
      device = backend;
      const key = tensors.map(({ shape, dtype }) => `${dtype}${shape.join(',')}`).join(' ');
      const { results, replayed } = withoutScope(() => step.take(backend, tensors));
      if (!replayed) rebuilders.set(key, rebuild);
      const put = rebuilders.get(key)!;
      if (replayed) {
        await settled(backend);
        step.check();
      }
      return put(results) as Result;
    } finally {
      for (const tensor of made) tensor.dispose();
    }
  };
  return Object.assign(call, {
    info(): ProgramInfo {
      const facts = step.programs.map((recorded) => recorded.facts);
      return {
        device: device?.device ?? null,
        recordings: facts.length,
        launches: facts.at(-1)?.launches ?? 0,
        bytes: facts.reduce((sum, { arenaBytes }) => sum + arenaBytes, 0),
      };
    },
    dispose(): void {
      step.clear();
    },
  });
}
