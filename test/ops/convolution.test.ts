// Convolutions large enough for the library against float64 loops, in every direction; dtypes and bad input.
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import type { Tensor } from '../../src/index.js';
import type { DType } from '../../src/tensor/dtype.js';
import { expectClose } from '../harness/compare.js';

const host = (t: Tensor): { shape: readonly number[]; data: ArrayLike<number> } => ({
  shape: t.shape,
  data: t.dataSync(),
});

/** Values on a grid of 1/8, exact in every float dtype. */
function grid(size: number, seed: number): Float64Array {
  const values = new Float64Array(size);
  let state = seed;
  for (let i = 0; i < size; i++) {
    state = (state * 1103515245 + 12345) % 2147483648;
    values[i] = ((state >> 16) % 17) / 8 - 1;
  }
  return values;
}

interface Case {
  name: string;
  x: [number, number, number, number];
  filter: [number, number, number, number];
  strides: [number, number];
  pad: 'same' | 'valid' | number | [[0, 0], [number, number], [number, number], [0, 0]];
  dilations: [number, number];
  depthwise?: boolean;
  groups?: number;
}

interface Reference {
  shape: number[];
  y: Float64Array;
  dx: Float64Array;
  dfilter: Float64Array;
}

/** Output size and padding before along one axis, from the definition in TensorFlow's documentation. */
function along(
  size: number,
  filter: number,
  stride: number,
  dilation: number,
  pad: Case['pad'],
  axis: number,
): [number, number] {
  const reach = (filter - 1) * dilation + 1;
  if (pad === 'valid') return [Math.ceil((size - reach + 1) / stride), 0];
  if (pad === 'same') {
    const outputs = Math.ceil(size / stride);
    return [outputs, Math.floor(Math.max((outputs - 1) * stride + reach - size, 0) / 2)];
  }
  const [before, after] = typeof pad === 'number' ? [pad, pad] : pad[axis + 1]!;
  return [Math.floor((size + before + after - reach) / stride) + 1, before];
}

/** y, and the gradients of sum(dy y): one loop over every product. */
function reference(c: Case, x: Float64Array, filter: Float64Array, dyAt: (size: number) => Float64Array): Reference {
  const [batch, height, width, channels] = c.x;
  const [fh, fw, inside, last] = c.filter;
  const [rows, top] = along(height, fh, c.strides[0], c.dilations[0], c.pad, 0);
  const [columns, left] = along(width, fw, c.strides[1], c.dilations[1], c.pad, 1);
  const outputs = c.depthwise ? channels * last : last;
  const shape = [batch, rows, columns, outputs];
  const y = new Float64Array(batch * rows * columns * outputs);
  const dy = dyAt(y.length);
  const dx = new Float64Array(x.length);
  const dfilter = new Float64Array(filter.length);
  const multiply = (from: number, weight: number, to: number): void => {
    y[to]! += x[from]! * filter[weight]!;
    dx[from]! += dy[to]! * filter[weight]!;
    dfilter[weight]! += dy[to]! * x[from]!;
  };
  for (let b = 0; b < batch; b++)
    for (let r = 0; r < rows; r++)
      for (let q = 0; q < columns; q++)
        for (let i = 0; i < fh; i++)
          for (let j = 0; j < fw; j++) {
            const row = r * c.strides[0] - top + i * c.dilations[0];
            const column = q * c.strides[1] - left + j * c.dilations[1];
            if (row < 0 || row >= height || column < 0 || column >= width) continue;
            const from = ((b * height + row) * width + column) * channels;
            const to = ((b * rows + r) * columns + q) * outputs;
            for (let d = 0; d < channels; d++)
              for (let k = 0; k < last; k++) {
                // Output channels of a group see the group's input channels.
                if (Math.floor(d / inside) !== Math.floor((k * (c.groups ?? 1)) / last)) continue;
                const weight = ((i * fw + j) * inside + (d % inside)) * last + k;
                multiply(from + d, weight, to + (c.depthwise ? d * last + k : k));
              }
          }
  return { shape, y, dx, dfilter };
}

