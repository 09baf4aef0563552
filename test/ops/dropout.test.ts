// Dropout against a second writing of its mask, its moments, and its gradients: nothing but the mask is random.
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import type { Tensor } from '../../src/index.js';
import { expectClose as assertClose } from '../harness/compare.js';
import { philox, randomHalves } from '../harness/philox.js';

const SCALE = 1.0507009873554805;
const SATURATION = -1.7580993408473766;
const FLOATS = ['float32', 'float64', 'float16', 'bfloat16'] as const;
/** Of 4099 elements at rate 20000 / 65536 and seed 1234567890123. */
const MASK = 51552424;
const SIZES = [0, 1, 7, 8, 9, 1023, 1024, 1025, 5000];

const expectClose = (...args: Parameters<typeof assertClose>): void => expect(() => assertClose(...args)).not.toThrow();
const ramp = (n: number): number[] => Array.from({ length: n }, (_, i) => ((i * 37) % 101) / 16 - 3);
const values = (t: Tensor): number[] => [...t.dataSync()];
const host = (t: Tensor): { shape: readonly number[]; data: ArrayLike<number> } => ({
  shape: t.shape,
  data: t.dataSync(),
});
const thresholdOf = (rate: number): number => Math.round(rate * 65536);
const keeps = (n: number, rate: number, seed: number, offset = 0): boolean[] =>
  randomHalves(n, seed, offset).map((draw) => draw >= thresholdOf(rate));
const selu = (x: number): number => (x > 0 ? SCALE * x : -SATURATION * Math.expm1(x));
const seluSlope = (x: number): number => (x > 0 ? SCALE : -SATURATION * Math.exp(x));

/** a, b and the dropped value of alpha dropout, as the paper derives them, for the rate in 65536ths. */
function affine(rate: number, mean = 0, variance = 1): { a: number; b: number; dropped: number } {
  const q = thresholdOf(rate) / 65536;
  const a = Math.sqrt(variance / ((1 - q) * variance + q * (1 - q) * (SATURATION - mean) ** 2));
  const b = mean - a * ((1 - q) * mean + q * SATURATION);
  return { a, b, dropped: a * SATURATION + b };
}

function moments(data: ArrayLike<number>): { mean: number; variance: number; fourth: number } {
  const n = data.length;
  let mean = 0;
  for (let i = 0; i < n; i++) mean += data[i]!;
  mean /= n;
  let variance = 0;
  let fourth = 0;
  for (let i = 0; i < n; i++) {
    const square = (data[i]! - mean) ** 2;
    variance += square;
    fourth += square ** 2;
  }
  return { mean, variance: variance / n, fourth: fourth / n };
}

describe('the generator', () => {
  test.each([
    [
      [0n, 0n, 0n, 0n],
      [0n, 0n],
      [0x6627e8d5n, 0xe169c58dn, 0xbc57ac4cn, 0x9b00dbd8n],
    ],
    [
      [0xffffffffn, 0xffffffffn, 0xffffffffn, 0xffffffffn],
      [0xffffffffn, 0xffffffffn],
      [0x408f276dn, 0x41c83b0en, 0xa20bc7c6n, 0x6d5451fdn],
    ],
    [
      [0x243f6a88n, 0x85a308d3n, 0x13198a2en, 0x03707344n],
      [0xa4093822n, 0x299f31d0n],
      [0xd16cfe09n, 0x94fdccebn, 0x5001e420n, 0x24126ea1n],
    ],
  ])('of these tests gives the known answer for counter %s', (counter, key, expected) => {
    expect(philox(counter, key)).toEqual(expected);
  });
});

