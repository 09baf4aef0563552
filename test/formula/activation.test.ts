// Activations defined by formulas: against PyTorch's stored results and the built-in ones, in every dtype, to second derivatives;
// random formulas against JavaScript; what is refused.
import { describe, expect, test } from 'vitest';
import fc from 'fast-check';
import * as sn from '../../src/index.js';
import type { ActivationDefinition, DefinedActivation, Tensor } from '../../src/index.js';
import { SelfnormError } from '../../src/errors.js';
import { Algebra } from '../../src/formula/algebra.js';
import { parseFormula } from '../../src/formula/parse.js';
import { FormulaFunction } from '../../src/ops/formula.js';
import { expectClose, expectWithin, scaleOf } from '../harness/compare.js';
import { load, numbers, readFixtures } from '../harness/fixtures.js';
import { bound } from '../tolerance.js';
import { formulas, inJavaScript } from './random-formula.js';

const host = (t: Tensor): { shape: readonly number[]; data: ArrayLike<number> } => ({
  shape: t.shape,
  data: t.dataSync(),
});
const FLOATS = ['float64', 'float32', 'float16', 'bfloat16'] as const;
let counter = 0;
const define = (definition: Omit<ActivationDefinition, 'name'>): DefinedActivation =>
  sn.activation({ name: `own${counter++}`, ...definition });

const SELU = { alpha: 1.6732632423543772, scale: 1.0507009873554805 };
const CUBE = { slope: Math.sqrt(2 / Math.PI), cubic: 0.044715 };
/** Built-in activations as users would write them. */
const WRITTEN: readonly (readonly [op: string, fixture: string, definition: Omit<ActivationDefinition, 'name'>])[] = [
  ['selu', '{}', { forward: 'where(x > 0, scale * x, scale * alpha * expm1(x))', parameters: SELU }],
  [
    'selu',
    '{}',
    {
      forward: 'x > 0 ? scale * x : scale * alpha * expm1(x)',
      derivative: 'y > 0 ? scale : y + scale * alpha',
      parameters: SELU,
    },
  ],
  ['gelu', '{"approximate":true}', { forward: '0.5 * x * (1 + tanh(slope * (x + cubic * x^3)))', parameters: CUBE }],
  ['gelu', '{}', { forward: '0.5 * x * (1 + erf(x / sqrt(2)))' }],
  ['softplus', '{}', { forward: 'max(x, 0) + log1p(exp(-abs(x)))', derivative: 'sigmoid(x)' }],
  ['softplus', '{"beta":2}', { forward: 'softplus(beta * x) / beta', parameters: { beta: 2 } }],
  ['silu', '{}', { forward: 'x * sigmoid(x)' }],
  ['mish', '{}', { forward: 'x * tanh(softplus(x))' }],
  ['relu6', '{}', { forward: 'min(max(x, 0), 6)' }],
  ['elu', '{"alpha":0.5}', { forward: 'x > 0 ? x : alpha * expm1(min(x, 0))', parameters: { alpha: 0.5 } }],
];

describe.each(WRITTEN)('%s%s as a formula', (op, args, definition) => {
  const cases = readFixtures('activations').filter(
    (one) => one.op === op && JSON.stringify(one.args) === args && one.dy !== undefined && one.second !== undefined,
  );
  const own = define(definition);

  test.each(['float64', 'float32'] as const)(
    "agrees with PyTorch's stored results in %s, to second derivatives",
    (dtype) => {
      expect(cases.length).toBeGreaterThan(0);
      for (const one of cases.filter(({ name }) => !name.includes('far from zero'))) {
        const x = load(one.inputs[0]!, dtype);
        const stored = (kind: 'outputs' | 'gradients' | 'second'): { shape: number[]; data: Float64Array } => ({
          shape: one[kind]![0]!.shape,
          data: numbers(one[kind]![0]!),
        });
        expectClose(one.name, host(own(x)), stored('outputs'), dtype, 'reduction', 1 / 8);
        const dy = load(one.dy![0]!, dtype);
        const first = sn.grad(own);
        const scale = scaleOf(numbers(one.dy![0]!));
        expectClose(`${one.name}: gradient`, host(first(x, dy)), stored('gradients'), dtype, 'composite', scale);
        const seed = load(one.secondSeed![0]!, dtype);
        const second = sn.grad((t: Tensor) => sn.mul(first(t, dy), seed))(x);
        // Formulas as people write them lose digits in the tails, where 1 + tanh cancels.
        const both = 4 * scale * scaleOf(numbers(one.secondSeed![0]!));
        expectClose(`${one.name}: second`, host(second), stored('second'), dtype, 'composite', both);
      }
    },
  );
});

