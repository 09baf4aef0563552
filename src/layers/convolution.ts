// Convolutions of images, channels last. conv2d takes bias and activation into its own op; depthwise and transposed convolution
// are followed by one op for both.
import { invalid } from '../errors.js';
import { conv2dTranspose as transposedOp, depthwiseConv2d as depthwiseOp } from '../ops/convolution.js';
import * as fused from '../ops/fused.js';
import type { DType } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import { getActivation, type ActivationLike, type LayerActivation } from './activation.js';
import { channelsOf, pooledImage, sizeOfImage, type WindowPadding } from './image.js';
import { Layer, type LayerConfig } from './layer.js';
import { checkDataFormat, count, flag, oneOf, pairOf } from './options.js';
import { registerLayer } from './registry.js';
import type { SymbolicShape } from './symbolic.js';
import { rangesOf, type UnitRanges } from './unit-ranges.js';
import {
  refuseActivityRegularizer,
  weightDType,
  weightRecipe,
  wideOutput,
  type ActivityConfig,
  type WeightConfig,
  type WeightRecipe,
} from './weight-options.js';
import { weightedFlops } from './flops.js';
import { sizeOf, type Shape } from '../tensor/shape.js';

/** Options that every convolution has. */
export interface ConvolutionConfig extends LayerConfig, WeightConfig<'bias'>, ActivityConfig {
  /** Height and width of the filter, or one number for both. */
  kernelSize: number | readonly number[];
  /** Steps down and to the right; default 1. */
  strides?: number | readonly number[];
  /** `'valid'` (default) pads nothing, `'same'` gives ceil(size / stride) outputs. */
  padding?: WindowPadding;
  /** Only `'channelsLast'`. */
  dataFormat?: 'channelsLast';
  /** Distance of the filter's taps; default 1. */
  dilationRate?: number | readonly number[];
  /** Name, or name and parameters; none by default. */
  activation?: ActivationLike;
  /** Default true. */
  useBias?: boolean;
}
/** Options of layers.conv2d and layers.conv2dTranspose. */
export interface Conv2DConfig extends ConvolutionConfig, WeightConfig<'kernel'> {
  /** Number of output channels. */
  filters: number;
  /** Equal runs of channels that do not see each other; default 1. Of conv2d alone. */
  groups?: number;
}
/** Options of layers.depthwiseConv2d. */
export interface DepthwiseConv2DConfig extends ConvolutionConfig, WeightConfig<'depthwise'> {
  /** Filters a channel has; default 1. */
  depthMultiplier?: number;
}

/** What all convolutions share: the windows, the bias and the activation. */
abstract class Convolution extends Layer {
  readonly kernelSize: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly padding: WindowPadding;
  readonly dilationRate: readonly [number, number];
  readonly activation: LayerActivation;
  readonly useBias: boolean;
  private readonly biasRecipe: WeightRecipe;
  protected bias: Variable | null = null;

  constructor(config: ConvolutionConfig = {} as ConvolutionConfig) {
    super(config);
    const { name } = this;
    this.kernelSize = pairOf(name, 'kernelSize', config.kernelSize);
    this.strides = pairOf(name, 'strides', config.strides ?? 1);
    this.padding = oneOf(name, 'padding', config.padding ?? 'valid', ['valid', 'same']);
    this.dilationRate = pairOf(name, 'dilationRate', config.dilationRate ?? 1);
    checkDataFormat(name, config.dataFormat);
    this.activation = getActivation(config.activation, name);
    this.useBias = flag(name, 'useBias', config.useBias ?? true);
    this.biasRecipe = weightRecipe(name, 'bias', config, 'zeros');
    refuseActivityRegularizer(name, config);
    weightDType(name, this.dtype);
    this.inputSpec = [{ rank: 4 }];
  }

  /** Makes the bias, and asks later inputs for the channels that the kernel was made for. */
  protected finishBuild(inputShapes: readonly SymbolicShape[], inputs: number, outputs: number): void {
    if (this.useBias) this.bias = this.addWeight('bias', [outputs], this.biasRecipe.options);
    this.inputSpec = [{ rank: 4, axes: { [-1]: inputs } }];
    super.build(inputShapes);
  }

  override computeOutputDType(inputDTypes: readonly DType[]): DType {
    return this.activation.outputDType(wideOutput(inputDTypes, this.computeDType));
  }

