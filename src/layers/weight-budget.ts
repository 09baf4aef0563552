// How many elements the weights of layers that are being made may have: a structure from a file is made before its weights are
// looked at, and a damaged one must not ask for memory that the file does not bear out.
import { failure } from '../errors.js';
import { sizeOf, type Shape } from '../tensor/shape.js';
import { formatShape } from './symbolic.js';

/** Elements that are always allowed: who loads a small model wants to read which weights do not fit. */
const SLACK = 2 ** 20;
let left = Infinity;

/** Runs `body`, in which layers may make at most twice as many elements as the file has. */
export function withinBudget<T>(elements: number, body: () => T): T {
  const before = left;
  left = 2 * elements + SLACK;
  try {
    return body();
  } finally {
    left = before;
  }
}

/**
 * Counts a weight that is about to be made.
 * @throws FileFormatError when it is more than the file has.
 */
export function spend(name: string, shape: Shape): void {
  if (left === Infinity) return;
  left -= sizeOf(shape);
  if (left >= 0) return;
  throw failure('ERR_FILE_FORMAT', name, `expected weights as large as the file's, got shape ${formatShape(shape)}`);
}
