// Formulas as text: what is refused, with the caret under the fault; printing and parsing are each other's inverse; and a compiled
// formula is what JavaScript makes of the same text.
import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import { SelfnormError } from '../../src/errors.js';
import { Algebra } from '../../src/formula/algebra.js';
import { compileFormula, evaluateFormula } from '../../src/formula/compile.js';
import { erf } from '../../src/formula/erf.js';
import { Expressions } from '../../src/formula/expression.js';
import { parseFormula, type FormulaContext } from '../../src/formula/parse.js';
import { printFormula } from '../../src/formula/print.js';
import { formulas, inJavaScript } from './random-formula.js';

const CONTEXT: FormulaContext = { op: 'test', argument: 'forward', names: ['x', 'b'], hints: { y: 'a hint' } };

/** Always the same: of any formula at all, some give a rounding error any size. */
const SAMPLE = { numRuns: 400, seed: 1 };

/** The message's first line, and the character above the caret with its place. */
function refusal(formula: string): { what: string; at: number; shown: string } {
  try {
    parseFormula(formula, CONTEXT);
  } catch (error) {
    expect(error).toBeInstanceOf(SelfnormError);
    expect((error as SelfnormError).code).toBe('ERR_ARGUMENT');
    const [what, shown, caret] = (error as SelfnormError).message.split('\n') as [string, string, string];
    expect(caret).toMatch(/^ *\^$/);
    return { what, at: caret.length - 1 - 2, shown: shown.slice(2) };
  }
  throw new Error(`${formula}: expected an error`);
}

const FAULTS: readonly (readonly [formula: string, at: number, what: RegExp])[] = [
  ['', 0, /expected a formula, got an empty one/],
  ['   ', 0, /empty/],
  ['x / (1 + exp(-b * x)', 4, /this parenthesis is not closed/],
  ['x / (1 + exp(-b * x', 12, /this parenthesis is not closed/],
  ['x + foo(x)', 4, /unknown function 'foo': expected one of abs, sign/],
  ['x + zebra', 4, /unknown name 'zebra': expected one of x, b, pi/],
  ['2 * y', 4, /unknown name 'y': a hint/],
  ['min(x)', 0, /min: expected 2 arguments, got 1/],
  ['1 + exp(x, b)', 4, /exp: expected 1 argument, got 2/],
  ['where(x > 0, x)', 0, /where: expected 3 arguments, got 2/],
  ['exp()', 0, /expected 1 argument, got 0/],
  ['x + ', 3, /expected a value, got the end of the formula/],
  ['x + * 2', 4, /expected a value, got '\*'/],
  ['min(x,,b)', 6, /expected a value, got ','/],
  ['2x', 1, /expected an operator, as '\*', got 'x'/],
  ['x x', 2, /expected an operator/],
  ['x(3)', 1, /'x' is no function: expected '\*' before the parenthesis/],
  ['x * exp', 7, /'exp' is a function: expected '\(' behind it/],
  ['x)', 1, /no parenthesis is open here/],
  ['x, b', 1, /expected an operator, got ','/],
  ['0 < x < 1', 6, /comparisons do not chain: expected '&&' between two/],
  ['x = 3', 2, /unknown character "="; '==' compares/],
  ['x $ 2', 2, /unknown character "\$"/],
  ['x + \u03b1', 4, /unknown character "\u03b1"/],
  ['1e999 * x', 0, /expected a finite number/],
  ['x > 0 ? x', 9, /expected ':' of a choice, got the end of the formula/],
  ['x\n  + foo', 6, /unknown name 'foo'/],
];

test.each(FAULTS)('refuses %j with the caret at %i', (formula, at, what) => {
  const found = refusal(formula);
  expect(found.what).toMatch(what);
  expect(found.what).toMatch(/^test: forward: /);
  expect(found.at).toBe(at);
  expect(found.shown).toBe(formula.replace(/\s/g, ' '));
});

