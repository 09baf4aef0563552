// Holds a derivative against differences of its function, in float64, before anything is trained with it.
import { failure } from '../errors.js';
import { evaluateFormula, type CompiledFormula } from './compile.js';

/** Relative to the slope: what differences over such steps can tell. A formula that loses digits needs the longer, a steep one the shorter. */
const TOLERANCE = 1e-4;
const STEPS = [1e-5, 1e-8];

/** Where activations live, closely around 0, where most have their kink, and some way out. */
function grid(): number[] {
  const even = Array.from({ length: 401 }, (_, i) => (i - 200) / 20);
  const near = Array.from({ length: 12 }, (_, i) => 10 ** (-i / 2 - 0.25)).flatMap((x) => [x, -x]);
  const far = [12.5, 16.25, 23, 31.5].flatMap((x) => [x, -x]);
  return [...even, ...near, ...far];
}

const close = (slope: number, difference: number): boolean =>
  Math.abs(slope - difference) <= TOLERANCE * Math.max(1, Math.abs(slope), Math.abs(difference));

/** The central difference and those of either side. */
function differences(f: (x: number) => number, x: number, y: number, step: number): number[] {
  const [above, below] = [x + step, x - step];
  const [high, low] = [f(above), f(below)];
  return [(high - low) / (above - below), (high - y) / (above - x), (y - low) / (x - below)];
}

/**
 * Checks a derivative. At a kink it may be the slope of either side.
 * @param op Named in errors.
 * @param forward Of x.
 * @param derivative Of x and y = forward(x).
 * @throws ArgumentError with the first input at which the derivative is another than both one-sided differences and the central one, and
 *   for a function that has no finite values to check.
 */
export function checkDerivative(op: string, forward: CompiledFormula, derivative: CompiledFormula): void {
  const at = (x: number): number => evaluateFormula(forward, [x]);
  let checked = 0;
  for (const x of grid()) {
    const y = at(x);
    const slope = evaluateFormula(derivative, [x, y]);
    const tried = STEPS.map((step) => differences(at, x, y, step * Math.max(1, Math.abs(x))));
    if (!tried.flat().every(Number.isFinite)) continue;
    checked++;
    if (tried.flat().some((difference) => close(slope, difference))) continue;
    const expected = `${Number(tried[0]![0]!.toPrecision(6))}, the slope of forward`;
    throw failure(
      'ERR_ARGUMENT',
      op,
      `derivative: at x = ${x} expected ${expected}, got ${Number(slope.toPrecision(6))}`,
    );
  }
  if (checked === 0) throw failure('ERR_ARGUMENT', op, 'forward: expected finite values somewhere from -31.5 to 31.5');
}
