// The structure in a Keras 3 file in the words of Keras 2, which tfjs and selfnorm share: objects without the modules they came from,
// calls as lists of references, options under their older names. What has no equal here is an error that names the layer.
import { failure, invalid, show } from '../../errors.js';

type Json = Record<string, unknown>;
/** [layer, which of its calls, which of the call's outputs, arguments]. */
type Reference = [string, number, number, Json];

/** A serialised layer as Keras 3 has it. */
interface KerasLayer {
  readonly module?: unknown;
  readonly class_name: string;
  readonly registered_name?: unknown;
  readonly config: Json;
  readonly name?: string;
  readonly inbound_nodes?: unknown;
}

const isObject = (value: unknown): value is Json =>
  value !== null && typeof value === 'object' && !Array.isArray(value);

const MODELS: ReadonlySet<string> = new Set(['Sequential', 'Functional', 'Model']);
/** Whether classes of that package are Keras's own layers and models. Its operations have modules of their own. */
const isOwn = (module: unknown): boolean =>
  module == null || (typeof module === 'string' && /^keras($|\.(src\.)?(layers|models)($|\.))/.test(module));

const nameOf = (layer: KerasLayer): string =>
  String((layer.config?.['name'] as string | undefined) ?? layer.class_name);

function layerOf(op: string, value: unknown): KerasLayer {
  if (isObject(value) && typeof value['class_name'] === 'string' && isObject(value['config'])) {
    return value as unknown as KerasLayer;
  }
  throw invalid('ERR_FILE_FORMAT', op, 'layer', 'class_name and config', value);
}

/** Options that say something only where they are not as usual. */
const USUAL: Readonly<Record<string, readonly (readonly [option: string, usual: unknown])[]>> = {
  GlobalAveragePooling2D: [['keepdims', false]],
  GlobalMaxPooling2D: [['keepdims', false]],
  LayerNormalization: [['rms_scaling', false]],
  ReLU: [
    ['negative_slope', 0],
    ['threshold', 0],
  ],
};

/** What Keras 3 notes about an object besides its class and settings. */
const PROVENANCE: ReadonlySet<string> = new Set(['module', 'registered_name', 'build_config', 'shared_object_id']);

/** An object of another kind than a layer: an initializer, a regularizer, a constraint, a policy, a function. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (!isObject(value)) return value;
  if (value['class_name'] === 'function' && typeof value['config'] === 'string') return value['config'];
  const kept = Object.entries(value).filter(([key]) => !PROVENANCE.has(key));
  return Object.fromEntries(kept.map(([key, item]) => [key, plain(item)]));
}

function optionsOf(op: string, layer: KerasLayer): Json {
  const { class_name: className, config } = layer;
  for (const [option, usual] of USUAL[className] ?? []) {
    const given = config[option] ?? usual;
    if (given !== usual) throw invalid('ERR_ARGUMENT', op, `layer ${nameOf(layer)}: ${option}`, show(usual), given);
  }
  const options = plain(config) as Json;
  const { batch_shape: shape, negative_slope: slope, axis, ...others } = options;
  return {
    ...others,
    ...(shape === undefined ? {} : { batch_input_shape: shape }),
    ...(className === 'LeakyReLU' && slope !== undefined ? { alpha: slope } : {}),
    ...(axis === undefined ? {} : { axis }),
  };
}

/** References to the outputs that a call takes, in order. */
function operandsOf(op: string, layer: string, node: unknown, counts: ReadonlyMap<string, number>): Reference[] {
  const found: Reference[] = [];
  const collect = (value: unknown, isArgument: boolean): void => {
    if (Array.isArray(value)) return value.forEach((item) => collect(item, isArgument));
    if (isObject(value) && value['class_name'] === '__keras_tensor__' && isArgument) {
      const history = (value['config'] as Json | undefined)?.['keras_history'];
      if (Array.isArray(history) && typeof history[0] === 'string' && history.slice(1).every(Number.isInteger)) {
        found.push(reference(history as [string, number, number], counts));
        return;
      }
    }
    const ignored = !isArgument && (value === null || typeof value === 'boolean');
    if (!ignored) throw invalid('ERR_ARGUMENT', op, `layer ${layer}: call`, 'outputs of layers alone', value);
  };
  if (!isObject(node)) throw invalid('ERR_FILE_FORMAT', op, `layer ${layer}: inbound_nodes`, 'args and kwargs', node);
  collect(node['args'] ?? [], true);
  collect(Object.values((node['kwargs'] as Json | undefined) ?? {}), false);
  return found;
}

