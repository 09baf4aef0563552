// The Layer class itself: names, building, weights, freezing, errors, and work inside gradient recording.
import { describe, expect, it } from 'vitest';
import * as sn from '../../src/index.js';
import { Layer, type CallContext, type LayerConfig } from '../../src/layers/layer.js';
import { layerClass, layerFromConfig } from '../../src/layers/registry.js';
import type { SymbolicShape } from '../../src/layers/symbolic.js';
import type { Shape } from '../../src/tensor/shape.js';
import type { Tensor } from '../../src/tensor/tensor.js';
import type { Variable } from '../../src/tensor/variable.js';

const constant = (value: number) => ({ apply: (shape: Shape) => sn.fill(shape, value) });

/** y = scale x, with a running mean of x that training moves halfway to the batch's. */
class Scale extends Layer {
  static override readonly className: string = 'ScaleForTest';
  scale!: Variable;
  mean!: Variable;
  constructor(private readonly options: LayerConfig & { start?: number; penalty?: number } = {}) {
    super(options);
    this.inputSpec = [{ rank: 2 }];
  }
  override build([shape]: readonly SymbolicShape[]): void {
    const size = shape!.at(-1)!;
    const { start = 2, penalty } = this.options;
    this.mean = this.addWeight('moving_mean', [size], { initializer: constant(0), trainable: false });
    this.scale = this.addWeight('scale', [size], {
      initializer: constant(start),
      regularizer: penalty === undefined ? null : { apply: (w) => w.square().sum().mul(penalty) },
    });
    this.inputSpec = [{ rank: 2, axes: { [-1]: size } }];
    super.build([shape!]);
  }
  override computeOutputShape([shape]: readonly SymbolicShape[]): SymbolicShape {
    return shape!;
  }
  override call([x]: readonly Tensor[], { training }: CallContext): Tensor {
    if (training) this.mean.assign(this.mean.mul(0.5).add(x!.mean(0).mul(0.5)));
    return x!.sub(this.mean).mul(this.scale);
  }
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), start: this.options.start ?? 2 };
  }
}

