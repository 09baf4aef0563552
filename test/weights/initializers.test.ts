// Initializers: fans as Keras counts them, moments and support of what is drawn, seeds, names, files, and bad arguments.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { getInitializer } from '../../src/initializers/by-name.js';
import type { InitializerIdentifier } from '../../src/initializers/initializer.js';
import { computeFans } from '../../src/initializers/variance-scaling.js';
import { serialize } from '../../src/serialization.js';
import type { DType } from '../../src/tensor/dtype.js';
import { references } from './references.js';

/** Mean and variance in double. */
function momentsOf(values: ArrayLike<number>): { mean: number; variance: number } {
  const list = Float64Array.from(values);
  const mean = list.reduce((sum, x) => sum + x, 0) / list.length;
  return { mean, variance: list.reduce((sum, x) => sum + (x - mean) ** 2, 0) / list.length };
}

/** Within five standard errors, for a distribution whose fourth moment is at most the normal's. */
function expectMoments(values: ArrayLike<number>, mean: number, variance: number): void {
  const found = momentsOf(values);
  const n = values.length;
  expect(Math.abs(found.mean - mean)).toBeLessThan(5 * Math.sqrt(variance / n));
  expect(Math.abs(found.variance - variance)).toBeLessThan(5 * variance * Math.sqrt(2 / n));
}

const random = [
  'randomUniform',
  'randomNormal',
  'truncatedNormal',
  'varianceScaling',
  'glorotUniform',
  'glorotNormal',
  'heUniform',
  'heNormal',
  'leCunUniform',
  'leCunNormal',
  'orthogonal',
] as const;
const names = [...random, 'zeros', 'ones', 'identity'] as const;

test.each(references.fans)('fans of $shape are $fans', ({ shape, fans }) => {
  expect(computeFans(shape)).toEqual(fans);
});

test.each(references.initializers)('$name has the settings of Keras', ({ name, ...settings }) => {
  expect(serialize(getInitializer(name))).toEqual({
    className: 'VarianceScaling',
    config: { ...settings, seed: null },
  });
});

describe.each(['float32', 'float64', 'float16', 'bfloat16'] as const)('%s', (dtype) => {
  const shape = [3, 3, 64, 200];
  const [fanIn, fanOut] = [576, 1800];
  test.each([
    ['randomUniform', 0.1 ** 2 / 12],
    ['randomNormal', 0.05 ** 2],
    ['glorotUniform', 2 / (fanIn + fanOut)],
    ['glorotNormal', 2 / (fanIn + fanOut)],
    ['heUniform', 2 / fanIn],
    ['heNormal', 2 / fanIn],
    ['leCunUniform', 1 / fanIn],
    ['leCunNormal', 1 / fanIn],
  ] as const)('%s has mean 0 and variance %d', (name, variance) => {
    const values = sn.initializers[name]({ seed: 11 }).apply(shape, dtype);
    expect(values.dtype).toBe(dtype);
    expect(values.shape).toEqual(shape);
    expectMoments(values.dataSync(), 0, variance);
  });

  test('fixed values are exact', () => {
    const { zeros, ones, constant, identity } = sn.initializers;
    expect([...zeros().apply([2, 3], dtype).dataSync()]).toEqual([0, 0, 0, 0, 0, 0]);
    expect([...ones().apply([3], dtype).dataSync()]).toEqual([1, 1, 1]);
    expect([...constant({ value: -0.5 }).apply([2], dtype).dataSync()]).toEqual([-0.5, -0.5]);
    expect([...constant({ value: 2 }).apply([], dtype).dataSync()]).toEqual([2]);
    expect(identity({ gain: 0.25 }).apply([2, 3], dtype).arraySync()).toEqual([
      [0.25, 0, 0],
      [0, 0.25, 0],
    ]);
  });
});

