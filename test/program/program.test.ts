// program(): what is recorded does the same as what ran, and what cannot be recorded runs as it is.
import { afterEach, describe, expect, test, vi } from 'vitest';
import * as sn from '../../src/index.js';
import { settled } from '../../src/tensor/recording.js';
import { liveTensors } from '../harness/live-tensors.js';

const CALLS = 6;

/** Warnings that the body emits. */
async function warningsOf(body: () => Promise<void>): Promise<string[]> {
  const warnings: string[] = [];
  const listener = ({ message }: Error): void => void warnings.push(message);
  process.on('warning', listener);
  try {
    await body();
    await new Promise(setImmediate);
  } finally {
    process.off('warning', listener);
  }
  return warnings;
}

const bits = async (tensor: sn.Tensor): Promise<number[]> => [...new Uint8Array((await tensor.data()).buffer)];

afterEach(() => vi.restoreAllMocks());

describe('a Program gives the bits of eager calls:', () => {
  const inputs = (i: number): sn.Tensor => sn.randomNormal([7, 5], 0, 1, 'float32', 100 + i);

  test('values and gradients of a fused layer', async () => {
    const w = sn.randomNormal([5, 9], 0, 1, 'float32', 1);
    const bias = sn.randomNormal([9], 0, 1, 'float32', 2);
    const fn = (x: sn.Tensor): { value: sn.Tensor; list: sn.Tensor[] } => {
      const layer = sn.valueAndGrads((a: sn.Tensor, b: sn.Tensor) =>
        sn.fused.matMul({ a, b, bias, activation: 'selu' }).square().mean(),
      );
      const { value, grads } = layer([x, w]);
      return { value, list: grads };
    };
    const recorded = sn.program(fn);
    for (let i = 0; i < CALLS; i++) {
      const x = inputs(i);
      const expected = fn(x);
      const got = await recorded(x);
      expect(await bits(got.value)).toEqual(await bits(expected.value));
      for (const [k, grad] of expected.list.entries()) expect(await bits(got.list[k]!)).toEqual(await bits(grad));
    }
    expect(recorded.info().recordings).toBe(1);
  });

  test('an optimizer goes on counting, and dropout draws anew', async () => {
    const train = async (recorded: boolean): Promise<number[]> => {
      sn.setSeed(5);
      const w = sn.variable(sn.randomNormal([5, 4], 0, 1, 'float32', 3));
      const adam = sn.train.adam(sn.train.schedules.exponentialDecay(0.1, 2, 0.5));
      const step = (x: sn.Tensor): sn.Tensor =>
        adam.minimize(() => sn.alphaDropout(x.matMul(w).selu(), 0.3).square().mean(), true, [w])!;
      const call = recorded ? sn.program(step) : async (x: sn.Tensor) => Promise.resolve(step(x));
      const all: number[] = [];
      for (let i = 0; i < CALLS; i++) all.push(...(await bits(await call(inputs(i)))));
      all.push(...(await bits(w)), adam.iterations);
      adam.dispose();
      w.dispose();
      return all;
    };
    const eager = await train(false);
    expect(await train(true)).toEqual(eager);
    expect(new Set(eager.slice(0, 4 * CALLS)).size).toBeGreaterThan(4);
  });

  test('calls that are not awaited run in their order', async () => {
    const sum = sn.variable(sn.zeros([5]));
    const add = sn.program((x: sn.Tensor) => {
      sum.assign(sum.mul(0.5).add(x.sum(0)));
      return sum.clone();
    });
    const xs = Array.from({ length: 20 }, (_, i) => inputs(i));
    const results: Promise<sn.Tensor>[] = [];
    const expected: number[][] = [];
    let value: sn.Tensor = sn.zeros([5]);
    for (const x of xs) {
      value = value.mul(0.5).add(x.sum(0));
      expected.push(await bits(value));
    }
    for (const x of xs) results.push(add(x));
    for (const [i, result] of (await Promise.all(results)).entries()) expect(await bits(result)).toEqual(expected[i]);
    expect(await bits(sum)).toEqual(expected.at(-1));
  });

  test('eager work on the same tensors waits for it', async () => {
    const w = sn.variable(sn.ones([64, 64]));
    const grow = sn.program(() => {
      for (let i = 0; i < 20; i++) w.assign(w.matMul(w).mul(1 / 64));
    });
    for (let i = 0; i < 4; i++) void grow();
    w.assign(w.add(1));
    expect([...w.dataSync()].every((value) => value === 2)).toBe(true);
    await settled(w.backend);
  });
});

