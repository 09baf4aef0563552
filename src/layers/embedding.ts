// Embedding: a vector for each index.
import { invalid } from '../errors.js';
import { gather } from '../ops/gather.js';
import { castRaw } from '../tensor/convert.js';
import type { DType } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import { Layer, type LayerConfig } from './layer.js';
import { count } from './options.js';
import { registerLayer } from './registry.js';
import type { SymbolicShape } from './symbolic.js';
import {
  refuseActivityRegularizer,
  weightDType,
  weightRecipe,
  type ActivityConfig,
  type WeightConfig,
  type WeightRecipe,
} from './weight-options.js';

/** Options of layers.embedding. */
export interface EmbeddingConfig extends LayerConfig, WeightConfig<'embeddings'>, ActivityConfig {
  /** Number of indices: the largest plus 1. */
  inputDim: number;
  /** Size of a vector. */
  outputDim: number;
  /** Length of the sequences, where it is fixed: `flatten` and `dense` behind the layer need it. */
  inputLength?: number | readonly number[] | null | undefined;
  /** Only false: masks are not supported. */
  maskZero?: boolean;
}

/** Rows of a table by index. */
export class Embedding extends Layer {
  static override readonly className = 'Embedding';
  readonly inputDim: number;
  readonly outputDim: number;
  private readonly inputLength: readonly number[] | null;
  private readonly recipe: WeightRecipe;
  private embeddings!: Variable;

  constructor(config: EmbeddingConfig = {} as EmbeddingConfig) {
    super(withInputLength(config));
    const { name } = this;
    this.inputDim = count(name, 'inputDim', config.inputDim);
    this.outputDim = count(name, 'outputDim', config.outputDim);
    this.inputLength = lengths(name, config);
    this.recipe = weightRecipe(name, 'embeddings', config, 'randomUniform');
    if ((config.maskZero ?? false) !== false) {
      throw invalid('ERR_ARGUMENT', name, 'maskZero', 'false (masks are not supported)', config.maskZero);
    }
    refuseActivityRegularizer(name, config);
    weightDType(name, this.dtype);
    if (this.inputLength !== null) this.inputSpec = [{ rank: this.inputLength.length + 1 }];
  }

  override build(inputShapes: readonly SymbolicShape[]): void {
    this.embeddings = this.addWeight('embeddings', [this.inputDim, this.outputDim], this.recipe.options);
    super.build(inputShapes);
  }

  override computeOutputShape([shape]: readonly SymbolicShape[]): SymbolicShape {
    const [batch = null, ...sizes] = shape!;
    const known = this.inputLength;
    if (known === null) return [...shape!, this.outputDim];
    if (sizes.length !== known.length || sizes.some((size, i) => size !== null && size !== known[i])) {
      throw invalid('ERR_SHAPE', this.name, 'input', `shape [null,${known.join(',')}] of inputLength`, [...shape!]);
    }
    return [batch, ...known, this.outputDim];
  }
  /** Indices are read as they are: 16 bits could not tell most of them apart. */
  override operandDType(dtype: DType): DType {
    return dtype;
  }
  override computeOutputDType(): DType {
    return this.computeDType;
  }

  override call([indices]: readonly Tensor[]): Tensor {
    // The rows are cast, not the table: they are fewer, and their gradients are added up in the table's dtype.
    return this.castWeight(gather(this.embeddings, this.indicesOf(indices!)));
  }

  /** @internal What the layer picks rows by. */
  indicesOf(input: Tensor): Tensor {
    this.computeOutputShape([input.shape]);
    return castRaw(input, 'int32');
  }
  /** @internal All vectors as the layer gives them out. */
  get table(): Tensor {
    return this.castWeight(this.embeddings);
  }

  /** Rows are picked, nothing is computed. */
  override flops(): number {
    return 0;
  }
  override getConfig(): Record<string, unknown> {
    const [length, ...more] = this.inputLength ?? [null];
    return {
      ...super.getConfig(),
      inputDim: this.inputDim,
      outputDim: this.outputDim,
      ...this.recipe.config,
      activityRegularizer: null,
      inputLength: more.length === 0 ? length : [length, ...more],
    };
  }
}
registerLayer(Embedding);

function lengths(layer: string, { inputLength = null }: EmbeddingConfig): readonly number[] | null {
  if (inputLength === null) return null;
  const list = typeof inputLength === 'number' ? [inputLength] : inputLength;
  if (!Array.isArray(list)) throw invalid('ERR_ARGUMENT', layer, 'inputLength', 'an integer', inputLength);
  return list.map((length) => count(layer, 'inputLength', length));
}

/** As in tfjs, a first layer without an input shape takes sequences of `inputLength`, or of any length. */
function withInputLength(config: EmbeddingConfig): EmbeddingConfig {
  if (config.inputShape !== undefined || config.batchInputShape !== undefined) return config;
  const sizes = lengths('Embedding', config) ?? [null];
  return { ...config, batchInputShape: [config.batchSize ?? null, ...sizes] };
}

/**
 * A vector for each index: input `[batch, ...]` of indices (int32, or floats, which are truncated), output
 * `[batch, ..., outputDim]`. An index outside `[0, inputDim)` gives NaN.
 *
 * Weight: embeddings `[inputDim, outputDim]` (randomUniform).
 */
export const embedding = (config: EmbeddingConfig): Embedding => new Embedding(config);