test('normal values that files call truncated stay within two deviations, and untruncated ones do not', () => {
  const { varianceScaling, truncatedNormal } = sn.initializers;
  const limit = (2 * Math.sqrt(1 / 100)) / 0.87962566103423978;
  const furthest = (x: sn.Tensor): number => sn.max(sn.abs(x)).dataSync()[0]!;
  const cut = furthest(varianceScaling({ seed: 1 }).apply([100, 5000]));
  expect(cut).toBeLessThanOrEqual(limit * (1 + 1e-6));
  expect(cut).toBeGreaterThan(limit * 0.99);
  const uncut = varianceScaling({ seed: 1, distribution: 'untruncatedNormal' }).apply([100, 5000]);
  expect(furthest(uncut)).toBeGreaterThan(0.4);
  expectMoments(uncut.dataSync(), 0, 0.01);
  const plain = truncatedNormal({ mean: 1, stddev: 0.1, seed: 2 }).apply([500, 1000]);
  expect(furthest(sn.sub(plain, 1))).toBeLessThanOrEqual(0.2 + 1e-6);
  expectMoments(plain.dataSync(), 1, (0.1 * 0.87962566103423978) ** 2);
});

test('uniform values keep to their limits', () => {
  const values = sn.initializers.heUniform({ seed: 3 }).apply([600, 100]).dataSync();
  const limit = Math.sqrt(6 / 600);
  expect(values.every((x) => Math.abs(x) <= limit)).toBe(true);
  expect(Math.max(...values)).toBeGreaterThan(0.999 * limit);
});

test.each([
  ['fanIn', 4 / 200],
  ['fanOut', 4 / 400],
  ['fanAvg', 4 / 300],
] as const)('scale 4 by %s gives variance %d', (mode, variance) => {
  const values = sn.initializers.varianceScaling({ scale: 4, mode, seed: 5 }).apply([200, 400]);
  expectMoments(values.dataSync(), 0, variance);
});

describe('orthogonal', () => {
  test.each([[[6, 6]], [[9, 4]], [[4, 9]], [[3, 3, 2, 5]], [[1, 1]], [[1, 8]], [[0, 3]], [[64, 64]]])(
    'of %j',
    (shape) => {
      const matrix = sn.initializers.orthogonal({ gain: 2, seed: 7 }).apply(shape, 'float64');
      expect(matrix.shape).toEqual(shape);
      const columns = shape.at(-1)!;
      const rows = matrix.size / columns;
      const flat = sn.reshape(matrix, [rows, columns]);
      const gram = rows < columns ? sn.matMul(flat, flat, false, true) : sn.matMul(flat, flat, true, false);
      const wanted = sn.mul(sn.eye(Math.min(rows, columns), undefined, undefined, 'float64'), 4);
      const errors = sn.abs(sn.sub(gram, wanted)).dataSync();
      for (const error of errors) expect(error).toBeLessThan(1e-13);
    },
  );

  test('is uniform over signs: no element is always positive', () => {
    const corners = Array.from({ length: 400 }, (_, seed) =>
      sn.initializers.orthogonal({ seed }).apply([2, 2], 'float64').dataSync(),
    );
    for (let i = 0; i < 4; i++) {
      const { mean, variance } = momentsOf(corners.map((values) => values[i]!));
      expect(Math.abs(mean)).toBeLessThan(5 * Math.sqrt(0.5 / 400));
      expect(Math.abs(variance - 0.5)).toBeLessThan(0.1);
    }
  });

  test('refuses vectors', () => {
    expect(() => sn.initializers.orthogonal().apply([3])).toThrow(
      'orthogonal: shape: expected at least two axes, got [3]',
    );
  });
});

describe.each(random)('%s', (name) => {
  const make = (seed?: number): sn.Initializer => sn.initializers[name]({ seed });
  const values = (one: sn.Initializer): number[] => [...one.apply([4, 5]).dataSync()];

  test('repeats with its seed, also after a file, and follows setSeed() without one', () => {
    const seeded = make(21);
    expect(values(seeded)).toEqual(values(seeded));
    expect(values(make(21))).toEqual(values(seeded));
    expect(values(make(22))).not.toEqual(values(seeded));
    const file = JSON.parse(JSON.stringify(serialize(seeded))) as {
      className: string;
      config: Record<string, unknown>;
    };
    expect([...getInitializer(file).apply([4, 5]).dataSync()]).toEqual(values(seeded));
    sn.setSeed(4);
    const first = [values(make()), values(make())];
    expect(first[0]).not.toEqual(first[1]);
    sn.setSeed(4);
    expect([values(make()), values(make())]).toEqual(first);
  });

  test('refuses a seed that is no integer', () => {
    expect(() => make(0.5)).toThrow(/seed: expected a safe integer, got 0.5/);
  });
});

