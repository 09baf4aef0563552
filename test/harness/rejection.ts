// The library's error that a promise is rejected with.
import { expect } from 'vitest';
import * as sn from '../../src/index.js';

/** The error, which must be of the library and in one line. */
export async function rejection(promise: Promise<unknown>): Promise<sn.SelfnormError> {
  const error = await promise.then(
    () => expect.unreachable('expected an error'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(sn.SelfnormError);
  expect((error as Error).message).not.toContain('\n');
  return error as sn.SelfnormError;
}
