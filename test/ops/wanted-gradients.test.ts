// Gradients that nobody differentiates by are not computed: a network's first layer has an input, and data has no gradient.
import { expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { nativeOps } from '../harness/native-ops.js';

const image = sn.randomNormal([2, 6, 6, 3]);
const filter = sn.randomNormal([3, 3, 3, 4]);
const rows = sn.randomNormal([5, 3]);
const weights = sn.randomNormal([3, 4]);
const bias = sn.randomNormal([4]);

/** Native calls of one gradient. */
const calls = (f: (...xs: sn.Tensor[]) => sn.Tensor, xs: sn.Tensor[]): number =>
  nativeOps(() => sn.grads(f)(xs)).length;

test.each<[string, sn.Tensor, sn.Tensor, (x: sn.Tensor, w: sn.Tensor) => sn.Tensor]>([
  ['matMul', rows, weights, (x, w) => sn.matMul(x, w)],
  ['fused.matMul', rows, weights, (x, w) => sn.fused.matMul({ a: x, b: w, bias, activation: 'selu' })],
  ['conv2d', image, filter, (x, w) => sn.conv2d(x, w, 1, 'same')],
  ['fused.conv2d', image, filter, (x, w) => sn.fused.conv2d({ x, filter: w, strides: 1, pad: 'same', bias })],
])('%s by its weights alone takes one call less than by both', (_name, x, w, f) => {
  const both = calls(f, [x, w]);
  expect(calls((one) => f(x, one), [w])).toBe(both - 1);
  expect(calls((one) => f(one, w), [x])).toBe(both - 1);
});
