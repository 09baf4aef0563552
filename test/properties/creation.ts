// Tensors from nothing: values, ranges, and random numbers, of which the properties are checked that every draw has.
import * as sn from '../../src/index.js';
import { ALL, FLOATS, type Draw, type Example, type Row } from './draw.js';
import { host, type Host } from './host.js';

/** An op without operands. */
const made = (expected: Host, dtypes: Example['dtypes'], call: () => sn.Tensor): Example => ({
  inputs: [],
  call,
  expected,
  dtypes,
  kind: 'exact',
});

function filled(op: (shape: number[], dtype: sn.DType) => sn.Tensor, value: number): Row {
  return (draw) => {
    const [shape, dtype] = [draw.shape(), draw.dtype(ALL)];
    return made(
      host(shape, () => value),
      dtype,
      () => op(shape, dtype),
    );
  };
}

/** Values of a rank, from a flat list or nested arrays. */
function ofRank(rank: number, op: (values: never, shape?: never, dtype?: never) => sn.Tensor): Row {
  return (draw) => {
    const x = draw.operand(Array.from({ length: rank }, () => draw.size()));
    const values = sn.tensor(Float64Array.from(x.data), [...x.shape], x.dtype);
    // An array cannot say how long the axes behind an empty one are.
    const nested = !x.shape.includes(0) && draw.bool;
    const source = (nested && rank > 0 ? values.arraySync() : Array.from(x.data)) as never;
    const shape = (nested ? undefined : x.shape) as never;
    values.dispose();
    const call =
      rank < 2
        ? () => op((rank === 0 ? x.data[0] : source) as never, x.dtype as never)
        : () => op(source, shape, x.dtype as never);
    return made(x, x.dtype, call);
  };
}

/** What every draw from a distribution has. */
function random(
  op: (draw: Draw, shape: number[], dtype: 'float32' | 'float64', seed: number) => sn.Tensor,
  within: (value: number) => boolean,
): Row {
  return (draw) => {
    const [shape, dtype, seed] = [
      draw.shape(),
      draw.dtype(['float32', 'float64']) as 'float32' | 'float64',
      draw.int(0, 99),
    ];
    // 1 where a value lies where it may and is the same when it is drawn again.
    return made(
      host(shape, () => 1),
      'bool',
      () => {
        const [first, again] = [op(draw, shape, dtype, seed), op(draw, shape, dtype, seed)];
        if (first.dtype !== dtype) throw new Error(`expected ${dtype}, got ${first.dtype}`);
        const [a, b] = [first.dataSync(), again.dataSync()];
        return sn.tensor(
          Array.from(a, (value, i) => value === b[i] && within(value)),
          shape,
          'bool',
        );
      },
    );
  };
}

type Drop = (x: sn.Tensor, rate: number, seed: number) => sn.Tensor;
/** Each element is one of the two things it may become, the same ones when drawn again. */
function dropped(op: Drop, kept: (x: number, rate: number) => number, lost: (rate: number) => number): Row {
  return (draw) => {
    const x = draw.operand(draw.shape(), draw.dtype(['float32', 'float64']), 'positive');
    const rate = draw.pick([0, 0.25, 0.5]);
    const seed = draw.int(0, 99);
    return {
      inputs: [x],
      call: (t) => {
        const [first, again] = [op(t, rate, seed).dataSync(), op(t, rate, seed).dataSync()];
        const near = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-5 * (1 + Math.abs(b));
        const fits = Array.from(first, (value, i) => {
          const isKept = near(value, kept(x.data[i]!, rate));
          return value === again[i] && (isKept || (rate > 0 && near(value, lost(rate))));
        });
        return sn.tensor(fits, [...x.shape], 'bool');
      },
      expected: host(x.shape, () => 1),
      dtypes: 'bool',
      kind: 'exact',
    };
  };
}

/** What a unit that alpha dropout drops becomes, before the affine map: SELU's lower limit. */
const DROPPED = -1.0507009873554805 * 1.6732632423543772;
const affine = (rate: number): [a: number, b: number] => {
  const a = 1 / Math.sqrt((1 - rate) * (1 + rate * DROPPED ** 2));
  return [a, -a * rate * DROPPED];
};
const alphaKept = (x: number, rate: number): number => affine(rate)[0] * x + affine(rate)[1];
const alphaLost = (rate: number): number => affine(rate)[0] * DROPPED + affine(rate)[1];
const SELU = 1.0507009873554805;

export const CREATION: Readonly<Record<string, Row>> = {
  tensor: ofRank(3, sn.tensor),
  scalar: ofRank(0, sn.scalar),
  tensor1d: ofRank(1, sn.tensor1d),
  tensor2d: ofRank(2, sn.tensor2d),
  tensor3d: ofRank(3, sn.tensor3d),
  tensor4d: ofRank(4, sn.tensor4d),
  zeros: filled(sn.zeros, 0),
  ones: filled(sn.ones, 1),
  fill: (draw) => {
    const [shape, dtype] = [draw.shape(), draw.dtype(ALL)];
    const value = draw.value(dtype);
    return made(
      host(shape, () => value),
      dtype,
      () => sn.fill(shape, value, dtype),
    );
  },
  eye: (draw) => {
    const [rows, columns, batch] = [draw.size(), draw.size(), draw.shape(0, 2)];
    const dtype = draw.dtype(ALL);
    const expected = host([...batch, rows, columns], (index) => Number(index.at(-1) === index.at(-2)));
    return made(expected, dtype, () => sn.eye(rows, columns, batch, dtype));
  },
  range: (draw) => {
    const [start, count, step] = [draw.int(-20, 20), draw.int(0, 9), draw.pick([1, 2, -1, -3])];
    const dtype = draw.dtype([...FLOATS, 'int32']);
    // A step of 1 turns round where stop lies below start.
    const expected = host([count], ([i]) => start + i! * step);
    return made(expected, dtype, () => sn.range(start, start + count * step, step, dtype));
  },
  linspace: (draw) => {
    const [start, steps, count] = [draw.int(-8, 8), draw.int(0, 8), draw.int(2, 9)];
    const stop = start + steps * (count - 1);
    return made(
      host([count], ([i]) => start + i! * steps),
      'float32',
      () => sn.linspace(start, stop, count),
    );
  },
  randomUniform: random(
    (_, shape, dtype, seed) => sn.randomUniform(shape, -1, 2, dtype, seed),
    (x) => x >= -1 && x < 2,
  ),
  randomNormal: random((_, shape, dtype, seed) => sn.randomNormal(shape, 1, 0.5, dtype, seed), Number.isFinite),
  truncatedNormal: random(
    (_, shape, dtype, seed) => sn.truncatedNormal(shape, 1, 0.5, dtype, seed),
    (x) => x >= -0.001 && x <= 2.001,
  ),
  dropout: dropped(
    (x, rate, seed) => sn.dropout(x, rate, seed),
    (x, rate) => x / (1 - rate),
    () => 0,
  ),
  alphaDropout: dropped((x, rate, seed) => sn.alphaDropout(x, rate, seed), alphaKept, alphaLost),
  seluAlphaDropout: dropped(
    (x, rate, seed) => sn.seluAlphaDropout(x, rate, seed),
    (x, rate) => alphaKept(SELU * x, rate),
    alphaLost,
  ),
};
