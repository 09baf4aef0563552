// Models that are a chain of layers. The chain is drawn as soon as the first layer's input shape is known: from its options,
// or from the first tensors.
import { failure, invalid } from '../errors.js';
import { input, InputLayer } from '../layers/input.js';
import { Layer, type LayerConfig } from '../layers/layer.js';
import { layerFromConfig, registerLayer, type SerializedLayer } from '../layers/registry.js';
import type { SymbolicShape, SymbolicTensor } from '../layers/symbolic.js';
import { uniqueName } from '../layers/naming.js';
import type { DType } from '../tensor/dtype.js';
import { Graph } from './graph.js';
import { Model } from './model.js';

/** What `sequential()` takes. */
export interface SequentialConfig extends Pick<LayerConfig, 'name' | 'trainable'> {
  /** The layers, first to last; more may be added by `add()`. */
  layers?: readonly Layer[];
}

/** A chain of layers. */
export class Sequential extends Model {
  static override readonly className = 'Sequential';
  private readonly chain: Layer[] = [];
  /** What each drawn layer made, after the chain's input. */
  private readonly drawn: SymbolicTensor[] = [];
  private cached: Graph | null = null;

  constructor(config: SequentialConfig = {}) {
    super({ name: config.name ?? uniqueName('sequential_'), trainable: config.trainable });
    const { layers = [] } = config;
    if (!Array.isArray(layers)) throw invalid('ERR_ARGUMENT', this.name, 'layers', 'an array of layers', layers);
    for (const layer of layers as readonly Layer[]) this.add(layer);
  }

  override get layers(): readonly Layer[] {
    return this.chain;
  }

  /** @internal */
  override get graph(): Graph {
    if (this.cached !== null) return this.cached;
    const [first] = this.drawn;
    if (this.chain.length === 0) throw failure('ERR_ARGUMENT', this.name, 'the model has no layers; add() some');
    if (first === undefined) {
      throw failure(
        'ERR_ARGUMENT',
        this.name,
        `the input's shape is not known yet; give ${this.chain[0]!.name} an inputShape, or apply the model to tensors`,
      );
    }
    this.cached = new Graph(this.name, [first], [this.drawn.at(-1)!]);
    return this.cached;
  }

  /**
   * Adds a layer at the end.
   * @throws ArgumentError for a layer of several inputs or outputs, or of a name that is taken; ShapeError when its input
   *   does not fit.
   */
  add(layer: Layer): void {
    if (!(layer instanceof Layer)) throw invalid('ERR_ARGUMENT', `${this.name}.add`, 'layer', 'a layer', layer);
    if (this.chain.some(({ name }) => name === layer.name)) {
      throw invalid('ERR_ARGUMENT', `${this.name}.add`, 'layer', 'a name that no other layer has', layer.name);
    }
    if (layer instanceof InputLayer && this.chain.length > 0) {
      throw invalid('ERR_ARGUMENT', `${this.name}.add`, 'layer', 'a model input only as the first layer', layer.name);
    }
    if (this.chain.length === 0) this.open(layer);
    this.connect(layer);
    this.chain.push(layer);
    layer.hold();
    this.redrawn();
  }

  /**
   * Takes the last layer off.
   * @throws ArgumentError when there is none.
   */
  pop(): void {
    const last = this.chain.pop();
    if (last === undefined) throw failure('ERR_ARGUMENT', `${this.name}.pop`, 'the model has no layers');
    if (!(last instanceof InputLayer)) this.drawn.pop();
    if (this.chain.length === 0) this.drawn.length = 0;
    last.letGo();
    this.redrawn();
  }

  /** Draws the chain's input, if the first layer tells its shape. */
  private open(first: Layer): void {
    if (first instanceof InputLayer) this.drawn.push(first.placeholder);
    else if (first instanceof Model) {
      if (first.built) this.drawInput(first, first.inputs[0]!.shape, first.inputs[0]!.dtype);
    } else if (first.batchInputShape !== undefined) this.drawInput(first, first.batchInputShape, first.dtype);
  }

  private drawInput(first: Layer, batchShape: SymbolicShape, dtype: DType): void {
    this.drawn.push(input({ batchShape, dtype, name: `${first.name}_input` }));
  }

  /** Applies the layer to the chain's end, once the chain's input is drawn. */
  private connect(layer: Layer): void {
    const before = this.drawn.at(-1);
    if (before === undefined || layer instanceof InputLayer) return;
    try {
      const made = layer.apply<SymbolicTensor | SymbolicTensor[]>(before);
      if (Array.isArray(made)) {
        const got = `${layer.name} with ${made.length}`;
        throw invalid('ERR_ARGUMENT', `${this.name}.add`, 'layer', 'a layer of one output', got, 'use model()');
      }
      this.drawn.push(made);
    } catch (error) {
      if (this.chain.length === 0) this.drawn.length = 0;
      throw error;
    }
  }

  private redrawn(): void {
    this.cached = null;
    this.built = this.drawn.length > 0;
    if (this.built) this.markOwnCall();
    else this.inboundNodes.length = 0;
    // Layers just built do not know of the model around them.
    if (!this.trainable) this.trainable = false;
  }

  /** Draws the chain from its input's shape, where no layer told it. */
  override build([shape]: readonly SymbolicShape[]): void {
    const [first] = this.chain;
    if (first === undefined) throw failure('ERR_ARGUMENT', this.name, 'the model has no layers; add() some');
    this.drawInput(first, shape!, first.dtype);
    try {
      for (const layer of this.chain) this.connect(layer);
    } catch (error) {
      this.drawn.length = 0;
      throw error;
    }
    this.redrawn();
  }

  override getConfig(): Record<string, unknown> {
    const layers = this.chain.map((layer) => ({ className: layer.getClassName(), config: layer.getConfig() }));
    const [first] = layers;
    if (first !== undefined && this.built && !(this.chain[0] instanceof Model)) {
      const { name, trainable, ...rest } = first.config;
      first.config = { name, trainable, batchInputShape: [...this.inputs[0]!.shape], ...rest };
    }
    return { name: this.name, trainable: this.trainable, layers };
  }

  /** @internal */
  static fromConfig(config: Record<string, unknown> | readonly SerializedLayer[]): Sequential {
    // Keras before 2.2 wrote the layers alone.
    const { name, trainable, layers } = (
      Array.isArray(config) ? { layers: config as readonly SerializedLayer[] } : config
    ) as { name?: string; trainable?: boolean; layers?: readonly SerializedLayer[] };
    if (!Array.isArray(layers)) {
      throw invalid('ERR_ARGUMENT', name ?? 'sequential', 'layers', 'an array of layers', layers);
    }
    const made: Layer[] = [];
    try {
      for (const layer of layers as readonly (SerializedLayer | null)[]) {
        if (layer === null || typeof layer !== 'object' || layer.config === null || typeof layer.config !== 'object') {
          throw invalid('ERR_ARGUMENT', name ?? 'sequential', 'layers', 'layers with className and config', layer);
        }
        made.push(layerFromConfig(layer));
      }
      return new Sequential({ name, trainable: trainable !== false, layers: made });
    } catch (error) {
      // What was made has weights already.
      for (const layer of made) layer.dispose();
      throw error;
    }
  }
}
registerLayer(Sequential);

/**
 * A model that is a chain of layers.
 * @example
 * const model = sn.sequential({layers: [
 *   sn.layers.dense({units: 32, activation: 'selu', inputShape: [784]}),
 *   sn.layers.dense({units: 10, activation: 'softmax'}),
 * ]});
 */
export function sequential(config?: SequentialConfig): Sequential {
  return new Sequential(config);
}
