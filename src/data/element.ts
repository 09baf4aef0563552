// What flows through a pipeline: numbers, arrays, tensors, and objects or arrays of them. Here they become batches, get copied,
// and lose the tensors that nobody needs any more; an error names the element by its place in the data.
import { failure, SelfnormError, show, type ErrorCode } from '../errors.js';
import { clone } from '../ops/reshape.js';
import { stack } from '../ops/join.js';
import { tensor } from '../ops/creation.js';
import type { NestedValues, TypedArray } from '../tensor/convert.js';
import { sameShape, type Shape } from '../tensor/shape.js';
import { tensorsIn, tidy } from '../tensor/memory.js';
import { Tensor } from '../tensor/tensor.js';

/** A batch of elements of type T: a tensor for each number, array or tensor of the element, in the element's own structure. */
export type Batched<T> = T extends Tensor | NestedValues
  ? Tensor
  : T extends string | null | undefined
    ? never
    : { [K in keyof T]: Batched<T[K]> };

/** Frees the tensors of `value` but for kept ones and those that are also in `survivors`. */
export function release(value: unknown, survivors?: unknown): void {
  const found = tensorsIn(value);
  if (found.size === 0) return;
  const needed = tensorsIn(survivors);
  for (const each of found) if (!each.kept && !needed.has(each)) each.dispose();
}

/** The value with each tensor replaced by a view of it, so that freeing the copy leaves the original alone. */
export function copyOf<T>(value: T): T {
  if (value instanceof Tensor) return clone(value as Tensor) as T;
  if (!isContainer(value)) return value;
  if (Array.isArray(value)) return value.map(copyOf) as T;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, copyOf(part)])) as T;
}

/** An error of a user's function with the element's index before its message; the error itself is its cause. */
export function atElement(op: string, index: number, error: unknown): SelfnormError {
  const code: ErrorCode = error instanceof SelfnormError ? error.code : 'ERR_ARGUMENT';
  const wrapped = failure(code, op, `element ${index}: ${error instanceof Error ? error.message : show(error)}`);
  wrapped.cause = error;
  return wrapped;
}

function isTypedArray(value: unknown): value is TypedArray {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

/** Arrays and plain objects whose parts are batched one by one; an array of numbers is a value of its own. */
function isContainer(value: unknown): value is object {
  if (value === null || typeof value !== 'object' || value instanceof Tensor || isTypedArray(value)) return false;
  return !Array.isArray(value) || value.some((part) => part instanceof Tensor || isContainer(part));
}

function shapeOf(value: NestedValues): Shape {
  const shape: number[] = [];
  for (let level: NestedValues | undefined = value; typeof level === 'object'; level = level[0]) {
    shape.push(level.length);
  }
  return shape;
}

/**
 * One batch of elements that have the same structure.
 * @param start Index of the first one in the data, for errors.
 */
export function stackElements<T>(elements: readonly T[], start: number): Batched<T> {
  return stackParts(elements, '', start) as Batched<T>;
}

function stackParts(parts: readonly unknown[], path: string, start: number): unknown {
  const first = parts[0];
  if (isContainer(first)) return stackContainers(parts as readonly object[], path, start);
  if (first instanceof Tensor) return stackTensors(parts, path, start);
  return stackValues(parts, path, start);
}

function mismatch(path: string, index: number, expected: string, got: unknown): SelfnormError {
  const where = path === '' ? `element ${index}` : `element ${index}${path}`;
  return failure('ERR_SHAPE', 'Dataset.batch', `${where}: expected ${expected}, got ${show(got)}`);
}

function stackContainers(parts: readonly object[], path: string, start: number): unknown {
  const first = parts[0]!;
  const keys = Object.keys(first);
  parts.forEach((part, i) => {
    const own = isContainer(part) ? Object.keys(part) : undefined;
    if (own?.length !== keys.length || !keys.every((key) => Object.hasOwn(part, key))) {
      throw mismatch(path, start + i, `the keys of element ${start}, ${keys.join(', ')}`, own ?? part);
    }
  });
  const entries = keys.map((key) => {
    const values = parts.map((part) => (part as Record<string, unknown>)[key]);
    return [key, stackParts(values, `${path}.${key}`, start)] as const;
  });
  return Array.isArray(first) ? entries.map(([, value]) => value) : Object.fromEntries(entries);
}

function stackTensors(parts: readonly unknown[], path: string, start: number): Tensor {
  const { shape } = parts[0] as { readonly shape: Shape };
  parts.forEach((part, i) => {
    if (part instanceof Tensor && sameShape((part as Tensor).shape, shape)) return;
    throw mismatch(path, start + i, `a tensor of element ${start}'s shape, [${shape.join(',')}]`, part);
  });
  // Large stacks are joined in groups, which are freed here.
  return tidy(() => stack(parts as readonly Tensor[]));
}

function stackValues(parts: readonly unknown[], path: string, start: number): Tensor {
  const isValue = (part: unknown): part is NestedValues =>
    typeof part === 'number' || typeof part === 'boolean' || Array.isArray(part) || isTypedArray(part);
  const expectValue = (part: unknown, i: number): NestedValues => {
    if (isValue(part)) return part;
    throw mismatch(path, start + i, 'a number, a boolean, an array of them or a tensor; map() can make one', part);
  };
  const shape = shapeOf(expectValue(parts[0], 0));
  parts.forEach((part, i) => {
    const own = shapeOf(expectValue(part, i));
    if (!sameShape(own, shape)) throw mismatch(path, start + i, `element ${start}'s shape, [${shape.join(',')}]`, own);
  });
  const [first] = parts;
  if (!isTypedArray(first) || !parts.every((part) => part?.constructor === first.constructor)) {
    return tensor(parts as readonly NestedValues[]);
  }
  // Row by row into one array of their own kind: a nested array would be taken apart number by number.
  const rows = new (first.constructor as new (length: number) => TypedArray)(parts.length * first.length);
  (parts as readonly TypedArray[]).forEach((row, i) => rows.set(row, i * first.length));
  return tensor(rows, [parts.length, first.length]);
}
