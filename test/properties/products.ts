// Matrix products, convolutions and pooling, as nested loops over the definition.
import * as sn from '../../src/index.js';
import { ACTIVATIONS } from './elementwise.js';
import { FLOATS, type Draw, type Operand, type Row } from './draw.js';
import { at, broadcast, host, map, spreadAt, total, zip, type Host } from './host.js';

const range = (count: number): number[] => [...Array(count).keys()];
const swapped = (shape: readonly number[]): number[] => [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!];

/** a b over the last two axes; the axes in front broadcast. */
function product(a: Host, b: Host, transposeA: boolean, transposeB: boolean): Host {
  const [rows, inner] = transposeA ? swapped(a.shape).slice(-2) : a.shape.slice(-2);
  const columns = transposeB ? b.shape.at(-2)! : b.shape.at(-1)!;
  const batch = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
  return host([...batch, rows!, columns], (index) => {
    const [row, column] = index.slice(-2) as [number, number];
    const outer = index.slice(0, -2);
    return total(
      range(inner!).map((k) => {
        const left = spreadAt(a, [...outer, ...(transposeA ? [k, row] : [row, k])]);
        return left * spreadAt(b, [...outer, ...(transposeB ? [column, k] : [k, column])]);
      }),
    );
  });
}

interface Factors {
  readonly a: Operand;
  readonly b: Operand;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

function factors(draw: Draw, mostBatch: number): Factors {
  const dtype = draw.dtype(FLOATS);
  const [m, k, n] = [draw.size(), draw.size(1), draw.size()];
  const [transposeA, transposeB] = [draw.bool, draw.bool];
  const batch = draw.shape(0, mostBatch);
  const part = (rows: number, columns: number, transposed: boolean): Operand =>
    draw.operand([...draw.narrower(batch), ...(transposed ? [columns, rows] : [rows, columns])], dtype, 'small');
  return { a: part(m, k, transposeA), b: part(k, n, transposeB), transposeA, transposeB };
}

interface Windows {
  readonly filter: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  readonly pad: 'same' | 'valid' | number;
  readonly before: readonly [number, number];
  readonly out: readonly [number, number];
}

/** Windows that fit an image. */
function windows(draw: Draw, image: readonly [number, number], dilates: boolean): Windows {
  const pair = (most: number): [number, number] => [draw.int(1, most), draw.int(1, most)];
  const filter = pair(3);
  const strides = pair(3);
  const dilations: [number, number] = dilates && strides[0] === 1 && strides[1] === 1 ? pair(2) : [1, 1];
  const reach = filter.map((size, axis) => (size - 1) * dilations[axis]! + 1);
  const fits = image.every((size, axis) => size >= reach[axis]!);
  const pad = draw.pick(fits ? (['same', 'valid', 1] as const) : (['same'] as const));
  const sides = image.map((size, axis) => {
    if (pad === 'same') {
      const out = Math.ceil(size / strides[axis]!);
      return [Math.floor(Math.max(0, (out - 1) * strides[axis]! + reach[axis]! - size) / 2), out];
    }
    const margin = pad === 'valid' ? 0 : pad;
    return [margin, Math.floor((size + 2 * margin - reach[axis]!) / strides[axis]!) + 1];
  });
  const [rows, columns] = sides as [[number, number], [number, number]];
  return { filter, strides, dilations, pad, before: [rows[0], columns[0]], out: [rows[1], columns[1]] };
}

/** The places of an image that a window covers, with those of the window. */
function covered(w: Windows, image: readonly number[], row: number, column: number): [number[], number[]][] {
  return range(w.filter[0]).flatMap((i) =>
    range(w.filter[1]).flatMap((j): [number[], number[]][] => {
      const y = row * w.strides[0] - w.before[0] + i * w.dilations[0];
      const x = column * w.strides[1] - w.before[1] + j * w.dilations[1];
      return y >= 0 && x >= 0 && y < image[0]! && x < image[1]!
        ? [
            [
              [y, x],
              [i, j],
            ],
          ]
        : [];
    }),
  );
}

const isSingle = (x: Host): boolean => x.shape.length === 3;
const imageOf = (x: Host): [number, number] => [x.shape.at(-3)!, x.shape.at(-2)!];

/** A result at every place of the output, from the window there. */
function overWindows(
  x: Host,
  w: Windows,
  channels: number,
  f: (outer: number[], cells: [number[], number[]][], channel: number) => number,
): Host {
  const outer = isSingle(x) ? [] : [x.shape[0]!];
  return host([...outer, ...w.out, channels], (index) => {
    const [row, column, channel] = index.slice(-3) as [number, number, number];
    return f(index.slice(0, -3), covered(w, imageOf(x), row, column), channel);
  });
}

function images(draw: Draw, channels: number): Operand {
  const sides = [draw.int(1, 6), draw.int(1, 6), channels];
  return draw.operand(draw.bool ? sides : [draw.int(0, 2), ...sides], draw.dtype(FLOATS), 'small');
}

interface Convolved {
  readonly x: Operand;
  readonly filter: Operand;
  readonly w: Windows;
  readonly groups: number;
  readonly y: Host;
}

function convolved(draw: Draw): Convolved {
  const groups = draw.pick([1, 1, 2]);
  const [each, outputs] = [draw.int(1, 3), groups * draw.int(1, 3)];
  const x = images(draw, groups * each);
  const w = windows(draw, imageOf(x), true);
  const filter = draw.operand([...w.filter, each, outputs], x.dtype, 'small');
  const y = overWindows(x, w, outputs, (outer, cells, channel) => {
    const first = Math.floor(channel / (outputs / groups)) * each;
    return total(
      cells.flatMap(([place, tap]) =>
        range(each).map((c) => at(x, [...outer, ...place, first + c]) * at(filter, [...tap, c, channel])),
      ),
    );
  });
  return { x, filter, w, groups, y };
}

function pooling(op: typeof sn.maxPool, f: (values: number[]) => number): Row {
  return (draw) => {
    const x = images(draw, draw.int(1, 3));
    const w = windows(draw, imageOf(x), false);
    // A window all of whose cells are padding has no extreme.
    const pad = w.pad === 1 ? 'same' : w.pad;
    const used = pad === w.pad ? w : { ...w, ...sameWindows(x, w) };
    const expected = overWindows(x, used, x.shape.at(-1)!, (outer, cells, channel) =>
      f(cells.map(([place]) => at(x, [...outer, ...place, channel]))),
    );
    return {
      inputs: [x],
      call: (t) => op(t, [...w.filter], [...w.strides], pad),
      expected,
      dtypes: x.dtype,
      kind: 'reduction',
    };
  };
}

/** The windows with padding 'same'. */
function sameWindows(x: Host, { filter, strides }: Windows): Pick<Windows, 'before' | 'out' | 'pad'> {
  const out = imageOf(x).map((size, axis) => Math.ceil(size / strides[axis]!)) as [number, number];
  const before = imageOf(x).map((size, axis) =>
    Math.floor(Math.max(0, (out[axis]! - 1) * strides[axis]! + filter[axis]! - size) / 2),
  ) as [number, number];
  return { pad: 'same', out, before };
}

export const PRODUCTS: Readonly<Record<string, Row>> = {
  matMul: (draw) => {
    const { a, b, transposeA, transposeB } = factors(draw, 2);
    return {
      inputs: [a, b],
      call: (x, y) => sn.matMul(x, y as never, transposeA, transposeB),
      expected: product(a, b, transposeA, transposeB),
      dtypes: a.dtype,
      kind: 'product',
    };
  },
  'fused.matMul': (draw) => {
    const { a, b, transposeA, transposeB } = factors(draw, 0);
    const plain = product(a, b, transposeA, transposeB);
    const bias = draw.operand([plain.shape.at(-1)!], a.dtype, 'small');
    const activation = draw.pick(['relu', 'selu', 'elu', 'tanh', 'sigmoid', 'linear', 'gelu'] as const);
    const expected = map(
      zip(plain, bias, (x, y) => x + y),
      (value) => ACTIVATIONS[activation]!(value, 1),
    );
    return {
      inputs: [a, b, bias],
      call: (x, y, z) => sn.fused.matMul({ a: x, b: y, transposeA, transposeB, bias: z, activation }),
      expected,
      dtypes: a.dtype,
      kind: 'composite',
    };
  },
  dot: (draw) => {
    const dtype = draw.dtype(FLOATS);
    const inner = draw.size(1);
    const [rows, columns] = [draw.bool ? [draw.size()] : [], draw.bool ? [draw.size()] : []];
    const [a, b] = [draw.operand([...rows, inner], dtype, 'small'), draw.operand([inner, ...columns], dtype, 'small')];
    const expected = host([...rows, ...columns], (index) =>
      total(
        range(inner).map((k) => at(a, [...index.slice(0, rows.length), k]) * at(b, [k, ...index.slice(rows.length)])),
      ),
    );
    return { inputs: [a, b], call: sn.dot, expected, dtypes: dtype, kind: 'product' };
  },
  outerProduct: (draw) => {
    const dtype = draw.dtype(FLOATS);
    const [a, b] = [draw.operand([draw.size()], dtype), draw.operand([draw.size()], dtype)];
    const expected = host([a.shape[0]!, b.shape[0]!], ([i, j]) => at(a, [i!]) * at(b, [j!]));
    return { inputs: [a, b], call: sn.outerProduct, expected, dtypes: dtype, kind: 'product' };
  },
  conv2d: (draw) => {
    const { x, filter, w, groups, y } = convolved(draw);
    return {
      inputs: [x, filter],
      call: (t, f) => sn.conv2d(t, f, [...w.strides], w.pad, 'NHWC', [...w.dilations], undefined, groups),
      expected: y,
      dtypes: x.dtype,
      kind: 'product',
    };
  },
  'fused.conv2d': (draw) => {
    const { x, filter, w, groups, y } = convolved(draw);
    const bias = draw.operand([y.shape.at(-1)!], x.dtype, 'small');
    const activation = draw.pick(['relu', 'selu', 'sigmoid', 'linear'] as const);
    const expected = map(
      zip(y, bias, (a, b) => a + b),
      (value) => ACTIVATIONS[activation]!(value, 1),
    );
    const { strides, pad, dilations } = w;
    return {
      inputs: [x, filter, bias],
      call: (t, f, b) =>
        sn.fused.conv2d({
          x: t,
          filter: f,
          strides: [...strides],
          pad,
          dilations: [...dilations],
          groups,
          bias: b,
          activation,
        }),
      expected,
      dtypes: x.dtype,
      kind: 'composite',
    };
  },
  depthwiseConv2d: (draw) => {
    const [channels, multiplier] = [draw.int(1, 3), draw.int(1, 2)];
    const x = images(draw, channels);
    const w = windows(draw, imageOf(x), true);
    const filter = draw.operand([...w.filter, channels, multiplier], x.dtype, 'small');
    const expected = overWindows(x, w, channels * multiplier, (outer, cells, channel) => {
      const own = [Math.floor(channel / multiplier), channel % multiplier];
      return total(cells.map(([place, tap]) => at(x, [...outer, ...place, own[0]!]) * at(filter, [...tap, ...own])));
    });
    return {
      inputs: [x, filter],
      call: (t, f) => sn.depthwiseConv2d(t, f, [...w.strides], w.pad, 'NHWC', [...w.dilations]),
      expected,
      dtypes: x.dtype,
      kind: 'product',
    };
  },
  conv2dTranspose: (draw) => {
    // The transpose of conv2d from images of the output's shape to x's.
    const [inputs, outputs] = [draw.int(1, 3), draw.int(1, 3)];
    const dtype = draw.dtype(FLOATS);
    const outer = draw.bool ? [] : [draw.int(1, 2)];
    const large = draw.operand([...outer, draw.int(1, 6), draw.int(1, 6), outputs], dtype);
    const w = windows(draw, imageOf(large), false);
    const pad = w.pad === 1 ? 'same' : w.pad;
    const used = pad === w.pad ? w : { ...w, ...sameWindows(large, w) };
    const x = draw.operand([...outer, ...used.out, inputs], dtype, 'small');
    const filter = draw.operand([...w.filter, outputs, inputs], dtype, 'small');
    const sums = host(large.shape, () => 0);
    const data = Float64Array.from(sums.data);
    host([...outer, ...used.out], (index) => {
      const [row, column] = index.slice(-2) as [number, number];
      for (const [place, tap] of covered(used, imageOf(large), row, column)) {
        for (const channel of range(outputs)) {
          const cell = [...index.slice(0, -2), ...place, channel];
          const target = cell.reduce((sum, one, axis) => sum * large.shape[axis]! + one, 0);
          data[target]! += total(range(inputs).map((c) => at(x, [...index, c]) * at(filter, [...tap, channel, c])));
        }
      }
      return 0;
    });
    return {
      inputs: [x, filter],
      call: (t, f) => sn.conv2dTranspose(t, f, [...large.shape] as never, [...w.strides], pad),
      expected: { shape: large.shape, data },
      dtypes: dtype,
      kind: 'product',
    };
  },
  maxPool: pooling(sn.maxPool, (values) => Math.max(...values)),
  avgPool: pooling(sn.avgPool, (values) => total(values) / values.length),
};
