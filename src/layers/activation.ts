// Activations as layers' options name them: a string, an object with the activation's parameters, or what `activation()` returned.
// Those of the native table end a product or convolution inside the same op; formulas, and softmax and log-softmax, which look
// along an axis, follow it.
import { invalid } from '../errors.js';
import { activationNamed, type ActivationName, type AppliedActivation } from '../ops/activation.js';
import { add } from '../ops/arithmetic.js';
import { biasActivation } from '../ops/bias-activation.js';
import { cast } from '../ops/cast.js';
import { wideDType } from '../ops/cross-entropy.js';
import {
  activation as defineActivation,
  definedActivation,
  definedNames,
  isDefinedActivation,
  type ActivationDefinition,
  type DefinedActivation,
} from '../ops/defined-activation.js';
import type { Epilogue } from '../ops/fused.js';
import { logSoftmax, softmax } from '../ops/softmax.js';
import { activationTable } from '../tensor/activation-facts.js';
import type { DType } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';
import { camelCase, finite } from './options.js';

/** An activation with its parameters: `{name: 'elu', alpha: 0.5}`. Those left out have the defaults of the function. */
export interface ActivationConfig {
  /** As the function is called, e.g. `'selu'`; tfjs's and Keras's other names are understood. */
  readonly name: string;
  /** Of leakyRelu, elu, selu, celu. */
  readonly alpha?: number;
  /** Of selu. */
  readonly scale?: number;
  /** Of softplus. */
  readonly beta?: number;
  /** Parameters by name, as what `activation()` defined has them: values in the place of those it was defined with. */
  readonly parameters?: Readonly<Record<string, number>>;
}
/** What the option `activation` takes; nothing means linear. */
export type ActivationLike = string | ActivationConfig | ActivationDefinition | DefinedActivation | null | undefined;

/** Other names: tfjs's, Keras's, and what files of theirs have. */
const ALIASES: Readonly<Record<string, string>> = {
  swish: 'silu',
  hardSilu: 'hardSwish',
  geluNew: 'geluTanh',
  leakyrelu: 'leakyRelu',
};
/** In float32 for half types: shares that add up to 1 have few digits to lose, and the loss takes the logits from here. */
const ALONG_AXIS: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  softmax: (x) => softmax(cast(x, wideDType(x.dtype))),
  logSoftmax: (x) => logSoftmax(cast(x, wideDType(x.dtype))),
};

/** An activation that is ready to be applied. */
export class LayerActivation {
  constructor(
    /** Its name here, whatever alias was given. */
    readonly name: string,
    private readonly config: string | Record<string, unknown>,
    /** The parameters in the order of the native table, or null for what is not in it. */
    readonly parameters: readonly number[] | null,
    /** What fused ops take; null where they cannot apply it. */
    readonly epilogue: Pick<Epilogue, 'activation' | 'alpha' | 'scale' | 'beta'> | null,
    /** One of the user's formulas; null for all others. */
    readonly defined: DefinedActivation | null = null,
  ) {}

  /** The activation as an op of its own. */
  apply(x: Tensor): Tensor {
    if (this.defined !== null) return this.defined(x);
    if (this.parameters === null) return ALONG_AXIS[this.name]!(x);
    return this.name === 'linear' ? x : activationNamed(this.name as ActivationName).apply(x, this.parameters);
  }
  /** The activation of x + bias: one op where the native table has it. */
  applyAfterBias(x: Tensor, bias: Tensor | null): Tensor {
    if (bias === null) return this.apply(x);
    if (this.parameters === null) return this.apply(add(x, bias));
    return biasActivation(x, bias, this.name as ActivationName, this.parameters);
  }
  /** Dtype of the result for x of that dtype. */
  outputDType(dtype: DType): DType {
    return this.parameters === null && this.defined === null ? wideDType(dtype) : dtype;
  }
  /** The row of the native table with its parameters; null for what is not in it. */
  get applied(): AppliedActivation | null {
    return this.parameters === null ? null : { name: this.name as ActivationName, parameters: this.parameters };
  }
  /** What the option was: JSON that getActivation() takes back. */
  getConfig(): string | Record<string, unknown> {
    return this.config;
  }
}