describe('arguments', () => {
  test('of other shapes or dtypes make another recording', async () => {
    const double = sn.program((x: sn.Tensor) => x.add(x));
    for (let i = 0; i < 3; i++) {
      expect([...(await double([i, 1])).dataSync()]).toEqual([2 * i, 2]);
      expect([...(await double([i, 1, 2])).dataSync()]).toEqual([2 * i, 2, 4]);
      expect([...(await double(sn.tensor([i], [1], 'int32'))).dataSync()]).toEqual([2 * i]);
    }
    expect(double.info()).toMatchObject({ recordings: 3, device: sn.device() });
    double.dispose();
    expect(double.info()).toMatchObject({ recordings: 0, bytes: 0 });
    expect((await double([4])).dataSync()[0]).toBe(8);
  });

  test('may be one tensor twice, pieces of one tensor, or a variable', async () => {
    const combine = sn.program((a: sn.Tensor, b: sn.Tensor) => a.mul(10).add(b));
    const whole = sn.tensor([1, 2, 3, 4]);
    const [first, second] = sn.split(whole, 2) as [sn.Tensor, sn.Tensor];
    const v = sn.variable(sn.tensor([5, 6]));
    for (let i = 0; i < 4; i++) {
      expect([...(await combine(first, first)).dataSync()]).toEqual([11, 22]);
      expect([...(await combine(first, second)).dataSync()]).toEqual([13, 24]);
      expect([...(await combine(v, second)).dataSync()]).toEqual([53, 64]);
      expect([...(await combine(second, v)).dataSync()]).toEqual([35, 46]);
    }
    expect(combine.info().recordings).toBe(1);
  });

  test('may be disposed of while the call runs', async () => {
    const double = sn.program((x: sn.Tensor) => x.add(x));
    for (let i = 0; i < 5; i++) {
      const x = sn.fill([1000], i);
      const result = double(x);
      x.dispose();
      sn.fill([1000], -1);
      expect((await result).dataSync()[999]).toBe(2 * i);
    }
  });

  test('that are returned come back as tensors of their own', async () => {
    const same = sn.program((x: sn.Tensor) => [x, x.reshape([2, 1]), x] as const);
    for (let i = 0; i < 4; i++) {
      const x = sn.tensor([i, 7]);
      const [a, b, c] = await same(x);
      sn.dispose([x, a]);
      expect([...b.dataSync(), ...c.dataSync()]).toEqual([i, 7, i, 7]);
      expect(b.shape).toEqual([2, 1]);
    }
  });

  test('are held to `inputs`', async () => {
    const double = sn.program((x: sn.Tensor) => x.add(x), { inputs: [{ shape: [2], dtype: 'float64' }] });
    expect((await double([1, 2])).dtype).toBe('float64');
    await expect(double([1, 2, 3])).rejects.toThrow('program: argument 0: expected shape [2], got [3]');
    await expect(double(sn.tensor([1, 2]))).rejects.toThrow(
      'program: argument 0: expected float64, got "float32"; use cast()',
    );
    await expect(double()).rejects.toThrow('program: arguments: expected 1 of them, got 0');
    expect(() => sn.program((x: sn.Tensor) => x, { inputs: [3] as never })).toThrow('inputs: expected a list of');
    expect(() => sn.program(3 as never)).toThrow('program: fn: expected a function, got 3');
  });
});

