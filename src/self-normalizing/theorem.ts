// The moment map as users call it, and the point that it comes to rest in.
import { failure } from '../errors.js';
import { finite, options, positive, seluConstants } from './arguments.js';
import {
  layerMoments,
  spectralNorm,
  spectralRadius,
  type Jacobian,
  type MappedMoments,
  type Moments,
  type SeluConstants,
  type WeightSums,
} from './moment-map.js';

/** Options of selfNormalizing.theorem. */
export interface TheoremOptions extends Partial<SeluConstants>, Partial<WeightSums>, Partial<Moments> {}

/** Moments after a layer. */
export interface TheoremResult extends Moments {
  /** Derivatives of mean and variance (rows) by the inputs' mean and variance (columns). */
  readonly jacobian: Jacobian;
  /** The Jacobian's spectral norm: below 1 the map contracts there. */
  readonly norm: number;
}

function weightSums(op: string, { weightMean = 0, weightVariance = 1 }: Partial<WeightSums>): WeightSums {
  return {
    weightMean: finite(op, 'weightMean', weightMean),
    weightVariance: positive(op, 'weightVariance', weightVariance),
  };
}

const withNorm = (mapped: MappedMoments): TheoremResult => ({ ...mapped, norm: spectralNorm(mapped.jacobian) });

/**
 * Maps mean and variance of a layer's inputs to those of its SELU outputs: the function g of Klambauer et al. 2017, "Self-normalizing
 * neural networks", for inputs enough that their weighted sums are normal.
 * @param given weightMean: the sum of a unit's weights, the paper's omega (default 0); weightVariance: the sum of their squares, tau
 *   (default 1); mean, variance: of the inputs (0 and 1); alpha, scale: of the SELU (its defaults).
 * @returns mean, variance, and the map's Jacobian there with its spectral norm.
 * @throws ArgumentError for a variance that is not above 0.
 * @example sn.selfNormalizing.theorem({mean: 0, variance: 1.5}).variance // about 1.37: nearer to 1
 */
export function theorem(given: TheoremOptions = {}): TheoremResult {
  const op = 'selfNormalizing.theorem';
  const all = options(op, given);
  const moments = { mean: finite(op, 'mean', all.mean ?? 0), variance: positive(op, 'variance', all.variance ?? 1) };
  return withNorm(layerMoments(moments, weightSums(op, all), seluConstants(op, all)));
}

/** Options of selfNormalizing.fixedPoint. */
export interface FixedPointOptions extends Partial<SeluConstants>, Partial<WeightSums> {
  /** Where to begin (default mean 0, variance 1): with other weights than the paper's there may be several fixed points. */
  readonly start?: Moments;
}

/** A fixed point of the moment map. */
export interface FixedPoint extends TheoremResult {
  /** The largest magnitude of the Jacobian's eigenvalues: the factor by which a deviation shrinks from layer to layer, in the end. */
  readonly radius: number;
  /** How many layers the search went through. */
  readonly layers: number;
}

/** Layers that are gone through before the search takes it that they lead nowhere. */
const MOST_LAYERS = 10_000;
/** From a change this small on, Newton's method finds the rest. */
const NEAR = 1e-4;
/** Moments beyond these lead nowhere. */
const LEAST = 1e-9;
const MOST = 1e9;

/** How far a layer moves its inputs' moments, on the scale of the spread. */
const distance = (from: Moments, to: Moments): number =>
  Math.abs(to.mean - from.mean) / Math.sqrt(from.variance) + Math.abs(to.variance - from.variance) / from.variance;

/** The solution of x = g(x) next to `from`: Newton's method. */
function polish(from: Moments, map: (moments: Moments) => MappedMoments): Moments {
  let at = from;
  for (let step = 0; step < 8; step++) {
    const { mean, variance, jacobian } = map(at);
    const [[a, b], [c, d]] = [
      [1 - jacobian[0][0], -jacobian[0][1]],
      [-jacobian[1][0], 1 - jacobian[1][1]],
    ] as const;
    const [u, v] = [mean - at.mean, variance - at.variance];
    const determinant = a * d - b * c;
    const next = {
      mean: at.mean + (u * d - b * v) / determinant,
      variance: at.variance + (a * v - c * u) / determinant,
    };
    if (!(next.variance > 0 && Number.isFinite(next.mean))) return at;
    const moved = distance(at, next);
    at = next;
    if (moved < 1e-15) break;
  }
  return at;
}

/**
 * The mean and variance that layers of such weights come to: the fixed point of `theorem`, found by going from layer to layer.
 * @param given weightMean and weightVariance of each layer (0 and 1), alpha and scale (SELU's), and where to start.
 * @returns The fixed point with the map's Jacobian there.
 * @throws ArgumentError when the moments do not come to rest, with what became of them and the Jacobian's norm there.
 * @example sn.selfNormalizing.fixedPoint({weightVariance: 1.1}) // a variance of about 1.6
 */
export function fixedPoint(given: FixedPointOptions = {}): FixedPoint {
  const op = 'selfNormalizing.fixedPoint';
  const all = options(op, given);
  const sums = weightSums(op, all);
  const constants = seluConstants(op, all);
  const { start = { mean: 0, variance: 1 } } = all;
  let at: Moments = {
    mean: finite(op, 'start.mean', start.mean),
    variance: positive(op, 'start.variance', start.variance),
  };
  const map = (moments: Moments): MappedMoments => layerMoments(moments, sums, constants);
  for (let layers = 1; layers <= MOST_LAYERS; layers++) {
    const next = map(at);
    const moved = distance(at, next);
    if (!(next.variance > LEAST && next.variance < MOST && Math.abs(next.mean) < MOST)) {
      throw restless(op, sums, constants, layers, next);
    }
    at = next;
    if (!(moved < NEAR)) continue;
    const found = polish(at, map);
    const { jacobian, norm } = withNorm(map(found));
    const radius = spectralRadius(jacobian);
    if (radius < 1) return { mean: found.mean, variance: found.variance, jacobian, norm, radius, layers };
  }
  throw restless(op, sums, constants, MOST_LAYERS, withNorm(map(at)));
}

function restless(
  op: string,
  { weightMean, weightVariance }: WeightSums,
  { alpha, scale }: SeluConstants,
  layers: number,
  { mean, variance, jacobian }: MappedMoments,
): Error {
  const short = (value: number): string => String(Number(value.toPrecision(4)));
  return failure(
    'ERR_ARGUMENT',
    op,
    `weightMean, weightVariance: expected weights whose moments come to rest, got ${weightMean} and ${weightVariance}: with alpha ` +
      `${short(alpha)} and scale ${short(scale)}, mean and variance are ${short(mean)} and ${short(variance)} after ${layers} layers, ` +
      `where the Jacobian's norm is ${short(spectralNorm(jacobian))}; a weightMean of 0 and a weightVariance near 1 attract`,
  );
}