describe.each(FLOATS)('in %s', (dtype) => {
  test.each([0, 1, 63, 64, 1023, 1025, 5000, 300_000])('%i values of either sign agree with the built-in selu', (n) => {
    const own = define({
      forward: 'where(x > 0, scale * x, scale * alpha * expm1(x))',
      derivative: 'where(y > 0, scale, y + scale * alpha)',
      parameters: SELU,
    });
    const x = sn.randomNormal([n], 0, 2, dtype, 1);
    const dy = sn.randomNormal([n], 0, 1, dtype, 2);
    const found = sn.valueAndGrad(own)(x, dy);
    const expected = sn.valueAndGrad((t: Tensor) => sn.selu(t))(x, dy);
    expect(found.value.dtype).toBe(dtype);
    expectClose('value', host(found.value), host(expected.value), dtype, 'elementwise');
    expectClose('gradient', host(found.grad), host(expected.grad), dtype, 'elementwise');
  });
});

test('results larger than a cache, which are streamed past it, are right to the last element', () => {
  const own = define({ forward: 'x * sigmoid(x)' });
  for (const [n, dtype] of [
    [2 ** 23 + 77, 'float32'],
    [2 ** 24 + 5, 'bfloat16'],
  ] as const) {
    const x = sn.randomUniform([n], -4, 4, dtype, 3);
    const worst = sn.max(sn.abs(sn.sub(own(x), sn.silu(x)))).dataSync()[0]!;
    expect(worst <= bound(dtype, 'elementwise', 4, 4)).toBe(true);
  }
});

/** A formula by the native op, in float64 or another dtype, without the check of its slope. */
function natively(formula: string, x: Tensor, b = 1.5): Tensor {
  const e = new Algebra();
  const parsed = parseFormula(formula, { op: 'test', argument: 'formula', names: ['x', 'b'] });
  return new FormulaFunction('test', e, e.substitute(parsed, { b }), ['x']).value([x], x);
}

describe('every operation of the native table', () => {
  const some = [-3.5, -2, -1, -0.75, -0.1, 0, 0.1, 0.5, 0.99, 1, 2, 3.5, 7, NaN, Infinity, -Infinity];
  const unary = ['-', 'abs', 'sign', 'sqrt', 'exp', 'expm1', 'log', 'log1p', 'tanh', 'sigmoid', 'softplus', 'erf'];
  const signs = ['+', '-', '*', '/', '<', '<=', '>', '>=', '==', '!='];
  test.each([
    ...[...unary, 'sin', 'cos', 'floor'].map((name) => `${name}(x)`),
    ...signs.flatMap((sign) => [`x ${sign} 1`, `1 ${sign} x`, `x ${sign} cos(x)`]),
    ...['min', 'max'].flatMap((name) => [`${name}(x, 1)`, `${name}(1, x)`, `${name}(x, cos(x))`]),
    ...[
      'pow(x, 2.5)',
      'pow(2, x)',
      'pow(abs(x), x)',
      'x^5',
      'x^-2',
      '!(x > 0)',
      '7',
      'x',
      'b',
      'x > 0 && x < 2 || x < -1',
    ],
    ...['where(x > 0, 1, 2)', 'where(x > 0, x, 2)', 'where(x > 0, 1, x)', 'where(x > 0, x, -x)'],
  ])('%s has the value that JavaScript has', (formula) => {
    const javaScript = inJavaScript(formula);
    const expected = { shape: [some.length], data: some.map((x) => javaScript(x, 1.5)) };
    expectClose(
      formula,
      host(natively(formula, sn.tensor(some, [some.length], 'float64'))),
      expected,
      'float64',
      'elementwise',
    );
    const float = sn.tensor(some, [some.length], 'float32');
    const fromFloat = { shape: [some.length], data: [...float.dataSync()].map((x) => javaScript(x, 1.5)) };
    expectClose(formula, host(natively(formula, float)), fromFloat, 'float32', 'elementwise');
    expect(expected.data.some(Number.isFinite)).toBe(true);
  });
});

test('random formulas are what JavaScript makes of them', () => {
  const values = [-2.75, -1.5, -0.625, -0.125, 0.375, 0.875, 1.25, 3.125];
  const x = sn.tensor(values, [values.length], 'float64');
  const check = fc.property(formulas, (formula) => {
    const javaScript = inJavaScript(formula);
    const expected = values.map((at) => javaScript(at, 1.5));
    fc.pre(expected.every((value) => Math.abs(value) < 1e4));
    const allowed = (value: number, scale: number): number => 1e-9 * Math.max(1, Math.abs(value), scale);
    expectWithin(formula, host(natively(formula, x)), { shape: [values.length], data: expected }, allowed);
  });
  // Always the same: of any formula at all, some give a rounding error any size.
  expect(() => fc.assert(check, { numRuns: 150, seed: 1 })).not.toThrow();
});

