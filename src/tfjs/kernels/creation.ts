// Kernels that make values from nothing or from a shape, and the parts of complex numbers.
import * as tf from '@tensorflow/tfjs-core';
import type { FillAttrs, LinSpaceAttrs, RangeAttrs, TensorInfo } from '@tensorflow/tfjs-core';
import { failure } from '../../errors.js';
import { NativeOp } from '../../tensor/backend.js';
import { sizeOf, type Shape } from '../../tensor/shape.js';
import { tidy } from '../../tensor/memory.js';
import { makeOne, type Tensor } from '../../tensor/tensor.js';
import { add, div, maximum, minimum, mul } from '../../ops/arithmetic.js';
import { cast } from '../../ops/cast.js';
import { equal } from '../../ops/comparison.js';
import { abs, sqrt, square } from '../../ops/elementwise.js';
import { clone, reshape } from '../../ops/reshape.js';
import { where } from '../../ops/select.js';
import type { SelfnormBackend } from '../backend.js';
import { kernel, type NativeKernel } from '../kernel.js';

const FILL = new NativeOp('fill');
const RANGE = new NativeOp('range');
const LINSPACE = new NativeOp('linspace');

/** `value` everywhere. */
function filled(backend: SelfnormBackend, shape: Shape, dtype: tf.DataType, value: number | string): TensorInfo {
  if (dtype === 'string') {
    const text = tf.util.encodeString(String(value));
    return backend.makeTensorInfo([...shape], 'string', new Array<Uint8Array>(sizeOf(shape)).fill(text));
  }
  const part = (one: number): Tensor => makeOne(backend.device, FILL, [], shape, 'float32', [one]);
  if (dtype === 'complex64') return backend.wrapComplex(part(Number(value)), part(0));
  return backend.wrap(makeOne(backend.device, FILL, [], shape, dtype, [Number(value)]));
}

function like(name: string, value: number): NativeKernel {
  return {
    name,
    anyDType: true,
    run: ({ x }, _attributes, backend) => {
      if (x!.dtype === 'string') {
        if (value !== 0) throw failure('ERR_DTYPE', 'onesLike', 'onesLike is not supported under string dtype');
        return filled(backend, x!.shape, 'string', '');
      }
      return filled(backend, x!.shape, x!.dtype, value);
    },
  };
}

/** start, start + step, ... before stop; a step that leads away from stop gives nothing, as tfjs has it. */
function range({ start, stop, step: given, dtype }: RangeAttrs, backend: SelfnormBackend): Tensor {
  const away = start === stop || (start < stop && given < 0) || (stop < start && given > 1);
  const step = stop < start && given === 1 ? -1 : given;
  const count = away ? 0 : Math.abs(Math.ceil((stop - start) / step));
  return makeOne(backend.device, RANGE, [], [count], dtype, [start, step]);
}

/** x on the diagonal of a matrix with twice x's axes. */
function diag(x: Tensor): Tensor {
  const place = makeOne(x.backend, RANGE, [], [x.size], 'int32', [0, 1]);
  const onDiagonal = equal(reshape(place, [x.size, 1]), place);
  const zero = makeOne(x.backend, FILL, [], [], x.dtype, [0]);
  return reshape(where(onDiagonal, reshape(x, [x.size]), zero), [...x.shape, ...x.shape]);
}

/** One part of a complex tensor; of a real one the values or zeros. */
function part(name: string, which: 'real' | 'imag'): NativeKernel {
  return {
    name,
    anyDType: true,
    run: ({ input }, _attributes, backend) => {
      if (input!.dtype === 'complex64') return backend.wrap(backend.part(input!, which));
      return which === 'real' ? backend.share(input!) : filled(backend, input!.shape, 'float32', 0);
    },
  };
}

const complex: NativeKernel = {
  name: tf.Complex,
  run: ({ real, imag }, _attributes, backend) => {
    const [re, im] = [real!, imag!].map((info) => tidy(() => clone(cast(backend.tensor(info), 'float32'))));
    return backend.wrapComplex(re!, im!);
  },
};

/** sqrt(a^2 + b^2) of what is not negative, where the squares themselves may not be representable. */
function hypotenuse(a: Tensor, b: Tensor): Tensor {
  const larger = maximum(a, b);
  const ratio = div(minimum(a, b), where(equal(larger, 0), 1, larger));
  return mul(larger, sqrt(add(square(ratio), 1)));
}

const magnitude: NativeKernel = {
  name: tf.ComplexAbs,
  anyDType: true,
  run: ({ x }, _attributes, backend) => {
    return backend.wrap(tidy(() => hypotenuse(abs(backend.part(x!, 'real')), abs(backend.part(x!, 'imag')))));
  },
};

export const creationKernels: readonly NativeKernel[] = [
  {
    name: tf.Fill,
    run: (_inputs, attributes, backend) => {
      const { shape, value, dtype } = attributes as FillAttrs;
      return filled(backend, shape, dtype ?? tf.util.inferDtype(value), value);
    },
  },
  like(tf.ZerosLike, 0),
  like(tf.OnesLike, 1),
  kernel<RangeAttrs>(tf.Range, (_operands, attributes, backend) => range(attributes, backend)),
  kernel<LinSpaceAttrs>(tf.LinSpace, (_operands, { start, stop, num }, backend) =>
    makeOne(backend.device, LINSPACE, [], [num], 'float32', [start, stop]),
  ),
  kernel(tf.Diag, ({ x }) => diag(x!)),
  complex,
  part(tf.Real, 'real'),
  part(tf.Imag, 'imag'),
  magnitude,
];