const CASES: Case[] = [
  { name: 'odd sizes, same', x: [2, 9, 7, 5], filter: [3, 3, 5, 19], strides: [1, 1], pad: 'same', dilations: [1, 1] },
  { name: 'strides with inputs left over', x: [2, 10, 9, 8], filter: [3, 2, 8, 16], strides: [2, 3], pad: 'valid', dilations: [1, 1] },
  { name: 'even filter, strides, same', x: [1, 11, 12, 3], filter: [4, 2, 3, 24], strides: [2, 2], pad: 'same', dilations: [1, 1] },
  { name: 'dilations', x: [2, 12, 13, 4], filter: [3, 3, 4, 16], strides: [1, 1], pad: 'valid', dilations: [2, 3] },
  { name: 'padding given for each side', x: [2, 8, 8, 4], filter: [3, 3, 4, 16], strides: [1, 2], pad: [[0, 0], [0, 2], [1, 0], [0, 0]], dilations: [1, 1] },
  { name: 'one channel', x: [4, 14, 14, 1], filter: [5, 5, 1, 32], strides: [1, 1], pad: 2, dilations: [1, 1] },
  { name: 'a filter of 1 x 1', x: [2, 7, 7, 33], filter: [1, 1, 33, 17], strides: [1, 1], pad: 'valid', dilations: [1, 1] },
  { name: 'more channels than one run', x: [1, 5, 6, 67], filter: [2, 2, 67, 70], strides: [1, 1], pad: 'same', dilations: [1, 1] },
  { name: 'depthwise', x: [2, 15, 14, 67], filter: [3, 3, 67, 1], strides: [1, 1], pad: 'same', dilations: [1, 1], depthwise: true },
  { name: 'depthwise, strides, dilated', x: [2, 15, 14, 32], filter: [3, 3, 32, 1], strides: [2, 1], pad: 'same', dilations: [1, 2], depthwise: true },
  { name: 'depthwise, multiplier 3', x: [2, 9, 8, 23], filter: [3, 2, 23, 3], strides: [2, 1], pad: 'valid', dilations: [1, 1], depthwise: true },
  { name: 'groups', x: [2, 9, 7, 12], filter: [3, 3, 4, 18], strides: [1, 1], pad: 'same', dilations: [1, 1], groups: 3 },
  { name: 'groups, strides, dilated', x: [1, 13, 11, 10], filter: [3, 2, 5, 6], strides: [2, 1], pad: 'valid', dilations: [1, 2], groups: 2 },
  { name: 'a group for each channel', x: [2, 8, 9, 21], filter: [3, 3, 1, 42], strides: [1, 2], pad: 'same', dilations: [1, 1], groups: 21 },
]; // prettier-ignore

describe.each(['float32', 'float64', 'bfloat16', 'float16'] as DType[])('convolution of %s', (dtype) => {
  test.each(CASES)('values and gradients agree with a float64 loop: $name', (c) => {
    const size = (shape: number[]): number => shape.reduce((a, b) => a * b, 1);
    const x = grid(size(c.x), 1);
    const filter = grid(size(c.filter), 2);
    const expected = reference(c, x, filter, (n) => grid(n, 3));
    const f = (a: Tensor, w: Tensor): Tensor =>
      c.depthwise
        ? sn.depthwiseConv2d(a, w, c.strides, c.pad, 'NHWC', c.dilations)
        : sn.conv2d(a, w, c.strides, c.pad, 'NHWC', c.dilations, undefined, c.groups);
    const inputs = [sn.tensor(x, c.x, dtype), sn.tensor(filter, c.filter, dtype)];
    const dy = sn.tensor(grid(size(expected.shape), 3), expected.shape, dtype);
    const { value, grads } = sn.valueAndGrads(f)(inputs, dy);
    expect(value.dtype).toBe(dtype);
    expectClose('y', host(value), { shape: expected.shape, data: expected.y }, dtype, 'product');
    expectClose('dx', host(grads[0]!), { shape: c.x, data: expected.dx }, dtype, 'product');
    expectClose('dfilter', host(grads[1]!), { shape: c.filter, data: expected.dfilter }, dtype, 'product');
  });
});

test('conv2dTranspose is the gradient of conv2d', () => {
  const filter = sn.tensor(grid(3 * 3 * 8 * 16, 1), [3, 3, 8, 16]);
  const x = sn.tensor(grid(2 * 5 * 6 * 16, 2), [2, 5, 6, 16]);
  const image = sn.zeros([2, 10, 11, 8]);
  const expected = sn.grad((a) => sn.conv2d(a, filter, 2, 'same'))(image, x);
  const y = sn.conv2dTranspose(x, filter, [2, 10, 11, 8], 2, 'same');
  expectClose('y', host(y), host(expected), 'float32', 'exact');
  expect(y.shape).toEqual([2, 10, 11, 8]);
});

