// Activations as layers of their own, with their parameters as options; PReLU learns its slopes.
import { invalid } from '../errors.js';
import { sub } from '../ops/arithmetic.js';
import { elu as eluOp, leakyRelu, relu, relu6 } from '../ops/activations.js';
import { cast } from '../ops/cast.js';
import { greater } from '../ops/comparison.js';
import { wideDType } from '../ops/cross-entropy.js';
import { floatOperand } from '../ops/define.js';
import { clipByValue, exp } from '../ops/elementwise.js';
import { prelu as preluOp } from '../ops/prelu.js';
import { logSumExp } from '../ops/reductions.js';
import { clone } from '../ops/reshape.js';
import { where } from '../ops/select.js';
import { softmax as softmaxOp } from '../ops/softmax.js';
import { castRaw } from '../tensor/convert.js';
import { isFloat, type DType } from '../tensor/dtype.js';
import { checkAxes, sizeOf, type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import { getActivation, type ActivationLike, type LayerActivation } from './activation.js';
import { Layer, type LayerConfig } from './layer.js';
import { axisBehindBatch, count, finite } from './options.js';
import { registerLayer } from './registry.js';
import { formatShape, type SymbolicShape } from './symbolic.js';
import { leakyRanges, rangesOf, reluRanges, unitRanges, type UnitRanges } from './unit-ranges.js';
import { weightDType, weightRecipe, wideOutput, type WeightConfig, type WeightRecipe } from './weight-options.js';
import { activationFlops } from './flops.js';

const floatDType = (dtype: DType): DType => (isFloat(dtype) ? dtype : 'float32');

/** A function of each element, or along an axis: the shape stays. */
abstract class ElementLayer extends Layer {
  /** The output's shape, from the input's. */
  override computeOutputShape([shape]: readonly SymbolicShape[]): SymbolicShape {
    return shape!;
  }
  /** The output's dtype, from the inputs'. */
  override computeOutputDType([dtype]: readonly [DType]): DType {
    return floatDType(dtype);
  }
  /** Operations of a forward pass. */
  override flops([input]: readonly [Shape]): number {
    return sizeOf(input);
  }
}

/** Options of layers.activation. */
export interface ActivationLayerConfig extends LayerConfig {
  /** Name, or name and parameters. */
  activation: ActivationLike;
}

/** Any activation by name. */
export class Activation extends ElementLayer {
  static override readonly className = 'Activation';
  readonly activation: LayerActivation;

  constructor(config: ActivationLayerConfig = {} as ActivationLayerConfig) {
    super(config);
    const { activation } = config;
    if (activation === undefined || activation === null) {
      throw invalid('ERR_ARGUMENT', this.name, 'activation', "a name, as 'selu'", activation);
    }
    this.activation = getActivation(activation, this.name);
  }
  /** Operations of a forward pass. */
  override flops([input]: readonly [Shape]): number {
    return activationFlops(this.activation.name, sizeOf(input));
  }
  /** The output's dtype, from the inputs'. */
  override computeOutputDType([dtype]: readonly [DType]): DType {
    return this.activation.outputDType(floatDType(dtype));
  }
  override call([x]: readonly Tensor[]): Tensor {
    if (this.activation.name !== 'linear') return this.activation.apply(x!);
    return isFloat(x!.dtype) ? clone(x!) : castRaw(x!, 'float32');
  }
  override get unitRanges(): UnitRanges | null {
    return rangesOf(this.activation);
  }
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), activation: this.activation.getConfig() };
  }
}
registerLayer(Activation);

/** Options of layers.elu and layers.leakyReLU. */
export interface AlphaConfig extends LayerConfig {
  /** Factor of the negative part, 0 or more. */
  alpha?: number;
}

/** ELU. */
export class ELU extends ElementLayer {
  static override readonly className = 'ELU';
  readonly alpha: number;
  constructor(config: AlphaConfig = {}) {
    super(config);
    this.alpha = finite(this.name, 'alpha', config.alpha ?? 1, 0);
  }
  override call([x]: readonly Tensor[]): Tensor {
    return eluOp(x!, this.alpha);
  }
  override get unitRanges(): UnitRanges | null {
    return rangesOf(getActivation({ name: 'elu', alpha: this.alpha }));
  }
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), alpha: this.alpha };
  }
}
registerLayer(ELU);

