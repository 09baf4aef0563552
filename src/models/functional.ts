// Models drawn with placeholders: several inputs and outputs, branches, shared layers.
import { invalid } from '../errors.js';
import type { LayerConfig } from '../layers/layer.js';
import { uniqueName } from '../layers/naming.js';
import { registerAlias, registerLayer } from '../layers/registry.js';
import type { SymbolicTensor } from '../layers/symbolic.js';
import { Graph } from './graph.js';
import { graphConfig, graphFromConfig } from './graph-config.js';
import { Model } from './model.js';

/** What `model()` takes. */
export interface ModelConfig extends Pick<LayerConfig, 'name' | 'trainable'> {
  /** The placeholders the model takes, from `input()`. */
  inputs: SymbolicTensor | readonly SymbolicTensor[];
  /** The placeholders the model makes. */
  outputs: SymbolicTensor | readonly SymbolicTensor[];
}

/** A model between given placeholders. */
export class FunctionalModel extends Model {
  // The name tfjs writes.
  static override readonly className = 'Model';
  override readonly graph: Graph;

  constructor(config: ModelConfig) {
    const op = config?.name ?? 'model';
    if (config?.inputs === undefined || config.outputs === undefined) {
      throw invalid('ERR_ARGUMENT', op, 'config', '{inputs, outputs}', config);
    }
    super({ name: config.name ?? uniqueName('model'), trainable: config.trainable });
    this.graph = new Graph(this.name, list(config.inputs), list(config.outputs));
    for (const layer of this.layers) layer.hold();
    this.built = true;
    this.markOwnCall();
    if (config.trainable === false) this.trainable = false;
  }

  override getConfig(): Record<string, unknown> {
    return { name: this.name, trainable: this.trainable, ...graphConfig(this.graph) };
  }

  /** @internal */
  static fromConfig(config: Record<string, unknown>): FunctionalModel {
    const name = typeof config['name'] === 'string' ? config['name'] : undefined;
    const { layers, ...ends } = graphFromConfig(name ?? 'model', config);
    const made = new FunctionalModel({ ...ends, name, trainable: config['trainable'] !== false });
    const own = new Set(made.layers);
    for (const layer of layers) if (!own.has(layer)) layer.dispose();
    return made;
  }
}
registerLayer(FunctionalModel);
// The name Keras writes.
registerAlias('Functional', FunctionalModel);

/**
 * A model between placeholders.
 * @example
 * const x = sn.input({shape: [784]});
 * const y = sn.layers.dense({units: 10, activation: 'softmax'}).apply(x);
 * const model = sn.model({inputs: x, outputs: y});
 * @throws ArgumentError when the outputs need an input that is not given, or two layers have one name.
 */
export function model(config: ModelConfig): Model {
  return new FunctionalModel(config);
}

function list(value: SymbolicTensor | readonly SymbolicTensor[]): readonly SymbolicTensor[] {
  return Array.isArray(value) ? [...(value as readonly SymbolicTensor[])] : [value as SymbolicTensor];
}