const knownNames = (): string =>
  [...activationTable().keys(), ...Object.keys(ALONG_AXIS), ...definedNames()].join(', ');

/** A formula as an option: itself, its definition as files have it, or the name it was defined under with other parameters. */
function definedBy(identifier: unknown, config: ActivationConfig | ActivationDefinition): DefinedActivation | null {
  if (isDefinedActivation(identifier)) return identifier;
  if ('forward' in config) return defineActivation(config);
  const { name, parameters, ...others } = config;
  const found = definedActivation(name);
  if (found === undefined) return null;
  const given = { ...others, ...parameters };
  return Object.keys(given).length === 0 ? found : found.with(given);
}

/**
 * The activation that an option names.
 * @param layer Named in errors.
 * @param identifier A name, `{name, alpha?, scale?, beta?}`, what `activation()` returned or takes, or nothing for linear.
 * @throws ArgumentError for a name or a parameter that is not known, or a value out of range.
 */
export function getActivation(identifier: ActivationLike, layer = 'getActivation'): LayerActivation {
  if (identifier instanceof LayerActivation) return identifier;
  const asked = isDefinedActivation(identifier) ? identifier.definition : asConfig(layer, identifier);
  const defined = definedBy(identifier, asked);
  if (defined !== null) {
    const { name, ...rest } = defined.definition;
    return new LayerActivation(name, { name, ...rest }, null, null, defined);
  }
  const { name: given, parameters: named, ...others } = asked as ActivationConfig;
  const parameters = { ...others, ...named };
  const spelled = camelCase(given);
  const name = ALIASES[spelled] ?? spelled;
  const config = Object.keys(parameters).length === 0 ? given : { name: given, ...parameters };
  const alongAxis = Object.hasOwn(ALONG_AXIS, name) ? ALONG_AXIS[name] : undefined;
  if (alongAxis === undefined && !activationTable().has(name)) {
    const fix = name === 'prelu' ? 'it has weights: use layers.prelu()' : 'one of your own is defined by activation()';
    throw invalid('ERR_ARGUMENT', layer, 'activation', `one of ${knownNames()}`, given, fix);
  }
  const row = activationTable().get(name)?.parameters ?? [];
  for (const [parameter, value] of Object.entries(parameters)) {
    const known = row.find((one) => one.name === parameter);
    if (known === undefined) {
      const expected = row.length === 0 ? 'no parameters' : `no parameters but ${row.map((p) => p.name).join(', ')}`;
      throw invalid('ERR_ARGUMENT', layer, `activation ${given}`, expected, parameter);
    }
    finite(layer, `activation ${given}.${parameter}`, value, known.minimum);
  }
  if (alongAxis !== undefined) return new LayerActivation(name, config, null, null);
  const values = activationNamed(name as ActivationName).parameters(parameters);
  return new LayerActivation(name, config, values, { activation: name as ActivationName, ...parameters });
}

function asConfig(layer: string, identifier: unknown): ActivationConfig | ActivationDefinition {
  if (identifier === undefined || identifier === null) return { name: 'linear' };
  if (typeof identifier === 'string') return { name: identifier };
  if (typeof identifier === 'object' && !Array.isArray(identifier)) {
    // Files of tfjs and Keras have {className, config}.
    const { className, config, ...own } = identifier as { className?: unknown; config?: object };
    const flat = className === undefined ? own : { ...config, name: className };
    const given = Object.entries(flat).filter(([, value]) => value !== undefined);
    const plain = Object.fromEntries(given) as Record<string, unknown>;
    if (typeof plain['name'] === 'string') return plain as unknown as ActivationConfig;
  }
  const expected = 'a name or {name, alpha, scale, beta}';
  const fix = 'for a function use activation() or layers.lambda()';
  throw invalid('ERR_ARGUMENT', layer, 'activation', expected, identifier, fix);
}