/** Leaky ReLU. */
export class LeakyReLU extends ElementLayer {
  static override readonly className = 'LeakyReLU';
  readonly alpha: number;
  constructor(config: AlphaConfig = {}) {
    super(config);
    this.alpha = finite(this.name, 'alpha', config.alpha ?? 0.3, 0);
  }
  override call([x]: readonly Tensor[]): Tensor {
    return leakyRelu(x!, this.alpha);
  }
  override get unitRanges(): UnitRanges | null {
    return leakyRanges('leakyRelu', this.alpha);
  }
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), alpha: this.alpha };
  }
}
registerLayer(LeakyReLU);

/** Options of layers.reLU. */
export interface ReLUConfig extends LayerConfig {
  /** Upper limit of the output, 0 or more; default none. */
  maxValue?: number | null | undefined;
}

/** ReLU, limited above if asked. */
export class ReLU extends ElementLayer {
  static override readonly className = 'ReLU';
  readonly maxValue: number | null;
  constructor(config: ReLUConfig = {}) {
    super(config);
    const { maxValue = null } = config;
    this.maxValue = maxValue === null ? null : finite(this.name, 'maxValue', maxValue, 0);
  }
  override call([x]: readonly Tensor[]): Tensor {
    if (this.maxValue === null) return relu(x!);
    return this.maxValue === 6 ? relu6(x!) : clipByValue(relu(x!), 0, this.maxValue);
  }
  override get unitRanges(): UnitRanges | null {
    return reluRanges('relu', this.maxValue ?? Infinity);
  }
  override getConfig(): Record<string, unknown> {
    const config = super.getConfig();
    return this.maxValue === null ? config : { ...config, maxValue: this.maxValue };
  }
}
registerLayer(ReLU);

/** Options of layers.thresholdedReLU. */
export interface ThresholdedReLUConfig extends LayerConfig {
  /** Below and at it the output is 0; 0 or more, default 1. */
  theta?: number;
}

/** x above a threshold, 0 below. */
export class ThresholdedReLU extends ElementLayer {
  static override readonly className = 'ThresholdedReLU';
  readonly theta: number;
  constructor(config: ThresholdedReLUConfig = {}) {
    super(config);
    this.theta = finite(this.name, 'theta', config.theta ?? 1, 0);
  }
  override call([x]: readonly Tensor[]): Tensor {
    const float = floatOperand(this.name, 'input', x!);
    return where(greater(float, this.theta), float, 0);
  }
  override get unitRanges(): UnitRanges | null {
    return unitRanges('thresholdedReLU', { above: [0, Infinity] });
  }
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), theta: this.theta };
  }
}
registerLayer(ThresholdedReLU);

/** Options of layers.softmax. */
export interface SoftmaxConfig extends LayerConfig {
  /** The axis, or axes, that shares add up along; default the last. */
  axis?: number | readonly number[];
}

/** Softmax along any axis, or over several. */
export class Softmax extends ElementLayer {
  static override readonly className = 'Softmax';
  readonly axis: number | readonly number[];
  constructor(config: SoftmaxConfig = {}) {
    super(config);
    const axis: unknown = config.axis ?? -1;
    const list: readonly unknown[] = Array.isArray(axis) ? axis : [axis];
    if (list.length === 0 || !list.every(Number.isInteger)) {
      throw invalid('ERR_ARGUMENT', this.name, 'axis', 'an integer, or an array of them', axis);
    }
    this.axis = axis as number | readonly number[];
    this.inputSpec = [{ minRank: 2 }];
  }
  /** Operations of a forward pass. */
  override flops([input]: readonly [Shape]): number {
    return activationFlops('softmax', sizeOf(input));
  }
  /** The output's shape, from the input's. */
  override computeOutputShape([shape]: readonly SymbolicShape[]): SymbolicShape {
    for (const axis of this.axes) axisBehindBatch(this.name, 'axis', axis, shape!.length);
    return shape!;
  }
  /** The output's dtype, from the inputs'. */
  override computeOutputDType([dtype]: readonly [DType]): DType {
    return wideDType(floatDType(dtype));
  }
  private get axes(): readonly number[] {
    return typeof this.axis === 'number' ? [this.axis] : this.axis;
  }
  override call([x]: readonly Tensor[]): Tensor {
    const axes = checkAxes(this.name, this.axes, x!.rank);
    // In float32 for half types, as the activation of that name.
    const float = cast(floatOperand(this.name, 'input', x!), wideDType(floatDType(x!.dtype)));
    return axes.length === 1 ? softmaxOp(float, axes[0]) : exp(sub(float, logSumExp(float, axes, true)));
  }
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), axis: typeof this.axis === 'number' ? this.axis : [...this.axis] };
  }
}
registerLayer(Softmax);

