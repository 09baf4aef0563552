// Training over the processes of a job. Every rank computes its part of each batch, and what leaves a step is that of all:
// gradients and the sums of losses are added up over ranks, weighted by samples, so that every rank takes the same step and
// logs the same numbers.
import { invalid } from '../errors.js';
import { withoutRecording } from '../autograd/tape.js';
import { GradientBuckets, BUCKET_BYTES } from '../distributed/gradient-buckets.js';
import { beginAllReduce, broadcastAll, collectivesDone } from '../distributed/collectives.js';
import { join, type Group } from '../distributed/group.js';
import { mul } from '../ops/arithmetic.js';
import { concat } from '../ops/join.js';
import { zeros } from '../ops/creation.js';
import type { NamedTensor, Optimizer } from '../optimizers/optimizer.js';
import { castRaw } from '../tensor/convert.js';
import { isFloat } from '../tensor/dtype.js';
import { tidy } from '../tensor/memory.js';
import { divertRandomState } from '../tensor/random-state.js';
import { settled } from '../tensor/recording.js';
import { makeView, type Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import { withDevice } from '../tensor/device.js';
import type { Model } from './model.js';
import type { RunningSums } from './running-sums.js';
import type { Shard } from './shards.js';
import type { Samples } from './training-data.js';
import { captureState, restoreState, type Standing } from './training-state.js';

/** What `fit` takes as `distributed`. */
export interface DistributedOptions {
  /** Bytes of gradients that travel together (default 25 MiB). */
  bucketBytes?: number;
}

/** Batches after which ranks tell each other whether training is to stop. */
const STOP_EVERY = 8;

/** What one step exchanges with other ranks: begun while it runs, finished before the optimizer's turn. */
export class StepExchange {
  private readonly buckets: GradientBuckets;
  private packed: Tensor | null = null;

  constructor(
    private readonly share: number,
    bucketBytes: number,
  ) {
    this.buckets = new GradientBuckets(bucketBytes);
  }

  /** The loss as it counts in that of the batch: its gradients' sum over ranks is the gradient of the batch's. */
  counted(loss: Tensor): Tensor {
    return this.share === 1 ? loss : mul(loss, this.share);
  }

  /** A gradient that is complete. */
  readonly gradient = (variable: Variable, gradient: Tensor): void =>
    withoutRecording(() => this.buckets.take(variable, gradient));

  /** Begins to add up what the batch adds to the sums of losses. */
  add(packed: Tensor): void {
    const own = this.share === 0 ? mul(packed, 0) : packed;
    own.kept = true;
    beginAllReduce(own);
    this.packed = own;
  }

  /** Adds to the sums, and gives the gradients to `apply`: both of all ranks. */
  finish(sums: RunningSums, apply: (gradients: ReadonlyMap<Variable, Tensor>) => void = () => undefined): void {
    const { packed, buckets } = this;
    const { sums: gradients, free } = buckets.finish([packed!]);
    sums.addPacked(packed!);
    packed!.dispose();
    apply(gradients);
    free();
  }
}

/** A word for each rank but the first, to draw other random numbers by. */
const wordOf = (rank: number): number => Math.imul(rank, 0x9e3779b9) >>> 0;

/** One training over the job's processes. */
export class DataParallel {
  private asked: Promise<readonly boolean[]> | null = null;

  private constructor(
    private readonly group: Group,
    private readonly bucketBytes: number,
  ) {}

  /**
   * Joins the job where `fit` is asked to; null: this process trains alone.
   * @throws ArgumentError for another value; what `distributed.init` throws.
   */
  static async joined(op: string, given: unknown): Promise<DataParallel | null> {
    if (given === undefined || given === null || given === false) return null;
    const options = given === true ? {} : given;
    if (typeof options !== 'object') throw invalid('ERR_ARGUMENT', op, 'distributed', 'true or {bucketBytes}', given);
    const { bucketBytes = BUCKET_BYTES } = options as DistributedOptions;
    if (!(Number.isSafeInteger(bucketBytes) && bucketBytes > 0)) {
      throw invalid('ERR_ARGUMENT', op, 'distributed.bucketBytes', 'a number of bytes above 0', bucketBytes);
    }
    const group = await join();
    return group === null ? null : new DataParallel(group, bucketBytes);
  }

  get shard(): Shard {
    return this.group;
  }
  /** Whether this rank is the one that prints and writes files. */
  get isFirst(): boolean {
    return this.group.rank === 0;
  }

  step({ share = 1 }: Samples): StepExchange {
    return new StepExchange(share, this.bucketBytes);
  }

  /**
   * Trains: `body`, once every rank has rank 0's weights, optimizer, order of samples and place in the epoch. A failure ends
   * the job, since the other ranks would wait for this one.
   * @param facts What has to be the same on every rank.
   * @param signal May have ended the training on this rank, which then ends it on all.
   */
  async train<T>(
    op: string,
    model: Model,
    optimizer: Optimizer,
    standing: Standing,
    facts: Readonly<Record<string, unknown>>,
    body: () => Promise<T>,
    signal: AbortSignal | null,
  ): Promise<T> {
    const { backend } = model.weights[0] ?? zeros([]);
    const streams = model.randomStreams;
    const divert = async (): Promise<void> => {
      if (!this.isFirst) await divertRandomState(backend, streams, wordOf(this.group.rank));
    };
    try {
      const weights = model.namedWeights().map(({ name, variable }) => [name, variable.dtype, ...variable.shape]);
      // What a rank prints is its own affair.
      await this.group.agree(op, { ...facts, verbose: null, optimizer: optimizer.className, weights });
      await this.group.reach(op, backend);
      await this.share(op, model, optimizer, standing);
      await divert();
      const result = await body();
      await divert();
      return result;
    } catch (error) {
      // All ranks have stopped together for it.
      if (signal?.aborted === true && error === signal.reason) throw error;
      this.group.abort(error);
    }
  }

  /** Gives every rank the state of rank 0's training. */
  private async share(op: string, model: Model, optimizer: Optimizer, standing: Standing): Promise<void> {
    const state = this.isFirst ? await captureState(model, optimizer, standing) : null;
    const header = await this.group.fromFirst(
      op,
      state && {
        values: state.values,
        tensors: state.tensors.map(({ name, tensor: { shape, dtype } }) => ({ name, shape, dtype })),
      },
    );
    const { device } = model.weights[0] ?? zeros([]);
    const tensors: readonly NamedTensor[] =
      state?.tensors ??
      withDevice(device, () =>
        header!.tensors.map(({ name, shape, dtype }) => ({ name, tensor: zeros([...shape], dtype) })),
      );
    try {
      await broadcastAll(
        tensors.map(({ tensor }) => tensor),
        0,
      );
      if (state !== null) return;
      const { progress, orderSeed } = await restoreState(model, optimizer, { values: header!.values, tensors });
      Object.assign(standing.progress, progress);
      standing.orderSeed = orderSeed;
    } finally {
      for (const { tensor } of tensors) tensor.dispose();
    }
  }

  /** Whether training is to stop after this batch: a while after a rank has asked for it, and on all ranks after the same. */
  async stopsAfter(model: Model, batch: number): Promise<boolean> {
    if ((batch + 1) % STOP_EVERY !== 0) return false;
    // Asked some batches ago, so that nobody waits.
    const answers = await this.asked;
    this.asked = this.group.exchange('fit', model.stopTraining);
    this.asked.catch(() => undefined);
    const stops = answers?.includes(true) ?? false;
    if (stops) model.stopTraining = true;
    return stops;
  }

  /** Agrees on whether training is to stop. */
  async agreeOnStop(model: Model): Promise<void> {
    await this.asked;
    this.asked = null;
    model.stopTraining = (await this.group.exchange('fit', model.stopTraining)).includes(true);
  }

  /** After an epoch's steps: what ranks have by themselves, batch normalisation's averages, becomes the mean of all ranks'. */
  async settleEpoch(model: Model): Promise<void> {
    await this.agreeOnStop(model);
    const trained = new Set(model.trainableLayerWeights.map(({ variable }) => variable));
    const own = model.namedWeights().filter(({ variable }) => !trained.has(variable) && isFloat(variable.dtype));
    if (own.length === 0) return;
    const { backend } = own[0]!.variable;
    const sum = tidy(() => concat(own.map(({ variable }) => castRaw(makeView(variable, [variable.size]), 'float64'))));
    await settled(backend);
    beginAllReduce(sum);
    await collectivesDone(backend);
    tidy(() => {
      const mean = mul(sum, 1 / this.group.size);
      let from = 0;
      for (const { variable } of own) {
        variable.assign(castRaw(makeView(mean, variable.shape, from), variable.dtype));
        from += variable.size;
      }
    });
    sum.dispose();
  }
}
