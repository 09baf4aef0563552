// JSON that keeps what is not finite.
import { expect, test } from 'vitest';
import { parseExactly, stringifyExactly } from '../../src/experiments/exact-json.js';

test('numbers come back as they were', () => {
  const value = { a: [NaN, Infinity, -Infinity, 0.1, 5e-324, 1.7976931348623157e308], b: { number: 'x' }, c: null };
  expect(parseExactly(stringifyExactly(value))).toEqual(value);
});
