// Deep dense networks that keep a mean and variance: SELU with constants solved for them, and weights whose sum in each unit is 0
// where the mean is not.
import { weightCentralization } from '../../constraints/index.js';
import * as layers from '../../layers/index.js';
import type { Layer } from '../../layers/layer.js';
import { sequential, type Sequential } from '../../models/sequential.js';
import { add, mul, sub } from '../../ops/arithmetic.js';
import { mean } from '../../ops/reductions.js';
import { constants } from '../../self-normalizing/constants.js';
import type { Moments, SeluConstants } from '../../self-normalizing/moment-map.js';
import { tidy } from '../../tensor/memory.js';
import type { Tensor } from '../../tensor/tensor.js';
import { TRAINED_DEPTH } from './trials.js';

/** A stack of equal layers. */
export interface Stack {
  readonly depth: number;
  readonly units: number;
  readonly inputs: number;
  readonly constants: SeluConstants;
  readonly initializer?: string;
  /** Whether each unit's weights add up to 0, at first and in training. */
  readonly centred: boolean;
}

/** A mean other than 0 is multiplied by the sum of a unit's weights, which varies from unit to unit unless it is made 0. */
export const needsCentring = ({ mean: kept }: Moments): boolean => kept !== 0;

function hidden({ depth, units, inputs, constants: { alpha, scale }, initializer, centred }: Stack): Layer[] {
  return Array.from({ length: depth }, (_, i) =>
    layers.dense({
      name: `layer${i + 1}`,
      units,
      ...(i === 0 ? { inputShape: [inputs] } : {}),
      activation: { name: 'selu', alpha, scale },
      kernelInitializer: initializer ?? 'leCunNormal',
      ...(centred ? { kernelConstraint: weightCentralization({ axis: 0 }) } : {}),
    }),
  );
}

/** Takes each unit's mean from its weights. */
function centre(model: Sequential): void {
  for (const { variable, constraint } of model.layerWeights) {
    if (constraint === null) continue;
    tidy(() => variable.assign(sub(variable, mean(variable, 0, true))));
  }
}

/** The layers alone, with new weights. */
export function buildStack(stack: Stack): Sequential {
  const model = sequential({ name: 'stack', layers: hidden(stack) });
  if (stack.centred) centre(model);
  return model;
}

/** Mean and standard deviation of MNIST's training pixels, in [0, 1]. */
const PIXELS = { mean: 0.1307, deviation: 0.3081 };
const PIXEL_COUNT = 28 * 28;
const CLASSES = 10;

/** A classifier of digits whose inputs and hidden layers have the target's moments. Layers have names of their own, for checkpoints. */
export function buildClassifier(target: Moments, units: number): Sequential {
  const factor = Math.sqrt(target.variance) / PIXELS.deviation;
  const offset = target.mean - PIXELS.mean * factor;
  const centred = needsCentring(target);
  const model = sequential({
    name: 'classifier',
    layers: [
      layers.flatten({ name: 'pixels', inputShape: [28, 28, 1] }),
      layers.lambda({ name: 'inputs', fn: (x: Tensor) => add(mul(x, factor), offset) }),
      ...hidden({
        depth: TRAINED_DEPTH,
        units,
        inputs: PIXEL_COUNT,
        constants: constants(target),
        centred,
      }),
      layers.dense({ name: 'output', units: CLASSES, activation: 'softmax', kernelInitializer: 'leCunNormal' }),
    ],
  });
  if (centred) centre(model);
  return model;
}
