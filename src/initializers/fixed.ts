// Initializers without chance: zeros, ones, one value, and the identity matrix.
import { invalid } from '../errors.js';
import { mul } from '../ops/arithmetic.js';
import { fill } from '../ops/creation.js';
import { eye } from '../ops/ranges.js';
import { checkOptions, checkSetting } from '../serialization.js';
import type { DType } from '../tensor/dtype.js';
import { tidy } from '../tensor/memory.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { Initializer, initializerRegistry } from './initializer.js';

export class Zeros extends Initializer {
  static override readonly className = 'Zeros';
  override apply(shape: Shape, dtype?: DType): Tensor {
    return fill(shape, 0, dtype);
  }
}

export class Ones extends Initializer {
  static override readonly className = 'Ones';
  override apply(shape: Shape, dtype?: DType): Tensor {
    return fill(shape, 1, dtype);
  }
}

export interface ConstantOptions {
  /** The value of every element. */
  value: number;
}

export class Constant extends Initializer {
  static override readonly className = 'Constant';
  readonly value: number;
  constructor(options: ConstantOptions) {
    super();
    this.value = checkSetting('constant', 'value', checkOptions('constant', options).value);
  }
  override apply(shape: Shape, dtype?: DType): Tensor {
    return fill(shape, this.value, dtype);
  }
  override getConfig(): Record<string, unknown> {
    return { value: this.value };
  }
}

export interface IdentityOptions {
  /** The value on the diagonal (default 1). */
  gain?: number | undefined;
}

export class Identity extends Initializer {
  static override readonly className = 'Identity';
  readonly gain: number;
  constructor(options?: IdentityOptions) {
    super();
    this.gain = checkSetting('identity', 'gain', checkOptions('identity', options).gain ?? 1);
  }
  override apply(shape: Shape, dtype: DType = 'float32'): Tensor {
    const [rows, columns] = shape;
    if (shape.length !== 2) throw invalid('ERR_SHAPE', 'identity', 'shape', 'two axes, as of a matrix', [...shape]);
    return tidy(() => mul(eye(rows!, columns, undefined, dtype), fill([], this.gain, dtype)));
  }
  override getConfig(): Record<string, unknown> {
    return { gain: this.gain };
  }
}

initializerRegistry.enter(Zeros, Ones, Constant, Identity);

/** Zeros. */
export const zeros = (): Zeros => new Zeros();
/** Ones. */
export const ones = (): Ones => new Ones();
/**
 * One value everywhere.
 * @throws ArgumentError when it is no finite number.
 */
export const constant = (options: ConstantOptions): Constant => new Constant(options);
/** The identity matrix times `gain` (default 1); of rectangles the main diagonal, as Keras. For matrices only. */
export const identity = (options?: IdentityOptions): Identity => new Identity(options);
