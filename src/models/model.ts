// What sequential and functional models share: they are layers made of a graph of layers.
import { invalid } from '../errors.js';
import { checkInputs, specOf } from '../layers/input-spec.js';
import { Layer, type CallContext, type DisposeResult, type LayerObserver } from '../layers/layer.js';
import type { SymbolicShape, SymbolicTensor } from '../layers/symbolic.js';
import type { DType } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import type { SaveHandler } from './artifacts.js';
import { flopsOfCalls } from './costs.js';
import type { Graph } from './graph.js';
import type { History } from '../callbacks/history.js';
import type { Optimizer } from '../optimizers/optimizer.js';
import type { ModelCompileArgs } from './compile.js';
import type { DatasetLike } from './dataset-stream.js';
import type { Feed } from './feed.js';
import type { BatchArgs, ModelEvaluateArgs, ModelFitArgs, ModelPredictArgs } from './fit-args.js';
import { evaluateDataset, fitDataset, type ModelEvaluateDatasetArgs, type ModelFitDatasetArgs } from './fit-dataset.js';
import { Training } from './training.js';
import { loadTrainingState } from './training-files.js';
import type { TrainingState } from './training-state.js';
import { loadModelWeights } from './loading-weights.js';
import { assignByName } from './named-weights.js';
import { toPythonic } from './pythonic.js';
import { saveModel, saveModelWeights, type SaveConfig, type SaveResult } from './saving.js';
import { printSummary } from './summary.js';
import { version } from '../version.js';

/** A weight under a name that no other weight of the model has: what files call it. */
export interface NamedWeight {
  readonly name: string;
  readonly variable: Variable;
}

/**
 * A model: layers between placeholders. Made by `sequential()` and `model()`. It is a layer itself, so models nest; a
 * nested model of several outputs gives an array where it is applied.
 */
export abstract class Model extends Layer {
  /** @internal The layers and calls between inputs and outputs. */
  abstract get graph(): Graph;

  /** The placeholders the model takes. */
  get inputs(): readonly SymbolicTensor[] {
    return this.graph.inputs;
  }
  /** The placeholders the model makes. */
  get outputs(): readonly SymbolicTensor[] {
    return this.graph.outputs;
  }
  /** Names of the inputs' layers. */
  get inputNames(): string[] {
    return this.inputs.map((x) => x.sourceLayer.name);
  }
  /** Names of the layers that make the outputs. */
  get outputNames(): string[] {
    return this.outputs.map((x) => x.sourceLayer.name);
  }
  /** The layers, first to last. */
  get layers(): readonly Layer[] {
    return this.graph.layers;
  }
  protected override get sublayers(): readonly Layer[] {
    return this.layers;
  }

  /**
   * A layer by name, or by its place in `layers`.
   * @throws ArgumentError when there is none.
   */
  getLayer(nameOrIndex: string | number): Layer {
    const { layers } = this;
    const found =
      typeof nameOrIndex === 'number' ? layers[nameOrIndex] : layers.find(({ name }) => name === nameOrIndex);
    if (found !== undefined) return found;
    const expected =
      typeof nameOrIndex === 'number'
        ? `an index below ${layers.length}`
        : `one of the layers ${layers.map(({ name }) => name).join(', ')}`;
    throw invalid('ERR_ARGUMENT', `${this.name}.getLayer`, 'nameOrIndex', expected, nameOrIndex);
  }

  /** The output for tensors; of a model with several, use `callAll`. */
  override call(inputs: readonly Tensor[], context: CallContext): Tensor {
    const outputs = this.callAll(inputs, context);
    if (outputs.length === 1) return outputs[0]!;
    throw invalid('ERR_ARGUMENT', `${this.name}.call`, 'model', 'a model of one output', `${outputs.length} outputs`);
  }
  /**
   * All outputs for tensors, one input each of `inputs`.
   * @throws ShapeError naming the input and both shapes.
   */
  override callAll(inputs: readonly Tensor[], context: CallContext): readonly Tensor[] {
    this.checkFed(inputs);
    return this.graph.run(inputs, context);
  }

  override computeOutputShape(inputShapes: readonly SymbolicShape[]): SymbolicShape {
    return this.computeOutputShapes(inputShapes)[0]!;
  }
  override computeOutputShapes(inputShapes: readonly SymbolicShape[]): readonly SymbolicShape[] {
    this.checkFed(inputShapes.map((shape) => ({ shape })));
    return this.graph.outputShapes(inputShapes);
  }
  override computeOutputDTypes(): readonly DType[] {
    return this.outputs.map((x) => x.dtype);
  }

  private checkFed(inputs: readonly { readonly shape: SymbolicShape }[]): void {
    const specs = this.inputs.map((x) => specOf(x.shape, `input ${x.name}`));
    checkInputs(this.name, specs, inputs);
  }

