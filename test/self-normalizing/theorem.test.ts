// The mathematics of self-normalisation against the closed forms at 80 digits, the published numbers, and samples.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';

interface MomentsCase {
  readonly mean: number;
  readonly variance: number;
  readonly alpha: number;
  readonly scale: number;
  readonly after: readonly [number, number];
  readonly meanScale: number;
  readonly jacobian: readonly [readonly [number, number], readonly [number, number]];
}
interface ConstantsCase {
  readonly mean: number;
  readonly variance: number;
  readonly weightMean: number;
  readonly weightVariance: number;
  readonly alpha: number;
  readonly scale: number;
}
const { moments, constants } = JSON.parse(readFileSync('test/fixtures/self-normalizing/moments.json', 'utf8')) as {
  moments: MomentsCase[];
  constants: ConstantsCase[];
};

/** `!(difference <= bound)`, so that NaN fails. */
function worst(pairs: readonly (readonly [actual: number, expected: number, size: number])[]): number {
  const errors = pairs.map(([actual, expected, size]) => Math.abs(actual - expected) / size);
  return errors.every(Number.isFinite) ? Math.max(...errors) : Infinity;
}

const mapped = ({ mean, variance, alpha, scale }: MomentsCase) =>
  sn.selfNormalizing.theorem({ mean, variance, alpha, scale, weightMean: 1 });

describe('the moment map', () => {
  test('has 12 digits of mean and variance, from mean -10 to 10 and variance 1e-12 to 100', () => {
    expect(moments.length).toBeGreaterThan(150);
    for (const one of moments) {
      const { after, meanScale } = one;
      const { mean, variance } = mapped(one);
      const error = worst([
        [mean, after[0], meanScale],
        [variance, after[1], after[1]],
      ]);
      expect(error, JSON.stringify(one)).toBeLessThan(1e-12);
    }
  });

  test('has 12 digits of its Jacobian, and the norm of that', () => {
    for (const given of moments) {
      const wanted = given.jacobian;
      const { jacobian, norm } = mapped(given);
      // Entries pass through 0: what is left then are the digits of the terms, about the first entry by the spread.
      const spread = Math.sqrt(given.variance);
      const size = [
        [wanted[0][0], wanted[0][0] / spread],
        [wanted[0][0] * Math.sqrt(given.variance), wanted[0][0] ** 2],
      ] as const;
      const error = worst(
        [0, 1].flatMap((row) =>
          [0, 1].map((column) => {
            const expected = wanted[row as 0 | 1][column as 0 | 1];
            const least = Math.abs(size[row as 0 | 1][column as 0 | 1]) * 1e-2;
            return [jacobian[row as 0 | 1][column as 0 | 1], expected, Math.max(Math.abs(expected), least)] as const;
          }),
        ),
      );
      expect(error, JSON.stringify({ given, jacobian })).toBeLessThan(2e-12);
      const [[a, b], [c, d]] = wanted;
      const square = a * a + b * b + c * c + d * d;
      const product = (a * d - b * c) ** 2;
      const reference = Math.sqrt((square + Math.sqrt(Math.max(0, square * square - 4 * product))) / 2);
      expect(worst([[norm, reference, reference]])).toBeLessThan(1e-12);
    }
  });

  test('has the published Jacobian at its fixed point', () => {
    const { mean, variance, jacobian, norm } = sn.selfNormalizing.theorem();
    expect(
      worst([
        [mean, 0, 1],
        [variance, 1, 1],
      ]),
    ).toBeLessThan(1e-14);
    // Klambauer et al. 2017, theorem 1: the entries 0.088834 and 0.782648, and the norm 0.7877.
    expect(jacobian[0]).toEqual([0, expect.closeTo(0.088834, 5)]);
    expect(jacobian[1]).toEqual([0, expect.closeTo(0.782648, 5)]);
    expect(norm).toBeCloseTo(0.7877, 4);
  });

  test('is finite and in order everywhere in its range', () => {
    for (let mean = -10; mean <= 10; mean += 0.5) {
      let last = 0;
      for (const variance of [1e-300, 1e-100, 1e-30, 1e-8, 0.01, 0.5, 1, 2, 7, 30, 60, 100]) {
        const after = sn.selfNormalizing.theorem({ mean, variance, weightMean: 1 });
        expect([after.mean, after.norm, ...after.jacobian.flat()].every(Number.isFinite)).toBe(true);
        expect(after.variance).toBeGreaterThan(last);
        last = after.variance;
      }
    }
  });

  test('says what a layer does to samples', () => {
    const [inputs, units, samples] = [256, 64, 4000];
    sn.setSeed(7);
    const { mean, variance } = sn.tidy(() => {
      const x = sn.randomNormal([samples, inputs], 0.3, 1.1);
      // Every unit's weights have exactly this sum and sum of squares.
      const raw = sn.randomNormal([inputs, units]);
      const centred = raw.sub(raw.mean(0, true));
      const scaled = centred.div(centred.square().sum(0, true).sqrt()).mul(Math.sqrt(0.9 - 0.04 / inputs));
      const y = sn.selu(x.matMul(scaled.add(0.2 / inputs)));
      const found = sn.moments(y);
      return { mean: found.mean.dataSync()[0]!, variance: found.variance.dataSync()[0]! };
    });
    const after = sn.selfNormalizing.theorem({ weightMean: 0.2, weightVariance: 0.9, mean: 0.3, variance: 1.21 });
    expect(Math.abs(mean - after.mean)).toBeLessThan(0.01);
    expect(Math.abs(variance - after.variance)).toBeLessThan(0.02);
  });

  test.each([
    [{ variance: 0 }, 'selfNormalizing.theorem: variance: expected a finite number above 0, got 0'],
    [{ mean: NaN }, 'selfNormalizing.theorem: mean: expected a finite number, got NaN'],
    [{ weightVariance: -1 }, 'selfNormalizing.theorem: weightVariance: expected a finite number above 0, got -1'],
    [{ alpha: Infinity }, 'selfNormalizing.theorem: alpha: expected a finite number above 0, got Infinity'],
    [[1], 'selfNormalizing.theorem: options: expected an object, got [1]'],
  ])('refuses %j', (given, message) => {
    expect(() => sn.selfNormalizing.theorem(given as object)).toThrow(message);
  });
});

