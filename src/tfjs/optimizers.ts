// Optimizer steps in one native call. tfjs composes a step of about ten kernels for each variable; while our backend is the
// active one, its Adam, RMSProp, Adagrad and SGD change variables and slots in place instead. Their state stays where tfjs
// keeps it, so that saving, loading and switching backends work as ever.
import * as tf from '@tensorflow/tfjs-core';
import type { Optimizer, Tensor as TfTensor, Variable } from '@tensorflow/tfjs-core';
import { progressAt } from '../optimizers/state.js';
import { NativeOp, run } from '../tensor/backend.js';
import { sameShape } from '../tensor/shape.js';
import { withoutScope } from '../tensor/scope.js';
import { makeFromBytes, type Tensor } from '../tensor/tensor.js';
import { SelfnormBackend } from './backend.js';

/** A slot as tfjs's optimizers keep it. */
interface Slot {
  originalName: string;
  variable: Variable;
}

/** What all of tfjs's optimizers have, parts that its types call protected among them. */
interface Internals {
  learningRate: number;
  iterations: number;
  incrementIterations(): void;
}

/** Slots by the field that holds them. */
interface SlotKind {
  readonly slots: (optimizer: Internals) => Slot[];
  readonly suffix: string;
  readonly initial: (optimizer: Internals) => number;
}

/** One of tfjs's optimizers and the native rule that takes its steps. */
interface FusedRule {
  readonly optimizer: { prototype: Optimizer };
  readonly op: (optimizer: Internals) => NativeOp | null;
  readonly slots: readonly SlotKind[];
  /** How many of the slots the native rule takes; all by default. */
  readonly used?: (optimizer: Internals) => number;
  /** Settings of the native rule for the step with this number, from 1. */
  readonly settings: (optimizer: Internals, step: number) => number[];
  /** Brings up to date what the native step leaves behind, before tfjs takes a step of its own. */
  readonly catchUp?: (optimizer: Internals) => void;
}

interface AdamInternals extends Internals {
  beta1: number;
  beta2: number;
  epsilon: number;
  accBeta1: Variable;
  accBeta2: Variable;
  accumulatedFirstMoment: Slot[];
  accumulatedSecondMoment: Slot[];
}
interface RmsPropInternals extends Internals {
  decay: number;
  momentum: number;
  epsilon: number;
  centered: boolean;
  accumulatedMeanSquares: Slot[];
  accumulatedMoments: Slot[];
}
interface AdagradInternals extends Internals {
  initialAccumulatorValue: number;
  accumulatedGrads: Slot[];
}

const ADAM = new NativeOp('adam');
const RMSPROP = new NativeOp('rmsprop');
const ADAGRAD = new NativeOp('adagrad');
const SGD = new NativeOp('sgd');
const zero = (): number => 0;

const RULES: readonly FusedRule[] = [
  {
    optimizer: tf.AdamOptimizer,
    op: () => ADAM,
    slots: [
      { slots: (one) => (one as AdamInternals).accumulatedFirstMoment, suffix: 'm', initial: zero },
      { slots: (one) => (one as AdamInternals).accumulatedSecondMoment, suffix: 'v', initial: zero },
    ],
    // tfjs adds epsilon to the corrected root, the native rule to the root itself: the same once it is scaled alike.
    settings: (one, step) => {
      const { beta1, beta2, epsilon } = one as AdamInternals;
      return [beta1, beta2, epsilon * Math.sqrt(1 - beta2 ** step)];
    },
    catchUp: (one) => {
      const { accBeta1, accBeta2, beta1, beta2, iterations } = one as AdamInternals;
      tf.tidy(() => {
        accBeta1.assign(tf.scalar(beta1 ** (iterations + 1)));
        accBeta2.assign(tf.scalar(beta2 ** (iterations + 1)));
      });
    },
  },
  {
    optimizer: tf.RMSPropOptimizer,
    // Centred, tfjs subtracts epsilon where Keras and the native rule add it.
    op: (one) => ((one as RmsPropInternals).centered ? null : RMSPROP),
    slots: [
      { slots: (one) => (one as RmsPropInternals).accumulatedMeanSquares, suffix: 'rms', initial: zero },
      { slots: (one) => (one as RmsPropInternals).accumulatedMoments, suffix: 'momentum', initial: zero },
    ],
    // Without momentum the native rule has no use for the second slot, which tfjs makes and saves all the same.
    used: (one) => ((one as RmsPropInternals).momentum === 0 ? 1 : 2),
    settings: (one) => {
      const { decay, momentum, epsilon } = one as RmsPropInternals;
      return [decay, momentum, epsilon, 0];
    },
  },
  {
    optimizer: tf.AdagradOptimizer,
    op: () => ADAGRAD,
    slots: [
      {
        slots: (one) => (one as AdagradInternals).accumulatedGrads,
        suffix: 'accumulator',
        initial: (one) => (one as AdagradInternals).initialAccumulatorValue,
      },
    ],
    settings: () => [tf.backend().epsilon()],
  },
  { optimizer: tf.SGDOptimizer, op: () => SGD, slots: [], settings: () => [] },
];

/** Variables of one native call: with two slots each they fit its 512 operands. */
const MOST_VARIABLES = 120;

