// What a layer says of its output before there are values is what comes out: shapes and dtypes of random inputs, empty batches
// and unknown sizes among them.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import type { Tensor } from '../../src/index.js';
import type { Layer } from '../../src/layers/layer.js';
import { shapeFits, type SymbolicShape } from '../../src/layers/symbolic.js';
import type { DType } from '../../src/tensor/dtype.js';

const { layers } = sn;
const SEED = 20_260_101;
const ROUNDS = 12;

/** Whole numbers below a bound. */
type Random = (below: number) => number;
function random(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

interface Drawn {
  layer: Layer;
  /** Shapes without the batch axis. */
  samples: number[][];
}
const sizes = (next: Random, rank: number, least = 1, most = 7): number[] =>
  Array.from({ length: rank }, () => least + next(most - least + 1));
const pick = <T>(next: Random, list: readonly T[]): T => list[next(list.length)]!;
const windows = (next: Random) => ({
  strides: sizes(next, 2, 1, 3),
  padding: pick(next, ['valid', 'same'] as const),
});
const image = (next: Random): number[] => [...sizes(next, 2, 5, 11), 1 + next(4)];

const DRAWS: Readonly<Record<string, (next: Random) => Drawn>> = {
  dense: (next) => ({
    layer: layers.dense({ units: 1 + next(9), activation: pick(next, ['selu', 'softmax', undefined]) }),
    samples: [sizes(next, 1 + next(3))],
  }),
  conv2d: (next) => ({
    layer: layers.conv2d({
      filters: 1 + next(5),
      kernelSize: sizes(next, 2, 1, 3),
      dilationRate: 1 + next(2),
      ...windows(next),
    }),
    samples: [image(next)],
  }),
  depthwiseConv2d: (next) => ({
    layer: layers.depthwiseConv2d({ kernelSize: 1 + next(3), depthMultiplier: 1 + next(3), ...windows(next) }),
    samples: [image(next)],
  }),
  conv2dTranspose: (next) => ({
    layer: layers.conv2dTranspose({ filters: 1 + next(4), kernelSize: sizes(next, 2, 1, 4), ...windows(next) }),
    samples: [image(next)],
  }),
  maxPooling2d: (next) => ({
    layer: layers.maxPooling2d({ poolSize: sizes(next, 2, 1, 4), ...windows(next) }),
    samples: [image(next)],
  }),
  averagePooling2d: (next) => ({ layer: layers.averagePooling2d({ padding: 'same' }), samples: [image(next)] }),
  globalAveragePooling2d: (next) => ({ layer: layers.globalAveragePooling2d(), samples: [image(next)] }),
  globalMaxPooling2d: (next) => ({ layer: layers.globalMaxPooling2d(), samples: [image(next)] }),
  rescaling: (next) => ({ layer: layers.rescaling({ scale: 2 }), samples: [sizes(next, next(4))] }),
  flatten: (next) => ({ layer: layers.flatten(), samples: [sizes(next, next(4))] }),
  reshape: (next) => {
    const [a, b, c] = sizes(next, 3) as [number, number, number];
    const targetShape = pick(next, [[a, -1], [-1, b * c, 1], [a * b * c], [c, null, b]]);
    return { layer: layers.reshape({ targetShape }), samples: [[a, b, c]] };
  },
  permute: (next) => ({
    layer: layers.permute({
      dims: pick(next, [
        [3, 1, 2],
        [1, 2, 3],
        [2, 1, 3],
      ]),
    }),
    samples: [sizes(next, 3)],
  }),
  activation: (next) => ({ layer: layers.activation({ activation: 'selu' }), samples: [sizes(next, next(4))] }),
  elu: (next) => ({ layer: layers.elu(), samples: [sizes(next, 2)] }),
  leakyReLU: (next) => ({ layer: layers.leakyReLU(), samples: [sizes(next, 2)] }),
  reLU: (next) => ({ layer: layers.reLU({ maxValue: 1 + next(6) }), samples: [sizes(next, 2)] }),
  thresholdedReLU: (next) => ({ layer: layers.thresholdedReLU(), samples: [sizes(next, 2)] }),
  softmax: (next) => ({ layer: layers.softmax({ axis: pick(next, [-1, 1, [1, 2]]) }), samples: [sizes(next, 3)] }),
  prelu: (next) => ({ layer: layers.prelu({ sharedAxes: pick(next, [[], [1], [1, 2]]) }), samples: [sizes(next, 3)] }),
  batchNormalization: (next) => ({
    layer: layers.batchNormalization({ axis: pick(next, [-1, 1]) }),
    samples: [sizes(next, 1 + next(3))],
  }),
  layerNormalization: (next) => ({
    layer: layers.layerNormalization({ axis: pick(next, [-1, 1, [1, 2]]) }),
    samples: [sizes(next, 3)],
  }),
  dropout: (next) => ({ layer: layers.dropout({ rate: 0.4, noiseShape: [null, 1] }), samples: [sizes(next, 1)] }),
  alphaDropout: (next) => ({ layer: layers.alphaDropout({ rate: 0.4, seed: 1 }), samples: [sizes(next, 3)] }),
  gaussianNoise: (next) => ({ layer: layers.gaussianNoise({ stddev: 1 }), samples: [sizes(next, 2)] }),
  gaussianDropout: (next) => ({ layer: layers.gaussianDropout({ rate: 0.5 }), samples: [sizes(next, 2)] }),
  timeDistributed: (next) => ({
    layer: layers.timeDistributed({ layer: layers.dense({ units: 1 + next(5) }) }),
    samples: [sizes(next, 2 + next(2))],
  }),
  add: (next) => {
    const [a, b, c] = sizes(next, 3) as [number, number, number];
    return {
      layer: layers.add(),
      samples: pick(next, [
        [
          [a, b, c],
          [b, c],
          [a, 1, 1],
        ],
        [[a], [a]],
        [[], [a]],
        [[a, 1], [b]],
      ]),
    };
  },
  multiply: (next) => ({ layer: layers.multiply(), samples: [sizes(next, 1), [1]] }),
  average: (next) => ({ layer: layers.average(), samples: [sizes(next, 1), [1]] }),
  maximum: (next) => ({ layer: layers.maximum(), samples: [sizes(next, 1), [1]] }),
  minimum: (next) => ({ layer: layers.minimum(), samples: [sizes(next, 1), [1]] }),
  concatenate: (next) => {
    const [a, b, c] = sizes(next, 3) as [number, number, number];
    const axis = pick(next, [1, -1, 2]);
    const samples = axis === 1 ? [[a, b], [c, b], [1, b]] : [[a, b], [a, c]]; // prettier-ignore
    return { layer: layers.concatenate({ axis }), samples };
  },
  dot: (next) => {
    const [a, b, c] = sizes(next, 3) as [number, number, number];
    return pick(next, [
      { layer: layers.dot({ axes: 1, normalize: true }), samples: [[a], [a]] },
      { layer: layers.dot({ axes: [1, 2] }), samples: [[a, b], [c, a]] }, // prettier-ignore
      { layer: layers.dot({ axes: [1, -1] }), samples: [[a], [c, b, a]] }, // prettier-ignore
    ]);
  },
  lambda: (next) => ({
    layer: layers.lambda({ fn: (x) => sn.concat([x, x], -1).sum(1) }),
    samples: [sizes(next, 2 + next(2))],
  }),
};

/** A shape with some sizes unknown; which may be, the layer's building decides. */
const hidden = (next: Random, shape: readonly number[]): SymbolicShape =>
  shape.map((size, axis) => (axis === 0 || next(2) === 0 ? null : size));

function outputs(layer: Layer, inputs: readonly Tensor[], next: Random): Tensor {
  return layer.apply(inputs, { training: next(2) === 0 });
}

describe(`with seed ${SEED}`, () => {
  test.each(Object.entries(DRAWS))('%s', (_name, draw) => {
    const next = random(SEED);
    for (let round = 0; round < ROUNDS; round++) {
      const { layer, samples } = draw(next);
      const batch = pick(next, [0, 1, 3, 64]);
      const shapes = samples.map((sample) => [batch, ...sample]);
      const y = outputs(
        layer,
        shapes.map((shape) => sn.randomUniform(shape, -1, 1)),
        next,
      );
      const what = `${JSON.stringify(layer.getConfig())} of ${JSON.stringify(shapes)}`;
      expect(layer.computeOutputShape(shapes), what).toEqual([...y.shape]);
      expect(layer.computeOutputDType(shapes.map(() => 'float32')), what).toBe(y.dtype);
      const anyBatch = shapes.map((shape) => [null, ...shape.slice(1)]);
      expect(layer.computeOutputShape(anyBatch), `any batch: ${what}`).toEqual([null, ...y.shape.slice(1)]);
      const partly = shapes.map((shape) => hidden(next, shape));
      let symbolic: SymbolicShape;
      try {
        symbolic = layer.computeOutputShape(partly);
      } catch (error) {
        // A size that the layer's weights or a trial need may not be hidden.
        expect((error as sn.SelfnormError).code, `${JSON.stringify(partly)}: ${what}`).toBe('ERR_SHAPE');
        continue;
      }
      expect(shapeFits(y.shape, symbolic), `${JSON.stringify([partly, symbolic])}: ${what}`).toBe(true);
    }
  });
});

describe('dtypes', () => {
  const INPUTS: readonly DType[] = ['float32', 'float16', 'bfloat16', 'float64', 'int32', 'bool'];
  // Inner products of booleans are none; what a lambda makes is not known before it runs.
  const others = new Set(['dot', 'lambda']);
  test.each(Object.entries(DRAWS).filter(([name]) => !others.has(name)))('%s', (_name, draw) => {
    for (const dtype of INPUTS) {
      const { layer, samples } = draw(random(SEED));
      const inputs = samples.map((sample) => sn.ones([2, ...sample], dtype));
      const y = layer.apply<Tensor>(inputs);
      expect(layer.computeOutputDTypes(inputs.map(() => dtype))[0], `${layer.getClassName()} of ${dtype}`).toBe(
        y.dtype,
      );
    }
  });

  test('of half layers: weights are halves, batch normalisation keeps float32', () => {
    const x = sn.ones([2, 3], 'float16');
    const dense = layers.dense({ units: 2, dtype: 'float16', activation: 'selu' });
    expect(dense.apply<Tensor>(x).dtype).toBe('float16');
    expect(dense.weights.map(({ dtype }) => dtype)).toEqual(['float16', 'float16']);
    const norm = layers.batchNormalization({ dtype: 'float16' });
    expect(norm.apply<Tensor>(x, { training: true }).dtype).toBe('float16');
    expect(norm.weights.map(({ dtype }) => dtype)).toEqual(['float32', 'float32', 'float32', 'float32']);
  });
});
