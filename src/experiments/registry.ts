// The experiments. A row says enough to list it and to explain its options; its code and the library load when it runs.
import type { Experiment } from './experiment.js';

export const EXPERIMENTS: readonly Experiment[] = [
  {
    name: 'mnist-elu',
    document: '003 "How to use ELU with Keras?"',
    description: 'a small CNN on MNIST: ReLU, ELU, Leaky ReLU and PReLU, Glorot and He initialisation',
    sizes: {
      quick: '3 epochs of ReLU and ELU, Glorot and He',
      default: '25 epochs of these, Leaky ReLU, PReLU, ELU with alpha 0.1, and ELU with early stopping',
      full: 'all that with three seeds, and 250 epochs with dropout 0.5',
    },
    load: async () => (await import('./mnist-elu/run.js')).runMnistElu,
  },
];
