// Layers that only act in training: dropout, alpha dropout and Gaussian noise. Each draws on the device; with a seed, from a
// stream of its own, so that every step has fresh noise and every run the same.
import { invalid } from '../errors.js';
import { add, mul } from '../ops/arithmetic.js';
import { alphaDropout as alphaDropoutOp, dropout as dropoutOp, type NoiseShape } from '../ops/dropout.js';
import { normalLike } from '../ops/random.js';
import { clone } from '../ops/reshape.js';
import { isFloat, type DType } from '../tensor/dtype.js';
import { RandomStream } from '../tensor/random-state.js';
import type { Tensor } from '../tensor/tensor.js';
import { Layer, type CallContext, type LayerConfig } from './layer.js';
import { finite, share } from './options.js';
import { registerLayer } from './registry.js';
import type { SymbolicShape } from './symbolic.js';

/** Options of all layers that draw. */
export interface NoiseConfig extends LayerConfig {
  /** The same seed gives the same noise, step by step, in every run. Default: the numbers that follow `setSeed()`. */
  seed?: number | null | undefined;
}
/** Options of layers.dropout and layers.alphaDropout. */
export interface DropoutConfig extends NoiseConfig {
  /** Share of elements dropped, in [0, 1). */
  rate: number;
  /** The mask's shape, broadcast over the input; null is the input's own size. `[null, 1, 1, null]` drops whole channels. */
  noiseShape?: NoiseShape | null | undefined;
}
/** Options of layers.gaussianNoise. */
export interface GaussianNoiseConfig extends NoiseConfig {
  /** Standard deviation, 0 or more. */
  stddev: number;
}
/** Options of layers.gaussianDropout. */
export interface GaussianDropoutConfig extends NoiseConfig {
  /** As dropout's, in [0, 1): the noise has standard deviation sqrt(rate / (1 - rate)). */
  rate: number;
}

/** The input as it is, except in training. */
abstract class Noise extends Layer {
  readonly seed: number | null;
  protected readonly stream: RandomStream | undefined;

  constructor(config: NoiseConfig) {
    super(config);
    this.seed = config.seed ?? null;
    this.stream = this.seed === null ? undefined : new RandomStream(this.name, this.seed);
  }
  override computeOutputShape([shape]: readonly SymbolicShape[]): SymbolicShape {
    return shape!;
  }
  override computeOutputDType([dtype]: readonly [DType]): DType {
    return dtype;
  }

  /** Nothing, but in training. */
  override flops(): number {
    return 0;
  }
  override get randomStreams(): readonly RandomStream[] {
    return this.stream === undefined ? [] : [this.stream];
  }

  protected abstract disturb(x: Tensor): Tensor;

  override call([x]: readonly Tensor[], { training }: CallContext): Tensor {
    if (!training) return clone(x!);
    if (!isFloat(x!.dtype)) throw invalid('ERR_DTYPE', this.name, 'input', 'a float tensor', x!.dtype, 'use cast()');
    return this.disturb(x!);
  }
  /** The options, as the constructor and files take them. */
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), seed: this.seed };
  }
}

abstract class Masked extends Noise {
  readonly rate: number;
  readonly noiseShape: NoiseShape | null;

  constructor(config: DropoutConfig = {} as DropoutConfig) {
    super(config);
    this.rate = share(this.name, 'rate', config.rate);
    const shape: unknown = config.noiseShape ?? null;
    const isSize = (size: unknown): boolean => size === null || (Number.isSafeInteger(size) && (size as number) >= 1);
    if (shape !== null && !(Array.isArray(shape) && shape.every(isSize))) {
      throw invalid('ERR_ARGUMENT', this.name, 'noiseShape', 'an array of integers of at least 1 and nulls', shape);
    }
    this.noiseShape = shape as NoiseShape | null;
  }
  /** The options, as the constructor and files take them. */
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), rate: this.rate, noiseShape: this.noiseShape };
  }
}

/** Sets elements to 0 in training and scales the others up. */
export class Dropout extends Masked {
  static override readonly className = 'Dropout';
  protected disturb(x: Tensor): Tensor {
    return dropoutOp(x, this.rate, this.noiseShape, this.stream);
  }
}
registerLayer(Dropout);

/** Dropout that keeps mean and variance of SELU networks. */
export class AlphaDropout extends Masked {
  static override readonly className = 'AlphaDropout';
  protected disturb(x: Tensor): Tensor {
    return alphaDropoutOp(x, this.rate, this.stream, { noiseShape: this.noiseShape });
  }
}
registerLayer(AlphaDropout);

/** Adds normal numbers in training. */
export class GaussianNoise extends Noise {
  static override readonly className = 'GaussianNoise';
  readonly stddev: number;

  constructor(config: GaussianNoiseConfig = {} as GaussianNoiseConfig) {
    super(config);
    this.stddev = finite(this.name, 'stddev', config.stddev, 0);
  }
  protected disturb(x: Tensor): Tensor {
    return add(x, normalLike(this.name, x, 0, this.stddev, this.stream));
  }
  /** The options, as the constructor and files take them. */
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), stddev: this.stddev };
  }
}
registerLayer(GaussianNoise);

/** Multiplies by normal numbers of mean 1 in training. */
export class GaussianDropout extends Noise {
  static override readonly className = 'GaussianDropout';
  readonly rate: number;

  constructor(config: GaussianDropoutConfig = {} as GaussianDropoutConfig) {
    super(config);
    this.rate = share(this.name, 'rate', config.rate);
  }
  protected disturb(x: Tensor): Tensor {
    return mul(x, normalLike(this.name, x, 1, Math.sqrt(this.rate / (1 - this.rate)), this.stream));
  }
  /** The options, as the constructor and files take them. */
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), rate: this.rate };
  }
}
registerLayer(GaussianDropout);

/**
 * In training sets each element to 0 with probability `rate` and divides the others by 1 - rate (Srivastava et al. 2014).
 *
 * With a seed each step draws the next mask that follows from it, as in Keras; tfjs draws one mask again and again.
 */
export const dropout = (config: DropoutConfig): Dropout => new Dropout(config);
/**
 * Dropout for self-normalising networks (Klambauer et al. 2017): in training sets each element, with probability `rate`, to
 * SELU's limit at -infinity, and maps all so that mean 0 and variance 1 stay.
 */
export const alphaDropout = (config: DropoutConfig): AlphaDropout => new AlphaDropout(config);
/** In training adds normal numbers of mean 0 and standard deviation `stddev`. */
export const gaussianNoise = (config: GaussianNoiseConfig): GaussianNoise => new GaussianNoise(config);
/** In training multiplies by normal numbers of mean 1 and standard deviation sqrt(rate / (1 - rate)). */
export const gaussianDropout = (config: GaussianDropoutConfig): GaussianDropout => new GaussianDropout(config);
