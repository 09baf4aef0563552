// What every activation shares: its native ops by the name of its row in the table, the check of its parameters, and its
// gradient. The functions themselves are in activations.ts.
import { failure, invalid } from '../errors.js';
import { isRecording, record } from '../autograd/tape.js';
import type { ActivationFacts } from '../native/addon.js';
import { NativeOp } from '../tensor/backend.js';
import type { TensorLike } from '../tensor/convert.js';
import { facts } from '../tensor/activation-facts.js';
import type { Mutable, ShapeOf, Unary } from '../tensor/shape-types.js';
import { makeOne, type Tensor } from '../tensor/tensor.js';
import type { ActivationName } from './activation-names.js';
import { floatOperand } from './define.js';

export type { ActivationName };

/** An activation to apply: its row of the native table, and its parameters in table order. */
export interface AppliedActivation {
  readonly name: ActivationName;
  readonly parameters: readonly number[];
}

/** No activation. */
export const LINEAR: AppliedActivation = { name: 'linear', parameters: [] };

/** An activation by its table row: the native ops and how its parameters are checked. */
export class Activation {
  readonly forward: NativeOp;
  readonly backward: NativeOp;
  readonly second: NativeOp;
  private row: ActivationFacts | undefined;

  constructor(readonly name: string) {
    this.forward = new NativeOp(`${name}/forward`);
    this.backward = new NativeOp(`${name}/backward`);
    this.second = new NativeOp(`${name}/second`);
  }

  /** Parameters, what backward saves and kinks, from the native table. */
  get facts(): ActivationFacts {
    return (this.row ??= facts(this.name));
  }

  /** Parameter values in table order: given, else the default; below its minimum is refused. */
  parameters(given: Readonly<Record<string, number | undefined>>): number[] {
    return this.facts.parameters.map(({ name, fallback, minimum }) => {
      const value = given[name] ?? fallback;
      if (!(typeof value === 'number' && value >= minimum && Number.isFinite(value))) {
        throw invalid('ERR_ARGUMENT', this.name, name, `a finite number of at least ${minimum}`, value);
      }
      return value;
    });
  }

  /** Applies the activation with parameters in table order. */
  apply(input: TensorLike, parameters: readonly number[]): Tensor {
    const x = floatOperand(this.name, 'x', input);
    const y = makeOne(x.backend, this.forward, [x], x.shape, x.dtype, parameters);
    if (isRecording()) {
      const saved = this.facts.saves === 'output' ? y : x;
      record([y], [x], ([dy]) => [dy == null ? null : this.applyBackward(dy, saved, parameters)]);
    }
    return y;
  }

  /** dx = dy f'(saved), itself differentiable once more by dy and by `saved`. */
  applyBackward(dy: Tensor, saved: Tensor, parameters: readonly number[]): Tensor {
    const dx = makeOne(dy.backend, this.backward, [dy, saved], dy.shape, dy.dtype, parameters);
    if (isRecording()) {
      record([dx], [dy, saved], ([g]) => {
        if (g == null) return [null, null];
        const dSaved = makeOne(g.backend, this.second, [g, dy, saved], g.shape, g.dtype, parameters);
        record([dSaved], [g, dy, saved], () => {
          throw failure('ERR_ARGUMENT', this.name, 'third derivatives of activations are not supported');
        });
        return [this.applyBackward(g, saved, parameters), dSaved];
      });
    }
    return dx;
  }
}

/** What is made once for each activation, when it is first asked for: the native ops that end with one. */
export function perActivation<T>(make: (name: ActivationName) => T): (name: ActivationName) => T {
  const made = new Map<ActivationName, T>();
  return (name) => {
    let found = made.get(name);
    if (found === undefined) made.set(name, (found = make(name)));
    return found;
  };
}

const known = new Map<string, Activation>();

/**
 * The activation of a row of the native table.
 * @throws ArgumentError for names that it does not have.
 */
export function activationNamed(name: ActivationName): Activation {
  let found = known.get(name);
  if (found === undefined) {
    facts(name);
    found = new Activation(name);
    known.set(name, found);
  }
  return found;
}

/** An activation without parameters as a public op. */
export function plain(name: string): Unary {
  const activation = new Activation(name);
  return ((x: TensorLike) => activation.apply(x, [])) as Unary;
}

export type WithParameter = <X extends TensorLike>(x: X, value?: number) => Tensor<Mutable<ShapeOf<X>>>;
/** An activation with one parameter as a public op. */
export function withParameter(name: string, parameter: string): WithParameter {
  const activation = new Activation(name);
  const apply = (x: TensorLike, value?: number): Tensor =>
    activation.apply(x, activation.parameters({ [parameter]: value }));
  return apply as WithParameter;
}
