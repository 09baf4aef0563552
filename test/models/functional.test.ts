// Functional models: values, sharing, nesting, gradients, memory, errors.
import { describe, expect, it } from 'vitest';
import * as sn from '../../src/index.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import { add, dense, input, norm, TestThrough } from './small-layers.js';

const call = (model: sn.Model, ...inputs: Tensor[]) =>
  model.callAll(inputs, { training: false }).map((y) => y.arraySync());

describe('a functional model', () => {
  it('takes several inputs and gives several outputs', () => {
    const [a, b] = [input(2, 'a'), input(3, 'b')];
    const sum = add('sum').apply([dense(4, 'from_a').apply(a), dense(4, 'from_b').apply(b)]);
    const model = sn.model({ inputs: [a, b], outputs: [sum, dense(1, 'head').apply(sum)], name: 'two' });
    expect(model.inputNames).toEqual(['a', 'b']);
    expect(model.outputNames).toEqual(['sum', 'head']);
    expect(model.outputs.map((y) => y.shape)).toEqual([
      [null, 4],
      [null, 1],
    ]);
    // All kernels are ones: 1 + 2 from a, 1 + 1 + 1 from b.
    expect(call(model, sn.tensor([[1, 2]]), sn.ones([1, 3]))).toEqual([[[6, 6, 6, 6]], [[24]]]);
    const [first, second] = model.apply<Tensor[]>([sn.tensor([[1, 2]]), sn.ones([1, 3])]);
    expect([first!.shape, second!.shape]).toEqual([
      [1, 4],
      [1, 1],
    ]);
    expect(() => model.call([sn.ones([1, 2]), sn.ones([1, 3])], { training: false })).toThrow(/a model of one output/);
  });

  it('may give an input, or one value twice, as output', () => {
    const x = input(2, 'x');
    const y = dense(2, 'y').apply(x);
    const model = sn.model({ inputs: x, outputs: [y, x, y] });
    expect(call(model, sn.tensor([[1, 2]]))).toEqual([[[3, 3]], [[1, 2]], [[3, 3]]]);
  });

  it('calls a shared layer at each place with the same weights, and sums its gradients', () => {
    const [a, b] = [input(2, 'a'), input(2, 'b')];
    const shared = dense(1, 'shared');
    const model = sn.model({ inputs: [a, b], outputs: add('sum').apply([shared.apply(a), shared.apply(b)]) });
    expect(model.weights.length).toBe(2);
    const [x1, x2] = [sn.tensor([[1, 2]]), sn.tensor([[10, 20]])];
    const { value, grads } = sn.variableGrads(() => model.apply([x1, x2]).sum(), model.trainableWeights);
    expect(value.dataSync()[0]).toBe(33);
    expect(grads['shared/kernel']!.arraySync()).toEqual([[11], [22]]);
    expect(grads['shared/bias']!.arraySync()).toEqual([2]);
  });

  it('nests: a model is a layer, and may be called twice', () => {
    const inside = input(2, 'inside');
    const hidden = dense(3, 'hidden').apply(inside);
    const inner = sn.model({ inputs: inside, outputs: [hidden, norm('norm').apply(hidden)], name: 'inner' });
    const [a, b] = [input(2, 'a'), input(2, 'b')];
    const [h1, n1] = inner.apply<sn.SymbolicTensor[]>(a);
    const [h2, n2] = inner.apply<sn.SymbolicTensor[]>(b);
    const outer = sn.model({ inputs: [a, b], outputs: add('sum').apply([h1!, n1!, h2!, n2!]), name: 'outer' });
    expect(call(outer, sn.tensor([[1, 2]]), sn.tensor([[3, 4]]))).toEqual([[[20, 20, 20]]]);
    expect(outer.weights.map(({ name }) => name)).toEqual([
      'hidden/kernel',
      'hidden/bias',
      'norm/gamma',
      'norm/moving_mean',
    ]);
    expect(outer.getLayer('inner')).toBe(inner);
    expect(outer.getLayer(0).name).toBe('a');
    inner.trainable = false;
    expect(outer.trainableWeights).toEqual([]);
    expect(outer.nonTrainableWeights.length).toBe(4);
  });

  it('takes inputs of other sizes where none was declared', () => {
    const x = sn.input({ shape: [null, 2] });
    const model = sn.model({ inputs: x, outputs: dense(3, 'd').apply(x) });
    expect(model.outputs[0]!.shape).toEqual([null, null, 3]);
    expect(model.computeOutputShape([[4, 7, 2]])).toEqual([4, 7, 3]);
    expect(call(model, sn.ones([1, 2, 2]))).toEqual([
      [
        [
          [2, 2, 2],
          [2, 2, 2],
        ],
      ],
    ]);
  });

  it('leaves layers that are in other models out of its own', () => {
    const x = input(2, 'x');
    const shared = dense(2, 'shared');
    const y = shared.apply(x);
    sn.model({ inputs: x, outputs: dense(1, 'elsewhere').apply(shared.apply(y)) });
    const model = sn.model({ inputs: x, outputs: y });
    expect(model.layers.map(({ name }) => name)).toEqual(['x', 'shared']);
    const again = sn.model({ inputs: x, outputs: shared.apply(dense(2, 'before').apply(x)), name: 'm' });
    const config = again.getConfig() as { outputLayers: unknown };
    expect(config.outputLayers).toEqual([['shared', 0, 0]]);
  });

  it('lists an input that nothing uses, and takes it', () => {
    const [x, idle] = [input(2, 'x'), input(3, 'idle')];
    const model = sn.model({ inputs: [x, idle], outputs: dense(1, 'y').apply(x) });
    expect(model.layers.map(({ name }) => name)).toEqual(['x', 'y', 'idle']);
    expect(call(model, sn.ones([1, 2]), sn.ones([1, 3]))).toEqual([[[2]]]);
  });

  it('sets the weights that it gave, and refuses others', () => {
    const x = input(2, 'x');
    const model = sn.model({ inputs: x, outputs: norm('n').apply(dense(2, 'd').apply(x)), name: 'm' });
    const values = [
      sn.tensor([
        [1, 2],
        [3, 4],
      ]),
      sn.tensor([5, 6]),
      sn.tensor([7, 8]),
      sn.tensor([9, 10]),
    ];
    model.setWeights(values);
    expect(model.getWeights().map((w) => w.arraySync())).toEqual(values.map((w) => w.arraySync()));
    expect(() => model.setWeights([values[0]!, values[1]!, values[2]!, sn.ones([3])])).toThrow(
      /^m\.setWeights: weights\[3\] \(n\/moving_mean\): expected shape \[2\], got \[3\]$/,
    );
    expect(() => model.setWeights(values.slice(1))).toThrow(
      /^m\.setWeights: weights: expected 4 tensors \(d\/kernel \[2,2\], d\/bias \[2\], n\/gamma \[2\], n\/moving_mean \[2\]\), got "3"$/,
    );
  });

  it('names each weight differently, even where nested models repeat a name', () => {
    const part = () => {
      const x = input(2, 'in');
      return sn.model({ inputs: x, outputs: dense(2, 'd').apply(x) });
    };
    const x = input(2, 'x');
    const model = sn.model({ inputs: x, outputs: part().apply(part().apply(x)) });
    expect(model.namedWeights().map(({ name }) => name)).toEqual(['d/kernel', 'd/bias', 'd/kernel_1', 'd/bias_1']);
    expect(model.namedWeights().map(({ variable }) => variable)).toEqual(model.weights);
  });
});

