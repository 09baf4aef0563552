// A lazy sequence of elements, as in tfjs-data: nothing is read until somebody iterates, and each iteration is a pass of its own.
// Who passes an element on frees its tensors once they are used; what reaches the consumer is the consumer's.
import { createHash } from 'node:crypto';
import { failure, invalid } from '../errors.js';
import { HostRandom } from '../tensor/host-random.js';
import { tidy } from '../tensor/memory.js';
import { nextHostSeed } from '../tensor/random-state.js';
import { atElement, release, stackElements, type Batched } from './element.js';

/**
 * How elements come from the keys that a pipeline passes along. Most data sets pass the elements themselves; images in memory
 * pass their indices, so that shuffling moves numbers and a batch is gathered at once.
 */
export interface Elements<T> {
  /** Where keys are only names of what has yet to be read: called on the way out, behind shuffles and takes. */
  load?(keys: AsyncIterable<unknown>): AsyncIterable<unknown>;
  read(key: unknown): T;
  /** One batch; `start` is the index of its first element. */
  stack(keys: readonly unknown[], start: number): Batched<T>;
}

const THEMSELVES: Elements<unknown> = {
  read: (element) => element,
  stack(elements, start) {
    const batch = stackElements(elements, start);
    release(elements, batch);
    return batch;
  },
};

function loaded(keys: AsyncIterable<unknown>, elements: Elements<unknown>): AsyncIterable<unknown> {
  return elements.load === undefined ? keys : elements.load(keys);
}

function seedWordsOf(seed: number | string): readonly number[] {
  if (typeof seed === 'string') return [createHash('sha256').update(seed).digest().readUIntBE(0, 6)];
  if (Number.isSafeInteger(seed)) return [seed];
  throw invalid('ERR_ARGUMENT', 'Dataset.shuffle', 'seed', 'a safe integer or a string', seed);
}

function checkCount(op: string, argument: string, count: unknown, least: number): void {
  if (Number.isSafeInteger(count) && (count as number) >= least) return;
  throw invalid('ERR_ARGUMENT', op, argument, `an integer of at least ${least}`, count);
}

/**
 * A sequence of elements: numbers, arrays, tensors, or objects and arrays of them. Made by `data.array`, `data.generator`,
 * `data.csv`, `data.zip` and the named data sets. Iterate with `for await`, `forEachAsync` or `iterator`.
 */
export class Dataset<T> implements AsyncIterable<T> {
  /** How many elements a pass has: Infinity for an endless one, null where that is not known beforehand. */
  readonly size: number | null;
  readonly #open: () => AsyncIterable<unknown>;
  readonly #elements: Elements<T>;

  /**
   * @param open Starts a pass and gives its keys, which are the elements themselves unless `elements` says otherwise.
   * @param size As the property.
   */
  constructor(
    open: () => AsyncIterable<unknown>,
    size: number | null,
    elements: Elements<T> = THEMSELVES as Elements<T>,
  ) {
    this.#open = open;
    this.size = size;
    this.#elements = elements;
  }

  /** A data set of the same elements in another order or number. */
  #derive(open: () => AsyncIterable<unknown>, size: number | null): Dataset<T> {
    return new Dataset(open, size, this.#elements);
  }

