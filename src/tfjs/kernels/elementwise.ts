// Elementwise kernels of one operand.
import * as tf from '@tensorflow/tfjs-core';
import type { CastAttrs, ClipByValueAttrs, StepAttrs } from '@tensorflow/tfjs-core';
import { NativeOp } from '../../tensor/backend.js';
import { castRaw } from '../../tensor/convert.js';
import { isFloat, type DType } from '../../tensor/dtype.js';
import { makeOne, type Tensor } from '../../tensor/tensor.js';
import { add, div, mul, sub } from '../../ops/arithmetic.js';
import { tidy } from '../../tensor/memory.js';
import { cast } from '../../ops/cast.js';
import { greater, less, logicalNot, logicalOr } from '../../ops/comparison.js';
import { abs, exp, expm1, isInf, isNaN, log1p, sign, sqrt, square } from '../../ops/elementwise.js';
import { where } from '../../ops/select.js';
import type { SelfnormBackend } from '../backend.js';
import { kernel, type NativeKernel } from '../kernel.js';

/** One native op; integers are cast to `whole` first, which is float32 for functions that integers have not. */
function unary(name: string, op: string, whole: 'float32' | 'int32', result?: DType): NativeKernel {
  const native = new NativeOp(op);
  return {
    name,
    run: (inputs, _attributes, backend) => {
      const given = backend.tensor(inputs['x']!);
      if (isFloat(given.dtype) || given.dtype === whole) {
        return backend.wrap(makeOne(given.backend, native, [given], given.shape, result ?? given.dtype));
      }
      const x = castRaw(given, whole);
      const y = makeOne(x.backend, native, [x], x.shape, result ?? whole);
      x.dispose();
      return backend.wrap(y);
    },
  };
}

/** A rounding: whole numbers are their own. */
function rounding(name: string, op: string): NativeKernel {
  const float = unary(name, op, 'float32');
  return {
    name,
    run: (inputs, attributes, backend) =>
      inputs['x']!.dtype === 'float32' ? float.run(inputs, attributes, backend) : backend.share(inputs['x']!),
  };
}

/** A function composed of several ops, of a float operand. */
function composed(name: string, body: (x: Tensor) => Tensor): NativeKernel {
  return kernel(name, ({ x }) => body(cast(x!, 'float32')));
}

const CLIP = new NativeOp('clipByValue');

/** asinh from log1p, odd and without cancellation: log1p(|x| + x^2 / (1 + sqrt(x^2 + 1))). */
function asinh(x: Tensor): Tensor {
  const magnitude = abs(x);
  const squared = square(x);
  return mul(sign(x), log1p(add(magnitude, div(squared, add(sqrt(add(squared, 1)), 1)))));
}

/** acosh from log1p: with t = x - 1, log1p(t + sqrt(2 t + t^2)). */
function acosh(x: Tensor): Tensor {
  const above = sub(x, 1);
  return log1p(add(above, sqrt(mul(above, add(above, 2)))));
}

/** sinh = (e + e / (e + 1)) / 2 with e = exp(|x|) - 1, which keeps the digits near 0; the sign comes back at the end. */
function sinh(x: Tensor): Tensor {
  const e = expm1(abs(x));
  const ratio = where(isInf(e), 1, div(e, add(e, 1)));
  return mul(mul(add(e, ratio), 0.5), sign(x));
}

const castKernel: NativeKernel = {
  name: tf.Cast,
  anyDType: true,
  run: ({ x }, attributes, backend) => {
    const { dtype } = attributes as CastAttrs;
    if (x!.dtype === dtype) return backend.share(x!);
    if (dtype === 'complex64') return toComplex(x!, backend);
    const to = dtype as 'float32' | 'int32' | 'bool';
    return backend.wrap(
      tidy(() => {
        const from = x!.dtype === 'complex64' ? backend.part(x!, 'real') : backend.tensor(x!);
        return from.dtype === to ? from : makeOne(from.backend, CAST, [from], from.shape, to);
      }),
    );
  },
};
const CAST = new NativeOp('cast');
const FILL = new NativeOp('fill');

function toComplex(x: tf.TensorInfo, backend: SelfnormBackend): tf.TensorInfo {
  const given = backend.tensor(x);
  const real = makeOne(given.backend, CAST, [given], given.shape, 'float32');
  const imag = makeOne(given.backend, FILL, [], given.shape, 'float32', [0]);
  return backend.wrapComplex(real, imag);
}

export const elementwiseKernels: readonly NativeKernel[] = [
  unary(tf.Abs, 'abs', 'int32'),
  rounding(tf.Ceil, 'ceil'),
  unary(tf.Exp, 'exp', 'float32'),
  unary(tf.Expm1, 'expm1', 'float32'),
  rounding(tf.Floor, 'floor'),
  unary(tf.IsInf, 'isInf', 'float32', 'bool'),
  unary(tf.IsNan, 'isNaN', 'float32', 'bool'),
  unary(tf.Log, 'log', 'float32'),
  unary(tf.Log1p, 'log1p', 'float32'),
  unary(tf.Neg, 'neg', 'int32'),
  unary(tf.Reciprocal, 'reciprocal', 'float32'),
  rounding(tf.Round, 'round'),
  unary(tf.Rsqrt, 'rsqrt', 'float32'),
  kernel(tf.Sign, ({ x }) => cast(sub(cast(greater(x!, 0), 'int32'), cast(less(x!, 0), 'int32')), x!.dtype)),
  unary(tf.Sqrt, 'sqrt', 'float32'),
  unary(tf.Square, 'square', 'int32'),
  kernel(tf.LogicalNot, ({ x }) => logicalNot(cast(x!, 'bool'))),
  composed(tf.IsFinite, (x) => logicalNot(logicalOr(isNaN(x), isInf(x)))),
  composed(tf.Asinh, asinh),
  composed(tf.Acosh, acosh),
  composed(tf.Atanh, (x) => mul(sub(log1p(x), log1p(mul(x, -1))), 0.5)),
  composed(tf.Sinh, sinh),
  composed(tf.Cosh, (x) => mul(add(exp(x), exp(mul(x, -1))), 0.5)),
  kernel<StepAttrs>(tf.Step, ({ x }, { alpha }) => {
    const step = where(greater(x!, 0), 1, alpha ?? 0);
    return isFloat(x!.dtype) ? where(isNaN(x!), x!, step) : cast(step, x!.dtype);
  }),
  {
    name: tf.ClipByValue,
    run: ({ x }, attributes, backend) => {
      const { clipValueMin, clipValueMax } = attributes as ClipByValueAttrs;
      const given = backend.tensor(x!);
      return backend.wrap(
        makeOne(given.backend, CLIP, [given], given.shape, given.dtype, [clipValueMin, clipValueMax]),
      );
    },
  },
  castKernel,
];
