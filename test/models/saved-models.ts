// Models that the tests of saving save: one with statistics, one with two inputs; and what it means that two are the same.
import * as sn from '../../src/index.js';

/** Values that no initializer gives. */
export function fillWeights(model: sn.Model, seed: number): void {
  for (const [i, weight] of model.weights.entries()) {
    weight.assign(sn.cast(sn.randomUniform(weight.shape, 0.5, 2, 'float32', seed * 100 + i), weight.dtype));
  }
}

export function convNet(): sn.Model {
  const { conv2d, batchNormalization, maxPooling2d, flatten, dense, alphaDropout } = sn.layers;
  const model = sn.sequential({
    layers: [
      conv2d({
        inputShape: [6, 6, 2],
        filters: 3,
        kernelSize: 3,
        activation: 'selu',
        kernelInitializer: 'leCunNormal',
      }),
      batchNormalization(),
      maxPooling2d({ poolSize: 2 }),
      flatten(),
      alphaDropout({ rate: 0.1 }),
      dense({
        units: 4,
        activation: 'softmax',
        kernelRegularizer: sn.regularizers.l2({ l2: 1e-3 }),
        kernelConstraint: sn.constraints.weightCentralization({ axis: 0 }),
      }),
    ],
  });
  fillWeights(model, 1);
  return model;
}

export function twoInputs(): sn.Model {
  const left = sn.input({ shape: [3] });
  const right = sn.input({ shape: [2] });
  const shared = sn.layers.dense({ units: 4, activation: 'elu' });
  const widened = sn.layers.dense({ units: 3 }).apply(right);
  const both = sn.layers.concatenate().apply([shared.apply(left), shared.apply(widened)]);
  const head = sn.layers.dense({ units: 1, useBias: false }).apply(both);
  const model = sn.model({ inputs: [left, right], outputs: head });
  fillWeights(model, 2);
  return model;
}

/** The bits of a tensor on the device. */
export const bits = (tensor: sn.Tensor): string =>
  Buffer.from(tensor.backend.addon.readSync(tensor.id)).toString('hex');

/** Names, shapes, dtypes and bits of a model's weights. */
export const weightsOf = (model: sn.Model): unknown[] =>
  model.namedWeights().map(({ name, variable }) => [name, variable.shape, variable.dtype, bits(variable)]);
