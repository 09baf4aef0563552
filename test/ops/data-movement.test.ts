// Ops that move data, against plain index arithmetic: every dtype, random shapes with empty, odd and large axes, shared
// storage, gradients of gradients, and bad input.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import type { Tensor } from '../../src/index.js';
import { DTYPES } from '../../src/tensor/dtype.js';

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
/** Small integers: exact in every dtype but bool. */
const counting = (shape: readonly number[], dtype: sn.DType = 'float32'): Tensor =>
  sn.tensor(
    Float64Array.from({ length: sizeOf(shape) }, (_, i) => (i % 251) + 1),
    shape,
    dtype,
  );

/** The positions of a flat index, outermost first. */
function positions(shape: readonly number[], index: number): number[] {
  const result = new Array<number>(shape.length);
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    result[axis] = index % shape[axis]!;
    index = Math.floor(index / shape[axis]!);
  }
  return result;
}
const flat = (shape: readonly number[], at: readonly number[]): number =>
  at.reduce((sum, position, axis) => sum * shape[axis]! + position, 0);

/** Checks y element by element: `source` says at which position of x an element of y is found; null: `fill`. */
function expectMoved(
  y: Tensor,
  x: Tensor,
  shape: readonly number[],
  source: (at: number[]) => number[] | null,
  fill = 0,
): void {
  expect(y.shape).toEqual(shape);
  expect(y.dtype).toBe(x.dtype);
  const [from, found] = [x.dataSync(), y.dataSync()];
  const wrong = found.findIndex((value, i) => {
    const at = source(positions(shape, i));
    return value !== (at === null ? fill : from[flat(x.shape, at)]);
  });
  expect(wrong).toBe(-1);
}

// A small generator of its own: the shapes are the same on every run.
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
const SIZES = [0, 1, 1, 2, 3, 5, 17, 33];
const next = random(1);
const shapes = Array.from({ length: 40 }, () => Array.from({ length: next(5) }, () => SIZES[next(SIZES.length)]!));

describe('random shapes', () => {
  test.each(shapes)('transpose of [%#]', (...shape) => {
    const perm = shape.map((_, axis) => axis);
    for (let axis = perm.length - 1; axis > 0; axis--) {
      const other = next(axis + 1);
      [perm[axis], perm[other]] = [perm[other]!, perm[axis]!];
    }
    const x = counting(shape);
    const target = perm.map((axis) => shape[axis]!);
    expectMoved(x.transpose(perm), x, target, (at) => perm.map((_, axis) => at[perm.indexOf(axis)]!));
  });

  test.each(shapes)('slice, pad and reverse of [%#]', (...shape) => {
    const x = counting(shape);
    const begin = shape.map((size) => next(size + 1));
    const size = shape.map((n, axis) => next(n - begin[axis]! + 1));
    if (shape.length > 0) expectMoved(x.slice(begin, size), x, size, (at) => at.map((p, axis) => p + begin[axis]!));

    const margins = shape.map((): [number, number] => [next(3), next(3)]);
    const padded = shape.map((n, axis) => n + margins[axis]![0] + margins[axis]![1]);
    const inside = (at: number[]): number[] | null => {
      const from = at.map((p, axis) => p - margins[axis]![0]);
      return from.every((p, axis) => p >= 0 && p < shape[axis]!) ? from : null;
    };
    expectMoved(x.pad(margins, 7), x, padded, inside, 7);

    const axes = shape.flatMap((_, axis) => (next(2) === 1 ? [axis] : []));
    const mirrored = (at: number[]): number[] => at.map((p, axis) => (axes.includes(axis) ? shape[axis]! - 1 - p : p));
    expectMoved(sn.reverse(x, axes), x, shape, mirrored);
  });

  test.each(shapes)('broadcastTo and tile of [%#]', (...shape) => {
    const x = counting(shape);
    const target = [2, ...shape.map((n) => (n === 1 ? 3 : n))];
    expectMoved(x.broadcastTo(target), x, target, (at) => at.slice(1).map((p, axis) => (shape[axis] === 1 ? 0 : p)));
    const reps = shape.map(() => next(3));
    const tiled = shape.map((n, axis) => n * reps[axis]!);
    expectMoved(x.tile(reps), x, tiled, (at) => at.map((p, axis) => p % shape[axis]!));
  });
});

