// Batches of samples that lie on the device. In order a batch is a view; shuffled, the epoch's order is one tensor of numbers,
// and a batch gathers its samples by a piece of it. Nothing is copied to the device within an epoch but that order.
import { gather } from '../ops/gather.js';
import { slice } from '../ops/slice.js';
import { HostRandom } from '../tensor/host-random.js';
import { withoutScope } from '../tensor/scope.js';
import { makeFromBytes, type Tensor } from '../tensor/tensor.js';
import type { Samples } from './training-data.js';

/** Numbers from 0 to count - 1 in a random order that follows from the seed words alone. */
export function permutation(count: number, words: readonly number[]): Int32Array {
  const random = new HostRandom(words);
  const order = Int32Array.from({ length: count }, (_, i) => i);
  for (let last = count - 1; last > 0; last--) {
    const at = random.below(last + 1);
    const moved = order[at]!;
    order[at] = order[last]!;
    order[last] = moved;
  }
  return order;
}

/** A batch that is made when it is asked for, so that its tensors belong to the step that uses them. */
export interface Batch {
  readonly size: number;
  make(): Samples;
}

/** The order of one epoch's samples on their device. */
export class EpochOrder {
  private readonly indices: Tensor;

  constructor(samples: Samples, words: readonly number[]) {
    const order = permutation(samples.size, words);
    const { backend } = samples.xs[0]!;
    this.indices = withoutScope(() => makeFromBytes(backend, new Uint8Array(order.buffer), [samples.size], 'int32'));
  }
  between(start: number, end: number): Tensor {
    return slice(this.indices, start, end - start);
  }
  dispose(): void {
    this.indices.dispose();
  }
}

/** How many batches samples make: the last may be smaller. */
export const batchCount = (samples: number, batchSize: number): number => Math.ceil(samples / batchSize);

/** The samples in batches, one after the other, in the given order or their own. */
export function* batchesOf(samples: Samples, batchSize: number, order: EpochOrder | null): Generator<Batch> {
  for (let start = 0; start < samples.size; start += batchSize) {
    const end = Math.min(start + batchSize, samples.size);
    const size = end - start;
    yield {
      size,
      make() {
        const picks = order?.between(start, end);
        const part = (tensor: Tensor): Tensor =>
          picks === undefined ? slice(tensor, [start], [size, ...tensor.shape.slice(1)]) : gather(tensor, picks);
        return {
          size,
          xs: samples.xs.map(part),
          ys: samples.ys.map(part),
          weights: samples.weights.map((weight) => (weight === null ? null : part(weight))),
        };
      },
    };
  }
}