describe.each(FLOATS)('%s', (dtype) => {
  test.each(SIZES)('dropout of %i elements draws the reference mask', (n) => {
    const x = sn.tensor(ramp(n), [n], dtype);
    const exact = values(x);
    const keep = keeps(n, 0.3, 42);
    const scale = 65536 / (65536 - thresholdOf(0.3));
    const expected = exact.map((value, i) => (keep[i] ? value * scale : 0));
    expectClose('dropout', host(sn.dropout(x, 0.3, 42)), { shape: [n], data: expected }, dtype, 'elementwise');
  });

  test.each(SIZES)('alphaDropout and its gradient of %i elements', (n) => {
    const x = sn.tensor(ramp(n), [n], dtype);
    const exact = values(x);
    const keep = keeps(n, 0.1, -7);
    const { a, b, dropped } = affine(0.1, 0.5, 2);
    const f = (t: Tensor): Tensor => sn.alphaDropout(t, 0.1, -7, { mean: 0.5, variance: 2 });
    const expected = exact.map((value, i) => (keep[i] ? a * value + b : dropped));
    expectClose('value', host(f(x)), { shape: [n], data: expected }, dtype, 'elementwise');
    const slopes = exact.map((value, i) => (keep[i] ? a * value : 0));
    expectClose('gradient', host(sn.grad(f)(x, x)), { shape: [n], data: slopes }, dtype, 'elementwise');
  });

  test.each(SIZES)('SELU fused with alphaDropout, and its gradient, of %i elements', (n) => {
    const x = sn.tensor(ramp(n), [n], dtype);
    const exact = values(x);
    const keep = keeps(n, 0.2, 2 ** 40 + 3);
    const { a, b, dropped } = affine(0.2);
    const f = (t: Tensor): Tensor => sn.seluAlphaDropout(t, 0.2, 2 ** 40 + 3);
    const expected = exact.map((value, i) => (keep[i] ? a * selu(value) + b : dropped));
    expectClose('value', host(f(x)), { shape: [n], data: expected }, dtype, 'elementwise');
    const slopes = exact.map((value, i) => (keep[i] ? value * a * seluSlope(value) : 0));
    expectClose('gradient', host(sn.grad(f)(x, x)), { shape: [n], data: slopes }, dtype, 'reduction');
  });
});

describe('masks', () => {
  test('are those of the emulator at every block size, which test/native/dropout_test.cc holds to the same number', () => {
    const kept = sn.dropout(sn.ones([4099]), 20000 / 65536, 1234567890123).dataSync();
    // FNV-1a over one byte an element.
    let hash = 0x811c9dc5;
    for (const value of kept) hash = Math.imul(hash ^ Number(value !== 0), 0x01000193) >>> 0;
    expect(hash).toBe(MASK);
  });

  test('a large tensor, streamed past the cache, has the mask of a small one', () => {
    const n = 2 ** 23 + 5;
    const large = sn.dropout(sn.ones([n]), 0.5, 9).dataSync();
    const keep = keeps(4096, 0.5, 9);
    expect([...large.subarray(0, 4096)].map((value) => value !== 0)).toEqual(keep);
    const last = Array.from({ length: 13 }, (_, i) => n - 13 + i);
    const expected = last.map((i) => {
      const group = BigInt(i >> 3);
      const word = Number(philox([group, 0n, 0n, 0n], [9n, 0n])[(i & 7) >> 1]!);
      return ((word >>> (16 * (i & 1))) & 0xffff) >= 32768;
    });
    expect(last.map((i) => large[i] !== 0)).toEqual(expected);
  });

  test('a view that starts off the pack grid draws its own mask from element 0', () => {
    const x = sn.tensor(ramp(101));
    const view = sn.slice(x, [1], [100]);
    const keep = keeps(100, 0.4, 3);
    expect(values(sn.dropout(view, 0.4, 3)).map((value, i) => value !== 0 || view.dataSync()[i] === 0)).toEqual(
      keep.map((kept, i) => kept || view.dataSync()[i] === 0),
    );
  });

  test('setSeed repeats what follows; without a seed two calls differ', () => {
    const x = sn.ones([256]);
    const draw = (): number[] => values(sn.dropout(x, 0.5));
    sn.setSeed(5);
    const first = [draw(), draw(), draw()];
    sn.setSeed(5);
    expect([draw(), draw(), draw()]).toEqual(first);
    expect(first[0]).not.toEqual(first[1]);
    const offset1 = keeps(256, 0.5, 5, 1);
    expect(first[1]!.map((value) => value !== 0)).toEqual(offset1);
    sn.setSeed(-(2 ** 52) - 1);
    expect(draw().map((value) => value !== 0)).toEqual(keeps(256, 0.5, -(2 ** 52) - 1));
  });

  test("backward draws forward's mask, also after other random ops", () => {
    const x = sn.tensor(ramp(100));
    let y: Tensor | undefined;
    const dx = sn.grad((t) => {
      y = sn.keep(sn.dropout(t.mul(0).add(1), 0.5));
      sn.dropout(t, 0.5);
      return y.mul(t);
    })(x);
    expect(values(dx)).toEqual(values(y!));
  });

  test('threads are seeded apart', async () => {
    const source = `
      const { parentPort } = require('node:worker_threads');
      require('tsx/cjs');
      const sn = require(${JSON.stringify(new URL('../../src/index.ts', import.meta.url).pathname)});
      parentPort.postMessage([...sn.dropout(sn.ones([256]), 0.5).dataSync()]);
    `;
    const draws = await Promise.all(
      [0, 1].map(
        () =>
          new Promise<number[]>((resolve, reject) => {
            const worker = new Worker(source, { eval: true });
            worker.once('message', resolve);
            worker.once('error', reject);
          }),
      ),
    );
    expect(draws[0]).toHaveLength(256);
    expect(draws[0]).not.toEqual(draws[1]);
  });
});