describe('a model out of training', () => {
  const deep = () => {
    const x = input(64, 'x');
    let y = x;
    for (let i = 0; i < 10; i++) y = new TestThrough({ name: `t${i}` }).apply(dense(64, `d${i}`).apply(y));
    return sn.model({ inputs: x, outputs: y });
  };

  it('frees values after their last use, and nothing that is not its own', () => {
    const model = deep();
    const x = sn.zeros([8, 64]);
    const before = sn.memory().numTensors;
    const [y] = model.callAll([x], { training: false });
    expect(sn.memory().numTensors - before).toBe(1);
    expect(x.isDisposed).toBe(false);
    expect(y!.sum().dataSync()[0]).toBe(0);
    sn.tidy(() => {
      model.callAll([x], { training: false });
      expect(sn.memory().numTensors - before).toBe(3);
    });
    expect(sn.memory().numTensors - before).toBe(2);
  });

  it('keeps what a gradient needs', () => {
    const model = deep();
    const x = sn.ones([1, 64]);
    model.setWeights(model.getWeights().map((w) => sn.mul(w, 1 / 64)));
    const { grads } = sn.variableGrads(() => model.apply(x).sum());
    expect(Object.keys(grads).length).toBe(20);
    for (const [name, gradient] of Object.entries(grads)) {
      const expected = name.endsWith('kernel') ? 64 * 64 : 64;
      expect(Math.abs((gradient.sum().dataSync()[0] as number) - expected)).toBeLessThanOrEqual(1e-3 * expected);
    }
    const slope = sn.grad((z) => model.apply(z).sum())(x);
    expect(slope.shape).toEqual([1, 64]);
  });

  it('does not free a tensor that a layer holds', () => {
    const held = sn.ones([1, 2]);
    class Held extends TestThrough {
      override call(): Tensor {
        return held;
      }
    }
    const x = input(2, 'x');
    const model = sn.model({ inputs: x, outputs: dense(1, 'd').apply(new Held({ name: 'h' }).apply(x)) });
    expect(call(model, sn.zeros([1, 2]))).toEqual([[[2]]]);
    expect(call(model, sn.zeros([1, 2]))).toEqual([[[2]]]);
    expect(held.isDisposed).toBe(false);
  });
});

