// The gradient API: grad, grads, valueAndGrad, valueAndGrads, variableGrads, customGrad. What each op's gradient is, is in
// test/ops; here is how gradients flow, nest, fail and free.
import { afterEach, describe, expect, test } from 'vitest';
import * as sn from '../src/index.js';
import { isRecording } from '../src/autograd/tape.js';

type T = sn.Tensor;
const list = (x: T): number[] => [...x.dataSync()];
const f64 = (values: number | number[]): T =>
  sn.tensor(values, Array.isArray(values) ? [values.length] : [], 'float64');
const wrong = <X>(value: unknown): X => value as X;

function expectNear(actual: T, expected: readonly number[]): void {
  expect(actual.size).toBe(expected.length);
  list(actual).forEach((value, i) => {
    expect(!(Math.abs(value - expected[i]!) <= 1e-12 * Math.max(1, Math.abs(expected[i]!)))).toBe(false);
  });
}

afterEach(() => {
  expect(isRecording()).toBe(false);
});

describe('grad', () => {
  test('the derivative at each element', () => {
    expectNear(sn.grad((x) => x.square().mul(x))(f64([1, 2, -3])), [3, 12, 27]);
  });
  test('dy weighs the outputs', () => {
    expectNear(sn.grad((x) => x.square())(f64([1, 2]), f64([10, -1])), [20, -4]);
    expect(list(sn.grad((x) => x.square())([1, 2], [10, -1]))).toEqual([20, -4]);
  });
  test('a tensor used twice gets the sum', () => {
    expectNear(sn.grad((x) => x.add(x).mul(x).add(x))(f64([3])), [13]);
    expectNear(
      sn.grad((x) =>
        sn
          .concat([x, x, x])
          .mul(f64([1, 2, 3, 4, 5, 6]))
          .sum(),
      )(f64([0, 0])),
      [9, 12],
    );
  });
  test('the identity, and its dy', () => {
    expectNear(sn.grad((x) => x)(f64([7, 8])), [1, 1]);
    expectNear(sn.grad((x) => x)(f64([7, 8]), f64([2, 3])), [2, 3]);
  });
  test('zeros where f does not depend on x', () => {
    const c = f64([5]);
    expectNear(sn.grad(() => c)(f64([1, 2])), [0, 0]);
    expectNear(sn.grad((x) => x.sign().add(sn.zerosLike(x)))(f64([1, 2])), [0, 0]);
  });
  test('through broadcasting, to the operand that was broadcast', () => {
    const [da, db] = sn.grads((a, b) => a.mul(b))([sn.ones([2, 3]), sn.tensor([[2], [4]])]) as [T, T];
    expect([da.shape, list(da)]).toEqual([[2, 3], [2, 2, 2, 4, 4, 4]]); // prettier-ignore
    expect([db.shape, list(db)]).toEqual([[2, 1], [3, 3]]); // prettier-ignore
    const [scalar] = sn.grads((a, b) => a.mul(b))([2, sn.ones([2, 2])]) as [T];
    expect([scalar.shape, list(scalar)]).toEqual([[], [4]]);
  });
  test('through axes of size 0', () => {
    const [da, db, dc] = sn.grads((a, b, c) => a.add(b).mul(c))([sn.zeros([0, 3]), sn.ones([1, 3]), sn.ones([])]) as [T, T, T]; // prettier-ignore
    expect(da.shape).toEqual([0, 3]);
    expect([db.shape, list(db)]).toEqual([[1, 3], [0, 0, 0]]); // prettier-ignore
    expect([dc.shape, list(dc)]).toEqual([[], [0]]);
    expect(sn.grad((x) => x.exp().sum())(sn.zeros([0])).shape).toEqual([0]);
  });
  test('NaN and infinity arrive, and do not spread to elements of their own', () => {
    expect(list(sn.grad((x) => x.square())([NaN, 2, Infinity]))).toEqual([NaN, 4, Infinity]);
  });
  test('through mixed dtypes each gradient has its operand’s dtype', () => {
    const [a, b] = sn.grads((x, y) => x.mul(y))([sn.ones([2], 'float16'), f64([3, 4])]) as [T, T];
    expect([a.dtype, b.dtype]).toEqual(['float16', 'float64']);
    expect([...list(a), ...list(b)]).toEqual([3, 4, 1, 1]);
  });
  test('of a variable given as the argument, and of a view of it', () => {
    const v = sn.variable([1, 2, 3, 4]);
    expect(list(sn.grad((x) => x.reshape([2, 2]).square())(v))).toEqual([2, 4, 6, 8]);
    v.dispose();
  });
});

