// The network of the training benches: document 003's ("How to use ELU with Keras?").
import * as sn from '../../src/index.js';

export const BATCH = 250;
export const VALIDATION_SPLIT = 0.2;

/**
 * The network on pixels as they are, compiled with Adam; `activation` makes the layer after each layer with weights but the last.
 * @param runEagerly As compile's.
 */
export function mnistNetwork(activation: () => sn.layers.Layer, runEagerly = false): sn.Sequential {
  const { layers } = sn;
  const he = { kernelInitializer: 'heNormal' } as const;
  const model = sn.sequential({
    layers: [
      layers.rescaling({ scale: 1 / 255, inputShape: [28, 28, 1] }),
      layers.conv2d({ filters: 32, kernelSize: 3, ...he }),
      activation(),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.dropout({ rate: 0.25 }),
      layers.conv2d({ filters: 64, kernelSize: 3, ...he }),
      activation(),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.dropout({ rate: 0.25 }),
      layers.flatten(),
      layers.dense({ units: 256, ...he }),
      activation(),
      layers.dense({ units: 10, activation: 'softmax', ...he }),
    ],
  });
  model.compile({ loss: 'categoricalCrossentropy', optimizer: sn.train.adam(), metrics: ['accuracy'], runEagerly });
  return model;
}
