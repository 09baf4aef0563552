// Variables: tensors whose values change in place, so that a recorded training step keeps finding them.
import { failure, invalid } from '../errors.js';
import { NativeOp, run, type Backend } from './backend.js';
import { castRaw, convert, fromValues, sameBackend, type TensorLike } from './convert.js';
import { DTYPES, isDType, type DType } from './dtype.js';
import { sameShape, type Shape } from './shape.js';
import { withoutScope } from './scope.js';
import { Tensor } from './tensor.js';

const ASSIGN = new NativeOp('assign');
let counter = 0;
/** Live variables by name, for gradients that come by name. The last made of a name counts. */
const byName = new Map<string, WeakRef<Variable>>();

/** A tensor that training changes. Made by `variable()`; freed by `dispose()`, not by `tidy()`. */
export class Variable<S extends Shape = Shape, D extends DType = DType> extends Tensor<S, D> {
  constructor(
    backend: Backend,
    shape: S,
    dtype: D,
    readonly name: string,
    /** Whether gradients are taken by it when no list is given. */
    public trainable: boolean,
  ) {
    super(backend, shape, dtype);
    this.kept = true;
    byName.set(name, new WeakRef<Variable>(this));
  }

  /** The live variable of that name. */
  static named(name: string): Variable | undefined {
    const found = byName.get(name)?.deref();
    if (found === undefined || found.isDisposed) byName.delete(name);
    return found?.isDisposed === false ? found : undefined;
  }

  /**
   * Overwrites the values.
   * @param value A tensor of the variable's shape and dtype, or host values, which are taken in its dtype.
   * @throws ShapeError or DTypeError for other tensors.
   */
  assign(value: TensorLike): this {
    this.assertLive('assign', 'variable');
    const source =
      value instanceof Tensor
        ? convert('assign', 'value', value)
        : fromValues('assign', this.backend, value, undefined, this.dtype, 'value');
    if (source === this) return this;
    if (!sameShape(source.shape, this.shape)) {
      throw invalid('ERR_SHAPE', 'assign', 'value', `shape [${this.shape.join(',')}] of ${this.name}`, [
        ...source.shape,
      ]);
    }
    if (source.dtype !== this.dtype) {
      throw invalid('ERR_DTYPE', 'assign', 'value', `${this.dtype} as ${this.name}`, source.dtype, 'use cast()');
    }
    sameBackend('assign', this, source);
    run(this.backend, ASSIGN, [source], [{ id: this.id }]);
    if (source !== value) source.release();
    this.assignments++;
    return this;
  }

  /** @internal How often assign() ran: a gradient through values that are gone would be wrong, and is refused. */
  assignments = 0;

  /** @internal Throws if the values that an op used have been overwritten since. */
  assertUnchanged(assignments: number): void {
    if (this.assignments === assignments) return;
    throw failure(
      'ERR_ARGUMENT',
      'assign',
      `${this.name} was overwritten inside the function being differentiated, after an op had used it: assign it outside, or use clone() of it`,
    );
  }
}

/** Variables made while a `freedOnError` runs. */
let watched: Variable[] | undefined;

/** @internal Runs `make`; where it throws, the variables that it had made by then are freed. */
export function freedOnError<T>(make: () => T): T {
  const outer = watched;
  const own: Variable[] = (watched = []);
  try {
    const made = make();
    outer?.push(...own);
    return made;
  } catch (error) {
    for (const each of own) each.dispose();
    throw error;
  } finally {
    watched = outer;
  }
}

/**
 * A variable with its own copy of the values.
 * @param initialValue Tensor, number or arrays.
 * @param trainable Whether gradients are taken by it (default true).
 * @param name Default `variable_0`, `variable_1`, ...
 * @param dtype Default: the value's.
 */
export function variable(initialValue: TensorLike, trainable = true, name?: string, dtype?: DType): Variable {
  if (dtype !== undefined && !isDType(dtype)) {
    throw invalid('ERR_DTYPE', 'variable', 'dtype', `one of ${DTYPES.join(', ')}`, dtype);
  }
  const source = convert('variable', 'initialValue', initialValue);
  const values = castRaw(source, dtype ?? source.dtype);
  return withoutScope(() => {
    const result = new Variable<Shape>(
      values.backend,
      values.shape,
      values.dtype,
      name ?? `variable_${counter++}`,
      trainable,
    );
    run(values.backend, ASSIGN, [values], [{ holder: result, shape: values.shape, dtype: values.dtype }]);
    values.backend.addon.markVariable(result.id);
    if (values !== source) values.release();
    if (source !== initialValue) source.release();
    watched?.push(result);
    return result;
  });
}
