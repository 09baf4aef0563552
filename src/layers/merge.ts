// Layers of several inputs: sums, products, extremes, joins and inner products.
import { invalid } from '../errors.js';
import * as arithmetic from '../ops/arithmetic.js';
import { floatOperand } from '../ops/define.js';
import { square, sqrt } from '../ops/elementwise.js';
import { concat } from '../ops/join.js';
import { matMul } from '../ops/matmul.js';
import { sum } from '../ops/reductions.js';
import { reshape } from '../ops/reshape.js';
import { transpose } from '../ops/transpose.js';
import { arithmeticDType } from '../tensor/convert.js';
import { isFloat, promote, type DType } from '../tensor/dtype.js';
import { sizeOf, type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { Layer, type LayerConfig } from './layer.js';
import { axisBehindBatch, flag } from './options.js';
import { registerLayer } from './registry.js';
import { formatShapes, type SymbolicShape } from './symbolic.js';

const shapesOf = (inputs: readonly Tensor[]): SymbolicShape[] => inputs.map((x) => x.shape);

abstract class Merge extends Layer {
  protected checkCount(shapes: readonly SymbolicShape[]): void {
    if (shapes.length >= 2) return;
    throw invalid('ERR_SHAPE', this.name, 'inputs', 'an array of at least 2', formatShapes(shapes));
  }
  /** The output's dtype, from the inputs'. */
  override computeOutputDType(inputDTypes: readonly DType[]): DType {
    return arithmeticDType(inputDTypes.reduce(promote));
  }
}

/** Elementwise, with broadcasting: an input of lower rank gets axes of size 1 behind its batch axis. */
abstract class ElementwiseMerge extends Merge {
  protected abstract merge(a: Tensor, b: Tensor): Tensor;

  override computeOutputShape(shapes: readonly SymbolicShape[]): SymbolicShape {
    this.checkCount(shapes);
    const rank = Math.max(...shapes.map((shape) => shape.length));
    return shapes
      .map((shape) => aligned(shape, rank))
      .reduce((a, b) =>
        a.map((size, axis) => {
          const other = b[axis]!;
          if (size === 1 || size === other) return other;
          // A size that is not known can only be 1 or the other's.
          if (other === 1) return size;
          if (size === null || other === null) return size ?? other;
          const expected = 'shapes that are equal or broadcast';
          throw invalid('ERR_SHAPE', this.name, 'inputs', expected, formatShapes(shapes));
        }),
      );
  }
  override call(inputs: readonly Tensor[]): Tensor {
    this.computeOutputShape(shapesOf(inputs));
    const rank = Math.max(...inputs.map((x) => x.rank));
    return this.finish(
      inputs
        .map((x) => (x.rank === rank ? x : reshape(x, aligned(x.shape, rank) as number[])))
        .reduce((a, b) => this.merge(a, b)),
      inputs.length,
    );
  }
  /** Operations of a forward pass. */
  override flops(inputs: readonly Shape[], [output]: readonly [Shape]): number {
    return (inputs.length - 1) * sizeOf(output);
  }
  protected finish(merged: Tensor, _count: number): Tensor {
    return merged;
  }
}

function aligned(shape: SymbolicShape, rank: number): SymbolicShape {
  const [batch, ...sizes] = shape;
  if (batch === undefined) return new Array<number>(rank).fill(1);
  return [batch, ...new Array<number>(rank - shape.length).fill(1), ...sizes];
}

/** Sum of the inputs. */
export class Add extends ElementwiseMerge {
  static override readonly className = 'Add';
  protected merge(a: Tensor, b: Tensor): Tensor {
    return arithmetic.add(a, b);
  }
}
registerLayer(Add);

/** Product of the inputs. */
export class Multiply extends ElementwiseMerge {
  static override readonly className = 'Multiply';
  protected merge(a: Tensor, b: Tensor): Tensor {
    return arithmetic.mul(a, b);
  }
}
registerLayer(Multiply);

/** Mean of the inputs. */
export class Average extends ElementwiseMerge {
  static override readonly className = 'Average';
  /** The output's dtype, from the inputs'. */
  override computeOutputDType(inputDTypes: readonly DType[]): DType {
    const dtype = super.computeOutputDType(inputDTypes);
    return isFloat(dtype) ? dtype : 'float32';
  }
  protected merge(a: Tensor, b: Tensor): Tensor {
    return arithmetic.add(a, b);
  }
  /** Operations of a forward pass. */
  override flops(inputs: readonly Shape[], [output]: readonly [Shape]): number {
    return inputs.length * sizeOf(output);
  }
  protected override finish(merged: Tensor, count: number): Tensor {
    return arithmetic.div(floatOperand(this.name, 'inputs', merged), count);
  }
}
registerLayer(Average);

/** The largest of the inputs. */
export class Maximum extends ElementwiseMerge {
  static override readonly className = 'Maximum';
  protected merge(a: Tensor, b: Tensor): Tensor {
    return arithmetic.maximum(a, b);
  }
}
registerLayer(Maximum);

/** The smallest of the inputs. */
export class Minimum extends ElementwiseMerge {
  static override readonly className = 'Minimum';
  protected merge(a: Tensor, b: Tensor): Tensor {
    return arithmetic.minimum(a, b);
  }
}
registerLayer(Minimum);

/** Options of layers.concatenate. */
export interface ConcatenateConfig extends LayerConfig {
  /** The axis along which the inputs are joined; default the last. */
  axis?: number;
}

/** The inputs one behind the other. */
export class Concatenate extends Merge {
  static override readonly className = 'Concatenate';
  readonly axis: number;
  constructor(config: ConcatenateConfig = {}) {
    super(config);
    const { axis = -1 } = config;
    if (!Number.isInteger(axis)) throw invalid('ERR_ARGUMENT', this.name, 'axis', 'an integer', axis);
    this.axis = axis;
  }
  /** The output's dtype, from the inputs'. */
  override computeOutputDType(inputDTypes: readonly DType[]): DType {
    return inputDTypes.reduce(promote);
  }
  override computeOutputShape(shapes: readonly SymbolicShape[]): SymbolicShape {
    this.checkCount(shapes);
    const rank = shapes[0]!.length;
    const along = axisBehindBatch(this.name, 'axis', this.axis, rank);
    return shapes.reduce((a, b) => {
      const matches = b.length === rank && a.every((size, i) => i === along || meets(size, b[i]!));
      if (!matches) {
        const expected = `shapes that are equal except on axis ${along}`;
        throw invalid('ERR_SHAPE', this.name, 'inputs', expected, formatShapes(shapes));
      }
      return a.map((size, i) => {
        const other = b[i]!;
        if (i !== along) return size ?? other;
        return size === null || other === null ? null : size + other;
      });
    });
  }
  override call(inputs: readonly Tensor[]): Tensor {
    this.computeOutputShape(shapesOf(inputs));
    return concat(inputs, this.axis);
  }
  /** Operations of a forward pass. */
  override flops(): number {
    return 0;
  }
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), axis: this.axis };
  }
}
registerLayer(Concatenate);

