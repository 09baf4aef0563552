// Matrix product and convolution with bias and activation in one native op: what dense and convolutional layers are made of.
// Forward leaves bias and activation to the library where it can; backward takes the activation's derivative and the bias's
// gradient in one pass over dy, and then the plain op's gradients.
import { invalid } from '../errors.js';
import type { Descent, InputGradient } from '../autograd/gradient-table.js';
import { isRecording, record, type Backward, type Offer } from '../autograd/tape.js';
import type { NativeOp } from '../tensor/backend.js';
import { run } from '../tensor/backend.js';
import { convert, sameBackend, type TensorLike } from '../tensor/convert.js';
import { withStamp, type Seed } from '../tensor/random-state.js';
import { isFloat } from '../tensor/dtype.js';
import { sameShape, sizeOf, type Shape } from '../tensor/shape.js';
import { activationTable } from '../tensor/activation-facts.js';
import { Tensor } from '../tensor/tensor.js';
import { activationNamed, type Activation, type ActivationName } from './activation.js';
import { add } from './arithmetic.js';
import { definedActivation, isDefinedActivation, type DefinedActivation } from './defined-activation.js';
import { biasGradients } from './bias-activation.js';
import { cast } from './cast.js';
import { checkLayout, type Padding, type Size2d } from './convolution-shape.js';
import { CONV2D, convolutionOperands, geometry, unbatch } from './convolution.js';
import {
  alphaDropout,
  alphaMask,
  backwardMaskParameters,
  dropout,
  dropoutMask,
  maskedGradient,
  maskParameters,
  type Mask,
} from './dropout.js';
import { MATMUL, matMul as plainMatMul, product, productBackward, productSums } from './matmul.js';
import { prelu } from './prelu.js';
import { reshape } from './reshape.js';
import { sumTo } from './broadcasting.js';

/**
 * `activation`: the name of every activation function, `'prelu'` with its weights, tfjs's `'leakyrelu'`, and what `activation()` returned,
 * which follows as a kernel of its own.
 */
export type FusedActivation = ActivationName | 'prelu' | 'leakyrelu' | DefinedActivation;

/** What follows the product. */
export interface Epilogue {
  /** Added to the result; in a shape that broadcasts to it, as a rule [units]. */
  bias?: TensorLike;
  /** Applied after the bias; `'linear'` by default. */
  activation?: FusedActivation;
  /** The activation's parameter of that name (leakyRelu, elu, selu, celu); its own default if left out. */
  alpha?: number;
  /** selu's scale. */
  scale?: number;
  /** softplus's beta. */
  beta?: number;
  /** Slopes of `'prelu'`. */
  preluActivationWeights?: TensorLike;
  /** tfjs's name for the alpha of `'leakyrelu'`. */
  leakyreluAlpha?: number;
}

export interface FusedMatMul extends Epilogue {
  a: TensorLike;
  b: TensorLike;
  transposeA?: boolean;
  transposeB?: boolean;
  /** Applied last, and only where a layer would while training: the caller decides. */
  dropout?: { rate: number; kind?: 'dropout' | 'alphaDropout'; seed?: number };
}

export interface FusedConv2d extends Epilogue {
  x: TensorLike;
  filter: TensorLike;
  strides: Size2d;
  pad: Padding;
  dataFormat?: 'NHWC';
  dilations?: Size2d;
  dimRoundingMode?: 'floor';
  /** Equal runs of channels that do not see each other, as conv2d's; 1 by default. */
  groups?: number;
}

/** An activation with its parameters, and the number of its row in the native table. */
interface Applied {
  readonly activation: Activation;
  readonly name: ActivationName;
  readonly parameters: readonly number[];
}

/** The activation where it is a formula of the user's. */
function formulaOf({ activation }: Epilogue): DefinedActivation | null {
  if (isDefinedActivation(activation)) return activation;
  return typeof activation === 'string' ? (definedActivation(activation) ?? null) : null;
}

/** What the native op can not end with. */
const comesBehind = (options: Epilogue): boolean =>
  options.preluActivationWeights !== undefined || formulaOf(options) !== null;