describe('derivatives', () => {
  const own = define({ forward: 'x / (1 + exp(-b * x))', parameters: { b: 1.5 } });

  test('of every order are those of the formula', () => {
    const at = [-2, -0.5, 0.25, 1.75];
    let nth: (x: Tensor) => Tensor = own;
    for (let order = 1; order <= 4; order++) {
      const lower = nth;
      nth = (x) => sn.grad(lower)(x);
      const found = nth(sn.tensor(at, [4], 'float64')).dataSync();
      // Central differences of the order below, in native float64.
      const step = 1e-4;
      const moved = (by: number): ArrayLike<number> =>
        lower(
          sn.tensor(
            at.map((x) => x + by),
            [4],
            'float64',
          ),
        ).dataSync();
      const [high, low] = [moved(step), moved(-step)];
      at.forEach((_, i) => {
        const expected = (high[i]! - low[i]!) / (2 * step);
        expect(Math.abs(found[i]! - expected) <= 1e-6 * Math.max(1, Math.abs(expected))).toBe(true);
      });
    }
  });

  test('of an order that takes more tensors than a kernel has are refused', () => {
    let nth: (x: Tensor) => Tensor = own;
    for (let order = 0; order < 9; order++) {
      const below = nth;
      nth = (x) => sn.grad(below)(x);
    }
    expect(() => nth(sn.tensor([1]))).toThrow(/derivatives of that order take more than 8 tensors|too complex/);
  });

  test('are those of a derivative that is given, by x and by y', () => {
    const given = define({ forward: 'tanh(x)', derivative: '1 - y^2 + 0 * x' });
    const x = sn.tensor([-1.5, -0.25, 0.5, 2], [4], 'float64');
    const seed = sn.tensor([1, -2, 0.5, 3], [4], 'float64');
    expect(given.definition.derivative).toContain('y');
    const second = (g: (x: Tensor) => Tensor): Tensor => sn.grad((t: Tensor) => sn.mul(sn.grad(g)(t), seed))(x);
    expectClose('second', host(second(given)), host(second((t) => sn.tanh(t))), 'float64', 'composite');
  });
});

