// The document's network: 12 convolutions in four blocks, each halving the image, 3 dense layers and an output. Every layer has a
// name of its own, so that a checkpoint fits the network another process builds.
import { weightCentralization } from '../../constraints/index.js';
import type { Constraint } from '../../constraints/constraint.js';
import * as layers from '../../layers/index.js';
import type { Layer } from '../../layers/layer.js';
import type { LayerDType } from '../../layers/dtype-policy.js';
import { sequential, type Sequential } from '../../models/sequential.js';

/** How large a network is. */
export interface Shape {
  /** Blocks of convolutions, with a 2 x 2 max pooling behind each. */
  readonly blocks: number;
  readonly convolutions: number;
  /** Filters of the first block; each block has twice those before it, up to four times. */
  readonly filters: number;
  readonly dense: number;
  readonly units: number;
}

/** What the layers with weights are made of. */
export interface Recipe {
  readonly activation: 'relu' | 'elu' | 'selu';
  readonly initializer: 'heNormal' | 'leCunNormal';
  /** Whose mean is taken off a weight after each step: all of it, as the document does, or each output unit's own. */
  readonly centralization: 'none' | 'tensor' | 'unit';
  readonly batchNorm: boolean;
  /** Rate of AlphaDropout behind the dense layers; 0: none. */
  readonly alphaDropout: number;
  /** Softmax as the last layer's activation, or in the loss. */
  readonly output: 'softmax' | 'logits';
  readonly dtype: LayerDType;
}

/** What the running averages keep in a step: with 0.99 a run of few steps would be judged by averages of no use yet. */
const MOMENTUM = 0.9;
const MOST_WIDENING = 4;

/** Names of the layers whose activations and weights are looked at, in their order. */
export const hiddenLayers = ({ blocks, convolutions, dense }: Shape): string[] => [
  ...Array.from({ length: blocks * convolutions }, (_, i) => `conv${i + 1}`),
  ...Array.from({ length: dense }, (_, i) => `dense${i + 1}`),
];

function constraintOf({ centralization }: Recipe, unitAxes: readonly number[]): Constraint | null {
  if (centralization === 'none') return null;
  return weightCentralization(centralization === 'tensor' ? {} : { axis: unitAxes });
}

/** Name, first weights, constraint and activation of a layer with weights, and what follows it. */
function hidden(recipe: Recipe, unitAxes: readonly number[], make: (config: object) => Layer, name: string): Layer[] {
  const { activation, initializer, batchNorm, dtype } = recipe;
  const common = { name, kernelInitializer: initializer, kernelConstraint: constraintOf(recipe, unitAxes), dtype };
  if (!batchNorm) return [make({ ...common, activation })];
  // A bias before BatchNorm would be taken off again.
  return [
    make({ ...common, useBias: false }),
    layers.batchNormalization({ name: `${name}_norm`, momentum: MOMENTUM, dtype }),
    layers.activation({ name: `${name}_activation`, activation, dtype }),
  ];
}

/** The network, with new weights, for images of that shape. */
export function buildNetwork(
  recipe: Recipe,
  { blocks, convolutions, filters, dense, units }: Shape,
  imageShape: readonly number[],
  classes: number,
): Sequential {
  const { alphaDropout, initializer, output, dtype } = recipe;
  const block = (b: number): Layer[] => [
    ...Array.from({ length: convolutions }, (_, i) => {
      const own = filters * Math.min(2 ** b, MOST_WIDENING);
      const make = (config: object): Layer =>
        layers.conv2d({ filters: own, kernelSize: 3, padding: 'same', ...config });
      return hidden(recipe, [0, 1, 2], make, `conv${b * convolutions + i + 1}`);
    }).flat(),
    layers.maxPooling2d({ name: `pool${b + 1}`, poolSize: 2 }),
  ];
  const head = (i: number): Layer[] => [
    ...hidden(recipe, [0], (config) => layers.dense({ units, ...config }), `dense${i + 1}`),
    ...(alphaDropout > 0 ? [layers.alphaDropout({ name: `drop${i + 1}`, rate: alphaDropout })] : []),
  ];
  return sequential({
    name: 'deep_cnn',
    layers: [
      layers.inputLayer({ name: 'images', inputShape: [...imageShape] }),
      ...Array.from({ length: blocks }, (_, b) => block(b)).flat(),
      layers.flatten({ name: 'flatten' }),
      ...Array.from({ length: dense }, (_, i) => head(i)).flat(),
      layers.dense({
        name: 'output',
        units: classes,
        kernelInitializer: initializer,
        dtype,
        ...(output === 'softmax' ? { activation: 'softmax' } : {}),
      }),
    ],
  });
}
