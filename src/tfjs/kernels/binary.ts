// Elementwise kernels of two operands with broadcasting, sums of lists, and selection.
import * as tf from '@tensorflow/tfjs-core';
import { NativeOp } from '../../tensor/backend.js';
import type { DType } from '../../tensor/dtype.js';
import { broadcastShapes } from '../../tensor/shape.js';
import { makeOne, type Tensor } from '../../tensor/tensor.js';
import { arithmeticDType } from '../../tensor/convert.js';
import { add, div } from '../../ops/arithmetic.js';
import { cast } from '../../ops/cast.js';
import { floor } from '../../ops/elementwise.js';
import { clone, reshape } from '../../ops/reshape.js';
import { where } from '../../ops/select.js';
import { kernel, owned, tensorsOf, type NativeKernel } from '../kernel.js';

/** One native op of two operands, which tfjs has brought to one dtype. `result`: of comparisons. */
function binary(name: string, op: string, result?: DType): NativeKernel {
  const native = new NativeOp(op);
  return {
    name,
    run: (inputs, _attributes, backend) => {
      const a = backend.tensor(inputs['a']!);
      const b = backend.tensor(inputs['b']!);
      const dtype = arithmeticDType(a.dtype, b.dtype);
      if (a.dtype === dtype && b.dtype === dtype) {
        const shape = broadcastShapes(name, a.shape, b.shape);
        return backend.wrap(makeOne(a.backend, native, [a, b], shape, result ?? dtype));
      }
      const y = owned({ a, b }, () => {
        const operands = [cast(a, dtype), cast(b, dtype)];
        const computed = makeOne(a.backend, native, operands, broadcastShapes(name, a.shape, b.shape), result ?? dtype);
        // Booleans are added as integers, and are booleans again.
        return result === undefined && a.dtype === 'bool' && b.dtype === 'bool' ? cast(computed, 'bool') : computed;
      });
      return backend.wrap(y);
    },
  };
}

function logical(name: string, op: string): NativeKernel {
  const native = new NativeOp(op);
  return kernel(name, ({ a, b }) => {
    const operands = [cast(a!, 'bool'), cast(b!, 'bool')];
    return makeOne(a!.backend, native, operands, broadcastShapes(name, a!.shape, b!.shape), 'bool');
  });
}

/** The quotient rounded down, as int32. */
function floorDiv(a: Tensor, b: Tensor): Tensor {
  return a.dtype === 'float32' || b.dtype === 'float32' ? cast(floor(div(a, b)), 'int32') : div(a, b);
}

const addN: NativeKernel = {
  name: tf.AddN,
  run: (inputs, _attributes, backend) => {
    const operands = tensorsOf(inputs, backend);
    const [first, ...rest] = Object.values(operands) as [Tensor, ...Tensor[]];
    return backend.wrap(
      owned(operands, () => (rest.length === 0 ? clone(first) : rest.reduce((sum, one) => add(sum, one), first))),
    );
  },
};

/** A condition of rank 1 picks whole rows. */
function select({ condition, t, e }: Readonly<Record<string, Tensor>>): Tensor {
  const rows = condition!.rank === 1 && t!.rank > 1;
  const mask = rows ? reshape(condition!, [condition!.size, ...new Array<number>(t!.rank - 1).fill(1)]) : condition!;
  return where(cast(mask, 'bool'), t!, e!);
}

export const binaryKernels: readonly NativeKernel[] = [
  binary(tf.Add, 'add'),
  binary(tf.Sub, 'sub'),
  binary(tf.Multiply, 'mul'),
  kernel(tf.RealDiv, ({ a, b }) => div(cast(a!, 'float32'), cast(b!, 'float32'))),
  kernel(tf.FloorDiv, ({ a, b }) => floorDiv(a!, b!)),
  binary(tf.Mod, 'mod'),
  binary(tf.Pow, 'pow'),
  binary(tf.Maximum, 'maximum'),
  binary(tf.Minimum, 'minimum'),
  binary(tf.SquaredDifference, 'squaredDifference'),
  binary(tf.Equal, 'equal', 'bool'),
  binary(tf.NotEqual, 'notEqual', 'bool'),
  binary(tf.Less, 'less', 'bool'),
  binary(tf.LessEqual, 'lessEqual', 'bool'),
  binary(tf.Greater, 'greater', 'bool'),
  binary(tf.GreaterEqual, 'greaterEqual', 'bool'),
  logical(tf.LogicalAnd, 'logicalAnd'),
  logical(tf.LogicalOr, 'logicalOr'),
  addN,
  kernel(tf.Select, select),
];
