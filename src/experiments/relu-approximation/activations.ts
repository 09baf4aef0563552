// Every activation of the library as the f of f(a x + b) c + d. The list is the native table's, so that a new activation is in
// the next report; PReLU joins with its slope as a fifth number to learn.
import { activationNamed, type ActivationName } from '../../ops/activation.js';
import { prelu } from '../../ops/prelu.js';
import { COLORS } from '../../report/chart.js';
import { activationTable } from '../../tensor/activation-facts.js';
import type { Tensor } from '../../tensor/tensor.js';

/** An activation to fit with. */
export interface Approximator {
  /** Names files and finds the activation again. */
  readonly key: string;
  readonly label: string;
  readonly color: string;
  /** Where the numbers that f learns itself start. */
  readonly ownStart: readonly number[];
  /** @param own What f learns itself, in a shape that broadcasts to x's. */
  readonly apply: (x: Tensor, own: readonly Tensor[]) => Tensor;
}

/** As people write them; others go by their name. */
const LABELS: Readonly<Record<string, string>> = {
  linear: 'Linear',
  relu: 'ReLU',
  relu6: 'ReLU6',
  leakyRelu: 'Leaky ReLU',
  elu: 'ELU',
  selu: 'SELU',
  celu: 'CELU',
  softplus: 'Softplus',
  sigmoid: 'Sigmoid',
  hardSigmoid: 'Hard sigmoid',
  logSigmoid: 'Log sigmoid',
  tanh: 'Tanh',
  softsign: 'Softsign',
  gelu: 'GELU',
  geluTanh: 'GELU (tanh)',
  silu: 'SiLU',
  mish: 'Mish',
  hardSwish: 'Hard swish',
};

const LINE_COLORS: Readonly<Record<string, string>> = {
  relu: COLORS.blue,
  elu: COLORS.green,
  selu: COLORS.vermilion,
  softplus: COLORS.pink,
};

/** The four that the document shows. */
export const SHOWN: readonly string[] = ['relu', 'elu', 'selu', 'softplus'];
/** Straight on either side of a kink, or from it on: what the document calls piecewise. */
export const PIECEWISE: readonly string[] = ['relu', 'leakyRelu', 'elu', 'selu'];

/** The slope that He et al. 2015 start PReLU with. */
const PRELU_SLOPE = 0.25;
const PRELU: Approximator = {
  key: 'prelu',
  label: 'PReLU',
  color: COLORS.grey,
  ownStart: [PRELU_SLOPE],
  apply: (x, [slope]) => prelu(x, slope!),
};

/** All activations, each with its default parameters. Loads the library. */
export function approximators(): Approximator[] {
  const fixed = [...activationTable().keys()].map((key): Approximator => {
    const activation = activationNamed(key as ActivationName);
    const parameters = activation.parameters({});
    return {
      key,
      label: LABELS[key] ?? key,
      color: LINE_COLORS[key] ?? COLORS.grey,
      ownStart: [],
      apply: (x) => activation.apply(x, parameters),
    };
  });
  return [...fixed, PRELU];
}
