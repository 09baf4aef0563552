// All that decides how a training goes on, as tensors by name and JSON: weights, the optimizer, random numbers, the order of
// samples, how far the epoch is, and what callbacks remember. Restored, the same data gives the same bits.
import { invalid } from '../errors.js';
import type { Callback } from '../callbacks/callback.js';
import { clone } from '../ops/reshape.js';
import type { NamedTensor, Optimizer } from '../optimizers/optimizer.js';
import { getRandomState, setRandomState, type DeviceWords, type RandomState } from '../tensor/random-state.js';
import { sameShape } from '../tensor/shape.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Progress } from './fit-loop.js';
import type { Model } from './model.js';
import { RunningSums, type SumsState } from './running-sums.js';

/** A training at rest. `values` is JSON; `tensors` fit a safetensors file. */
export interface TrainingState {
  readonly values: Readonly<Record<string, unknown>>;
  readonly tensors: readonly NamedTensor[];
}

interface Values {
  readonly epoch: number;
  readonly batch: number;
  readonly sums: SumsState | null;
  readonly orderSeed: readonly number[] | null;
  readonly random: RandomState;
  /** Streams of layers with seeds of their own, in the order of layers. */
  readonly streams: readonly DeviceWords[];
  readonly learningRate: number | null;
  readonly callbacks: readonly (Readonly<Record<string, number | string | boolean | null>> | null)[];
}

/** In front of the weights' names. */
export const MODEL_TENSORS = 'model/';
const OPTIMIZER = 'optimizer/';
const CALLBACK = 'callback/';

/** What is kept of a training between calls of fit. */
export interface Standing {
  progress: Progress;
  /** Seed words of the samples' orders. */
  orderSeed: readonly number[] | null;
  callbacks: readonly Callback[];
}

/** The state now; its tensors are copies. */
export async function captureState(
  model: Model,
  optimizer: Optimizer,
  { progress, orderSeed, callbacks }: Standing,
): Promise<TrainingState> {
  const { epoch, batch, sums } = progress;
  const tensors: NamedTensor[] = model
    .namedWeights()
    .map(({ name, variable }) => ({ name: MODEL_TENSORS + name, tensor: clone(optimizer.trainedValues(variable)) }));
  const states = callbacks.map((callback) => callback.getState());
  states.forEach((state, i) => {
    for (const { name, tensor } of state?.tensors ?? []) tensors.push({ name: `${CALLBACK}${i}/${name}`, tensor });
  });
  const slots = await optimizer.getWeights();
  tensors.push(...slots.map(({ name, tensor }) => ({ name: OPTIMIZER + name, tensor })));
  const values: Values = {
    epoch,
    batch,
    sums: sums instanceof RunningSums ? await sums.state() : sums,
    orderSeed,
    random: await getRandomState(),
    streams: await Promise.all(model.randomStreams.map((stream) => stream.getState())),
    // A schedule is the optimizer's own: it goes on by the step count.
    learningRate: optimizer.schedule === null ? optimizer.learningRate : null,
    callbacks: states.map((state) => state?.values ?? null),
  };
  return { values: { ...values }, tensors };
}

/** Training as it is to go on. */
export interface Restored {
  readonly progress: Progress;
  readonly orderSeed: readonly number[] | null;
  /** Tells the callbacks of the next fit, which must be those of before, in their order. */
  readonly tell: (callbacks: readonly Callback[]) => void;
}

function checked(op: string, state: TrainingState): Values {
  const values = state?.values as Partial<Values> | undefined;
  const valid =
    Array.isArray(state?.tensors) &&
    Number.isSafeInteger(values?.epoch) &&
    Number.isSafeInteger(values?.batch) &&
    Array.isArray(values?.streams) &&
    Array.isArray(values?.callbacks);
  if (!valid) throw invalid('ERR_ARGUMENT', op, 'state', 'what trainingState() gave', state);
  return values as Values;
}

/**
 * Puts weights, optimizer and random numbers back.
 * @throws ArgumentError or ShapeError when the state is of another model; nothing has changed then.
 */
export async function restoreState(model: Model, optimizer: Optimizer, state: TrainingState): Promise<Restored> {
  const op = `${model.name}.setTrainingState`;
  const { epoch, batch, sums, orderSeed, random, streams, learningRate, callbacks: remembered } = checked(op, state);
  const byName = new Map<string, Tensor>(state.tensors.map(({ name, tensor }) => [name, tensor]));
  const weights = model.namedWeights().map(({ name, variable }) => {
    const tensor = byName.get(MODEL_TENSORS + name);
    if (tensor === undefined) throw invalid('ERR_ARGUMENT', op, 'state', `a weight ${name}`, 'none');
    if (!sameShape(tensor.shape, variable.shape)) {
      throw invalid('ERR_SHAPE', op, name, `shape [${variable.shape.join(',')}]`, [...tensor.shape]);
    }
    return tensor;
  });
  const under = (prefix: string): NamedTensor[] =>
    state.tensors
      .filter(({ name }) => name.startsWith(prefix))
      .map(({ name, tensor }) => ({ name: name.slice(prefix.length), tensor }));
  await optimizer.setWeights(under(OPTIMIZER));
  if (learningRate !== null) optimizer.learningRate = learningRate;
  setRandomState(random);
  model.randomStreams.forEach((stream, i) => stream.setState(streams[i] ?? {}));
  model.setWeights(weights);
  optimizer.leaveAverages();
  const states = remembered.map((values, i) =>
    values === null
      ? null
      : { values, tensors: under(`${CALLBACK}${i}/`).map(({ name, tensor }) => ({ name, tensor: clone(tensor) })) },
  );
  const tell = (callbacks: readonly Callback[]): void =>
    callbacks.forEach((callback, i) => {
      if (states[i]) callback.setState(states[i]);
    });
  return { progress: { epoch, batch, sums }, orderSeed, tell };
}