describe('training a model', () => {
  it('moves weights by an optimizer and statistics by assignment, in one recorded step', () => {
    const x = input(2, 'x');
    const layer = norm('n');
    const model = sn.model({ inputs: x, outputs: layer.apply(dense(1, 'd').apply(x)) });
    const optimizer = sn.train.sgd(0.1);
    optimizer.minimize(() => model.apply(sn.tensor([[1, 2]]), { training: true }).sum(), false, model.trainableWeights);
    // The output is 3 - 1.5: gamma 1 - 0.1 * 1.5, the kernel 1 - 0.1 x, the mean halfway to 3.
    expect(layer.mean.arraySync()).toEqual([1.5]);
    const [kernel, bias, gamma] = model.getWeights().map((w) => [...w.dataSync()]);
    expect(kernel!.map((v) => Math.round(v * 1e6) / 1e6)).toEqual([0.9, 0.8]);
    expect(bias!.map((v) => Math.round(v * 1e6) / 1e6)).toEqual([-0.1]);
    expect(gamma!.map((v) => Math.round(v * 1e6) / 1e6)).toEqual([0.85]);
  });
});

describe('dispose', () => {
  it('frees weights when the last model that uses them goes', () => {
    const x = input(2, 'x');
    const shared = dense(2, 'shared');
    const y = shared.apply(x);
    const one = sn.model({ inputs: x, outputs: y });
    const two = sn.model({ inputs: x, outputs: dense(1, 'own').apply(y) });
    expect(one.dispose().numDisposedVariables).toBe(0);
    expect(shared.kernel.isDisposed).toBe(false);
    expect(() => one.apply(sn.ones([1, 2]))).toThrow(sn.DisposedError);
    expect(two.dispose()).toEqual({ refCountAfterDispose: 0, numDisposedVariables: 4 });
    expect(shared.kernel.isDisposed).toBe(true);
  });
});

describe('errors', () => {
  const chain = () => {
    const x = input(2, 'x');
    return sn.model({ inputs: x, outputs: dense(1, 'd').apply(x), name: 'm' });
  };
  const cases: [string, () => unknown, RegExp][] = [
    [
      'a missing input',
      () => {
        const [a, b] = [input(2, 'a'), input(2, 'b')];
        return sn.model({ inputs: a, outputs: add('sum').apply([a, b]), name: 'm' });
      },
      /^m: inputs: the graph is disconnected: layer sum needs b \[null,2\], which is not among the inputs \[a\]; add it/,
    ],
    [
      'an output that is another input',
      () => sn.model({ inputs: input(2, 'a'), outputs: input(2, 'b'), name: 'm' }),
      /^m: inputs: the graph is disconnected: an output is b \[null,2\]/,
    ],
    [
      'an input that a layer made',
      () => {
        const y = dense(1, 'd').apply(input(2, 'a'));
        return sn.model({ inputs: y, outputs: y, name: 'm' });
      },
      /^m: inputs: expected placeholders from input\(\), got "one made by d"$/,
    ],
    [
      'an input twice',
      () => {
        const a = input(2, 'a');
        return sn.model({ inputs: [a, a], outputs: a, name: 'm' });
      },
      /^m: inputs: expected each input once, got "a"$/,
    ],
    [
      'no outputs',
      () => sn.model({ inputs: input(2, 'a'), outputs: [], name: 'm' }),
      /^m: outputs: expected at least one/,
    ],
    [
      'tensors for placeholders',
      () => sn.model({ inputs: sn.ones([1]) as never, outputs: [], name: 'm' }),
      /^m: outputs|^m: inputs: expected placeholders/,
    ],
    ['nothing', () => sn.model(undefined as never), /^model: config: expected {inputs, outputs}, got undefined$/],
    [
      'two layers of one name',
      () => {
        const x = input(2, 'x');
        return sn.model({ inputs: x, outputs: dense(1, 'same').apply(dense(2, 'same').apply(x)), name: 'm' });
      },
      /^m: layers: expected names that differ, got "same"/,
    ],
    ['another size', () => chain().apply(sn.ones([4, 3])), /^m: input x: expected shape \[null,2\], got \[4,3\]$/],
    ['another rank', () => chain().apply(sn.ones([2])), /^m: input x: expected shape \[null,2\], got \[2\]$/],
    [
      'too many inputs',
      () => chain().apply([sn.ones([1, 2]), sn.ones([1, 2])]),
      /^m: inputs: expected 1 of them, got "2 /,
    ],
    [
      'a placeholder of another size',
      () => chain().apply(input(5, 'five')),
      /^m: input x: expected shape \[null,2\], got \[null,5\]$/,
    ],
    [
      'an unknown layer',
      () => chain().getLayer('z'),
      /^m\.getLayer: nameOrIndex: expected one of the layers x, d, got "z"$/,
    ],
    [
      'a layer beyond the last',
      () => chain().getLayer(2),
      /^m\.getLayer: nameOrIndex: expected an index below 2, got 2$/,
    ],
    [
      'applying an input layer',
      () =>
        chain()
          .getLayer('x')
          .apply(sn.ones([1, 2])),
      /^x: a model input is fed, not applied/,
    ],
  ];
  it.each(cases)('%s', (_what, run, message) => {
    expect(run).toThrow(message);
  });
});
