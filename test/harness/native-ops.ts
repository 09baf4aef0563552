// Which native ops a piece of code runs: tests of fusion read from it what ran as one.
import { vi } from 'vitest';
import { currentBackend } from '../../src/tensor/device.js';

/** Names of the native ops that `body` runs, in order. */
export function nativeOps(body: () => unknown): string[] {
  const backend = currentBackend();
  const spy = vi.spyOn(backend.addon, 'call');
  try {
    body();
    return spy.mock.calls.map(([, op]) => backend.opNames[op]!);
  } finally {
    spy.mockRestore();
  }
}