describe('wherever a built-in activation may stand', () => {
  const own = sn.activation({ name: 'quietly', forward: 'x * sigmoid(b * x)', parameters: { b: 1 } });
  const normal = (shape: number[], seed: number): Tensor => sn.randomNormal(shape, 0, 1, 'float64', seed);
  const options = { kernelInitializer: sn.initializers.glorotNormal({ seed: 3 }), dtype: 'float64' } as const;

  test('layers take it itself, by name, by definition and with other parameters', () => {
    const x = normal([3, 6, 6, 2], 2);
    for (const activation of [own, 'quietly', { name: 'quietly' }, own.definition]) {
      const pairs = [activation, 'silu'].map((one) => [
        sn.layers.dense({ units: 5, ...options, activation: one }),
        sn.layers.conv2d({ filters: 4, kernelSize: 3, ...options, activation: one }),
        sn.layers.depthwiseConv2d({
          kernelSize: 3,
          depthwiseInitializer: options.kernelInitializer,
          dtype: 'float64',
          activation: one,
        }),
        sn.layers.activation({ activation: one, dtype: 'float64' }),
      ]);
      pairs[0]!.forEach((layer, i) => {
        expectClose(
          layer.name,
          host(layer.apply<Tensor>(x)),
          host(pairs[1]![i]!.apply<Tensor>(x)),
          'float64',
          'product',
        );
        expect(layer.getConfig()['activation']).toEqual({
          name: 'quietly',
          forward: 'x * sigmoid(b * x)',
          parameters: { b: 1 },
        });
      });
    }
    const sharper = sn.layers.activation({ activation: { name: 'quietly', parameters: { b: 2 } }, dtype: 'float64' });
    expectClose(
      'b = 2',
      host(sharper.apply<Tensor>(x)),
      host(sn.mul(x, sn.sigmoid(sn.mul(x, 2)))),
      'float64',
      'composite',
    );
    // What was registered under the name is as it was.
    expectClose(
      'b = 1',
      host(sn.layers.activation({ activation: 'quietly', dtype: 'float64' }).apply<Tensor>(x)),
      host(sn.silu(x)),
      'float64',
      'composite',
    );
  });

  test('fused.matMul and fused.conv2d take it, with gradients and dropout', () => {
    const [a, b, bias] = [normal([7, 6], 4), normal([6, 5], 5), normal([5], 6)];
    const product = (activation: 'silu' | DefinedActivation, dropout?: { rate: number; seed: number }) =>
      sn.valueAndGrads((...p) =>
        sn.fused.matMul({ a: p[0]!, b: p[1]!, bias: p[2]!, activation, ...(dropout ? { dropout } : {}) }),
      )([a, b, bias]);
    for (const dropout of [undefined, { rate: 0.5, seed: 9 }]) {
      const [found, expected] = [product(own, dropout), product('silu', dropout)];
      expectClose('value', host(found.value), host(expected.value), 'float64', 'product');
      found.grads.forEach((one, i) =>
        expectClose(`grad ${i}`, host(one), host(expected.grads[i]!), 'float64', 'composite'),
      );
    }
    const [x, filter] = [normal([2, 5, 5, 3], 7), normal([3, 3, 3, 4], 8)];
    const convolved = (activation: 'silu' | DefinedActivation): Tensor =>
      sn.fused.conv2d({ x, filter, strides: 1, pad: 'same', bias: normal([4], 9), activation });
    expectClose('conv', host(convolved(own)), host(convolved('silu')), 'float64', 'product');
    expect(() => sn.fused.matMul({ a, b, activation: ((t: Tensor) => t) as never })).toThrow(/activation\(\) returned/);
  });

  test('a recorded step gives the bits of eager ones', async () => {
    const step = (x: Tensor): Tensor => sn.grad((t: Tensor) => sn.fused.matMul({ a: t, b: t, activation: own }))(x);
    const recorded = sn.program(step);
    for (let i = 0; i < 5; i++) {
      const x = sn.randomNormal([20, 20], 0, 1, 'float32', 30 + i);
      expect((await recorded(x)).dataSync()).toEqual(step(x).dataSync());
    }
    expect(recorded.info().recordings).toBe(1);
    expect(recorded.info().launches).toBeGreaterThan(1);
    recorded.dispose();
  });

  test('a model trains with it, is saved with its formulas, and is the same when it is loaded', async () => {
    sn.setSeed(5);
    const model = sn.sequential({
      layers: [
        sn.layers.dense({ units: 16, inputShape: [4], activation: own }),
        sn.layers.dense({ units: 1, activation: { name: 'steep', forward: 'x + 0.1 * sin(3 * x)' } }),
      ],
    });
    const x = sn.randomNormal([256, 4], 0, 1, 'float32', 1);
    const y = sn.sum(sn.square(x), 1, true);
    model.compile({ optimizer: sn.train.adam(0.02), loss: 'meanSquaredError' });
    const { history } = await model.fit(x, y, { epochs: 12, batchSize: 32, verbose: 0 });
    const losses = history['loss'] as number[];
    expect(losses.at(-1)!).toBeLessThan(0.7 * losses[0]!);
    const json = JSON.parse(JSON.stringify(model.toJSON(null, false))) as object;
    const copy = await sn.models.modelFromJSON(json as never);
    copy.setWeights(model.getWeights());
    const rename = JSON.parse(JSON.stringify(json).replaceAll('steep', 'steeper')) as object;
    const renamed = await sn.models.modelFromJSON(rename as never);
    renamed.setWeights(model.getWeights());
    const expected = (model.predict(x) as Tensor).dataSync();
    expect((copy.predict(x) as Tensor).dataSync()).toEqual(expected);
    expect((renamed.predict(x) as Tensor).dataSync()).toEqual(expected);
    // Loading defined it.
    expect(sn.layers.activation({ activation: 'steeper' }).getConfig()['activation']).toEqual({
      name: 'steeper',
      forward: 'x + 0.1 * sin(3 * x)',
    });
  });
});