  /** @internal The model as the first of its own calls: files count from there, and so do tfjs's. */
  protected markOwnCall(): void {
    this.inboundNodes[0] = { layer: this, inputs: this.inputs, outputs: this.outputs };
  }

  /**
   * The weights in the order of `weights`, by the names that files give them: `<layer>/<weight>`, and where nested models
   * have layers of one name, `_1`, `_2` behind the later ones.
   */
  namedWeights(): NamedWeight[] {
    const taken = new Set<string>();
    return this.weights.map((variable) => {
      let { name } = variable;
      for (let i = 1; taken.has(name); i++) name = `${variable.name}_${i}`;
      taken.add(name);
      return { name, variable };
    });
  }

  /** Operations of a forward pass of one sample, in all layers: inner layers count with the shapes they were drawn with. */
  override flops(): number | null {
    return flopsOfCalls(this.graph.nodes);
  }

  /**
   * Prints a table of the layers: shapes, numbers of parameters, FLOPs of a forward pass (a sum, product, comparison or function of
   * an element is one), bytes of the weights, and bytes of the outputs, which training keeps: these and the FLOPs for one sample.
   * What is not known (a lambda, an axis of any size) is `?`.
   * @param lineLength Width in characters (default 135; 160 where the layers are no chain).
   * @param positions Where the columns end: shares of the width, or characters. As many columns as there are positions: with tfjs's four
   *   (five where the layers are no chain) the table is tfjs's, and 90 (115) characters wide by default.
   * @param printFn Gets each line (default `console.log`).
   */
  summary(lineLength?: number, positions?: readonly number[], printFn?: (line: string) => void): void {
    printSummary(this, lineLength, positions, printFn);
  }

  /**
   * The model's structure as tfjs and Keras 2 write it, without weights: what `models.modelFromJSON` reads.
   * @param _unused Kept for tfjs's argument order.
   * @param returnString False gives the object in place of its JSON (default true).
   */
  toJSON(_unused?: unknown, returnString?: true): string;
  toJSON(_unused: unknown, returnString: boolean): string | Record<string, unknown>;
  toJSON(_unused?: unknown, returnString = true): string | Record<string, unknown> {
    const topology = toPythonic({
      className: this.getClassName(),
      config: this.getConfig(),
      kerasVersion: `selfnorm ${version}`,
      backend: 'selfnorm',
    }) as Record<string, unknown>;
    return returnString ? JSON.stringify(topology) : topology;
  }

  private readonly training = new Training(this);
  /** Set it to true, in a callback or a signal handler, and training ends after the batch. */
  stopTraining = false;

  /** The optimizer that `compile` was given, or made. */
  get optimizer(): Optimizer {
    return this.training.optimizerFor('optimizer');
  }
  /** Names of the logs: 'loss', then metrics. */
  get metricsNames(): string[] {
    return [...this.training.compiled('metricsNames').logNames];
  }
  /** What `compile` was given; null before. */
  get compileArgs(): ModelCompileArgs | null {
    return this.training.compileArgs;
  }

  /**
   * Makes the model ready to train.
   * @param args The optimizer, the loss of each output, metrics and loss weights.
   * @throws ArgumentError naming what is unknown.
   */
  compile(args: ModelCompileArgs): void {
    this.training.compile(args);
  }

  /**
   * Trains for a number of epochs.
   * @param x Inputs `[samples, ...]`: a tensor or arrays, a list of tensors, or an object by the inputs' names. uint8 pixels
   *   stay as they are and are cast batch by batch.
   * @param y Labels `[samples, ...]`, by output in the same ways.
   * @returns Losses and metrics by epoch, under tfjs's names: loss, acc, val_loss, val_acc.
   * @throws ShapeError naming the input and both shapes; ArgumentError for empty or non-finite data, class numbers out of
   *   range, or a model that is not compiled.
   */
  fit(x: Feed, y: Feed, args?: ModelFitArgs): Promise<History> {
    return this.training.fit(x, y, args);
  }

  /**
   * As `fit`, with batches `{xs, ys}` or `[xs, ys]` from a data set. Each pass's tensors are freed after their step.
   * @param dataset What can be iterated over, for each epoch anew.
   */
  fitDataset(dataset: DatasetLike, args: ModelFitDatasetArgs): Promise<History> {
    return fitDataset(this, this.training, dataset, args);
  }

  /**
   * The loss and the metrics, in the order of `metricsNames`, as scalars; the loss alone where there are no metrics.
   * @param x As for `fit`.
   * @param y As for `fit`.
   */
  evaluate(x: Feed, y: Feed, args?: ModelEvaluateArgs): Tensor | Tensor[] {
    return this.training.evaluate(x, y, args);
  }

