// Sequential models: drawn at once or by the first tensors, changed, frozen, nested, saved.
import { describe, expect, it } from 'vitest';
import * as sn from '../../src/index.js';
import { add, dense, input, norm } from './small-layers.js';

describe('a sequential model', () => {
  it('is built at once when its first layer tells its input', () => {
    const model = sn.sequential({ layers: [dense(3, 'a', { inputShape: [2] }), dense(1, 'b')] });
    expect(model.name).toMatch(/^sequential_\d+$/);
    expect(model.built).toBe(true);
    expect(model.layers.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(model.inputNames).toEqual(['a_input']);
    expect(model.inputs[0]!.shape).toEqual([null, 2]);
    expect(model.outputs[0]!.shape).toEqual([null, 1]);
    expect(model.outputShape).toEqual([null, 1]);
    expect(model.countParams()).toBe(9 + 4);
    expect(model.apply(sn.tensor([[1, 2]])).arraySync()).toEqual([[9]]);
  });

  it('is built by the first tensors when no layer tells', () => {
    const model = sn.sequential({ name: 'lazy' });
    model.add(dense(3, 'a'));
    model.add(norm('b'));
    expect(model.built).toBe(false);
    expect(model.weights).toEqual([]);
    expect(() => model.inputs).toThrow(/^lazy: the input's shape is not known yet; give a an inputShape/);
    expect(() => model.summary()).toThrow(/not known yet/);
    expect(() => model.setWeights([sn.ones([1])])).toThrow(
      /expected 0 tensors \(none, as it is not built yet\), got "1"/,
    );
    expect(model.apply(sn.tensor([[1, 2]])).arraySync()).toEqual([[3, 3, 3]]);
    expect(model.inputs[0]!.shape).toEqual([null, 2]);
    expect(model.apply(sn.ones([5, 2])).shape).toEqual([5, 3]);
    model.add(dense(1, 'c'));
    expect(model.apply(sn.tensor([[1, 2]])).arraySync()).toEqual([[9]]);
  });

  it('is built by the first placeholder', () => {
    const inner = sn.sequential({ layers: [dense(3, 'a')] });
    const x = input(2, 'x');
    const outer = sn.model({ inputs: x, outputs: inner.apply(x), name: 'outer' });
    expect(outer.apply(sn.tensor([[1, 2]])).arraySync()).toEqual([[3, 3, 3]]);
    const again = sn.sequential({ layers: [sn.sequential({ layers: [dense(3, 'b')] }), dense(1, 'c')] });
    expect(again.apply(sn.tensor([[1, 2]])).arraySync()).toEqual([[9]]);
  });

  it('can be tried again after a first input that does not fit', () => {
    const model = sn.sequential({
      layers: [dense(3, 'a'), dense(1, 'b', { weights: [sn.ones([7, 1]), sn.ones([1])] })],
    });
    expect(() => model.apply(sn.ones([1, 2]))).toThrow(
      /^b\.setWeights: weights\[0\] \(b\/kernel\): expected shape \[3,1\], got \[7,1\]|^b: input/,
    );
    expect(model.built).toBe(false);
  });

  it('starts with an input layer, a model, or layers that are used elsewhere', () => {
    const started = sn.sequential({ layers: [sn.layers.inputLayer({ inputShape: [2], name: 'in' }), dense(2, 'a')] });
    expect(started.layers.map(({ name }) => name)).toEqual(['in', 'a']);
    expect(started.inputNames).toEqual(['in']);
    const outer = sn.sequential({ layers: [started, dense(1, 'b')] });
    expect(outer.apply(sn.tensor([[1, 2]])).arraySync()).toEqual([[6]]);
    expect(outer.weights.map(({ name }) => name)).toEqual(['a/kernel', 'a/bias', 'b/kernel', 'b/bias']);
    const sharing = sn.sequential({ layers: [sn.layers.inputLayer({ inputShape: [2] }), started.getLayer('a')] });
    expect(sharing.apply(sn.tensor([[1, 2]])).arraySync()).toEqual([[3, 3]]);
    expect(sharing.weights).toEqual(started.weights);
  });

  it('gives up its last layer', () => {
    const model = sn.sequential({ layers: [dense(3, 'a', { inputShape: [2] }), dense(1, 'b')] });
    const last = model.getLayer('b');
    model.pop();
    expect(model.outputs[0]!.shape).toEqual([null, 3]);
    expect(model.apply(sn.tensor([[1, 2]])).arraySync()).toEqual([[3, 3, 3]]);
    model.add(last);
    expect(model.apply(sn.tensor([[1, 2]])).arraySync()).toEqual([[9]]);
    model.pop();
    model.pop();
    expect(() => model.pop()).toThrow(/has no layers/);
    model.add(dense(4, 'c', { inputShape: [5] }));
    expect(model.inputs[0]!.shape).toEqual([null, 5]);
    expect(model.countParams()).toBe(24);
  });

  it('frozen, keeps layers frozen that are added or built later', () => {
    const model = sn.sequential({ layers: [dense(3, 'a'), norm('b')], trainable: false });
    model.apply(sn.ones([1, 2]));
    model.add(dense(1, 'c'));
    expect(model.trainableWeights).toEqual([]);
    expect(model.weights.every(({ trainable }) => !trainable)).toBe(true);
    model.trainable = true;
    expect(model.weights.map(({ name, trainable }) => `${name} ${trainable}`)).toEqual([
      'a/kernel true',
      'a/bias true',
      'b/gamma true',
      'c/kernel true',
      'c/bias true',
      'b/moving_mean false',
    ]);
  });

  it('comes back from JSON built, however it was built', async () => {
    const lazy = sn.sequential({ name: 'lazy', layers: [dense(3, 'a'), norm('b')] });
    const unbuilt = await sn.models.modelFromJSON(lazy.toJSON());
    expect(unbuilt.built).toBe(false);
    lazy.apply(sn.ones([1, 2]));
    const again = await sn.models.modelFromJSON(lazy.toJSON());
    expect(again.toJSON()).toBe(lazy.toJSON());
    again.setWeights(lazy.getWeights());
    expect(again.apply(sn.ones([2, 2])).arraySync()).toEqual(lazy.apply(sn.ones([2, 2])).arraySync());
    const outer = sn.sequential({ layers: [sn.sequential({ name: 'in', layers: [dense(3, 'c')] }), dense(1, 'd')] });
    outer.apply(sn.ones([1, 2]));
    const outerAgain = await sn.models.modelFromJSON(outer.toJSON());
    expect(outerAgain.weights.map(({ name, shape }) => `${name} ${shape.join()}`)).toEqual([
      'c/kernel 2,3',
      'c/bias 3',
      'd/kernel 3,1',
      'd/bias 1',
    ]);
  });

  const cases: [string, () => unknown, RegExp][] = [
    ['no layers', () => sn.sequential({ name: 's' }).apply(sn.ones([1])), /^s: the model has no layers; add\(\) some$/],
    [
      'something else',
      () => sn.sequential({ name: 's' }).add({} as never),
      /^s\.add: layer: expected a layer, got an object/,
    ],
    [
      'layers that are no array',
      () => sn.sequential({ name: 's', layers: 3 as never }),
      /^s: layers: expected an array of layers, got 3$/,
    ],
    [
      'a name twice',
      () => sn.sequential({ name: 's', layers: [dense(1, 'a'), dense(1, 'a')] }),
      /^s\.add: layer: expected a name that no other layer has, got "a"$/,
    ],
    [
      'an input in the middle',
      () => sn.sequential({ name: 's', layers: [dense(1, 'a'), sn.layers.inputLayer({ inputShape: [1], name: 'i' })] }),
      /^s\.add: layer: expected a model input only as the first layer, got "i"$/,
    ],
    [
      'a model of two outputs',
      () => {
        const x = input(2, 'x');
        const two = sn.model({ inputs: x, outputs: [x, add('y').apply([x, x])], name: 'two' });
        return sn.sequential({ name: 's', layers: [two] });
      },
      /^s\.add: layer: expected a layer of one output, got "two with 2"; use model\(\)$/,
    ],
    [
      'a model of two inputs',
      () => {
        const [x, y] = [input(2, 'x'), input(2, 'y')];
        const two = sn.model({ inputs: [x, y], outputs: add('z').apply([x, y]), name: 'two' });
        return sn.sequential({ name: 's', layers: [two] });
      },
      /^two: inputs: expected 2 of them, got "1 \(\[null,2\]\)"$/,
    ],
    [
      'an input that does not fit',
      () => sn.sequential({ name: 's', layers: [dense(3, 'a', { inputShape: [2] })] }).apply(sn.ones([1, 4])),
      /^s: input a_input: expected shape \[null,2\], got \[1,4\]$/,
    ],
  ];
  it.each(cases)('refuses %s', (_what, run, message) => {
    expect(run).toThrow(message);
  });

  it('stays as it was when a layer cannot be added', () => {
    const model = sn.sequential({ layers: [dense(3, 'a', { inputShape: [2] })] });
    const wrong = dense(1, 'b', { inputShape: [9] });
    wrong.apply(input(9, 'nine'));
    expect(() => model.add(wrong)).toThrow(
      /^b: input: expected size 9 of axis -1|^b: input: expected .*got \[null,3\]$/,
    );
    expect(model.layers.length).toBe(1);
    expect(model.apply(sn.tensor([[1, 2]])).arraySync()).toEqual([[3, 3, 3]]);
  });
});
