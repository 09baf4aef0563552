// Batches until a signal says that there are enough. Where they are awaited the signal is heard at once: a source that never answers
// does not hold up the end.

/** Closes an iterator. After an abort it may still owe an answer that never comes: then nobody waits for it. */
export async function closed(iterator: AsyncIterator<unknown> | null, signal: AbortSignal | null): Promise<void> {
  // Called by name: an iterator of a user's own may need its `this`.
  const closing = iterator?.return?.();
  if (signal?.aborted !== true) await closing;
  else Promise.resolve(closing).catch(() => undefined);
}

/** The source's items up to the abort; the source is closed. */
export function untilAborted<T>(
  source: Iterable<T> | AsyncIterable<T>,
  signal: AbortSignal | null,
): Iterable<T> | AsyncIterable<T> {
  if (signal === null) return source;
  return Symbol.asyncIterator in source ? awaited(source, signal) : taken(source, signal);
}

function* taken<T>(source: Iterable<T>, signal: AbortSignal): Generator<T> {
  for (const item of source) {
    if (signal.aborted) return;
    yield item;
  }
}

async function* awaited<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]();
  let wake: () => void = () => undefined;
  const onAbort = (): void => wake();
  signal.addEventListener('abort', onAbort);
  try {
    while (!signal.aborted) {
      const next = iterator.next();
      // Not Promise.race: the signal's promise would remember every item.
      const result = await new Promise<IteratorResult<T> | null>((resolve, reject) => {
        wake = () => resolve(null);
        next.then(resolve, reject);
      });
      if (result === null || result.done === true) return;
      yield result.value;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    await closed(iterator, signal);
  }
}
