// How a model is trained, evaluated and used: what stands behind its methods compile, fit, evaluate, predict and their kin.
import { failure, invalid } from '../errors.js';
import { callbacksFrom } from '../callbacks/callback-list.js';
import type { Callback } from '../callbacks/callback.js';
import type { History } from '../callbacks/history.js';
import { withoutRecording } from '../autograd/tape.js';
import { concat } from '../ops/join.js';
import { slice } from '../ops/slice.js';
import type { LayerObserver } from '../layers/layer.js';
import type { Optimizer } from '../optimizers/optimizer.js';
import { castRaw } from '../tensor/convert.js';
import { tidy } from '../tensor/memory.js';
import { checkSeed, nextHostSeed } from '../tensor/random-state.js';
import type { Tensor } from '../tensor/tensor.js';
import { batchCount, batchesOf, epochBatches, inForm } from './batches.js';
import { checkSamples } from './check-samples.js';
import { getOptimizer } from '../optimizers/get-optimizer.js';
import { compileOutputs, notCompiled, type Compiled, type ModelCompileArgs } from './compile.js';
import { Fed, type Feed } from './feed.js';
import {
  countOf,
  epochRange,
  requireObject,
  signalOf,
  verbosity,
  yieldInterval,
  type BatchArgs,
  type ModelEvaluateArgs,
  type ModelFitArgs,
  type ModelPredictArgs,
} from './fit-args.js';
import { runFit, type FitPlan } from './fit-loop.js';
import { DataParallel } from './data-parallel.js';
import { formed, inputForms, rescaledInputs } from './input-form.js';
import type { Model } from './model.js';
import { RunningSums } from './running-sums.js';
import { testStep, trainedParts, trainStep, type Trained } from './step.js';
import { Steps } from './steps.js';
import { StepProgram } from '../program/step-program.js';
import { captureState, restoreState, type Restored, type Standing, type TrainingState } from './training-state.js';
import { inputSamples, samplesBetween, samplesFrom, type Samples } from './training-data.js';

const DEFAULT_BATCH = 32;

/** One value alone as itself, several as a list: what tfjs's methods give. */
const single = <T>(list: readonly T[]): T | T[] => (list.length === 1 ? list[0]! : [...list]);

/** The training of one model. */
export class Training {
  private args: ModelCompileArgs | null = null;
  private resolved: { readonly graph: unknown; readonly compiled: Compiled } | null = null;
  private ownsOptimizer = false;
  private running = false;
  private restored: Restored | null = null;
  private standing: Standing = {
    progress: { epoch: 0, batch: 0, sums: null },
    orderSeed: null,
    callbacks: [],
  };
  optimizer: Optimizer | null = null;

  constructor(private readonly model: Model) {}

  compile(args: ModelCompileArgs): void {
    if (typeof args !== 'object' || args === null) {
      throw invalid('ERR_ARGUMENT', 'compile', 'args', '{optimizer, loss, metrics}', args);
    }
    if (args.loss === undefined || args.loss === null) {
      throw invalid('ERR_ARGUMENT', 'compile', 'loss', 'a loss', args.loss);
    }
    const optimizer = getOptimizer(args.optimizer);
    const known = this.model.built ? this.resolve(args) : null;
    this.disposeOptimizer();
    if (this.model.computesIn('float16')) optimizer.enableLossScaling();
    this.optimizer = optimizer;
    this.ownsOptimizer = optimizer !== args.optimizer;
    this.args = args;
    this.resolved = known;
  }

  /** Frees the optimizer that compile made. */
  disposeOptimizer(): void {
    if (this.ownsOptimizer) this.optimizer?.dispose();
    this.ownsOptimizer = false;
  }

  /** What compile was given; null before. */
  get compileArgs(): ModelCompileArgs | null {
    return this.args;
  }

  private resolve(args: ModelCompileArgs): { graph: unknown; compiled: Compiled } {
    const { outputs, outputNames, graph } = this.model;
    const infos = outputs.map(({ shape, dtype }, i) => ({ name: outputNames[i]!, shape, dtype }));
    return { graph, compiled: compileOutputs(args, infos) };
  }

