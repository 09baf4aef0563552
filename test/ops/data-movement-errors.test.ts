// Bad input to the ops that move data: one clear error each.
import { expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { SelfnormError, type ErrorCode } from '../../src/errors.js';

const wrong = (value: unknown): never => value as never;
const x = sn.zeros([2, 3]);
const rows: [string, () => unknown, ErrorCode, RegExp][] = [
  [
    'broadcastTo a smaller rank',
    () => sn.broadcastTo(x, [3]),
    'ERR_SHAPE',
    /^broadcastTo: shape: .*\[2,3\].*got \[3\]/,
  ],
  ['broadcastTo another size', () => sn.broadcastTo(x, [2, 4]), 'ERR_SHAPE', /^broadcastTo: shape: /],
  ['broadcastTo NaN', () => sn.broadcastTo(x, [NaN, 3]), 'ERR_SHAPE', /^broadcastTo: shape: .*NaN/],
  ['tile with too few reps', () => sn.tile(x, [2]), 'ERR_ARGUMENT', /^tile: reps: expected 2 integers/],
  ['tile with a negative count', () => sn.tile(x, [-1, 1]), 'ERR_ARGUMENT', /^tile: reps: /],
  ['tile past 2^53 elements', () => sn.tile(x, [2 ** 30, 2 ** 30]), 'ERR_SHAPE', /^tile: reps: .*2\^53/],
  ['transpose with too few axes', () => sn.transpose(x, [0]), 'ERR_ARGUMENT', /^transpose: perm: /],
  ['transpose by NaN', () => sn.transpose(x, [0, NaN]), 'ERR_ARGUMENT', /^transpose: perm: .*NaN/],
  ['reverse an axis that is not there', () => sn.reverse(x, 2), 'ERR_ARGUMENT', /^reverse: axis: .*got 2/],
  ['slice a scalar', () => sn.slice(1, 0), 'ERR_SHAPE', /^slice: x: .*rank/],
  ['slice from -1', () => sn.slice(x, [-1, 0]), 'ERR_ARGUMENT', /^slice: begin, size: .*begin -1/],
  ['slice of size -2', () => sn.slice(x, 0, -2), 'ERR_ARGUMENT', /^slice: begin, size: .*size -2/],
  ['slice by a fraction', () => sn.slice(x, 0.5), 'ERR_ARGUMENT', /^slice: begin: .*0\.5/],
  ['slice by too many', () => sn.slice(x, [0, 0, 0]), 'ERR_ARGUMENT', /^slice: begin: at most|^slice: begin: expected/],
  ['pad with one pair', () => sn.pad(x, [[1, 1]]), 'ERR_ARGUMENT', /^pad: paddings: expected 2 pairs/],
  [
    'pad with a negative margin',
    () =>
      sn.pad(x, [
        [0, 0],
        [0, -1],
      ]),
    'ERR_ARGUMENT',
    /^pad: paddings: /,
  ],
  [
    'pad with a string',
    () =>
      sn.pad(
        x,
        [
          [0, 0],
          [0, 0],
        ],
        wrong('0'),
      ),
    'ERR_ARGUMENT',
    /^pad: constantValue: .*"0"/,
  ],
  [
    'split into parts that do not divide',
    () => sn.split(x, 2, 1),
    'ERR_ARGUMENT',
    /^split: numOrSizeSplits: .*divides 3/,
  ],
  ['split into sizes of another sum', () => sn.split(x, [1, 1], 1), 'ERR_ARGUMENT', /^split: .*add up to 3/],
  ['split with two unknowns', () => sn.split(x, [-1, -1], 1), 'ERR_ARGUMENT', /^split: /],
  ['unstack a scalar', () => sn.unstack(1), 'ERR_ARGUMENT', /^unstack: axis: /],
  ['stack different shapes', () => sn.stack([x, sn.zeros([2])]), 'ERR_SHAPE', /^stack: tensors\[1\]: .*\[2,3\]/],
  ['concat different ranks', () => sn.concat([x, sn.zeros([2])]), 'ERR_SHAPE', /^concat: tensors\[1\]: /],
  ['concat of no list', () => sn.concat(wrong(x)), 'ERR_ARGUMENT', /^concat: tensors: /],
  ['concat scalars', () => sn.concat([1, 2]), 'ERR_ARGUMENT', /^concat: axis: /],
  ['gather by floats', () => sn.gather(x, [0.5]), 'ERR_DTYPE', /^gather: indices: .*0\.5/],
  ['gather from a scalar', () => sn.gather(1, [0]), 'ERR_SHAPE', /^gather: x: /],
  [
    'gather with a batch behind the axis',
    () => sn.gather(x, sn.zeros([2, 3, 1], 'int32'), 0, 1),
    'ERR_ARGUMENT',
    /^gather: batchDims: /,
  ],
  [
    'gather with another batch',
    () => sn.gather(x, sn.zeros([3, 1], 'int32'), 1, 1),
    'ERR_SHAPE',
    /^gather: indices: .*\[2\]/,
  ],
  ['oneHot of depth 1', () => sn.oneHot([0], 1), 'ERR_ARGUMENT', /^oneHot: depth: .*got 1/],
  ['oneHot of floats', () => sn.oneHot(sn.zeros([2]), 3), 'ERR_DTYPE', /^oneHot: indices: .*float32/],
  ['cumsum of a scalar', () => sn.cumsum(1), 'ERR_ARGUMENT', /^cumsum: axis: /],
  ['topk of a scalar', () => sn.topk(1), 'ERR_SHAPE', /^topk: x: /],
  ['topk of -1', () => sn.topk(x, -1), 'ERR_ARGUMENT', /^topk: k: .*got -1/],
  ['a range without a step', () => sn.range(0, 5, 0), 'ERR_ARGUMENT', /^range: step: /],
  ['a range to infinity', () => sn.range(0, Infinity), 'ERR_ARGUMENT', /^range: stop: /],
  ['linspace of 0 points', () => sn.linspace(0, 1, 0), 'ERR_ARGUMENT', /^linspace: num: /],
  ['eye of -1', () => sn.eye(-1), 'ERR_SHAPE', /^eye: numRows/],
  ['to an unknown device', () => x.to('tpu'), 'ERR_DEVICE', /^to: device: .*"tpu"/],
];
test.each(rows)('%s', (_what, call, code, text) => {
  let caught: unknown;
  try {
    call();
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(SelfnormError);
  expect((caught as SelfnormError).code).toBe(code);
  expect((caught as SelfnormError).message).toMatch(text);
});
