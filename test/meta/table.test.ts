// What is written in two places agrees: the native activation table and the TypeScript record; the native op table and the
// ops TypeScript asks for; and the checkers of these tests catch what they are there to catch.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as activations from '../../src/ops/activations.js';
import { activationTable } from '../../src/tensor/activation-facts.js';
import { currentBackend } from '../../src/tensor/device.js';
import { expectClose } from '../harness/compare.js';

describe('tables', () => {
  test('every row of the native activation table is a function, and the other way round', () => {
    // geluTanh is an argument of gelu.
    const rows = [...activationTable().keys()].filter((name) => name !== 'geluTanh');
    expect(rows.sort()).toEqual(Object.keys(activations).sort());
  });

  test('every native op that TypeScript names exists', () => {
    const known = new Set(currentBackend().opNames);
    const source = readdirSync('src', { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(`src/${file}`, 'utf8'))
      .join('\n');
    const named = [...source.matchAll(/new NativeOp\('([^']+)'\)/g)].map((match) => match[1]!);
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((name) => !known.has(name))).toEqual([]);
  });
});

describe('the comparison', () => {
  const expected = { shape: [3], data: [1, -2, 0.5] };
  const check = (data: number[], shape = [3]): void =>
    expectClose('value', { shape, data }, expected, 'float32', 'composite');

  test('accepts rounding', () => {
    expect(() => check([1 + 2 ** -23, -2, 0.5])).not.toThrow();
  });
  test.each([
    ['a value 1% off', [1.01, -2, 0.5]],
    ['a NaN', [NaN, -2, 0.5]],
    ['an infinity', [1, -Infinity, 0.5]],
    ['zeros', [0, 0, 0]],
    ['two values swapped', [-2, 1, 0.5]],
  ])('rejects %s', (_what, data) => {
    expect(() => check(data)).toThrow(/element/);
  });
  test('rejects another shape', () => {
    expect(() => check([1, -2, 0.5], [1, 3])).toThrow(/shape/);
  });
});
