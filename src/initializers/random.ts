// Initializers that draw each element alone, from a distribution that the shape does not change.
import { invalid } from '../errors.js';
import { randomNormal as drawNormal, randomUniform as drawUniform } from '../ops/random.js';
import { truncatedNormal as drawTruncated } from '../ops/random.js';
import { checkOptions, checkSetting } from '../serialization.js';
import type { DType } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { Initializer, initializerRegistry, seedOf, type SeedOptions } from './initializer.js';

export interface RandomUniformOptions extends SeedOptions {
  /** Default -0.05. */
  minval?: number | undefined;
  /** Default 0.05. */
  maxval?: number | undefined;
}

export class RandomUniform extends Initializer {
  static override readonly className = 'RandomUniform';
  readonly minval: number;
  readonly maxval: number;
  readonly seed: number | undefined;
  constructor(options?: RandomUniformOptions) {
    super();
    const { minval = -0.05, maxval = 0.05, seed } = checkOptions('randomUniform', options);
    this.minval = checkSetting('randomUniform', 'minval', minval);
    this.maxval = checkSetting('randomUniform', 'maxval', maxval);
    if (this.minval > this.maxval) {
      throw invalid('ERR_ARGUMENT', 'randomUniform', 'maxval', `at least minval, ${minval}`, maxval);
    }
    this.seed = seedOf('randomUniform', seed);
  }
  override apply(shape: Shape, dtype?: DType): Tensor {
    return drawUniform(shape, this.minval, this.maxval, dtype, this.seed);
  }
  override getConfig(): Record<string, unknown> {
    return { minval: this.minval, maxval: this.maxval, seed: this.seed ?? null };
  }
}

export interface RandomNormalOptions extends SeedOptions {
  /** Default 0. */
  mean?: number | undefined;
  /** Standard deviation (default 0.05); of `truncatedNormal`, that before truncation. */
  stddev?: number | undefined;
}

export class RandomNormal extends Initializer {
  static override readonly className: string = 'RandomNormal';
  /** The function of `initializers` that makes it, for errors. */
  protected static readonly opName: string = 'randomNormal';
  readonly mean: number;
  readonly stddev: number;
  readonly seed: number | undefined;
  constructor(options?: RandomNormalOptions) {
    super();
    const op = new.target.opName;
    const { mean = 0, stddev = 0.05, seed } = checkOptions(op, options);
    this.mean = checkSetting(op, 'mean', mean);
    this.stddev = checkSetting(op, 'stddev', stddev, 0);
    this.seed = seedOf(op, seed);
  }
  override apply(shape: Shape, dtype?: DType): Tensor {
    return drawNormal(shape, this.mean, this.stddev, dtype, this.seed);
  }
  override getConfig(): Record<string, unknown> {
    return { mean: this.mean, stddev: this.stddev, seed: this.seed ?? null };
  }
}

export class TruncatedNormal extends RandomNormal {
  static override readonly className: string = 'TruncatedNormal';
  protected static override readonly opName: string = 'truncatedNormal';
  override apply(shape: Shape, dtype?: DType): Tensor {
    return drawTruncated(shape, this.mean, this.stddev, dtype, this.seed);
  }
}

initializerRegistry.enter(RandomUniform, RandomNormal, TruncatedNormal);

/** Uniform numbers in [minval, maxval), by default [-0.05, 0.05). */
export const randomUniform = (options?: RandomUniformOptions): RandomUniform => new RandomUniform(options);
/** Normal numbers; mean 0 and standard deviation 0.05 by default. */
export const randomNormal = (options?: RandomNormalOptions): RandomNormal => new RandomNormal(options);
/** Normal numbers within two `stddev` of the mean, as Keras: their own deviation is 0.88 `stddev`. */
export const truncatedNormal = (options?: RandomNormalOptions): TruncatedNormal => new TruncatedNormal(options);
