// Clipping, weight decay, averages and schedules, and what of all settings is refused.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { getOptimizer } from '../../src/optimizers/get-optimizer.js';
import { everyOptimizer } from './every-optimizer.js';

const { schedules } = sn.train;

describe('clipping', () => {
  /** What sgd(1) subtracted: the clipped gradients. */
  function clipped(
    gradients: readonly (readonly number[])[],
    options: sn.OptimizerOptions,
    dtype: sn.DType = 'float32',
  ) {
    const variables = gradients.map((g) => sn.variable(sn.zeros([g.length], dtype)));
    const sgd = sn.train.sgd(1, options);
    sgd.minimize(() =>
      variables
        .map((v, i) => sn.sum(sn.mul(v, sn.tensor([...gradients[i]!], undefined, dtype))))
        .reduce((a, b) => sn.add(a, b)),
    );
    return variables.map((v) => [...v.dataSync()].map((value) => 0 - value));
  }

  test('by norm scales each gradient by its own', () => {
    const [first, second, third] = clipped(
      [
        [3, 4],
        [0.3, 0.4],
        [0, 0],
      ],
      { clipNorm: 1 },
      'float64',
    );
    expect(first!.map((v) => Number(v.toFixed(12)))).toEqual([0.6, 0.8]);
    expect(second).toEqual([0.3, 0.4]);
    expect(third).toEqual([0, 0]);
  });

  test('by global norm scales all alike, over dtypes, launches and calls', () => {
    const parts = Array.from({ length: 300 }, (_, i) =>
      Array.from({ length: 1 + (i % 40) * 211 }, (_, k) => Math.sin(i * 7 + k)),
    );
    const norm = Math.sqrt(parts.flat().reduce((sum, g) => sum + g * g, 0));
    const variables = parts.map((g, i) =>
      sn.variable(sn.zeros([g.length], i % 3 === 0 ? 'float64' : 'float32'), true, `part ${i}`),
    );
    const gradients = Object.fromEntries(parts.map((g, i) => [`part ${i}`, sn.tensor(g, undefined, 'float64')]));
    sn.train.sgd(1, { globalClipNorm: 2 }).applyGradients(gradients);
    let worst = 0;
    variables.forEach((v, i) =>
      v.dataSync().forEach((value, k) => (worst = Math.max(worst, Math.abs(value + (parts[i]![k]! * 2) / norm)))),
    );
    expect(worst).toBeLessThan(1e-8);
    sn.dispose([...variables, ...Object.values(gradients)]);
  });

  test.each([{ clipNorm: 5 }, { globalClipNorm: 5.5 }, { clipValue: 4 }])(
    '%o leaves smaller gradients as they are',
    (options) => {
      expect(
        clipped(
          [
            [3, -4],
            [1, -0.1],
          ],
          options,
        ),
      ).toEqual([[3, -4], [1, Math.fround(-0.1)].map(Math.fround)]);
    },
  );

  test('by value limits each element, infinities too, and keeps NaN', () => {
    expect(clipped([[3, -4, 0.25, Infinity, -Infinity, NaN]], { clipValue: 0.5 })).toEqual([
      [0.5, -0.5, 0.25, 0.5, -0.5, NaN],
    ]);
  });

  test('by norms takes gradients whose squares no float holds', () => {
    const [first] = clipped([[3e30, 4e30]], { clipNorm: 1 });
    expect(first!.map((v) => Number(v.toFixed(6)))).toEqual([0.6, 0.8]);
    const [tiny] = clipped([[3e-30, 4e-30]], { globalClipNorm: 1e-30 });
    expect(tiny!.map((v) => Number((v * 1e30).toFixed(5)))).toEqual([0.6, 0.8]);
  });

  test('by norms shows NaN and infinity as Keras does', () => {
    expect(
      clipped(
        [
          [1, NaN],
          [1, 2],
        ],
        { clipNorm: 1 },
      )[0],
    ).toEqual([NaN, NaN]);
    expect(
      clipped(
        [
          [1, NaN],
          [1, 2],
        ],
        { globalClipNorm: 1 },
      ),
    ).toEqual([
      [NaN, NaN],
      [NaN, NaN],
    ]);
    expect(clipped([[1, Infinity]], { clipNorm: 1 })).toEqual([[0, NaN]]);
    expect(clipped([[1, Infinity], [1]], { globalClipNorm: 1 })).toEqual([[NaN, NaN], [NaN]]);
  });

  test.each(everyOptimizer)('%s sees the clipped gradients', (_name, make) => {
    const [clippedW, scaledW] = [sn.variable([1, 2]), sn.variable([1, 2])];
    const [clippedStep, plainStep] = [make({ clipNorm: 0.125 }), make()];
    for (let i = 0; i < 3; i++) {
      // Norms 5 and 1/8 exactly.
      clippedStep.minimize(() => sn.sum(sn.mul(clippedW, sn.tensor([3, 4]))));
      plainStep.minimize(() => sn.sum(sn.mul(scaledW, sn.tensor([0.075, 0.1]))));
    }
    clippedW.dataSync().forEach((value, i) => expect(Math.abs(value - scaledW.dataSync()[i]!)).toBeLessThan(1e-6));
  });
});

