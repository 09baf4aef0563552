// Checks of layers' options. Each names the layer, the option, what was expected and what came.
import { invalid } from '../errors.js';
import { checkAxis } from '../tensor/shape.js';

/** A whole number of at least `least`. */
export function count(layer: string, option: string, value: unknown, least = 1): number {
  if (Number.isSafeInteger(value) && (value as number) >= least) return value as number;
  throw invalid('ERR_ARGUMENT', layer, option, `an integer of at least ${least}`, value);
}

/** A whole number for both image axes, or one for each: [height, width]. */
export function pairOf(layer: string, option: string, value: unknown): readonly [number, number] {
  const both: readonly unknown[] = Array.isArray(value) ? value : [value, value];
  const isSize = (one: unknown): boolean => Number.isSafeInteger(one) && (one as number) >= 1;
  if (both.length === 2 && both.every(isSize)) return [both[0], both[1]] as [number, number];
  throw invalid('ERR_ARGUMENT', layer, option, 'an integer of at least 1, or two of them', value);
}

/** A finite number of at least `least`. */
export function finite(layer: string, option: string, value: unknown, least = -Infinity): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= least) return value;
  const bound = least === -Infinity ? '' : ` of at least ${least}`;
  throw invalid('ERR_ARGUMENT', layer, option, `a finite number${bound}`, value);
}

/** A share: a number in [0, 1). */
export function share(layer: string, option: string, value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value < 1) return value;
  throw invalid('ERR_ARGUMENT', layer, option, 'a number in [0, 1)', value);
}

/** true or false. */
export function flag(layer: string, option: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw invalid('ERR_ARGUMENT', layer, option, 'a boolean', value);
}

/** One of a list of strings. Keras's names, with underscores, stand for tfjs's. */
export function oneOf<T extends string>(layer: string, option: string, value: unknown, choices: readonly T[]): T {
  const name = typeof value === 'string' ? camelCase(value) : value;
  const found = choices.find((choice) => choice === name);
  if (found !== undefined) return found;
  throw invalid('ERR_ARGUMENT', layer, option, `one of ${choices.map((c) => JSON.stringify(c)).join(', ')}`, value);
}

/** `hard_sigmoid` -> `hardSigmoid`: Keras's spelling of a name in tfjs's. */
export const camelCase = (name: string): string =>
  name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Where the channels of images are. Only the last axis is supported. */
export function checkDataFormat(layer: string, value: unknown): void {
  if (value === undefined || value === null || value === 'channelsLast' || value === 'channels_last') return;
  const fix = 'put layers.permute({dims: [2, 3, 1]}) before the layer';
  throw invalid('ERR_ARGUMENT', layer, 'dataFormat', "'channelsLast'", value, fix);
}

/** An axis of an input of that rank, other than the batch axis, as an index from 0. */
export function axisBehindBatch(layer: string, option: string, axis: number, rank: number): number {
  const index = checkAxis(layer, option, axis, rank);
  if (index > 0) return index;
  throw invalid('ERR_ARGUMENT', layer, option, 'another axis than the batch axis', axis);
}
