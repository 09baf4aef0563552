// Learning rates that change with the step. The device works them out from its step count (cuda/kernels/learning_rate.h), so
// that a recorded step follows its schedule; `at` has the same formulas for the host. Formulas and arguments are Keras 3's.
import { invalid } from '../errors.js';
import { Configurable, Registry, type Serialized } from '../serialization.js';
import { checkFlag, checkNumber } from './checks.js';

/** Numbers that describe a schedule to the device; the order of kinds is part of the contract with the kernels. */
const KIND = { constant: 0, exponential: 1, cosine: 2, piecewise: 3, polynomial: 4, inverseTime: 5 } as const;
/** Numbers every schedule is written in, so that one can take another's place in device memory. */
const DEVICE_NUMBERS = 64;
const MOST_BOUNDARIES = 30;

/** A learning rate by step; made by the functions of `train.schedules`. */
export abstract class LearningRateSchedule extends Configurable {
  /** The learning rate of the step that follows `step` steps. */
  abstract at(step: number): number;
  /** @internal The schedule's kind and arguments, as the kernels take them. */
  abstract encode(): number[];
}

export interface ExponentialDecayConfig {
  initialLearningRate: number;
  decaySteps: number;
  decayRate: number;
  staircase?: boolean;
}
export interface CosineDecayConfig {
  initialLearningRate: number;
  decaySteps: number;
  alpha?: number;
  warmupTarget?: number | null;
  warmupSteps?: number;
}
export interface PiecewiseConstantConfig {
  boundaries: readonly number[];
  values: readonly number[];
}
export interface PolynomialDecayConfig {
  initialLearningRate: number;
  decaySteps: number;
  endLearningRate?: number;
  power?: number;
  cycle?: boolean;
}

const checkRate = (op: string, argument: string, value: unknown): number =>
  checkNumber(op, argument, value, 0, Infinity);

function checkSteps(op: string, argument: string, value: unknown): number {
  if (typeof value === 'number' && value > 0 && value < Infinity) return value;
  throw invalid('ERR_ARGUMENT', op, argument, 'a finite number above 0', value);
}

/** initialLearningRate decayRate^(step / decaySteps). */
export class ExponentialDecay extends LearningRateSchedule {
  static override readonly className: string = 'ExponentialDecay';
  readonly initialLearningRate: number;
  readonly decaySteps: number;
  readonly decayRate: number;
  readonly staircase: boolean;

  constructor({ initialLearningRate, decaySteps, decayRate, staircase = false }: ExponentialDecayConfig) {
    super();
    const op = new.target.className;
    this.initialLearningRate = checkRate(op, 'initialLearningRate', initialLearningRate);
    this.decaySteps = checkSteps(op, 'decaySteps', decaySteps);
    this.decayRate = checkRate(op, 'decayRate', decayRate);
    this.staircase = checkFlag(op, 'staircase', staircase);
  }
  at(step: number): number {
    return this.initialLearningRate * this.decayRate ** this.periods(step);
  }
  encode(): number[] {
    return [KIND.exponential, ...this.numbers()];
  }
  override getConfig(): Record<string, unknown> {
    const { initialLearningRate, decaySteps, decayRate, staircase } = this;
    return { initialLearningRate, decaySteps, decayRate, staircase };
  }
  protected periods(step: number): number {
    const periods = step / this.decaySteps;
    return this.staircase ? Math.floor(periods) : periods;
  }
  protected numbers(): number[] {
    return [this.initialLearningRate, this.decaySteps, this.decayRate, Number(this.staircase)];
  }
}

/** initialLearningRate / (1 + decayRate step / decaySteps). */
export class InverseTimeDecay extends ExponentialDecay {
  static override readonly className = 'InverseTimeDecay';
  override at(step: number): number {
    return this.initialLearningRate / (1 + this.decayRate * this.periods(step));
  }
  override encode(): number[] {
    return [KIND.inverseTime, ...this.numbers()];
  }
}

/** Half a cosine from the initial rate, or after a linear warm-up from its target, down to the share alpha of it. */
export class CosineDecay extends LearningRateSchedule {
  static override readonly className = 'CosineDecay';
  readonly initialLearningRate: number;
  readonly decaySteps: number;
  readonly alpha: number;
  readonly warmupTarget: number | null;
  readonly warmupSteps: number;

  constructor({ initialLearningRate, decaySteps, alpha = 0, warmupTarget = null, warmupSteps = 0 }: CosineDecayConfig) {
    super();
    const op = new.target.className;
    this.initialLearningRate = checkRate(op, 'initialLearningRate', initialLearningRate);
    this.decaySteps = checkSteps(op, 'decaySteps', decaySteps);
    this.alpha = checkRate(op, 'alpha', alpha);
    this.warmupTarget = warmupTarget === null ? null : checkRate(op, 'warmupTarget', warmupTarget);
    this.warmupSteps = checkRate(op, 'warmupSteps', warmupSteps);
  }
  at(step: number): number {
    const { initialLearningRate: initial, decaySteps, alpha, warmupTarget, warmupSteps } = this;
    if (warmupTarget !== null && step < warmupSteps) return initial + (warmupTarget - initial) * (step / warmupSteps);
    const done = warmupTarget === null ? step : step - warmupSteps;
    const share = 0.5 * (1 + Math.cos(Math.PI * (Math.min(done, decaySteps) / decaySteps)));
    return (warmupTarget ?? initial) * ((1 - alpha) * share + alpha);
  }
  encode(): number[] {
    const { initialLearningRate, decaySteps, alpha, warmupTarget, warmupSteps } = this;
    const warms = Number(warmupTarget !== null);
    return [KIND.cosine, initialLearningRate, decaySteps, alpha, warmupTarget ?? 0, warmupSteps, warms];
  }
  override getConfig(): Record<string, unknown> {
    const { initialLearningRate, decaySteps, alpha, warmupTarget, warmupSteps } = this;
    return { initialLearningRate, decaySteps, alpha, warmupTarget, warmupSteps };
  }
}

