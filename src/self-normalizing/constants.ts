// Which SELU keeps a given mean and variance. Both conditions are polynomials in alpha and scale, so the solution is exact.
import { failure } from '../errors.js';
import { finite, options, positive } from './arguments.js';
import {
  layerMoments,
  sidedMoments,
  spectralNorm,
  spectralRadius,
  type Moments,
  type SeluConstants,
  type WeightSums,
} from './moment-map.js';

const OP = 'selfNormalizing.constants';

/** Options of selfNormalizing.constants. */
export interface ConstantsOptions extends Partial<Moments>, Partial<WeightSums> {}

/**
 * The alpha and scale of the SELU that keeps mean and variance from layer to layer: its moment map has its attracting fixed point
 * there. The default gives the published constants; variance 2 gives 1.97126 and 1.06071.
 * @param given mean and variance to keep (0 and 1), for weights of sum weightMean (the paper's omega, 0) and sum of squares
 *   weightVariance (tau, 1). With a mean other than 0, layers keep it only where each unit's weights add up to weightMean:
 *   see `constraints.weightCentralization`.
 * @throws ArgumentError when no alpha and scale keep them, or they would not attract; the message has the Jacobian's norm.
 * @example sn.selu(x, sn.selfNormalizing.constants({mean: 0, variance: 4}))
 */
export function constants(given: ConstantsOptions = {}): SeluConstants {
  const all = options(OP, given);
  const mean = finite(OP, 'mean', all.mean ?? 0);
  const variance = positive(OP, 'variance', all.variance ?? 1);
  const weightMean = finite(OP, 'weightMean', all.weightMean ?? 0);
  const weightVariance = positive(OP, 'weightVariance', all.weightVariance ?? 1);
  const sums = { weightMean, weightVariance };
  const candidates = solve({ mean, variance }, sums);
  if (candidates.length === 0) throw unsolvable({ mean, variance }, sums);
  const judged = candidates.map((found) => ({ found, ...layerMoments({ mean, variance }, sums, found) }));
  const attracting = judged.find(({ jacobian }) => spectralRadius(jacobian) < 1);
  if (attracting !== undefined) return attracting.found;
  const { found, jacobian } = judged[0]!;
  const six = (value: number): string => String(Number(value.toPrecision(6)));
  throw failure(
    'ERR_ARGUMENT',
    OP,
    `mean, variance: expected a pair that attracts, got ${mean} and ${variance}: alpha ${six(found.alpha)} and scale ` +
      `${six(found.scale)} keep them, but deviations grow from layer to layer; the moment map's Jacobian has norm ` +
      `${six(spectralNorm(jacobian))} and an eigenvalue of magnitude ${six(spectralRadius(jacobian))} there; take a weightMean nearer to 0`,
  );
}

/**
 * The pairs that keep the moments. With P1, P2 the moments of z above 0 and N1, N2 those of exp(z) - 1 below, they are
 * scale (P1 + alpha N1) = mean and scale^2 (P2 + alpha^2 N2) = variance + mean^2, hence P1 + alpha N1 = k sqrt(P2 + alpha^2 N2)
 * with k = mean / sqrt(variance + mean^2): a quadratic equation, of whose roots those with the right sign count.
 */
function solve({ mean, variance }: Moments, { weightMean, weightVariance }: WeightSums): SeluConstants[] {
  const { above, below } = sidedMoments({ mean: weightMean * mean, variance: weightVariance * variance });
  const [[p1, p2], [n1, n2]] = [above, below];
  const square = variance + mean * mean;
  const k = mean / Math.sqrt(square);
  const a = n1 * n1 - k * k * n2;
  const root = Math.abs(k) * Math.sqrt(Math.max(0, n1 * n1 * p2 + n2 * p1 * p1 - k * k * n2 * p2));
  const alphas = root === 0 ? [-p1 / n1] : [(-p1 * n1 - root) / a, (-p1 * n1 + root) / a];
  return alphas
    .filter((alpha) => Number.isFinite(alpha) && alpha > 0 && (k === 0 || (p1 + alpha * n1) * k > 0))
    .map((alpha) => ({ alpha, scale: Math.sqrt(square / (p2 + alpha * alpha * n2)) }))
    .filter(({ scale }) => Number.isFinite(scale) && scale > 0)
    .sort((one, other) => one.alpha - other.alpha);
}

/** The share of the mean square that the mean may be: all in the positive part, or all in the negative one. */
function unsolvable({ mean, variance }: Moments, { weightMean, weightVariance }: WeightSums): Error {
  const { above, below } = sidedMoments({ mean: weightMean * mean, variance: weightVariance * variance });
  const [first, second] = mean > 0 ? above : below;
  const most = (Math.sign(mean) * Math.abs(first)) / Math.sqrt(second);
  const k = mean / Math.sqrt(variance + mean * mean);
  return failure(
    'ERR_ARGUMENT',
    OP,
    `mean, variance: expected a pair that some alpha and scale keep, got ${mean} and ${variance}: there is no fixed point, since ` +
      `mean / sqrt(mean^2 + variance) is ${k.toFixed(3)} and would have to be ${mean > 0 ? 'below' : 'above'} ${most.toFixed(3)}; ` +
      `take a mean nearer to 0 or a larger variance`,
  );
}