describe('large tensors, where several threads share the work', () => {
  test('transpose of [300, 1100] and of batches with the channels last', () => {
    const x = counting([300, 1100]);
    expectMoved(x.transpose(), x, [1100, 300], ([i, j]) => [j!, i!]);
    const images = counting([3, 5, 97, 101], 'uint8');
    expectMoved(images.transpose([0, 2, 3, 1]), images, [3, 97, 101, 5], ([b, h, w, c]) => [b!, c!, h!, w!]);
  });
  test('a transpose larger than the cache', () => {
    const x = counting([2048, 4112]);
    expectMoved(x.transpose(), x, [4112, 2048], ([i, j]) => [j!, i!]);
  });
  test('a transpose larger than the cache whose planes do not start at cache lines', () => {
    const x = counting([24, 2, 200_000]);
    expectMoved(x.transpose([2, 1, 0]), x, [200_000, 2, 24], ([i, j, k]) => [k!, j!, i!]);
  });
  test('pad, slice and concat of 300000 elements', () => {
    const x = counting([1000, 300]);
    expectMoved(
      x.pad([
        [1, 2],
        [3, 4],
      ]),
      x,
      [1003, 307],
      ([i, j]) => (i! >= 1 && i! <= 1000 && j! >= 3 && j! < 303 ? [i! - 1, j! - 3] : null),
    );
    expectMoved(x.slice([0, 1], [-1, 298]), x, [1000, 298], ([i, j]) => [i!, j! + 1]);
    expectMoved(x.concat(x, 1), x, [1000, 600], ([i, j]) => [i!, j! % 300]);
  });
  test('cumsum of a long axis', () => {
    const n = 200_000;
    const x = sn.range(0, n, 1, 'int32').mod(7);
    const sums = x.cumsum().dataSync();
    let total = 0;
    const wrong = x.dataSync().findIndex((value, i) => sums[i] !== (total += value));
    expect(wrong).toBe(-1);
  });
  test('topk of all of 5000 values is a stable sort', () => {
    const x = sn.range(0, 5000, 1, 'int32').mul(7919).mod(977);
    const values = [...x.dataSync()];
    const order = values.map((_, i) => i).sort((a, b) => values[b]! - values[a]! || a - b);
    const found = x.topk(5000);
    expect([...found.indices.dataSync()]).toEqual(order);
    expect([...found.values.dataSync()]).toEqual(order.map((i) => values[i]));
  });
  test('gather of 3000 rows and its gradient', () => {
    const picks = sn.range(0, 3000, 1, 'int32').mul(31).mod(257);
    const x = counting([257, 40], 'float64');
    const index = picks.dataSync();
    expectMoved(x.gather(picks), x, [3000, 40], ([i, j]) => [index[i!]!, j!]);
    const counts = new Float64Array(257);
    index.forEach((i) => counts[i]!++);
    const gradient = sn.grad((table) => table.gather(picks))(x);
    expect(gradient.sum(1).div(40).arraySync()).toEqual([...counts]);
  });
});

describe.each(DTYPES)('dtype %s', (dtype) => {
  const x = sn.tensor([1, 0, 1, 1, 0, 0], [2, 3], dtype);
  const read = (t: Tensor): unknown => {
    expect(t.dtype).toBe(dtype);
    return t.arraySync();
  };
  test('is kept by every op that moves data', () => {
    expect(read(x.transpose())).toEqual([
      [1, 1],
      [0, 0],
      [1, 0],
    ]);
    expect(read(x.reverse(1))).toEqual([
      [1, 0, 1],
      [0, 0, 1],
    ]);
    expect(read(x.slice([0, 1], [2, 1]))).toEqual([[0], [0]]);
    expect(
      read(
        x.pad(
          [
            [0, 0],
            [1, 0],
          ],
          1,
        ),
      ),
    ).toEqual([
      [1, 1, 0, 1],
      [1, 1, 0, 0],
    ]);
    expect(read(x.concat(x, 0))).toEqual([
      [1, 0, 1],
      [1, 0, 0],
      [1, 0, 1],
      [1, 0, 0],
    ]);
    expect(read(x.stack(x, 2).slice([0, 0, 0], [1, 3, 2]))).toEqual([
      [
        [1, 1],
        [0, 0],
        [1, 1],
      ],
    ]);
    expect(x.split([1, -1], 1).map(read)).toEqual([
      [[1], [1]],
      [
        [0, 1],
        [0, 0],
      ],
    ]);
    expect(x.unstack().map(read)).toEqual([
      [1, 0, 1],
      [1, 0, 0],
    ]);
    expect(read(x.tile([1, 2]))).toEqual([
      [1, 0, 1, 1, 0, 1],
      [1, 0, 0, 1, 0, 0],
    ]);
    expect(read(x.gather([1, 1], 0))).toEqual([
      [1, 0, 0],
      [1, 0, 0],
    ]);
    const top = x.topk(2);
    expect(read(top.values)).toEqual([
      [1, 1],
      [1, 0],
    ]);
    expect(top.indices.arraySync()).toEqual([
      [0, 2],
      [0, 1],
    ]);
    expect(read(sn.oneHot([1, 0], 2, 1, 0, dtype))).toEqual([
      [0, 1],
      [1, 0],
    ]);
    expect(read(sn.eye(2, 2, [], dtype))).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });
});

