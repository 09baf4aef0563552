// The namespace `train.schedules`: learning rates by step, with Keras 3's arguments and formulas. A schedule counts the steps
// taken before, so the first step has the rate of step 0.
import {
  CosineDecay,
  ExponentialDecay,
  InverseTimeDecay,
  PiecewiseConstantDecay,
  PolynomialDecay,
} from './learning-rate.js';

/** initialLearningRate decayRate^(step / decaySteps); with `staircase` the quotient is rounded down. */
export function exponentialDecay(
  initialLearningRate: number,
  decaySteps: number,
  decayRate: number,
  staircase = false,
): ExponentialDecay {
  return new ExponentialDecay({ initialLearningRate, decaySteps, decayRate, staircase });
}

/** initialLearningRate / (1 + decayRate step / decaySteps); with `staircase` the quotient is rounded down. */
export function inverseTimeDecay(
  initialLearningRate: number,
  decaySteps: number,
  decayRate: number,
  staircase = false,
): InverseTimeDecay {
  return new InverseTimeDecay({ initialLearningRate, decaySteps, decayRate, staircase });
}

/**
 * Half a cosine over decaySteps, down to the share `alpha` (Loshchilov & Hutter 2016).
 * @param warmupTarget Null: no warm-up. A rate: grows to it in a line over `warmupSteps`, and the cosine starts from there.
 */
export function cosineDecay(
  initialLearningRate: number,
  decaySteps: number,
  alpha = 0,
  warmupTarget: number | null = null,
  warmupSteps = 0,
): CosineDecay {
  return new CosineDecay({ initialLearningRate, decaySteps, alpha, warmupTarget, warmupSteps });
}

/** values[i] up to and with step boundaries[i], the last value after the last of the at most 30 boundaries. */
export function piecewiseConstant(boundaries: readonly number[], values: readonly number[]): PiecewiseConstantDecay {
  return new PiecewiseConstantDecay({ boundaries, values });
}

/**
 * From the initial to the end rate by (1 - step / decaySteps)^power, then the end rate.
 * @param cycle Goes on with the next multiple of decaySteps that is at least the step in its place.
 */
export function polynomialDecay(
  initialLearningRate: number,
  decaySteps: number,
  endLearningRate = 0.0001,
  power = 1,
  cycle = false,
): PolynomialDecay {
  return new PolynomialDecay({ initialLearningRate, decaySteps, endLearningRate, power, cycle });
}
