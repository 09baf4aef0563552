// Activation functions. Formulas, derivatives and parameters live in cuda/kernels/activations.h; each function here is a
// row of that table with its documentation, and `activations` is the record that layers and `fused.*` look names up in.
import { failure, invalid } from '../errors.js';
import { isRecording, record } from '../autograd/tape.js';
import type { ActivationFacts } from '../native/addon.js';
import { NativeOp } from '../tensor/backend.js';
import type { TensorLike } from '../tensor/convert.js';
import { facts } from '../tensor/activation-facts.js';
import type { Mutable, ShapeOf, Unary } from '../tensor/shape-types.js';
import { makeOne, type Tensor } from '../tensor/tensor.js';
import { floatOperand } from './define.js';

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

/** Every activation by the name of its table row. */
export const activations = {
  linear: new Activation('linear'),
  relu: new Activation('relu'),
  relu6: new Activation('relu6'),
  leakyRelu: new Activation('leakyRelu'),
  elu: new Activation('elu'),
  selu: new Activation('selu'),
  celu: new Activation('celu'),
  softplus: new Activation('softplus'),
  sigmoid: new Activation('sigmoid'),
  hardSigmoid: new Activation('hardSigmoid'),
  tanh: new Activation('tanh'),
  softsign: new Activation('softsign'),
  gelu: new Activation('gelu'),
  geluTanh: new Activation('geluTanh'),
  silu: new Activation('silu'),
  mish: new Activation('mish'),
  hardSwish: new Activation('hardSwish'),
} as const;
export type ActivationName = keyof typeof activations;

const plain = (name: ActivationName): Unary => {
  const apply = (x: TensorLike): Tensor => activations[name].apply(x, []);
  return apply as Unary;
};

type WithParameter = <X extends TensorLike>(x: X, value?: number) => Tensor<Mutable<ShapeOf<X>>>;
const withParameter = (name: ActivationName, parameter: string): WithParameter => {
  const apply = (x: TensorLike, value?: number): Tensor =>
    activations[name].apply(x, activations[name].parameters({ [parameter]: value }));
  return apply as WithParameter;
};

/** max(x, 0). The gradient at 0 is 0. */
export const relu: Unary = plain('relu');
/** min(max(x, 0), 6). */
export const relu6: Unary = plain('relu6');
/** x where positive, alpha x elsewhere; alpha 0.2 by default and at least 0 (Maas et al. 2013). */
export const leakyRelu: WithParameter = withParameter('leakyRelu', 'alpha');
/** x where positive, alpha (exp(x) - 1) elsewhere; alpha 1 by default and at least 0 (Clevert et al. 2016; document 003). */
export const elu: WithParameter = withParameter('elu', 'alpha');
/** ELU with a continuous slope: alpha (exp(x / alpha) - 1) below 0; alpha 1 by default (Barron 2017). */
export const celu: WithParameter = withParameter('celu', 'alpha');
/** log(1 + exp(beta x)) / beta, a smooth ReLU; beta 1 by default. */
export const softplus: WithParameter = withParameter('softplus', 'beta');
/** 1 / (1 + exp(-x)). */
export const sigmoid: Unary = plain('sigmoid');
/** relu6(x + 3) / 6, as Keras 3. */
export const hardSigmoid: Unary = plain('hardSigmoid');
/** Hyperbolic tangent. */
export const tanh: Unary = plain('tanh');
/** x / (1 + |x|). */
export const softsign: Unary = plain('softsign');
/** x sigmoid(x), also called swish (Elfwing et al. 2017). */
export const silu: Unary = plain('silu');
/** x tanh(softplus(x)) (Misra 2019). */
export const mish: Unary = plain('mish');
/** x relu6(x + 3) / 6 (Howard et al. 2019). */
export const hardSwish: Unary = plain('hardSwish');

/**
 * Scaled exponential linear unit: scale x where positive, scale alpha (exp(x) - 1) elsewhere. With the default constants
 * activations are drawn to mean 0 and variance 1 (Klambauer et al. 2017).
 * @param options alpha 1.6732632423543772, scale 1.0507009873554805 by default; `selfNormalizing.constants()` solves for
 *   others.
 */
export function selu<X extends TensorLike>(
  x: X,
  options?: { alpha?: number; scale?: number },
): Tensor<Mutable<ShapeOf<X>>>;
export function selu(x: TensorLike, options: { alpha?: number; scale?: number } = {}): Tensor {
  return activations.selu.apply(x, activations.selu.parameters({ ...options }));
}

/**
 * Gaussian error linear unit x Phi(x) (Hendrycks & Gimpel 2016).
 * @param approximate True: the tanh form.
 */
export function gelu<X extends TensorLike>(x: X, approximate?: boolean): Tensor<Mutable<ShapeOf<X>>>;
export function gelu(x: TensorLike, approximate = false): Tensor {
  return activations[approximate ? 'geluTanh' : 'gelu'].apply(x, []);
}

/** The identity: Keras's name for no activation. */
export const linear: Unary = plain('linear');
