// Random formulas of x and b for property tests, and the same text as a JavaScript function: an evaluation that shares nothing
// with the one under test but the meaning of the operators.
import { compileFunction } from 'node:vm';
import fc from 'fast-check';
import { erf } from '../../src/formula/erf.js';

const leaf = fc.oneof(
  fc.constantFrom('x', 'x', 'x', 'b', 'pi'),
  fc.integer({ min: 0, max: 9 }).map(String),
  fc.double({ min: 0.01, max: 9, noNaN: true }).map((value) => value.toPrecision(3)),
);

/** Text of a formula. Jumps (comparisons by ==, floor) are left out: rounding would decide them. */
export const formulas = fc.letrec<{ formula: string }>((tie) => {
  const inner = tie('formula');
  const infix = (...signs: string[]): fc.Arbitrary<string> =>
    fc.tuple(inner, fc.constantFrom(...signs), inner).map(([a, sign, b]) => `(${a}) ${sign} (${b})`);
  return {
    formula: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      infix('+', '-', '*', '/'),
      fc.tuple(inner, inner).map(([a, b]) => `${a} + ${b}`),
      fc.tuple(leaf, leaf, leaf).map(([a, b, c]) => `${a} - ${b} * ${c}`),
      fc.tuple(inner, fc.integer({ min: -3, max: 4 })).map(([a, n]) => `(${a}) ^ ${n}`),
      inner.map((a) => `-(${a})`),
      fc
        .tuple(fc.constantFrom('exp', 'expm1', 'tanh', 'sigmoid', 'softplus', 'erf', 'sin', 'cos', 'abs'), inner)
        .map(([name, a]) => `${name}(${a})`),
      fc.tuple(fc.constantFrom('sqrt', 'log', 'log1p'), inner).map(([name, a]) => `${name}(abs(${a}) + 0.5)`),
      fc.tuple(fc.constantFrom('min', 'max'), inner, inner).map(([name, a, b]) => `${name}(${a}, ${b})`),
      fc
        .tuple(leaf, fc.constantFrom('<', '<=', '>', '>='), leaf, inner, inner)
        .map(([a, sign, b, yes, no]) => `where(${a} ${sign} ${b}, ${yes}, ${no})`),
      fc.tuple(leaf, leaf, inner, inner).map(([a, b, yes, no]) => `(${a} < ${b} && 0 < ${b} ? ${yes} : ${no})`),
    ),
  };
}).formula;

const sigmoid = (a: number): number => 1 / (1 + Math.exp(-a));
const softplus = (a: number): number => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a)));
const where = (condition: boolean, a: number, b: number): number => (condition ? a : b);

const MATHS = /\b(exp|expm1|log|log1p|tanh|sqrt|sin|cos|abs|min|max|floor|sign|pow)\(/g;

/** The formula as a function of x and b. */
export function inJavaScript(formula: string): (x: number, b: number) => number {
  const own = { sigmoid, softplus, erf, where, pi: Math.PI };
  // JavaScript wants a minus in front of a power in parentheses; random formulas put them there.
  const text = formula.replaceAll('^', '**').replace(MATHS, 'Math.$1(');
  const make = compileFunction(`return (${text});`, [...Object.keys(own), 'x', 'b']) as (...args: unknown[]) => unknown;
  return (x, b) => Number(make(...Object.values(own), x, b));
}