/** The activation that the native op is to apply; for prelu, which has weights, and for formulas the identity. */
function resolve(op: string, options: Epilogue): Applied {
  const given = formulaOf(options) === null ? (options.activation ?? 'linear') : 'linear';
  if (typeof given !== 'string') {
    throw invalid('ERR_ARGUMENT', op, 'activation', 'a name, or what activation() returned', given);
  }
  const name = given === 'leakyrelu' ? 'leakyRelu' : given === 'prelu' ? 'linear' : given;
  if (!activationTable().has(name)) {
    throw invalid(
      'ERR_ARGUMENT',
      op,
      'activation',
      `one of ${[...activationTable().keys(), 'prelu'].join(', ')}`,
      given,
    );
  }
  if ((given === 'prelu') !== (options.preluActivationWeights !== undefined)) {
    const expected = given === 'prelu' ? 'the slopes of prelu' : "nothing unless activation is 'prelu'";
    throw invalid('ERR_ARGUMENT', op, 'preluActivationWeights', expected, options.preluActivationWeights);
  }
  const activation = activationNamed(name);
  const { alpha = options.leakyreluAlpha, scale, beta } = options;
  return { activation, name, parameters: activation.parameters({ alpha, scale, beta }) };
}

const rows = new Map<string, number>();

/** Native parameters of an activation: its row, -1 for none, and its own parameters. */
function epilogueParameters({ name, parameters }: Applied): number[] {
  if (rows.size === 0) [...activationTable().keys()].forEach((row, index) => rows.set(row, index));
  return name === 'linear' ? [-1] : [rows.get(name)!, ...parameters];
}

/** The bias as [columns] in the result's dtype, or null if it varies along other axes too. */
function columnBias(bias: Tensor, shape: Shape, like: Tensor): Tensor | null {
  const columns = shape[shape.length - 1]!;
  if (bias.rank === 0 || bias.size !== columns || bias.shape[bias.rank - 1] !== columns) return null;
  return reshape(cast(bias, like.dtype), [columns]);
}

function convertBias(op: string, options: Epilogue, like: Tensor, shape: Shape): Tensor | null {
  if (options.bias === undefined || options.bias === null) return null;
  const bias = convert(op, 'bias', options.bias, like);
  sameBackend(op, like, bias);
  const added = shape.length - bias.rank;
  if (added < 0 || !bias.shape.every((size, axis) => size === 1 || size === shape[added + axis])) {
    throw invalid('ERR_SHAPE', op, 'bias', `a shape that broadcasts to [${shape.join(',')}]`, [...bias.shape]);
  }
  return bias;
}

/** A product of two operands that the native op can end with bias and activation. */
interface Core {
  readonly native: NativeOp;
  readonly operands: readonly [Tensor, Tensor];
  readonly shape: Shape;
  readonly params: readonly number[];
  /** Gradients of the two operands, given that of the product. */
  readonly gradients: (dz: Tensor, wanted: readonly boolean[], offers: readonly Offer[]) => readonly InputGradient[];
  /** That of the second operand together with that of a bias; null where one pass does not give both. */
  readonly withBias?: (dz: Tensor, bias: Tensor) => [Tensor, Tensor] | null;
}

/** Dropout behind the activation, by the draws of a stamp. */
interface Dropped {
  readonly mask: Mask;
  readonly stamp: Tensor;
}

