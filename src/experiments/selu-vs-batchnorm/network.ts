// The networks: each layer with weights is followed by what the configuration says. Every layer has a name of its own, so that
// a checkpoint fits the network another process builds.
import * as layers from '../../layers/index.js';
import type { Layer } from '../../layers/layer.js';
import { sequential, type Sequential } from '../../models/sequential.js';
import { DROPOUT_RATE, type Configuration, type Task } from './trials.js';

const CLASSES = 10;
/** Deep enough that without normalisation signals have the way to fade or grow. */
export const DENSE_DEPTH = 8;
const DENSE_UNITS = 256;
/** Filters of two convolutions each, with a pooling behind them; then a dense layer. */
const FILTERS = [16, 32] as const;
const HEAD_UNITS = 128;

/** What the running averages keep in a step: with 0.99 a run of few steps would be judged by averages of no use yet. */
const MOMENTUM = 0.9;

/** Normalisation and activation as layers behind one that has neither, or as the layer's own option. */
function behind(name: string, { activation, batchNorm }: Configuration): Layer[] {
  if (!batchNorm) return [];
  return [
    layers.batchNormalization({ name: `${name}_norm`, momentum: MOMENTUM }),
    layers.activation({ name: `${name}_activation`, activation }),
  ];
}

function drop(name: string, { dropout }: Configuration): Layer[] {
  const options = { name: `${name}_drop`, rate: DROPOUT_RATE };
  if (dropout === 'none') return [];
  return [dropout === 'dropout' ? layers.dropout(options) : layers.alphaDropout(options)];
}

/** Name, kernel initialisation and activation of a layer with weights. A bias before BatchNorm would be taken off again. */
const common = (name: string, { activation, batchNorm, initializer }: Configuration) =>
  ({
    name,
    kernelInitializer: initializer,
    useBias: !batchNorm,
    ...(batchNorm ? {} : { activation }),
  }) as const;

const dense = (name: string, units: number, configuration: Configuration): Layer[] => [
  layers.dense({ units, ...common(name, configuration) }),
  ...behind(name, configuration),
  ...drop(name, configuration),
];

const convolution = (name: string, filters: number, configuration: Configuration): Layer[] => [
  layers.conv2d({ filters, kernelSize: 3, padding: 'same', ...common(name, configuration) }),
  ...behind(name, configuration),
];

/** Two convolutions and a pooling, twice, then a dense layer. */
const convolutional = (configuration: Configuration): Layer[] => [
  ...FILTERS.flatMap((filters, i) => [
    ...convolution(`conv${i + 1}a`, filters, configuration),
    ...convolution(`conv${i + 1}b`, filters, configuration),
    // Before the pooling, behind which values no longer have the mean 0 that AlphaDropout keeps.
    ...drop(`conv${i + 1}b`, configuration),
    layers.maxPooling2d({ name: `pool${i + 1}`, poolSize: 2 }),
  ]),
  layers.flatten({ name: 'flatten' }),
  ...dense('head', HEAD_UNITS, configuration),
];

const fullyConnected = (configuration: Configuration): Layer[] => [
  layers.flatten({ name: 'flatten' }),
  ...Array.from({ length: DENSE_DEPTH }, (_, i) => dense(`dense${i + 1}`, DENSE_UNITS, configuration)).flat(),
];

/** The network of a task and a configuration, with new weights, for images of that shape. */
export function buildNetwork(
  { network }: Task,
  configuration: Configuration,
  imageShape: readonly number[],
): Sequential {
  return sequential({
    name: `${network}_network`,
    layers: [
      layers.inputLayer({ name: 'images', inputShape: [...imageShape] }),
      ...(network === 'dense' ? fullyConnected(configuration) : convolutional(configuration)),
      layers.dense({
        name: 'output',
        units: CLASSES,
        activation: 'softmax',
        kernelInitializer: configuration.initializer,
      }),
    ],
  });
}
