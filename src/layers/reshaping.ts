// Layers that only rearrange: flatten, reshape and permute. The batch axis stays where it is.
import { invalid } from '../errors.js';
import { reshape as reshapeOp } from '../ops/reshape.js';
import { transpose } from '../ops/transpose.js';
import type { DType } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { Layer, type LayerConfig } from './layer.js';
import { oneOf } from './options.js';
import { registerLayer } from './registry.js';
import { formatShape, type SymbolicShape } from './symbolic.js';

/** The product of sizes; null when one of them is not known. */
function product(sizes: SymbolicShape): number | null {
  return sizes.reduce((all, size) => (all === null || size === null ? null : all * size), 1);
}

/** A layer that hands on its input's elements, whatever their dtype. */
abstract class Rearrangement extends Layer {
  override computeOutputDType([dtype]: readonly [DType]): DType {
    return dtype;
  }
  /** Operations of a forward pass. */
  override flops(): number {
    return 0;
  }
}

/** Options of layers.flatten. */
export interface FlattenConfig extends LayerConfig {
  /** `'channelsFirst'`: the axis behind the batch is put last before the axes are joined. Default `'channelsLast'`. */
  dataFormat?: 'channelsFirst' | 'channelsLast';
}

/** All axes but the batch axis joined to one. */
export class Flatten extends Rearrangement {
  static override readonly className = 'Flatten';
  readonly dataFormat: 'channelsFirst' | 'channelsLast' | undefined;

  constructor(config: FlattenConfig = {}) {
    super(config);
    const { dataFormat } = config;
    const formats = ['channelsLast', 'channelsFirst'] as const;
    this.dataFormat = dataFormat === undefined ? undefined : oneOf(this.name, 'dataFormat', dataFormat, formats);
    this.inputSpec = [{ minRank: 1 }];
  }
  override computeOutputShape([shape]: readonly SymbolicShape[]): SymbolicShape {
    return [shape![0] ?? null, product(shape!.slice(1))];
  }
  override call([x]: readonly Tensor[]): Tensor {
    const axes = x!.shape.map((_, axis) => axis);
    const [batch, channels, ...others] = axes;
    const swapped = this.dataFormat === 'channelsFirst' && channels !== undefined;
    const ordered = swapped ? transpose(x!, [batch!, ...others, channels]) : x!;
    return reshapeOp(ordered, this.computeOutputShape([x!.shape]) as number[]);
  }
  override getConfig(): Record<string, unknown> {
    const config = super.getConfig();
    return this.dataFormat === undefined ? config : { ...config, dataFormat: this.dataFormat };
  }
}
registerLayer(Flatten);

/** Options of layers.reshape. */
export interface ReshapeConfig extends LayerConfig {
  /** Sizes without the batch axis; one of them may be -1 or null, and is worked out. */
  targetShape: SymbolicShape;
}

/** The same elements in another shape. */
export class Reshape extends Rearrangement {
  static override readonly className = 'Reshape';
  private readonly targetShape: SymbolicShape;

  constructor(config: ReshapeConfig = {} as ReshapeConfig) {
    super(config);
    const given: unknown = config.targetShape;
    const sizes: readonly unknown[] | null = Array.isArray(given) ? given : null;
    const isUnknown = (size: unknown): boolean => size === -1 || size === null || size === undefined;
    const valid = sizes?.every((size) => isUnknown(size) || (Number.isSafeInteger(size) && (size as number) >= 0));
    if (sizes === null || !valid || sizes.filter(isUnknown).length > 1) {
      const expected = 'an array of sizes without the batch axis, one of them -1 at most';
      throw invalid('ERR_ARGUMENT', this.name, 'targetShape', expected, given);
    }
    this.targetShape = sizes.map((size) => (isUnknown(size) ? null : (size as number)));
    this.inputSpec = [{ minRank: 1 }];
  }

  override computeOutputShape([shape]: readonly SymbolicShape[]): SymbolicShape {
    const [batch = null, ...sizes] = shape!;
    const known = product(this.targetShape.filter((size) => size !== null))!;
    const total = product(sizes);
    const missing = this.targetShape.indexOf(null);
    const target = [...this.targetShape];
    if (missing >= 0 && total !== null) target[missing] = known === 0 ? 0 : total / known;
    const fits = total === null || (Number.isInteger(target[missing] ?? 0) && product(target) === total);
    if (fits) return [batch, ...target];
    const wanted = formatShape(this.targetShape.map((size) => size ?? -1));
    throw invalid('ERR_SHAPE', this.name, 'input', `a sample that targetShape ${wanted} holds`, [...shape!]);
  }
  override call([x]: readonly Tensor[]): Tensor {
    return reshapeOp(x!, this.computeOutputShape([x!.shape]) as number[]);
  }
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), targetShape: [...this.targetShape] };
  }
}
registerLayer(Reshape);

/** Options of layers.permute. */
export interface PermuteConfig extends LayerConfig {
  /** Axis `i` of the output is axis `dims[i]` of the input; the axes behind the batch axis count from 1. */
  dims: readonly number[];
}

/** The axes behind the batch axis in another order. */
export class Permute extends Rearrangement {
  static override readonly className = 'Permute';
  readonly dims: readonly number[];

  constructor(config: PermuteConfig = {} as PermuteConfig) {
    super(config);
    const given: unknown = config.dims;
    const dims: readonly unknown[] = Array.isArray(given) ? given : [];
    if (dims.length === 0 || !dims.every((_, i) => dims.includes(i + 1))) {
      throw invalid('ERR_ARGUMENT', this.name, 'dims', 'the axes behind the batch axis, 1 to n, each once', given);
    }
    this.dims = [...dims] as number[];
    this.inputSpec = [{ rank: dims.length + 1 }];
  }
  override computeOutputShape([shape]: readonly SymbolicShape[]): SymbolicShape {
    if (shape!.length !== this.dims.length + 1) {
      throw invalid('ERR_SHAPE', this.name, 'input', `rank ${this.dims.length + 1}`, [...shape!]);
    }
    return [0, ...this.dims].map((axis) => shape![axis]!);
  }
  override call([x]: readonly Tensor[]): Tensor {
    return transpose(x!, [0, ...this.dims]);
  }
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), dims: [...this.dims] };
  }
}
registerLayer(Permute);

/** Joins all axes but the batch axis: `[batch, ...sizes]` to `[batch, product of sizes]`. */
export const flatten = (config: FlattenConfig = {}): Flatten => new Flatten(config);
/**
 * Gives each sample another shape.
 * @example sn.layers.reshape({targetShape: [7, -1]}) // [batch, 28, 28] to [batch, 7, 112]
 */
export const reshape = (config: ReshapeConfig): Reshape => new Reshape(config);
/**
 * Reorders the axes of each sample.
 * @example sn.layers.permute({dims: [2, 1]}) // [batch, a, b] to [batch, b, a]
 */
export const permute = (config: PermuteConfig): Permute => new Permute(config);
