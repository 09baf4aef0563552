// Gradients of functions: tfjs's grad family over the tape.
import { failure, invalid, show } from '../errors.js';
import { add } from '../ops/arithmetic.js';
import { cast } from '../ops/cast.js';
import { onesLike, zerosLike } from '../ops/creation.js';
import { clone } from '../ops/reshape.js';
import { convert, type TensorLike } from '../tensor/convert.js';
import { isFloat } from '../tensor/dtype.js';
import { dispose } from '../tensor/memory.js';
import { closeScope, openScope } from '../tensor/scope.js';
import { sameShape } from '../tensor/shape.js';
import { makeView, Tensor } from '../tensor/tensor.js';
import { Variable } from '../tensor/variable.js';
import { record, Tape, withoutRecording, withTape, isRecording } from './tape.js';

/** A function of tensors that gives one tensor. */
export type TensorFunction = (...inputs: Tensor[]) => Tensor;

interface Gradients {
  readonly value: Tensor;
  readonly of: (x: Tensor) => Tensor | undefined;
  readonly used: readonly Tensor[];
}

function run(
  op: string,
  tape: Tape,
  body: () => Tensor,
  dy: Tensor | undefined,
  onComplete?: (x: Tensor, gradient: Tensor) => void,
): Gradients {
  const value = withTape(tape, body);
  if (value instanceof Tensor) tape.see(value);
  if (!(value instanceof Tensor)) throw invalid('ERR_ARGUMENT', op, 'f', 'a function that returns a tensor', value);
  value.assertLive(op, 'f');
  if (!isFloat(value.dtype)) throw invalid('ERR_DTYPE', op, 'f', 'a float result', value.dtype);
  if (dy !== undefined && !sameShape(dy.shape, value.shape)) {
    throw invalid('ERR_SHAPE', op, 'dy', `the shape of f's result, [${value.shape.join(',')}]`, [...dy.shape]);
  }
  const seed = dy === undefined ? onesLike(value) : cast(dy, value.dtype);
  const gradients = tape.gradients(value, seed, add, onComplete);
  return { value, of: (x) => gradients.get(x), used: [...tape.used] };
}

/**
 * A result that nobody else holds: arguments, dy and other results may be the very same tensor, and who disposes of one
 * must not lose the others.
 */
function own(result: Tensor, others: Set<Tensor>): Tensor {
  const mine = others.has(result) ? clone(result) : result;
  others.add(mine);
  return mine;
}

/** Runs in a scope of its own: everything but the results is freed at once, as by tidy(). */
function scoped<T>(tape: Tape, body: () => T, results: (value: T) => Tensor[]): T {
  openScope();
  let kept: Tensor[] = [];
  try {
    const value = body();
    kept = results(value);
    return value;
  } finally {
    tape.close();
    closeScope(kept);
  }
}

function differentiate(
  op: string,
  f: TensorFunction,
  inputs: readonly TensorLike[],
  dy: TensorLike | undefined,
  wanted: 'value too' | 'gradients only',
): { value: Tensor; grads: Tensor[] } {
  if (typeof f !== 'function') throw invalid('ERR_ARGUMENT', op, 'f', 'a function', f);
  const tape = new Tape();
  return scoped(
    tape,
    () => {
      const xs = inputs.map((input, i) => {
        const x = convert(op, `argument ${i}`, input);
        if (!isFloat(x.dtype)) throw invalid('ERR_DTYPE', op, `argument ${i}`, 'a float tensor', x.dtype);
        return x;
      });
      for (const x of xs) tape.watch(x);
      const seed = dy === undefined ? undefined : convert(op, 'dy', dy);
      const found = run(op, tape, () => f(...xs), seed);
      const others = new Set<Tensor>(seed === undefined ? xs : [...xs, seed]);
      const value = own(found.value, others);
      return { value, grads: xs.map((x) => own(found.of(x) ?? zerosLike(x), others)) };
    },
    ({ value, grads }) => (wanted === 'value too' ? [value, ...grads] : grads),
  );
}