describe('weight decay', () => {
  test.each(everyOptimizer)(
    '%s shrinks a parameter whose gradient is zero by learningRate weightDecay',
    (_name, make) => {
      const w = sn.variable([2, -3]);
      const optimizer = make({ weightDecay: 0.5 }, 0.25);
      optimizer.minimize(() => sn.sum(sn.mul(w, 0)));
      w.dataSync().forEach((value, i) => expect(Math.abs(value - [1.75, -2.625][i]!)).toBeLessThan(1e-6));
    },
  );

  test('of adamw is 0.004 by default, and none keeps infinities', () => {
    expect(sn.train.adamw().getConfig()).toMatchObject({ weightDecay: 0.004 });
    expect(
      getOptimizer({ className: 'AdamW', config: sn.train.adamw(0.1, { weightDecay: 0 }).getConfig() }).getConfig(),
    ).toMatchObject({ weightDecay: 0 });
    const w = sn.variable([Infinity, 1]);
    sn.train.sgd(0.5).minimize(() => sn.sum(sn.mul(sn.where(sn.tensor([false, true]), w, sn.zerosLike(w)), 1)));
    expect([...w.dataSync()]).toEqual([Infinity, 0.5]);
  });
});

describe('running averages', () => {
  const setUp = (dtype: sn.DType = 'float32'): { w: sn.Variable; sgd: sn.Optimizer; step: () => void } => {
    const w = sn.variable([4], true, undefined, dtype);
    const sgd = sn.train.sgd(1, { emaMomentum: 0.5 });
    return { w, sgd, step: () => void sgd.minimize(() => sn.sum(w)) };
  };

  test('are the parameters themselves after the first step, then follow them', () => {
    const { w, sgd, step } = setUp();
    step();
    expect(sgd.swapAverages()).toBe(true);
    expect(w.dataSync()[0]).toBe(3);
    expect(sgd.swapAverages()).toBe(false);
    step();
    sgd.applyAverages();
    expect(w.dataSync()[0]).toBe(2.5);
  });

  test('stay exact through swaps of half-precision parameters', () => {
    const { w, sgd, step } = setUp('bfloat16');
    for (let i = 0; i < 3; i++) step();
    for (let i = 0; i < 4; i++) sgd.swapAverages();
    step();
    // 3, 2.5, 1.75, 0.875
    sgd.swapAverages();
    expect(w.dataSync()[0]).toBe(0.875);
  });

  test('must be swapped back before the next step', () => {
    const { sgd, step } = setUp();
    step();
    sgd.swapAverages();
    expect(step).toThrow(/call swapAverages\(\) again/);
    sgd.swapAverages();
    step();
    expect(sgd.iterations).toBe(2);
  });

  test('of an optimizer without emaMomentum are refused', () => {
    expect(() => sn.train.sgd(1).swapAverages()).toThrow(/emaMomentum/);
    expect(() => sn.train.sgd(1).applyAverages()).toThrow(/emaMomentum/);
  });
});