  /** As `evaluate`, with batches from a data set. */
  evaluateDataset(dataset: DatasetLike, args?: ModelEvaluateDatasetArgs): Promise<Tensor | Tensor[]> {
    return evaluateDataset(this, this.training, dataset, args);
  }

  /**
   * The outputs for inputs, batch by batch: a tensor, or one for each output.
   * @param x As for `fit`.
   */
  predict(x: Feed, args?: ModelPredictArgs): Tensor | Tensor[] {
    return this.training.predict(x, args);
  }
  /** As `predict`, all samples at once. */
  predictOnBatch(x: Feed): Tensor | Tensor[] {
    return this.training.predictOnBatch(x);
  }

  /** @internal Computes the outputs of all samples at once and tells `observe` of each layer's call. */
  observe(op: string, x: Feed, observe: LayerObserver): void {
    this.training.observed(op, x, observe);
  }

  /**
   * Takes one step with one batch.
   * @returns The loss before the step, or loss and metrics in the order of `metricsNames`.
   */
  trainOnBatch(x: Feed, y: Feed, args?: BatchArgs): Promise<number | number[]> {
    return this.training.trainOnBatch(x, y, args);
  }
  /** The loss, or loss and metrics, of one batch. */
  testOnBatch(x: Feed, y: Feed, args?: BatchArgs): Promise<number | number[]> {
    return this.training.testOnBatch(x, y, args);
  }

  /**
   * All that decides how training goes on: weights, the optimizer's, random numbers, the order of samples, how far the epoch
   * is, what callbacks remember. Best taken in a callback: when `fit` has returned, callbacks may have changed the weights.
   * @returns JSON in `values`; `tensors`, which are the caller's to free.
   */
  trainingState(): Promise<TrainingState> {
    return this.training.trainingState();
  }
  /**
   * Puts everything back. The next `fit`, with `initialEpoch: state.values.epoch` and the data, options and callbacks of
   * before, gives the bits that an uninterrupted one gives.
   * @throws ArgumentError or ShapeError when the state is of another model.
   */
  setTrainingState(state: TrainingState): Promise<void> {
    return this.training.setTrainingState(state);
  }

  override dispose(): DisposeResult {
    const result = super.dispose();
    if (result.refCountAfterDispose === 0) this.training.disposeOptimizer();
    return result;
  }

  /**
   * Saves structure and weights as `path.json` and `path.safetensors`, all or nothing: whatever stops the save, `loadLayersModel`
   * finds the old model or the new. Folders are made. With `format: 'tfjs'` in `config`: what `tf.loadLayersModel` takes, by default
   * `path/model.json` and its weights. `exportOnnx` writes ONNX.
   * @param target A path (`file://` in front, `.json` behind do no harm), or an object whose `save()` takes tfjs's artifacts.
   * @throws FileFormatError that names the file and the reason; ArgumentError when the model is not built.
   */
  save(target: string | SaveHandler, config?: SaveConfig): Promise<SaveResult> {
    return saveModel(this, target, config);
  }
  /** Saves the weights alone, as `path.safetensors`, or as NumPy's archive where the path ends in .npz; else as `save` does. */
  saveWeights(path: string): Promise<void> {
    return saveModelWeights(this, path);
  }
  /**
   * Overwrites the weights with those of the same names; other dtypes are cast. Nothing changes when one does not fit.
   * @param source A file of `save` or `saveWeights` (.safetensors, .npz); a .keras or .weights.h5 file of Keras 3 with layers of the
   *   same classes in the same order (by h5wasm); or tensors by name.
   * @param strict Whether each weight must be there, and no other (default true). Shapes must fit either way.
   * @throws FileFormatError that lists what is missing, what the model does not have, and what has another shape.
   */
  loadWeights(source: string, strict?: boolean): Promise<void>;
  loadWeights(source: Readonly<Record<string, Tensor>>, strict?: boolean): void;
  loadWeights(source: string | Readonly<Record<string, Tensor>>, strict?: boolean): Promise<void> | void {
    if (typeof source === 'string') return loadModelWeights(this, source, strict);
    assignByName(`${this.name}.loadWeights`, 'weights', this, new Map(Object.entries(source)), strict);
  }
  /**
   * Takes up a training that `save` wrote with `includeOptimizer: true`, as `setTrainingState` does: build and compile the model
   * as then, load, and call `fit` with the data, options and callbacks of then and `initialEpoch` as it comes back.
   * @returns The epoch to go on with.
   * @throws FileFormatError when the file has no training, or one of another model; ArgumentError when the model is not compiled.
   */
  loadTrainingState(path: string): Promise<number> {
    return loadTrainingState(this, path);
  }
}
