// Every test must assert something, and the library must not print.
import { afterEach, beforeEach, expect, vi } from 'vitest';

beforeEach(() => {
  expect.hasAssertions();
  for (const method of ['log', 'warn', 'error'] as const) {
    vi.spyOn(console, method).mockImplementation((...args: unknown[]) => {
      throw new Error(`console.${method} called: ${args.map(String).join(' ')}`);
    });
  }
});
afterEach(() => {
  vi.restoreAllMocks();
});
