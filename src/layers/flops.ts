// Counting operations: a sum, product, comparison or function such as exp() of an element is one. Each layer says its own number for
// the shapes of a call; here is what several of them count with.

/** The largest, the difference from it, exp(), the sum and the quotient (or the logarithm's difference). */
const SOFTMAX_FLOPS = 5;

/** Of an activation by name over so many elements: those along an axis take more passes. */
export function activationFlops(name: string, elements: number): number {
  if (name === 'linear') return 0;
  return name === 'softmax' || name === 'logSoftmax' ? SOFTMAX_FLOPS * elements : elements;
}

/** Products with weights and their sums for each of so many elements, then bias and activation. */
export function weightedFlops(
  elements: number,
  taps: number,
  { useBias, activation }: { readonly useBias: boolean; readonly activation: { readonly name: string } },
): number {
  return 2 * taps * elements + (useBias ? elements : 0) + activationFlops(activation.name, elements);
}