describe('a layer', () => {
  it('is named as tfjs names it when it gets no name', () => {
    expect(new Scale().name).toMatch(/^scale_for_test_ScaleForTest\d+$/);
    expect(new Scale({ name: 'mine' }).name).toBe('mine');
  });

  it('is built by the first tensor or placeholder, and weights carry its name', () => {
    const eager = new Scale({ name: 'eager' });
    expect(eager.built).toBe(false);
    expect(eager.apply(sn.ones([2, 3])).arraySync()).toEqual([
      [2, 2, 2],
      [2, 2, 2],
    ]);
    expect(eager.weights.map(({ name }) => name)).toEqual(['eager/scale', 'eager/moving_mean']);
    const drawn = new Scale({ name: 'drawn' });
    const y = drawn.apply(sn.input({ shape: [4] }));
    expect(y.shape).toEqual([null, 4]);
    expect(y.sourceLayer).toBe(drawn);
    expect(drawn.countParams()).toBe(8);
  });

  it('takes its weights from the options', () => {
    const layer = new Scale({ weights: [sn.tensor([1, 2]), sn.tensor([3, 4])] });
    layer.apply(sn.input({ shape: [2] }));
    expect(layer.scale.arraySync()).toEqual([1, 2]);
    expect(layer.mean.arraySync()).toEqual([3, 4]);
  });

  it('gives copies of its weights, trained ones first, and takes them back', () => {
    const layer = new Scale();
    layer.apply(sn.ones([1, 2]));
    const before = layer.getWeights();
    layer.setWeights([sn.tensor([5, 6]), sn.tensor([7, 8])]);
    expect(before.map((w) => w.arraySync())).toEqual([
      [2, 2],
      [0, 0],
    ]);
    expect(layer.getWeights().map((w) => w.arraySync())).toEqual([
      [5, 6],
      [7, 8],
    ]);
    expect(layer.getWeights(true).map((w) => w.arraySync())).toEqual([[5, 6]]);
    layer.setWeights([sn.tensor([1, 2], undefined, 'float64'), sn.tensor([1, 0], undefined, 'int32')]);
    expect(layer.scale.arraySync()).toEqual([1, 2]);
    expect(layer.scale.dtype).toBe('float32');
  });

  it('is as it was when building it failed, so that it can be tried again', () => {
    const layer = new Scale({ name: 'again', weights: [sn.tensor([1, 2]), sn.tensor([3, 4])] });
    const before = sn.memory().numTensors;
    expect(() => layer.apply(sn.input({ shape: [3] }))).toThrow(
      /^again\.setWeights: weights\[0\] \(again\/scale\): expected shape \[3\]/,
    );
    expect(layer.built).toBe(false);
    expect(layer.weights).toEqual([]);
    expect(sn.memory().numTensors).toBe(before);
    expect(layer.apply(sn.ones([1, 2])).arraySync()).toEqual([[-2, -6]]);
  });

  it('takes initializers, regularizers and constraints by name, by configuration, or as objects', () => {
    class Named extends Scale {
      static override readonly className = 'NamedForTest';
      override build(): void {
        const mine = sn.tensor([5, 6]);
        this.scale = this.addWeight('scale', [2], { initializer: { apply: () => mine }, regularizer: 'l1l2' });
        this.mean = this.addWeight('mean', [2], {
          initializer: { className: 'Constant', config: { value: 3 } },
          constraint: 'nonNeg',
        });
        expect(mine.isDisposed).toBe(false);
      }
    }
    const layer = new Named();
    layer.apply(sn.input({ shape: [2] }));
    expect(layer.getWeights().map((w) => w.arraySync())).toEqual([
      [5, 6],
      [3, 3],
    ]);
    expect(layer.layerWeights.map((w) => [w.regularizer === null, w.constraint === null])).toEqual([
      [false, true],
      [true, false],
    ]);
    expect(layer.regularizationLosses().length).toBe(1);
    expect(Math.abs((layer.regularizationLosses()[0]!().dataSync()[0] as number) - (0.11 + 0.61))).toBeLessThan(1e-5);
    const wrong = new (class extends Scale {
      override build(): void {
        this.scale = this.addWeight('scale', [2], { initializer: { apply: () => sn.ones([3]) } });
      }
    })({ name: 'wrong' });
    expect(() => wrong.apply(sn.ones([1, 2]))).toThrow(
      /^wrong\/scale: initializer: expected values of shape \[2\], got \[3\]/,
    );
  });

  it('frozen, is not trained, and its variables say so', () => {
    const layer = new Scale({ trainable: false });
    layer.apply(sn.ones([1, 2]));
    expect(layer.trainableWeights).toEqual([]);
    expect(layer.scale.trainable).toBe(false);
    expect(layer.weights.map(({ name }) => name.split('/')[1])).toEqual(['moving_mean', 'scale']);
    layer.trainable = true;
    expect(layer.scale.trainable).toBe(true);
    expect(layer.mean.trainable).toBe(false);
    expect(layer.trainableWeights).toEqual([layer.scale]);
    expect(layer.nonTrainableWeights).toEqual([layer.mean]);
  });

  it('may assign its statistics while a gradient is recorded', () => {
    const layer = new Scale({ penalty: 0.5 });
    const x = sn.tensor([
      [1, 2],
      [3, 6],
    ]);
    layer.apply(x);
    const { value, grads } = sn.variableGrads(() => {
      const y: Tensor = layer.apply(x, { training: true });
      return layer.regularizationLosses().reduce<Tensor>((sum, loss) => sum.add(loss()), y.sum());
    });
    // The mean moves from 0 to [1, 2] first: y = 2 (x - mean), and the penalty is 0.5 (2^2 + 2^2).
    expect(layer.mean.arraySync()).toEqual([1, 2]);
    expect(value.dataSync()[0]).toBe(2 * (0 + 2 + 0 + 4) + 4);
    expect(Object.keys(grads)).toEqual([layer.scale.name]);
    expect(grads[layer.scale.name]!.arraySync()).toEqual([2 + 2, 4 + 2]);
  });

  it('can be built for the first time inside the recorded function', () => {
    const layer = new Scale();
    const { grads } = sn.variableGrads(() => sn.tidy(() => layer.apply(sn.ones([2, 2])).sum()));
    expect(layer.scale.isDisposed).toBe(false);
    expect(grads[layer.scale.name]!.arraySync()).toEqual([2, 2]);
  });

  it('frees its weights once, when no one holds it any more', () => {
    const layer = new Scale();
    layer.apply(sn.ones([1, 2]));
    const { scale } = layer;
    expect(layer.dispose()).toEqual({ refCountAfterDispose: 0, numDisposedVariables: 2 });
    expect(scale.isDisposed).toBe(true);
    expect(() => layer.apply(sn.ones([1, 2]))).toThrow(/expected a live layer, got "one that was disposed"/);
    expect(() => layer.dispose()).toThrow(sn.DisposedError);
  });

  it('is made again from its configuration', () => {
    if (layerClass('ScaleForTest') === undefined) sn.registerLayer(Scale);
    const layer = new Scale({ name: 'one', start: 3, trainable: false, inputShape: [5] });
    const config = JSON.parse(JSON.stringify(layer.getConfig())) as Record<string, unknown>;
    expect(config).toEqual({ name: 'one', trainable: false, batchInputShape: [null, 5], dtype: 'float32', start: 3 });
    const again = layerFromConfig({ className: 'ScaleForTest', config });
    expect(again.getConfig()).toEqual(config);
    expect(again).toBeInstanceOf(Scale);
  });
});

