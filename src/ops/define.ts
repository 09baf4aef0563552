// How most ops are made: a name, a shape rule and a gradient. The gradient is written in terms of other ops, so it can be
// differentiated again.
import { invalid } from '../errors.js';
import { isRecording, record, type Backward, type Traits } from '../autograd/tape.js';
import { NativeOp } from '../tensor/backend.js';
import { arithmeticDType, castRaw, convert, sameBackend, type TensorLike } from '../tensor/convert.js';
import { isFloat, type DType } from '../tensor/dtype.js';
import { broadcastShapes, sameShape, type Shape } from '../tensor/shape.js';
import type { Binary, Unary } from '../tensor/shape-types.js';
import { makeOne, Tensor } from '../tensor/tensor.js';
import { cast } from './cast.js';
import { sumTo } from './broadcasting.js';

/** Gradient of a one-operand op: dx from dy, the input and the output. */
export type UnaryGradient = (dy: Tensor, x: Tensor, y: Tensor) => Tensor | null;
/** Gradients of a two-operand op, in the broadcast shape; the reduction to each operand's own is done here. */
export type BinaryGradient = (dy: Tensor, a: Tensor, b: Tensor, y: Tensor) => LazyGradients;

/** Gives an op's single result to the tapes. `wanted` tells which inputs somebody differentiates by. */
export function recordOne(
  y: Tensor,
  inputs: readonly Tensor[],
  backward: (dy: Tensor, wanted: readonly boolean[]) => ReturnType<Backward>,
  traits?: Traits,
): Tensor {
  if (isRecording())
    record([y], inputs, ([dy], wanted) => (dy == null ? inputs.map(() => null) : backward(dy, wanted)), traits);
  return y;
}

/** Gradients of two operands, each computed when it is asked for: most networks want none of their first layer's input. */
export type LazyGradients = readonly [() => Tensor, () => Tensor];

/** The gradients that somebody differentiates by; null for the others. */
export function evaluate([da, db]: LazyGradients, wanted: readonly boolean[]): [Tensor | null, Tensor | null] {
  return [wanted[0] ? da() : null, wanted[1] ? db() : null];
}

/** Which dtypes an op computes in: `'float'` turns integers into float32 first, `'number'` keeps them. */
export type Domain = 'float' | 'number';

/** A one-operand elementwise op. */
export function unary(name: string, domain: Domain, gradient: UnaryGradient, result?: DType): Unary {
  const op = new NativeOp(name);
  const apply = (input: TensorLike): Tensor => {
    const given = convert(name, 'x', input);
    const x = isFloat(given.dtype) ? given : cast(given, domain === 'float' ? 'float32' : arithmeticDType(given.dtype));
    const y = makeOne(x.backend, op, [x], x.shape, result ?? x.dtype);
    if (result !== undefined || !isRecording()) return y;
    return recordOne(y, [x], (dy) => [gradient(dy, x, y)]);
  };
  return apply as Unary;
}

/** A two-operand elementwise op with broadcasting; both operands are brought to one dtype first. */
export function binary(name: string, gradient: BinaryGradient | null, result?: DType): Binary {
  const op = new NativeOp(name);
  const apply = (left: TensorLike, right: TensorLike): Tensor => {
    // A plain number takes the other operand's dtype, so the tensor is converted first.
    let b = right instanceof Tensor ? convert(name, 'b', right) : null;
    let a = convert(name, 'a', left, b ?? undefined);
    b ??= convert(name, 'b', right, a);
    const backend = sameBackend(name, a, b);
    const dtype = arithmeticDType(a.dtype, b.dtype);
    if (a.dtype !== dtype) a = cast(a, dtype);
    if (b.dtype !== dtype) b = cast(b, dtype);
    const shape = broadcastShapes(name, a.shape, b.shape);
    const y = makeOne(backend, op, [a, b], shape, result ?? dtype);
    if (gradient === null || !isRecording()) return y;
    const operandA = a;
    const operandB = b;
    record([y], [a, b], ([dy], wanted) => {
      if (dy == null || !isFloat(dtype)) return [null, null];
      const [da, db] = gradient(dy, operandA, operandB, y);
      return [wanted[0] ? sumTo(da(), operandA.shape) : null, wanted[1] ? sumTo(db(), operandB.shape) : null];
    });
    return y;
  };
  return apply as Binary;
}

/** A two-operand op on booleans. Other dtypes are refused, as tfjs does. */
export function logical(name: string): Binary {
  const op = new NativeOp(name);
  const apply = (left: TensorLike, right: TensorLike): Tensor => {
    const a = requireBool(name, 'a', convert(name, 'a', left));
    const b = requireBool(name, 'b', convert(name, 'b', right));
    return makeOne(sameBackend(name, a, b), op, [a, b], broadcastShapes(name, a.shape, b.shape), 'bool');
  };
  return apply as Binary;
}

export function requireBool(op: string, argument: string, x: Tensor): Tensor {
  if (x.dtype !== 'bool')
    throw invalid('ERR_DTYPE', op, argument, 'a bool tensor', x.dtype, 'compare it with zero first');
  return x;
}

/** Checks that two shapes are the same. */
export function requireShape(op: string, argument: string, x: Tensor, shape: Shape): void {
  if (!sameShape(x.shape, shape)) throw invalid('ERR_SHAPE', op, argument, `shape [${shape.join(',')}]`, [...x.shape]);
}

/** An operand of a float op: integers and booleans become float32. */
export function floatOperand(op: string, argument: string, value: TensorLike): Tensor {
  const x = convert(op, argument, value);
  return isFloat(x.dtype) ? x : castRaw(x, 'float32');
}