describe('names', () => {
  test.each(names)('%s is found in each spelling and comes back from its file', (name) => {
    const snake = name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);
    const forms = [name, name[0]!.toUpperCase() + name.slice(1), snake];
    const files = forms.map((form) => JSON.stringify(serialize(getInitializer(form))));
    expect(new Set(files).size).toBe(1);
    expect(JSON.stringify(serialize(getInitializer(JSON.parse(files[0]!) as InitializerIdentifier)))).toBe(files[0]);
  });

  test("read Keras's spellings of modes and files", () => {
    const keras = {
      class_name: 'VarianceScaling',
      config: { scale: 2, mode: 'fan_out', distribution: 'untruncated_normal', seed: null },
    };
    expect(serialize(getInitializer(keras as unknown as InitializerIdentifier))).toEqual({
      className: 'VarianceScaling',
      config: { scale: 2, mode: 'fanOut', distribution: 'untruncatedNormal', seed: null },
    });
    expect(serialize(getInitializer('lecun_normal'))).toEqual(serialize(sn.initializers.leCunNormal()));
  });

  test('an object is itself, a class of your own loads once registered', () => {
    class Twos extends sn.Initializer {
      static override readonly className = 'TwosForTest';
      override apply(shape: readonly number[], dtype?: DType): sn.Tensor {
        return sn.fill(shape, 2, dtype);
      }
    }
    const twos = new Twos();
    expect(getInitializer(twos)).toBe(twos);
    expect(() => getInitializer('twosForTest')).toThrow(/expected one of constant, .*, zeros, got "twosForTest"/);
    sn.registerInitializer(Twos);
    expect([...getInitializer(serialize(twos)).apply([2]).dataSync()]).toEqual([2, 2]);
    expect(() => sn.registerInitializer(Twos)).toThrow(/a name that no other class has/);
  });
});

test('leaves nothing behind but the values', () => {
  for (const name of names) {
    const before = sn.memory().numTensors;
    const values = getInitializer(name).apply([3, 4]);
    expect(sn.memory().numTensors).toBe(before + 1);
    values.dispose();
  }
});

const { initializers } = sn;
const wrong = (value: unknown): never => value as never;
test.each([
  ['constant without a value', () => initializers.constant(wrong({})), /^constant: value: expected a finite number/],
  ['constant of text', () => initializers.constant(wrong({ value: '1' })), /^constant: value: .* got "1"/],
  [
    'options that are no object',
    () => initializers.constant(wrong(3)),
    /^constant: options: expected an object, got 3/,
  ],
  ['an empty range', () => initializers.randomUniform({ minval: 1, maxval: 0 }), /^randomUniform: maxval: .* got 0/],
  [
    'a negative deviation',
    () => initializers.randomNormal({ stddev: -1 }),
    /^randomNormal: stddev: .* at least 0, got -1/,
  ],
  ['a deviation of NaN', () => initializers.truncatedNormal({ stddev: NaN }), /^truncatedNormal: stddev: .* got NaN/],
  [
    'scale 0',
    () => initializers.varianceScaling({ scale: 0 }),
    /^varianceScaling: scale: expected a number above 0, got 0/,
  ],
  [
    'an unknown mode',
    () => initializers.varianceScaling({ mode: wrong('in') }),
    /mode: expected one of fanIn, .* got "in"/,
  ],
  ['an unknown distribution', () => initializers.varianceScaling({ distribution: wrong(1) }), /distribution: .* got 1/],
  ['an infinite gain', () => initializers.orthogonal({ gain: Infinity }), /^orthogonal: gain: .* got Infinity/],
  ['identity of rank 3', () => initializers.identity().apply([2, 2, 2]), /^identity: shape: .* got \[2,2,2\]/],
  ['a negative size', () => initializers.leCunNormal().apply([-1, 2]), /shape: .* got \[-1,2\]/],
  ['integers from normals', () => initializers.leCunNormal().apply([2, 2], 'int32'), /dtype: .* got "int32"/],
  ['no name', () => getInitializer(wrong(null)), /^initializer: identifier: expected a name, .* got null/],
  ['a class name that is no text', () => getInitializer(wrong({ className: 3 })), /^initializer: identifier: /],
  ['bad settings in a file', () => getInitializer({ className: 'Constant', config: {} }), /^constant: value/],
])('%s is refused', (_, call, message) => {
  expect(call).toThrow(message);
  expect(call).toThrow(sn.SelfnormError);
});
