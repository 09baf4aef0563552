// Training and evaluation with batches that a data set gives.
import { invalid } from '../errors.js';
import { callbacksFrom } from '../callbacks/callback-list.js';
import type { History } from '../callbacks/history.js';
import type { Tensor } from '../tensor/tensor.js';
import { scalar } from '../ops/creation.js';
import { batchesOf, type Batch } from './batches.js';
import { checkSamples } from './check-samples.js';
import {
  iteratorOf,
  requireDataset,
  streamOf,
  useElement,
  type DatasetLike,
  type DatasetPass,
} from './dataset-stream.js';
import { Fed, type Feed } from './feed.js';
import { DataParallel } from './data-parallel.js';
import {
  countOf,
  epochRange,
  requireObject,
  signalOf,
  verbosity,
  yieldInterval,
  type EpochArgs,
  type StopSignal,
} from './fit-args.js';
import { Evaluation, runFit, type BatchStream, type FitPlan } from './fit-loop.js';
import type { Shard } from './shards.js';
import type { Model } from './model.js';
import type { Training } from './training.js';
import { samplesFrom } from './training-data.js';
import { closed, untilAborted } from './until-aborted.js';

/** Options of `fitDataset`. */
export interface ModelFitDatasetArgs extends EpochArgs {
  /** Batches an epoch; the next epoch goes on where it ended. Default: a whole pass, anew for each epoch. */
  batchesPerEpoch?: number;
  /** A data set of batches, or [x, y] or [x, y, sampleWeight]. */
  validationData?: DatasetLike | readonly [Feed, Feed] | readonly [Feed, Feed, Feed];
  /** Samples at a time where validationData are tensors (default 32). */
  validationBatchSize?: number;
  /** Batches of a validation data set (default: all). */
  validationBatches?: number;
}

/** Options of `evaluateDataset`. */
export interface ModelEvaluateDatasetArgs {
  /** Batches after which evaluation ends (default: all). */
  batches?: number;
  /** Ends evaluation after the step under way; the promise is rejected with the signal's reason then. */
  signal?: StopSignal | null;
  /** Taken for tfjs's sake; nothing is printed. */
  verbose?: number;
}

/** Builds a model that waits for its input's shape, with the data set's first element. */
async function buildFromFirst(
  model: Model,
  training: Training,
  op: string,
  dataset: DatasetLike,
  signal: AbortSignal | null,
): Promise<void> {
  if (model.built) return;
  for await (const first of untilAborted(dataset, signal)) {
    useElement(op, first, ({ xs }) => training.buildFrom(op, xs));
    break;
  }
  signal?.throwIfAborted();
}

/** The validation data's batches, checked. */
function validationOf(
  training: Training,
  op: string,
  args: ModelFitDatasetArgs,
  shard: Shard | null,
  fed: Fed,
): (() => BatchStream) | null {
  const { validationData, validationBatches } = args;
  if (validationData === undefined || validationData === null) return null;
  const compiled = training.compiled('fitDataset');
  const inputs = training.places();
  const list: unknown = validationData;
  if (Array.isArray(list)) {
    if (list.length < 2 || list.length > 3) {
      throw invalid('ERR_ARGUMENT', op, 'validationData', 'a data set, [x, y] or [x, y, sampleWeight]', list);
    }
    const [x, y, sampleWeight] = list as unknown as readonly [Feed, Feed, Feed?];
    const samples = samplesFrom(`${op}: validationData`, x, y, inputs, compiled, { sampleWeight }, fed);
    checkSamples(op, samples, compiled.outputs);
    const size = countOf(op, 'validationBatchSize', args.validationBatchSize, 32);
    return () => batchesOf(samples, size, null, shard);
  }
  requireDataset(op, 'validationData', validationData);
  const limit = validationBatches === undefined ? null : countOf(op, 'validationBatches', validationBatches, 1);
  const pass = { op, inputs, compiled, classWeight: undefined, limit, shard };
  return () => wholePass(validationData, pass);
}

async function* wholePass(dataset: DatasetLike, pass: DatasetPass): AsyncGenerator<Batch> {
  const iterator = iteratorOf(dataset);
  try {
    yield* streamOf(iterator, pass);
  } finally {
    await iterator.return?.();
  }
}

/** Trains on a data set's batches. */
export async function fitDataset(
  model: Model,
  training: Training,
  dataset: DatasetLike,
  args: ModelFitDatasetArgs,
): Promise<History> {
  const op = `${model.name}.fitDataset`;
  requireDataset(op, 'dataset', dataset);
  requireObject(op, args);
  const options = args ?? {};
  const signal = signalOf(op, options.signal);
  const optimizer = training.optimizerFor('fitDataset');
  return training.exclusively('fitDataset', async () => {
    await buildFromFirst(model, training, op, dataset, signal);
    const fed = new Fed();
    let shared: ReturnType<typeof iteratorOf> | null = null;
    try {
      const parallel = await DataParallel.joined(op, options.distributed);
      const shard = parallel?.shard ?? null;
      const compiled = training.compiled('fitDataset');
      const { first, end } = epochRange(op, options);
      const steps =
        options.batchesPerEpoch === undefined ? null : countOf(op, 'batchesPerEpoch', options.batchesPerEpoch, 1);
      const validation = validationOf(training, op, options, shard, fed);
      const pass: DatasetPass = {
        op,
        inputs: training.places(),
        compiled,
        classWeight: options.classWeight,
        limit: steps,
        shard,
      };
      const { yieldEvery = 'auto' } = options;
      const interval = yieldInterval(op, yieldEvery);
      const verbose = verbosity(op, options.verbose);
      const callbacks = callbacksFrom(op, options.callbacks);
      const standing = training.begin(first, callbacks, null);
      const metrics = compiled.logNames;
      const params = { epochs: end, initialEpoch: first, steps, verbose, doValidation: validation !== null, metrics };
      const plan: FitPlan = {
        model,
        compiled,
        optimizer,
        first,
        end,
        params,
        callbacks,
        verbose,
        yieldEvery,
        yieldInterval: interval,
        batches: () => (steps === null ? wholePass(dataset, pass) : streamOf((shared ??= iteratorOf(dataset)), pass)),
        firstInputs: null,
        validation,
        signal,
        parallel,
        progress: standing.progress,
      };
      if (parallel === null) return await runFit(plan);
      return await parallel.train(op, model, optimizer, standing, params, () => runFit(plan), signal);
    } finally {
      await closed(shared as AsyncIterator<unknown> | null, signal);
      fed.dispose();
    }
  });
}

/** Losses and metrics over a data set's batches, as scalars. */
export async function evaluateDataset(
  model: Model,
  training: Training,
  dataset: DatasetLike,
  args: ModelEvaluateDatasetArgs = {},
): Promise<Tensor | Tensor[]> {
  const op = `${model.name}.evaluateDataset`;
  requireDataset(op, 'dataset', dataset);
  requireObject(op, args);
  training.optimizerFor('evaluateDataset');
  const signal = signalOf(op, args.signal);
  await buildFromFirst(model, training, op, dataset, signal);
  const compiled = training.compiled('evaluateDataset');
  const limit = args.batches === undefined ? null : countOf(op, 'batches', args.batches, 1);
  const pass = { op, inputs: training.places(), compiled, classWeight: undefined, limit, shard: null };
  const evaluation = new Evaluation(model, compiled);
  try {
    const values = await evaluation.over(wholePass(dataset, pass), 'auto', signal);
    signal?.throwIfAborted();
    const scalars = values.map((value) => scalar(value));
    return scalars.length === 1 ? scalars[0]! : scalars;
  } finally {
    evaluation.dispose();
  }
}
