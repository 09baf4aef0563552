// Batch and layer normalisation. Batch normalisation takes the batch's moments in training and moves its running averages on
// the device; elsewhere it takes the averages. An activation layer that alone reads its result is computed with it.
import { invalid } from '../errors.js';
import { LINEAR, type AppliedActivation } from '../ops/activation.js';
import { batchNormTraining, moveAverages } from '../ops/batch-norm-training.js';
import { wideDType } from '../ops/cross-entropy.js';
import { batchNorm, batchNormActivation, layerNorm } from '../ops/normalisation.js';
import { transpose } from '../ops/transpose.js';
import { isFloat, type DType } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import { Layer, type CallContext, type LayerConfig } from './layer.js';
import { axisBehindBatch, finite, flag } from './options.js';
import { registerLayer } from './registry.js';
import { formatShape, type SymbolicShape } from './symbolic.js';
import { weightDType, weightRecipe, type WeightConfig, type WeightRecipe } from './weight-options.js';
import { sizeOf, type Shape } from '../tensor/shape.js';

/** Options that both normalisations have. */
export interface NormalizationConfig extends LayerConfig, WeightConfig<'gamma'>, WeightConfig<'beta'> {
  /** Added to the variance; default 1e-3. */
  epsilon?: number;
  /** Whether beta is added (default true). */
  center?: boolean;
  /** Whether gamma multiplies (default true). */
  scale?: boolean;
}

/** gamma and beta, and the size of the axes they lie along. */
abstract class Normalization extends Layer {
  readonly epsilon: number;
  readonly center: boolean;
  readonly scale: boolean;
  private readonly gammaRecipe: WeightRecipe;
  private readonly betaRecipe: WeightRecipe;
  protected gamma: Variable | null = null;
  protected beta: Variable | null = null;

  constructor(config: NormalizationConfig) {
    super(config);
    const { name } = this;
    this.epsilon = finite(name, 'epsilon', config.epsilon ?? 1e-3, 0);
    this.center = flag(name, 'center', config.center ?? true);
    this.scale = flag(name, 'scale', config.scale ?? true);
    this.gammaRecipe = weightRecipe(name, 'gamma', config, 'ones');
    this.betaRecipe = weightRecipe(name, 'beta', config, 'zeros');
    weightDType(name, this.dtype);
    this.inputSpec = [{ minRank: 2 }];
  }

  /** Half layers keep their weights in float32, as the ops compute with them. */
  protected get weightDType(): DType {
    return wideDType(this.dtype);
  }

  /** Makes gamma and beta along some axes, whose sizes later inputs must have. */
  protected buildAlong(shape: SymbolicShape, axes: readonly number[]): number[] {
    const sizes = axes.map((axis) => {
      const size = shape[axis];
      if (typeof size === 'number') return size;
      throw invalid('ERR_SHAPE', this.name, 'input', `a known size of axis ${axis}`, formatShape(shape));
    });
    const dtype = this.weightDType;
    if (this.scale) this.gamma = this.addWeight('gamma', sizes, { ...this.gammaRecipe.options, dtype });
    if (this.center) this.beta = this.addWeight('beta', sizes, { ...this.betaRecipe.options, dtype });
    this.inputSpec = [{ rank: shape.length, axes: Object.fromEntries(axes.map((axis, i) => [axis, sizes[i]!])) }];
    return sizes;
  }

  /** Differences from the mean and their quotients by the deviation, then gamma and beta. */
  override flops([input]: readonly [Shape]): number {
    return sizeOf(input) * (2 + Number(this.scale) + Number(this.center));
  }
  override computeOutputDType([dtype]: readonly [DType]): DType {
    return isFloat(dtype) ? dtype : 'float32';
  }

  /** The options, as the constructor and files take them. */
  override getConfig(): Record<string, unknown> {
    return {
      ...super.getConfig(),
      epsilon: this.epsilon,
      center: this.center,
      scale: this.scale,
      ...this.gammaRecipe.config,
      ...this.betaRecipe.config,
    };
  }
}

/** Options of layers.batchNormalization. */
export interface BatchNormalizationConfig
  extends NormalizationConfig, WeightConfig<'movingMean'>, WeightConfig<'movingVariance'> {
  /** The axis that keeps its own moments (default -1, the channels). */
  axis?: number;
  /** What is kept of the running averages in a step, in [0, 1]; default 0.99. */
  momentum?: number;
}

/** Channels to mean 0 and variance 1 over the batch. */
export class BatchNormalization extends Normalization {
  static override readonly className = 'BatchNormalization';
  readonly axis: number;
  readonly momentum: number;
  private readonly meanRecipe: WeightRecipe;
  private readonly varianceRecipe: WeightRecipe;
  private movingMean!: Variable;
  private movingVariance!: Variable;

  constructor(config: BatchNormalizationConfig = {}) {
    super(config);
    const { name } = this;
    // Keras's files have [axis].
    const axis: unknown = Array.isArray(config.axis) && config.axis.length === 1 ? config.axis[0] : config.axis;
    if (axis !== undefined && !Number.isInteger(axis)) {
      throw invalid('ERR_ARGUMENT', name, 'axis', 'an integer', config.axis);
    }
    this.axis = (axis as number | undefined) ?? -1;
    this.momentum = finite(name, 'momentum', config.momentum ?? 0.99, 0);
    if (this.momentum > 1) throw invalid('ERR_ARGUMENT', name, 'momentum', 'a number in [0, 1]', config.momentum);
    this.meanRecipe = weightRecipe(name, 'movingMean', config, 'zeros');
    this.varianceRecipe = weightRecipe(name, 'movingVariance', config, 'ones');
  }

