// A task of 100 classes made from real MNIST pixels: two digits side by side on grey, so that most of an image lies near .5, as
// the lightness of a photograph does. It is small, learnable in minutes, and a SELU network collapses on it.
import { failure } from '../../errors.js';
import { ImageDataset } from '../../data/images/image-dataset.js';
import { HostRandom } from '../../tensor/host-random.js';

/** Height and width of a pair. */
export const PAIR_SIZE = 32;
const DIGIT = PAIR_SIZE / 2;
const DIGITS = 10;
/** Grey of the background, of 255: ink goes from here to white. */
export const BACKGROUND = 128;

/** For each pixel of a row shrunk from `from` to `to` pixels, the pixels whose mean it is: neighbours may share one. */
function pools(from: number, to: number): (readonly [first: number, end: number])[] {
  return Array.from({ length: to }, (_, i) => [Math.floor((i * from) / to), Math.ceil(((i + 1) * from) / to)] as const);
}

/** Adds ink to the background, for the digit that begins at `at` of `images`, in the pair's half that begins at `to`. */
function drawDigit(images: Uint8Array, at: number, size: number, pairs: Uint8Array, to: number): void {
  const parts = pools(size, DIGIT);
  const grey = (255 - BACKGROUND) / 255;
  parts.forEach(([top, bottom], row) => {
    parts.forEach(([left, right], column) => {
      let sum = 0;
      for (let y = top; y < bottom; y++) for (let x = left; x < right; x++) sum += images[at + y * size + x]!;
      const ink = sum / ((bottom - top) * (right - left));
      pairs[to + row * PAIR_SIZE + column] = Math.round(BACKGROUND + grey * ink);
    });
  });
}

/**
 * Pairs of digits: the first half of the digits with the second half, in their order, each shrunk to 16 x 16, beside each
 * other at a height that follows from the seed. The class is 10 times the left digit plus the right one.
 * @param digits Square grey images of ten classes.
 * @returns Half as many images, 32 x 32 x 1.
 */
export function digitPairs(digits: ImageDataset, seed: number): ImageDataset {
  const [size, width, channels] = digits.imageShape;
  if (size !== width || channels !== 1 || digits.numClasses !== DIGITS) {
    const got = `${digits.numClasses} of [${digits.imageShape.join(',')}]`;
    throw failure('ERR_SHAPE', 'digitPairs', `digits: expected ten classes of square grey images, got ${got}`);
  }
  const count = digits.size >> 1;
  const random = new HostRandom([seed]);
  const images = new Uint8Array(count * PAIR_SIZE * PAIR_SIZE).fill(BACKGROUND);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const top = i * PAIR_SIZE * PAIR_SIZE + random.below(PAIR_SIZE - DIGIT + 1) * PAIR_SIZE;
    drawDigit(digits.images, i * size * size, size, images, top);
    drawDigit(digits.images, (count + i) * size * size, size, images, top + DIGIT);
    labels[i] = DIGITS * digits.labels[i]! + digits.labels[count + i]!;
  }
  const classNames = Array.from({ length: DIGITS * DIGITS }, (_, i) => `${Math.floor(i / DIGITS)} and ${i % DIGITS}`);
  return new ImageDataset({ images, labels, imageShape: [PAIR_SIZE, PAIR_SIZE, 1], classNames });
}
