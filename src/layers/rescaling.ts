// rescaling: pixels to the numbers a network wants. As a model's first layer it takes bytes as they are, and `fit` computes it
// in the pass that gathers a batch.
import { invalid } from '../errors.js';
import { clone } from '../ops/reshape.js';
import { rescale, type LinearMap } from '../ops/rescale.js';
import { isFloat, type DType } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { Layer, type CallContext, type LayerConfig } from './layer.js';
import { registerLayer } from './registry.js';
import type { SymbolicShape } from './symbolic.js';
import { sizeOf, type Shape } from '../tensor/shape.js';

/** Options of layers.rescaling. */
export interface RescalingConfig extends LayerConfig {
  /** The factor: 1 / 255 brings bytes to [0, 1]. */
  scale: number;
  /** What is added to the product (default 0). */
  offset?: number;
}

/** scale x + offset. */
export class Rescaling extends Layer implements LinearMap {
  static override readonly className = 'Rescaling';
  readonly scale: number;
  readonly offset: number;

  constructor(config: RescalingConfig) {
    super(config);
    const { scale, offset = 0 } = config ?? {};
    for (const [option, value] of Object.entries({ scale, offset })) {
      if (!Number.isFinite(value)) throw invalid('ERR_ARGUMENT', this.name, option, 'a finite number', value);
    }
    this.scale = scale;
    this.offset = offset;
  }

  /** @internal Whatever comes is rounded once, to the result. */
  override operandDType(dtype: DType): DType {
    return dtype;
  }
  override computeOutputDType([dtype]: readonly [DType]): DType {
    return isFloat(dtype) ? super.operandDType(dtype) : this.computeDType;
  }
  override computeOutputShape([shape]: readonly SymbolicShape[]): SymbolicShape {
    return shape!;
  }
  /** Operations of a forward pass. */
  override flops([input]: readonly [Shape]): number {
    return 2 * sizeOf(input);
  }
  override call([x]: readonly [Tensor], { rescaled }: CallContext): Tensor {
    // A copy shares x's memory: were it x, a layer like this one behind it would take it for its own result too.
    if (rescaled?.get(x) === this) return clone(x);
    return rescale(x, this, this.computeOutputDType([x.dtype]));
  }
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), scale: this.scale, offset: this.offset };
  }
}
registerLayer(Rescaling);

/**
 * scale x + offset, computed in float64 and rounded once: of bytes and 1/255 the same bits as byte / 255.
 *
 * Input of any dtype and shape, output floats of its shape; no weights. As the first layer it lets a data set stay bytes on
 * the device, a quarter of its float32 size: `fit` gathers, casts and scales a batch in one pass.
 * @example sn.layers.rescaling({ scale: 1 / 255, inputShape: [28, 28, 1] })
 */
export const rescaling = (config: RescalingConfig): Rescaling => new Rescaling(config);
