// The one table of tolerances: how far a result may be from its reference, by dtype and class of op. A test names a class,
// never a number.
import type { DType } from '../src/tensor/dtype.js';

/** Distance from 1 to the next number. */
const EPSILON: Readonly<Record<DType, number>> = {
  float32: 2 ** -23,
  float16: 2 ** -10,
  bfloat16: 2 ** -7,
  float64: 2 ** -52,
  int32: 0,
  uint8: 0,
  bool: 0,
};

/** Units in the last place, of the value or of the tensor's scale (see `bound`). */
const ULPS = {
  /** Copies, masks, integers. */
  exact: 0,
  /** A few operations an element. */
  elementwise: 12,
  /** Sums over an axis, and gradients made of several elementwise ops. */
  reduction: 32,
  /** Sums of products. */
  product: 64,
  /** Several such steps in one. */
  composite: 128,
} as const;
export type ToleranceClass = keyof typeof ULPS;

/**
 * The largest difference allowed. Sums cancel, so an element that is small beside its tensor is judged by a thirty-second part of
 * the tensor's largest magnitude.
 */
export function bound(dtype: DType, kind: ToleranceClass, reference: number, scale: number): number {
  return ULPS[kind] * EPSILON[dtype] * Math.max(Math.abs(reference), scale / 32);
}

/** Relative error allowed between a float64 gradient and central differences, whose own error is about eps^(2/3). */
export const FINITE_DIFFERENCE = 2e-8;
/**
 * Step of central differences for x: the cube root of float64's epsilon balances truncation and rounding. It grows with the
 * root of x: functions such as softmax bend as much at 1000 as at 1.
 */
export const stepFor = (x: number): number => Math.cbrt(2 ** -52) * Math.max(1, Math.sqrt(Math.abs(x)));
