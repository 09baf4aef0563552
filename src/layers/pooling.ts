// Pooling of images, channels last: over windows, and over the whole image.
import { avgPool, maxPool } from '../ops/pooling.js';
import { max, mean } from '../ops/reductions.js';
import { arithmeticDType } from '../tensor/convert.js';
import { isFloat, type DType } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { pooledImage, sizeOfImage, type WindowPadding } from './image.js';
import { Layer, type LayerConfig } from './layer.js';
import { checkDataFormat, oneOf, pairOf } from './options.js';
import { registerLayer } from './registry.js';
import type { SymbolicShape } from './symbolic.js';
import { sizeOf, type Shape } from '../tensor/shape.js';

/** Options of layers.maxPooling2d and layers.averagePooling2d. */
export interface Pooling2DConfig extends LayerConfig {
  /** Height and width of the window, or one number for both; default 2. */
  poolSize?: number | readonly number[];
  /** Steps down and to the right; default the window's size. */
  strides?: number | readonly number[] | null;
  /** `'valid'` (default) drops cells that fill no window, `'same'` gives ceil(size / stride) outputs. */
  padding?: WindowPadding;
  /** Only `'channelsLast'`. */
  dataFormat?: 'channelsLast';
}
/** Options of layers.globalAveragePooling2d and layers.globalMaxPooling2d. */
export interface GlobalPooling2DConfig extends LayerConfig {
  /** Only `'channelsLast'`. */
  dataFormat?: 'channelsLast';
}

/** Pooling over windows. */
export abstract class Pooling2D extends Layer {
  readonly poolSize: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly padding: WindowPadding;

  constructor(config: Pooling2DConfig = {}) {
    super(config);
    this.poolSize = pairOf(this.name, 'poolSize', config.poolSize ?? 2);
    this.strides = pairOf(this.name, 'strides', config.strides ?? this.poolSize);
    this.padding = oneOf(this.name, 'padding', config.padding ?? 'valid', ['valid', 'same']);
    checkDataFormat(this.name, config.dataFormat);
    this.inputSpec = [{ rank: 4 }];
  }

  override computeOutputShape([shape]: readonly SymbolicShape[]): SymbolicShape {
    const { poolSize: kernelSize, strides, padding } = this;
    const windows = { kernelSize, strides, padding, dilationRate: [1, 1] } as const;
    return pooledImage(this.name, shape!, shape!.at(-1) ?? null, windows);
  }
  /** Operations of a forward pass. */
  override flops(_inputs: readonly [Shape], [output]: readonly [Shape]): number {
    return sizeOf(output) * sizeOf(this.poolSize);
  }

  override getConfig(): Record<string, unknown> {
    return {
      ...super.getConfig(),
      poolSize: [...this.poolSize],
      strides: [...this.strides],
      padding: this.padding,
      dataFormat: 'channelsLast',
    };
  }
}

/** The largest value of every window. */
export class MaxPooling2D extends Pooling2D {
  static override readonly className = 'MaxPooling2D';
  override computeOutputDType([dtype]: readonly [DType]): DType {
    return arithmeticDType(dtype);
  }
  override call([x]: readonly Tensor[]): Tensor {
    return maxPool(x!, this.poolSize, this.strides, this.padding);
  }
}
registerLayer(MaxPooling2D);

/** The mean of every window. */
export class AveragePooling2D extends Pooling2D {
  static override readonly className = 'AveragePooling2D';
  override computeOutputDType([dtype]: readonly [DType]): DType {
    return dtype;
  }
  override call([x]: readonly Tensor[]): Tensor {
    return avgPool(x!, this.poolSize, this.strides, this.padding);
  }
}
registerLayer(AveragePooling2D);

abstract class GlobalPooling2D extends Layer {
  constructor(config: GlobalPooling2DConfig = {}) {
    super(config);
    checkDataFormat(this.name, config.dataFormat);
    this.inputSpec = [{ rank: 4 }];
  }
  override computeOutputShape([shape]: readonly SymbolicShape[]): SymbolicShape {
    sizeOfImage(this.name, shape!);
    return [shape![0] ?? null, shape![3] ?? null];
  }
  /** Operations of a forward pass. */
  override flops([input]: readonly [Shape]): number {
    return sizeOf(input);
  }
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), dataFormat: 'channelsLast' };
  }
}

/** The mean of every channel. */
export class GlobalAveragePooling2D extends GlobalPooling2D {
  static override readonly className = 'GlobalAveragePooling2D';
  override computeOutputDType([dtype]: readonly [DType]): DType {
    return isFloat(dtype) ? dtype : 'float32';
  }
  override call([x]: readonly Tensor[]): Tensor {
    return mean(x!, [1, 2]);
  }
}
registerLayer(GlobalAveragePooling2D);

/** The largest value of every channel. */
export class GlobalMaxPooling2D extends GlobalPooling2D {
  static override readonly className = 'GlobalMaxPooling2D';
  override computeOutputDType([dtype]: readonly [DType]): DType {
    return arithmeticDType(dtype);
  }
  override call([x]: readonly Tensor[]): Tensor {
    return max(x!, [1, 2]);
  }
}
registerLayer(GlobalMaxPooling2D);

/** The largest value of every window of `[batch, height, width, channels]`. The gradient goes to the first of equals. */
export const maxPooling2d = (config: Pooling2DConfig = {}): MaxPooling2D => new MaxPooling2D(config);
/** The mean of every window of `[batch, height, width, channels]`, over the cells inside the image. */
export const averagePooling2d = (config: Pooling2DConfig = {}): AveragePooling2D => new AveragePooling2D(config);
/** The mean of every channel: `[batch, height, width, channels]` to `[batch, channels]`. */
export const globalAveragePooling2d = (config: GlobalPooling2DConfig = {}): GlobalAveragePooling2D =>
  new GlobalAveragePooling2D(config);
/** The largest value of every channel: `[batch, height, width, channels]` to `[batch, channels]`. */
export const globalMaxPooling2d = (config: GlobalPooling2DConfig = {}): GlobalMaxPooling2D =>
  new GlobalMaxPooling2D(config);
