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
    options: ['epochs', 'seeds', 'limit', 'data'],
    load: async () => (await import('./mnist-elu/run.js')).runMnistElu,
  },
  {
    name: 'relu-approximation',
    document: '004 "SELUs don’t actually solve the dying ReLU problem"',
    description: 'one unit learns ReLU: who goes straight, who dies, and from which starts; every activation',
    sizes: {
      quick: 'a minute: 3,000 steps from the two starts, 1,000 from 200 random ones and from maps of 21 x 21',
      default:
        '20,000 steps from the two starts, 2,000 from 200 random ones and from maps of 41 x 41, batches of three sizes',
      full: '100,000 steps from the two starts, 5,000 from 2,000 random ones and from maps of 121 x 121',
    },
    options: ['steps'],
    load: async () => (await import('./relu-approximation/run.js')).runReluApproximation,
  },
  {
    name: 'fixed-point',
    document: '001 "Paper Review: Self-Normalizing Neural Networks"',
    description:
      'why not mean 0 and variance 4? other fixed points for SELU: 32-layer networks keep them; training beside 0 and 1',
    sizes: {
      quick: 'two seeds of (0, 1) and (0, 4), trained for 2 epochs; 32 layers of 256 units for six pairs',
      default: 'three seeds of six pairs, trained for 10 epochs; 32 layers of 512 units',
      full: 'five seeds of six pairs, trained for 30 epochs; 32 layers of 1024 units',
    },
    options: ['epochs', 'seeds', 'limit', 'data'],
    load: async () => (await import('./fixed-point/run.js')).runFixedPoint,
  },
  {
    name: 'selu-vs-batchnorm',
    document: '001 "Paper Review: Self-Normalizing Neural Networks"',
    description:
      'SELU, with and without dropouts, against ReLU and batch normalisation on MNIST and CIFAR-10: accuracy and seconds',
    sizes: {
      quick: '2 epochs on the first 2000 images of each set, one seed: shows times, leaves accuracies open',
      default: '10 epochs on the first 10,000 images of each set, three seeds',
      full: '30 epochs on all images, five seeds',
    },
    options: ['epochs', 'seeds', 'limit', 'data'],
    load: async () => (await import('./selu-vs-batchnorm/run.js')).runSeluVsBatchNorm,
  },
  {
    name: 'deep-cnn',
    document: '002, SELU in a deep CNN "learns nothing at all"',
    description:
      'when SELU collapses in a deep CNN of 100 classes, why, and what rescues it: learning rates by methods, centred weights',
    sizes: {
      quick: '3 minutes: 250 steps, two learning rates, two seeds, 8 to 32 filters; the other attempts once',
      default:
        '600 steps, four learning rates, three seeds, 16 to 64 filters; the other attempts twice; MiniPlaces where it is found, and the photographs of --data',
      full: '10,000 steps, four learning rates, three seeds, 64 to 256 filters',
    },
    options: ['steps', 'seeds', 'limit', 'data'],
    load: async () => (await import('./deep-cnn/run.js')).runDeepCnn,
  },
  {
    name: 'snli-bow',
    document: '000 "SELU vs RELU activation in simple NLP models"',
    description:
      'ReLU and SELU in a bag of words on SNLI with GloVe vectors: with and without normalisation, AlphaDropout, seconds an epoch',
    sizes: {
      quick: '3 minutes: 8 epochs of five configurations, one seed, at most 25,000 training pairs',
      default: '30 epochs of ten configurations, three seeds, at most 25,000 training pairs',
      full: '42 epochs of ten configurations, five seeds, all training pairs there are',
    },
    options: ['epochs', 'seeds', 'limit', 'data'],
    load: async () => (await import('./snli-bow/run.js')).runSnliBow,
  },
];
