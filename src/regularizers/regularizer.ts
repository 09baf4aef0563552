// Penalties on weights: scalars that the trainer adds to the loss, differentiated with it.
import { add, mul } from '../ops/arithmetic.js';
import { cast } from '../ops/cast.js';
import { fill } from '../ops/creation.js';
import { abs, square } from '../ops/elementwise.js';
import { sum } from '../ops/reductions.js';
import { checkOptions, checkSetting, Configurable, Registry } from '../serialization.js';
import type { ConfigurableClass, Identifier } from '../serialization.js';
import type { Tensor } from '../tensor/tensor.js';

/** A penalty on a weight. A class of your own has a static `className`; `registerRegularizer` makes it loadable. */
export abstract class Regularizer extends Configurable {
  /** The penalty, a scalar. */
  abstract apply(weight: Tensor): Tensor;
}

/** Anything with `apply(weight)` will do; only a `Regularizer` can be saved. */
export type RegularizerLike = Pick<Regularizer, 'apply'>;
/** What a layer takes: `'l1l2'`, `regularizers.l2({ l2: 1e-4 })`, `{className, config}`, or null for none. */
export type RegularizerIdentifier = Identifier<RegularizerLike> | null | undefined;

const registry = new Registry<RegularizerLike>(
  'regularizer',
  (value): value is RegularizerLike => 'apply' in value && typeof value.apply === 'function',
);

/** Makes a regularizer class known to layers and saved models under its static `className`. */
export function registerRegularizer<C extends ConfigurableClass<Regularizer>>(regularizerClass: C): C {
  registry.enter(regularizerClass);
  return regularizerClass;
}

/**
 * The regularizer that a name, a serialised one or the object itself means; null stays null.
 * @throws ArgumentError that lists the known names.
 */
export function getRegularizer(identifier: RegularizerIdentifier): RegularizerLike | null {
  return identifier === null || identifier === undefined ? null : registry.get(identifier);
}

export interface L1L2Options {
  /** Factor of the sum of magnitudes (default 0.01). */
  l1?: number | null | undefined;
  /** Factor of the sum of squares (default 0.01). */
  l2?: number | null | undefined;
}

export class L1L2 extends Regularizer {
  static override readonly className = 'L1L2';
  readonly l1: number;
  readonly l2: number;

  constructor(options?: L1L2Options) {
    super();
    const { l1, l2 } = checkOptions('l1l2', options);
    this.l1 = checkSetting('l1l2', 'l1', l1 ?? 0.01, 0);
    this.l2 = checkSetting('l1l2', 'l2', l2 ?? 0.01, 0);
  }

  override apply(weight: Tensor): Tensor {
    // Sums of many squares leave float16's range and bfloat16's precision.
    const half = weight.dtype === 'float16' || weight.dtype === 'bfloat16';
    const w = half ? cast(weight, 'float32') : weight;
    const parts: Tensor[] = [];
    if (this.l1 !== 0) parts.push(mul(sum(abs(w)), this.l1));
    if (this.l2 !== 0) parts.push(mul(sum(square(w)), this.l2));
    const [first, second] = parts;
    if (first === undefined) return fill([], 0, w.dtype);
    return second === undefined ? first : add(first, second);
  }

  override getConfig(): Record<string, unknown> {
    return { l1: this.l1, l2: this.l2 };
  }
}

/**
 * l1 sum|w| + l2 sum(w^2), both factors 0.01 by default.
 * @throws ArgumentError for factors that are negative or not finite.
 */
export const l1l2 = (options?: L1L2Options): L1L2 => new L1L2(options);
/** l1 sum|w|, factor 0.01 by default. */
export const l1 = (options?: Pick<L1L2Options, 'l1'>): L1L2 => new L1L2({ l1: checkOptions('l1', options).l1, l2: 0 });
/** l2 sum(w^2), factor 0.01 by default. */
export const l2 = (options?: Pick<L1L2Options, 'l2'>): L1L2 => new L1L2({ l1: 0, l2: checkOptions('l2', options).l2 });

registry.enter(L1L2);
// Keras has a class for each.
registry.enterAs('l1', l1);
registry.enterAs('l2', l2);
