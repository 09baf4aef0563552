// The document's network. Every layer has a name of its own, so that a checkpoint fits the network another process builds.
import * as layers from '../../layers/index.js';
import type { ActivationLike } from '../../layers/activation.js';
import type { Layer } from '../../layers/layer.js';
import { sequential, type Sequential } from '../../models/sequential.js';
import type { Configuration } from './trials.js';

const INPUT_SHAPE = [28, 28, 1] as const;
export const CLASSES = 10;

/** The activation as an option of the layer before it; of the functions with weights, none. */
function optionOf({ activation, alpha }: Configuration): ActivationLike {
  if (activation === 'prelu' || activation === 'relu') return activation === 'relu' ? 'relu' : undefined;
  return alpha === undefined ? activation : { name: activation, alpha };
}

/**
 * The network of a configuration, with new weights, on bytes: two 3x3 convolutions of 32 and 64 filters, each with 2x2 max pooling and
 * dropout, a dense layer of 256 units and a softmax of 10.
 */
export function buildNetwork(configuration: Configuration): Sequential {
  const { dropout, initializer } = configuration;
  const shared = { kernelInitializer: initializer, activation: optionOf(configuration) };
  // PReLU learns a slope for each of its inputs, as in Keras, so it is a layer.
  const slopes = (name: string): Layer[] =>
    configuration.activation === 'prelu' ? [layers.prelu({ name: `${name}_slopes` })] : [];
  return sequential({
    name: 'mnist_cnn',
    layers: [
      layers.rescaling({ name: 'rescaling', scale: 1 / 255, inputShape: INPUT_SHAPE }),
      layers.conv2d({ name: 'conv1', filters: 32, kernelSize: 3, ...shared }),
      ...slopes('conv1'),
      layers.maxPooling2d({ name: 'pool1', poolSize: 2 }),
      layers.dropout({ name: 'dropout1', rate: dropout }),
      layers.conv2d({ name: 'conv2', filters: 64, kernelSize: 3, ...shared }),
      ...slopes('conv2'),
      layers.maxPooling2d({ name: 'pool2', poolSize: 2 }),
      layers.dropout({ name: 'dropout2', rate: dropout }),
      layers.flatten({ name: 'flatten' }),
      layers.dense({ name: 'dense', units: 256, ...shared }),
      ...slopes('dense'),
      layers.dense({ name: 'output', units: CLASSES, activation: 'softmax', kernelInitializer: initializer }),
    ],
  });
}