  /** A pass over the elements. Their tensors are the caller's to free. */
  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for await (const key of loaded(this.#open(), this.#elements)) yield this.#elements.read(key);
  }

  /** A pass over the elements, one `next()` at a time; `return()` ends it early and frees what it holds. */
  iterator(): Promise<AsyncGenerator<T, void, undefined>> {
    return Promise.resolve(this[Symbol.asyncIterator]());
  }

  /** All elements of one pass. Their tensors are the caller's to free. */
  async toArray(): Promise<T[]> {
    if (this.size === Infinity) throw failure('ERR_ARGUMENT', 'Dataset.toArray', 'the data set is endless; use take()');
    const elements: T[] = [];
    for await (const element of this) elements.push(element);
    return elements;
  }

  /**
   * Calls `f` for each element, one after the other, and frees the element's tensors when it is done; `keep()` saves one.
   * @param f May be async; the next element waits for it.
   */
  async forEachAsync(f: (element: T) => void | Promise<void>): Promise<void> {
    for await (const element of this) {
      try {
        await f(element);
      } finally {
        release(element);
      }
    }
  }

  /**
   * Groups of consecutive elements: each number, array or tensor of an element becomes a tensor with a new first axis.
   * @param batchSize At least 1.
   * @param smallLastBatch Whether the elements left at the end make a smaller batch (default) or are dropped.
   * @throws ShapeError naming the element whose shape or keys differ from those of its batch's first.
   */
  batch(batchSize: number, smallLastBatch = true): Dataset<Batched<T>> {
    checkCount('Dataset.batch', 'batchSize', batchSize, 1);
    const [open, elements] = [this.#open, this.#elements];
    const whole = this.size === null ? null : this.size / batchSize;
    const size = whole === null ? null : smallLastBatch ? Math.ceil(whole) : Math.floor(whole);
    return new Dataset(async function* () {
      let keys: unknown[] = [];
      let start = 0;
      const take = (): Batched<T> => {
        const batch = elements.stack(keys, start);
        start += keys.length;
        keys = [];
        return batch;
      };
      try {
        for await (const key of loaded(open(), elements)) if (keys.push(key) === batchSize) yield take();
        if (keys.length > 0 && smallLastBatch) yield take();
      } finally {
        release(keys);
      }
    }, size);
  }

  /**
   * The elements in a random order: each comes from a buffer that is kept full.
   * @param bufferSize At least 1; a uniform order needs the whole size.
   * @param seed The same seed gives the same orders. Without it they follow from `setSeed()`.
   * @param reshuffleEachIteration Whether the second pass has another order than the first (default true).
   */
  shuffle(bufferSize: number, seed?: number | string, reshuffleEachIteration = true): Dataset<T> {
    checkCount('Dataset.shuffle', 'bufferSize', bufferSize, 1);
    const open = this.#open;
    let fixed = seed === undefined ? undefined : seedWordsOf(seed);
    let passes = 0;
    const order = (): HostRandom => {
      if (seed === undefined && reshuffleEachIteration) return new HostRandom(nextHostSeed());
      fixed ??= nextHostSeed();
      return new HostRandom([...fixed, reshuffleEachIteration ? passes++ : 0]);
    };
    return this.#derive(async function* () {
      const random = order();
      const buffer: unknown[] = [];
      const draw = (): unknown => {
        const at = random.below(buffer.length);
        const key = buffer[at];
        const last = buffer.pop();
        if (at < buffer.length) buffer[at] = last;
        return key;
      };
      try {
        for await (const key of open()) if (buffer.push(key) === bufferSize) yield draw();
        while (buffer.length > 0) yield draw();
      } finally {
        release(buffer);
      }
    }, this.size);
  }