describe('the results are tensors of their own', () => {
  test('gradients that are equal are not one tensor', () => {
    const [a, b, c] = sn.grads((x, y, z) => x.add(y).add(z))([f64([1]), f64([2]), f64([3])]) as [T, T, T];
    a.dispose();
    b.dispose();
    expectNear(c, [1]);
  });
  test('a gradient is not the dy that was given', () => {
    const dy = f64([2]);
    sn.grad((x) => x)(f64([1]), dy).dispose();
    expect(dy.isDisposed).toBe(false);
  });
  test('the value is not the argument', () => {
    const x = f64([2]);
    const { value, grad } = sn.valueAndGrad((t) => t)(x);
    sn.dispose([value, grad]);
    expectNear(x, [2]);
  });
  test('the same argument twice', () => {
    const x = f64([3]);
    const [a, b] = sn.grads((s, t) => s.mul(t))([x, x]) as [T, T];
    a.dispose();
    // One tensor, so both are its whole gradient.
    expectNear(b, [6]);
  });
  test('the same of variables', () => {
    const a = sn.variable(1, true, 'a1');
    const b = sn.variable(2, true, 'b1');
    const { value, grads } = sn.variableGrads(() => a.add(b));
    grads['a1']!.dispose();
    value.dispose();
    expect(list(grads['b1']!)).toEqual([1]);
    expect(list(sn.variableGrads(() => a).grads['a1']!)).toEqual([1]);
    expect(a.isDisposed).toBe(false);
    sn.dispose([a, b, grads]);
  });
});

describe('valueAndGrad and valueAndGrads', () => {
  test('give the value too', () => {
    const one = sn.valueAndGrad((x) => x.square())(f64([3]), f64([2]));
    expectNear(one.value, [9]);
    expectNear(one.grad, [12]);
    const two = sn.valueAndGrads((a, b) => a.mul(b))([f64([3]), f64([4])]);
    expectNear(two.value, [12]);
    expectNear(two.grads[0]!, [4]);
    expectNear(two.grads[1]!, [3]);
  });
});

describe('nesting', () => {
  test('second and higher derivatives', () => {
    const cube = (x: T): T => x.mul(x).mul(x);
    const second = sn.grad(sn.grad(cube));
    expectNear(second(f64([2, -1])), [12, -6]);
    expectNear(sn.grad(second)(f64([2, -1])), [6, 6]);
    const exp4 = sn.grad(sn.grad(sn.grad(sn.grad((x) => x.exp()))));
    expectNear(exp4(f64([1])), [Math.E]);
  });
  test('an inner gradient with an argument of its own', () => {
    // d/dx [x * d/dy (x y^2)] = d/dx [2 x^2 y] = 4 x y
    const y = f64([3]);
    expectNear(sn.grad((x) => x.mul(sn.grad((t) => x.mul(t).mul(t))(y)))(f64([5])), [60]);
  });
  test('through the value of valueAndGrad, and through dy', () => {
    const f = (x: T): T => {
      const { value, grad } = sn.valueAndGrad((t) => t.square())(x);
      return value.mul(grad);
    };
    expectNear(sn.grad(f)(f64([2])), [24]);
    expectNear(sn.grad((x) => sn.grad((t) => t.square())(f64([3]), x))(f64([5])), [6]);
  });
  test('of an activation, and of a fused one by its parameters', () => {
    const t = Math.tanh(0.5);
    expectNear(sn.grad(sn.grad((x) => x.tanh()))(f64([0.5])), [-2 * t * (1 - t * t)]);
  });
  test('a gradient penalty: variables inside, a gradient by the input in the loss', () => {
    const w = sn.variable(f64([2]), true, 'penalty');
    const { value, grads } = sn.variableGrads(() =>
      sn
        .grad((x) => w.mul(x).square())(f64([3]))
        .square()
        .sum(),
    );
    // The inner gradient is 2 w^2 x; its square 4 w^4 x^2, whose slope by w is 16 w^3 x^2.
    expectNear(value, [4 * 16 * 9]);
    expectNear(grads['penalty']!, [16 * 8 * 9]);
    sn.dispose([w, value, grads]);
  });
  test('an inner gradient and tidy keep what the outer one needs', () => {
    const f = (x: T): T =>
      sn.tidy(() => {
        const g = sn.grad((t) => sn.tidy(() => t.exp().mul(t)))(x);
        const kept = g.square();
        g.dispose();
        return kept;
      });
    // g = e^x (1 + x); d g^2 = 2 g e^x (2 + x)
    const [x] = [0.3];
    expectNear(sn.grad(f)(f64([x])), [2 * Math.exp(x) * (1 + x) * Math.exp(x) * (2 + x)]);
  });
  test('disposing inside f does not harm the backward pass', () => {
    const f = (x: T): T => {
      const s = x.sigmoid();
      const y = s.mul(s);
      s.dispose();
      return y;
    };
    const s = 1 / (1 + Math.exp(-0.7));
    expectNear(sn.grad(f)(f64([0.7])), [2 * s * s * (1 - s)]);
  });
});