  override build(inputShapes: readonly SymbolicShape[]): void {
    const [shape] = inputShapes as [SymbolicShape];
    const sizes = this.buildAlong(shape, [axisBehindBatch(this.name, 'axis', this.axis, shape.length)]);
    const statistics = (initializer: WeightRecipe) =>
      ({ initializer: initializer.options.initializer, trainable: false, dtype: this.weightDType }) as const;
    this.movingMean = this.addWeight('moving_mean', sizes, statistics(this.meanRecipe));
    this.movingVariance = this.addWeight('moving_variance', sizes, statistics(this.varianceRecipe));
    super.build(inputShapes);
  }

  override computeOutputShape([shape]: readonly SymbolicShape[]): SymbolicShape {
    axisBehindBatch(this.name, 'axis', this.axis, shape!.length);
    return shape!;
  }

  override call([x]: readonly Tensor[], { training, activation = LINEAR }: CallContext): Tensor {
    const axis = this.axis < 0 ? this.axis + x!.rank : this.axis;
    const last = x!.rank - 1;
    if (axis === last) return this.normalize(x!, training, activation);
    const swapped = x!.shape.map((_, i) => (i === axis ? last : i === last ? axis : i));
    return transpose(this.normalize(transpose(x!, swapped), training, activation), swapped);
  }

  /** Whether the layer, or a model around it, is not trained. */
  private get frozen(): boolean {
    return !this.trainable || (this.gamma ?? this.beta)?.trainable === false;
  }

  /** With the channels last. A frozen layer keeps to its running averages, as in Keras. */
  private normalize(x: Tensor, training: boolean, activation: AppliedActivation): Tensor {
    const { gamma, beta, movingMean, movingVariance, epsilon } = this;
    if (!training || this.frozen) {
      return activation === LINEAR
        ? batchNorm(x, movingMean, movingVariance, beta, gamma, epsilon)
        : batchNormActivation(x, movingMean, movingVariance, beta, gamma, epsilon, activation);
    }
    const { y, mean, variance } = batchNormTraining(x, gamma, beta, epsilon, activation);
    // The moments of no samples are NaN, which the averages would never lose again.
    if (x.size > 0) {
      const averages = { mean: movingMean, variance: movingVariance };
      moveAverages(averages, { mean, variance }, this.momentum, x.dtype === 'float16');
    }
    mean.dispose();
    variance.dispose();
    return y;
  }

  /** The options, as the constructor and files take them. */
  override getConfig(): Record<string, unknown> {
    const { movingMeanInitializer } = this.meanRecipe.config;
    const { movingVarianceInitializer } = this.varianceRecipe.config;
    const { axis, momentum } = this;
    return { ...super.getConfig(), axis, momentum, movingMeanInitializer, movingVarianceInitializer };
  }
}
registerLayer(BatchNormalization);

/** Options of layers.layerNormalization. */
export interface LayerNormalizationConfig extends NormalizationConfig {
  /** The axes that a sample's moments are taken over; default the last. */
  axis?: number | readonly number[];
}

/** Each sample to mean 0 and variance 1. */
export class LayerNormalization extends Normalization {
  static override readonly className = 'LayerNormalization';
  readonly axis: number | readonly number[];

  constructor(config: LayerNormalizationConfig = {}) {
    super(config);
    const axis: unknown = config.axis ?? -1;
    const list: readonly unknown[] = Array.isArray(axis) ? axis : [axis];
    if (list.length === 0 || !list.every(Number.isInteger)) {
      throw invalid('ERR_ARGUMENT', this.name, 'axis', 'an integer, or an array of them', axis);
    }
    this.axis = axis as number | readonly number[];
  }

  private axesOf(rank: number): number[] {
    const given = typeof this.axis === 'number' ? [this.axis] : this.axis;
    const axes = given.map((axis) => axisBehindBatch(this.name, 'axis', axis, rank)).sort((a, b) => a - b);
    if (new Set(axes).size === axes.length) return axes;
    throw invalid('ERR_ARGUMENT', this.name, 'axis', 'each axis once', this.axis);
  }
  override build(inputShapes: readonly SymbolicShape[]): void {
    const [shape] = inputShapes as [SymbolicShape];
    this.buildAlong(shape, this.axesOf(shape.length));
    super.build(inputShapes);
  }
  override computeOutputShape([shape]: readonly SymbolicShape[]): SymbolicShape {
    this.axesOf(shape!.length);
    return shape!;
  }
  /** A sample's own moments take a sum, differences, squares and their sum besides. */
  override flops(inputs: readonly [Shape]): number {
    return 4 * sizeOf(inputs[0]) + super.flops(inputs);
  }
  override call([x]: readonly Tensor[]): Tensor {
    return layerNorm(x!, this.axesOf(x!.rank), this.epsilon, this.gamma, this.beta);
  }
  /** The options, as the constructor and files take them. */
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), axis: typeof this.axis === 'number' ? this.axis : [...this.axis] };
  }
}
registerLayer(LayerNormalization);

/**
 * Batch normalisation (Ioffe & Szegedy 2015): in training by the batch's own mean and (biased) variance along all axes but
 * `axis`, else by running averages, average = momentum average + (1 - momentum) value. Frozen, it keeps to the averages.
 *
 * Input of rank 2 or more, output of its shape. Weights along `axis`: gamma (ones), beta (zeros); moving_mean (zeros) and
 * moving_variance (ones) are not trained.
 */
export const batchNormalization = (config: BatchNormalizationConfig = {}): BatchNormalization =>
  new BatchNormalization(config);
/**
 * Layer normalisation (Ba et al. 2016): each sample by its own mean and variance over `axis`, the last axis by default.
 *
 * Weights in the shape of these axes: gamma (ones), beta (zeros).
 */
export const layerNormalization = (config: LayerNormalizationConfig = {}): LayerNormalization =>
  new LayerNormalization(config);