/**
 * The gradient of f: a function of (x, dy?) that gives d sum(f(x) dy) / dx, in x's shape. dy is ones by default. Where f
 * does not depend on x the gradient is zeros. Gradients of gradients work for elementwise ops, matMul and reductions.
 */
export function grad(f: (x: Tensor) => Tensor): (x: TensorLike, dy?: TensorLike) => Tensor {
  return (x, dy) => differentiate('grad', f, [x], dy, 'gradients only').grads[0]!;
}

/** The gradients of f with respect to all its arguments: a function of (args, dy?). */
export function grads(f: TensorFunction): (args: readonly TensorLike[], dy?: TensorLike) => Tensor[] {
  return (args, dy) => {
    if (!Array.isArray(args)) throw invalid('ERR_ARGUMENT', 'grads', 'args', 'an array of tensors', args);
    return differentiate('grads', f, args as TensorLike[], dy, 'gradients only').grads;
  };
}

/** As `grad`, with f's value: a function of (x, dy?) that gives {value, grad}. */
export function valueAndGrad(
  f: (x: Tensor) => Tensor,
): (x: TensorLike, dy?: TensorLike) => { value: Tensor; grad: Tensor } {
  return (x, dy) => {
    const { value, grads } = differentiate('valueAndGrad', f, [x], dy, 'value too');
    return { value, grad: grads[0]! };
  };
}

/** As `grads`, with f's value: a function of (args, dy?) that gives {value, grads}. */
export function valueAndGrads(
  f: TensorFunction,
): (args: readonly TensorLike[], dy?: TensorLike) => { value: Tensor; grads: Tensor[] } {
  return (args, dy) => {
    if (!Array.isArray(args)) throw invalid('ERR_ARGUMENT', 'valueAndGrads', 'args', 'an array of tensors', args);
    return differentiate('valueAndGrads', f, args as TensorLike[], dy, 'value too');
  };
}

/**
 * The value of a scalar function and its gradients by variable: what variableGrads and the optimizers build on.
 * @param onComplete Told of each gradient as soon as backward has nothing more to add to it.
 */
export function gradientsByVariable(
  op: string,
  f: () => Tensor,
  varList?: readonly Variable[],
  onComplete?: (variable: Variable, gradient: Tensor) => void,
): { value: Tensor; grads: Map<Variable, Tensor> } {
  if (typeof f !== 'function') throw invalid('ERR_ARGUMENT', op, 'f', 'a function', f);
  const listed = varList === undefined ? undefined : new Set<Tensor>(varList);
  const tape = new Tape((x) => x instanceof Variable && x.trainable && (listed === undefined || listed.has(x)));
  return scoped(
    tape,
    () => {
      const found = run(op, tape, f, undefined, onComplete as (x: Tensor, gradient: Tensor) => void);
      if (found.value.rank !== 0) {
        throw invalid('ERR_SHAPE', op, 'f', 'a scalar result', [...found.value.shape], 'reduce it, as by mean()');
      }
      const others = new Set<Tensor>(found.used);
      const value = own(found.value, others);
      const grads = new Map<Variable, Tensor>();
      for (const variable of found.used as readonly Variable[]) {
        const gradient = found.of(variable);
        if (gradient !== undefined) grads.set(variable, own(gradient, others));
      }
      if (grads.size === 0) {
        throw failure(
          'ERR_ARGUMENT',
          op,
          'f: expected its result to depend on a trainable variable, got one that depends on none',
        );
      }
      return { value, grads };
    },
    ({ value, grads }) => [value, ...grads.values()],
  );
}

/**
 * The gradients of a scalar with respect to the trainable variables that f uses, by variable name.
 * @param f A function without arguments that gives a scalar.
 * @param varList The variables to differentiate by; those that f uses by default. Variables that are not trainable, or
 *   that f does not use, get no gradient.
 * @throws ShapeError when f's value is not a scalar; ArgumentError when f uses none of the variables, or two of one name.
 */