/** dropout(activation(product + bias)) by one native op. */
function runFused(core: Core, bias: Tensor | null, applied: Applied, dropped: Dropped | null = null): Tensor {
  const { operands, shape } = core;
  const { backend, dtype } = operands[0];
  const { saves } = applied.activation.facts;
  const y = new Tensor<Shape>(backend, shape, dtype);
  // What the activation's derivative takes, kept for the gradient alone: its input, or behind dropout its output.
  const keeps = isRecording() && (saves === 'input' || (dropped !== null && applied.name !== 'linear'));
  const kept = keeps ? new Tensor<Shape>(backend, shape, dtype) : null;
  const outputs = [y, ...(kept === null ? [] : [kept])];
  run(
    backend,
    core.native,
    dropped === null ? (bias === null ? operands : [...operands, bias]) : [...operands, bias, dropped.stamp],
    outputs.map((holder) => ({ holder, shape, dtype })),
    [...core.params, ...epilogueParameters(applied), ...(dropped === null ? [] : maskParameters(dropped.mask))],
  );
  if (!isRecording()) return y;
  const inputs = bias === null ? operands : [...operands, bias];
  const backward: Backward = ([dy = null, dKept = null], wanted, offers) => {
    const through = dy === null || dropped === null ? dy : maskedGradient(dy, dropped.stamp, dropped.mask);
    const [dActive, dPre] = saves === 'input' ? [through, dKept] : [sum(through, dKept), null];
    if (applied.name === 'linear' && bias !== null && dActive !== null && wanted[1] && !isRecording()) {
      const both = core.withBias?.(dActive, bias) ?? null;
      if (both !== null) return [core.gradients(dActive, [wanted[0]!, false], offers)[0]!, ...both];
    }
    const [dz, dBias] = epilogueGradients(dActive, dPre, kept ?? y, bias, applied);
    if (dz === null) return [null, null, null];
    return [...core.gradients(dz, wanted, offers), dBias];
  };
  const slope = {
    saved: applied.name === 'linear' ? null : (kept ?? y),
    stamp: dropped?.stamp ?? null,
    parameters: [...epilogueParameters(applied), ...(dropped === null ? [] : backwardMaskParameters(dropped.mask))],
    bias,
  };
  const below = {
    slope,
    backward: ({ dz, dBias }: Descent, wanted: readonly boolean[], offers: readonly Offer[]) => [
      ...core.gradients(dz, wanted, offers),
      dBias,
    ],
  };
  const idle = slope.saved === null && slope.stamp === null && bias === null;
  record(outputs, inputs, backward, idle ? {} : { below });
  return y;
}

/** Of two gradients of one tensor, either of which may be missing. */
function sum(a: Tensor | null, b: Tensor | null): Tensor | null {
  return a === null || b === null ? (a ?? b) : add(a, b);
}

/** Gradients of the product and of the bias, from those of the result and, in second derivatives, of what was kept. */
function epilogueGradients(
  dy: Tensor | null,
  dPre: Tensor | null,
  saved: Tensor,
  bias: Tensor | null,
  { activation, name, parameters }: Applied,
): [Tensor | null, Tensor | null] {
  let dz: Tensor | null = null;
  let dBias: Tensor | null = null;
  if (dy !== null && bias !== null) [dz, dBias] = biasGradients(dy, saved, bias, name, parameters);
  else if (dy !== null) dz = name === 'linear' ? dy : activation.applyBackward(dy, saved, parameters);
  if (dPre === null) return [dz, dBias];
  const added = bias === null ? null : sumTo(dPre, bias.shape);
  return [dz === null ? dPre : add(dz, dPre), dBias === null || added === null ? added : add(dBias, added)];
}

/** Bias and activation by ops of their own, where the native op cannot take them; then prelu or a formula. */
function finish(options: Epilogue, y: Tensor, bias: Tensor | null, applied: Applied): Tensor {
  const sum = bias === null ? y : add(y, bias);
  const active = applied.name === 'linear' ? sum : applied.activation.apply(sum, applied.parameters);
  const formula = formulaOf(options);
  if (formula !== null) return formula(active);
  return options.preluActivationWeights === undefined ? active : prelu(active, options.preluActivationWeights);
}

const shaped = (y: Tensor, shape: Shape): Tensor => (sameShape(y.shape, shape) ? y : reshape(y, shape));

/** No activation; a function, since importing the library must not load the addon. */
const none = (): Applied => ({ activation: activationNamed('linear'), name: 'linear', parameters: [] });

interface Dropout {
  readonly kind: 'dropout' | 'alphaDropout';
  readonly rate: number;
  readonly seed: Seed | undefined;
  readonly mask: Mask;
}

function checkDropout(op: string, { rate, kind = 'dropout', seed }: NonNullable<FusedMatMul['dropout']>): Dropout {
  if (kind !== 'dropout' && kind !== 'alphaDropout') {
    throw invalid('ERR_ARGUMENT', op, 'dropout.kind', "'dropout' or 'alphaDropout'", kind);
  }
  return { kind, rate, seed, mask: kind === 'dropout' ? dropoutMask(op, rate) : alphaMask(op, rate) };
}

