// Every activation in float32 from the smallest numbers to the largest against 60-digit arithmetic: at most 2 units in the last
// place where the function is well conditioned, and no NaN but from NaN.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { activationNamed, type ActivationName } from '../../src/ops/activation.js';
import { activationTable } from '../../src/tensor/activation-facts.js';

interface Limits {
  readonly inputs: readonly number[];
  readonly activations: Readonly<
    Record<string, { readonly forward: readonly number[]; readonly slope: readonly number[] }>
  >;
}
const { inputs, activations } = JSON.parse(readFileSync('test/fixtures/limits/activations.json', 'utf8')) as Limits;

/** Distance to the next float32. */
const ulp = (value: number): number => 2 ** (Math.max(-126, Math.floor(Math.log2(Math.abs(value)))) - 23);
const ULPS = 2;
/** Slopes are near 1 or fade to 0, and most are worked out from the output, whose rounding is of this size: one bound for all. */
const SLOPE = ULPS * ulp(1);

test('the stored limits have every activation of the table', () => {
  expect(Object.keys(activations).sort()).toEqual([...activationTable().keys()].sort());
});

describe.each(Object.keys(activations) as ActivationName[])('%s', (name) => {
  const { forward, slope } = activations[name]!;
  const activation = activationNamed(name);
  const apply = (x: sn.Tensor): sn.Tensor => activation.apply(x, activation.parameters({}));
  const x = sn.tensor([...inputs]);

  test('forward', () => {
    const y = apply(x).dataSync();
    expect(y).toHaveLength(forward.length);
    forward.forEach((exact, i) => {
      const expected = Math.fround(exact);
      if (!Number.isFinite(expected)) {
        expect(y[i]).toBe(expected);
        return;
      }
      // How much a relative error of x counts in y: rounding inside the function is magnified alike.
      const condition = exact === 0 ? 1 : Math.max(1, Math.abs((inputs[i]! * slope[i]!) / exact));
      const error = Math.abs(y[i]! - exact) / ulp(exact);
      expect(error <= ULPS * condition, `${name}(${inputs[i]}) = ${y[i]}, expected ${exact}: ${error} ulp`).toBe(true);
    });
  });

  test('slope', () => {
    const dx = sn.grad(apply)(x).dataSync();
    expect(dx).toHaveLength(slope.length);
    slope.forEach((exact, i) => {
      const error = Math.abs(dx[i]! - exact);
      expect(error <= SLOPE, `${name}'(${inputs[i]}) = ${dx[i]}, expected ${exact}`).toBe(true);
    });
  });

  test('second derivatives are finite', () => {
    const second = sn
      .grad((t) => sn.grad(apply)(t))(x)
      .dataSync();
    expect([...second].filter((value) => !Number.isFinite(value))).toEqual([]);
  });

  test.each(['float32', 'float64', 'float16', 'bfloat16'] as const)('NaN stays NaN in %s', (dtype) => {
    const nan = sn.tensor([0, NaN, 1], [3], dtype);
    expect(Number.isNaN(apply(nan).dataSync()[1])).toBe(true);
    const dx = sn.grad(apply)(nan).dataSync();
    // A line's slope is 1 whatever x is.
    expect(Number.isNaN(dx[1])).toBe(!['linear', 'leakyRelu', 'hardSigmoid', 'relu', 'relu6'].includes(name));
    expect(Number.isNaN(dx[2])).toBe(false);
  });
});