export function variableGrads(
  f: () => Tensor,
  varList?: readonly Variable[],
): { value: Tensor; grads: Record<string, Tensor> } {
  const op = 'variableGrads';
  const { value, grads } = gradientsByVariable(op, f, varList);
  const byName: Record<string, Tensor> = {};
  for (const [{ name }, gradient] of grads) {
    if (Object.hasOwn(byName, name)) {
      dispose([value, ...grads.values()]);
      throw failure(
        'ERR_ARGUMENT',
        op,
        `f: expected variables of different names, since gradients go by name, got two named ${show(name)}`,
      );
    }
    byName[name] = gradient;
  }
  return { value, grads: byName };
}

/** What customGrad's function returns: the value, and its gradient given dy and the saved tensors. */
export interface CustomGradient {
  value: Tensor;
  /** From the gradient of the value and what `save` kept, one gradient an input. */
  gradFunc: (dy: Tensor, saved: Tensor[]) => Tensor | Tensor[];
}

/** Keeps tensors for gradFunc, which gets them back as its second argument. */
export type GradSaveFunc = (tensors: Tensor[]) => void;

// The parameters of a method are compared both ways: f may name its own, as in (x: Tensor, save: GradSaveFunc) => ...
interface Custom {
  function(...args: (Tensor | GradSaveFunc)[]): CustomGradient;
}
/** The function customGrad takes: the inputs, then `save`. */
export type CustomGradientFunc = Custom['function'];

/**
 * A function with a gradient of its own: f gets the inputs and `save`, and returns {value, gradFunc}. gradFunc gives one
 * gradient an input; written with ops, it can be differentiated again.
 * @example const clipped = sn.customGrad((x: Tensor, save: GradSaveFunc) => {
 *   save([x]);
 *   return { value: x.relu(), gradFunc: (dy, [x]) => dy.clipByValue(-1, 1) };
 * });
 */
export function customGrad(f: CustomGradientFunc): (...inputs: TensorLike[]) => Tensor {
  if (typeof f !== 'function') throw invalid('ERR_ARGUMENT', 'customGrad', 'f', 'a function', f);
  return (...inputs) => {
    const xs = inputs.map((input, i) => convert('customGrad', `argument ${i}`, input));
    const saved: Tensor[] = [];
    const custom = withoutRecording(() => f(...xs, (tensors: Tensor[]) => void saved.push(...tensors)));
    if (!(custom?.value instanceof Tensor) || typeof custom.gradFunc !== 'function') {
      throw invalid('ERR_ARGUMENT', 'customGrad', 'f', 'a function that returns {value, gradFunc}', custom);
    }
    if (isRecording()) {
      // A view: the tapes may know the value itself, as an argument or as the result of another op.
      const value = makeView(custom.value, custom.value.shape);
      record([value], xs, ([dy]) => {
        if (dy == null) return xs.map(() => null);
        const given = custom.gradFunc(dy, saved);
        const list = Array.isArray(given) ? given : [given];
        if (list.length !== xs.length) {
          throw invalid('ERR_ARGUMENT', 'customGrad', 'gradFunc', `${xs.length} gradients`, list.length);
        }
        list.forEach((gradient, i) => {
          if (!((gradient as unknown) instanceof Tensor)) {
            throw invalid('ERR_ARGUMENT', 'customGrad', 'gradFunc', 'a tensor, or an array of tensors', gradient);
          }
          if (!sameShape(gradient.shape, xs[i]!.shape)) {
            throw invalid('ERR_SHAPE', 'customGrad', 'gradFunc', `shape [${xs[i]!.shape.join(',')}]`, [
              ...gradient.shape,
            ]);
          }
        });
        return list;
      });
      return value;
    }
    return custom.value;
  };
}