describe('moments', () => {
  const N = 2 ** 22;
  /** Equally spaced values in an order of their own, so that only the mask is random. */
  const uniform = Float32Array.from({ length: N }, (_, i) => ((i * 7919) % N) / N - 0.5);

  const rates = [0.05, 0.1, 0.2, 0.5];
  const wanted = [
    [0, 1],
    [-1, 0.25],
    [0.5, 2],
  ] as const;
  test.each(rates.flatMap((rate) => wanted.map(([mean, variance]) => [rate, mean, variance] as const)))(
    'alphaDropout at rate %f keeps mean %f and variance %f',
    (rate, mean, variance) => {
      const scaled = uniform.map((u) => mean + u * Math.sqrt(12 * variance));
      const y = sn.alphaDropout(sn.tensor(scaled), rate, 17, { mean, variance }).dataSync();
      const found = moments(y);
      expect(Math.abs(found.mean - mean)).toBeLessThan(5 * Math.sqrt(variance / N));
      const error = Math.sqrt((found.fourth - found.variance ** 2) / N);
      expect(Math.abs(found.variance - variance)).toBeLessThan(5 * error);
    },
  );

  test.each(rates)('SELU fused with alphaDropout at rate %f keeps mean 0 and variance 1 of normal inputs', (rate) => {
    const y = sn.seluAlphaDropout(sn.randomNormal([N], 0, 1, 'float32', 5), rate, 17).dataSync();
    const found = moments(y);
    expect(Math.abs(found.mean)).toBeLessThan(5 * Math.sqrt(1 / N));
    expect(Math.abs(found.variance - 1)).toBeLessThan(5 * Math.sqrt((found.fourth - found.variance ** 2) / N));
  });

  test.each([0.001, 0.1, 0.5, 0.9])('dropout drops its share at rate %f and keeps the mean', (rate) => {
    const y = sn.dropout(sn.ones([N]), rate, 23).dataSync();
    let zeros = 0;
    for (const value of y) if (value === 0) zeros++;
    const error = Math.sqrt((rate * (1 - rate)) / N);
    expect(Math.abs(zeros / N - rate)).toBeLessThan(5 * error + 2 ** -17);
    expect(Math.abs(moments(y).mean - 1)).toBeLessThan((5 * error) / (1 - rate));
  });
});

