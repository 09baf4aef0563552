// Literal shapes through the ops, at compile time: results are typed by what they are, and shapes that cannot meet do not
// compile.
import { describe, expectTypeOf, test } from 'vitest';
import * as sn from '../../src/index.js';
import type { Tensor } from '../../src/index.js';

declare const anyRank: Tensor;
declare const numbers: Tensor<number[]>;
declare const matrix: Tensor<[number, number]>;
const a = sn.zeros([2, 3]);
const b = sn.zeros([3, 5]);
const cube = sn.zeros([2, 3, 4]);

describe('creation', () => {
  test('keeps literal sizes', () => {
    expectTypeOf(sn.zeros([2, 3])).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(sn.ones([])).toEqualTypeOf<Tensor<[]>>();
    expectTypeOf(sn.fill([4], 1)).toEqualTypeOf<Tensor<[4]>>();
    expectTypeOf(sn.zeros([2, 3] as number[])).toEqualTypeOf<Tensor<number[]>>();
    expectTypeOf(sn.tensor([1, 2, 3, 4], [2, 2])).toEqualTypeOf<Tensor<[2, 2]>>();
    expectTypeOf(sn.tensor([1, 2])).toEqualTypeOf<Tensor<number[]>>();
  });
  test('every tensor is a Tensor', () => {
    expectTypeOf(a).toExtend<Tensor>();
    expectTypeOf(a).toExtend<Tensor<[number, number]>>();
    expectTypeOf(a).toExtend<Tensor<number[]>>();
    expectTypeOf(matrix).not.toExtend<Tensor<[2, 3]>>();
    expectTypeOf(a).not.toExtend<Tensor<[3, 2]>>();
    expectTypeOf(a).toExtend<sn.TensorLike>();
  });
});

describe('matMul', () => {
  test('gives the outer sizes', () => {
    expectTypeOf(a.matMul(b)).toEqualTypeOf<Tensor<[2, 5]>>();
    expectTypeOf(sn.matMul(a, b)).toEqualTypeOf<Tensor<[2, 5]>>();
    expectTypeOf(sn.matMul(b, a, true, true)).toEqualTypeOf<Tensor<[5, 2]>>();
    expectTypeOf(a.matMul(sn.zeros([7, 3]), false, true)).toEqualTypeOf<Tensor<[2, 7]>>();
    expectTypeOf(a.matMul(sn.zeros([2, 7]), true)).toEqualTypeOf<Tensor<[3, 7]>>();
  });
  test('broadcasts batches', () => {
    expectTypeOf(cube.matMul(sn.zeros([4, 6]))).toEqualTypeOf<Tensor<[2, 3, 6]>>();
    expectTypeOf(sn.matMul(sn.zeros([5, 1, 2, 3]), sn.zeros([7, 3, 4]))).toEqualTypeOf<Tensor<[5, 7, 2, 4]>>();
  });
  test('refuses inner sizes that differ', () => {
    // @ts-expect-error 3 and 4
    void (() => a.matMul(sn.zeros([4, 5])));
    // @ts-expect-error 3 and 4
    void (() => sn.matMul(a, sn.zeros([4, 5])));
    // @ts-expect-error 3 and 5, transposed
    void (() => sn.matMul(a, b, false, true));
    // @ts-expect-error 4 and 5, in batches
    void (() => cube.matMul(sn.zeros([2, 5, 6])));
    expectTypeOf(a).toExtend<Tensor>();
  });
  test('takes sizes and ranks that are not known', () => {
    expectTypeOf(numbers.matMul(numbers)).toEqualTypeOf<Tensor<number[]>>();
    expectTypeOf(anyRank.matMul(b)).toEqualTypeOf<Tensor>();
    expectTypeOf(sn.matMul(a, numbers)).toEqualTypeOf<Tensor<number[]>>();
    expectTypeOf(sn.matMul([[1, 2]], [[1], [2]])).toEqualTypeOf<Tensor<number[]>>();
    expectTypeOf(matrix.matMul(b)).toEqualTypeOf<Tensor<[number, 5]>>();
    expectTypeOf(a.matMul(matrix)).toEqualTypeOf<Tensor<[2, number]>>();
    const flag = Math.random() > 2;
    expectTypeOf(a.matMul(b, flag)).toEqualTypeOf<Tensor<[number, 5]>>();
  });
});

describe('elementwise ops', () => {
  test('keep or broadcast the shape', () => {
    expectTypeOf(a.relu().matMul(b)).toEqualTypeOf<Tensor<[2, 5]>>();
    expectTypeOf(sn.selu(a, { alpha: 1 })).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(sn.exp(a)).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(a.add(1)).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(sn.mul(2, a)).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(a.add(sn.zeros([3]))).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(sn.add(sn.zeros([4, 1, 3]), sn.zeros([5, 1]))).toEqualTypeOf<Tensor<[4, 5, 3]>>();
    expectTypeOf(a.less(matrix)).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(a.add(numbers)).toEqualTypeOf<Tensor<number[]>>();
    expectTypeOf(a.add(anyRank)).toEqualTypeOf<Tensor>();
    expectTypeOf(a.cast('float16')).toEqualTypeOf<Tensor<[2, 3]>>();
  });
  test('so that a loss can be added up', () => {
    let loss = sn.mean(a);
    loss = loss.add(sn.sum(sn.square(b)).mul(0.01));
    expectTypeOf(loss).toEqualTypeOf<Tensor<[]>>();
    let h = anyRank.mul(2);
    h = anyRank;
    expectTypeOf(h).toEqualTypeOf<Tensor>();
    // @ts-expect-error 3 and 4
    void (() => a.relu().matMul(sn.zeros([4, 5])));
  });
});

