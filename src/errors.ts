// The one maker of errors. A message is one line: op, argument, what was expected, what came, and the fix if there is one.

/** Stable error codes: programs may switch on them. */
export type ErrorCode =
  | 'ERR_ARGUMENT'
  | 'ERR_SHAPE'
  | 'ERR_DTYPE'
  | 'ERR_DEVICE'
  | 'ERR_DISPOSED'
  | 'ERR_OUT_OF_MEMORY'
  | 'ERR_CUDA'
  | 'ERR_FILE_FORMAT'
  | 'ERR_RECORDING'
  | 'ERR_INTERNAL';

/** Every error the library throws. `code` says the cause, `op` where it was found. */
export class SelfnormError extends Error {
  override readonly name: string = 'SelfnormError';
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly op?: string,
    readonly argument?: string,
  ) {
    super(message);
  }
}

export class ArgumentError extends SelfnormError {
  override readonly name = 'ArgumentError';
}
export class ShapeError extends SelfnormError {
  override readonly name = 'ShapeError';
}
export class DTypeError extends SelfnormError {
  override readonly name = 'DTypeError';
}
export class DeviceError extends SelfnormError {
  override readonly name = 'DeviceError';
}
export class DisposedError extends SelfnormError {
  override readonly name = 'DisposedError';
}
export class OutOfMemoryError extends SelfnormError {
  override readonly name = 'OutOfMemoryError';
}
export class FileFormatError extends SelfnormError {
  override readonly name = 'FileFormatError';
}

const CLASSES: Partial<Record<ErrorCode, typeof SelfnormError>> = {
  ERR_ARGUMENT: ArgumentError,
  ERR_SHAPE: ShapeError,
  ERR_DTYPE: DTypeError,
  ERR_DEVICE: DeviceError,
  ERR_DISPOSED: DisposedError,
  ERR_OUT_OF_MEMORY: OutOfMemoryError,
  ERR_FILE_FORMAT: FileFormatError,
};

function make(code: ErrorCode, message: string, op?: string, argument?: string, excerpt = ''): SelfnormError {
  return new (CLASSES[code] ?? SelfnormError)(code, oneLine(message) + excerpt, op, argument);
}

/** What a message cites, as a name or a field of a file, may have line ends in it. */
function oneLine(message: string): string {
  return message.replaceAll('\r', '\\r').replaceAll('\n', '\\n');
}

/** A value as a message shows it: strings quoted, arrays in brackets, objects by their kind. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(show).join(',')}]`;
  if (typeof value === 'function') return 'a function';
  if (value !== null && typeof value === 'object') {
    if ('shape' in value && 'dtype' in value) return `a ${String(value.dtype)} tensor of shape ${show(value.shape)}`;
    return `an object of class ${value.constructor?.name ?? 'Object'}`;
  }
  return String(value);
}

/** `op: argument: expected X, got Y; fix` */
export function invalid(
  code: ErrorCode,
  op: string,
  argument: string,
  expected: string,
  got: unknown,
  fix?: string,
): SelfnormError {
  return make(
    code,
    `${op}: ${argument}: expected ${expected}, got ${show(got)}${fix === undefined ? '' : `; ${fix}`}`,
    op,
    argument,
  );
}

/**
 * `op: what is wrong`, for faults that are not one argument's.
 * @param excerpt Lines below it that show the fault in its place.
 */
export function failure(code: ErrorCode, op: string, what: string, excerpt: readonly string[] = []): SelfnormError {
  return make(code, `${op}: ${what}`, op, undefined, excerpt.map((line) => `\n${line}`).join(''));
}

/** Gives an error from the addon its class and the name of the op that was running. */
export function fromNative(op: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || error instanceof SelfnormError) return error;
  return make(error.code as ErrorCode, `${op}: ${error.message}`, op);
}