describe('formulas that nobody writes', () => {
  test('are refused when they are too long or too deep, with a piece of them', () => {
    const long = refusal(`x${' + x'.repeat(600)}`);
    expect(long.what).toMatch(/expected at most 2000, got 2401 characters/);
    expect(long.shown.length).toBeLessThan(120);
    for (const [open, close] of [
      ['(', ')'],
      ['-', ''],
      ['x^', ''],
      ['exp(', ')'],
      ['x ? x : ', ''],
    ] as const) {
      expect(refusal(`${open.repeat(150)}x${close.repeat(150)}`).what).toMatch(
        /nested too deeply: expected at most 100/,
      );
    }
  });
  test('are refused when they take more operations than a kernel has', () => {
    const e = new Algebra();
    const terms = Array.from({ length: 100 }, (_, i) => `sin(x*${i}.5)`).join('+');
    const root = e.substitute(parseFormula(terms, CONTEXT), {});
    expect(() => compileFormula('test', e, root, ['x'])).toThrow(/^test: too complex: expected at most 256 operations/);
  });
  test('of another type are refused', () => {
    expect(() => parseFormula(7 as unknown as string, CONTEXT)).toThrow(
      /forward: expected a formula, as a string, got 7/,
    );
  });
});

const value = (formula: string, x: number, b = 2): number => {
  const e = new Algebra();
  return evaluateFormula(compileFormula('test', e, e.substitute(parseFormula(formula, CONTEXT), { b }), ['x']), [x]);
};

test.each([
  ['-x^2', 3, -9],
  ['2^-x', 1, 0.5],
  ['2^3^2', 0, 512],
  ['2**x', 3, 8],
  ['8/2/2', 0, 2],
  ['1 - 2 - 3', 0, -4],
  ['x > 0 ? 1 : x < -1 ? 2 : 3', -0.5, 3],
  ['!(x > 0) && b == 2 || x != x', -1, 1],
  ['(x > 0) * 5', 1, 5],
  ['- -x', 4, 4],
  ['+x', 4, 4],
  ['.5e1 + 1.', 0, 6],
  ['sin(pi / b)', 0, 1],
  ['x^0.5', 9, 3],
  ['x^-3', 2, 0.125],
  ['where(x >= 0, 7, exp(x))', 0, 7],
  ['b', 0, 2],
])('%s at x = %d is %d', (formula, x, expected) => {
  expect(Math.abs(value(formula, x) - expected) <= 1e-15 * Math.abs(expected)).toBe(true);
});

test('erf has the values of the tables', () => {
  for (const [x, expected] of [
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [2.5, 0.999593047982555],
    [3, 0.9999779095030014],
  ] as const) {
    expect(Math.abs(erf(x) - expected) <= 2e-16).toBe(true);
    expect(erf(-x)).toBe(-erf(x));
  }
  expect([erf(0), erf(9), erf(-Infinity)]).toEqual([0, 1, -1]);
  expect(erf(NaN)).toBeNaN();
});

describe('random formulas', () => {
  test('are what they were after printing and parsing', () => {
    const check = fc.property(formulas, (formula) => {
      const e = new Expressions();
      const parsed = parseFormula(formula, CONTEXT, e);
      const printed = printFormula(parsed);
      expect(parseFormula(printed, CONTEXT, e)).toBe(parsed);
      expect(printFormula(parseFormula(printed, CONTEXT, e))).toBe(printed);
    });
    fc.assert(check, SAMPLE);
  });

  test('are what JavaScript makes of them', () => {
    const check = fc.property(
      formulas,
      fc.integer({ min: -32, max: 32 }).map((n) => n / 8),
      (formula, x) => {
        const expected = inJavaScript(formula)(x, 1.5);
        const found = value(formula, x, 1.5);
        // Products in place of powers, and numbers worked out beforehand, round differently.
        const allowed = 1e-9 * Math.max(1, Math.abs(expected));
        if (Object.is(expected, found) || !(Math.abs(expected) < 1e6)) return;
        if (!(Math.abs(found - expected) <= allowed)) throw new Error(`expected ${expected}, got ${found}`);
      },
    );
    expect(() => fc.assert(check, SAMPLE)).not.toThrow();
  });
});
