// Where data sets come from in a program: arrays, generators, and other data sets side by side.
import { invalid } from '../errors.js';
import { Dataset } from './dataset.js';
import { atElement, copyOf, release } from './element.js';

/**
 * A data set of an array's items. Tensors in it stay the caller's.
 * @param items Numbers, arrays, tensors, or objects and arrays of them.
 */
export function array<T>(items: readonly T[]): Dataset<T> {
  if (!Array.isArray(items)) throw invalid('ERR_ARGUMENT', 'data.array', 'items', 'an array', items);
  // A view of each tensor goes into the pipeline, which frees what has passed through it.
  return new Dataset<T>(
    // eslint-disable-next-line @typescript-eslint/require-await
    async function* () {
      for (const item of items as readonly T[]) yield copyOf(item);
    },
    items.length,
  );
}

type Source<T> = Iterable<T> | AsyncIterable<T> | Iterator<T> | AsyncIterator<T>;

function iteratorOf<T>(source: Source<T>): Iterator<T> | AsyncIterator<T> {
  if (source !== null && typeof source === 'object') {
    if (Symbol.asyncIterator in source) return source[Symbol.asyncIterator]();
    if (Symbol.iterator in source) return source[Symbol.iterator]();
    if ('next' in source && typeof source.next === 'function') return source;
  }
  throw invalid('ERR_ARGUMENT', 'data.generator', 'generator', 'a function that returns an iterator', source);
}

/**
 * A data set of what a generator yields.
 * @param generator Called once a pass: a generator function (async or not), or a function that returns an iterator, an iterable
 *   or a promise of one. Tensors it yields belong to the pipeline.
 * @throws Its error, with the element's index before the message.
 */
export function generator<T>(generator: () => Source<T> | Promise<Source<T>>): Dataset<T> {
  if (typeof generator !== 'function') {
    throw invalid('ERR_ARGUMENT', 'data.generator', 'generator', 'a function that returns an iterator', generator);
  }
  return new Dataset<T>(async function* () {
    let index = 0;
    const guarded = async <R>(step: () => R | Promise<R>): Promise<R> => {
      try {
        return await step();
      } catch (error) {
        throw atElement('data.generator', index, error);
      }
    };
    const iterator = await guarded(async () => iteratorOf(await generator()));
    let ended = false;
    try {
      for (; ; index++) {
        // After an error of its own the iterator is over as well: there is nothing to return() to.
        ended = true;
        const next = await guarded<IteratorResult<T, unknown>>(() => iterator.next());
        if (next.done === true) return;
        ended = false;
        yield next.value;
      }
    } finally {
      if (!ended) await iterator.return?.();
    }
  }, null);
}

/** Data sets as the parts of an object or array. */
export type DatasetContainer =
  Dataset<unknown> | readonly Dataset<unknown>[] | { readonly [key: string]: Dataset<unknown> };
/** The element of a container of data sets. */
export type Zipped<D> =
  D extends Dataset<infer T> ? T : { -readonly [K in keyof D]: D[K] extends Dataset<infer T> ? T : never };

/**
 * Data sets side by side: its elements have the container's structure, and end with the shortest.
 * @param datasets An object or array of data sets, as `{xs: images, ys: labels}`.
 */
export function zip<const D extends DatasetContainer>(datasets: D): Dataset<Zipped<D>> {
  if (datasets instanceof Dataset) return datasets as Dataset<Zipped<D>>;
  const entries = datasets !== null && typeof datasets === 'object' ? Object.entries(datasets) : [];
  if (entries.length === 0 || !entries.every(([, each]) => each instanceof Dataset)) {
    throw invalid('ERR_ARGUMENT', 'data.zip', 'datasets', 'an object or array of data sets', datasets);
  }
  const sets = entries;
  const known = sets.map(([, { size }]) => size);
  const size = known.includes(0) ? 0 : known.includes(null) ? null : Math.min(...(known as number[]));
  return new Dataset<Zipped<D>>(async function* () {
    const iterators = sets.map(([, each]) => each[Symbol.asyncIterator]());
    try {
      for (;;) {
        const results = await Promise.allSettled(iterators.map((iterator) => iterator.next()));
        const found = results.map((result) => (result.status === 'fulfilled' ? result.value : undefined));
        if (found.some((result) => result === undefined || result.done === true)) {
          release(found.map((result) => result?.value));
          const failed = results.find((result) => result.status === 'rejected');
          if (failed !== undefined) throw failed.reason;
          return;
        }
        const values = found.map((result) => result!.value);
        yield Array.isArray(datasets) ? values : Object.fromEntries(sets.map(([key], i) => [key, values[i]]));
      }
    } finally {
      await Promise.all(iterators.map((iterator) => iterator.return()));
    }
  }, size);
}
