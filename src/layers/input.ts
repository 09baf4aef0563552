// Where a graph begins: InputLayer holds the place of a model's input, and input() makes one and gives its placeholder.
import { failure, invalid } from '../errors.js';
import type { DType } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { Layer, type LayerConfig } from './layer.js';
import { registerLayer } from './registry.js';
import { SymbolicTensor, type SymbolicShape } from './symbolic.js';

/** Options of a model's input. */
export interface InputConfig {
  /** Shape without the batch axis. */
  shape?: SymbolicShape;
  /** Shape with the batch axis, in place of `shape`. */
  batchShape?: SymbolicShape;
  /** The layer's name; the model's inputs go by it. */
  name?: string;
  /** Default float32; int32 for indices. */
  dtype?: DType;
}

/** Options of layers.inputLayer. */
export interface InputLayerConfig extends LayerConfig {
  /** Accepted for files' sake. */
  sparse?: boolean;
}

/** The placeholder of a model's input. It has no weights and is not applied. */
export class InputLayer extends Layer {
  static override readonly className = 'InputLayer';

  constructor(config: InputLayerConfig) {
    // Data come as they are, whatever the layers behind compute in.
    super({ ...config, dtype: config.dtype ?? 'float32' });
    if (this.batchInputShape === undefined) {
      throw invalid('ERR_ARGUMENT', this.name, 'inputShape', 'the shape of the input', config.inputShape);
    }
    this.built = true;
    const placeholder = new SymbolicTensor(this.batchInputShape, this.dtype, this, 0, 0, this.name);
    this.inboundNodes.push({ layer: this, inputs: [], outputs: [placeholder] });
  }

  /** The placeholder. */
  get placeholder(): SymbolicTensor {
    return this.inboundNodes[0]!.outputs[0]!;
  }

  override computeOutputShape(): SymbolicShape {
    return this.placeholder.shape;
  }
  override call(_inputs: readonly Tensor[]): Tensor {
    throw failure('ERR_ARGUMENT', this.name, 'a model input is fed, not applied; apply the layer behind it');
  }
  /** Operations of a forward pass. */
  override flops(): number {
    return 0;
  }
  override getConfig(): Record<string, unknown> {
    return { ...super.getConfig(), sparse: false };
  }
}
registerLayer(InputLayer);

/** A model's input as the first layer of `sequential`. */
export const inputLayer = (config: InputLayerConfig): InputLayer => new InputLayer(config);

/**
 * A placeholder to start a graph from.
 * @example const x = sn.input({shape: [28, 28, 1]});
 * @throws ArgumentError when neither `shape` nor `batchShape` is given.
 */
export function input(config: InputConfig): SymbolicTensor {
  const { shape, batchShape, name, dtype } = config;
  if (shape === undefined && batchShape === undefined) {
    throw invalid('ERR_ARGUMENT', 'input', 'shape', 'the shape of the input without the batch axis', shape);
  }
  const layer = new InputLayer(
    batchShape === undefined ? { inputShape: shape, name, dtype } : { batchInputShape: batchShape, name, dtype },
  );
  return layer.placeholder;
}