/**
 * dropout(activation(a b + bias)): a dense layer in one op.
 * @param options a, b, transposeA, transposeB as matMul's; bias, usually [n]; activation by name with its alpha, scale or beta;
 *   preluActivationWeights with 'prelu'; dropout {rate, kind, seed}.
 * @returns [..., m, n].
 * @throws As matMul, and for unknown activations, parameters out of range and a bias that does not broadcast.
 */
export function matMul(options: FusedMatMul): Tensor {
  const op = 'fused.matMul';
  const { transposeA = false, transposeB = false } = options;
  const applied = resolve(op, options);
  const { a, b, shape } = product(op, options.a, options.b, transposeA, transposeB);
  const bias = convertBias(op, options, a, shape);
  const columns = bias === null ? null : columnBias(bias, shape, a);
  const drop = options.dropout === undefined ? null : checkDropout(op, options.dropout);
  // Dropout comes last: behind prelu or a formula it is an op of its own.
  const fusesDropout = drop !== null && drop.mask.threshold > 0 && !comesBehind(options);
  let y: Tensor;
  if (!isFloat(a.dtype) || (bias !== null && columns === null)) {
    y = finish(options, plainMatMul(a, b, transposeA, transposeB), bias, applied);
  } else {
    // One b for every batch is one taller product, and its gradient by b needs no sum over batches.
    const folds = a.rank > 2 && b.rank === 2 && !transposeA;
    const inner = a.shape[a.rank - 1]!;
    const left = folds ? reshape(a, [sizeOf(a.shape.slice(0, -1)), inner]) : a;
    const factors = { a: left, b, transposeA, transposeB };
    const core: Core = {
      native: MATMUL,
      operands: [left, b],
      shape: folds ? [left.shape[0]!, shape[shape.length - 1]!] : shape,
      params: [Number(transposeA), Number(transposeB)],
      gradients: (dz, wanted, offers) => productBackward(dz, factors, wanted, offers),
      withBias: (dz, columns) => productSums(dz, factors, columns),
    };
    if (fusesDropout) {
      const { mask, seed } = drop;
      return withStamp(op, a.backend, seed, (stamp) =>
        shaped(runFused(core, columns, applied, { mask, stamp }), shape),
      );
    }
    y = finish(options, shaped(runFused(core, columns, applied), shape), null, none());
  }
  return drop === null
    ? y
    : drop.kind === 'dropout'
      ? dropout(y, drop.rate, undefined, drop.seed)
      : alphaDropout(y, drop.rate, drop.seed);
}

/**
 * activation(conv2d(x, filter) + bias): a convolutional layer in one op.
 * @param options x, filter, strides, pad, dataFormat, dilations, groups as conv2d's; bias, usually [outChannels]; activation by name
 *   with its alpha, scale or beta; preluActivationWeights with 'prelu'.
 * @returns [batch, outHeight, outWidth, outChannels], or without the batch axis.
 * @throws As conv2d, and for unknown activations, parameters out of range and a bias that does not broadcast.
 */
export function conv2d(options: FusedConv2d): Tensor {
  const op = 'fused.conv2d';
  const { strides, pad, dilations = [1, 1], groups } = options;
  checkLayout(op, options.dataFormat ?? 'NHWC', options.dimRoundingMode);
  const applied = resolve(op, options);
  const operands = convolutionOperands(op, options.x, options.filter, strides, pad, dilations, 'outChannels', groups);
  const { x, filter, windows, single } = operands;
  const shape = CONV2D.outputShape(x, filter, windows);
  const bias = convertBias(op, options, x, shape);
  const columns = bias === null ? null : columnBias(bias, shape, x);
  if (bias !== null && columns === null) {
    return unbatch(finish(options, CONV2D.y(x, filter, windows), bias, applied), single);
  }
  const core: Core = {
    native: CONV2D.forward,
    operands: [x, filter],
    shape,
    params: geometry(windows),
    gradients: (dz, wanted, offers) => CONV2D.backward(dz, x, filter, windows, wanted, offers),
  };
  return unbatch(finish(options, runFused(core, columns, applied), null, none()), single);
}
