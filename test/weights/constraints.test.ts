// Constraints against Keras (and NumPy where Keras has none), in every float dtype; what each one promises; names, files, errors.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { getConstraint } from '../../src/constraints/by-name.js';
import type { ConstraintIdentifier } from '../../src/constraints/constraint.js';
import { serialize, type Serialized } from '../../src/serialization.js';
import { expectClose } from '../harness/compare.js';
import { load, numbers } from '../harness/fixtures.js';
import { references } from './references.js';

const names = ['maxNorm', 'minMaxNorm', 'unitNorm', 'nonNeg', 'weightCentralization', 'weightStandardization'] as const;

describe.each(['float64', 'float32', 'float16', 'bfloat16'] as const)('%s', (dtype) => {
  test.each(references.constraints)('$op $args of $weight.shape', ({ op, args, weight, result }) => {
    const constrained = getConstraint({ className: op, config: args })!.apply(load(weight, dtype));
    expect(constrained.dtype).toBe(dtype);
    // Inputs of bfloat16 are rounded first: their error is amplified where they are brought to variance 1.
    const kind = dtype === 'bfloat16' ? 'composite' : 'reduction';
    const wanted = { shape: result.shape, data: numbers(result) };
    expectClose(op, { shape: constrained.shape, data: constrained.dataSync() }, wanted, dtype, kind);
  });

  test('zeros stay finite, and half norms are summed in float32', () => {
    for (const name of names) {
      const values = getConstraint(name)!
        .apply(sn.zeros([3, 2], dtype))
        .dataSync();
      expect([...values]).toEqual([0, 0, 0, 0, 0, 0]);
    }
    const scaled = sn.constraints
      .unitNorm()
      .apply(sn.fill([64, 1], 256, dtype))
      .dataSync();
    for (const value of scaled) expect(Math.abs(value - 0.125)).toBeLessThan(0.001);
  });
});

test('weight standardization takes each unit alone by default, and null all of it', () => {
  const w = sn.randomNormal([3, 3, 4, 5], 2, 3, 'float64', 1);
  const { mean, variance } = sn.moments(sn.constraints.weightStandardization().apply(w), [0, 1, 2]);
  for (const value of mean.dataSync()) expect(Math.abs(value)).toBeLessThan(1e-14);
  for (const value of variance.dataSync()) expect(Math.abs(value - 1)).toBeLessThan(1e-5);
  const whole = sn.constraints.weightStandardization({ axis: null }).apply(w);
  expect(Math.abs(sn.mean(whole).dataSync()[0]!)).toBeLessThan(1e-14);
  expect(Math.abs(sn.mean(whole, [0, 1, 2]).dataSync()[0]!)).toBeGreaterThan(1e-3);
});

test('names, files and objects mean the same', () => {
  expect(getConstraint(null)).toBeNull();
  expect(getConstraint(undefined)).toBeNull();
  for (const name of names) {
    const found = getConstraint(name)!;
    expect(getConstraint(found)).toBe(found);
    const file = JSON.parse(JSON.stringify(serialize(found))) as Serialized;
    expect(file).toEqual(serialize(sn.constraints[name]()));
    expect(serialize(getConstraint(file))).toEqual(file);
  }
  const { maxNorm, minMaxNorm, unitNorm, weightCentralization, weightStandardization } = sn.constraints;
  expect(serialize(maxNorm())).toEqual({ className: 'MaxNorm', config: { maxValue: 2, axis: 0 } });
  const config = { minValue: 0, maxValue: 1, rate: 1, axis: 0 };
  expect(serialize(minMaxNorm())).toEqual({ className: 'MinMaxNorm', config });
  expect(unitNorm({ axis: null }).getConfig()).toEqual({ axis: null });
  expect(weightCentralization().getConfig()).toEqual({ axis: null });
  expect(weightStandardization({ axis: [0, 1] }).getConfig()).toEqual({ axis: [0, 1], epsilon: 1e-5 });
  class Halved extends sn.Constraint {
    static override readonly className = 'HalvedForTest';
    override apply(w: sn.Tensor): sn.Tensor {
      return sn.mul(w, 0.5);
    }
  }
  sn.registerConstraint(Halved);
  expect([
    ...getConstraint('HalvedForTest')!
      .apply(sn.tensor([4]))
      .dataSync(),
  ]).toEqual([2]);
});

test('leaves nothing behind but the result', () => {
  const w = sn.ones([3, 4]);
  for (const name of names) {
    const before = sn.memory().numTensors;
    const result = getConstraint(name)!.apply(w);
    expect(sn.memory().numTensors).toBe(before + 1);
    result.dispose();
  }
});

const { constraints } = sn;
test.each([
  ['a negative maximum', () => constraints.maxNorm({ maxValue: -1 }), /^maxNorm: maxValue: .* at least 0, got -1/],
  ['an empty range', () => constraints.minMaxNorm({ minValue: 2 }), /^minMaxNorm: maxValue: .* minValue, 2, got 1/],
  [
    'a rate above 1',
    () => constraints.minMaxNorm({ rate: 2 }),
    /^minMaxNorm: rate: expected a number in \[0, 1\], got 2/,
  ],
  ['a fractional axis', () => constraints.unitNorm({ axis: 0.5 }), /^unitNorm: axis: expected an integer.* got 0.5/],
  ['no axes', () => constraints.weightCentralization({ axis: [] }), /^weightCentralization: axis: .* got \[\]/],
  ['an axis of text', () => constraints.weightStandardization({ axis: 'x' as never }), /axis: .* got "x"/],
  ['a negative epsilon', () => constraints.weightStandardization({ epsilon: -1 }), /epsilon: .* got -1/],
  [
    'an axis that is not there',
    () => constraints.maxNorm({ axis: 2 }).apply(sn.ones([2, 2])),
    /^maxNorm: axis: .* got 2/,
  ],
  [
    'one axis twice',
    () => constraints.unitNorm({ axis: [0, -2] }).apply(sn.ones([2, 2])),
    /^unitNorm: axis: expected each/,
  ],
  ['a vector without an axis', () => constraints.weightStandardization().apply(sn.ones([3])), /two axes, .*give axis/],
  ['a bare number', () => constraints.maxNorm(3 as never), /^maxNorm: options: expected an object, got 3/],
  ['an unknown name', () => getConstraint('norm'), /^constraint: name: expected one of .*maxNorm, .*got "norm"/],
  ['an unknown object', () => getConstraint({} as ConstraintIdentifier), /^constraint: identifier: /],
])('%s is refused', (_, call, message) => {
  expect(call).toThrow(message);
  expect(call).toThrow(sn.SelfnormError);
});
