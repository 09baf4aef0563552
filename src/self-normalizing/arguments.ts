// Checks of what the functions of selfNormalizing are given.
import { invalid } from '../errors.js';
import { facts } from '../tensor/activation-facts.js';
import type { SeluConstants } from './moment-map.js';

/** A finite number. */
export function finite(op: string, argument: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw invalid('ERR_ARGUMENT', op, argument, 'a finite number', value);
}

/** A finite number above 0. */
export function positive(op: string, argument: string, value: unknown): number {
  if (typeof value === 'number' && value > 0 && value < Infinity) return value;
  throw invalid('ERR_ARGUMENT', op, argument, 'a finite number above 0', value);
}

/** An options object; nothing counts as an empty one. */
export function options<T extends object>(op: string, given: T | undefined): Partial<T> {
  if (given === undefined) return {};
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) return given;
  throw invalid('ERR_ARGUMENT', op, 'options', 'an object', given);
}

/** The constants given, or those of `selu`. */
export function seluConstants(op: string, { alpha, scale }: Partial<SeluConstants>): SeluConstants {
  const [first, second] = facts('selu').parameters;
  return {
    alpha: positive(op, 'alpha', alpha ?? first!.fallback),
    scale: positive(op, 'scale', scale ?? second!.fallback),
  };
}
