// Where random numbers come from: a Philox seed and offset in each device's memory. An op takes its stamp from there on the
// device and the offset moves on, so that a recorded step draws fresh numbers each time it is replayed.
import { randomInt } from 'node:crypto';
import { invalid } from '../errors.js';
import { isRecording } from '../autograd/tape.js';
import { NativeOp, run, type Backend } from './backend.js';
import { makeOne, Tensor } from './tensor.js';
import { withoutScope } from './scope.js';

const STAMP = new NativeOp('rng_stamp');
const NEXT = new NativeOp('rng_next');
/** Seed and offset, as 32-bit words. */
const SHAPE = [4];

const states = new Map<Backend, Tensor>();
/** Given by setSeed(); devices opened later start from it too. */
let chosenSeed: number | undefined;
/** For each device a seed and an offset, as four unsigned 32-bit words. */
export type DeviceWords = Readonly<Record<string, readonly number[]>>;

async function wordsOf(
  tensors: ReadonlyMap<Backend, Tensor>,
  unopened: Iterable<readonly [string, readonly number[]]>,
): Promise<DeviceWords> {
  const devices: Record<string, readonly number[]> = Object.fromEntries(unopened);
  for (const [{ device }, tensor] of tensors) {
    devices[device] = Array.from((await tensor.data()) as Int32Array, (word) => word >>> 0);
  }
  return devices;
}

/** Words given by setRandomState() for devices that are not open yet. */
const restored = new Map<string, readonly number[]>();
/** How many seeds the host has drawn since setSeed(). */
let hostDraws = 0;

/** The two 32-bit words of a seed; negative seeds in two's complement. */
function seedWords(seed: number): [low: number, high: number] {
  const high = Math.floor(seed / 2 ** 32);
  return [seed - high * 2 ** 32, high >>> 0];
}

/** Checks a seed given by the user. */
export function checkSeed(op: string, seed: unknown): asserts seed is number {
  if (!Number.isSafeInteger(seed)) throw invalid('ERR_ARGUMENT', op, 'seed', 'a safe integer', seed);
}

function stateOf(backend: Backend): Tensor {
  const known = states.get(backend);
  if (known !== undefined) return known;
  const words = restored.get(backend.device) ?? [...seedWords(chosenSeed ?? randomInt(2 ** 47)), 0, 0];
  restored.delete(backend.device);
  const state = makeState(backend, words);
  states.set(backend, state);
  return state;
}

function makeState(backend: Backend, words: readonly number[]): Tensor {
  const state = withoutScope(() => makeOne(backend, STAMP, [], SHAPE, 'int32', words));
  state.kept = true;
  backend.addon.markVariable(state.id);
  return state;
}

/**
 * Random numbers of their own that follow from a seed. In a seed's place each draw takes the next of them, where the seed
 * itself would give the same every time.
 */
export class RandomStream {
  private readonly states = new Map<Backend, Tensor>();
  private restored: DeviceWords = {};

  constructor(
    op: string,
    readonly seed: number,
  ) {
    checkSeed(op, seed);
  }
  /** @internal */
  stateOf(backend: Backend): Tensor {
    let state = this.states.get(backend);
    if (state === undefined) {
      const words = this.restored[backend.device] ?? [...seedWords(this.seed), 0, 0];
      this.states.set(backend, (state = makeState(backend, words)));
    }
    return state;
  }

  /** Where the stream stands on each device it was used on: JSON. Waits for the devices. */
  async getState(): Promise<DeviceWords> {
    return wordsOf(this.states, Object.entries(this.restored));
  }
  /** Lets the stream go on from where `getState()` found it. */
  setState(devices: DeviceWords): void {
    this.restored = devices;
    for (const [backend, state] of this.states) {
      const words = devices[backend.device] ?? [...seedWords(this.seed), 0, 0];
      run(backend, STAMP, [], [{ id: state.id }], [...words]);
    }
  }
}

/** What ops that draw take: a seed gives the same numbers every time, a stream its next ones. */
export type Seed = number | RandomStream;

/**
 * Makes what follows repeatable: random numbers, initial weights, dropout masks and shuffles start again from this seed, on
 * every device of this JavaScript thread. Without it the seed is drawn from the system.
 * @param seed Any safe integer.
 */
