// Sequences of different lengths as rows of one array, with Keras's rules for what is cut off and where zeros go.
import { invalid } from '../../errors.js';

/** Where zeros go, and where a sequence that is too long is cut. */
export type PadSide = 'pre' | 'post';

/** Options of `padSequences`, named and set as Keras has them. */
export interface PadOptions {
  /** Length of a row. Default: that of the longest sequence. */
  readonly maxLen?: number;
  /** Default `'pre'`: zeros before the sequence. */
  readonly padding?: PadSide;
  /** Default `'pre'`: a sequence that is too long loses its beginning. */
  readonly truncating?: PadSide;
  /** What rows are filled up with. Default 0. */
  readonly value?: number;
}

/** Rows of equal length, one after the other. */
export interface PaddedSequences {
  readonly ids: Int32Array;
  /** `[sequences, maxLen]` */
  readonly shape: readonly [number, number];
  /** How many sequences were too long. */
  readonly truncated: number;
}

/** Checks what is given and fills in defaults; `maxLen` stays undefined where nothing was said. */
export function checkPadding(op: string, { maxLen, padding = 'pre', truncating = 'pre', value = 0 }: PadOptions) {
  if (maxLen !== undefined && (!Number.isSafeInteger(maxLen) || maxLen < 0)) {
    throw invalid('ERR_ARGUMENT', op, 'maxLen', 'an integer of at least 0', maxLen);
  }
  for (const [name, side] of Object.entries({ padding, truncating })) {
    if (side !== 'pre' && side !== 'post') throw invalid('ERR_ARGUMENT', op, name, "'pre' or 'post'", side);
  }
  if ((value | 0) !== value) throw invalid('ERR_ARGUMENT', op, 'value', 'an integer of 32 bits', value);
  return { maxLen, padding, truncating, value };
}

/**
 * Rows of equal length, as Keras's `pad_sequences`.
 * @param sequences Integers.
 */
export function padSequences(sequences: readonly ArrayLike<number>[], options: PadOptions = {}): PaddedSequences {
  const { padding, truncating, value, ...given } = checkPadding('data.padSequences', options);
  const maxLen = given.maxLen ?? sequences.reduce((most, { length }) => Math.max(most, length), 0);
  const ids = new Int32Array(sequences.length * maxLen).fill(value);
  let truncated = 0;
  sequences.forEach((sequence, row) => {
    const kept = Math.min(sequence.length, maxLen);
    if (kept < sequence.length) truncated++;
    const from = truncating === 'pre' ? sequence.length - kept : 0;
    const to = row * maxLen + (padding === 'pre' ? maxLen - kept : 0);
    for (let i = 0; i < kept; i++) ids[to + i] = sequence[from + i]!;
  });
  return { ids, shape: [sequences.length, maxLen], truncated };
}
