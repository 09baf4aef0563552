// What every layer is: named weights, shapes worked out before values exist, and maths written in eager ops. `apply` is the
// one way in: on placeholders it draws the graph, on tensors it computes; either builds the layer when it is the first.
import { getConstraint } from '../constraints/by-name.js';
import { failure, invalid, SelfnormError } from '../errors.js';
import { getInitializer } from '../initializers/by-name.js';
import { cast } from '../ops/cast.js';
import { clone } from '../ops/reshape.js';
import { getRegularizer } from '../regularizers/regularizer.js';
import { convert } from '../tensor/convert.js';
import { isFloat, type DType } from '../tensor/dtype.js';
import { tidy } from '../tensor/memory.js';
import type { RandomStream } from '../tensor/random-state.js';
import { sameShape, type Shape } from '../tensor/shape.js';
import { Tensor } from '../tensor/tensor.js';
import { variable, type Variable } from '../tensor/variable.js';
import type { CallContext } from './call-context.js';
import { policyOf, type DTypePolicy } from './dtype-policy.js';
import { checkInputs, type InputSpec } from './input-spec.js';
import { declaredShape, type LayerConfig } from './layer-config.js';
import { layerName } from './naming.js';
import { formatShape, formatShapes, SymbolicTensor } from './symbolic.js';
import type { GraphNode, SymbolicShape } from './symbolic.js';
import type { UnitRanges } from './unit-ranges.js';
import { assignWeights, type LayerWeight, type WeightOptions } from './weight.js';
import { spend } from './weight-budget.js';

export type { CallContext, LayerObserver } from './call-context.js';
export type { LayerConfig } from './layer-config.js';

/** What dispose() did. */
export interface DisposeResult {
  /** How many models still hold the layer; at 0 its weights are freed. */
  readonly refCountAfterDispose: number;
  readonly numDisposedVariables: number;
}

/** Errors that name their layer already: a model around it adds nothing. */
const located = new WeakSet<SelfnormError>();

/**
 * A layer. A class of your own has a static `className`, makes weights in `build` by `addWeight`, tells its output's shape
 * in `computeOutputShape`, and computes in `call`; `registerLayer` makes it loadable.
 */
export abstract class Layer {
  /** The name files give the class. */
  static readonly className: string = 'Layer';

  readonly name: string;
  /** Dtype of the weights. */
  readonly dtype: DType;
  /** Dtype that float inputs and weights are cast to: another one than `dtype` under mixed precision. */
  readonly computeDType: DType;
  /** Shape of the input with the batch axis, where the options gave one. */
  readonly batchInputShape: SymbolicShape | undefined;
  /** Whether the weights exist. */
  built = false;
  /** @internal The calls on placeholders, in order. */
  readonly inboundNodes: GraphNode[] = [];
  /** What inputs must look like: checked before every call. Subclasses set it in the constructor or in build. */
  protected inputSpec: readonly (InputSpec | null)[] | null = null;
  private readonly policy: DTypePolicy;
  private readonly ownWeights: LayerWeight[] = [];
  private initialWeights: readonly Tensor[] | undefined;
  private isTrainable: boolean;
  private holders = 0;
  private disposed = false;

  constructor(config: LayerConfig = {}) {
    const className = this.getClassName();
    if (config.name !== undefined && (typeof config.name !== 'string' || config.name === '')) {
      throw invalid('ERR_ARGUMENT', className, 'name', 'a string that is not empty', config.name);
    }
    this.name = config.name ?? layerName(className);
    this.policy = policyOf(this.name, config.dtype);
    this.dtype = this.policy.variable;
    this.computeDType = this.policy.compute;
    this.isTrainable = config.trainable ?? true;
    this.initialWeights = config.weights;
    this.batchInputShape = declaredShape(this.name, config);
  }

  /** The name files give the class: 'Dense'. */
  getClassName(): string {
    return (this.constructor as typeof Layer).className;
  }

  /**
   * Makes the weights. Called once, before first use.
   * @param _inputShapes The inputs' shapes with the batch axis; null where a size is not known.
   */
  build(_inputShapes: readonly SymbolicShape[]): void {
    this.built = true;
  }

  /** Shape of the output for inputs of these shapes, batch axis included. */
  abstract computeOutputShape(inputShapes: readonly SymbolicShape[]): SymbolicShape;

  /**
   * Operations of a forward pass for inputs of these shapes: a sum, product, comparison or function such as exp() of an element is one.
   * `summary` prints it. null (default): not known.
   */
  flops(_inputShapes: readonly Shape[], _outputShapes: readonly Shape[]): number | null {
    return null;
  }

  /** The layer's maths, in differentiable ops. */
  abstract call(inputs: readonly Tensor[], context: CallContext): Tensor;