describe('schedules', () => {
  const list: [string, sn.LearningRateSchedule][] = [
    ['exponential', schedules.exponentialDecay(0.5, 3, 0.9)],
    ['exponential staircase', schedules.exponentialDecay(0.5, 3, 0.9, true)],
    ['inverse time', schedules.inverseTimeDecay(0.5, 3, 0.9)],
    ['inverse time staircase', schedules.inverseTimeDecay(0.5, 3, 0.9, true)],
    ['cosine', schedules.cosineDecay(0.5, 7, 0.1)],
    ['cosine after a warm-up', schedules.cosineDecay(0, 7, 0.1, 0.75, 4)],
    ['piecewise', schedules.piecewiseConstant([1, 2.5, 9], [0.1, 0.2, 0.3, 0.4])],
    ['one piece', schedules.piecewiseConstant([], [0.1])],
    [
      '30 boundaries',
      schedules.piecewiseConstant(
        Array.from({ length: 30 }, (_, i) => i / 2),
        Array.from({ length: 31 }, (_, i) => i),
      ),
    ],
    ['polynomial', schedules.polynomialDecay(0.5, 7, 0.1, 1.5)],
    ['polynomial in cycles', schedules.polynomialDecay(0.5, 4, 0.1, 2, true)],
  ];
  test.each(list)('%s: the device and at() agree, and the configuration makes it again', (_name, schedule) => {
    const config = JSON.parse(JSON.stringify(sn.train.sgd(schedule).getConfig())) as Record<string, unknown>;
    const again = getOptimizer({ className: 'SGD', config });
    expect(again.getConfig()).toEqual(config);
    for (const sgd of [sn.train.sgd(schedule), again]) {
      const w = sn.variable(sn.scalar(0, 'float64'));
      let sum = 0;
      for (let step = 0; step < 16; step++) {
        sum += schedule.at(step);
        sgd.minimize(() => sn.sum(w));
        expect(Math.abs(w.dataSync()[0]! + sum)).toBeLessThan(1e-12);
      }
    }
  });

  test("adamax's decay divides the rate as tfjs does", () => {
    const decayed = sn.train.adamax(0.5, 0.9, 0.999, null, 0.25).schedule!;
    expect([0, 1, 4].map((step) => decayed.at(step))).toEqual([0.5, 0.4, 0.25]);
    expect(sn.train.adamax().learningRate).toBe(0.001);
  });
});

describe('by name', () => {
  test.each([
    ['sgd', 'SGD', 0.01],
    ['momentum', 'Momentum', 0.01],
    ['adam', 'Adam', 0.001],
    ['adamw', 'AdamW', 0.001],
    ['adamax', 'Adamax', 0.001],
    ['nadam', 'Nadam', 0.001],
    ['adadelta', 'Adadelta', 0.001],
    ['adagrad', 'Adagrad', 0.001],
    ['rmsprop', 'RMSProp', 0.001],
    ['lion', 'Lion', 0.0001],
  ])('%s', (name, className, learningRate) => {
    for (const written of [name, className, name.toUpperCase()]) {
      const optimizer = getOptimizer(written);
      expect(optimizer.className).toBe(className);
      expect(optimizer.learningRate).toBe(learningRate);
    }
  });

  test.each(everyOptimizer)('%s is made again by its configuration', (_name, make) => {
    const optimizer = make({ clipValue: 2, weightDecay: 0.25, emaMomentum: 0.5 }, schedules.cosineDecay(0.1, 5));
    const config = JSON.parse(JSON.stringify(optimizer.getConfig())) as Record<string, unknown>;
    const again = getOptimizer({ className: optimizer.className, config });
    expect(again.getConfig()).toEqual(optimizer.getConfig());
    expect(again).not.toBe(optimizer);
    expect(getOptimizer(optimizer)).toBe(optimizer);
  });
});