describe('the constants', () => {
  test('are the published ones by default', () => {
    const { alpha, scale } = sn.selfNormalizing.constants();
    expect(Math.abs(alpha - 1.6732632423543772)).toBeLessThan(1e-14);
    expect(Math.abs(scale - 1.0507009873554805)).toBeLessThan(1e-14);
  });

  test('for variance 2 are 1.97126 and 1.06071', () => {
    const { alpha, scale } = sn.selfNormalizing.constants({ variance: 2 });
    expect([alpha.toFixed(5), scale.toFixed(5)]).toEqual(['1.97126', '1.06071']);
  });

  test.each(constants)(
    'for mean $mean, variance $variance, weights $weightMean, $weightVariance are right',
    (wanted) => {
      const { alpha, scale, ...given } = wanted;
      const found = sn.selfNormalizing.constants(given);
      expect(
        worst([
          [found.alpha, alpha, alpha],
          [found.scale, scale, scale],
        ]),
      ).toBeLessThan(1e-12);
      const after = sn.selfNormalizing.theorem({ ...given, ...found });
      const size = Math.sqrt(given.variance);
      expect(
        worst([
          [after.mean, given.mean, size],
          [after.variance, given.variance, given.variance],
        ]),
      ).toBeLessThan(1e-13);
      expect(Math.abs(after.jacobian[1][1])).toBeLessThan(1);
    },
  );

  test('keep their moments in a deep network of samples', () => {
    sn.setSeed(3);
    const target = { mean: 0.5, variance: 2 };
    const constants = sn.selfNormalizing.constants(target);
    const found = sn.tidy(() => {
      let x: sn.Tensor = sn.randomNormal([2000, 300], target.mean, Math.sqrt(target.variance));
      for (let layer = 0; layer < 12; layer++) {
        const w = sn.randomNormal([300, 300], 0, Math.sqrt(1 / 300));
        x = sn.selu(x.matMul(w.sub(w.mean(0, true))), constants);
      }
      return sn.moments(x);
    });
    expect(Math.abs(found.mean.dataSync()[0]! - target.mean)).toBeLessThan(0.1);
    expect(Math.abs(found.variance.dataSync()[0]! - target.variance)).toBeLessThan(0.25);
  });

  test('say why there are none', () => {
    expect(() => sn.selfNormalizing.constants({ mean: 3 })).toThrow(
      'selfNormalizing.constants: mean, variance: expected a pair that some alpha and scale keep, got 3 and 1: there is no fixed ' +
        'point, since mean / sqrt(mean^2 + variance) is 0.949 and would have to be below 0.564; take a mean nearer to 0 or a ' +
        'larger variance',
    );
    expect(() => sn.selfNormalizing.constants({ mean: -3 })).toThrow('would have to be above -0.626');
    expect(() => sn.selfNormalizing.constants({ variance: -1 })).toThrow('variance: expected a finite number above 0');
  });

  test('say so when the point would repel, with the norm of the Jacobian', () => {
    expect(() => sn.selfNormalizing.constants({ mean: 0.3, weightMean: 3 })).toThrow(
      /expected a pair that attracts, got 0.3 and 1: alpha 6.96731 and scale 0.566701 keep them, .* Jacobian has norm 4.07984 and/,
    );
  });
});