  /** Losses and metrics by output; worked out again when the model has changed. */
  compiled(op: string): Compiled {
    if (this.args === null) throw notCompiled(`${this.model.name}.${op}`);
    if (this.resolved === null || this.resolved.graph !== this.model.graph) this.resolved = this.resolve(this.args);
    return this.resolved.compiled;
  }
  optimizerFor(op: string): Optimizer {
    if (this.optimizer === null) throw notCompiled(`${this.model.name}.${op}`);
    // Layers may have been added since compile.
    if (this.model.computesIn('float16')) this.optimizer.enableLossScaling();
    return this.optimizer;
  }

  /** Builds a model that waits for its input's shape, with the data that is at hand. */
  buildFrom(op: string, x: unknown): void {
    if (this.model.built) return;
    const fed = new Fed();
    try {
      const xs = fed.list(op, 'x', x, ['input']);
      tidy(() =>
        this.model.compute(
          xs.map((tensor) => slice(tensor, 0, Math.min(1, tensor.shape[0]!))),
          { training: false },
        ),
      );
    } finally {
      fed.dispose();
    }
  }

  /** Inputs, labels and weights for a call of the model's method. */
  private samples(op: string, x: unknown, y: unknown, options: BatchArgs, fed: Fed): Samples {
    if (this.args === null) throw notCompiled(`${this.model.name}.${op}`);
    this.buildFrom(`${this.model.name}.${op}`, x);
    const { model } = this;
    const name = `${model.name}.${op}`;
    return samplesFrom(name, x, y, this.places(), this.compiled(op), options, fed);
  }
  places(): { name: string; shape: Model['inputs'][number]['shape'] }[] {
    const { inputs, inputNames } = this.model;
    return inputs.map(({ shape }, i) => ({ name: inputNames[i]!, shape }));
  }

  /** Runs a training while no other runs on the model. */
  async exclusively<T>(op: string, body: () => Promise<T>): Promise<T> {
    if (this.running) {
      throw failure(
        'ERR_ARGUMENT',
        `${this.model.name}.${op}`,
        'another fit of this model is under way; await it first',
      );
    }
    this.running = true;
    try {
      return await body();
    } finally {
      this.running = false;
    }
  }

  /** How far training is, for a fit that begins: from the restored state, if it goes on from there. */
  begin(first: number, callbacks: readonly Callback[], seed: readonly number[] | null): Standing {
    const { restored } = this;
    this.restored = null;
    restored?.tell(callbacks);
    const goesOn = restored?.progress.epoch === first;
    const progress = goesOn ? { ...restored.progress } : { epoch: first, batch: 0, sums: null };
    this.standing = { progress, orderSeed: seed ?? restored?.orderSeed ?? nextHostSeed(), callbacks };
    return this.standing;
  }

  async fit(x: Feed, y: Feed, args: ModelFitArgs = {}): Promise<History> {
    const { model } = this;
    const op = `${model.name}.fit`;
    requireObject(op, args);
    signalOf(op, args.signal);
    const parallel = args.distributed === undefined ? null : await DataParallel.joined(op, args.distributed);
    return this.exclusively('fit', async () => {
      const fed = new Fed();
      try {
        const { sampleWeight, classWeight } = args;
        const all = this.samples('fit', x, y, { sampleWeight: sampleWeight!, classWeight: classWeight! }, fed);
        const compiled = this.compiled('fit');
        const { train, validation } = this.divided(op, all, args, fed);
        checkSamples(op, all, compiled.outputs);
        if (validation !== null && args.validationData !== undefined) checkSamples(op, validation, compiled.outputs);
        const plan = this.plan(op, train, validation, args, parallel);
        if (parallel === null) return await runFit(plan);
        const same = { ...plan.params, shuffle: args.shuffle ?? true };
        return await parallel.train(op, model, plan.optimizer, this.standing, same, () => runFit(plan), plan.signal);
      } finally {
        fed.dispose();
      }
    });
  }

