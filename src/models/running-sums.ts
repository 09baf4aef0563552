// Losses and metrics of an epoch: sums that stay on the device, in float64, and are read when somebody wants to know.
import { add, div } from '../ops/arithmetic.js';
import { notEqual } from '../ops/comparison.js';
import { tensor, zerosLike } from '../ops/creation.js';
import { concat, stack } from '../ops/join.js';
import { unstack } from '../ops/slice.js';
import { where } from '../ops/select.js';
import type { Part } from '../metrics/metric.js';
import { castRaw } from '../tensor/convert.js';
import { tidy } from '../tensor/memory.js';
import { makeFromBytes, Tensor } from '../tensor/tensor.js';
import { variable, type Variable } from '../tensor/variable.js';

/** A part whose weight only the device knows (recall's is the number of positive labels) has it behind all sums. */
interface Layout {
  /** For each part the place of its weight on the device, or null. */
  readonly weightAt: readonly (number | null)[];
}

/** Sums in JSON: null for NaN. */
export interface SumsState extends Layout {
  readonly totals: readonly (number | null)[];
  readonly hostWeights: readonly number[];
}

function layoutOf(parts: readonly Part[]): Layout {
  let length = parts.length;
  return { weightAt: parts.map(([, weight]) => (weight instanceof Tensor ? length++ : null)) };
}

const bytesOf = (values: readonly number[]): Uint8Array => new Uint8Array(Float64Array.from(values).buffer);

/** Quotients of sums over batches, one for each log. */
export class RunningSums {
  private layout: Layout | null = null;
  private totals: Variable | null = null;
  /** Weights that the host knows: numbers of samples. */
  private hostWeights: number[] = [];
  private last: Variable | null = null;
  private lastWeights: readonly number[] = [];
  private packedCounts: readonly number[] = [];
  /** Whether no batch was added. */
  isEmpty = true;

  /**
   * @param keepsLast Whether the last batch's own sums can be read as well.
   * @param onDevice Whether weights that the host knows are added up on the device too, behind all else: those of other
   *   processes are theirs alone to know.
   */
  constructor(
    private readonly keepsLast = false,
    private readonly onDevice = false,
  ) {}

  /** Adds a batch's parts, always as many. Reads nothing. */
  add(parts: readonly Part[]): void {
    this.addPacked(this.packed(parts));
  }

  /** A batch's parts as one tensor, for `addPacked`. */
  packed(parts: readonly Part[]): Tensor {
    this.layout ??= layoutOf(parts);
    const values = parts.map(([sum]) => sum);
    for (const [, weight] of parts) if (weight instanceof Tensor) values.push(weight);
    const dtype = values.some((value) => value.dtype === 'float64') ? 'float64' : 'float32';
    const packed = castRaw(stack(values.map((value) => castRaw(value, dtype))), 'float64');
    this.packedCounts = parts.map(([, weight]) => (weight instanceof Tensor ? 0 : weight));
    if (!this.onDevice) return packed;
    const { packedCounts: counts } = this;
    return concat([packed, makeFromBytes(packed.backend, bytesOf(counts), [counts.length], 'float64')]);
  }

  /** Adds what `packed` gave last, or the sum of that and what other processes have. */
  addPacked(packed: Tensor): void {
    this.totals ??= variable(zerosLike(packed), false, 'sums');
    this.totals.assign(add(this.totals, packed));
    this.count(this.packedCounts);
    if (!this.keepsLast) return;
    this.last ??= variable(packed, false, 'last sums');
    this.last.assign(packed);
  }

  /** The weights of the batch that was added last, as far as the host knows them. */
  get lastCounts(): readonly number[] {
    return this.lastWeights;
  }
  /** Counts a batch whose parts a recorded step adds on the device. */
  count(weights: readonly number[]): void {
    this.lastWeights = weights;
    this.hostWeights = weights.map((weight, i) => weight + (this.hostWeights[i] ?? 0));
    this.isEmpty = false;
  }

  /** Starts anew, in the same memory: recorded steps go on adding there. */
  reset(): void {
    const { totals } = this;
    if (totals !== null) tidy(() => totals.assign(zerosLike(totals)));
    this.hostWeights = [];
    this.isEmpty = true;
  }

  /** The quotients so far. Waits for the device, not in the event loop. */
  async read(): Promise<number[]> {
    const { totals, hostWeights, isEmpty } = this;
    if (totals === null || isEmpty) return [];
    const sums = await totals.data();
    return this.quotients(sums, this.onDevice ? this.behind(sums) : hostWeights);
  }
  /** The last batch's own quotients. */
  async readLast(): Promise<number[]> {
    const { last, lastWeights } = this;
    if (last === null) return [];
    const sums = await last.data();
    return this.quotients(sums, this.onDevice ? this.behind(sums) : lastWeights);
  }

  /** Weights that the host knows, where they are added up on the device. */
  private behind(sums: ArrayLike<number>): number[] {
    return Array.from(sums).slice(-this.layout!.weightAt.length);
  }

  private quotients(sums: ArrayLike<number>, hostWeights: readonly number[]): number[] {
    return hostWeights.map((weight, i) => {
      const at = this.layout!.weightAt[i]!;
      const whole = at === null ? weight : sums[at]!;
      // As Keras: a share of nothing is 0.
      return whole === 0 ? 0 : sums[i]! / whole;
    });
  }

  /** The quotients as float32 scalars on the device: nothing is read. */
  scalars(): Tensor[] {
    const { totals, layout, isEmpty } = this;
    if (totals === null || layout === null || isEmpty) return [];
    return tidy(() => {
      const sums = unstack(totals);
      const weights = layout.weightAt.map((at, i) => (at === null ? this.hostWeights[i]! : sums[at]!));
      return weights.map((weight, i) => {
        const quotient =
          typeof weight === 'number'
            ? div(sums[i]!, weight === 0 ? 1 : weight)
            : div(sums[i]!, where(notEqual(weight, 0), weight, 1));
        return castRaw(quotient, 'float32');
      });
    });
  }

  /** The sums as they are: JSON, but for sums that are not finite. */
  async state(): Promise<SumsState | null> {
    const { totals, layout, hostWeights, isEmpty } = this;
    if (totals === null || layout === null || isEmpty) return null;
    const sums = [...(await totals.data())];
    const { weightAt } = layout;
    if (!this.onDevice) return { totals: sums, hostWeights, weightAt };
    return { totals: sums.slice(0, -weightAt.length), hostWeights: this.behind(sums), weightAt };
  }
  /** Goes on from what `state()` gave; before the first batch. */
  restore({ totals, hostWeights, weightAt }: SumsState): void {
    this.layout = { weightAt };
    const values = Float64Array.from([...totals, ...(this.onDevice ? hostWeights : [])], (total) => total ?? NaN);
    tidy(() => {
      const restored = tensor(values, [values.length], 'float64');
      if (this.totals === null) this.totals = variable(restored, false, 'sums');
      else this.totals.assign(restored);
    });
    this.hostWeights = [...hostWeights];
    this.isEmpty = false;
  }

  /** Frees the sums; the next batch starts anew. */
  dispose(): void {
    this.totals?.dispose();
    this.last?.dispose();
    this.totals = null;
    this.last = null;
    this.layout = null;
    this.hostWeights = [];
    this.isEmpty = true;
  }
}