  /**
   * What `transform` makes of each element. Tensors it makes on the way and those of the element are freed, save what it returns.
   * @throws Its error, with the element's index before the message.
   */
  map<U>(transform: (element: T) => U): Dataset<U> {
    return this.#transformed('Dataset.map', (element) => {
      const { value } = tidy(() => ({ value: transform(element) }));
      if (!(value instanceof Promise)) return value;
      value.catch(() => undefined);
      throw failure(
        'ERR_ARGUMENT',
        'transform',
        'expected a synchronous function, got one that returns a promise; use mapAsync',
      );
    });
  }

  /**
   * As `map`, for functions that return a promise; elements are transformed one after the other. Tensors made on the way are the
   * function's to free.
   */
  mapAsync<U>(transform: (element: T) => Promise<U>): Dataset<U> {
    return this.#transformed('Dataset.mapAsync', transform);
  }

  #transformed<U>(op: string, transform: (element: T) => U | Promise<U>): Dataset<U> {
    const pass = (): AsyncIterable<T> => this[Symbol.asyncIterator]();
    return new Dataset<U>(async function* () {
      let index = 0;
      for await (const element of pass()) {
        let result: U | undefined;
        try {
          result = await transform(element);
        } catch (error) {
          throw atElement(op, index, error);
        } finally {
          release(element, result);
        }
        index++;
        yield result;
      }
    }, this.size);
  }

  /** The elements for which `predicate` is true; the tensors of the others are freed. */
  filter(predicate: (element: T) => boolean): Dataset<T> {
    const pass = (): AsyncIterable<T> => this[Symbol.asyncIterator]();
    return new Dataset<T>(
      async function* () {
        let index = 0;
        for await (const element of pass()) {
          let passes = false;
          try {
            passes = tidy(() => predicate(element));
          } catch (error) {
            throw atElement('Dataset.filter', index, error);
          } finally {
            if (!passes) release(element);
          }
          index++;
          if (passes) yield element;
        }
      },
      this.size === Infinity || this.size === 0 ? this.size : null,
    );
  }

  /**
   * Asks for up to `bufferSize` elements ahead of the consumer, so that reading them overlaps with its waiting.
   * @param bufferSize At least 1.
   */
  prefetch(bufferSize: number): Dataset<T> {
    checkCount('Dataset.prefetch', 'bufferSize', bufferSize, 1);
    const open = this.#open;
    return this.#derive(async function* () {
      const source = open()[Symbol.asyncIterator]() as AsyncIterator<unknown, void>;
      const waiting: Promise<IteratorResult<unknown>>[] = [];
      const ask = (): void => {
        const next = source.next();
        // The consumer meets the error when its turn comes; until then it must not end the process.
        next.catch(() => undefined);
        waiting.push(next);
      };
      try {
        for (let i = 0; i < bufferSize; i++) ask();
        for (;;) {
          const next = await waiting.shift()!;
          if (next.done === true) return;
          ask();
          yield next.value;
        }
      } finally {
        for (const next of waiting) await next.then(({ value }) => release(value)).catch(() => undefined);
        await source.return?.();
      }
    }, this.size);
  }

  /** The first `count` elements; all of them where there are fewer or `count` is -1. */
  take(count: number): Dataset<T> {
    checkCount('Dataset.take', 'count', count, -1);
    if (count === -1) return this;
    const open = this.#open;
    return this.#derive(
      async function* () {
        if (count === 0) return;
        let taken = 0;
        for await (const key of open()) {
          yield key;
          if (++taken === count) return;
        }
      },
      this.size === null ? null : Math.min(this.size, count),
    );
  }

  /** All but the first `count` elements; none where there are fewer or `count` is -1. */
  skip(count: number): Dataset<T> {
    checkCount('Dataset.skip', 'count', count, -1);
    if (count === -1) return this.take(0);
    const open = this.#open;
    return this.#derive(
      async function* () {
        let skipped = 0;
        for await (const key of open()) {
          if (skipped >= count) yield key;
          else release(key);
          skipped++;
        }
      },
      this.size === null ? null : Math.max(0, this.size - count),
    );
  }

  /** @internal The elements whose places in a pass `choose` picks; the tensors of the others are freed. */
  chosen(choose: () => Promise<(place: number) => boolean>, size: number | null): Dataset<T> {
    const open = this.#open;
    return this.#derive(async function* () {
      const isChosen = await choose();
      let place = 0;
      for await (const key of open()) {
        if (isChosen(place++)) yield key;
        else release(key);
      }
    }, size);
  }

  /** The elements `count` times over, each time a new pass; without end where `count` is left out or -1. */
  repeat(count = -1): Dataset<T> {
    checkCount('Dataset.repeat', 'count', count, -1);
    const open = this.#open;
    const times = count === -1 ? Infinity : count;
    const size = this.size === 0 || times === 0 ? 0 : this.size === null ? null : this.size * times;
    return this.#derive(async function* () {
      for (let time = 0; time < times; time++) {
        let any = false;
        for await (const key of open()) {
          any = true;
          yield key;
        }
        // Nothing, repeated without end, would never come back.
        if (!any) return;
      }
    }, size);
  }

  /** The elements of this data set, then those of the other. */
  concatenate(other: Dataset<T>): Dataset<T> {
    if (!(other instanceof Dataset)) throw invalid('ERR_ARGUMENT', 'Dataset.concatenate', 'other', 'a data set', other);
    const pass = (): AsyncIterable<T> => this[Symbol.asyncIterator]();
    return new Dataset<T>(
      async function* () {
        yield* pass();
        yield* other;
      },
      this.size === null || other.size === null ? null : this.size + other.size,
    );
  }
}
