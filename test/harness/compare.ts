// The comparison every test uses. Written `!(difference <= bound)`: a NaN fails it, where `difference > bound` would pass.
import type { DType } from '../../src/tensor/dtype.js';
import { bound, type ToleranceClass } from '../tolerance.js';

export interface Values {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** NaN meets NaN, an infinity the same infinity, and zero any zero. */
function same(actual: number, expected: number): boolean {
  return actual === expected || (Number.isNaN(actual) && Number.isNaN(expected));
}

export function scaleOf(values: ArrayLike<number>): number {
  let scale = 0;
  for (let i = 0; i < values.length; i++)
    if (Number.isFinite(values[i]!)) scale = Math.max(scale, Math.abs(values[i]!));
  return scale;
}

/**
 * Throws with the worst element when shapes differ or a value is farther from the reference than its class allows.
 * @param leastScale For gradients, the size of the seed: a slope near 0 is a difference of numbers near 1.
 */
export function expectClose(
  what: string,
  actual: Values,
  expected: Values,
  dtype: DType,
  kind: ToleranceClass,
  leastScale = 0,
): void {
  expectWithin(what, actual, expected, (reference, scale) =>
    bound(dtype, kind, reference, Math.max(scale, 8 * leastScale)),
  );
}

/** As expectClose, with the bound given as a function of the reference value and the tensor's scale. */
export function expectWithin(
  what: string,
  actual: Values,
  expected: Values,
  allowed: (reference: number, scale: number) => number,
): void {
  if (actual.shape.join() !== expected.shape.join() || actual.data.length !== expected.data.length) {
    throw new Error(`${what}: expected shape [${expected.shape.join()}], got [${actual.shape.join()}]`);
  }
  const scale = scaleOf(expected.data);
  let worst = -1;
  let worstRatio = 0;
  for (let i = 0; i < expected.data.length; i++) {
    const a = actual.data[i]!;
    const e = expected.data[i]!;
    if (same(a, e)) continue;
    const difference = Math.abs(a - e);
    const limit = allowed(e, scale);
    if (!(difference <= limit)) {
      const ratio = Number.isFinite(difference) && limit > 0 ? difference / limit : Infinity;
      if (worst < 0 || ratio > worstRatio) [worst, worstRatio] = [i, ratio];
    }
  }
  if (worst >= 0) {
    const e = expected.data[worst]!;
    throw new Error(
      `${what}: element ${worst}: expected ${e}, got ${actual.data[worst]!} (allowed ${allowed(e, scale)}, scale ${scale})`,
    );
  }
}