describe('variableGrads', () => {
  test('the trainable variables that f uses, by name', () => {
    const w = sn.variable([1, 2], true, 'w');
    const b = sn.variable(3, true, 'b');
    const frozen = sn.variable(5, false, 'frozen');
    const unused = sn.variable(1, true, 'unused');
    const loss = (): T => w.mul(frozen).add(b).sum();
    const { value, grads } = sn.variableGrads(loss);
    expect(list(value)).toEqual([21]);
    expect(Object.keys(grads).sort()).toEqual(['b', 'w']);
    expect([list(grads['w']!), list(grads['b']!)]).toEqual([[5, 5], [2]]); // prettier-ignore
    const some = sn.variableGrads(loss, [w, unused, frozen]);
    expect(Object.keys(some.grads)).toEqual(['w']);
    expect(() => sn.variableGrads(loss, [unused])).toThrow(/^variableGrads: f: .*depend/);
    sn.dispose([w, b, frozen, unused]);
  });
  test('two variables of one name are refused, since results go by name', () => {
    const a = sn.variable(1, true, 'twin');
    const b = sn.variable(2, true, 'twin');
    expect(() => sn.variableGrads(() => a.mul(b))).toThrow(/^variableGrads: .*"twin"/);
    sn.dispose([a, b]);
  });
  test('a variable that is assigned between use and backward is an error, not a wrong gradient', () => {
    const v = sn.variable(3, true, 'moving');
    expect(() =>
      sn.variableGrads(() => {
        const y = v.square();
        v.assign(100);
        return y;
      }),
    ).toThrow(/^assign: .*moving/);
    // A copy does not change with it.
    const copied = sn.variableGrads(() => {
      const y = v.clone().square();
      v.assign(7);
      return y;
    });
    expect(list(copied.grads['moving']!)).toEqual([200]);
    // A value that no gradient flows through may change: moving averages do.
    const average = sn.variable(0, false, 'average');
    const { grads } = sn.variableGrads(() => {
      const y = v.square();
      average.assign(average.mul(0.5).add(y));
      return y;
    });
    expect(list(grads['moving']!)).toEqual([2 * v.dataSync()[0]!]);
    expect(average.dataSync()[0]).toBe(v.dataSync()[0]! ** 2);
    sn.dispose([v, average, grads]);
  });
});

