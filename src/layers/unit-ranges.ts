// What can be told of a unit from its outputs: on which outputs its activation is a straight line, and near which it saturates.
// A unit that only sees one straight piece is as plain a linear map as if it had no activation.
import type { LayerActivation } from './activation.js';

/** An open interval. */
export type Interval = readonly [from: number, to: number];

/** What the outputs of an activation tell. */
export interface UnitRanges {
  /** For people: 'selu'. */
  readonly activation: string;
  /** Where the function is a straight line other than 0: at most one piece above 0 and one below. */
  readonly lines: { readonly above: Interval | null; readonly below: Interval | null };
  /** What the pieces are told by: the output, unless that does not say which piece it comes from. */
  readonly judgedBy: 'output' | 'input';
  /** Outputs up to `below` and from `above` on count as saturated: 1% of the range from a limit. Infinite without a limit. */
  readonly saturated: { readonly below: number; readonly above: number };
  /** alpha and scale of a SELU, whose moments are to stay. */
  readonly selu?: { readonly alpha: number; readonly scale: number };
}

/** Closer to a limit than this share of the range there is next to no slope left. */
const NEXT_TO = 0.01;
const POSITIVE: Interval = [0, Infinity];
const NEGATIVE: Interval = [-Infinity, 0];

/** Ranges by what is special; a function without straight pieces or limits by default. */
export function unitRanges(
  activation: string,
  facts: { above?: Interval; below?: Interval; low?: number; high?: number; judgedBy?: 'output' | 'input' } = {},
): UnitRanges {
  const { above = null, below = null, low = -Infinity, high = Infinity, judgedBy = 'output' } = facts;
  return { activation, lines: { above, below }, judgedBy, saturated: { below: low, above: high } };
}

/** A function that is x above 0 and nears -limit below: none does where the limit is 0, and 0 is what a dead unit gives. */
const exponential = (name: string, limit: number): UnitRanges =>
  unitRanges(name, { above: POSITIVE, ...(limit > 0 ? { low: -(1 - NEXT_TO) * limit } : {}) });

/** x above 0, alpha x below: with an alpha of 0 what is below is dead, not linear. */
export const leakyRanges = (name: string, alpha: number): UnitRanges =>
  unitRanges(name, { above: POSITIVE, ...(alpha > 0 ? { below: NEGATIVE } : {}) });

/** max(x, 0), at most `maximum`. */
export const reluRanges = (name: string, maximum: number): UnitRanges =>
  unitRanges(name, { above: [0, maximum], high: maximum });

/** By the name of the native table's row; parameters in its order. */
const BY_NAME: Readonly<Record<string, (...parameters: number[]) => UnitRanges>> = {
  linear: () => unitRanges('linear'),
  relu: () => reluRanges('relu', Infinity),
  relu6: () => reluRanges('relu6', 6),
  leakyRelu: (alpha) => leakyRanges('leakyRelu', alpha),
  elu: (alpha) => exponential('elu', alpha),
  selu: (alpha, scale) => ({ ...exponential('selu', alpha * scale), selu: { alpha: alpha, scale: scale } }),
  celu: (alpha) => exponential('celu', alpha),
  softplus: (beta) => unitRanges('softplus', { low: NEXT_TO / beta }),
  sigmoid: () => unitRanges('sigmoid', { low: NEXT_TO, high: 1 - NEXT_TO }),
  hardSigmoid: () => unitRanges('hardSigmoid', { above: [0, 1], low: 0, high: 1 }),
  logSigmoid: () => unitRanges('logSigmoid', { high: -NEXT_TO }),
  tanh: () => unitRanges('tanh', { low: -1 + NEXT_TO, high: 1 - NEXT_TO }),
  softsign: () => unitRanges('softsign', { low: -1 + NEXT_TO, high: 1 - NEXT_TO }),
  // x (x + 3) / 6 stays below 3 where it is curved.
  hardSwish: () => unitRanges('hardSwish', { above: [3, Infinity] }),
  gelu: () => unitRanges('gelu'),
  geluTanh: () => unitRanges('geluTanh'),
  silu: () => unitRanges('silu'),
  mish: () => unitRanges('mish'),
};

/** Of an option `activation`; null for functions along an axis, whose outputs belong to each other. */
export function rangesOf({ name, parameters, defined }: LayerActivation): UnitRanges | null {
  if (defined !== null) return unitRanges(name);
  return parameters === null ? null : BY_NAME[name]!(...parameters);
}