  /** Dtype of the output for inputs as `call` gets them: the input's where that is a float, else the layer's. */
  computeOutputDType(inputDTypes: readonly DType[]): DType {
    return inputDTypes.find(isFloat) ?? this.computeDType;
  }

  /** @internal What an input of that dtype is cast to before `call` gets it. */
  operandDType(dtype: DType): DType {
    if (!isFloat(dtype) || (dtype === 'float64' && !this.policy.isMixed)) return dtype;
    return this.computeDType;
  }

  /**
   * A weight in the dtype that the layer computes in: under mixed precision a cast, whose gradient comes back in the weight's
   * own dtype. For `call`; an op that gets the weight itself computes in the wider of the two dtypes.
   */
  protected castWeight(weight: Tensor): Tensor {
    return cast(weight, this.computeDType);
  }

  /** @internal Whether the layer, or one inside it, casts to that dtype. */
  computesIn(dtype: DType): boolean {
    const { sublayers } = this;
    return sublayers.length === 0 ? this.computeDType === dtype : sublayers.some((layer) => layer.computesIn(dtype));
  }

  /** @internal All outputs: a nested model may have several. */
  callAll(inputs: readonly Tensor[], context: CallContext): readonly Tensor[] {
    const operands = inputs.map((x) => cast(x, this.operandDType(x.dtype)));
    return [this.call(operands, context)];
  }
  /** @internal */
  computeOutputDTypes(inputDTypes: readonly DType[]): readonly DType[] {
    return [this.computeOutputDType(inputDTypes.map((dtype) => this.operandDType(dtype)))];
  }
  /** @internal */
  computeOutputShapes(inputShapes: readonly SymbolicShape[]): readonly SymbolicShape[] {
    return [this.computeOutputShape(inputShapes)];
  }

  /** @internal What the outputs tell of the units; null where they are not functions of one input each. */
  get unitRanges(): UnitRanges | null {
    return null;
  }

  /** Layers inside this one, whose weights count as its own: a wrapper's, a nested model's. */
  protected get sublayers(): readonly Layer[] {
    return [];
  }

  /**
   * Makes a weight, named `<layer>/<name>`.
   * @param shape The weight's shape.
   * @param options First values; the penalty and the constraint that the trainer applies; `trainable: false` for statistics.
   * @throws ArgumentError for a name twice; ShapeError when the initializer gives another shape.
   */
  protected addWeight(name: string, shape: Shape, options: WeightOptions): Variable {
    const full = `${this.name}/${name}`;
    if (this.ownWeights.some((weight) => weight.name === name)) {
      throw invalid('ERR_ARGUMENT', `${this.name}.addWeight`, 'name', 'each name once', name);
    }
    spend(full, shape);
    const { trainable = true, dtype = this.dtype } = options;
    const initializer = getInitializer(options.initializer);
    const regularizer = getRegularizer(options.regularizer);
    const constraint = getConstraint(options.constraint);
    const made = tidy(() => {
      const values = initializer.apply(shape, dtype);
      if (!sameShape(values.shape, shape)) {
        throw invalid('ERR_SHAPE', full, 'initializer', `values of shape ${formatShape(shape)}`, [...values.shape]);
      }
      return variable(values, trainable && this.isTrainable, full, dtype);
    });
    this.ownWeights.push({ name, variable: made, initializer, regularizer, constraint, trainable });
    return made;
  }

  /**
   * Applies the layer. On placeholders it draws the graph and gives a placeholder (an array of them for a nested model of
   * several outputs).
   * @param inputs One input, or several in an array.
   * @throws ShapeError naming the layer and both shapes; ArgumentError when placeholders and tensors are mixed.
   */
  apply<R extends SymbolicTensor | SymbolicTensor[] = SymbolicTensor>(
    inputs: SymbolicTensor | readonly SymbolicTensor[],
  ): R;
  /**
   * Applies the layer. On tensors it computes.
   * @param inputs One input, or several in an array.
   * @param context `training`: default false.
   * @throws ShapeError naming the layer and both shapes; ArgumentError when placeholders and tensors are mixed.
   */
  apply<R extends Tensor | Tensor[] = Tensor>(inputs: Tensor | readonly Tensor[], context?: Partial<CallContext>): R;
  apply(
    inputs: SymbolicTensor | Tensor | readonly SymbolicTensor[] | readonly Tensor[],
    context: Partial<CallContext> = {},
  ): SymbolicTensor | Tensor | SymbolicTensor[] | Tensor[] {
    this.assertLive();
    const list = (Array.isArray(inputs) ? inputs : [inputs]) as readonly (SymbolicTensor | Tensor)[];
    if (list.length === 0) throw invalid('ERR_ARGUMENT', this.name, 'inputs', 'at least one', []);
    if (list.every((x) => x instanceof SymbolicTensor)) return single(this.draw(list));
    const tensors = list.map((x, i) => {
      if (!(x instanceof Tensor)) {
        throw invalid('ERR_ARGUMENT', this.name, `inputs[${i}]`, 'a tensor, as the other inputs', x);
      }
      return convert(this.name, `inputs[${i}]`, x);
    });
    return single(this.compute(tensors, { training: context.training ?? false }));
  }

