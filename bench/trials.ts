// What is measured, a sentence each; the row names are the contract with bench/peers.
import * as sn from '../src/index.js';
import { activationNamed, type ActivationName } from '../src/ops/activation.js';
import { CONV2D } from '../src/ops/convolution.js';
import { windowsOver } from '../src/ops/convolution-shape.js';

export interface Trial {
  /** `<kind>/<op>/<size>/<dtype>`, as the peers print it. */
  readonly name: string;
  readonly what: string;
  /** Prepares the operands and gives the function to time; what it returns is freed. */
  readonly prepare: () => () => sn.Tensor | readonly sn.Tensor[];
}

const N = 2 ** 24;

const ELEMENTWISE: readonly ActivationName[] = [
  'relu',
  'elu',
  'selu',
  'leakyRelu',
  'softplus',
  'sigmoid',
  'tanh',
  'gelu',
  'silu',
  'relu6',
  'celu',
  'softsign',
  'mish',
  'hardSigmoid',
  'hardSwish',
  'logSigmoid',
  'geluTanh',
];

function elementwise(name: ActivationName): Trial[] {
  const parameters = (): number[] => activationNamed(name).parameters({});
  return [
    {
      name: `elementwise/${name}/16Mi/float32/forward`,
      what: `${name} of 16Mi float32 values`,
      prepare: () => {
        const x = sn.randomNormal([N]);
        const given = parameters();
        return () => activationNamed(name).apply(x, given);
      },
    },
    {
      name: `elementwise/${name}/16Mi/float32/backward`,
      what: `the gradient of ${name} from dy and what forward kept`,
      prepare: () => {
        const x = sn.randomNormal([N]);
        const dy = sn.randomNormal([N]);
        const given = parameters();
        const saved = activationNamed(name).facts.saves === 'output' ? activationNamed(name).apply(x, given) : x;
        return () => activationNamed(name).applyBackward(dy, saved, given);
      },
    },
  ];
}

/** Document 004's toy: f(a x + b) c + d learns ReLU on 256 points, by Adam. Many tiny ops: what is timed is the host. */
function fitToy(steps: number): sn.Tensor {
  const x = sn.linspace(-0.5, 0.5, 256);
  const target = sn.relu(x);
  const [a, b, c, d] = [1, 0.5, 1, 0].map((value) => sn.variable(value)) as [
    sn.Variable,
    sn.Variable,
    sn.Variable,
    sn.Variable,
  ];
  const adam = sn.train.adam(0.1);
  const loss = (): sn.Tensor => x.mul(a).add(b).elu().mul(c).add(d).sub(target).abs().mean();
  for (let step = 0; step < steps; step++) adam.minimize(loss, false, [a, b, c, d]);
  const last = loss();
  sn.dispose([a, b, c, d]);
  adam.dispose();
  return last;
}

/** The built-in activation written as a formula: what interpreting it costs beside `elementwise/selu`. */
function formula(): Trial[] {
  const selu = (): sn.DefinedActivation =>
    sn.activation({
      name: 'seluByFormula',
      forward: 'x > 0 ? scale * x : scale * alpha * expm1(x)',
      derivative: 'y > 0 ? scale : y + scale * alpha',
      parameters: { alpha: 1.6732632423543772, scale: 1.0507009873554805 },
    });
  return [
    {
      name: 'elementwise/selu by formula/16Mi/float32/forward',
      what: 'SELU written as a formula, of 16Mi float32 values',
      prepare: () => {
        const x = sn.randomNormal([N]);
        const f = selu();
        return () => f(x);
      },
    },
    {
      name: 'elementwise/selu by formula/16Mi/float32/both',
      what: 'its value and gradient',
      prepare: () => {
        const x = sn.randomNormal([N]);
        const dy = sn.randomNormal([N]);
        const gradient = sn.valueAndGrad(selu());
        return () => {
          const { value, grad } = gradient(x, dy);
          return [value, grad];
        };
      },
    },
  ];
}

export const TRIALS: readonly Trial[] = [
  ...ELEMENTWISE.flatMap(elementwise),
  ...formula(),
  {
    name: 'elementwise/selu+alphaDropout/16Mi/float32/both',
    what: 'SELU and alpha dropout at rate 0.1, forward and backward',
    prepare: () => {
      const x = sn.randomNormal([N]);
      const dy = sn.randomNormal([N]);
      const gradient = sn.valueAndGrad((given: sn.Tensor) => sn.seluAlphaDropout(given, 0.1));
      return () => {
        const { value, grad } = gradient(x, dy);
        return [value, grad];
      };
    },
  },
  {
    name: 'matmul/1024',
    what: 'float32 matrix product, 1024 x 1024',
    prepare: () => {
      const a = sn.randomNormal([1024, 1024]);
      const b = sn.randomNormal([1024, 1024]);
      return () => sn.matMul(a, b);
    },
  },
  {
    name: 'matmul/1024+bias+selu',
    what: 'a dense layer: product, bias and SELU',
    prepare: () => {
      const a = sn.randomNormal([1024, 1024]);
      const b = sn.randomNormal([1024, 1024]);
      const bias = sn.randomNormal([1024]);
      return () => sn.fused.matMul({ a, b, bias, activation: 'selu' });
    },
  },
  {
    name: 'conv/250x13x13x32-64/forward',
    what: 'the second convolution of the MNIST network, 3 x 3 filters',
    prepare: () => {
      const x = sn.randomNormal([250, 13, 13, 32]);
      const filter = sn.randomNormal([3, 3, 32, 64]);
      return () => sn.conv2d(x, filter, 1, 'valid');
    },
  },
  {
    name: 'conv/250x13x13x32-64/backward',
    what: 'its gradients of input and filter',
    prepare: () => {
      const x = sn.randomNormal([250, 13, 13, 32]);
      const filter = sn.randomNormal([3, 3, 32, 64]);
      const dy = sn.randomNormal([250, 11, 11, 64]);
      const windows = windowsOver('conv2d', [13, 13], [3, 3], [1, 1], 'valid');
      return () => [CONV2D.dx(dy, filter, x.shape, windows), CONV2D.dfilter(x, dy, filter.shape, windows)];
    },
  },
  {
    name: 'fit/toy/2000',
    what: '2000 eager training steps of four numbers: ELU learns ReLU on 256 points',
    prepare: () => () => fitToy(2000),
  },
  {
    name: 'add/16',
    what: 'the eager cost of an op: 16 elements',
    prepare: () => {
      const a = sn.randomNormal([16]);
      const b = sn.randomNormal([16]);
      // Dropped, not disposed: what a user's loop does. Garbage collection is part of the cost.
      return () => {
        sn.add(a, b);
        return [];
      };
    },
  },
];
