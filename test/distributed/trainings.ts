// Trainings that are the same whoever runs them: the test in one process, and the ranks of a job.
import * as sn from '../../src/index.js';

/** What a training came to. */
export interface Trained {
  readonly weights: readonly (readonly number[])[];
  readonly logs: Readonly<Record<string, readonly number[]>>;
}

type Options = Pick<sn.ModelFitArgs, 'distributed'>;

const { dense, conv2d, flatten, maxPooling2d, batchNormalization } = sn.layers;

async function result(model: sn.Model, history: sn.History): Promise<Trained> {
  const weights = await Promise.all(model.getWeights().map(async (weight) => [...(await weight.data())]));
  return { weights, logs: history.history };
}

/** A self-normalizing network. */
export function snn(): sn.Sequential {
  const selu = { activation: 'selu', kernelInitializer: 'leCunNormal' } as const;
  const model = sn.sequential({
    layers: [
      dense({ ...selu, units: 9, inputShape: [5], name: 'first' }),
      dense({ ...selu, units: 7, kernelRegularizer: 'l2', name: 'second' }),
      dense({ units: 3, activation: 'softmax', name: 'out' }),
    ],
  });
  model.compile({
    optimizer: sn.train.adam(0.02),
    loss: 'sparseCategoricalCrossentropy',
    metrics: ['acc'],
  });
  return model;
}

/** 45 samples: with batches of 8 the last has 5, which neither 2 nor 4 ranks share evenly. */
export function points(): [sn.Tensor, sn.Tensor] {
  return [sn.randomNormal([45, 5], 0, 1, 'float32', 1), sn.randomUniform([45], 0, 3, 'int32', 2)];
}

/** By name, in the order in which a job runs them. */
export const TRAININGS: Readonly<Record<string, (options: Options) => Promise<Trained>>> = {
  async snn(options) {
    const model = snn();
    const [x, y] = points();
    const args = { batchSize: 8, epochs: 4, seed: 7, validationSplit: 0.2, verbose: 0 } as const;
    return result(model, await model.fit(x, y, { ...args, ...options }));
  },

  /** Weighted samples, a metric whose weight only the device knows, clipping by the global norm, and batches of a sample or two. */
  async weighted(options) {
    const model = sn.sequential({
      layers: [dense({ units: 1, activation: 'sigmoid', inputShape: [5], name: 'unit' })],
    });
    const optimizer = sn.train.sgd(0.3, { globalClipNorm: 0.2 });
    model.compile({ optimizer, loss: 'binaryCrossentropy', metrics: ['recall', 'mse'] });
    const [x, classes] = points();
    const y = sn.cast(sn.greater(classes, 1), 'float32').reshape([45, 1]);
    const sampleWeight = sn.randomUniform([45], 0.5, 2, 'float32', 3);
    const args = { batchSize: 22, epochs: 2, shuffle: false, sampleWeight, verbose: 0 } as const;
    return result(model, await model.fit(x, y, { ...args, ...options }));
  },

  async cnn(options) {
    const model = sn.sequential({
      layers: [
        conv2d({ filters: 3, kernelSize: 3, activation: 'selu', inputShape: [6, 6, 1], name: 'conv' }),
        maxPooling2d({ poolSize: 2 }),
        flatten(),
        dense({ units: 2, name: 'out' }),
      ],
    });
    model.compile({ optimizer: sn.train.momentum(0.05, 0.9), loss: 'meanSquaredError' });
    const x = sn.randomNormal([18, 6, 6, 1], 0, 1, 'float32', 4);
    const y = sn.randomNormal([18, 2], 0, 1, 'float32', 5);
    const bucketBytes = options.distributed === true ? { distributed: { bucketBytes: 64 } } : options;
    return result(model, await model.fit(x, y, { batchSize: 6, epochs: 3, seed: 8, verbose: 0, ...bucketBytes }));
  },

  async dataset(options) {
    const model = snn();
    const [x, y] = points();
    const batches = sn.data.array([...Array(6).keys()]).map((i) => ({
      xs: sn.slice(x, [i * 7], [7, 5]),
      ys: sn.slice(y, [i * 7], [7]),
    }));
    return result(model, await model.fitDataset(batches, { epochs: 2, verbose: 0, ...options }));
  },
};

/** What batch normalisation sees depends on the number of ranks; what it ends with does not differ between them. */
export async function normalized(options: Options): Promise<Trained> {
  const model = sn.sequential({
    layers: [
      dense({ units: 4, inputShape: [5], name: 'dense' }),
      batchNormalization({ name: 'norm' }),
      dense({ units: 3 }),
    ],
  });
  model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
  const [x] = points();
  const y = sn.randomNormal([45, 3], 0, 1, 'float32', 6);
  return result(model, await model.fit(x, y, { batchSize: 16, epochs: 2, seed: 9, verbose: 0, ...options }));
}
