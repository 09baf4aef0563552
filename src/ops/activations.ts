// Activation functions. Formulas, derivatives and parameters live in cuda/kernels/activations.h; each function here names a
// row of that table and documents it. Methods of Tensor, names for layers and `fused.*`, and the public exports follow.
import type { TensorLike } from '../tensor/convert.js';
import type { Mutable, ShapeOf, Unary } from '../tensor/shape-types.js';
import type { Tensor } from '../tensor/tensor.js';
import { activationNamed, plain, withParameter, type WithParameter } from './activation.js';

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
/** log(sigmoid(x)) = -log(1 + exp(-x)), precise where sigmoid rounds to 0 or 1. */
export const logSigmoid: Unary = plain('logSigmoid');
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
  const activation = activationNamed('selu');
  return activation.apply(x, activation.parameters({ ...options }));
}

/**
 * Gaussian error linear unit x Phi(x) (Hendrycks & Gimpel 2016).
 * @param approximate True: the tanh form.
 */
export function gelu<X extends TensorLike>(x: X, approximate?: boolean): Tensor<Mutable<ShapeOf<X>>>;
export function gelu(x: TensorLike, approximate = false): Tensor {
  return activationNamed(approximate ? 'geluTanh' : 'gelu').apply(x, []);
}

/** The identity: Keras's name for no activation. */
export const linear: Unary = plain('linear');
