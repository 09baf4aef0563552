// The error as a landscape that can be drawn. Four parameters are too many; but for a kink at k = -b/a and a steepness a, the
// best c and d are a convex problem, so the lowest error there is over (k, a) is a surface of two, on which a fit leaves a path.
import { tidy } from '../../tensor/memory.js';
import { onesLike, tensor } from '../../ops/creation.js';
import { abs, reciprocal } from '../../ops/elementwise.js';
import { add, div, maximum, mul, sub } from '../../ops/arithmetic.js';
import { mean, sum } from '../../ops/reductions.js';
import { relu } from '../../ops/activations.js';
import type { Tensor } from '../../tensor/tensor.js';
import type { Approximator } from './activations.js';
import { GRID_POINTS, gridOf } from './fit.js';

/** The lowest error for each kink and steepness. */
export interface Surface {
  readonly kinks: readonly number[];
  readonly steepnesses: readonly number[];
  /** `errors[i][j]` belongs to `steepnesses[i]` and `kinks[j]`. */
  readonly errors: readonly (readonly number[])[];
}

/** Surfaces by the activation's key. */
export type Surfaces = ReadonlyMap<string, Surface>;

const KINKS: readonly [number, number] = [-0.9, 0.5];
const STEEPNESSES: readonly [number, number] = [0.25, 16];
const KINK_COUNT = 57;
const STEEPNESS_COUNT = 37;
/** Rounds of reweighted least squares; more change nothing that can be seen. */
const ROUNDS = 30;
/** Differences below this count alike: the weight 1 / |difference| has to end somewhere. */
const SMALLEST = 1e-4;
const SINGULAR = 1e-12;

const between = ([from, to]: readonly [number, number], count: number): number[] =>
  Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));

/** What the best c f + d by weighted least squares differs from y; weights of 1 if none are given. */
function fitOnce(f: Tensor, y: Tensor, given: Tensor | null): Tensor {
  const weights = given ?? onesLike(f);
  const total = sum(weights, 1, true);
  const fromF = sub(f, div(sum(mul(weights, f), 1, true), total));
  const fromY = sub(y, div(sum(mul(weights, y), 1, true), total));
  const weighted = mul(weights, fromF);
  const c = div(sum(mul(weighted, fromY), 1, true), add(sum(mul(weighted, fromF), 1, true), SINGULAR));
  return sub(mul(c, fromF), fromY);
}

/** The mean absolute difference that is left of `y`, [points], by the best c f + d for each row of f, [rows, points]. */
export function lowestErrors(f: Tensor, y: Tensor): Tensor {
  let difference = fitOnce(f, y, null);
  for (let round = 1; round < ROUNDS; round++) {
    const before = difference;
    difference = tidy(() => fitOnce(f, y, reciprocal(maximum(abs(before), SMALLEST))));
    before.dispose();
  }
  return mean(abs(difference), 1);
}

/** The surface of an activation with the parameters it starts with. */
export function errorSurface({ apply, ownStart }: Approximator): Surface {
  const kinks = between(KINKS, KINK_COUNT);
  const steepnesses = between([Math.log(STEEPNESSES[0]), Math.log(STEEPNESSES[1])], STEEPNESS_COUNT).map(Math.exp);
  const places = steepnesses.flatMap((a) => kinks.map((k) => [a, k] as const));
  const flat = tidy(() => {
    const x = gridOf(GRID_POINTS);
    const a = tensor(places.map(([each]) => [each]));
    const k = tensor(places.map(([, each]) => [each]));
    const f = apply(
      mul(a, sub(x, k)),
      ownStart.map((value) => tensor([[value]])),
    );
    return lowestErrors(f, relu(x)).dataSync();
  });
  const row = (i: number): number[] => [...flat.slice(i * kinks.length, (i + 1) * kinks.length)];
  return { kinks, steepnesses, errors: steepnesses.map((_, i) => row(i)) };
}

/** The steepness at which the wall is cut through: about where SELU comes to rest. */
export const CUT = 0.8;

/** The row of a surface that is nearest to a steepness. */
export function rowAt({ steepnesses, errors }: Surface, steepness: number): readonly number[] {
  const distance = (a: number): number => Math.abs(Math.log(a / steepness));
  const nearest = steepnesses.reduce((best, a, i) => (distance(a) < distance(steepnesses[best]!) ? i : best), 0);
  return errors[nearest]!;
}
