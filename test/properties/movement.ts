// Ops that move elements: shapes, parts, joins, permutations, picks.
import * as sn from '../../src/index.js';
import type { DType } from '../../src/tensor/dtype.js';
import { ALL, widest, type Draw, type Operand, type Row } from './draw.js';
import { at, host, map, reshaped, spreadAt, type Host } from './host.js';

type Mover = (
  draw: Draw,
  x: Operand,
) => { call: (x: sn.Tensor) => sn.Tensor | readonly sn.Tensor[]; expected: Host | Host[] };

/** An op of one tensor of any dtype, whose results have that dtype. */
function moves(mover: Mover, leastRank = 0): Row {
  return (draw) => {
    const x = draw.operand(draw.shape(leastRank, 4));
    return { inputs: [x], ...mover(draw, x), dtypes: x.dtype, kind: 'exact' };
  };
}

/** The part of x that begins somewhere. */
const part = (x: Host, begin: readonly number[], size: readonly number[]): Host =>
  host(size, (index) =>
    at(
      x,
      index.map((place, axis) => place + begin[axis]!),
    ),
  );

const along = (rank: number, axis: number, value: number, others = 0): number[] =>
  Array.from({ length: rank }, (_, i) => (i === axis ? value : others));

/** The sizes of parts that an axis is cut into. */
function cuts(draw: Draw, size: number): number[] {
  const first = draw.int(0, size);
  const second = draw.int(0, size - first);
  return [first, second, size - first - second];
}

function joined(draw: Draw, shapes: number[][], dtype: DType): { inputs: Operand[]; dtypes: DType } {
  const inputs = shapes.map((shape) => draw.operand(shape, draw.bool ? dtype : draw.dtype(), 'small'));
  return { inputs, dtypes: inputs.map((input) => input.dtype).reduce((a, b) => widest(a, b)) };
}