  /** @internal The outputs for tensors, by a caller that has checked that they are. Builds the layer if need be. */
  compute(inputs: readonly Tensor[], context: CallContext): readonly Tensor[] {
    return this.located(inputs, () => {
      checkInputs(this.name, this.inputSpec, inputs);
      if (!this.built) this.buildOnce(inputs.map(({ shape }) => shape.map((size, axis) => (axis === 0 ? null : size))));
      return this.callAll(inputs, context);
    });
  }

  private draw(inputs: readonly SymbolicTensor[]): readonly SymbolicTensor[] {
    const shapes = inputs.map(({ shape }) => shape);
    return this.located(inputs, () => {
      checkInputs(this.name, this.inputSpec, inputs);
      this.buildOnce(shapes);
      const dtypes = this.computeOutputDTypes(inputs.map((x) => x.dtype));
      const nodeIndex = this.inboundNodes.length;
      const outputs = this.computeOutputShapes(shapes).map(
        (shape, i) => new SymbolicTensor(shape, dtypes[i]!, this, nodeIndex, i),
      );
      this.inboundNodes.push({ layer: this, inputs, outputs });
      return outputs;
    });
  }

  /** @internal Builds the layer if it is not, with the initial weights that the options gave. */
  buildOnce(inputShapes: readonly SymbolicShape[]): void {
    if (this.built) return;
    const { inputSpec } = this;
    try {
      this.build(inputShapes);
      this.built = true;
      if (this.initialWeights !== undefined) this.setWeights(this.initialWeights);
      this.initialWeights = undefined;
    } catch (error) {
      // As if it had not been tried: other inputs may fit.
      this.built = false;
      this.inputSpec = inputSpec;
      for (const { variable: weight } of this.ownWeights.splice(0)) weight.dispose();
      throw error;
    }
  }

  /** Gives a shape error from inside the layer's name and its inputs' shapes. */
  private located<T>(inputs: readonly { readonly shape: SymbolicShape }[], body: () => T): T {
    try {
      return body();
    } catch (error) {
      if (!(error instanceof SelfnormError) || error.code !== 'ERR_SHAPE' || located.has(error)) throw error;
      const named =
        error.op === this.name || error.op?.startsWith(`${this.name}.`) || error.op?.startsWith(`${this.name}/`)
          ? error
          : failure('ERR_SHAPE', this.name, `input ${formatShapes(inputs.map((x) => x.shape))}: ${error.message}`);
      located.add(named);
      throw named;
    }
  }

  /** Whether the weights are trained. Setting it on a model or a wrapper sets the flag of the variables inside. */
  get trainable(): boolean {
    return this.isTrainable;
  }
  set trainable(value: boolean) {
    this.isTrainable = value;
    this.markVariables(true);
  }
  private markVariables(outer: boolean): void {
    const trained = outer && this.isTrainable;
    for (const weight of this.ownWeights) weight.variable.trainable = trained && weight.trainable;
    for (const layer of this.sublayers) layer.markVariables(trained);
  }

  /** All weights with what is attached to them, in the order they were made, sublayers' last. */
  get layerWeights(): readonly LayerWeight[] {
    return unique([...this.ownWeights, ...this.sublayers.flatMap((layer) => layer.layerWeights)]);
  }
  /** Those of `layerWeights` that are trained. */
  get trainableLayerWeights(): readonly LayerWeight[] {
    if (!this.isTrainable) return [];
    const own = this.ownWeights.filter((weight) => weight.trainable);
    return unique([...own, ...this.sublayers.flatMap((layer) => layer.trainableLayerWeights)]);
  }
  /** The variables that training changes. */
  get trainableWeights(): Variable[] {
    return this.trainableLayerWeights.map((weight) => weight.variable);
  }
  /** Statistics, and the weights of frozen layers. */
  get nonTrainableWeights(): Variable[] {
    return this.untrained().map((weight) => weight.variable);
  }
  /** The trained variables, then the others: tfjs's order. */
  get weights(): Variable[] {
    return [...this.trainableWeights, ...this.nonTrainableWeights];
  }

  /** As tfjs orders them: each layer's own, after the trained ones that a frozen container holds back. */
  private untrained(): readonly LayerWeight[] {
    const own = this.isTrainable ? this.ownWeights.filter((weight) => !weight.trainable) : this.ownWeights;
    const inner = this.sublayers.flatMap((layer) => layer.untrained());
    if (this.isTrainable) return unique([...own, ...inner]);
    const held = this.sublayers.flatMap((layer) => layer.trainableLayerWeights);
    return unique([...own, ...held, ...inner]);
  }

