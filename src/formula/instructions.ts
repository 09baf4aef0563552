// What a formula is computed with: each operation's value in float64, its derivative, and the name by which formulas call it.
import { erf } from './erf.js';
import type { Algebra } from './algebra.js';
import { OPERATION_NAMES, type Expression, type OperationName } from './expression.js';

/** One operation of one to three operands. */
export interface Operation {
  /** How many operands it takes. */
  readonly arity: number;
  /** Its value in float64. */
  readonly evaluate: (...operands: number[]) => number;
  /** Derivatives by each operand, given the operands and the result; null where it is 0. None: constant between jumps. */
  readonly partials?: (e: Algebra, operands: readonly Expression[], result: Expression) => (Expression | null)[];
  /**
   * Of what gives one of its operands: a condition and the numbers of the operands that it chooses from. The slope is the
   * chosen one's alone, as the other may be infinite.
   */
  readonly choice?: (e: Algebra, operands: readonly Expression[]) => readonly [Expression, number, number];
  /** The name by which formulas call it; none for what has a sign of its own. */
  readonly call?: string;
}

const test = (holds: boolean): number => (holds ? 1 : 0);
// Where both are equal, max(x, c) has the slope of c and min(x, c) that of x, whichever comes first: what there is to the left of the
// kink, as in relu, and in what keeps the other branch of a choice from overflowing, exp(min(x, 0)).
function chosen(
  e: Algebra,
  [a, b]: readonly Expression[],
  larger: number,
  smaller: number,
): [Expression, number, number] {
  if (a!.kind !== 'constant') return [e.call('less', b!, a!), larger, smaller];
  return [e.call('less', a!, b!), 1 - larger, 1 - smaller];
}

const TWO_BY_ROOT_PI = 2 / Math.sqrt(Math.PI);

const OPERATIONS: Readonly<Record<OperationName, Operation>> = {
  move: { arity: 1, evaluate: (a) => a, partials: (e) => [e.constant(1)] },
  neg: { arity: 1, evaluate: (a) => -a, partials: (e) => [e.constant(-1)] },
  abs: { arity: 1, call: 'abs', evaluate: Math.abs, partials: (e, [a]) => [e.call('sign', a!)] },
  sign: { arity: 1, call: 'sign', evaluate: Math.sign },
  sqrt: { arity: 1, call: 'sqrt', evaluate: Math.sqrt, partials: (e, _, y) => [e.div(e.constant(0.5), y)] },
  exp: { arity: 1, call: 'exp', evaluate: Math.exp, partials: (_e, _, y) => [y] },
  expm1: { arity: 1, call: 'expm1', evaluate: Math.expm1, partials: (e, [a]) => [e.call('exp', a!)] },
  log: { arity: 1, call: 'log', evaluate: Math.log, partials: (e, [a]) => [e.div(e.constant(1), a!)] },
  log1p: {
    arity: 1,
    call: 'log1p',
    evaluate: Math.log1p,
    partials: (e, [a]) => [e.div(e.constant(1), e.add(e.constant(1), a!))],
  },
  tanh: {
    arity: 1,
    call: 'tanh',
    evaluate: Math.tanh,
    partials: (e, _, y) => [e.mul(e.sub(e.constant(1), y), e.add(e.constant(1), y))],
  },
  sigmoid: {
    arity: 1,
    call: 'sigmoid',
    evaluate: (a) => 1 / (1 + Math.exp(-a)),
    // sigmoid(-x), not 1 - sigmoid(x), which loses every digit for large x.
    partials: (e, [a], y) => [e.mul(y, e.call('sigmoid', e.neg(a!)))],
  },
  softplus: {
    arity: 1,
    call: 'softplus',
    evaluate: (a) => Math.max(a, 0) + Math.log1p(Math.exp(-Math.abs(a))),
    partials: (e, [a]) => [e.call('sigmoid', a!)],
  },
  erf: {
    arity: 1,
    call: 'erf',
    evaluate: erf,
    partials: (e, [a]) => [e.mul(e.constant(TWO_BY_ROOT_PI), e.call('exp', e.neg(e.mul(a!, a!))))],
  },
  sin: { arity: 1, call: 'sin', evaluate: Math.sin, partials: (e, [a]) => [e.call('cos', a!)] },
  cos: { arity: 1, call: 'cos', evaluate: Math.cos, partials: (e, [a]) => [e.neg(e.call('sin', a!))] },
  floor: { arity: 1, call: 'floor', evaluate: Math.floor },
  add: { arity: 2, evaluate: (a, b) => a + b, partials: (e) => [e.constant(1), e.constant(1)] },
  sub: { arity: 2, evaluate: (a, b) => a - b, partials: (e) => [e.constant(1), e.constant(-1)] },
  mul: { arity: 2, evaluate: (a, b) => a * b, partials: (_, [a, b]) => [b!, a!] },
  div: {
    arity: 2,
    evaluate: (a, b) => a / b,
    partials: (e, [, b], y) => [e.div(e.constant(1), b!), e.neg(e.div(y, b!))],
  },
  pow: {
    arity: 2,
    call: 'pow',
    evaluate: (a, b) => a ** b,
    partials: (e, [a, b], y) => [
      e.mul(b!, e.pow(a!, e.sub(b!, e.constant(1)))),
      b!.kind === 'constant' ? null : e.mul(y, e.call('log', a!)),
    ],
  },
  min: { arity: 2, call: 'min', evaluate: Math.min, choice: (e, of) => chosen(e, of, 1, 0) },
  max: { arity: 2, call: 'max', evaluate: Math.max, choice: (e, of) => chosen(e, of, 0, 1) },
  less: { arity: 2, evaluate: (a, b) => test(a < b) },
  lessEqual: { arity: 2, evaluate: (a, b) => test(a <= b) },
  equal: { arity: 2, evaluate: (a, b) => test(a === b) },
  notEqual: { arity: 2, evaluate: (a, b) => test(a !== b) },
  where: {
    arity: 3,
    call: 'where',
    evaluate: (condition, a, b) => (condition !== 0 ? a : b),
    choice: (_, [condition]) => [condition!, 1, 2],
  },
};

export const operation = (name: OperationName): Operation => OPERATIONS[name];

/** Numbers of the native table. */
export const OPERATION_INDEX: ReadonlyMap<OperationName, number> = new Map(
  OPERATION_NAMES.map((name, index) => [name, index]),
);

const TESTS: ReadonlySet<OperationName> = new Set(['less', 'lessEqual', 'equal', 'notEqual']);

/** Whether a value is 1 or 0. */
export const isTest = (e: Expression): boolean => e.kind === 'call' && TESTS.has(e.operation);

/** Operations by the name that formulas call them by. */
export const FUNCTIONS: ReadonlyMap<string, OperationName> = new Map(
  OPERATION_NAMES.flatMap((name) => {
    const { call } = operation(name);
    return call === undefined ? [] : [[call, name] as const];
  }),
);