const meets = (a: number | null, b: number | null): boolean => a === null || b === null || a === b;

/** Options of layers.dot. */
export interface DotConfig extends LayerConfig {
  /** The axis of both inputs, or one of each, that is summed over. */
  axes: number | readonly number[];
  /** Whether vectors are brought to length 1 first, which gives the cosine (default false). */
  normalize?: boolean;
}

/** Inner products of the samples of two inputs. */
export class Dot extends Merge {
  static override readonly className = 'Dot';
  readonly axes: number | readonly number[];
  readonly normalize: boolean;

  constructor(config: DotConfig = {} as DotConfig) {
    super(config);
    const axes: unknown = config.axes;
    if (!Number.isInteger(axes) && !(Array.isArray(axes) && axes.length === 2 && axes.every(Number.isInteger))) {
      throw invalid('ERR_ARGUMENT', this.name, 'axes', 'an integer, or two of them', axes);
    }
    this.axes = axes as number | readonly number[];
    this.normalize = flag(this.name, 'normalize', config.normalize ?? false);
    this.inputSpec = [{ minRank: 2 }, { minRank: 2 }];
  }
  private axesOf([a, b]: readonly SymbolicShape[]): [number, number] {
    const [first, second] = typeof this.axes === 'number' ? [this.axes, this.axes] : (this.axes as [number, number]);
    return [
      axisBehindBatch(this.name, 'axes', first, a!.length),
      axisBehindBatch(this.name, 'axes', second, b!.length),
    ];
  }
  override computeOutputShape(shapes: readonly SymbolicShape[]): SymbolicShape {
    this.checkCount(shapes);
    const [a, b] = shapes as [SymbolicShape, SymbolicShape];
    const [i, j] = this.axesOf(shapes);
    if (!meets(a[i]!, b[j]!) || !meets(a[0]!, b[0]!)) {
      const expected = `one batch, and as many on axis ${i} of the first as on axis ${j} of the second`;
      throw invalid('ERR_SHAPE', this.name, 'inputs', expected, formatShapes(shapes));
    }
    const shape = [a[0] ?? b[0] ?? null, ...without(a, i), ...without(b, j)];
    return shape.length === 1 ? [...shape, 1] : shape;
  }
  override call(inputs: readonly Tensor[]): Tensor {
    const shapes = shapesOf(inputs);
    const shape = this.computeOutputShape(shapes) as number[];
    const axes = this.axesOf(shapes);
    const [a, b] = inputs.map((x, i): Tensor => {
      const axis = axes[i]!;
      const vectors = this.normalize ? unit(x, axis) : x;
      const others = x.shape.map((_, k) => k).filter((k) => k !== 0 && k !== axis);
      const rows = sizeOf(others.map((k) => x.shape[k]!));
      return reshape(transpose(vectors, [0, ...others, axis]), [x.shape[0]!, rows, x.shape[axis]!]);
    }) as [Tensor, Tensor];
    return reshape(matMul(a, b, false, true), shape);
  }
  /** Operations of a forward pass. */
  override flops(inputs: readonly [Shape, Shape], [output]: readonly [Shape]): number {
    const [axis] = this.axesOf(inputs);
    // Squares, their sums, and the quotients.
    const lengths = this.normalize ? 3 * (sizeOf(inputs[0]) + sizeOf(inputs[1])) : 0;
    return 2 * inputs[0][axis]! * sizeOf(output) + lengths;
  }
  override getConfig(): Record<string, unknown> {
    const axes = typeof this.axes === 'number' ? this.axes : [...this.axes];
    return { ...super.getConfig(), axes, normalize: this.normalize };
  }
}
registerLayer(Dot);

