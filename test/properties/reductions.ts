// Ops that fold axes: sums, extremes, positions, moments, norms, and what runs along an axis.
import * as sn from '../../src/index.js';
import { arithmetic, asFloat, type Draw, type Example, type Operand, type Row } from './draw.js';
import { at, host, reduce, total, type Host } from './host.js';

type Reduce = (x: sn.Tensor, axis?: number | number[] | null, keepDims?: boolean) => sn.Tensor;

const mean = (values: readonly number[]): number => total(values) / values.length;
/** The first place of the largest. */
const argMax = (values: readonly number[]): number => values.indexOf(Math.max(...values));

interface Rule {
  readonly result: (x: Operand) => Example['dtypes'];
  readonly kind: Example['kind'];
  /** Whether empty axes are refused. */
  readonly leastSize?: number;
  readonly operand?: (draw: Draw, shape: number[]) => Operand;
}

function reduction(op: Reduce, f: (values: number[]) => number, { result, kind, leastSize = 0, operand }: Rule): Row {
  return (draw) => {
    const shape = draw.shape(0, 4, leastSize);
    const x = operand === undefined ? draw.operand(shape) : operand(draw, shape);
    const { given, axes } = draw.axes(x.shape.length);
    const keepDims = draw.bool;
    const expected = reduce(x, axes, keepDims, f);
    return { inputs: [x], call: (t) => op(t, given, keepDims), expected, dtypes: result(x), kind };
  };
}

const numbers = (x: Operand): Example['dtypes'] => arithmetic(x.dtype);
const floats = (x: Operand): Example['dtypes'] => asFloat(x.dtype);
const bools: Rule = { result: () => 'bool', kind: 'exact', operand: (draw, shape) => draw.operand(shape, 'bool') };

/** Few factors, so that no product overflows or vanishes. */
function factors(draw: Draw): Operand {
  const x = draw.operand(Array.from({ length: draw.int(0, 3) }, () => draw.int(0, 2)));
  return { ...x, data: Float64Array.from(x.data, (value) => (x.dtype === 'bool' ? value : draw.pick([1, 2, 3, 1]))) };
}

function argReduction(op: (x: sn.Tensor, axis?: number) => sn.Tensor, f: (values: number[]) => number): Row {
  return (draw) => {
    const x = draw.operand(draw.shape(1, 4, 1), undefined, 'small');
    const { given, axis } = draw.axis(x.shape.length);
    return {
      inputs: [x],
      call: (t) => op(t, given),
      expected: reduce(x, [axis], false, f),
      dtypes: 'int32',
      kind: 'exact',
    };
  };
}

/** Along the last axis or another: each element from the values of its row. */
function alongAxis(x: Host, axis: number, f: (row: number[], place: number) => number): Host {
  return host(x.shape, (index) => {
    const row = Array.from({ length: x.shape[axis]! }, (_, place) =>
      at(
        x,
        index.map((one, i) => (i === axis ? place : one)),
      ),
    );
    return f(row, index[axis]!);
  });
}

function softmaxRow(op: (x: sn.Tensor, axis?: number) => sn.Tensor, f: (row: number[], place: number) => number): Row {
  return (draw) => {
    const x = draw.operand(draw.shape(1, 4, 0));
    const { given, axis } = draw.axis(x.shape.length);
    const expected = alongAxis(x, axis, f);
    return { inputs: [x], call: (t) => op(t, given), expected, dtypes: asFloat(x.dtype), kind: 'composite' };
  };
}

const exponentials = (row: readonly number[]): number => total(row.map(Math.exp));