  /** The samples that are trained on, and those for validation. */
  private divided(
    op: string,
    all: Samples,
    { validationData, validationSplit }: ModelFitArgs,
    fed: Fed,
  ): { train: Samples; validation: Samples | null } {
    if (validationData !== undefined && validationData !== null) {
      const given: unknown = validationData;
      if (!Array.isArray(given) || given.length < 2 || given.length > 3) {
        throw invalid('ERR_ARGUMENT', op, 'validationData', '[x, y] or [x, y, sampleWeight]', given);
      }
      const [x, y, sampleWeight] = validationData;
      const places = this.places();
      const name = `${op}: validationData`;
      const options = { sampleWeight };
      return { train: all, validation: samplesFrom(name, x, y, places, this.compiled('fit'), options, fed) };
    }
    if (validationSplit === undefined || validationSplit === 0) return { train: all, validation: null };
    if (!(typeof validationSplit === 'number' && validationSplit > 0 && validationSplit < 1)) {
      throw invalid('ERR_ARGUMENT', op, 'validationSplit', 'a number in [0, 1)', validationSplit);
    }
    const end = Math.floor(all.size * (1 - validationSplit));
    if (end === 0 || end === all.size) {
      const got = `${validationSplit} of ${all.size}`;
      throw invalid('ERR_ARGUMENT', op, 'validationSplit', 'at least one sample on either side', got);
    }
    return { train: samplesBetween(all, 0, end, fed), validation: samplesBetween(all, end, all.size, fed) };
  }

  private plan(
    op: string,
    train: Samples,
    validation: Samples | null,
    args: ModelFitArgs,
    parallel: DataParallel | null,
  ): FitPlan {
    const batchSize = countOf(op, 'batchSize', args.batchSize, DEFAULT_BATCH);
    const { first, end } = epochRange(op, args);
    const { shuffle = true, seed, yieldEvery = 'auto' } = args;
    if (typeof shuffle !== 'boolean') throw invalid('ERR_ARGUMENT', op, 'shuffle', 'a boolean', shuffle);
    if (seed !== undefined) checkSeed(op, seed);
    const whole = batchCount(train.size, batchSize);
    const steps = countOf(op, 'stepsPerEpoch', args.stepsPerEpoch, whole);
    if (steps > whole) {
      const fix = 'use fitDataset with repeat() to go through them more than once';
      throw invalid('ERR_ARGUMENT', op, 'stepsPerEpoch', `at most the ${whole} batches there are`, steps, fix);
    }
    const compiled = this.compiled('fit');
    const callbacks = callbacksFrom(op, args.callbacks);
    const interval = yieldInterval(op, yieldEvery);
    const verbose = verbosity(op, args.verbose);
    const standing = this.begin(first, callbacks, seed === undefined ? null : [seed]);
    const shard = parallel?.shard ?? null;
    const wordsOf = (epoch: number): readonly number[] | null => (shuffle ? [...standing.orderSeed!, epoch] : null);
    return {
      model: this.model,
      compiled,
      optimizer: this.optimizerFor('fit'),
      first,
      end,
      params: {
        epochs: end,
        initialEpoch: first,
        samples: train.size,
        steps,
        batchSize,
        verbose,
        doValidation: validation !== null,
        metrics: compiled.logNames,
      },
      callbacks,
      verbose,
      yieldEvery,
      yieldInterval: interval,
      batches: (epoch) => epochBatches(train, batchSize, steps, wordsOf(epoch), shard),
      firstInputs: () => train.xs.map((x) => slice(x, 0, Math.min(batchSize, train.size))),
      validation: validation === null ? null : () => batchesOf(validation, batchSize, null, shard),
      parallel,
      signal: args.signal ?? null,
      progress: standing.progress,
    };
  }

  evaluate(x: Feed, y: Feed, args: ModelEvaluateArgs = {}): Tensor | Tensor[] {
    const op = `${this.model.name}.evaluate`;
    requireObject(op, args);
    signalOf(op, args.signal);
    const fed = new Fed();
    const sums = new RunningSums();
    let steps: Steps | null = null;
    try {
      const samples = this.samples('evaluate', x, y, { sampleWeight: args.sampleWeight! }, fed);
      const batchSize = countOf(op, 'batchSize', args.batchSize, DEFAULT_BATCH);
      const count = countOf(op, 'steps', args.steps, Infinity);
      const compiled = this.compiled('evaluate');
      const trained = trainedParts(this.model, compiled);
      const test = (given: Samples): void => testStep(trained, given, sums);
      steps = new Steps(op, sums, () => trained.forms, test, compiled.runEagerly);
      let taken = 0;
      for (const batch of batchesOf(samples, batchSize, null)) {
        if (taken++ >= count) break;
        steps.start(batch);
      }
      const values = single(sums.scalars());
      steps.check();
      return values;
    } finally {
      steps?.dispose();
      sums.dispose();
      fed.dispose();
    }
  }