export function setSeed(seed: number): void {
  checkSeed('setSeed', seed);
  chosenSeed = seed;
  hostDraws = 0;
  restored.clear();
  for (const [backend, state] of states) run(backend, STAMP, [], [{ id: state.id }], [...seedWords(seed), 0, 0]);
}

/** Where all random numbers of this JavaScript thread stand: JSON. */
export interface RandomState {
  /** What setSeed() was given; null when it was not called. */
  readonly seed: number | null;
  /** How many seeds the host has drawn since. */
  readonly hostDraws: number;
  readonly devices: DeviceWords;
}

/** Where the random numbers stand. Waits for the devices. */
export async function getRandomState(): Promise<RandomState> {
  const [seed, draws] = [chosenSeed ?? null, hostDraws];
  return { seed, hostDraws: draws, devices: await wordsOf(states, restored) };
}

/**
 * Lets random numbers go on from where `getRandomState()` found them, bit for bit.
 * @throws ArgumentError for anything else.
 */
export function setRandomState(state: RandomState): void {
  const { seed, hostDraws: draws, devices } = state ?? {};
  const isWord = (word: unknown): boolean => Number.isInteger(word) && (word as number) >>> 0 === word;
  const valid =
    (seed === null || Number.isSafeInteger(seed)) &&
    Number.isSafeInteger(draws) &&
    typeof devices === 'object' &&
    devices !== null &&
    Object.values(devices).every((words) => Array.isArray(words) && words.length === 4 && words.every(isWord));
  if (!valid) throw invalid('ERR_ARGUMENT', 'setRandomState', 'state', 'what getRandomState() gave', state);
  chosenSeed = seed ?? undefined;
  hostDraws = draws;
  restored.clear();
  for (const [device, words] of Object.entries(devices)) restored.set(device, words);
  for (const [backend, tensor] of states) {
    const words = restored.get(backend.device);
    if (words !== undefined) run(backend, STAMP, [], [{ id: tensor.id }], [...words]);
    restored.delete(backend.device);
  }
}

/**
 * @internal Seed words for what the host draws (shuffles): after setSeed() the next of those that follow from it, else the
 * system's. The device's state takes no part: reading it would wait for the device.
 */
export function nextHostSeed(): readonly number[] {
  return chosenSeed === undefined ? [randomInt(2 ** 47)] : [...seedWords(chosenSeed), hostDraws++];
}

/**
 * @internal Lets draws on a device and of streams go another way than those of the same seed elsewhere; done again with the
 * same word, back. Waits for the device.
 */
export async function divertRandomState(
  backend: Backend,
  streams: readonly RandomStream[],
  word: number,
): Promise<void> {
  for (const state of [stateOf(backend), ...streams.map((stream) => stream.stateOf(backend))]) {
    const [low, high, ...offset] = Array.from((await state.data()) as Int32Array, (one) => one >>> 0);
    run(backend, STAMP, [], [{ id: state.id }], [low!, (high! ^ word) >>> 0, ...offset]);
  }
}

/**
 * @internal The stamp from which an op draws: with a seed the seed's own, the same every time; else the next of the stream's
 * or the device's state.
 */
export function drawStamp(op: string, backend: Backend, seed: Seed | undefined): Tensor {
  if (seed !== undefined && !(seed instanceof RandomStream)) {
    checkSeed(op, seed);
    return makeOne(backend, STAMP, [], SHAPE, 'int32', [...seedWords(seed), 0, 0]);
  }
  const state = seed === undefined ? stateOf(backend) : seed.stateOf(backend);
  const stamp = new Tensor(backend, SHAPE, 'int32');
  run(backend, NEXT, [], [{ id: state.id }, { holder: stamp, shape: SHAPE, dtype: 'int32' }]);
  return stamp;
}

/** @internal Runs an op on a stamp, and frees the stamp at once where no gradient will draw from it again. */
export function withStamp<T>(op: string, backend: Backend, seed: Seed | undefined, body: (stamp: Tensor) => T): T {
  const stamp = drawStamp(op, backend, seed);
  const result = body(stamp);
  if (!isRecording()) stamp.dispose();
  return result;
}