/** Options of layers.prelu. */
export interface PReLUConfig extends LayerConfig, WeightConfig<'alpha'> {
  /** Axes that share a slope, the batch axis being 0: `[1, 2]` gives each channel of an image one. */
  sharedAxes?: number | readonly number[] | null | undefined;
}

/** A leaky ReLU that learns its slopes. */
export class PReLU extends ElementLayer {
  static override readonly className = 'PReLU';
  readonly sharedAxes: readonly number[] | null;
  private readonly recipe: WeightRecipe;
  private alpha!: Variable;

  constructor(config: PReLUConfig = {}) {
    super(config);
    const { sharedAxes = null } = config;
    const list: readonly number[] | null = typeof sharedAxes === 'number' ? [sharedAxes] : sharedAxes;
    if (list !== null && !Array.isArray(list)) {
      throw invalid('ERR_ARGUMENT', this.name, 'sharedAxes', 'an array of axes behind the batch axis', list);
    }
    this.sharedAxes = list === null ? null : list.map((axis) => count(this.name, 'sharedAxes', axis));
    this.recipe = weightRecipe(this.name, 'alpha', config, 'zeros');
    weightDType(this.name, this.dtype);
    this.inputSpec = [{ minRank: 2 }];
  }
  override build(inputShapes: readonly SymbolicShape[]): void {
    const [shape] = inputShapes as [SymbolicShape];
    const axes: Record<number, number> = {};
    for (const axis of this.sharedAxes ?? []) axisBehindBatch(this.name, 'sharedAxes', axis, shape.length);
    const slopes = shape.slice(1).map((size, i) => {
      if (this.sharedAxes?.includes(i + 1) === true) return 1;
      if (size !== null) return (axes[i + 1] = size);
      const fix = `add axis ${i + 1} to sharedAxes`;
      throw invalid(
        'ERR_SHAPE',
        this.name,
        'input',
        'known sizes of axes that are not shared',
        formatShape(shape),
        fix,
      );
    });
    this.alpha = this.addWeight('alpha', slopes, this.recipe.options);
    this.inputSpec = [{ rank: shape.length, axes }];
    super.build(inputShapes);
  }
  /** The output's dtype, from the inputs'. */
  override computeOutputDType(inputDTypes: readonly DType[]): DType {
    return wideOutput(inputDTypes, this.computeDType);
  }
  override call([x]: readonly Tensor[]): Tensor {
    return preluOp(x!, this.castWeight(this.alpha));
  }
  override get unitRanges(): UnitRanges | null {
    return unitRanges('prelu', { above: [0, Infinity], below: [-Infinity, 0], judgedBy: 'input' });
  }
  override getConfig(): Record<string, unknown> {
    const sharedAxes = this.sharedAxes === null ? null : [...this.sharedAxes];
    return { ...super.getConfig(), ...this.recipe.config, sharedAxes };
  }
}
registerLayer(PReLU);

/** Any activation by name: `layers.activation({activation: 'selu'})`. Keeps the shape. */
export const activation = (config: ActivationLayerConfig): Activation => new Activation(config);
/** x where positive, alpha (exp(x) - 1) elsewhere; alpha 1 by default (Clevert et al. 2016). */
export const elu = (config: AlphaConfig = {}): ELU => new ELU(config);
/** x where positive, alpha x elsewhere; alpha 0.3 by default, as in tfjs. */
export const leakyReLU = (config: AlphaConfig = {}): LeakyReLU => new LeakyReLU(config);
/** max(x, 0), at most `maxValue`. */
export const reLU = (config: ReLUConfig = {}): ReLU => new ReLU(config);
/** x above `theta` (default 1), 0 elsewhere. */
export const thresholdedReLU = (config: ThresholdedReLUConfig = {}): ThresholdedReLU => new ThresholdedReLU(config);
/** exp(x) / sum(exp(x)) along `axis`: the last by default, several if an array. */
export const softmax = (config: SoftmaxConfig = {}): Softmax => new Softmax(config);
/**
 * x where positive, alpha x elsewhere, with slopes that are learnt (He et al. 2015).
 *
 * Weight: alpha (zeros), in the shape of a sample with 1 on `sharedAxes`.
 */
export const prelu = (config: PReLUConfig = {}): PReLU => new PReLU(config);
