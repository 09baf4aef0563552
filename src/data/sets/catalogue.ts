// All named data sets, by name. A new set is a row, here and in the file of its kind.
import { CIFAR10, CIFAR100, FASHION_MNIST, MINI_PLACES, MINI_PLACES_PHOTOS, MNIST, PLACES365 } from './image-rows.js';
import { GLOVE_42B, GLOVE_6B, GLOVE_840B, GLOVE_TWITTER, SICK, SNLI } from './text-rows.js';

/** All named sets, by name. */
export const CATALOGUE = {
  mnist: MNIST,
  'fashion-mnist': FASHION_MNIST,
  cifar10: CIFAR10,
  cifar100: CIFAR100,
  miniplaces: MINI_PLACES,
  'miniplaces-photos': MINI_PLACES_PHOTOS,
  places365: PLACES365,
  snli: SNLI,
  sick: SICK,
  'glove-6b': GLOVE_6B,
  'glove-42b': GLOVE_42B,
  'glove-840b': GLOVE_840B,
  'glove-twitter': GLOVE_TWITTER,
} as const;

export type DataSetName = keyof typeof CATALOGUE;