describe('bad settings are refused in one line that names the setting', () => {
  const { train } = sn;
  const bad: [string, () => unknown, RegExp][] = [
    ['a negative rate', () => train.sgd(-1), /^train\.sgd: learningRate: expected .*got -1$/],
    ['a NaN rate', () => train.adam(NaN), /^train\.adam: learningRate: .*NaN/],
    ['an infinite rate', () => train.lion(Infinity), /^train\.lion: learningRate/],
    ['a rate as text', () => train.nadam('0.1' as never), /^train\.nadam: learningRate: .*"0\.1"/],
    ['a function as a rate', () => train.sgd((() => 0.1) as never), /learningRate: .*train\.schedules.*a function/],
    ['null as a rate', () => train.sgd(null as never), /learningRate/],
    [
      'an unknown schedule',
      () => train.sgd({ className: 'Slowly', config: {} } as never),
      /schedule: name: .*"Slowly"/,
    ],
    ['momentum left out', () => train.momentum(0.1, undefined as never), /^train\.momentum: momentum: .*undefined/],
    ['useNesterov as a number', () => train.momentum(0.1, 0.9, 1 as never), /^train\.momentum: useNesterov/],
    ['beta1 of 1', () => train.adam(0.1, 1), /^train\.adam: beta1: expected a number in \[0, 1\), got 1$/],
    ['negative beta2', () => train.adamax(0.1, 0.9, -0.1), /^train\.adamax: beta2/],
    ['negative epsilon', () => train.nadam(0.1, { epsilon: -1 }), /^train\.nadam: epsilon/],
    ['beta1 of adamw', () => train.adamw(0.1, { beta1: 2 }), /^train\.adamw: beta1/],
    ['rho of 1', () => train.adadelta(1, 1), /^train\.adadelta: rho/],
    ['a negative accumulator', () => train.adagrad(1, -0.1), /^train\.adagrad: initialAccumulatorValue/],
    ['decay of 2', () => train.rmsprop(0.1, 2), /^train\.rmsprop: decay/],
    ['centered as text', () => train.rmsprop(0.1, 0.9, 0, null, 'yes' as never), /^train\.rmsprop: centered/],
    ['beta2 of lion', () => train.lion(0.1, { beta2: 1 }), /^train\.lion: beta2/],
    [
      'decay beside a schedule',
      () => train.adamax(schedules.cosineDecay(1, 2), 0.9, 0.999, null, 0.1),
      /^train\.adamax: decay/,
    ],
    [
      'a misspelt option',
      () => train.sgd(0.1, { clipnorm: 1 } as never),
      /^train\.sgd: options: .*clipNorm.*"clipnorm"/,
    ],
    [
      "another optimizer's option",
      () => train.lion(0.1, { epsilon: 1 } as never),
      /^train\.lion: options: .*"epsilon"/,
    ],
    ['options as a number', () => train.sgd(0.1, 5 as never), /^train\.sgd: options/],
    [
      'two clippings',
      () => train.sgd(0.1, { clipNorm: 1, clipValue: 1 }),
      /^train\.sgd: options: expected one of.*clipNorm.*clipValue/,
    ],
    ['clipNorm of 0', () => train.sgd(0.1, { clipNorm: 0 }), /^train\.sgd: clipNorm: .*above 0/],
    ['infinite clipValue', () => train.sgd(0.1, { clipValue: Infinity }), /^train\.sgd: clipValue/],
    ['globalClipNorm as text', () => train.sgd(0.1, { globalClipNorm: '1' as never }), /^train\.sgd: globalClipNorm/],
    ['negative weightDecay', () => train.adam(0.1, 0.9, 0.999, null, { weightDecay: -1 }), /^train\.adam: weightDecay/],
    ['emaMomentum of 1', () => train.sgd(0.1, { emaMomentum: 1 }), /^train\.sgd: emaMomentum/],
    ['no decay steps', () => schedules.exponentialDecay(0.1, 0, 0.5), /^ExponentialDecay: decaySteps/],
    ['a negative initial rate', () => schedules.cosineDecay(-1, 5), /^CosineDecay: initialLearningRate/],
    ['a warm-up target as text', () => schedules.cosineDecay(1, 5, 0, 'high' as never), /^CosineDecay: warmupTarget/],
    ['staircase as a number', () => schedules.inverseTimeDecay(1, 5, 1, 1 as never), /^InverseTimeDecay: staircase/],
    ['falling boundaries', () => schedules.piecewiseConstant([2, 1], [1, 2, 3]), /^PiecewiseConstantDecay: boundaries/],
    [
      'too few values',
      () => schedules.piecewiseConstant([1, 2], [1, 2]),
      /^PiecewiseConstantDecay: values: expected 3/,
    ],
    [
      '31 boundaries',
      () =>
        schedules.piecewiseConstant(
          Array.from({ length: 31 }, (_, i) => i),
          [],
        ),
      /at most 30/,
    ],
    [
      'no number among the values',
      () => schedules.piecewiseConstant([1], [1, NaN]),
      /^PiecewiseConstantDecay: values\[1\]/,
    ],
    ['a negative power', () => schedules.polynomialDecay(1, 5, 0, -1), /^PolynomialDecay: power/],
    ['an unknown name', () => getOptimizer('adamm'), /^optimizer: name: expected one of .*adamw.*"adamm"$/],
    ['no optimizer', () => getOptimizer(7), /^optimizer: identifier/],
    ['a rate set later', () => void (train.adam().learningRate = -1), /^Adam: learningRate/],
  ];
  test.each(bad)('%s', (_name, make, message) => {
    expect(make).toThrow(message);
    expect(make).toThrow(sn.ArgumentError);
    let text = '';
    try {
      make();
    } catch (error) {
      text = (error as Error).message;
    }
    expect(text).not.toContain('\n');
  });
});
