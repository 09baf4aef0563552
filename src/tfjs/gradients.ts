// Gradients of activations in one native kernel each, where tfjs composes several. They stand in the place of tfjs's own while
// our backend is the active one; other backends get what they had.
import * as tf from '@tensorflow/tfjs-core';
import type { GradConfig, LeakyReluAttrs, NamedAttrMap, Tensor } from '@tensorflow/tfjs-core';
import { activationNamed, type ActivationName } from '../ops/activation.js';
import { SelfnormBackend } from './backend.js';
import {
  ACTIVATION_GRADIENT,
  ACTIVATION_SECOND,
  PRELU_GRADIENT,
  type ActivationGradientAttributes,
} from './kernels/activations.js';

const isOurs = (): boolean => tf.backend() instanceof SelfnormBackend;

/** Gradients by operand, each computed when it is asked for. */
type Gradients = Record<string, () => Tensor>;
type GradientFunction = (dy: Tensor, saved: Tensor[], attributes: NamedAttrMap) => Gradients;

interface Replacement {
  readonly kernelName: string;
  readonly inputsToSave: () => string[];
  readonly outputsToSave: () => boolean[];
  readonly gradient: GradientFunction;
}

/** Puts our gradient before the one that is registered; what is kept for it is asked for anew by each forward pass. */
function replace({ kernelName, inputsToSave, outputsToSave, gradient }: Replacement): void {
  const before = tf.getGradient(kernelName) as GradConfig | undefined;
  tf.registerGradient({
    kernelName,
    get inputsToSave() {
      return isOurs() ? inputsToSave() : before?.inputsToSave;
    },
    get outputsToSave() {
      return isOurs() ? outputsToSave() : before?.outputsToSave;
    },
    gradFunc: (dy, saved, attributes) =>
      isOurs() || before === undefined
        ? gradient(dy as Tensor, saved, attributes)
        : before.gradFunc(dy, saved, attributes),
  });
}

/** Runs a kernel of ours, whose attributes are known to us alone. */
const runKernel = <T>(name: string, inputs: Record<string, Tensor>, attributes: object = {}): T =>
  tf.engine().runKernel(name, inputs, attributes as NamedAttrMap) as T;

/** The derivative has the same form in the input as in the output: the input is kept, as tfjs does. */
const FROM_INPUT: ReadonlySet<ActivationName> = new Set(['relu', 'relu6', 'leakyRelu']);

/** Whether a gradient is being taken of a gradient. */
const isNested = (): boolean => tf.engine().state.gradientDepth > 1;

/** What the kernel of a gradient is told, beside its operands. */
interface GradientAttributes extends ActivationGradientAttributes {
  /** The operand x is there as well: see `replaceActivation`. */
  readonly hasInput: boolean;
}

/**
 * What is saved of an output is on tfjs's tape before the op that made it, so no second derivative would reach the op through
 * it. Where one may be asked for, the input is an operand of the gradient too, and takes the whole second derivative.
 */
function replaceActivation(
  kernelName: string,
  activation: ActivationName,
  given: (attributes: NamedAttrMap) => Record<string, number> = () => ({}),
): void {
  // Asked when a kernel runs: importing the library must not load the addon.
  const savesOutput = (): boolean =>
    !FROM_INPUT.has(activation) && activationNamed(activation).facts.saves === 'output';
  replace({
    kernelName,
    inputsToSave: () => (savesOutput() && !isNested() ? [] : ['x']),
    outputsToSave: () => (savesOutput() ? [true] : []),
    gradient: (dy, kept, attributes) => ({
      x: () => {
        const hasInput = kept.length > 1;
        const operands = { dy, saved: kept.at(-1)!, ...(hasInput ? { x: kept[0]! } : {}) };
        const parameters = activationNamed(activation).parameters(given(attributes));
        return runKernel<Tensor>(ACTIVATION_GRADIENT, operands, { activation, parameters, hasInput });
      },
    }),
  });
}

/** The gradient of a gradient: by dy the same kernel once more, by what was saved the second derivative's. */
function registerSecondGradients(): void {
  tf.registerGradient({
    kernelName: ACTIVATION_GRADIENT,
    inputsToSave: ['dy', 'saved'],
    gradFunc: (given, [dy, saved], attributes) => {
      const g = given as Tensor;
      const { hasInput } = attributes as unknown as GradientAttributes;
      const again = (upstream: Tensor): Tensor =>
        runKernel<Tensor>(ACTIVATION_GRADIENT, { dy: upstream, saved: saved! }, { ...attributes, hasInput: false });
      const second = (): Tensor => runKernel<Tensor>(ACTIVATION_SECOND, { g, dy: dy!, saved: saved! }, attributes);
      return {
        dy: () => again(g),
        saved: () => (hasInput ? tf.zerosLike(saved!) : second()),
        x: () => again(second()),
      };
    },
  });
}

function replacePrelu(): void {
  replace({
    kernelName: tf.Prelu,
    inputsToSave: () => ['x', 'alpha'],
    outputsToSave: () => [],
    // One after the other: tfjs frees all that a gradient makes but the gradient.
    gradient: (dy, [x, alpha]) => {
      const by = (operand: 'x' | 'alpha') => () =>
        runKernel<Tensor>(PRELU_GRADIENT, { dy, x: x!, alpha: alpha! }, { by: operand });
      return { x: by('x'), alpha: by('alpha') };
    },
  });
}

/** Replaces the gradients of activations; the registry of tfjs must have its own by then. */
export function registerGradients(): void {
  replaceActivation(tf.Elu, 'elu');
  replaceActivation(tf.LeakyRelu, 'leakyRelu', (attributes) => ({
    alpha: (attributes as unknown as LeakyReluAttrs).alpha,
  }));
  replaceActivation(tf.Relu, 'relu');
  replaceActivation(tf.Relu6, 'relu6');
  replaceActivation(tf.Selu, 'selu');
  replaceActivation(tf.Sigmoid, 'sigmoid');
  replaceActivation(tf.Softplus, 'softplus');
  replaceActivation(tf.Tanh, 'tanh');
  replacePrelu();
  registerSecondGradients();
}
