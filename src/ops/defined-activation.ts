// Activations that users define by formulas: checked when they are defined, one kernel forward and one backward wherever a
// built-in activation may stand, and known by name from then on.
import { isRecording, record } from '../autograd/tape.js';
import { invalid } from '../errors.js';
import { Algebra } from '../formula/algebra.js';
import { checkDerivative } from '../formula/check-derivative.js';
import { compileFormula } from '../formula/compile.js';
import type { Expression } from '../formula/expression.js';
import { FUNCTIONS } from '../formula/instructions.js';
import { NUMBERS, parseFormula } from '../formula/parse.js';
import { activationTable } from '../tensor/activation-facts.js';
import type { TensorLike } from '../tensor/convert.js';
import type { Mutable, ShapeOf } from '../tensor/shape-types.js';
import type { Tensor } from '../tensor/tensor.js';
import { floatOperand } from './define.js';
import { FormulaFunction } from './formula.js';

/** What an activation is made of; files keep it with the models that use it. */
export interface ActivationDefinition {
  /** Letters, digits and underscores, beginning with a letter; no built-in activation's. */
  readonly name: string;
  /** Of x and the parameters. */
  readonly forward: string;
  /** The slope of forward, of x, y = forward(x) and the parameters. Left out, it is worked out from forward. */
  readonly derivative?: string;
  /** Numbers that the formulas call by name. */
  readonly parameters?: Readonly<Record<string, number>>;
}

/** An activation of the user's: a function of tensors, and what options named `activation` take. */
export interface DefinedActivation {
  <X extends TensorLike>(x: X): Tensor<Mutable<ShapeOf<X>>>;
  readonly name: string;
  /** What it was made from; `activation()` takes it back. */
  readonly definition: ActivationDefinition;
  /** The same formulas with other values of some parameters. It does not take the name. */
  with(parameters: Readonly<Record<string, number>>): DefinedActivation;
}

/** Names that mean something else where an activation is named. */
const TAKEN = ['prelu', 'softmax', 'logSoftmax', 'swish', 'hardSilu', 'geluNew'];
/** More would be a model. */
const MOST_PARAMETERS = 32;
const NAME = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;
const plain = (name: string): string => name.replaceAll('_', '').toLowerCase();

const defined = new Map<string, DefinedActivation>();
const all = new WeakSet<object>();

/** The activation that was last defined under a name, if any. */
export const definedActivation = (name: string): DefinedActivation | undefined => defined.get(name);

/** Names of the activations that were defined. */
export const definedNames = (): string[] => [...defined.keys()];

/** Whether a value is what `activation()` returned. */
export const isDefinedActivation = (value: unknown): value is DefinedActivation =>
  typeof value === 'function' && all.has(value);

const sameDefinition = (a: ActivationDefinition, b: ActivationDefinition): boolean =>
  a.name === b.name &&
  a.forward === b.forward &&
  a.derivative === b.derivative &&
  JSON.stringify(a.parameters ?? {}) === JSON.stringify(b.parameters ?? {});

function checkName(name: unknown): string {
  const expected = 'a name of letters, digits and underscores that begins with a letter';
  if (typeof name !== 'string' || !NAME.test(name)) throw invalid('ERR_ARGUMENT', 'activation', 'name', expected, name);
  const known = [...activationTable().keys(), ...TAKEN].find((other) => plain(other) === plain(name));
  if (known !== undefined) {
    throw invalid('ERR_ARGUMENT', 'activation', 'name', 'a name that no built-in activation has', name);
  }
  return name;
}

function checkParameters(op: string, given: unknown): Record<string, number> {
  if (given === undefined) return {};
  if (given === null || typeof given !== 'object' || Array.isArray(given)) {
    throw invalid('ERR_ARGUMENT', op, 'parameters', 'an object of numbers', given);
  }
  const entries = Object.entries(given as Record<string, unknown>);
  if (entries.length > MOST_PARAMETERS) {
    throw invalid('ERR_ARGUMENT', op, 'parameters', `at most ${MOST_PARAMETERS}`, entries.length);
  }
  for (const [name, value] of entries) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      throw invalid('ERR_ARGUMENT', op, 'parameters', 'names of letters, digits and underscores', name);
    }
    if (name === 'x' || name === 'y' || name === 'name' || NUMBERS.has(name) || FUNCTIONS.has(name)) {
      throw invalid('ERR_ARGUMENT', op, 'parameters', 'names that mean nothing else in a formula', name);
    }
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      throw invalid('ERR_ARGUMENT', op, `parameters.${name}`, 'a finite number', value);
    }
  }
  return Object.fromEntries(entries) as Record<string, number>;
}