const without = (shape: SymbolicShape, axis: number): SymbolicShape => shape.filter((_, i) => i !== 0 && i !== axis);

/** Vectors of length 1; the smallest square keeps a zero vector finite, as Keras's. */
function unit(x: Tensor, axis: number): Tensor {
  const squares = sum(square(x), axis, true);
  return arithmetic.div(x, sqrt(arithmetic.maximum(squares, 1e-24)));
}

/** Sum of two inputs or more, with broadcasting. An input of lower rank gets axes of size 1 behind its batch axis. */
export const add = (config: LayerConfig = {}): Add => new Add(config);
/** Product of two inputs or more; shapes as `add`. */
export const multiply = (config: LayerConfig = {}): Multiply => new Multiply(config);
/** Mean of two inputs or more; shapes as `add`. */
export const average = (config: LayerConfig = {}): Average => new Average(config);
/** The largest of two inputs or more; shapes as `add`. */
export const maximum = (config: LayerConfig = {}): Maximum => new Maximum(config);
/** The smallest of two inputs or more; shapes as `add`. */
export const minimum = (config: LayerConfig = {}): Minimum => new Minimum(config);
/** Two inputs or more joined along an axis, by default the last. */
export const concatenate = (config: ConcatenateConfig = {}): Concatenate => new Concatenate(config);
/**
 * Inner products of the samples of two inputs along an axis of each: `[batch, ..., k, ...]` and `[batch, ..., k, ...]` to
 * `[batch, first's other axes, second's other axes]`, `[batch, 1]` of vectors.
 */
export const dot = (config: DotConfig): Dot => new Dot(config);
