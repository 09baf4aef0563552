// How initializers, regularizers and constraints are named and kept in files: a class name with the settings that make the
// object again. One registry a kind; nothing here knows a class.
import { failure, invalid } from './errors.js';

/** An object as files keep it. */
export interface Serialized {
  readonly className: string;
  readonly config: Record<string, unknown>;
}

/** What is kept in files: a class with a static `className`, whose constructor takes `getConfig()` back. */
export abstract class Configurable {
  /** The name files give the class. */
  static readonly className: string = '';

  /** The name files give the class: 'VarianceScaling'. */
  getClassName(): string {
    return (this.constructor as typeof Configurable).className;
  }

  /** The settings that make this object again: JSON. */
  getConfig(): Record<string, unknown> {
    return {};
  }
}

/** A class as a registry takes it. */
export interface ConfigurableClass<T> {
  readonly className: string;
  new (config: never): T;
}

/** What a layer's option may be: an object of the kind, its name, or its serialised form. */
export type Identifier<T> = T | string | Serialized;

/** `glorotUniform`, `GlorotUniform` and Keras's `glorot_uniform` are one name. */
const plain = (name: string): string => name.replaceAll('_', '').toLowerCase();

/** Classes of one kind by name. */
export class Registry<T extends object> {
  private readonly makers = new Map<string, (config: Record<string, unknown>) => T>();
  private readonly names: string[] = [];

  /**
   * @param kind In errors: 'initializer'.
   * @param isOne Whether an object given in a name's place is of the kind.
   */
  constructor(
    private readonly kind: string,
    private readonly isOne: (value: object) => value is T,
  ) {}

  /** Enters classes under their static `className`. */
  enter(...classes: readonly ConfigurableClass<T>[]): void {
    for (const one of classes) this.enterAs(one.className, (config) => new one(config as never));
  }

  /** Enters one more name, for what makes an object from settings. */
  enterAs(name: string, make: (config: Record<string, unknown>) => T): void {
    if (typeof name !== 'string' || name === '') {
      throw invalid('ERR_ARGUMENT', `register ${this.kind}`, 'className', 'a static className of its own', name);
    }
    if (this.makers.has(plain(name))) {
      throw invalid('ERR_ARGUMENT', `register ${this.kind}`, 'className', 'a name that no other class has', name);
    }
    this.makers.set(plain(name), make);
    this.names.push(name[0]!.toLowerCase() + name.slice(1));
  }

  /**
   * The object that a name, a serialised object or the object itself means.
   * @throws ArgumentError that lists the known names.
   */
  get(identifier: unknown): T {
    if (typeof identifier === 'string') return this.make(identifier, {});
    if (identifier !== null && typeof identifier === 'object') {
      if (this.isOne(identifier)) return identifier;
      // Keras's own files say class_name.
      const { className, class_name = className, config = {} } = identifier as Record<string, unknown>;
      if (typeof class_name === 'string' && config !== null && typeof config === 'object') {
        return this.make(class_name, config as Record<string, unknown>);
      }
    }
    throw invalid('ERR_ARGUMENT', this.kind, 'identifier', `a name, {className, config} or an object`, identifier);
  }

  private make(name: string, config: Record<string, unknown>): T {
    const make = this.makers.get(plain(name));
    if (make === undefined) {
      throw invalid('ERR_ARGUMENT', this.kind, 'name', `one of ${[...this.names].sort().join(', ')}`, name);
    }
    return make(config);
  }
}

/**
 * The serialised form of an initializer, regularizer or constraint; null stays null.
 * @throws ArgumentError for objects without a class name and settings.
 */
export function serialize(value: object): Serialized;
export function serialize(value: object | null | undefined): Serialized | null;
export function serialize(value: object | null | undefined): Serialized | null {
  if (value === null || value === undefined) return null;
  if (value instanceof Configurable) return { className: value.getClassName(), config: value.getConfig() };
  throw failure(
    'ERR_ARGUMENT',
    'serialize',
    `expected an object whose class extends Initializer, Regularizer or Constraint, got one of class ${value.constructor?.name ?? 'Object'}`,
  );
}

/** Checks a setting: a finite number of at least `low`. */
export function checkSetting(op: string, argument: string, value: unknown, low = -Infinity): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= low) return value;
  const expected = low === -Infinity ? 'a finite number' : `a finite number of at least ${low}`;
  throw invalid('ERR_ARGUMENT', op, argument, expected, value);
}

/** Checks an options object; none at all is an empty one. */
export function checkOptions<O extends object>(op: string, options: O | null | undefined): Partial<O> {
  if (options === null || options === undefined) return {};
  if (typeof options === 'object' && !Array.isArray(options)) return options;
  throw invalid('ERR_ARGUMENT', op, 'options', 'an object', options);
}