  override get unitRanges(): UnitRanges | null {
    return rangesOf(this.activation);
  }

  /** The options, as the constructor and files take them. */
  override getConfig(): Record<string, unknown> {
    return {
      ...super.getConfig(),
      kernelSize: [...this.kernelSize],
      strides: [...this.strides],
      padding: this.padding,
      dataFormat: 'channelsLast',
      dilationRate: [...this.dilationRate],
      activation: this.activation.getConfig(),
      useBias: this.useBias,
      ...this.biasRecipe.config,
      activityRegularizer: null,
    };
  }
}

/** activation(conv2d(x, kernel) + bias). */
export class Conv2D extends Convolution {
  static override readonly className: string = 'Conv2D';
  readonly filters: number;
  readonly groups: number;
  protected readonly kernelRecipe: WeightRecipe;
  protected kernel!: Variable;

  constructor(config: Conv2DConfig = {} as Conv2DConfig) {
    super(config);
    this.filters = count(this.name, 'filters', config.filters);
    this.groups = count(this.name, 'groups', config.groups ?? 1);
    if (this.filters % this.groups !== 0) {
      throw invalid('ERR_ARGUMENT', this.name, 'groups', `a divisor of filters ${this.filters}`, this.groups);
    }
    this.kernelRecipe = weightRecipe(this.name, 'kernel', config, 'glorotNormal');
  }

  override build(inputShapes: readonly SymbolicShape[]): void {
    const channels = channelsOf(this.name, inputShapes[0]!);
    if (channels % this.groups !== 0) {
      throw invalid('ERR_ARGUMENT', this.name, 'groups', `a divisor of the input's ${channels} channels`, this.groups);
    }
    const shape = [...this.kernelSize, channels / this.groups, this.filters];
    this.kernel = this.addWeight('kernel', shape, this.kernelRecipe.options);
    this.finishBuild(inputShapes, channels, this.filters);
  }

  override computeOutputShape([shape]: readonly SymbolicShape[]): SymbolicShape {
    return pooledImage(this.name, shape!, this.filters, this);
  }

  /** Operations of a forward pass. */
  override flops([input]: readonly [Shape], [output]: readonly [Shape]): number {
    const [height, width] = this.kernelSize;
    return weightedFlops(sizeOf(output), (height * width * input[3]!) / this.groups, this);
  }
  override call([x]: readonly Tensor[]): Tensor {
    const { bias, strides, padding: pad, dilationRate: dilations, groups, activation } = this;
    const filter = this.castWeight(this.kernel);
    const epilogue = { ...(bias === null ? {} : { bias: this.castWeight(bias) }), ...activation.epilogue };
    const y = fused.conv2d({ x: x!, filter, strides, pad, dilations, groups, ...epilogue });
    return activation.epilogue === null ? activation.apply(y) : y;
  }

  /** The options, as the constructor and files take them. */
  override getConfig(): Record<string, unknown> {
    // tfjs knows no groups: its models get the word only where it says something.
    const groups = this.groups === 1 ? {} : { groups: this.groups };
    return { ...super.getConfig(), filters: this.filters, ...groups, ...this.kernelRecipe.config };
  }
}
registerLayer(Conv2D);

/** Each channel with filters of its own. */
export class DepthwiseConv2D extends Convolution {
  static override readonly className = 'DepthwiseConv2D';
  readonly depthMultiplier: number;
  private readonly kernelRecipe: WeightRecipe;
  private kernel!: Variable;

  constructor(config: DepthwiseConv2DConfig = {} as DepthwiseConv2DConfig) {
    super(config);
    this.depthMultiplier = count(this.name, 'depthMultiplier', config.depthMultiplier ?? 1);
    this.kernelRecipe = weightRecipe(this.name, 'depthwise', config, 'glorotNormal');
  }

  override build(inputShapes: readonly SymbolicShape[]): void {
    const channels = channelsOf(this.name, inputShapes[0]!);
    const shape = [...this.kernelSize, channels, this.depthMultiplier];
    this.kernel = this.addWeight('depthwise_kernel', shape, this.kernelRecipe.options);
    this.finishBuild(inputShapes, channels, channels * this.depthMultiplier);
  }

  override computeOutputShape([shape]: readonly SymbolicShape[]): SymbolicShape {
    return pooledImage(this.name, shape!, channelsOf(this.name, shape!) * this.depthMultiplier, this);
  }

