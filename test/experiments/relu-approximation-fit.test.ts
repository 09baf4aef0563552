// The fit behind relu-approximation: its steps against a loop in float64, many starts at once against each by itself, and the
// document's outcomes from its two starts.
import { beforeEach, describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { approximators, type Approximator } from '../../src/experiments/relu-approximation/activations.js';
import {
  fit,
  LINE_ERROR,
  type Fitted,
  type FitPlan,
  type Start,
} from '../../src/experiments/relu-approximation/fit.js';
import { Interrupted } from '../../src/experiments/experiment.js';
import { LEARNT_ERROR, shapesOf } from '../../src/experiments/relu-approximation/shapes.js';
import { errorSurface, lowestErrors } from '../../src/experiments/relu-approximation/surface.js';
import { DOCUMENT_STARTS } from '../../src/experiments/relu-approximation/trials.js';

beforeEach(() => sn.setDevice('cpu'));

const named = (key: string): Approximator => approximators().find((each) => each.key === key)!;
const run = (plan: Partial<FitPlan> & Pick<FitPlan, 'approximator' | 'starts' | 'steps'>): Promise<Fitted> =>
  fit(
    { learningRate: 0.1, batch: 'grid', ...plan },
    { signal: new AbortController().signal, onSteps: () => undefined },
  );

/** Adam as Keras writes it, on the mean absolute difference over 256 points, one number at a time. */
function reference(
  f: (x: number) => number,
  slope: (x: number) => number,
  [a, b, c, d]: Start,
  steps: number,
): { parameters: number[]; error: number } {
  const parameters = [a, b, c, d];
  const [means, squares] = [
    [0, 0, 0, 0],
    [0, 0, 0, 0],
  ];
  let error = 0;
  for (let step = 1; step <= steps; step++) {
    const gradients = [0, 0, 0, 0];
    error = 0;
    for (let i = 0; i < 256; i++) {
      const x = -0.5 + i / 255;
      const inner = parameters[0]! * x + parameters[1]!;
      const difference = f(inner) * parameters[2]! + parameters[3]! - Math.max(x, 0);
      error += Math.abs(difference) / 256;
      const dy = Math.sign(difference) / 256;
      const dInner = dy * parameters[2]! * slope(inner);
      [dInner * x, dInner, dy * f(inner), dy].forEach((each, k) => (gradients[k]! += each));
    }
    const rate = (0.1 * Math.sqrt(1 - 0.999 ** step)) / (1 - 0.9 ** step);
    gradients.forEach((gradient, k) => {
      means[k] = 0.9 * means[k]! + 0.1 * gradient;
      squares[k] = 0.999 * squares[k]! + 0.001 * gradient ** 2;
      parameters[k]! -= (rate * means[k]) / (Math.sqrt(squares[k]) + 1e-7);
    });
  }
  return { parameters, error };
}

describe('a fit takes the steps of Adam', () => {
  test.each([
    ['elu', (x: number) => (x > 0 ? x : Math.expm1(x)), (x: number) => (x > 0 ? 1 : Math.exp(x))],
    ['softplus', (x: number) => Math.log1p(Math.exp(x)), (x: number) => 1 / (1 + Math.exp(-x))],
  ] as const)('%s', async (key, f, slope) => {
    // Not the document's: there f is x for all x > 0, and the sign of a difference of 0 is rounding.
    const starts: Start[] = [
      [0.9, 0.4, 0.8, -0.3],
      [-1.3, 0.2, 0.7, 1.1],
      [1.5, -0.1, 1.2, 0.2],
    ];
    const steps = 12;
    const fitted = await run({ approximator: named(key), starts, steps, marks: [steps - 1, steps] });
    starts.forEach((start, i) => {
      const { parameters, error } = reference(f, slope, start, steps);
      parameters.forEach((value, k) => {
        expect(Math.abs(fitted.parametersAt[1]![k]![i]! - value) <= 1e-4, `start ${i}, parameter ${k}`).toBe(true);
      });
      expect(Math.abs(fitted.errorsAt[1]![i]! - error) <= 1e-4).toBe(true);
    });
  });

  test('from many starts as from each by itself, PReLU’s slope included', async () => {
    const starts = sn.randomUniform([37, 4], -2, 2, 'float32', 3).arraySync() as unknown as Start[];
    for (const key of ['prelu', 'selu']) {
      const approximator = named(key);
      const whole = await run({ approximator, starts, steps: 150 });
      const parts = [starts.slice(0, 1), starts.slice(1, 20), starts.slice(20)];
      const errors: number[] = [];
      const shapes: string[] = [];
      for (const part of parts) {
        const fitted = await run({ approximator, starts: part, steps: 150 });
        errors.push(...fitted.errors);
        shapes.push(...fitted.shapes);
      }
      expect(errors).toEqual(whole.errors);
      expect(shapes).toEqual(whole.shapes);
    }
  });

  test('keeps medians of the errors since the last mark', async () => {
    const plan = { approximator: named('tanh'), starts: DOCUMENT_STARTS, steps: 20 };
    const each = await run({ ...plan, marks: Array.from({ length: 20 }, (_, i) => i + 1) });
    const some = await run({ ...plan, marks: [5, 20] });
    const medianOf = (from: number, to: number): number => {
      const sorted = each.errorsAt
        .slice(from, to)
        .map((errors) => errors[0]!)
        .sort((a, b) => a - b);
      return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
    };
    expect(some.errorsAt.map((errors) => errors[0]!)).toEqual([medianOf(0, 5), medianOf(5, 20)]);
    expect(Math.abs(some.errors[0]! - medianOf(0, 20)) <= 1e-7).toBe(true);
  });

  test('stops when it is told to, and leaves no tensor behind', async () => {
    const stop = new AbortController();
    // The generator's state is made when it is first drawn from, and stays.
    sn.randomUniform([1]).dispose();
    const before = sn.memory().numTensors;
    const watch = { signal: stop.signal, onSteps: (done: number) => (done === 100 ? stop.abort() : undefined) };
    const plan: FitPlan = {
      approximator: named('gelu'),
      starts: DOCUMENT_STARTS,
      steps: 1000,
      learningRate: 0.1,
      batch: 64,
      marks: [50, 1000],
    };
    await expect(fit(plan, watch)).rejects.toThrow(Interrupted);
    expect(sn.memory().numTensors).toBe(before);
  });
});

describe('the document’s outcomes after 1,000 steps on the grid', () => {
  const after = async (key: string): Promise<readonly number[]> =>
    (await run({ approximator: named(key), starts: DOCUMENT_STARTS, steps: 1000 })).errors;
  const isLine = (error: number): boolean => Math.abs(error - LINE_ERROR) <= 0.001;

  test.each(['relu', 'leakyRelu', 'elu', 'selu'])('%s is a straight line from d = -0.5', async (key) => {
    expect(isLine((await after(key))[0]!)).toBe(true);
  });
  test('from d = 0 only SELU is', async () => {
    expect(isLine((await after('selu'))[1]!)).toBe(true);
    for (const key of ['relu', 'elu', 'softplus']) expect((await after(key))[1]! < 0.02, key).toBe(true);
  });
  test('softplus learns from d = -0.5', async () => {
    expect((await after('softplus'))[0]! < 0.02).toBe(true);
  });
});

test('with fresh batches ReLU gets off the straight line, SELU does not', async () => {
  const starts = Array.from({ length: 10 }, () => DOCUMENT_STARTS[0]!);
  const learnt = async (key: string): Promise<number> => {
    sn.setSeed(5);
    const { errors } = await run({ approximator: named(key), starts, steps: 1500, batch: 256 });
    return errors.filter((error) => error < LEARNT_ERROR).length;
  };
  expect(await learnt('relu')).toBe(10);
  expect(await learnt('selu')).toBe(0);
});

test('softplus does not converge from any start', async () => {
  const { shapes, errors } = await run({ approximator: named('softplus'), starts: [[1, 1, -1, 1]], steps: 3000 });
  expect(shapes).toEqual(['line']);
  expect(errors[0]! > LEARNT_ERROR).toBe(true);
});

test('shapes of learnt functions', () => {
  const x = sn.linspace(-0.5, 0.5, 256);
  const rows = [sn.relu(x), x.mul(0.4).add(0.1), x.mul(0.001), x.mul(3).tanh()];
  expect(shapesOf(sn.stack(rows), x, [0.001, 0.06, 0.125, 0.4])).toEqual(['learnt', 'line', 'constant', 'other']);
  expect(shapesOf(sn.fill([1, 256], NaN), x, [NaN])).toEqual(['other']);
});

describe('the surface of lowest errors', () => {
  test('is that of the best straight line where f is one, and 0 where f is ReLU', () => {
    const x = sn.linspace(-0.5, 0.5, 256);
    const f = sn.stack([x.mul(7).sub(3), x.mul(5).relu(), sn.zerosLike(x)]);
    const [line, kink, constant] = lowestErrors(f, sn.relu(x)).dataSync() as unknown as [number, number, number];
    expect(Math.abs(line - LINE_ERROR) <= 5e-4).toBe(true);
    expect(kink <= 1e-5).toBe(true);
    // The best constant is the median, 0.
    expect(Math.abs(constant - 0.125) <= 1e-3).toBe(true);
  });

  test('rises in front of SELU’s kink and nowhere in front of ELU’s', () => {
    const rise = (key: string): number => {
      const { errors, kinks } = errorSurface(named(key));
      const inView = kinks.findIndex((kink) => kink > -0.5);
      return Math.max(...errors[10]!.slice(inView)) - errors[10]![0]!;
    };
    expect(rise('selu') > 0.005).toBe(true);
    expect(rise('elu') < 1e-4).toBe(true);
  });
});
