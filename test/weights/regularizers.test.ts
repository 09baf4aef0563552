// Penalties and their gradients against Keras; names, files, bad arguments.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { getRegularizer, type RegularizerIdentifier } from '../../src/regularizers/regularizer.js';
import { serialize } from '../../src/serialization.js';
import { expectClose } from '../harness/compare.js';
import { load, numbers } from '../harness/fixtures.js';
import { references } from './references.js';

describe.each(['float64', 'float32'] as const)('%s', (dtype) => {
  test.each(references.regularizers)('$op $args of $weight.shape', ({ op, args, weight, penalty, gradient }) => {
    const w = load(weight, dtype);
    const { value, grad } = sn.valueAndGrad((x: sn.Tensor) => sn.regularizers[op](args).apply(x))(w);
    const penalties = { shape: [], data: [penalty] };
    expectClose('penalty', { shape: value.shape, data: value.dataSync() }, penalties, dtype, 'reduction');
    const slopes = { shape: gradient.shape, data: numbers(gradient) };
    expectClose('gradient', { shape: grad.shape, data: grad.dataSync() }, slopes, dtype, 'elementwise');
    expect(value.dtype).toBe(dtype);
  });
});

test('half weights are summed in float32, beyond their own range', () => {
  const w = sn.fill([300, 300], 2, 'float16');
  const penalty = sn.regularizers.l2({ l2: 1 }).apply(w);
  expect(penalty.dtype).toBe('float32');
  expect(penalty.dataSync()[0]).toBe(360000);
  const gradient = sn.grad((x: sn.Tensor) => sn.regularizers.l2({ l2: 0.5 }).apply(x))(w);
  expect(gradient.dtype).toBe('float16');
  expect(gradient.dataSync().every((value) => value === 2)).toBe(true);
});

test('factors default to 0.01, as in tfjs', () => {
  const factors = (one: sn.Regularizer): unknown => one.getConfig();
  expect(factors(sn.regularizers.l1l2())).toEqual({ l1: 0.01, l2: 0.01 });
  expect(factors(sn.regularizers.l1l2({ l1: 1 }))).toEqual({ l1: 1, l2: 0.01 });
  expect(factors(sn.regularizers.l1())).toEqual({ l1: 0.01, l2: 0 });
  expect(factors(sn.regularizers.l2())).toEqual({ l1: 0, l2: 0.01 });
  expect(factors(sn.regularizers.l2({ l2: 0 }))).toEqual({ l1: 0, l2: 0 });
});

test('names, files and objects mean the same', () => {
  expect(getRegularizer(null)).toBeNull();
  expect(getRegularizer(undefined)).toBeNull();
  const l2 = sn.regularizers.l2({ l2: 0.5 });
  expect(getRegularizer(l2)).toBe(l2);
  const file = JSON.parse(JSON.stringify(serialize(l2))) as RegularizerIdentifier;
  expect(file).toEqual({ className: 'L1L2', config: { l1: 0, l2: 0.5 } });
  expect(serialize(getRegularizer(file))).toEqual(file);
  const fromKeras = getRegularizer({ className: 'L2', config: { l2: 0.25 } });
  expect(serialize(fromKeras)).toEqual({ className: 'L1L2', config: { l1: 0, l2: 0.25 } });
  for (const name of ['l1l2', 'L1L2', 'l1_l2']) {
    expect(serialize(getRegularizer(name))).toEqual({ className: 'L1L2', config: { l1: 0.01, l2: 0.01 } });
  }
  class Largest extends sn.Regularizer {
    static override readonly className = 'LargestForTest';
    override apply(w: sn.Tensor): sn.Tensor {
      return sn.max(w);
    }
  }
  sn.registerRegularizer(Largest);
  expect(
    getRegularizer('LargestForTest')
      ?.apply(sn.tensor([1, 5, 2]))
      .dataSync()[0],
  ).toBe(5);
});

const { regularizers } = sn;
test.each([
  ['a negative factor', () => regularizers.l2({ l2: -1 }), 'l1l2: l2: expected a finite number of at least 0, got -1'],
  ['a factor of NaN', () => regularizers.l1({ l1: NaN }), 'l1l2: l1: expected a finite number of at least 0, got NaN'],
  ['text', () => regularizers.l1l2({ l1: '1' as never }), 'l1l2: l1: expected a finite number of at least 0, got "1"'],
  ['a bare number', () => regularizers.l2(0.1 as never), 'l2: options: expected an object, got 0.1'],
  ['an unknown name', () => getRegularizer('l3'), /^regularizer: name: expected one of l1, l1L2, .*got "l3"/],
  ['an unknown object', () => getRegularizer({} as never), /^regularizer: identifier: expected a name/],
  [
    'an object without a name',
    () => serialize({ apply: () => sn.scalar(1) }),
    /^serialize: expected an object whose class/,
  ],
])('%s is refused', (_, call, message) => {
  expect(call).toThrow(message);
  expect(call).toThrow(sn.SelfnormError);
});