describe('what cannot be recorded runs eagerly, with one warning that says why:', () => {
  const cases: Record<string, { fn: () => (x: sn.Tensor) => sn.Tensor; why: RegExp }> = {
    'a function that reads values back': {
      fn: () => (x) => (x.sum().dataSync()[0]! > 0 ? x.add(1) : x.sub(1)),
      why: /values are read back/,
    },
    'a function that keeps a tensor for its next call': {
      fn: () => {
        let last: sn.Tensor = sn.scalar(0);
        return (x) => (last = sn.keep(last.add(x.sum().abs())));
      },
      why: /keeps for the next/,
    },
    'a function that makes a variable': {
      fn: () => (x) => sn.variable(x).add(1),
      why: /keeps for the next/,
    },
  };
  for (const [name, { fn, why }] of Object.entries(cases)) {
    test(name, async () => {
      const eager = fn();
      const recorded = sn.program(Object.defineProperty(fn(), 'name', { value: name }));
      const warnings = await warningsOf(async () => {
        for (let i = 0; i < CALLS; i++) {
          const x = sn.tensor([i - 3, 1]);
          expect([...(await recorded(x)).dataSync()]).toEqual([...eager(x).dataSync()]);
        }
      });
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toMatch(why);
      expect(recorded.info().recordings).toBe(0);
    });
  }

  test('an error leaves nothing behind', async () => {
    let fails = false;
    const fn = sn.program((x: sn.Tensor) => {
      const y = x.add(1);
      if (fails) throw new Error('mine');
      return y;
    });
    await fn([1]);
    fails = true;
    const before = await liveTensors();
    await expect(fn([1])).rejects.toThrow('mine');
    expect(await liveTensors()).toBe(before);
    fails = false;
    expect((await fn([1])).dataSync()[0]).toBe(2);
  });

  test('an async function is refused', async () => {
    const fn = sn.program((async (x: sn.Tensor) => Promise.resolve(x)) as never);
    await expect(fn([1])).rejects.toThrow('fn: expected a synchronous function that returns tensors');
  });
});

describe('memory', () => {
  test('is planned: the arena is little more than what is alive at once, and is given back', async () => {
    const layers = Array.from({ length: 6 }, (_, i) => sn.variable(sn.randomNormal([64, 64], 0, 0.1, 'float32', i)));
    const sgd = sn.train.sgd(0.1);
    const step = sn.program((x: sn.Tensor) => {
      const forward = (): sn.Tensor =>
        layers
          .reduce((y: sn.Tensor, w) => y.matMul(w).selu(), x)
          .square()
          .mean();
      return sgd.minimize(forward, true, layers)!;
    });
    const x = sn.randomNormal([128, 64]);
    const programs = sn.memory().programs.length;
    for (let i = 0; i < 3; i++) await step(x);
    const made = sn.memory().programs.slice(programs);
    expect(made).toHaveLength(1);
    const { launches, arenaBytes, liveBytes } = made[0]!;
    expect(launches).toBe(step.info().launches);
    expect(liveBytes).toBeGreaterThan(6 * 128 * 64 * 4);
    expect(arenaBytes).toBeGreaterThanOrEqual(liveBytes);
    expect(arenaBytes).toBeLessThanOrEqual(1.15 * liveBytes);
    step.dispose();
    expect(sn.memory().programs).toHaveLength(programs);
  });

  test('does not grow with calls', async () => {
    const fn = sn.program((x: sn.Tensor) => x.square().sum());
    const x = sn.ones([1000]);
    for (let i = 0; i < 3; i++) (await fn(x)).dispose();
    const before = await liveTensors();
    for (let i = 0; i < 200; i++) (await fn(x)).dispose();
    expect(await liveTensors()).toBe(before);
  });
});