describe('definitions that are refused', () => {
  const refused: readonly (readonly [what: string, definition: unknown, text: RegExp])[] = [
    ['none', undefined, /^activation: definition: expected \{name, forward/],
    ['a function', () => 1, /^activation: definition: /],
    ['no name', { forward: 'x' }, /^activation: name: expected a name of letters/],
    ['a name with a space', { name: 'my own', forward: 'x' }, /^activation: name: .*got "my own"$/],
    ['a built-in name', { name: 'selu', forward: 'x' }, /name that no built-in activation has, got "selu"/],
    ['a built-in name in another spelling', { name: 'hard_swish', forward: 'x' }, /no built-in activation has/],
    ['an alias', { name: 'swish', forward: 'x' }, /no built-in activation has/],
    ['a function along an axis', { name: 'softmax', forward: 'x' }, /no built-in activation has/],
    ['no formula', { name: 'f1' }, /^activation 'f1': forward: expected a formula, as a string, got undefined/],
    ['an unknown option', { name: 'f1', forward: 'x', alpha: 1 }, /parameters alone, got "alpha"/],
    [
      'y in forward',
      { name: 'f1', forward: 'y' },
      /^activation 'f1': forward: unknown name 'y': only derivative knows y.*\n {2}y\n {2}\^$/,
    ],
    [
      'NaN as a parameter',
      { name: 'f1', forward: 'a * x', parameters: { a: NaN } },
      /parameters.a: expected a finite number, got NaN/,
    ],
    [
      'text as a parameter',
      { name: 'f1', forward: 'a * x', parameters: { a: '1' } },
      /parameters.a: expected a finite number/,
    ],
    [
      'parameters as an array',
      { name: 'f1', forward: 'x', parameters: [1] },
      /parameters: expected an object of numbers/,
    ],
    [
      'a parameter named x',
      { name: 'f1', forward: 'x', parameters: { x: 1 } },
      /names that mean nothing else.*got "x"/,
    ],
    [
      'a parameter named as a function',
      { name: 'f1', forward: 'x', parameters: { exp: 1 } },
      /mean nothing else.*"exp"/,
    ],
    ['a parameter of another alphabet', { name: 'f1', forward: 'x', parameters: { '\u03b2': 1 } }, /names of letters/],
    [
      'too many parameters',
      { name: 'f1', forward: 'x', parameters: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`p${i}`, i])) },
      /at most 32, got 33/,
    ],
    [
      'a formula without values',
      { name: 'f1', forward: 'log(-1 - x * x)' },
      /forward: expected finite values somewhere/,
    ],
    [
      'a wrong derivative',
      { name: 'f1', forward: 'x * x', derivative: 'x' },
      /^activation 'f1': derivative: at x = -10 expected -20, the slope of forward, got -10$/,
    ],
    [
      'a derivative that is wrong behind a kink alone',
      { name: 'f1', forward: 'max(x, 0)', derivative: 'x > 1 ? 2 : x > 0' },
      /at x = 1.05 expected 1, .* got 2/,
    ],
    [
      'a derivative that is no number at 0',
      { name: 'f1', forward: 'sqrt(x * x)' },
      /at x = 0 expected 0, the slope of forward, got NaN/,
    ],
  ];
  test.each(refused)('%s', (_what, definition, text) => {
    let caught: unknown;
    try {
      sn.activation(definition as ActivationDefinition);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(SelfnormError);
    expect((caught as SelfnormError).code).toBe('ERR_ARGUMENT');
    expect((caught as SelfnormError).message).toMatch(text);
  });

  test('kinks are none: either slope is right there', () => {
    expect(() => define({ forward: 'max(x, 0)', derivative: 'x > 0' })).not.toThrow();
    expect(() => define({ forward: 'max(x, 0)', derivative: 'x >= 0' })).not.toThrow();
    expect(() => define({ forward: 'abs(x)', derivative: 'x > 0 ? 1 : -1' })).not.toThrow();
  });

  test('parameters that an activation does not have, and an activation of another name', () => {
    const own = define({ forward: 'a * x', parameters: { a: 2 } });
    expect(() => own.with({ c: 1 })).toThrow(/with: expected parameters among a, got "c"/);
    expect(() => own.with({ a: Infinity })).toThrow(/parameters.a: expected a finite number/);
    expect(() => sn.layers.dense({ units: 1, activation: { name: own.name, parameters: { c: 1 } } })).toThrow(/with/);
    expect(() => sn.layers.dense({ units: 1, activation: 'neverDefined' })).toThrow(/one of .*own0.*activation\(\)/);
  });
});

test('the same definition is the same activation, another one takes the name', () => {
  const first = sn.activation({ name: 'again', forward: '2 * x' });
  expect(sn.activation({ name: 'again', forward: '2 * x' })).toBe(first);
  const layer = sn.layers.activation({ activation: 'again' });
  const second = sn.activation({ name: 'again', forward: '3 * x' });
  expect(second).not.toBe(first);
  expect([first, second].map((one) => one.name)).toEqual(['again', 'again']);
  expect([...layer.apply<Tensor>(sn.tensor([1])).dataSync()]).toEqual([2]);
  expect([
    ...sn.layers
      .activation({ activation: 'again' })
      .apply<Tensor>(sn.tensor([1]))
      .dataSync(),
  ]).toEqual([3]);
  expect([...second.with({})(4).dataSync()]).toEqual([12]);
  expect([...first(sn.tensor([2], [1], 'int32')).dataSync()]).toEqual([4]);
});
