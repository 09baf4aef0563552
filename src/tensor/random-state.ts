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
  const state = makeState(backend, chosenSeed ?? randomInt(2 ** 47));
  states.set(backend, state);
  return state;
}

function makeState(backend: Backend, seed: number): Tensor {
  const state = withoutScope(() => makeOne(backend, STAMP, [], SHAPE, 'int32', [...seedWords(seed), 0, 0]));
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

  constructor(
    op: string,
    readonly seed: number,
  ) {
    checkSeed(op, seed);
  }
  /** @internal */
  stateOf(backend: Backend): Tensor {
    let state = this.states.get(backend);
    if (state === undefined) this.states.set(backend, (state = makeState(backend, this.seed)));
    return state;
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
  for (const [backend, state] of states) run(backend, STAMP, [], [{ id: state.id }], [...seedWords(seed), 0, 0]);
}

/**
 * @internal Seed words for what the host draws (shuffles): after setSeed() the next of those that follow from it, else the
 * system's. The device's state takes no part: reading it would wait for the device.
 */
export function nextHostSeed(): readonly number[] {
  return chosenSeed === undefined ? [randomInt(2 ** 47)] : [...seedWords(chosenSeed), hostDraws++];
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
