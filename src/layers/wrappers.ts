// Layers around a layer: timeDistributed applies one to every step of a sequence.
import { invalid } from '../errors.js';
import { reshape } from '../ops/reshape.js';
import type { DType } from '../tensor/dtype.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { Layer, type CallContext, type LayerConfig } from './layer.js';
import { layerFromConfig, registerLayer, type SerializedLayer } from './registry.js';
import { formatShape, type SymbolicShape } from './symbolic.js';
import type { UnitRanges } from './unit-ranges.js';

/** Options of layers.timeDistributed. */
export interface TimeDistributedConfig extends LayerConfig {
  /** The layer that is applied to each step, with the same weights. */
  layer: Layer | SerializedLayer;
}

/** A layer applied along axis 1. */
export class TimeDistributed extends Layer {
  static override readonly className = 'TimeDistributed';
  readonly layer: Layer;

  constructor(config: TimeDistributedConfig = {} as TimeDistributedConfig) {
    super(config);
    const given: unknown = config.layer;
    const isConfig = typeof given === 'object' && given !== null && 'className' in given && 'config' in given;
    if (!(given instanceof Layer) && !isConfig) throw invalid('ERR_ARGUMENT', this.name, 'layer', 'a layer', given);
    this.layer = given instanceof Layer ? given : layerFromConfig(given as SerializedLayer);
    this.inputSpec = [{ minRank: 3 }];
  }

  protected override get sublayers(): readonly Layer[] {
    return [this.layer];
  }

  /** One step of a sequence, as a sample. */
  private stepShape(shape: SymbolicShape): SymbolicShape {
    if (shape.length >= 3) return [null, ...shape.slice(2)];
    throw invalid('ERR_SHAPE', this.name, 'input', 'shape [batch, time, ...]', formatShape(shape));
  }
  override build(inputShapes: readonly SymbolicShape[]): void {
    this.layer.buildOnce([this.stepShape(inputShapes[0]!)]);
    super.build(inputShapes);
  }
  override computeOutputShape([shape]: readonly SymbolicShape[]): SymbolicShape {
    const [batch = null, time = null] = shape!;
    return [batch, time, ...this.layer.computeOutputShape([this.stepShape(shape!)]).slice(1)];
  }
  /** The layer inside says what its inputs are cast to. */
  override operandDType(dtype: DType): DType {
    return dtype;
  }
  override computeOutputDType(inputDTypes: readonly DType[]): DType {
    return this.layer.computeOutputDTypes(inputDTypes)[0]!;
  }

  /** All steps of all sequences are one batch. */
  override call([x]: readonly Tensor[], context: CallContext): Tensor {
    const [batch, time, ...sizes] = x!.shape as [number, number, ...number[]];
    const [y] = this.layer.compute([reshape(x!, [batch * time, ...sizes])], context) as [Tensor];
    return reshape(y, [batch, time, ...y.shape.slice(1)]);
  }

  /** Operations of a forward pass. */
  override flops([input]: readonly [Shape], [output]: readonly [Shape]): number | null {
    const [, time, ...sizes] = input as [number, number, ...number[]];
    const one = this.layer.flops([[1, ...sizes]], [[1, ...output.slice(2)]]);
    return one === null ? null : time * one;
  }
  override get unitRanges(): UnitRanges | null {
    return this.layer.unitRanges;
  }

  override getConfig(): Record<string, unknown> {
    const { layer } = this;
    return { ...super.getConfig(), layer: { className: layer.getClassName(), config: layer.getConfig() } };
  }
}
registerLayer(TimeDistributed);

/**
 * Applies a layer to every step of sequences `[batch, time, ...]`, as if all steps were one batch.
 * @example sn.layers.timeDistributed({layer: sn.layers.dense({units: 8})}) // [batch, time, inputs] to [batch, time, 8]
 */
export const timeDistributed = (config: TimeDistributedConfig): TimeDistributed => new TimeDistributed(config);
