// Activation functions and their gradients: rows of the native activation table. tfjs composes most gradients of several
// kernels; the one kernel behind them here is `ActivationGrad`, a name of our own (see ../gradients.ts).
import * as tf from '@tensorflow/tfjs-core';
import type { LeakyReluAttrs } from '@tensorflow/tfjs-core';
import { NativeOp, run } from '../../tensor/backend.js';
import { castRaw } from '../../tensor/convert.js';
import { isFloat } from '../../tensor/dtype.js';
import type { Shape } from '../../tensor/shape.js';
import { makeOne, Tensor } from '../../tensor/tensor.js';
import { activationNamed, type ActivationName } from '../../ops/activation.js';
import { cast } from '../../ops/cast.js';
import { maximum, minimum } from '../../ops/arithmetic.js';
import { prelu } from '../../ops/prelu.js';
import { kernel, type NativeKernel } from '../kernel.js';

/** dy f'(saved): inputs dy and saved (the activation's input or output, as its row says). */
export const ACTIVATION_GRADIENT = 'SelfnormActivationGrad';
/** The gradient of that by `saved`: inputs g, dy and saved. */
export const ACTIVATION_SECOND = 'SelfnormActivationSecond';
/** A gradient of prelu: inputs dy, x and alpha. */
export const PRELU_GRADIENT = 'SelfnormPreluGrad';

export interface ActivationGradientAttributes {
  readonly activation: ActivationName;
  readonly parameters: readonly number[];
}

/** Which of prelu's gradients is wanted. */
interface PreluGradientAttributes {
  readonly by: 'x' | 'alpha';
}

function activation(
  name: string,
  row: ActivationName,
  parameters: (attributes: object) => Record<string, number> = () => ({}),
): NativeKernel {
  return {
    name,
    run: (inputs, attributes, backend) => {
      const x = backend.tensor(inputs['x']!);
      const native = activationNamed(row);
      const { forward } = native;
      const values = native.parameters(parameters(attributes));
      if (isFloat(x.dtype)) return backend.wrap(makeOne(x.backend, forward, [x], x.shape, x.dtype, values));
      const float = castRaw(x, 'float32');
      const y = makeOne(x.backend, forward, [float], x.shape, 'float32', values);
      float.dispose();
      return backend.wrap(y);
    },
  };
}

/** A kernel of float32 operands of one shape and an activation's row; whole numbers are cast. */
function ofRow(name: string, operands: readonly string[], op: (row: ActivationName) => NativeOp): NativeKernel {
  return kernel<ActivationGradientAttributes>(name, (given, { activation: row, parameters }, backend) => {
    const floats = operands.map((operand) => cast(given[operand]!, 'float32'));
    return makeOne(backend.device, op(row), floats, floats.at(-1)!.shape, 'float32', parameters);
  });
}

const PRELU_BACKWARD = new NativeOp('prelu/backward');

const preluGradient = kernel<PreluGradientAttributes>(PRELU_GRADIENT, ({ dy, x, alpha }, { by }, backend) => {
  const operands = [dy!, x!, alpha!].map((operand) => cast(operand, 'float32'));
  const gradients = [x!, alpha!].map(({ shape }) => new Tensor<Shape>(backend.device, shape, 'float32'));
  const outputs = gradients.map((holder) => ({ holder, shape: holder.shape, dtype: 'float32' as const }));
  run(backend.device, PRELU_BACKWARD, operands, outputs);
  return gradients[by === 'x' ? 0 : 1]!;
});

export const activationKernels: readonly NativeKernel[] = [
  activation(tf.Elu, 'elu'),
  activation(tf.LeakyRelu, 'leakyRelu', (attributes) => ({ alpha: (attributes as LeakyReluAttrs).alpha })),
  kernel(tf.Relu, ({ x }) => (isFloat(x!.dtype) ? activationNamed('relu').apply(x!, []) : maximum(x!, 0))),
  kernel(tf.Relu6, ({ x }) =>
    isFloat(x!.dtype) ? activationNamed('relu6').apply(x!, []) : minimum(maximum(x!, 0), 6),
  ),
  activation(tf.Selu, 'selu'),
  activation(tf.Sigmoid, 'sigmoid'),
  activation(tf.Softplus, 'softplus'),
  activation(tf.Tanh, 'tanh'),
  kernel(tf.Prelu, ({ x, alpha }) => prelu(x!, alpha!)),
  {
    name: tf.EluGrad,
    run: ({ dy, y }, _attributes, backend) => {
      const { backward } = activationNamed('elu');
      const operands = [backend.tensor(dy!), backend.tensor(y!)];
      return backend.wrap(makeOne(backend.device, backward, operands, y!.shape, 'float32', [1]));
    },
  },
  ofRow(ACTIVATION_GRADIENT, ['dy', 'saved'], (row) => activationNamed(row).backward),
  ofRow(ACTIVATION_SECOND, ['g', 'dy', 'saved'], (row) => activationNamed(row).second),
  preluGradient,
];