/** values[0] up to and with step boundaries[0], values[1] up to and with boundaries[1], ..., then the last. */
export class PiecewiseConstantDecay extends LearningRateSchedule {
  static override readonly className = 'PiecewiseConstantDecay';
  readonly boundaries: readonly number[];
  readonly values: readonly number[];

  constructor({ boundaries, values }: PiecewiseConstantConfig) {
    super();
    const op = new.target.className;
    const rising = (list: readonly unknown[]): boolean =>
      list.every((b, i) => typeof b === 'number' && Number.isFinite(b) && (i === 0 || b > (list[i - 1] as number)));
    if (!Array.isArray(boundaries) || boundaries.length > MOST_BOUNDARIES || !rising(boundaries)) {
      throw invalid('ERR_ARGUMENT', op, 'boundaries', `at most ${MOST_BOUNDARIES} rising finite numbers`, boundaries);
    }
    if (!Array.isArray(values) || values.length !== boundaries.length + 1) {
      throw invalid('ERR_ARGUMENT', op, 'values', `${boundaries.length + 1} numbers, one more than boundaries`, values);
    }
    this.boundaries = boundaries.map(Number);
    this.values = values.map((value, i) => checkRate(op, `values[${i}]`, value));
  }
  at(step: number): number {
    const piece = this.boundaries.findIndex((boundary) => step <= boundary);
    // Beyond all boundaries that is -1: the last.
    return this.values.at(piece)!;
  }
  encode(): number[] {
    return [KIND.piecewise, this.boundaries.length, ...this.boundaries, ...this.values];
  }
  override getConfig(): Record<string, unknown> {
    return { boundaries: [...this.boundaries], values: [...this.values] };
  }
}

/** From the initial to the end rate by (1 - step / decaySteps)^power; `cycle` stretches decaySteps to its next multiple. */
export class PolynomialDecay extends LearningRateSchedule {
  static override readonly className = 'PolynomialDecay';
  readonly initialLearningRate: number;
  readonly decaySteps: number;
  readonly endLearningRate: number;
  readonly power: number;
  readonly cycle: boolean;

  constructor(config: PolynomialDecayConfig) {
    super();
    const { initialLearningRate, decaySteps, endLearningRate = 0.0001, power = 1, cycle = false } = config;
    const op = new.target.className;
    this.initialLearningRate = checkRate(op, 'initialLearningRate', initialLearningRate);
    this.decaySteps = checkSteps(op, 'decaySteps', decaySteps);
    this.endLearningRate = checkRate(op, 'endLearningRate', endLearningRate);
    this.power = checkRate(op, 'power', power);
    this.cycle = checkFlag(op, 'cycle', cycle);
  }
  at(step: number): number {
    const { initialLearningRate: initial, decaySteps, endLearningRate: end, power, cycle } = this;
    const length = cycle ? decaySteps * Math.max(1, Math.ceil(step / decaySteps)) : decaySteps;
    return (initial - end) * (1 - Math.min(step, length) / length) ** power + end;
  }
  encode(): number[] {
    const { initialLearningRate, decaySteps, endLearningRate, power, cycle } = this;
    return [KIND.polynomial, initialLearningRate, decaySteps, endLearningRate, power, Number(cycle)];
  }
  override getConfig(): Record<string, unknown> {
    const { initialLearningRate, decaySteps, endLearningRate, power, cycle } = this;
    return { initialLearningRate, decaySteps, endLearningRate, power, cycle };
  }
}

/** A number, or a schedule that gives one for each step. */
export type LearningRate = number | LearningRateSchedule;

const registry = new Registry<LearningRateSchedule>(
  'learning-rate schedule',
  (value): value is LearningRateSchedule => value instanceof LearningRateSchedule,
);
registry.enter(ExponentialDecay, InverseTimeDecay, CosineDecay, PiecewiseConstantDecay, PolynomialDecay);

/** Checks a learning rate; `{className, config}` of a schedule, as getConfig() writes it, becomes the schedule. */
export function checkLearningRate(op: string, value: unknown): LearningRate {
  if (value instanceof LearningRateSchedule) return value;
  if (value !== null && typeof value === 'object' && ('className' in value || 'class_name' in value)) {
    return registry.get(value);
  }
  if (typeof value === 'number' && value >= 0 && value < Infinity) return value;
  throw invalid('ERR_ARGUMENT', op, 'learningRate', 'a number in [0, Infinity) or one of train.schedules', value);
}

/** The number itself, or the schedule as files keep it. */
export const serializeRate = (rate: LearningRate): number | Serialized =>
  typeof rate === 'number' ? rate : { className: rate.getClassName(), config: rate.getConfig() };

/** A learning rate as the kernels read it. */
export function encodeRate(rate: LearningRate): Float64Array {
  const numbers = new Float64Array(DEVICE_NUMBERS);
  numbers.set(typeof rate === 'number' ? [KIND.constant, rate] : rate.encode());
  return numbers;
}