describe('customGrad', () => {
  const doubled = sn.customGrad((x: T, save: sn.GradSaveFunc) => {
    save([x]);
    return { value: x.square(), gradFunc: (dy, [saved]) => dy.mul(saved!.mul(20)) };
  });
  test('its gradient in place of the own', () => {
    expectNear(doubled(f64([3])), [9]);
    expectNear(sn.grad(doubled)(f64([3])), [60]);
    expectNear(sn.grad((x) => doubled(x.mul(2)).mul(x))(f64([3])), [36 + 3 * 2 * 120]);
  });
  test('differentiated again', () => {
    expectNear(sn.grad(sn.grad(doubled))(f64([3])), [20]);
  });
  test('a value that is the argument', () => {
    const straight = sn.customGrad((x: T) => ({ value: x, gradFunc: (dy) => dy.mul(7) }));
    expectNear(sn.grad((x) => straight(x))(f64([1])), [7]);
    expectNear(sn.grad((x) => straight(x.square()))(f64([3])), [42]);
    expectNear(sn.grad((x) => straight(x).add(x))(f64([3])), [8]);
  });
  test('several arguments', () => {
    const product = sn.customGrad((a: T, b: T) => ({
      value: a.mul(b),
      gradFunc: (dy) => [dy.mul(2), dy.mul(3)],
    }));
    expect(
      sn
        .grads((a, b) => product(a, b))([f64([1]), f64([1])])
        .map(list),
    ).toEqual([[2], [3]]);
  });
  test('saved tensors survive tidy inside it', () => {
    const f = sn.customGrad((x: T, save: sn.GradSaveFunc) =>
      sn.tidy(() => {
        const y = x.exp();
        save([y]);
        return { value: y.mul(1), gradFunc: (dy: T, [saved]: T[]) => dy.mul(saved!) };
      }),
    );
    expectNear(sn.grad((x) => f(x))(f64([1])), [Math.E]);
  });
  test('disposing inside it does not free what an enclosing gradient needs', () => {
    const g = sn.grad((x) => {
      const s = x.selu();
      const f = sn.customGrad((y: T) => {
        const value = y.mul(2);
        s.dispose();
        return { value, gradFunc: (dy) => dy.mul(2) };
      });
      return f(s);
    });
    expectNear(g(f64([1])), [2 * 1.0507009873554805]);
  });
  test('a gradient taken inside it is its own affair', () => {
    const f = sn.customGrad((x: T) => ({
      value: sn.grad((t) => t.square())(x),
      gradFunc: (dy) => dy.mul(2),
    }));
    expectNear(sn.grad((x) => f(x.mul(3)))(f64([1])), [6]);
  });
  test.each([
    ['no object', () => sn.customGrad(wrong(() => 3))(1), /^customGrad: f: /],
    [
      'too few gradients',
      () => sn.grad((x) => sn.customGrad((a: T, b: T) => ({ value: a.mul(b), gradFunc: (dy) => [dy] }))(x, x))(1),
      /^customGrad: gradFunc: expected 2 gradients, got 1/,
    ],
    [
      'another shape',
      () => sn.grad(sn.customGrad((a: T) => ({ value: a.mul(1), gradFunc: () => sn.ones([3]) })))(1),
      /^customGrad: gradFunc: expected shape \[\], got \[3\]/,
    ],
    [
      'no tensor',
      () => sn.grad(sn.customGrad((a: T) => ({ value: a.mul(1), gradFunc: () => wrong(null) })))(1),
      /^customGrad: gradFunc: expected a tensor/,
    ],
    ['no function', () => sn.customGrad(wrong(3)), /^customGrad: f: expected a function, got 3/],
  ])('%s is an error', (_what, call, text) => {
    expect(call).toThrow(text);
  });
});

describe('errors', () => {
  test.each([
    ['no function', () => sn.grad(wrong(3))(1), /^grad: f: expected a function, got 3/],
    ['no array of arguments', () => sn.grads((a) => a)(wrong(1)), /^grads: args: expected an array/],
    ['a promise', () => sn.grad(wrong(async () => Promise.resolve(sn.scalar(1))))(1), /^grad: f: /],
    ['an integer result', () => sn.grad((x) => x.cast('int32'))(1), /^grad: f: .*float/],
    ['variableGrads of nothing', () => sn.variableGrads(wrong(undefined)), /^variableGrads: f: expected a function/],
  ])('%s', (_what, call, text) => {
    expect(call).toThrow(text);
  });

  test('one thrown in f, in a nested f, or in a backward function leaves no tape and no tensor behind', () => {
    const x = f64([1, 2]);
    const fail = (): never => {
      throw new Error('inside');
    };
    const cases: (() => unknown)[] = [
      () => sn.grad((t) => (t.square(), fail()))(x),
      () => sn.grad((t) => t.mul(sn.grad((s) => (s.exp(), fail()))(t)))(x),
      () => sn.grad((t) => sn.tidy(() => (t.exp(), fail())))(x),
      () => sn.grad((t) => sn.customGrad((a: T) => ({ value: a.exp(), gradFunc: fail }))(t.exp()))(x),
      () => sn.grad((t) => sn.customGrad((a: T) => (a.exp(), fail()))(t))(x),
      () => sn.grad((t) => t.square())(x, f64([1, 2, 3])),
      () => sn.grad((t) => t.add(f64([1, 2, 3])))(x),
    ];
    for (const run of cases) {
      const before = sn.memory().numTensors;
      expect(() => sn.tidy(run)).toThrow();
      expect(isRecording()).toBe(false);
      expect(sn.memory().numTensors).toBe(before);
      const made = sn.ones([1]);
      made.dispose();
      expect(sn.memory().numTensors).toBe(before);
      expectNear(
        sn.tidy(() => sn.grad((t) => t.square())(x)),
        [2, 4],
      );
    }
  });
});
