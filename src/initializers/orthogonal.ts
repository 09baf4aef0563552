// Random orthogonal matrices: normal numbers made orthonormal on the host in float64, once, when a layer is built.
import { invalid } from '../errors.js';
import { tensor } from '../ops/creation.js';
import { randomNormal } from '../ops/random.js';
import { checkOptions, checkSetting } from '../serialization.js';
import type { DType } from '../tensor/dtype.js';
import { checkShape, sizeOf, type Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import { Initializer, initializerRegistry, seedOf, type SeedOptions } from './initializer.js';

export interface OrthogonalOptions extends SeedOptions {
  /** Factor of the matrix (default 1). */
  gain?: number | undefined;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Takes from `vector` its part along each of `basis`. */
function project(vector: Float64Array, basis: readonly Float64Array[]): void {
  for (const direction of basis) {
    const along = dot(vector, direction);
    for (let i = 0; i < vector.length; i++) vector[i]! -= along * direction[i]!;
  }
}

/**
 * Makes the vectors orthonormal by Gram and Schmidt's method. Its triangular factor has a positive diagonal, which makes
 * the result of normal numbers uniform over all orthogonal matrices with no signs to mend.
 */
function orthonormalize(vectors: readonly Float64Array[]): void {
  vectors.forEach((vector, index) => {
    const before = Math.sqrt(dot(vector, vector));
    project(vector, vectors.slice(0, index));
    // Rounding left behind counts only where most of the vector went: a second pass takes it to the last digit.
    if (Math.sqrt(dot(vector, vector)) < before / 2) project(vector, vectors.slice(0, index));
    const norm = Math.sqrt(dot(vector, vector));
    for (let i = 0; i < vector.length; i++) vector[i]! /= norm;
  });
}

export class Orthogonal extends Initializer {
  static override readonly className = 'Orthogonal';
  readonly gain: number;
  readonly seed: number | undefined;

  constructor(options?: OrthogonalOptions) {
    super();
    const { gain = 1, seed } = checkOptions('orthogonal', options);
    this.gain = checkSetting('orthogonal', 'gain', gain);
    this.seed = seedOf('orthogonal', seed);
  }

  override apply(shape: Shape, dtype: DType = 'float32'): Tensor {
    checkShape('orthogonal', 'shape', shape);
    if (shape.length < 2) throw invalid('ERR_SHAPE', 'orthogonal', 'shape', 'at least two axes', [...shape]);
    const columns = shape.at(-1)!;
    const rows = sizeOf(shape.slice(0, -1));
    const [count, length] = rows < columns ? [rows, columns] : [columns, rows];
    const drawn = randomNormal([count, length], 0, 1, 'float64', this.seed);
    const values = drawn.dataSync() as Float64Array;
    drawn.dispose();
    const vectors = Array.from({ length: count }, (_, i) => values.subarray(i * length, (i + 1) * length));
    orthonormalize(vectors);
    const matrix = new Float64Array(rows * columns);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const value = rows < columns ? vectors[row]![column]! : vectors[column]![row]!;
        matrix[row * columns + column] = this.gain * value;
      }
    }
    return tensor(matrix, shape, dtype);
  }

  override getConfig(): Record<string, unknown> {
    return { gain: this.gain, seed: this.seed ?? null };
  }
}

initializerRegistry.enter(Orthogonal);

/**
 * A random orthogonal matrix times `gain` (default 1), as Keras: axes before the last count as rows; the columns are
 * orthonormal, or the rows where there are fewer of them. Takes time with the cube of the size, seconds at 1024.
 * @throws ShapeError for fewer than two axes.
 */
export const orthogonal = (options?: OrthogonalOptions): Orthogonal => new Orthogonal(options);