/** The two kernels. */
function functionsOf(definition: ActivationDefinition): { forward: FormulaFunction; backward: FormulaFunction } {
  const { name, forward: forwardText, derivative: derivativeText } = definition;
  const op = `activation '${name}'`;
  const parameters = checkParameters(op, definition.parameters);
  const names = Object.keys(parameters);
  const e = new Algebra();
  const read = (argument: string, formula: string, variables: readonly string[]): Expression => {
    const hints = { y: 'only derivative knows y, the value of forward' };
    const parsed = parseFormula(formula, { op, argument, names: [...variables, ...names], hints });
    return e.substitute(parsed, parameters);
  };
  const forward = read('forward', forwardText, ['x']);
  const slope =
    derivativeText === undefined ? e.derivative(forward, 'x') : read('derivative', derivativeText, ['x', 'y']);
  checkDerivative(op, compileFormula(op, e, forward, ['x']), compileFormula(op, e, slope, ['x', 'y']));
  return {
    forward: new FormulaFunction(op, e, forward, ['x']),
    backward: new FormulaFunction(op, e, e.mul(e.variable("d'y"), slope), ["d'y", 'x', 'y']),
  };
}

function make(definition: ActivationDefinition): DefinedActivation {
  const { name } = definition;
  const { forward, backward } = functionsOf(definition);
  const apply = (input: TensorLike): Tensor => {
    const x = floatOperand(name, 'x', input);
    const y = forward.value([x], x);
    if (isRecording()) {
      const saved = [backward.uses(1) ? x : null, backward.uses(2) ? y : null];
      record([y], [x], ([dy]) => [dy == null ? null : backward.apply([dy, ...saved], dy)]);
    }
    return y;
  };
  const activation = Object.defineProperties(apply, {
    name: { value: name },
    definition: { value: Object.freeze({ ...definition }), enumerable: true },
    with: {
      value: (given: Readonly<Record<string, number>>) => {
        const known = definition.parameters ?? {};
        for (const parameter of Object.keys(checkParameters(`activation '${name}'`, given))) {
          if (Object.hasOwn(known, parameter)) continue;
          const expected = `parameters among ${Object.keys(known).join(', ') || '(none)'}`;
          throw invalid('ERR_ARGUMENT', `activation '${name}'`, 'with', expected, parameter);
        }
        return make({ ...definition, parameters: { ...known, ...given } });
      },
    },
  }) as unknown as DefinedActivation;
  all.add(activation);
  return activation;
}

/**
 * Defines an activation by formulas. It is a function of tensors, and may stand wherever a built-in activation may: as itself or, from
 * then on, by its name. Models that use it keep its formulas in their files, so that loading one defines it again.
 *
 * Formulas know `x`, the parameters and `pi`; numbers, `+ - * / ^`, comparisons, `&& || !`, `condition ? a : b`; and the functions abs, sign,
 * sqrt, exp, expm1, log, log1p, tanh, sigmoid, softplus, erf, sin, cos, floor, pow, min, max, where. They run as one kernel each way: compiled
 * by NVRTC on a GPU, interpreted in vectors on a CPU; in float32 for 16-bit types.
 * @param definition name, forward, derivative (else worked out from forward), parameters. A later definition of the same name takes it;
 *   what was made of the earlier one stays as it is.
 * @throws ArgumentError for a name that is taken, parameters that are not finite, a formula that is none (with a caret under the fault), and a
 *   derivative that is not the slope of forward.
 * @example
 * const swishish = sn.activation({name: 'swishish', forward: 'x / (1 + exp(-b * x))', parameters: {b: 1.5}});
 * sn.layers.dense({units: 64, activation: swishish});
 */
export function activation(definition: ActivationDefinition): DefinedActivation {
  if (definition === null || typeof definition !== 'object' || Array.isArray(definition)) {
    throw invalid('ERR_ARGUMENT', 'activation', 'definition', '{name, forward, derivative, parameters}', definition);
  }
  const { name: given, forward, derivative, parameters, ...others } = definition;
  const name = checkName(given);
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    const expected = 'name, forward, derivative and parameters alone';
    throw invalid('ERR_ARGUMENT', `activation '${name}'`, 'definition', expected, unknown);
  }
  const clean: ActivationDefinition = {
    name,
    forward,
    ...(derivative === undefined || derivative === null ? {} : { derivative }),
    ...(parameters === undefined || parameters === null
      ? {}
      : { parameters: checkParameters(`activation '${name}'`, parameters) }),
  };
  const known = defined.get(name);
  if (known !== undefined && sameDefinition(known.definition, clean)) return known;
  const made = make(clean);
  defined.set(name, made);
  return made;
}
