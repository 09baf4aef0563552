// Which class a saved model means by 'Dense'. Layer families enter their classes here; nothing here knows a layer.
import { invalid, show } from '../errors.js';
import type { Layer } from './layer.js';

/** A layer as files keep it. */
export interface SerializedLayer {
  readonly className: string;
  readonly config: Record<string, unknown>;
}

/** A layer's class. `fromConfig` is needed only where the constructor does not take `getConfig()` back. */
export interface LayerClass {
  readonly className: string;
  new (config: never): Layer;
  /** A layer from what `getConfig()` gave. */
  fromConfig?(config: Record<string, unknown>): Layer;
}

const classes = new Map<string, LayerClass>();

/**
 * Makes a layer class known to `modelFromJSON` and `loadLayersModel` under its static `className`.
 * @returns The class, so that it can be registered where it is declared.
 * @throws ArgumentError when another class has that name.
 */
export function registerLayer<C extends LayerClass>(layerClass: C): C {
  const { className } = layerClass;
  if (typeof className !== 'string' || className === '' || className === 'Layer') {
    throw invalid('ERR_ARGUMENT', 'registerLayer', 'className', 'a static className of its own', className);
  }
  const known = classes.get(className);
  if (known !== undefined && known !== layerClass) {
    throw invalid('ERR_ARGUMENT', 'registerLayer', 'className', 'a name that no other class has', className);
  }
  classes.set(className, layerClass);
  return layerClass;
}

/** Another name that files give a registered class. */
export function registerAlias(name: string, layerClass: LayerClass): void {
  classes.set(name, layerClass);
}

/** The registered class of that name, if any. */
export const layerClass = (className: string): LayerClass | undefined => classes.get(className);

/**
 * The layer a configuration describes, unbuilt.
 * @throws ArgumentError for a class that is not registered, or what is no configuration.
 */
export function layerFromConfig(serialized: SerializedLayer): Layer {
  const { className, config } = serialized ?? {};
  if (config === null || typeof config !== 'object') {
    throw invalid('ERR_ARGUMENT', 'layerFromConfig', `config of ${show(className)}`, 'an object', config);
  }
  const found = classes.get(className);
  if (found === undefined) {
    throw invalid(
      'ERR_ARGUMENT',
      'layerFromConfig',
      typeof config?.['name'] === 'string' ? `layer ${config['name']}: className` : 'className',
      `a registered layer class (${[...classes.keys()].sort().join(', ')})`,
      className,
      'a class of your own must be passed to registerLayer() first',
    );
  }
  return found.fromConfig === undefined ? new found(config as never) : found.fromConfig(config);
}