  /** Copies of the weights' values, in the order of `weights`. */
  getWeights(trainableOnly = false): Tensor[] {
    return (trainableOnly ? this.trainableWeights : this.weights).map((weight) => clone(weight));
  }

  /**
   * Sets all weights, in the order of `getWeights()`; other float dtypes are cast. Nothing changes when one does not fit.
   * @throws ArgumentError for another number of tensors; ShapeError naming the weight.
   */
  setWeights(weights: readonly Tensor[]): void {
    this.assertLive();
    assignWeights(`${this.name}.setWeights`, this.weights, weights, this.built);
  }

  /** Streams of random numbers that the layer and those inside it draw from: a training that is resumed puts them back. */
  get randomStreams(): readonly RandomStream[] {
    return unique(this.sublayers.flatMap((layer) => layer.randomStreams));
  }

  /** The penalties on trained weights, each as a function that gives a scalar: their sum is added to the loss. */
  regularizationLosses(): (() => Tensor)[] {
    return this.trainableLayerWeights.flatMap(({ regularizer, variable: weight }) =>
      regularizer === null ? [] : [() => regularizer.apply(weight)],
    );
  }

  /**
   * Number of weights' elements.
   * @throws ArgumentError before the layer is built.
   */
  countParams(): number {
    if (!this.built) {
      throw failure('ERR_ARGUMENT', `${this.name}.countParams`, 'the layer is not built yet; apply it or call build()');
    }
    return this.layerWeights.reduce((sum, { variable: { size } }) => sum + size, 0);
  }

  /** The placeholder the layer makes; of a shared layer, ask the nodes instead. */
  get output(): SymbolicTensor | SymbolicTensor[] {
    return single(this.onlyNode('output').outputs);
  }
  /** The placeholder the layer takes. */
  get input(): SymbolicTensor | SymbolicTensor[] {
    return single(this.onlyNode('input').inputs);
  }
  /**
   * Shape of the layer's output, batch axis included.
   * @throws ArgumentError when the layer was not applied to placeholders, or gave different shapes.
   */
  get outputShape(): SymbolicShape | SymbolicShape[] {
    const shapes = this.inboundNodes.map(({ outputs }) => outputs.map((x) => x.shape));
    const [first] = shapes;
    if (first === undefined) this.onlyNode('outputShape');
    const different = shapes.find((other) => formatShapes(other) !== formatShapes(first!));
    if (different !== undefined) {
      const both = `${formatShapes(first!)} and ${formatShapes(different)}`;
      throw failure('ERR_ARGUMENT', `${this.name}.outputShape`, `expected one shape, got ${both} in different calls`);
    }
    return single(first!);
  }
  private onlyNode(what: string): GraphNode {
    const [node, second] = this.inboundNodes;
    if (node !== undefined && second === undefined) return node;
    const count = this.inboundNodes.length;
    throw failure(
      'ERR_ARGUMENT',
      `${this.name}.${what}`,
      `expected a layer applied to placeholders once, got one applied ${count} times`,
    );
  }

  /** The options that make this layer again: JSON. Subclasses add theirs. */
  getConfig(): Record<string, unknown> {
    const config: Record<string, unknown> = { name: this.name, trainable: this.isTrainable };
    if (this.batchInputShape !== undefined) config['batchInputShape'] = [...this.batchInputShape];
    config['dtype'] = this.policy.name;
    return config;
  }

  /** @internal A model that uses the layer holds it. */
  hold(): void {
    this.holders++;
  }
  /** @internal */
  letGo(): void {
    this.holders--;
  }

  /**
   * Lets go of the layer; the weights are freed when no model holds it any more.
   * @throws DisposedError the second time.
   */
  dispose(): DisposeResult {
    this.assertLive();
    this.holders = Math.max(0, this.holders - 1);
    if (this.holders > 0) return { refCountAfterDispose: this.holders, numDisposedVariables: 0 };
    this.disposed = true;
    let numDisposedVariables = this.ownWeights.length;
    for (const { variable: weight } of this.ownWeights) weight.dispose();
    for (const layer of this.sublayers) {
      if (!layer.disposed) numDisposedVariables += layer.dispose().numDisposedVariables;
    }
    return { refCountAfterDispose: 0, numDisposedVariables };
  }

  private assertLive(): void {
    if (this.disposed) throw invalid('ERR_DISPOSED', this.name, 'layer', 'a live layer', 'one that was disposed');
  }
}

function unique<T>(list: readonly T[]): readonly T[] {
  return [...new Set(list)];
}

/** One alone as itself, several as an array: what tfjs's apply gives. */
function single<T>(list: readonly T[]): T | T[] {
  return list.length === 1 ? list[0]! : [...list];
}