  /** Operations of a forward pass. */
  override flops(_inputs: readonly [Shape], [output]: readonly [Shape]): number {
    const [height, width] = this.kernelSize;
    return weightedFlops(sizeOf(output), height * width, this);
  }
  override call([x]: readonly Tensor[]): Tensor {
    const y = depthwiseOp(x!, this.castWeight(this.kernel), this.strides, this.padding, 'NHWC', this.dilationRate);
    return this.activation.applyAfterBias(y, this.bias);
  }

  /** The options, as the constructor and files take them. */
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), depthMultiplier: this.depthMultiplier, ...this.kernelRecipe.config };
  }
}
registerLayer(DepthwiseConv2D);

/** The map from conv2d's outputs back to images of its inputs' size. */
export class Conv2DTranspose extends Conv2D {
  static override readonly className = 'Conv2DTranspose';

  constructor(config: Conv2DConfig = {} as Conv2DConfig) {
    super(config);
    if (this.dilationRate.some((rate) => rate !== 1)) {
      throw invalid('ERR_ARGUMENT', this.name, 'dilationRate', '1', config.dilationRate);
    }
    if (this.groups !== 1) throw invalid('ERR_ARGUMENT', this.name, 'groups', '1', config.groups);
  }

  override build(inputShapes: readonly SymbolicShape[]): void {
    const channels = channelsOf(this.name, inputShapes[0]!);
    const shape = [...this.kernelSize, this.filters, channels];
    this.kernel = this.addWeight('kernel', shape, this.kernelRecipe.options);
    this.finishBuild(inputShapes, channels, this.filters);
  }

  override computeOutputShape([shape]: readonly SymbolicShape[]): SymbolicShape {
    const sizes = sizeOfImage(this.name, shape!).map((size, axis) => {
      const stride = this.strides[axis]!;
      const rest = this.padding === 'same' ? 0 : Math.max(this.kernelSize[axis]! - stride, 0);
      return size === null ? null : size * stride + rest;
    });
    return [shape![0] ?? null, ...sizes, this.filters];
  }

  /** Each input element meets the whole window of every filter; bias and activation come to the output. */
  override flops([input]: readonly [Shape], [output]: readonly [Shape]): number {
    const [height, width] = this.kernelSize;
    const spread = 2 * sizeOf(input) * height * width * this.filters;
    return spread + weightedFlops(sizeOf(output), 0, this);
  }
  override call([x]: readonly Tensor[]): Tensor {
    const shape = this.computeOutputShape([x!.shape]) as number[];
    const y = transposedOp(x!, this.castWeight(this.kernel), shape, this.strides, this.padding);
    return this.activation.applyAfterBias(y, this.bias);
  }
}
registerLayer(Conv2DTranspose);

/**
 * A convolutional layer: activation(conv2d(x, kernel) + bias) in one fused op.
 *
 * Input `[batch, height, width, channels]`, output `[batch, outHeight, outWidth, filters]`. Weights: kernel
 * `[kernelHeight, kernelWidth, channels / groups, filters]` (glorotNormal), bias `[filters]` (zeros).
 * @example sn.layers.conv2d({filters: 32, kernelSize: 3, padding: 'same', activation: 'selu'})
 */
export const conv2d = (config: Conv2DConfig): Conv2D => new Conv2D(config);

/**
 * A depthwise convolutional layer: each channel has `depthMultiplier` filters of its own.
 *
 * Input `[batch, height, width, channels]`, output `[batch, outHeight, outWidth, channels * depthMultiplier]`. Weights:
 * depthwise_kernel `[kernelHeight, kernelWidth, channels, depthMultiplier]` (glorotNormal), bias (zeros).
 */
export const depthwiseConv2d = (config: DepthwiseConv2DConfig): DepthwiseConv2D => new DepthwiseConv2D(config);

/**
 * A transposed convolutional layer, which makes images larger: for decoders.
 *
 * Input `[batch, height, width, channels]`; output height is height * stride with `padding: 'same'`, else
 * height * stride + max(kernelHeight - stride, 0). Weights: kernel `[kernelHeight, kernelWidth, filters, channels]`
 * (glorotNormal), bias `[filters]` (zeros).
 */
export const conv2dTranspose = (config: Conv2DConfig): Conv2DTranspose => new Conv2DTranspose(config);
