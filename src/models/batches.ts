// Batches of samples that lie on the device. In order a batch is views; shuffled, the epoch's order is one tensor of numbers,
// and a batch gathers its samples by a piece of it. Nothing is copied to the device within an epoch but that order. What
// differs from batch to batch are a few tensors, so that the rest of a step can be recorded.
import { withoutRecording } from '../autograd/tape.js';
import { gather } from '../ops/gather.js';
import { slice } from '../ops/slice.js';
import { permutation } from '../tensor/host-random.js';
import { withoutScope } from '../tensor/scope.js';
import { makeFromBytes, makeView, type Tensor } from '../tensor/tensor.js';
import { formed, picked, type InputForm } from './input-form.js';
import { partOf, type Shard } from './shards.js';
import type { Samples } from './training-data.js';

/** A batch, whose samples are made as part of the step that uses them. */
export interface Batch {
  /** Samples of the whole batch, of which this process may have a part. */
  readonly size: number;
  /** Batches of one key make their samples in the same way. */
  readonly key: string;
  /** The tensors that come with this batch. Who asks frees them. */
  args(): Tensor[];
  /** The samples, from such tensors, with the inputs in the model's forms. */
  samples(args: readonly Tensor[], forms: readonly InputForm[]): Samples;
}

const rows = (tensor: Tensor, from: number, to: number): Tensor =>
  slice(tensor, [from], [to - from, ...tensor.shape.slice(1)]);

/** Samples that are a batch as they are, or a rank's part of it. */
export function batchOf({ size, xs, ys, weights }: Samples, shard: Shard | null): Batch {
  const present = weights.filter((weight) => weight !== null);
  const all = [...xs, ...ys, ...present];
  const { from, to, share } = partOf(0, size, shard);
  const samples = samplesOf(to - from, share, xs.length, ys.length, weights);
  return {
    size,
    key: `${weights.map((weight) => (weight === null ? 0 : 1)).join('')} ${share}`,
    args: () => all.map((tensor) => (shard === null ? makeView(tensor, tensor.shape) : rows(tensor, from, to))),
    samples: (args, forms) => inForm(samples(args), forms),
  };
}

/** Samples with their inputs in the model's forms. */
export function inForm(samples: Samples, forms: readonly InputForm[]): Samples {
  return { ...samples, xs: samples.xs.map((x, i) => formed(x, forms[i]!)) };
}

/** Samples from their tensors in order; weights that were null stay so. */
function samplesOf(
  size: number,
  share: number,
  xs: number,
  ys: number,
  weights: readonly (Tensor | null)[],
): (args: readonly Tensor[]) => Samples {
  return (args) => {
    let next = xs + ys;
    return {
      size,
      share,
      xs: args.slice(0, xs),
      ys: args.slice(xs, xs + ys),
      weights: weights.map((weight) => (weight === null ? null : args[next++]!)),
    };
  };
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

/** The samples in batches, one after the other, in the given order or their own; of each a rank's part where there are ranks. */
export function* batchesOf(
  samples: Samples,
  batchSize: number,
  order: EpochOrder | null,
  shard: Shard | null = null,
): Generator<Batch> {
  const { xs, ys, weights } = samples;
  const present = weights.filter((weight) => weight !== null);
  for (let start = 0; start < samples.size; start += batchSize) {
    const end = Math.min(start + batchSize, samples.size);
    const size = end - start;
    const { from, to, share } = partOf(start, end, shard);
    const part = (tensor: Tensor): Tensor => rows(tensor, from, to);
    const inOrderOf = samplesOf(to - from, share, xs.length, ys.length, weights);
    const inOrder: Batch = {
      size,
      key: `in order ${share}`,
      args: () => [...xs, ...ys, ...present].map(part),
      samples: (args, forms) => inForm(inOrderOf(args), forms),
    };
    const shuffled: Batch = {
      size,
      key: `shuffled ${share}`,
      args: () => [order!.between(from, to)],
      samples([picks], forms) {
        const taken = (tensor: Tensor): Tensor => gather(tensor, picks!);
        return {
          size: to - from,
          share,
          xs: xs.map((x, i) => picked(x, picks!, forms[i]!)),
          ys: ys.map(taken),
          weights: weights.map((weight) => (weight === null ? null : taken(weight))),
        };
      },
    };
    yield order === null ? inOrder : shuffled;
  }
}

/** One epoch's batches; the order is freed with the last. */
export function* epochBatches(
  samples: Samples,
  batchSize: number,
  steps: number,
  words: readonly number[] | null,
  shard: Shard | null,
): Generator<Batch> {
  const order = words === null ? null : withoutRecording(() => new EpochOrder(samples, words));
  try {
    let step = 0;
    for (const batch of batchesOf(samples, batchSize, order, shard)) {
      if (step++ >= steps) return;
      yield batch;
    }
  } finally {
    order?.dispose();
  }
}