test('conv2dTranspose with dilations, and its gradients, are those of a conv2d with them', () => {
  const filter = sn.tensor(grid(3 * 2 * 5 * 7, 1), [3, 2, 5, 7], 'float64');
  const x = sn.tensor(grid(2 * 4 * 5 * 7, 2), [2, 4, 5, 7], 'float64');
  const g = sn.tensor(grid(2 * 8 * 8 * 5, 3), [2, 8, 8, 5], 'float64');
  const down = (image: Tensor, w: Tensor): Tensor => sn.conv2d(image, w, 1, 'valid', 'NHWC', [2, 3]);
  const up = (a: Tensor, w: Tensor): Tensor => sn.conv2dTranspose(a, w, [2, 8, 8, 5], 1, 'valid', undefined, [2, 3]);
  const { value, grads } = sn.valueAndGrads(up)([x, filter], g);
  expect(value.shape).toEqual([2, 8, 8, 5]);
  expectClose(
    'y',
    host(value),
    host(sn.grad((a) => down(a, filter))(sn.zeros([2, 8, 8, 5], 'float64'), x)),
    'float64',
    'exact',
  );
  expectClose('dx', host(grads[0]!), host(down(g, filter)), 'float64', 'product');
  expectClose('dfilter', host(grads[1]!), host(sn.grad((w) => down(g, w))(filter, x)), 'float64', 'product');
});

test('fused.conv2d of groups is conv2d of groups, bias and activation', () => {
  const x = sn.tensor(grid(2 * 6 * 5 * 8, 1), [2, 6, 5, 8]);
  const filter = sn.tensor(grid(3 * 3 * 4 * 6, 2), [3, 3, 4, 6]);
  const bias = sn.tensor(grid(6, 3), [6]);
  const plain = (a: Tensor, w: Tensor, b: Tensor): Tensor =>
    sn.selu(sn.add(sn.conv2d(a, w, 1, 'same', 'NHWC', 1, undefined, 2), b));
  const fused = (a: Tensor, w: Tensor, b: Tensor): Tensor =>
    sn.fused.conv2d({ x: a, filter: w, bias: b, strides: 1, pad: 'same', groups: 2, activation: 'selu' });
  const dy = sn.tensor(grid(2 * 6 * 5 * 6, 4), [2, 6, 5, 6]);
  const expected = sn.valueAndGrads(plain)([x, filter, bias], dy);
  const got = sn.valueAndGrads(fused)([x, filter, bias], dy);
  expect(got.value.shape).toEqual([2, 6, 5, 6]);
  expectClose('y', host(got.value), host(expected.value), 'float32', 'product');
  for (const i of [0, 1, 2]) {
    expectClose(`gradient ${i}`, host(got.grads[i]!), host(expected.grads[i]!), 'float32', 'product');
  }
  const layer = sn.layers.conv2d({ filters: 6, kernelSize: 3, padding: 'same', activation: 'selu', groups: 2 });
  layer.apply(x);
  layer.setWeights([filter, bias]);
  expectClose('layer', host(layer.apply(x)), host(expected.value), 'float32', 'product');
  expect(layer.getConfig()['groups']).toBe(2);
  expect(sn.layers.conv2d({ filters: 6, kernelSize: 3 }).getConfig()).not.toHaveProperty('groups');
});

test('the gradient of a gradient is the remaining map', () => {
  const x = sn.tensor(grid(2 * 6 * 6 * 3, 1), [2, 6, 6, 3], 'float64');
  const filter = sn.tensor(grid(3 * 3 * 3 * 4, 2), [3, 3, 3, 4], 'float64');
  const dy = sn.tensor(grid(2 * 6 * 6 * 4, 3), [2, 6, 6, 4], 'float64');
  const g = sn.tensor(grid(x.size, 4), x.shape, 'float64');
  // d sum(g dx) / dfilter, where dx is linear in the filter, is the filter's gradient at x = g.
  const dx = (w: Tensor): Tensor => sn.grad((a) => sn.conv2d(a, w, 1, 'same'))(x, dy);
  const second = sn.grad(dx)(filter, g);
  const expected = sn.grad((w) => sn.conv2d(g, w, 1, 'same'))(filter, dy);
  expectClose('second', host(second), host(expected), 'float64', 'product');
  expect(second.shape).toEqual([3, 3, 3, 4]);
});