/** What a native step reads on the device, for one optimizer. */
interface Progress {
  /** [0, learning rate]: a constant schedule. */
  readonly schedule: Tensor;
  /** OptimizerProgress of cuda/kernels/optimizer_rules.h. */
  readonly progress: Tensor;
  learningRate: number;
  step: number;
}

const bytesOf = (values: readonly number[]): Uint8Array => new Uint8Array(Float64Array.from(values).buffer);

const states = new WeakMap<Optimizer, Progress>();

/** The state of an optimizer on the device, brought to its step and learning rate. */
function stateOf(optimizer: Optimizer, { learningRate, iterations }: Internals, { device }: SelfnormBackend): Progress {
  let state = states.get(optimizer);
  if (state === undefined || state.progress.backend !== device) {
    const make = (bytes: Uint8Array): Tensor =>
      withoutScope(() => makeFromBytes(device, bytes, [bytes.length / 8], 'float64'));
    state = {
      schedule: make(bytesOf([0, learningRate])),
      progress: make(progressAt(iterations)),
      learningRate,
      step: iterations,
    };
    states.set(optimizer, state);
  }
  if (state.learningRate !== learningRate) {
    device.addon.write(state.schedule.id, bytesOf([0, learningRate]));
    state.learningRate = learningRate;
  }
  if (state.step !== iterations) {
    device.addon.write(state.progress.id, progressAt(iterations));
    state.step = iterations;
  }
  return state;
}

type Gradients = Parameters<Optimizer['applyGradients']>[0];

/** A variable that a step changes, with its gradient and slots. */
interface Change {
  readonly variable: Variable;
  readonly gradient: TfTensor;
  readonly slots: Variable[];
}

function makeSlot(name: string, { suffix, initial }: SlotKind, value: Variable, optimizer: Internals): Slot {
  const variable = tf.tidy(() => tf.fill(value.shape, initial(optimizer)).variable(false));
  return { originalName: `${name}/${suffix}`, variable };
}

/** What a step changes; slots are made as tfjs makes them, in the order of the gradients. */
function changesOf(gradients: Gradients, kinds: readonly SlotKind[], optimizer: Internals): Change[] {
  const list = Array.isArray(gradients)
    ? gradients
    : Object.entries(gradients).map(([name, tensor]) => ({ name, tensor }));
  const variables = tf.engine().registeredVariables;
  const changes: Change[] = [];
  list.forEach(({ name, tensor }, i) => {
    const variable = variables[name]!;
    const slots = kinds.map(
      (kind) => (kind.slots(optimizer)[i] ??= makeSlot(name, kind, variable, optimizer)).variable,
    );
    if (tensor != null) changes.push({ variable, gradient: tensor, slots });
  });
  return changes;
}

/** Whether the native step may overwrite what it changes: float32 that nobody else holds. */
function isFusable(changes: Change[], backend: SelfnormBackend): boolean {
  return changes.every(
    ({ variable, gradient, slots }) =>
      variable.dtype === 'float32' &&
      gradient.dtype === 'float32' &&
      sameShape(variable.shape, gradient.shape) &&
      [variable, ...slots].every((one) => backend.isSole(one.dataId)),
  );
}

/** Takes the step natively; false: it is tfjs's to take. */
function step(rule: FusedRule, optimizer: Optimizer, gradients: Gradients, backend: SelfnormBackend): boolean {
  const internals = optimizer as unknown as Internals;
  const op = rule.op(internals);
  if (op === null) return false;
  const changes = changesOf(gradients, rule.slots, internals);
  if (!isFusable(changes, backend)) return false;
  const state = stateOf(optimizer, internals, backend);
  const used = rule.used?.(internals) ?? rule.slots.length;
  const settings = rule.settings(internals, internals.iterations + 1);
  for (let first = 0; first < Math.max(changes.length, 1); first += MOST_VARIABLES) {
    const part = changes.slice(first, first + MOST_VARIABLES);
    const inputs = [state.schedule, null, ...part.map(({ gradient }) => backend.tensor(gradient))];
    const written = part.flatMap(({ variable, slots }) => [variable, ...slots.slice(0, used)]);
    const outputs = written.map((one) => {
      backend.forgetViews(one.dataId);
      return { id: backend.tensor(one).id };
    });
    // Counted by the first call; no clipping, no decay of weights, no least value, no scale of the loss.
    const common = [first === 0 ? 1 : 0, 0, 0, 0, 0, -Infinity, 0];
    run(backend.device, op, inputs, [{ id: state.progress.id }, ...outputs], [...common, ...settings]);
  }
  internals.incrementIterations();
  state.step = internals.iterations;
  return true;
}

/** Optimizers whose last steps were native: tfjs's own state lags behind. */
const behind = new WeakSet<Optimizer>();

/** Lets tfjs's optimizers take their steps natively while our backend is the active one. */
export function fuseOptimizers(): void {
  for (const rule of RULES) {
    const { prototype } = rule.optimizer;
    // eslint-disable-next-line @typescript-eslint/unbound-method
    const composed = prototype.applyGradients;
    prototype.applyGradients = function (this: Optimizer, gradients: Gradients): void {
      const backend = tf.backend();
      if (backend instanceof SelfnormBackend && step(rule, this, gradients, backend)) {
        behind.add(this);
        return;
      }
      if (behind.delete(this)) rule.catchUp?.(this as unknown as Internals);
      composed.call(this, gradients);
    };
  }
}
