// Ops on each element: of one operand, of two that broadcast, comparisons, and activations.
import * as sn from '../../src/index.js';
import { ALL, arithmetic, asFloat, isFloat, widest, type Operand, type Range, type Row } from './draw.js';
import { broadcast, host, map, spreadAt, zip } from './host.js';

type Unary = (x: sn.Tensor) => sn.Tensor;
type Binary = (a: sn.Tensor, b: sn.Tensor) => sn.Tensor;

const halfToEven = (x: number): number => {
  const down = Math.floor(x);
  if (x - down !== 0.5) return Math.round(x);
  return down % 2 === 0 ? down : down + 1;
};

/** An op of floats, or one that keeps integers. */
function unary(op: Unary, f: (x: number) => number, kind: 'float' | 'number', range: Range = 'any'): Row {
  return (draw) => {
    const x = draw.operand(draw.shape(), draw.dtype(), range);
    const dtypes = kind === 'float' ? asFloat(x.dtype) : arithmetic(x.dtype);
    return { inputs: [x], call: op, expected: map(x, f), dtypes, kind: 'elementwise' };
  };
}

const UNARY: Readonly<Record<string, Row>> = {
  neg: unary(sn.neg, (x) => -x, 'number'),
  abs: unary(sn.abs, Math.abs, 'number'),
  sign: unary(sn.sign, Math.sign, 'number'),
  square: unary(sn.square, (x) => x * x, 'number'),
  sqrt: unary(sn.sqrt, Math.sqrt, 'float', 'positive'),
  rsqrt: unary(sn.rsqrt, (x) => 1 / Math.sqrt(x), 'float', 'positive'),
  exp: unary(sn.exp, Math.exp, 'float'),
  expm1: unary(sn.expm1, Math.expm1, 'float'),
  log: unary(sn.log, Math.log, 'float', 'positive'),
  log1p: unary(sn.log1p, Math.log1p, 'float', 'positive'),
  reciprocal: unary(sn.reciprocal, (x) => 1 / x, 'float', 'nonzero'),
  floor: unary(sn.floor, Math.floor, 'float'),
  ceil: unary(sn.ceil, Math.ceil, 'float'),
  round: unary(sn.round, halfToEven, 'float'),
};

/** Eighths with a NaN and infinities among them. */
function classified(op: Unary, f: (x: number) => boolean): Row {
  return (draw) => {
    const x = draw.operand(draw.shape());
    const data = Float64Array.from(x.data, (value) =>
      isFloat(x.dtype) ? draw.pick([value, value, NaN, Infinity, -Infinity]) : value,
    );
    const marked: Operand = { ...x, data };
    return {
      inputs: [marked],
      call: op,
      expected: map(marked, (value) => Number(f(value))),
      dtypes: 'bool',
      kind: 'exact',
    };
  };
}

function binary(
  op: Binary,
  f: (a: number, b: number, whole: boolean) => number,
  second: Range = 'any',
  first: Range = 'any',
): Row {
  return (draw) => {
    const [left, right] = draw.shapes();
    const a = draw.operand(left, draw.dtype(), first);
    const b = draw.operand(right, draw.bool ? a.dtype : draw.dtype(), second);
    const dtypes = arithmetic(a.dtype, b.dtype);
    const expected = zip(a, b, (x, y) => f(x, y, dtypes === 'int32'));
    return { inputs: [a, b], call: op, expected, dtypes, kind: 'elementwise' };
  };
}

function comparison(op: Binary, f: (a: number, b: number) => boolean): Row {
  return (draw) => {
    const [left, right] = draw.shapes();
    const [a, b] = [draw.operand(left, undefined, 'small'), draw.operand(right, undefined, 'small')];
    return { inputs: [a, b], call: op, expected: zip(a, b, (x, y) => Number(f(x, y))), dtypes: 'bool', kind: 'exact' };
  };
}

function logical(op: Binary, f: (a: number, b: number) => number): Row {
  return (draw) => {
    const [left, right] = draw.shapes();
    const [a, b] = [draw.operand(left, 'bool'), draw.operand(right, 'bool')];
    return { inputs: [a, b], call: op, expected: zip(a, b, f), dtypes: 'bool', kind: 'exact' };
  };
}