test('an empty batch gives an empty result and zero gradients', () => {
  const filter = sn.ones([3, 3, 2, 4]);
  const { value, grad } = sn.valueAndGrad((w) => sn.conv2d(sn.zeros([0, 5, 5, 2]), w, 1, 'same'))(filter);
  expect(value.shape).toEqual([0, 5, 5, 4]);
  expect([...grad.dataSync()].every((one) => one === 0)).toBe(true);
});

test('errors name the op, the argument and what came', () => {
  const message = (body: () => unknown): string => {
    try {
      body();
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error('nothing was thrown');
  };
  const x = sn.zeros([1, 4, 4, 3]);
  const wrong = (value: unknown): never => value as never;
  expect(message(() => sn.conv2d(x, sn.zeros([3, 3, 16, 32]), 1, 'same'))).toBe(
    "conv2d: filter: expected inChannels 16 (axis 2) to equal x's channels 3, got [3,3,16,32]",
  );
  const grouped = (filter: number[], groups: number): string =>
    message(() => sn.conv2d(sn.zeros([1, 4, 4, 6]), sn.zeros(filter), 1, 'same', 'NHWC', 1, undefined, groups));
  expect(grouped([3, 3, 6, 4], 4)).toBe("conv2d: groups: expected an integer that divides x's 6 channels, got 4");
  expect(grouped([3, 3, 6, 4], 0)).toMatch(/^conv2d: groups: .* got 0/);
  expect(grouped([3, 3, 6, 4], 2)).toBe(
    "conv2d: filter: expected inChannels 6 (axis 2) to equal x's channels / groups, 6 / 2 = 3, got [3,3,6,4]",
  );
  expect(grouped([3, 3, 3, 5], 2)).toMatch(/^conv2d: filter: expected outChannels that 2 groups divide/);
  expect(message(() => sn.layers.conv2d({ filters: 5, kernelSize: 3, groups: 2 }))).toMatch(
    /groups: .*filters 5.*got 2/,
  );
  expect(message(() => sn.layers.conv2d({ filters: 4, kernelSize: 3, groups: 2 }).apply(x))).toMatch(
    /groups: .* 3 .*got 2/,
  );
  expect(message(() => sn.layers.conv2dTranspose({ filters: 4, kernelSize: 3, groups: 2 }))).toMatch(/groups: /);
  expect(message(() => sn.conv2d(x, sn.zeros([5, 5, 3, 1]), 1, 'valid'))).toMatch(
    /^conv2d: pad: expected the window to fit/,
  );
  expect(message(() => sn.conv2d(x, sn.zeros([3, 3, 3, 1]), 1, 'same', wrong('NCHW')))).toMatch(
    /^conv2d: dataFormat: .*"NCHW"; transpose/,
  );
  expect(message(() => sn.conv2d(x, sn.zeros([3, 3, 3, 1]), 1.5, 'same'))).toMatch(/^conv2d: strides: .*1\.5/);
  expect(message(() => sn.conv2d(x, sn.zeros([3, 3, 3, 1]), 1, -1))).toMatch(/^conv2d: pad: .*-1/);
  expect(message(() => sn.conv2d(sn.zeros([4, 4]), sn.zeros([3, 3, 3, 1]), 1, 'same'))).toMatch(
    /^conv2d: x: .*\[4,4\]/,
  );
  expect(message(() => sn.conv2d(x, sn.zeros([3, 3, 3]), 1, 'same'))).toMatch(/^conv2d: filter: .*\[3,3,3\]/);
  expect(message(() => sn.depthwiseConv2d(x, sn.zeros([3, 3, 4, 1]), 1, 'same'))).toMatch(
    /^depthwiseConv2d: filter: .* 4 .* 3/,
  );
  expect(message(() => sn.conv2dTranspose(x, sn.zeros([3, 3, 5, 3]), [1, 9, 8, 5], 2, 'same'))).toMatch(
    /^conv2dTranspose: outputShape: .*\[4,4\].*\[5,4\]/,
  );
  expect(message(() => sn.conv2dTranspose(x, sn.zeros([3, 3, 5, 3]), [1, 8, 8, 6], 2, 'same'))).toMatch(
    /^conv2dTranspose: outputShape: /,
  );
});
