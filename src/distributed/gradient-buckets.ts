// Gradients on their way through all ranks: copied one behind the other into buckets as backward completes them, so that a
// bucket travels while backward goes on. The optimizer reads the sums where they lie, as views of the buckets.
import { concat } from '../ops/join.js';
import { castRaw } from '../tensor/convert.js';
import type { DType } from '../tensor/dtype.js';
import { sizeOf } from '../tensor/shape.js';
import { makeView, type Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import { beginAllReduce, finishCollectives, ownCopy, summedAs } from './collectives.js';

/** Bytes of a bucket: large enough that latency does not count, and small enough that the last one is not long. */
export const BUCKET_BYTES = 25 * 2 ** 20;

interface Open {
  readonly variables: Variable[];
  readonly gradients: Tensor[];
  bytes: number;
}

interface Travelling {
  readonly variables: readonly Variable[];
  readonly dtype: DType;
  readonly sum: Tensor;
}

/** The gradients of one step. */
export class GradientBuckets {
  private readonly open = new Map<DType, Open>();
  private readonly travelling: Travelling[] = [];

  constructor(private readonly bucketBytes: number) {}

  /** Takes a gradient that is complete. In the same order on every rank, since every rank runs the same step. */
  take(variable: Variable, gradient: Tensor): void {
    const { dtype } = gradient;
    let bucket = this.open.get(dtype);
    if (bucket === undefined) this.open.set(dtype, (bucket = { variables: [], gradients: [], bytes: 0 }));
    bucket.variables.push(variable);
    bucket.gradients.push(gradient);
    bucket.bytes += gradient.size * (dtype === 'float64' ? 8 : 4);
    if (bucket.bytes >= this.bucketBytes) this.send(dtype);
  }

  private send(dtype: DType): void {
    const { variables, gradients } = this.open.get(dtype)!;
    this.open.delete(dtype);
    const flat = gradients.map((gradient) => makeView(gradient, [gradient.size]));
    const wide = summedAs('fit', dtype);
    const joined = concat(flat);
    const sum = flat.length === 1 ? ownCopy(joined, wide) : castRaw(joined, wide);
    // It outlives the scope in which gradients are taken, and is freed when the step has used it.
    sum.kept = true;
    beginAllReduce(sum);
    this.travelling.push({ variables, dtype, sum });
  }

  /**
   * Sends what is left, and lets the device wait for all of it, `others` included.
   * @returns The sums over all ranks; `free` gives their memory back.
   */
  finish(others: readonly Tensor[]): { sums: Map<Variable, Tensor>; free: () => void } {
    for (const dtype of [...this.open.keys()]) this.send(dtype);
    const all = [...this.travelling.map(({ sum }) => sum), ...others];
    if (all.length > 0) finishCollectives(all[0]!.backend, all);
    const sums = new Map<Variable, Tensor>();
    for (const { variables, dtype, sum } of this.travelling) {
      const whole = castRaw(sum, dtype);
      let from = 0;
      for (const variable of variables) {
        sums.set(variable, makeView(whole, variable.shape, from));
        from += sizeOf(variable.shape);
      }
    }
    return { sums, free: () => this.travelling.forEach(({ sum }) => sum.dispose()) };
  }
}