  predict(x: Feed, args: ModelPredictArgs = {}): Tensor | Tensor[] {
    const op = `${this.model.name}.predict`;
    requireObject(op, args);
    signalOf(op, args.signal);
    const batchSize = countOf(op, 'batchSize', args.batchSize, DEFAULT_BATCH);
    return this.predicted(op, x, batchSize);
  }
  predictOnBatch(x: Feed): Tensor | Tensor[] {
    return this.predicted(`${this.model.name}.predictOnBatch`, x, Infinity);
  }

  private predicted(op: string, x: unknown, batchSize: number): Tensor | Tensor[] {
    const { model } = this;
    this.buildFrom(op, x);
    const fed = new Fed();
    try {
      const xs = inputSamples(op, x, this.places(), fed);
      const size = xs[0]!.shape[0]!;
      const samples: Samples = { size, xs, ys: [], weights: [] };
      const forms = inputForms(model.graph);
      const compute = (args: Tensor[]): Tensor[] => {
        const inputs = args.map((part, i) => formed(part, forms[i]!));
        return [...model.callAll(inputs, { training: false, rescaled: rescaledInputs(inputs, forms) })];
      };
      const forward = new StepProgram(op, compute, this.args?.runEagerly);
      try {
        return tidy(() => {
          const parts: Tensor[][] = model.outputs.map(() => []);
          for (const batch of batchesOf(samples, Math.min(batchSize, size), null)) {
            const args = batch.args();
            const { results } = forward.take(args[0]!.backend, args);
            results.forEach((output, i) => parts[i]!.push(output));
          }
          const outputs = single(parts.map((list) => (list.length === 1 ? list[0]! : concat(list))));
          forward.check();
          return outputs;
        });
      } finally {
        forward.clear();
      }
    } finally {
      fed.dispose();
    }
  }

  /** Computes all samples at once, telling of what goes in and out of each layer. */
  observed(op: string, x: unknown, observe: LayerObserver): void {
    this.buildFrom(op, x);
    const fed = new Fed();
    try {
      const xs = inputSamples(op, x, this.places(), fed);
      withoutRecording(() =>
        tidy(() => {
          const inputs = xs.map((one, i) => castRaw(one, this.model.inputs[i]!.dtype));
          this.model.callAll(inputs, { training: false, observe });
        }),
      );
    } finally {
      fed.dispose();
    }
  }

  async trainOnBatch(x: Feed, y: Feed, args: BatchArgs = {}): Promise<number | number[]> {
    return this.onBatch('trainOnBatch', x, y, args, (trained, samples, sums) => {
      trainStep(trained, samples, this.optimizerFor('trainOnBatch'), sums);
    });
  }
  async testOnBatch(x: Feed, y: Feed, args: BatchArgs = {}): Promise<number | number[]> {
    return this.onBatch('testOnBatch', x, y, args, testStep);
  }

  private async onBatch(
    op: string,
    x: Feed,
    y: Feed,
    args: BatchArgs,
    step: (trained: Trained, samples: Samples, sums: RunningSums) => void,
  ): Promise<number | number[]> {
    requireObject(`${this.model.name}.${op}`, args);
    const fed = new Fed();
    const sums = new RunningSums();
    try {
      const samples = this.samples(op, x, y, args, fed);
      const trained = trainedParts(this.model, this.compiled(op));
      tidy(() => step(trained, inForm(samples, trained.forms), sums));
      return single(await sums.read());
    } finally {
      sums.dispose();
      fed.dispose();
    }
  }

  async trainingState(): Promise<TrainingState> {
    return captureState(this.model, this.optimizerFor('trainingState'), this.standing);
  }
  async setTrainingState(state: TrainingState): Promise<void> {
    this.restored = await restoreState(this.model, this.optimizerFor('setTrainingState'), state);
    const { progress, orderSeed } = this.restored;
    this.standing = { progress, orderSeed, callbacks: [] };
  }
}