/** An activation with a parameter that is drawn too. */
function activation(call: (x: sn.Tensor, p: number) => sn.Tensor, f: (x: number, p: number) => number): Row {
  return (draw) => {
    const x = draw.operand(draw.shape());
    const p = draw.pick([0.25, 0.5, 1, 1.5]);
    const expected = map(x, (value) => f(value, p));
    return { inputs: [x], call: (input) => call(input, p), expected, dtypes: asFloat(x.dtype), kind: 'reduction' };
  };
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const elu = (x: number, alpha: number): number => (x > 0 ? x : alpha * Math.expm1(x));
const ALPHA = 1.6732632423543772;
const SCALE = 1.0507009873554805;
/** By its series: for |x| up to 3 / sqrt(2) it converges fast. */
function erf(x: number): number {
  let [term, sum] = [x, x];
  for (let n = 1; n < 60; n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

export const ACTIVATIONS: Readonly<Record<string, (x: number, p: number) => number>> = {
  linear: (x) => x,
  relu: (x) => Math.max(0, x),
  relu6: (x) => Math.min(6, Math.max(0, x)),
  leakyRelu: (x, p) => (x > 0 ? x : p * x),
  elu,
  selu: (x) => SCALE * elu(x, ALPHA),
  celu: (x, p) => (x > 0 ? x : p * Math.expm1(x / p)),
  softplus: (x, p) => Math.log1p(Math.exp(p * x)) / p,
  sigmoid,
  hardSigmoid: (x) => Math.min(1, Math.max(0, x / 6 + 0.5)),
  logSigmoid: (x) => -Math.log1p(Math.exp(-x)),
  tanh: Math.tanh,
  softsign: (x) => x / (1 + Math.abs(x)),
  gelu: (x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
  silu: (x) => x * sigmoid(x),
  mish: (x) => x * Math.tanh(Math.log1p(Math.exp(x))),
  hardSwish: (x) => x * Math.min(1, Math.max(0, x / 6 + 0.5)),
};
const WITH_PARAMETER = new Set(['leakyRelu', 'elu', 'celu', 'softplus']);

export const ELEMENTWISE: Readonly<Record<string, Row>> = {
  ...UNARY,
  isNaN: classified(sn.isNaN, Number.isNaN),
  isInf: classified(sn.isInf, (x) => Math.abs(x) === Infinity),
  clipByValue: (draw) => {
    const x = draw.operand(draw.shape());
    const [low, high] = [draw.int(-3, 0), draw.int(0, 3)];
    const expected = map(x, (value) => Math.min(high, Math.max(low, value)));
    return {
      inputs: [x],
      call: (t) => sn.clipByValue(t, low, high),
      expected,
      dtypes: arithmetic(x.dtype),
      kind: 'exact',
    };
  },
  logicalNot: (draw) => {
    const x = draw.operand(draw.shape(), 'bool');
    return { inputs: [x], call: sn.logicalNot, expected: map(x, (value) => 1 - value), dtypes: 'bool', kind: 'exact' };
  },
  add: binary(sn.add, (a, b) => a + b),
  sub: binary(sn.sub, (a, b) => a - b),
  mul: binary(sn.mul, (a, b) => a * b),
  div: binary(sn.div, (a, b, whole) => (whole ? Math.floor(a / b) : a / b), 'nonzero'),
  mod: binary(sn.mod, (a, b) => a - b * Math.floor(a / b), 'nonzero'),
  pow: binary(sn.pow, Math.pow, 'positive', 'positive'),
  maximum: binary(sn.maximum, (a, b) => Math.max(a, b)),
  minimum: binary(sn.minimum, (a, b) => Math.min(a, b)),
  squaredDifference: binary(sn.squaredDifference, (a, b) => (a - b) ** 2),
  equal: comparison(sn.equal, (a, b) => a === b),
  notEqual: comparison(sn.notEqual, (a, b) => a !== b),
  less: comparison(sn.less, (a, b) => a < b),
  lessEqual: comparison(sn.lessEqual, (a, b) => a <= b),
  greater: comparison(sn.greater, (a, b) => a > b),
  greaterEqual: comparison(sn.greaterEqual, (a, b) => a >= b),
  logicalAnd: logical(sn.logicalAnd, (a, b) => a & b),
  logicalOr: logical(sn.logicalOr, (a, b) => a | b),
  where: (draw) => {
    const full = draw.shape();
    const c = draw.operand(draw.narrower(full), 'bool');
    const [a, b] = [draw.operand(draw.narrower(full)), draw.operand(draw.narrower(full))];
    const expected = host(broadcast(c.shape, a.shape, b.shape), (index) =>
      spreadAt(spreadAt(c, index) === 1 ? a : b, index),
    );
    return { inputs: [c, a, b], call: sn.where, expected, dtypes: widest(a.dtype, b.dtype), kind: 'exact' };
  },
  activation: unary(
    (x) => sn.activation({ name: 'bentByFormula', forward: 'x > 0 ? x : a * tanh(x)', parameters: { a: 0.5 } })(x),
    (x) => (x > 0 ? x : 0.5 * Math.tanh(x)),
    'float',
  ),
  prelu: (draw) => {
    const x = draw.operand(draw.shape());
    const alpha = draw.operand(draw.narrower(x.shape), asFloat(x.dtype), 'small');
    const expected = zip(x, alpha, (value, slope) => (value > 0 ? value : slope * value));
    return { inputs: [x, alpha], call: sn.prelu, expected, dtypes: asFloat(x.dtype), kind: 'elementwise' };
  },
  cast: (draw) => {
    const target = draw.dtype(ALL);
    const x = draw.operand(draw.shape(), draw.dtype(), target === 'uint8' ? 'positive' : 'any');
    const expected = map(x, (value) =>
      target === 'bool' ? Number(value !== 0) : isFloat(target) ? value : Math.trunc(value),
    );
    return { inputs: [x], call: (t) => sn.cast(t, target), expected, dtypes: target, kind: 'exact' };
  },
  ...Object.fromEntries(
    Object.entries(ACTIVATIONS).map(([name, f]) => {
      const op = (sn as unknown as Record<string, (x: sn.Tensor, p?: number) => sn.Tensor>)[name]!;
      return [name, activation((x, p) => (WITH_PARAMETER.has(name) ? op(x, p) : op(x)), f)];
    }),
  ),
};
