// The fully connected layer: product, bias and activation in one fused op.
import { invalid } from '../errors.js';
import { matMul } from '../ops/fused.js';
import type { DType } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import { getActivation, type ActivationLike, type LayerActivation } from './activation.js';
import { Layer, type LayerConfig } from './layer.js';
import { count, flag } from './options.js';
import { registerLayer } from './registry.js';
import { formatShape, type SymbolicShape } from './symbolic.js';
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

/** Options of layers.dense. */
export interface DenseConfig extends LayerConfig, WeightConfig<'kernel'>, WeightConfig<'bias'>, ActivityConfig {
  /** Size of the output's last axis. */
  units: number;
  /** Name, or name and parameters; none by default. */
  activation?: ActivationLike;
  /** Default true. */
  useBias?: boolean;
  /** Short for `inputShape: [inputDim]`. */
  inputDim?: number;
}

/** activation(x kernel + bias) over the last axis. */
export class Dense extends Layer {
  static override readonly className = 'Dense';
  readonly units: number;
  readonly activation: LayerActivation;
  readonly useBias: boolean;
  private readonly kernelRecipe: WeightRecipe;
  private readonly biasRecipe: WeightRecipe;
  private kernel!: Variable;
  private bias: Variable | null = null;

  constructor(config: DenseConfig = {} as DenseConfig) {
    super(withInputDim(config));
    const { name } = this;
    this.units = count(name, 'units', config.units);
    this.activation = getActivation(config.activation, name);
    this.useBias = flag(name, 'useBias', config.useBias ?? true);
    this.kernelRecipe = weightRecipe(name, 'kernel', config, 'glorotNormal');
    this.biasRecipe = weightRecipe(name, 'bias', config, 'zeros');
    refuseActivityRegularizer(name, config);
    weightDType(name, this.dtype);
    this.inputSpec = [{ minRank: 2 }];
  }

  override build(inputShapes: readonly SymbolicShape[]): void {
    const [shape] = inputShapes as [SymbolicShape];
    const inputs = shape.at(-1);
    if (typeof inputs !== 'number') {
      throw invalid('ERR_SHAPE', this.name, 'input', 'a last axis of known size', formatShape(shape));
    }
    this.kernel = this.addWeight('kernel', [inputs, this.units], this.kernelRecipe.options);
    if (this.useBias) this.bias = this.addWeight('bias', [this.units], this.biasRecipe.options);
    this.inputSpec = [{ minRank: 2, axes: { [-1]: inputs } }];
    super.build(inputShapes);
  }

  override computeOutputShape([shape]: readonly [SymbolicShape]): SymbolicShape {
    return [...shape.slice(0, -1), this.units];
  }
  override computeOutputDType(inputDTypes: readonly DType[]): DType {
    return this.activation.outputDType(wideOutput(inputDTypes, this.computeDType));
  }

  /** Operations of a forward pass. */
  override flops([input]: readonly [Shape], [output]: readonly [Shape]): number {
    return weightedFlops(sizeOf(output), input.at(-1)!, this);
  }
  override call([x]: readonly Tensor[]): Tensor {
    const { activation, bias } = this;
    const b = this.castWeight(this.kernel);
    const y = matMul({ a: x!, b, ...(bias === null ? {} : { bias: this.castWeight(bias) }), ...activation.epilogue });
    return activation.epilogue === null ? activation.apply(y) : y;
  }

  override get unitRanges(): UnitRanges | null {
    return rangesOf(this.activation);
  }

  override getConfig(): Record<string, unknown> {
    return {
      ...super.getConfig(),
      units: this.units,
      activation: this.activation.getConfig(),
      useBias: this.useBias,
      ...this.kernelRecipe.config,
      ...this.biasRecipe.config,
      activityRegularizer: null,
    };
  }
}
registerLayer(Dense);

function withInputDim(config: DenseConfig): DenseConfig {
  const { inputDim, inputShape, batchInputShape } = config;
  if (inputDim === undefined || inputShape !== undefined || batchInputShape !== undefined) return config;
  return { ...config, inputShape: [count('Dense', 'inputDim', inputDim)] };
}

/**
 * A fully connected layer: activation(x kernel + bias) in one fused op, SELU as cheap as ReLU.
 *
 * Input `[batch, ..., inputs]` of rank 2 or more, output `[batch, ..., units]`: longer inputs are taken along the last axis.
 * Weights: kernel `[inputs, units]` (glorotNormal), bias `[units]` (zeros).
 * @example sn.layers.dense({units: 256, activation: 'selu', kernelInitializer: 'leCunNormal'})
 */
export const dense = (config: DenseConfig): Dense => new Dense(config);
