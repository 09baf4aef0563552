// What is wrong with a formula, with the formula and a caret under the fault.
import { failure, type SelfnormError } from '../errors.js';

/** Characters shown before and behind the fault. */
const BEFORE = 60;
const BEHIND = 40;

/**
 * An error that shows where it is.
 * @param op Whose formula it is: `activation 'swishish'`.
 * @param argument Which: `forward`.
 * @param at Index of the fault's first character; the formula's length where its end is at fault.
 */
export function formulaError(op: string, argument: string, formula: string, at: number, what: string): SelfnormError {
  const start = Math.max(0, at - BEFORE);
  const end = Math.min(formula.length, at + BEHIND);
  // Line breaks and tabs as single spaces, so that the caret stays below the fault.
  const shown = formula.slice(start, end).replace(/\s/g, ' ');
  const [head, tail] = [start > 0 ? '...' : '', end < formula.length ? '...' : ''];
  const caret = `${' '.repeat(head.length + at - start)}^`;
  return failure('ERR_ARGUMENT', op, `${argument}: ${what}`, [`  ${head}${shown}${tail}`, `  ${caret}`]);
}