describe('slices', () => {
  test('of the first axis share memory', () => {
    const x = sn.ones([4096, 1024]);
    const bytes = 4 * x.size;
    const before = sn.memory().peakBytes;
    const parts = Array.from({ length: 64 }, (_, i) => x.slice(i, 4000));
    expect(parts.every((part) => part.sum([0, 1]).dataSync()[0] === 4000 * 1024)).toBe(true);
    expect(sn.memory().peakBytes - before).toBeLessThan(8 * bytes);
  });
  test('of a variable do not follow its changes', () => {
    const v = sn.variable([1, 2, 3]);
    const part = v.slice(1);
    v.assign([7, 8, 9]);
    expect(part.arraySync()).toEqual([2, 3]);
  });
});

describe('joining', () => {
  test('more tensors than a native call takes', () => {
    const parts = Array.from({ length: 700 }, (_, i) => sn.tensor([i], [1], 'int32'));
    const joined = sn.concat(parts);
    expect([...joined.dataSync()]).toEqual(parts.map((_, i) => i));
    const gradients = sn.grads((...xs) => sn.concat(xs).square())(parts.map((part) => part.cast('float32')));
    expect(gradients.map((g) => g.dataSync()[0])).toEqual(parts.map((_, i) => 2 * i));
  });
  test('different dtypes become the widest', () => {
    expect(sn.concat([sn.tensor([1], [1], 'int32'), sn.tensor([0.5])]).dtype).toBe('float32');
    expect(sn.stack([sn.tensor([true]), sn.tensor([3], [1], 'int32')]).arraySync()).toEqual([[1], [3]]);
  });
  test('an output that nothing depends on adds no gradient', () => {
    const x = sn.tensor([1, 2, 3, 4]);
    expect(
      sn
        .grad((t) => sn.split(t, 2)[1]!.square())(x)
        .arraySync(),
    ).toEqual([0, 0, 6, 8]);
  });
});

describe('gather', () => {
  test('reads NaN, or 0, outside the axis, and has no gradient there', () => {
    const x = sn.tensor([1, 2]);
    expect(x.gather([-1, 1, 2]).arraySync()).toEqual([NaN, 2, NaN]);
    expect(x.cast('int32').gather([-1, 1, 2]).arraySync()).toEqual([0, 2, 0]);
    expect(
      sn
        .grad((t) => t.gather([-1, 1, 1, 2]))(x)
        .arraySync(),
    ).toEqual([0, 2]);
  });
  test('adds many gradients of a half type up in float32', () => {
    const x = sn.zeros([1], 'float16');
    const dy = sn.fill([4096], 0.25, 'float16');
    const picks = sn.zeros([4096], 'int32');
    expect(
      sn
        .grad((t) => t.gather(picks))(x, dy)
        .arraySync(),
    ).toEqual([1024]);
  });
});

describe('gradients of gradients', () => {
  const x = sn.tensor([0.5, -1, 2, 0.25, -0.75, 1.5], [2, 3], 'float64');
  const moves: Record<string, (t: Tensor) => Tensor> = {
    transpose: (t) => t.transpose(),
    reverse: (t) => t.reverse(1),
    slice: (t) => t.slice([0, 1], [2, 2]),
    pad: (t) =>
      t.pad([
        [1, 0],
        [0, 2],
      ]),
    concat: (t) => t.concat(t, 1),
    stack: (t) => t.stack(t, 1),
    split: (t) => t.split(3, 1)[1]!,
    unstack: (t) => t.unstack()[1]!,
    gather: (t) => t.gather([1, 1, 0], 1),
    tile: (t) => t.tile([2, 3]),
    broadcastTo: (t) => t.broadcastTo([4, 2, 3]),
    cumsum: (t) => t.cumsum(1, true, true),
    topk: (t) => t.topk(2).values,
  };
  test.each(Object.entries(moves))('%s', (_name, move) => {
    // d2/dx2 of sum(move(x)^3) is the gradient of sum(3 move(x)^2 move'(x)): for a linear move it is 6 M^T diag(M x) M 1.
    const first = (t: Tensor): Tensor => sn.grad((u) => move(u).pow(3))(t);
    const second = sn.grad(first)(x).dataSync();
    const step = 1e-5;
    const at = (i: number, by: number): number => {
      const values = Float64Array.from(x.dataSync());
      values[i]! += by;
      return first(sn.tensor(values, [2, 3], 'float64'))
        .sum()
        .dataSync()[0]!;
    };
    second.forEach((value, i) => {
      const difference = (at(i, step) - at(i, -step)) / (2 * step);
      expect(!(Math.abs(value - difference) <= 1e-7 * Math.max(1, Math.abs(difference)))).toBe(false);
    });
  });
});

test('to() the same device is the tensor itself', () => {
  const x = sn.ones([2]);
  expect(x.to(x.device)).toBe(x);
});