export const MOVEMENT: Readonly<Record<string, Row>> = {
  clone: moves((_, x) => ({ call: sn.clone, expected: x })),
  reshape: moves((draw, x) => {
    const size = x.data.length;
    const sides = [1, 2, 3, 4, 5, 7].filter((side) => size > 0 && size % side === 0);
    const side = size === 0 ? 0 : draw.pick(sides);
    const shape = size === 0 ? [draw.size(), 0] : [side, size / side];
    const given = [...shape];
    // With an empty axis the unknown one could be anything.
    if (size > 0 && draw.bool) given[draw.int(0, 1)] = -1;
    return { call: (t) => sn.reshape(t, given), expected: reshaped(x, shape) };
  }),
  expandDims: moves((draw, x) => {
    const { given, axis } = draw.axis(x.shape.length + 1);
    return { call: (t) => sn.expandDims(t, given), expected: reshaped(x, x.shape.toSpliced(axis, 0, 1)) };
  }),
  squeeze: moves((draw, x) => {
    const ones = x.shape.flatMap((size, axis) => (size === 1 ? [axis] : []));
    const chosen = draw.bool ? undefined : ones.filter(() => draw.bool);
    const gone = chosen ?? ones;
    const given = chosen?.map((axis) => (draw.bool ? axis : axis - x.shape.length));
    return {
      call: (t) => sn.squeeze(t, given),
      expected: reshaped(
        x,
        x.shape.filter((_, axis) => !gone.includes(axis)),
      ),
    };
  }),
  transpose: moves((draw, x) => {
    const rank = x.shape.length;
    const perm = Array.from({ length: rank }, (_, axis) => axis);
    for (let i = rank - 1; i > 0; i--) {
      const j = draw.int(0, i);
      [perm[i], perm[j]] = [perm[j]!, perm[i]!];
    }
    const used = draw.bool ? perm : [...perm.keys()].reverse();
    const shape = used.map((axis) => x.shape[axis]!);
    const expected = host(shape, (index) =>
      at(
        x,
        [...used.keys()].map((axis) => index[used.indexOf(axis)]!),
      ),
    );
    return { call: (t) => sn.transpose(t, used === perm ? perm : draw.pick([null, undefined])), expected };
  }),
  reverse: moves((draw, x) => {
    const { given, axes } = draw.axes(x.shape.length);
    const expected = host(x.shape, (index) =>
      at(
        x,
        index.map((place, axis) => (axes.includes(axis) ? x.shape[axis]! - 1 - place : place)),
      ),
    );
    return { call: (t) => sn.reverse(t, given ?? undefined), expected };
  }),
  slice: moves((draw, x) => {
    const begin = x.shape.map((size) => draw.int(0, size));
    const size = x.shape.map((side, axis) => draw.int(0, side - begin[axis]!));
    const given = size.map((one, axis) => (begin[axis]! + one === x.shape[axis] && draw.bool ? -1 : one));
    return { call: (t) => sn.slice(t, begin, given), expected: part(x, begin, size) };
  }, 1),
  split: moves((draw, x) => {
    const { given, axis } = draw.axis(x.shape.length);
    const sizes = cuts(draw, x.shape[axis]!);
    const asked = [...sizes];
    if (draw.bool) asked[draw.int(0, 2)] = -1;
    let start = 0;
    const expected = sizes.map((size) => {
      const piece = part(x, along(x.shape.length, axis, start), x.shape.with(axis, size));
      start += size;
      return piece;
    });
    return { call: (t) => sn.split(t, asked, given), expected };
  }, 1),
  unstack: moves((draw, x) => {
    const { given, axis } = draw.axis(x.shape.length);
    const expected = Array.from({ length: x.shape[axis]! }, (_, place) => {
      const piece = part(x, along(x.shape.length, axis, place), x.shape.with(axis, 1));
      return reshaped(piece, x.shape.toSpliced(axis, 1));
    });
    return { call: (t) => sn.unstack(t, given), expected };
  }, 1),
  pad: moves((draw, x) => {
    const paddings = x.shape.map((): [number, number] => [draw.int(0, 2), draw.int(0, 2)]);
    const value = draw.int(0, 1);
    const shape = x.shape.map((size, axis) => size + paddings[axis]![0] + paddings[axis]![1]);
    const expected = host(shape, (index) => {
      const own = index.map((place, axis) => place - paddings[axis]![0]);
      return own.every((place, axis) => place >= 0 && place < x.shape[axis]!) ? at(x, own) : value;
    });
    return { call: (t) => sn.pad(t, paddings, value), expected };
  }),
  tile: moves((draw, x) => {
    const reps = x.shape.map(() => draw.int(0, 3));
    const shape = x.shape.map((size, axis) => size * reps[axis]!);
    const expected = host(shape, (index) =>
      at(
        x,
        index.map((place, axis) => place % x.shape[axis]!),
      ),
    );
    return { call: (t) => sn.tile(t, reps), expected };
  }),
  broadcastTo: (draw) => {
    const shape = draw.shape();
    const x = draw.operand(draw.narrower(shape));
    const expected = host(shape, (index) => spreadAt(x, index));
    return { inputs: [x], call: (t) => sn.broadcastTo(t, shape), expected, dtypes: x.dtype, kind: 'exact' };
  },
  concat: (draw) => {
    const shape = draw.shape(1, 4);
    const { given, axis } = draw.axis(shape.length);
    const shapes = Array.from({ length: draw.int(1, 4) }, () => shape.with(axis, draw.size()));
    const { inputs, dtypes } = joined(draw, shapes, draw.dtype(ALL));
    const whole = shape.with(
      axis,
      shapes.reduce((sum, one) => sum + one[axis]!, 0),
    );
    const expected = host(whole, (index) => {
      let place = index[axis]!;
      const from = inputs.find((input) => {
        if (place < input.shape[axis]!) return true;
        place -= input.shape[axis]!;
        return false;
      })!;
      return at(from, index.with(axis, place));
    });
    return { inputs, call: (...xs) => sn.concat(xs, given), expected, dtypes, kind: 'exact' };
  },
  stack: (draw) => {
    const shape = draw.shape(0, 3);
    const { given, axis } = draw.axis(shape.length + 1);
    const shapes = Array.from({ length: draw.int(1, 3) }, () => shape);
    const { inputs, dtypes } = joined(draw, shapes, draw.dtype(ALL));
    const expected = host(shape.toSpliced(axis, 0, inputs.length), (index) =>
      at(inputs[index[axis]!]!, index.toSpliced(axis, 1)),
    );
    return { inputs, call: (...xs) => sn.stack(xs, given), expected, dtypes, kind: 'exact' };
  },
  gather: (draw) => {
    const x = draw.operand(draw.shape(1, 3, 1));
    const { given, axis } = draw.axis(x.shape.length);
    const shape = draw.shape(0, 2);
    const indices = { ...draw.operand(shape, 'int32') };
    const picks: Operand = { ...indices, data: Float64Array.from(indices.data, () => draw.int(0, x.shape[axis]! - 1)) };
    const expected = host([...x.shape.slice(0, axis), ...shape, ...x.shape.slice(axis + 1)], (index) => {
      const pick = at(picks, index.slice(axis, axis + shape.length));
      return at(x, [...index.slice(0, axis), pick, ...index.slice(axis + shape.length)]);
    });
    return { inputs: [x, picks], call: (t, i) => sn.gather(t, i, given), expected, dtypes: x.dtype, kind: 'exact' };
  },
  oneHot: (draw) => {
    const indices = draw.operand(draw.shape(0, 3), 'int32');
    const depth = draw.int(2, 5);
    const [on, off] = [draw.int(0, 1), draw.int(0, 1)];
    const dtype = draw.dtype(ALL);
    const expected = host([...indices.shape, depth], (index) =>
      at(indices, index.slice(0, -1)) === index.at(-1) ? on : off,
    );
    return {
      inputs: [indices],
      call: (t) => sn.oneHot(t, depth, on, off, dtype),
      expected,
      dtypes: dtype,
      kind: 'exact',
    };
  },
  zerosLike: moves((_, x) => ({ call: sn.zerosLike, expected: map(x, () => 0) })),
  onesLike: moves((_, x) => ({ call: sn.onesLike, expected: map(x, () => 1) })),
};
