// Pairs of layers that a graph computes as one op: a batch normalisation and the activation behind it. Only the layers of this
// library themselves: a class derived from one may compute something else.
import type { AppliedActivation } from '../ops/activation.js';
import { getActivation } from './activation.js';
import { Activation, ELU, LeakyReLU, ReLU } from './activations.js';
import type { Layer } from './layer.js';
import { BatchNormalization } from './normalization.js';

/** The activation that a layer is, where it is a row of the native table and does something. */
function activationOf(layer: Layer): AppliedActivation | null {
  switch (layer.constructor) {
    case Activation: {
      const { applied } = (layer as Activation).activation;
      return applied?.name === 'linear' ? null : applied;
    }
    case ELU:
      return getActivation({ name: 'elu', alpha: (layer as ELU).alpha }).applied;
    case LeakyReLU:
      return getActivation({ name: 'leakyRelu', alpha: (layer as LeakyReLU).alpha }).applied;
    case ReLU: {
      const { maxValue } = layer as ReLU;
      if (maxValue === null) return getActivation('relu').applied;
      return maxValue === 6 ? getActivation('relu6').applied : null;
    }
    default:
      return null;
  }
}

/** The activation that `first` can end with so that `second`, which takes its result, has nothing left to do; else null. */
export function fusedActivation(first: Layer, second: Layer): AppliedActivation | null {
  const { computeDType } = first;
  const takesIt = second.operandDType(computeDType) === computeDType;
  return takesIt && first.constructor === BatchNormalization ? activationOf(second) : null;
}