describe('edges', () => {
  test('rate 0 is the identity, and a new tensor', () => {
    const x = sn.tensor([1, NaN, -2]);
    for (const y of [sn.dropout(x, 0), sn.alphaDropout(x, 0)]) {
      expect(values(y)).toEqual([1, NaN, -2]);
      expect(y).not.toBe(x);
    }
    expect(values(sn.seluAlphaDropout(x, 0))).toEqual(values(sn.selu(x)));
    expect(values(sn.grad((t) => sn.dropout(t, 0))(x))).toEqual([1, 1, 1]);
  });

  test('kept NaN and infinity stay; dropped ones do not', () => {
    const keep = keeps(64, 0.5, 1);
    for (const special of [NaN, Infinity, -Infinity]) {
      const x = sn.fill([64], special);
      expect(values(sn.dropout(x, 0.5, 1))).toEqual(keep.map((kept) => (kept ? special : 0)));
      const y = values(sn.alphaDropout(x, 0.5, 1));
      expect(y.map((value) => Object.is(value, special))).toEqual(keep);
    }
  });

  test('the highest rate keeps one element in 65536, finite', () => {
    const y = sn.dropout(sn.ones([4096]), 0.9999999, 1);
    expect(values(y).every((value) => value === 0 || value === 65536)).toBe(true);
  });

  test('noiseShape shares the mask along its axes of size 1, as tfjs', () => {
    const x = sn.tensor(ramp(24), [4, 3, 2]);
    const keep = keeps(8, 0.5, 6);
    const expected = ramp(24).map((value, i) => (keep[Math.floor(i / 6) * 2 + (i % 2)] ? value * 2 : 0));
    expect(values(sn.dropout(x, 0.5, [4, 1, 2], 6))).toEqual(expected);
    expect(values(sn.dropout(x, 0.5, [null, 1, null], 6))).toEqual(expected);
    const { a, b, dropped } = affine(0.5);
    const alpha = ramp(24).map((value, i) => (keep[Math.floor(i / 6) * 2 + (i % 2)] ? a * value + b : dropped));
    const y = sn.alphaDropout(x, 0.5, 6, { noiseShape: [4, 1, 2] });
    expectClose('alphaDropout', host(y), { shape: [4, 3, 2], data: alpha }, 'float32', 'elementwise');
    const slopes = alpha.map((_, i) => (keep[Math.floor(i / 6) * 2 + (i % 2)] ? a : 0));
    const dx = sn.grad((t) => sn.alphaDropout(t, 0.5, 6, { noiseShape: [4, 1, 2] }))(x);
    expectClose('gradient', host(dx), { shape: [4, 3, 2], data: slopes }, 'float32', 'elementwise');
  });

  test('second derivatives of the fused form', () => {
    const x = sn.tensor(ramp(40), [40], 'float64');
    const keep = keeps(40, 0.3, 8);
    const { a } = affine(0.3);
    const g = sn.grad((t) =>
      sn
        .grad((u) => sn.seluAlphaDropout(u, 0.3, 8))(t)
        .square(),
    )(x);
    const expected = ramp(40).map((value, i) =>
      keep[i] ? 2 * a * seluSlope(value) * (value > 0 ? 0 : a * seluSlope(value)) : 0,
    );
    expectClose('second', host(g), { shape: [40], data: expected }, 'float64', 'reduction');
  });

  const wrong = <T>(value: unknown): T => value as T;
  test.each([
    ['rate 1', () => sn.dropout(1, 1), /^dropout: rate: expected a number in \[0, 1\), got 1/],
    ['a NaN rate', () => sn.alphaDropout(1, NaN), /^alphaDropout: rate: .*got NaN/],
    ['an integer tensor', () => sn.dropout(sn.tensor([1], [1], 'int32'), 0.5), /^dropout: x: expected a float.*int32/],
    ['a fractional seed', () => sn.dropout(1, 0.5, 1.5), /^dropout: seed: expected a safe integer, got 1.5/],
    ['a seed that is too large', () => sn.setSeed(2 ** 53), /^setSeed: seed: /],
    ['no variance', () => sn.alphaDropout(1, 0.5, 1, { variance: 0 }), /^alphaDropout: variance: .*above 0, got 0/],
    ['an infinite mean', () => sn.alphaDropout(1, 0.5, 1, { mean: Infinity }), /^alphaDropout: mean: /],
    ['a noise shape too large', () => sn.dropout([1, 2], 0.5, [3, 2]), /^dropout: noiseShape: .*\[2\], got \[3,2\]/],
    ['a noise shape of text', () => sn.dropout(1, 0.5, wrong('x')), /^dropout: noiseShape: .*got "x"/],
  ])('%s is refused', (_what, call, message) => {
    expect(call).toThrow(message);
  });
});