/** A reference, its call counted as here. */
function reference(
  [name, call, output]: readonly [string, number, number],
  counts: ReadonlyMap<string, number>,
): Reference {
  return [name, call + (counts.get(name) ?? 0), output, {}];
}

function endsOf(op: string, key: string, value: unknown, counts: ReadonlyMap<string, number>): Reference[] {
  const isEnd = (end: unknown): end is [string, number, number] =>
    Array.isArray(end) && typeof end[0] === 'string' && end.length >= 3;
  if (isEnd(value)) return [reference(value, counts)];
  const list: unknown[] = isObject(value) ? Object.values(value) : Array.isArray(value) ? value : [undefined];
  return list.map((end) => {
    if (isEnd(end)) return reference(end, counts);
    throw invalid('ERR_FILE_FORMAT', op, key, '[layer, call, output]', end);
  });
}

/**
 * A layer or model of a Keras 3 file as `modelFromJSON` takes it.
 * @param op For errors.
 * @throws ArgumentError that names a layer whose class or option has no equal here; FileFormatError for what is no layer.
 */
export function fromKeras3(op: string, value: unknown): Json {
  const layer = layerOf(op, value);
  const { class_name: className, config } = layer;
  if (!isOwn(layer.module)) {
    const fix = 'make the model in code, and load its weights';
    throw invalid(
      'ERR_ARGUMENT',
      op,
      `layer ${nameOf(layer)}`,
      "one of Keras's layers",
      `${String(layer.module)}.${className}`,
      fix,
    );
  }
  if (className === 'TimeDistributed') {
    return { class_name: className, config: { ...optionsOf(op, layer), layer: fromKeras3(op, config['layer']) } };
  }
  if (!MODELS.has(className)) return { class_name: className, config: optionsOf(op, layer) };
  const { layers } = config;
  if (!Array.isArray(layers))
    throw invalid('ERR_FILE_FORMAT', op, `model ${nameOf(layer)}: layers`, 'an array', layers);
  const list = layers.map((one) => layerOf(op, one));
  const { name, trainable } = config;
  if (className === 'Sequential') {
    return { class_name: className, config: { name, trainable, layers: list.map((one) => fromKeras3(op, one)) } };
  }
  // Here a model's call 0 is its own graph. In Keras 3 the operands of calls count from 0 all the same, and the model's outputs count
  // so for sequential models alone.
  const counted = (...classes: readonly string[]): ReadonlyMap<string, number> =>
    new Map(list.filter((one) => classes.includes(one.class_name)).map((one) => [one.name ?? nameOf(one), 1]));
  const inner = counted(...MODELS);
  const outer = counted('Sequential');
  const made = list.map((one) => {
    const own = one.name ?? nameOf(one);
    if (!Array.isArray(one.inbound_nodes)) {
      throw failure(
        'ERR_FILE_FORMAT',
        op,
        `layer ${own}: inbound_nodes: expected an array, got ${show(one.inbound_nodes)}`,
      );
    }
    const calls = (one.inbound_nodes as unknown[]).map((node) => operandsOf(op, own, node, inner));
    return { name: own, ...fromKeras3(op, one), inbound_nodes: calls };
  });
  return {
    class_name: 'Functional',
    config: {
      name,
      trainable,
      layers: made,
      input_layers: endsOf(op, 'input_layers', config['input_layers'], outer),
      output_layers: endsOf(op, 'output_layers', config['output_layers'], outer),
    },
  };
}