describe('reshape', () => {
  test('gives the shape asked for', () => {
    expectTypeOf(a.reshape([6])).toEqualTypeOf<Tensor<[6]>>();
    expectTypeOf(sn.reshape(a, [3, -1])).toEqualTypeOf<Tensor<[3, number]>>();
    expectTypeOf(a.reshape([6] as number[])).toEqualTypeOf<Tensor<number[]>>();
    expectTypeOf(numbers.reshape([1, 2])).toEqualTypeOf<Tensor<[1, 2]>>();
    expectTypeOf(a.reshape([])).toEqualTypeOf<Tensor<[]>>();
  });
});

describe('transpose', () => {
  test('permutes the sizes', () => {
    expectTypeOf(cube.transpose()).toEqualTypeOf<Tensor<[4, 3, 2]>>();
    expectTypeOf(cube.transpose([2, 0, 1])).toEqualTypeOf<Tensor<[4, 2, 3]>>();
    expectTypeOf(sn.transpose(cube, [0, -1, 1])).toEqualTypeOf<Tensor<[2, 4, 3]>>();
    expectTypeOf(cube.transpose([0, 1, 2] as number[])).toEqualTypeOf<Tensor<[number, number, number]>>();
    expectTypeOf(numbers.transpose()).toEqualTypeOf<Tensor<number[]>>();
    expectTypeOf(matrix.transpose()).toEqualTypeOf<Tensor<[number, number]>>();
    expectTypeOf(a.transpose().matMul(sn.zeros([2, 7]))).toEqualTypeOf<Tensor<[3, 7]>>();
  });
});

describe('concat', () => {
  test('keeps the sizes beside the axis', () => {
    expectTypeOf(sn.concat([a, sn.zeros([4, 3])])).toEqualTypeOf<Tensor<[number, 3]>>();
    expectTypeOf(sn.concat([a, a], 1)).toEqualTypeOf<Tensor<[2, number]>>();
    expectTypeOf(sn.concat([a, a], -1)).toEqualTypeOf<Tensor<[2, number]>>();
    expectTypeOf(sn.concat([numbers, a])).toEqualTypeOf<Tensor<number[]>>();
    expectTypeOf(a.concat(a, 1)).toEqualTypeOf<Tensor<[2, number]>>();
    const list: Tensor[] = [a, b];
    expectTypeOf(sn.concat(list)).toEqualTypeOf<Tensor>();
    const same: Tensor<[2, 3]>[] = [a];
    expectTypeOf(sn.concat(same, 0)).toEqualTypeOf<Tensor<[number, 3]>>();
  });
});

describe('reductions', () => {
  test('drop their axes', () => {
    expectTypeOf(sn.sum(cube)).toEqualTypeOf<Tensor<[]>>();
    expectTypeOf(cube.sum(1)).toEqualTypeOf<Tensor<[2, 4]>>();
    expectTypeOf(cube.mean(-1)).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(sn.max(cube, [0, 2])).toEqualTypeOf<Tensor<[3]>>();
    expectTypeOf(cube.min([0, -1])).toEqualTypeOf<Tensor<[3]>>();
    expectTypeOf(numbers.sum()).toEqualTypeOf<Tensor<[]>>();
    expectTypeOf(numbers.sum(0)).toEqualTypeOf<Tensor<number[]>>();
    expectTypeOf(cube.argMax(2)).toEqualTypeOf<Tensor<[2, 3]>>();
    expectTypeOf(cube.argMin()).toEqualTypeOf<Tensor<[3, 4]>>();
    const axis = Math.round(1);
    expectTypeOf(cube.prod(axis)).toEqualTypeOf<Tensor<number[]>>();
  });
  test('or keep them as 1', () => {
    expectTypeOf(cube.sum(1, true)).toEqualTypeOf<Tensor<[2, 1, 4]>>();
    expectTypeOf(cube.mean([0, -1], true)).toEqualTypeOf<Tensor<[1, 3, 1]>>();
    expectTypeOf(cube.logSumExp(null, true)).toEqualTypeOf<Tensor<[1, 1, 1]>>();
    expectTypeOf(cube.sum([0] as number[], true)).toEqualTypeOf<Tensor<[number, number, number]>>();
    const keep = Math.random() > 2;
    expectTypeOf(cube.sum(0, keep)).toEqualTypeOf<Tensor<number[]>>();
  });
});