export const REDUCTIONS: Readonly<Record<string, Row>> = {
  sum: reduction(sn.sum, total, { result: numbers, kind: 'reduction' }),
  mean: reduction(sn.mean, mean, { result: floats, kind: 'reduction', leastSize: 1 }),
  max: reduction(sn.max, (values) => Math.max(...values), { result: numbers, kind: 'exact', leastSize: 1 }),
  min: reduction(sn.min, (values) => Math.min(...values), { result: numbers, kind: 'exact', leastSize: 1 }),
  prod: reduction(sn.prod, (values) => values.reduce((a, b) => a * b, 1), {
    result: numbers,
    kind: 'reduction',
    operand: factors,
  }),
  any: reduction(sn.any, (values) => Number(values.includes(1)), bools),
  all: reduction(sn.all, (values) => Number(!values.includes(0)), bools),
  logSumExp: reduction(sn.logSumExp, (values) => Math.log(exponentials(values)), {
    result: floats,
    kind: 'composite',
  }),
  argMax: argReduction(sn.argMax, argMax),
  argMin: argReduction(sn.argMin, (values) => argMax(values.map((value) => -value))),
  moments: (draw) => {
    const x = draw.operand(draw.shape(0, 4, 1));
    const { given, axes } = draw.axes(x.shape.length);
    const keepDims = draw.bool;
    const variance = (values: number[]): number => mean(values.map((value) => (value - mean(values)) ** 2));
    return {
      inputs: [x],
      call: (t) => {
        const found = sn.moments(t, given, keepDims);
        return [found.mean, found.variance];
      },
      expected: [reduce(x, axes, keepDims, mean), reduce(x, axes, keepDims, variance)],
      dtypes: asFloat(x.dtype),
      kind: 'composite',
    };
  },
  norm: (draw) => {
    const x = draw.operand(draw.shape(1, 3, 1));
    const { given, axis } = draw.axis(x.shape.length);
    const keepDims = draw.bool;
    const ord = draw.pick(['euclidean', 1, 2, Infinity, -Infinity] as const);
    const f = (values: number[]): number => {
      const sizes = values.map(Math.abs);
      if (ord === 1) return total(sizes);
      if (ord === Infinity) return Math.max(...sizes);
      return ord === -Infinity ? Math.min(...sizes) : Math.sqrt(total(sizes.map((size) => size * size)));
    };
    const whole = draw.bool;
    const axes = whole ? x.shape.map((_, i) => i) : [axis];
    const expected = reduce(x, axes, keepDims, f);
    return {
      inputs: [x],
      call: (t) => sn.norm(t, ord, whole ? null : given, keepDims),
      expected,
      dtypes: asFloat(x.dtype),
      kind: 'composite',
    };
  },
  softmax: softmaxRow(sn.softmax, (row, place) => Math.exp(row[place]!) / exponentials(row)),
  logSoftmax: softmaxRow(sn.logSoftmax, (row, place) => -Math.log(total(row.map((x) => Math.exp(x - row[place]!))))),
  cumsum: (draw) => {
    const x = draw.operand(draw.shape(1, 4));
    const { given, axis } = draw.axis(x.shape.length);
    const [exclusive, reverse] = [draw.bool, draw.bool];
    const expected = alongAxis(x, axis, (row, place) => {
      const rest = reverse ? row.slice(place + (exclusive ? 1 : 0)) : row.slice(0, place + (exclusive ? 0 : 1));
      return total(rest);
    });
    return {
      inputs: [x],
      call: (t) => sn.cumsum(t, given, exclusive, reverse),
      expected,
      dtypes: arithmetic(x.dtype),
      kind: 'reduction',
    };
  },
  topk: (draw) => {
    const x = draw.operand(draw.shape(1, 4, 1), undefined, 'small');
    const size = x.shape.at(-1)!;
    const k = draw.int(0, size);
    const sorted = (index: readonly number[]): number[] => {
      const row = Array.from({ length: size }, (_, place) => at(x, [...index.slice(0, -1), place]));
      return row.map((_, place) => place).sort((a, b) => row[b]! - row[a]! || a - b);
    };
    const places = host([...x.shape.slice(0, -1), k], (index) => sorted(index)[index.at(-1)!]!);
    const values = host(places.shape, (index) => at(x, [...index.slice(0, -1), at(places, index)]));
    return {
      inputs: [x],
      call: (t) => {
        const found = sn.topk(t, k);
        return [found.values, found.indices];
      },
      expected: [values, places],
      dtypes: [x.dtype, 'int32'],
      kind: 'exact',
    };
  },
  layerNorm: (draw) => {
    const x = draw.operand(draw.shape(1, 4, 1), draw.dtype());
    const { given, axis } = draw.axis(x.shape.length);
    const epsilon = 0.25;
    const expected = alongAxis(x, axis, (row, place) => {
      const centre = mean(row);
      return (row[place]! - centre) / Math.sqrt(mean(row.map((value) => (value - centre) ** 2)) + epsilon);
    });
    return {
      inputs: [x],
      call: (t) => sn.layerNorm(t, given, epsilon),
      expected,
      dtypes: asFloat(x.dtype),
      kind: 'composite',
    };
  },
  batchNorm: (draw) => {
    const x = draw.operand(draw.shape(1, 4), draw.dtype(['float32', 'float64', 'float16', 'bfloat16']));
    const channels = [x.shape.at(-1)!];
    const [centre, offset, scale] = [0, 1, 2].map(() => draw.operand(channels, x.dtype, 'small'));
    const variance = draw.operand(channels, x.dtype, 'positive');
    const expected = host(x.shape, (index) => {
      const channel = [index.at(-1)!];
      const normal = (at(x, index) - at(centre!, channel)) / Math.sqrt(at(variance, channel) + 0.5);
      return normal * at(scale!, channel) + at(offset!, channel);
    });
    return {
      inputs: [x, centre!, variance, offset!, scale!],
      call: (t, m, v, o, s) => sn.batchNorm(t, m, v, o, s, 0.5),
      expected,
      dtypes: x.dtype,
      kind: 'composite',
    };
  },
};
