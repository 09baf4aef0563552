// How a SELU layer maps the moments of its inputs to those of its outputs: the g of Klambauer et al. 2017, with its Jacobian.
//
// The closed forms, differences of exp() erfc(), lose all their digits where the variance is small or the mean is far from 0.
// Here each moment is the integral of the function's difference from its value at the mean, which is worked out without
// cancellation: nothing overflows, and about 13 digits are right wherever the result itself is not a difference of equals.
import { gaussianNodes } from './gaussian-nodes.js';

/** Mean and variance. */
export interface Moments {
  readonly mean: number;
  readonly variance: number;
}

/** The constants of a SELU. */
export interface SeluConstants {
  readonly alpha: number;
  readonly scale: number;
}

/** [[d mean / d mean, d mean / d variance], [d variance / d mean, d variance / d variance]], inputs below outputs. */
export type Jacobian = readonly [readonly [number, number], readonly [number, number]];

/** Moments after a SELU, and their derivatives by the moments before it. */
export interface MappedMoments extends Moments {
  readonly jacobian: Jacobian;
}

/** Moments of selu(z) for z ~ N(mean, variance), and their derivatives by these two. */
export function seluMoments({ mean, variance }: Moments, { alpha, scale }: SeluConstants): MappedMoments {
  const deviation = Math.sqrt(variance);
  const nodes = gaussianNodes(mean, deviation);
  const positive = mean > 0;
  // Of the function without its scale: value and slope at the mean, and differences from them at z = mean + deviation t.
  const centre = positive ? mean : alpha * Math.expm1(mean);
  const steepness = positive ? 1 : alpha * Math.exp(mean);
  const rise = (t: number, z: number): number => {
    if (positive) return z > 0 ? deviation * t : alpha * Math.expm1(z) - mean;
    return z > 0 ? z - centre : steepness * Math.expm1(deviation * t);
  };
  const steepening = (t: number, z: number): number => {
    if (positive) return z > 0 ? 0 : alpha * Math.exp(z) - 1;
    return z > 0 ? 1 - steepness : steepness * Math.expm1(deviation * t);
  };

  const rises = nodes.map(({ t, z }) => rise(t, z));
  const steepenings = nodes.map(({ t, z }) => steepening(t, z));
  let shift = 0;
  nodes.forEach(({ weight }, i) => (shift += weight * rises[i]!));
  let spread = 0;
  let slope = 0; // E[f' - f'(mean)]
  let bend = 0; // E[(f' - f'(mean)) t]
  let lean = 0; // E[(f - E f) (f' - f'(mean))]
  let growth = 0; // E[(f - E f) f' t]
  nodes.forEach(({ t, z, weight }, i) => {
    const away = rises[i]! - shift;
    const more = steepenings[i]!;
    spread += weight * away * away;
    slope += weight * more;
    bend += weight * more * t;
    lean += weight * away * more;
    growth += weight * away * t * (z > 0 ? 1 : alpha * Math.exp(z));
  });
  return {
    mean: scale * (centre + shift),
    variance: scale * scale * spread,
    jacobian: [
      [scale * (steepness + slope), (scale * bend) / (2 * deviation)],
      [2 * scale * scale * lean, (scale * scale * growth) / deviation],
    ],
  };
}

/** What a layer's weights do to moments: sums over a unit's weights and over their squares. */
export interface WeightSums {
  /** The paper's omega. */
  readonly weightMean: number;
  /** The paper's tau. */
  readonly weightVariance: number;
}

/** The map of a whole layer: sums of many inputs are normal, then SELU. */
export function layerMoments(
  { mean, variance }: Moments,
  { weightMean, weightVariance }: WeightSums,
  constants: SeluConstants,
): MappedMoments {
  const after = seluMoments({ mean: weightMean * mean, variance: weightVariance * variance }, constants);
  const [[a, b], [c, d]] = after.jacobian;
  return {
    ...after,
    jacobian: [
      [weightMean * a, weightVariance * b],
      [weightMean * c, weightVariance * d],
    ],
  };
}

/** The largest factor by which the Jacobian stretches a step: below 1 the map contracts. */
export function spectralNorm([[a, b], [c, d]]: Jacobian): number {
  return (Math.hypot(a + d, b - c) + Math.hypot(a - d, b + c)) / 2;
}

/** The largest magnitude of an eigenvalue: below 1 a fixed point attracts. */
export function spectralRadius([[a, b], [c, d]]: Jacobian): number {
  const half = (a + d) / 2;
  const product = a * d - b * c;
  const square = half * half - product;
  return square < 0 ? Math.sqrt(product) : Math.abs(half) + Math.sqrt(square);
}

/** Parts of a normal distribution on either side of 0: E[z], E[z^2] above, E[exp(z) - 1], E[(exp(z) - 1)^2] below. */
export interface SidedMoments {
  readonly above: readonly [number, number];
  readonly below: readonly [number, number];
}

/** For z ~ N(mean, variance). */
export function sidedMoments({ mean, variance }: Moments): SidedMoments {
  const above: [number, number] = [0, 0];
  const below: [number, number] = [0, 0];
  for (const { z, weight } of gaussianNodes(mean, Math.sqrt(variance))) {
    const value = z > 0 ? z : Math.expm1(z);
    const side = z > 0 ? above : below;
    side[0] += weight * value;
    side[1] += weight * value * value;
  }
  return { above, below };
}