describe('the fixed point', () => {
  test('of SELU is 0 and 1', () => {
    const { mean, variance, norm, radius } = sn.selfNormalizing.fixedPoint();
    expect(
      worst([
        [mean, 0, 1],
        [variance, 1, 1],
      ]),
    ).toBeLessThan(1e-13);
    expect([norm.toFixed(4), radius.toFixed(4)]).toEqual(['0.7877', '0.7826']);
  });

  test('is the same from any start in the region of the paper', () => {
    for (const mean of [-0.1, 0.1]) {
      for (const variance of [0.8, 1.5]) {
        const found = sn.selfNormalizing.fixedPoint({ start: { mean, variance } });
        expect(
          worst([
            [found.mean, 0, 1],
            [found.variance, 1, 1],
          ]),
        ).toBeLessThan(1e-12);
      }
    }
  });

  test('of other weights is one that their layer keeps', () => {
    for (const sums of [
      { weightMean: 0.1, weightVariance: 1.1 },
      { weightMean: -0.1, weightVariance: 0.95 },
      { weightMean: 0, weightVariance: 1.3 },
    ]) {
      const { mean, variance, radius } = sn.selfNormalizing.fixedPoint(sums);
      const after = sn.selfNormalizing.theorem({ ...sums, mean, variance });
      expect(
        worst([
          [after.mean, mean, 1],
          [after.variance, variance, variance],
        ]),
      ).toBeLessThan(1e-12);
      expect(radius).toBeLessThan(1);
    }
  });

  test('that does not exist is an error that says what became of the moments', () => {
    expect(() => sn.selfNormalizing.fixedPoint({ weightVariance: 4 })).toThrow(
      /^selfNormalizing.fixedPoint: weightMean, weightVariance: expected weights whose moments come to rest, got 0 and 4: .* Jacobian's norm is 1\.505; a weightMean of 0 and a weightVariance near 1 attract$/,
    );
    expect(() => sn.selfNormalizing.fixedPoint({ weightVariance: 0.1 })).toThrow('come to rest');
    expect(() => sn.selfNormalizing.fixedPoint({ start: { mean: 0, variance: 0 } })).toThrow('start.variance');
  });
});