describe('errors', () => {
  const built = () => {
    const layer = new Scale({ name: 'scale' });
    layer.apply(sn.ones([1, 2]));
    return layer;
  };
  class Product extends Scale {
    static override readonly className = 'ProductForTest';
    override build(): void {}
    override call([x]: readonly Tensor[]): Tensor {
      return sn.matMul(x!, sn.ones([7, 2]));
    }
  }
  const cases: [string, () => unknown, RegExp][] = [
    ['size of an axis', () => built().apply(sn.ones([3, 4])), /^scale: input: expected shape \[null,2\], got \[3,4\]$/],
    ['rank', () => new Scale({ name: 's' }).apply(sn.ones([3])), /^s: input: expected shape \[null,null\], got \[3\]$/],
    [
      'placeholder',
      () => built().apply(sn.input({ shape: [9] })),
      /^scale: input: expected shape \[null,2\], got \[null,9\]$/,
    ],
    [
      'number of inputs',
      () => built().apply([sn.ones([1, 2]), sn.ones([1, 2])]),
      /^scale: inputs: expected 1 of them, got "2 \(\[1,2\], \[1,2\]\)"$/,
    ],
    ['no input', () => built().apply([]), /^scale: inputs: expected at least one/],
    [
      'mixed',
      () => built().apply([sn.input({ shape: [2] }), sn.ones([1, 2])] as never),
      /^scale: inputs\[0\]: expected a tensor/,
    ],
    ['an op inside', () => new Product({ name: 'p' }).apply(sn.ones([3, 5])), /^p: input \[3,5\]: matMul: .*\[7,2\]/],
    [
      'count of weights',
      () => built().setWeights([]),
      /^scale\.setWeights: weights: expected 2 tensors \(scale\/scale \[2\], scale\/moving_mean \[2\]\), got "0"$/,
    ],
    [
      'shape of a weight',
      () => built().setWeights([sn.ones([2]), sn.ones([3])]),
      /^scale\.setWeights: weights\[1\] \(scale\/moving_mean\): expected shape \[2\], got \[3\]$/,
    ],
    [
      'parameters of an unbuilt layer',
      () => new Scale({ name: 's' }).countParams(),
      /^s\.countParams: the layer is not built/,
    ],
    ['name', () => new Scale({ name: '' }), /^ScaleForTest: name: expected a string that is not empty, got ""$/],
    ['dtype', () => new Scale({ name: 's', dtype: 'float128' as never }), /^s: dtype: expected one of/],
    ['input shape', () => new Scale({ name: 's', inputShape: [-1] }), /^s: inputShape: expected an array of integers/],
    [
      'unknown class',
      () => layerFromConfig({ className: 'Nothing', config: {} }),
      /^layerFromConfig: className: expected a registered layer class .*got "Nothing"/,
    ],
    ['input without a shape', () => sn.input({}), /^input: shape: expected the shape/],
    [
      'output of an unapplied layer',
      () => new Scale({ name: 's' }).output,
      /^s\.output: expected a layer applied to placeholders once, got one applied 0 times/,
    ],
  ];
  it.each(cases)('%s', (_what, run, message) => {
    expect(run).toThrow(message);
  });

  it('leave the weights alone when one does not fit', () => {
    const layer = built();
    expect(() => layer.setWeights([sn.ones([2]), sn.ones([3])])).toThrow(sn.ShapeError);
    expect(layer.scale.arraySync()).toEqual([2, 2]);
  });

  it('come once from a second class of the same name', () => {
    class Other extends Scale {}
    if (layerClass('ScaleForTest') === undefined) sn.registerLayer(Scale);
    expect(() => sn.registerLayer(Other)).toThrow(/expected a name that no other class has, got "ScaleForTest"/);
  });
});
