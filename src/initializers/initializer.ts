// What an initializer is: the first values of a weight of any shape. It keeps settings only, so one object serves many
// weights; a seed, where it has one, gives every weight of a shape the same values.
import { Configurable, Registry, type ConfigurableClass, type Identifier } from '../serialization.js';
import type { DType } from '../tensor/dtype.js';
import { checkSeed } from '../tensor/random-state.js';
import type { Shape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';

/** First values of weights. A class of your own has a static `className`; `registerInitializer` makes it loadable. */
export abstract class Initializer extends Configurable {
  /**
   * @param shape The weight's shape; kernels end in [inputs, outputs].
   * @param dtype Default float32.
   */
  /** A new tensor of first values; float32 by default. */
  abstract apply(shape: Shape, dtype?: DType): Tensor;
}

/** Anything with `apply(shape, dtype)` will do; only an `Initializer` can be saved. */
export type InitializerLike = Pick<Initializer, 'apply'>;
/** What a layer takes: `'leCunNormal'`, `initializers.leCunNormal({ seed: 1 })` or `{className, config}`. */
export type InitializerIdentifier = Identifier<InitializerLike>;

/** @internal Initializers by name. */
export const initializerRegistry = new Registry<InitializerLike>(
  'initializer',
  (value): value is InitializerLike => 'apply' in value && typeof value.apply === 'function',
);

/** Makes an initializer class known to layers and saved models under its static `className`. */
export function registerInitializer<C extends ConfigurableClass<Initializer>>(initializerClass: C): C {
  initializerRegistry.enter(initializerClass);
  return initializerClass;
}

/** Options of initializers that draw random numbers. */
export interface SeedOptions {
  /** Default: drawn from the state that `setSeed()` sets. */
  seed?: number | null | undefined;
}

/** Checks a seed; null, as files have it, is none. */
export function seedOf(op: string, seed: number | null | undefined): number | undefined {
  if (seed === null || seed === undefined) return undefined;
  checkSeed(op, seed);
  return seed;
}
