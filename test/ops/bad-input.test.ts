// Every kind of bad input: one clear error that names the op and the argument, says what was expected and what came, and
// leaves the process alive and the next op working.
import { expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import { SelfnormError, type ErrorCode } from '../../src/errors.js';

/** What plain JavaScript may pass: the types would refuse it. */
const wrong = (value: unknown): never => value as never;

const disposed = (): sn.Tensor => {
  const t = sn.zeros([2]);
  t.dispose();
  return t;
};

const rows: readonly (readonly [what: string, call: () => unknown, code: ErrorCode, text: RegExp])[] = [
  [
    'shapes that do not broadcast',
    () => sn.add(sn.zeros([2, 3]), sn.zeros([4])),
    'ERR_SHAPE',
    /^add: b: .*\[2,3\].*\[4\]/,
  ],
  ['inner dimensions', () => sn.matMul(sn.zeros([2, 3]), sn.zeros([4, 5] as number[])), 'ERR_SHAPE', /^matMul: .*3.*4/],
  ['a reshape of another size', () => sn.reshape(sn.zeros([4]), [3]), 'ERR_SHAPE', /^reshape: shape: .*4 elements/],
  ['a reshape with two unknowns', () => sn.reshape(sn.zeros([4]), [-1, -1]), 'ERR_SHAPE', /^reshape: shape:/],
  ['a negative size', () => sn.zeros([-1]), 'ERR_SHAPE', /^zeros: shape: .*at least 0, got \[-1\]/],
  ['a fractional size', () => sn.zeros([1.5]), 'ERR_SHAPE', /^zeros: shape: /],
  ['a NaN size', () => sn.zeros([NaN]), 'ERR_SHAPE', /^zeros: shape: .*got \[NaN\]/],
  ['a shape that is no array', () => sn.zeros(wrong('3')), 'ERR_SHAPE', /^zeros: shape: .*got "3"/],
  ['rank 9', () => sn.zeros([1, 1, 1, 1, 1, 1, 1, 1, 1]), 'ERR_SHAPE', /^zeros: shape: .*rank of at most 8/],
  ['2^60 elements', () => sn.zeros([2 ** 30, 2 ** 30]), 'ERR_SHAPE', /^zeros: shape: .*2\^53/],
  [
    'more memory than there is',
    () => sn.zeros([2 ** 20, 2 ** 20]),
    'ERR_OUT_OF_MEMORY',
    /^fill: out of memory: asked 4096\.00 GiB/,
  ],
  ['ragged arrays', () => sn.tensor([[1, 2], [3]]), 'ERR_SHAPE', /^tensor: values: .*ragged/],
  ['values that are no numbers', () => sn.tensor(wrong(['1'])), 'ERR_ARGUMENT', /^tensor: values: .*got "1"/],
  ['too few values', () => sn.tensor([1, 2], [3]), 'ERR_SHAPE', /^tensor: values: expected 3 values.*got 2/],
  ['an unknown dtype', () => sn.zeros([1], wrong('float8')), 'ERR_DTYPE', /^zeros: dtype: .*got "float8"/],
  ['a wrong rank', () => sn.tensor2d([1, 2, 3]), 'ERR_SHAPE', /^tensor2d: values: .*rank 2/],
  ['an axis beyond the rank', () => sn.sum(sn.zeros([2]), 1), 'ERR_ARGUMENT', /^sum: axis: .*\[-1, 1\), got 1/],
  ['a NaN axis', () => sn.sum(sn.zeros([2]), NaN), 'ERR_ARGUMENT', /^sum: axis: .*got NaN/],
  ['an axis twice', () => sn.sum(sn.zeros([2, 2]), [0, -2]), 'ERR_ARGUMENT', /^sum: axis: .*once/],
  ['an undefined operand', () => sn.add(wrong(undefined), 1), 'ERR_ARGUMENT', /^add: a: .*got undefined/],
  ['an object operand', () => sn.add(1, wrong({})), 'ERR_ARGUMENT', /^add: b: .*Object/],
  ['a disposed operand', () => sn.add(disposed(), 1), 'ERR_DISPOSED', /^add: a: .*disposed/],
  ['a disposed tensor read', () => disposed().dataSync(), 'ERR_DISPOSED', /^dataSync: tensor: .*disposed/],
  [
    'numbers where bool is needed',
    () => sn.logicalAnd(sn.ones([1]), sn.ones([1])),
    'ERR_DTYPE',
    /^logicalAnd: a: .*float32/,
  ],
  ['a number as condition', () => sn.where(sn.ones([1]), 1, 2), 'ERR_DTYPE', /^where: condition: .*bool/],
  ['limits turned round', () => sn.clipByValue(1, 2, 1), 'ERR_ARGUMENT', /^clipByValue: min, max: /],
  ['a negative ELU alpha', () => sn.elu(1, -1), 'ERR_ARGUMENT', /^elu: alpha: .*got -1/],
  ['a NaN softplus beta', () => sn.softplus(1, NaN), 'ERR_ARGUMENT', /^softplus: beta: .*got NaN/],
  ['a dropout rate of 1', () => sn.dropout(sn.ones([2]), 1), 'ERR_ARGUMENT', /^dropout: rate: .*\[0, 1\), got 1/],
  ['a negative dropout rate', () => sn.dropout(sn.ones([2]), -0.1), 'ERR_ARGUMENT', /^dropout: rate: .*got -0\.1/],
  ['a NaN dropout rate', () => sn.alphaDropout(sn.ones([2]), NaN), 'ERR_ARGUMENT', /^alphaDropout: rate: .*got NaN/],
  ['no CUDA device', () => sn.setDevice('cuda:99'), 'ERR_DEVICE', /cuda/i],
  ['an unknown device', () => sn.setDevice('tpu'), 'ERR_DEVICE', /^setDevice: device: .*got "tpu"/],
  ['f that returns no tensor', () => sn.grad(wrong(() => 1))(1), 'ERR_ARGUMENT', /^grad: f: .*tensor/],
  ['dy of another shape', () => sn.grad((x) => sn.square(x))([1, 2], [1]), 'ERR_SHAPE', /^grad: dy: .*\[2\]/],
  [
    'an integer to differentiate by',
    () => sn.grad((x) => x)(sn.tensor([1], [1], 'int32')),
    'ERR_DTYPE',
    /^grad: argument 0: /,
  ],
  [
    'a loss that is no scalar',
    () => sn.variableGrads(() => sn.variable([1, 2])),
    'ERR_SHAPE',
    /^variableGrads: f: .*scalar/,
  ],
  [
    'a loss without variables',
    () => sn.variableGrads(() => sn.scalar(1)),
    'ERR_ARGUMENT',
    /^variableGrads: f: .*variable/,
  ],
  ['an assigned value of another shape', () => sn.variable([1, 2]).assign([1]), 'ERR_SHAPE', /^assign: value: .*\[2\]/],
  [
    'an assigned value of another dtype',
    () => sn.variable([1]).assign(sn.tensor([1], [1], 'int32')),
    'ERR_DTYPE',
    /^assign: value: /,
  ],
  ['an async tidy', () => sn.tidy(() => Promise.resolve(1)), 'ERR_ARGUMENT', /^tidy: fn: .*synchronous/],
  [
    'filters of other channels',
    () => sn.conv2d(sn.zeros([1, 4, 4, 3]), sn.zeros([3, 3, 16, 32]), 1, 'same'),
    'ERR_SHAPE',
    /^conv2d: filter: .*16.*3/,
  ],
  [
    'a filter larger than the image',
    () => sn.conv2d(sn.zeros([1, 2, 2, 1]), sn.zeros([3, 3, 1, 1]), 1, 'valid'),
    'ERR_SHAPE',
    /^conv2d: /,
  ],
  ['a stride of 0', () => sn.maxPool(sn.zeros([1, 4, 4, 1]), 2, 0, 'same'), 'ERR_ARGUMENT', /^maxPool: strides: .*got/],
  [
    'an unknown padding',
    () => sn.conv2d(sn.zeros([1, 4, 4, 1]), sn.zeros([3, 3, 1, 1]), 1, wrong('full')),
    'ERR_ARGUMENT',
    /^conv2d: pad: .*"full"/,
  ],
  [
    'unknown activation',
    () => sn.fused.matMul({ a: sn.zeros([1, 1]), b: sn.zeros([1, 1]), activation: wrong('swoosh') }),
    'ERR_ARGUMENT',
    /activation: .*"swoosh"/,
  ],
  ['a slice past the end', () => sn.slice(sn.zeros([3]), [2], [2]), 'ERR_ARGUMENT', /^slice: /],
  ['shapes that do not join', () => sn.concat([sn.zeros([1, 2]), sn.zeros([1, 3])], 0), 'ERR_SHAPE', /^concat: /],
  ['nothing to join', () => sn.concat([]), 'ERR_ARGUMENT', /^concat: tensors: /],
  ['a permutation with a repeat', () => sn.transpose(sn.zeros([2, 2]), [0, 0]), 'ERR_ARGUMENT', /^transpose: perm: /],
  ['fractional indices', () => sn.gather(sn.zeros([2]), sn.tensor([0.5])), 'ERR_DTYPE', /^gather: indices: .*int32/],
  ['k beyond the axis', () => sn.topk(sn.zeros([2]), 3), 'ERR_ARGUMENT', /^topk: k: .*got 3/],
  [
    'a negative learning rate',
    () => sn.train.sgd(wrong('fast')),
    'ERR_ARGUMENT',
    /^train\.sgd: learningRate: .*"fast"/,
  ],
  ['a reduction over nothing', () => sn.max(sn.zeros([0, 2]), 0), 'ERR_SHAPE', /^max: /],
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
  expect((caught as SelfnormError).message).not.toContain('\n');
  expect(sn.add(1, 1).dataSync()[0]).toBe(2);
});
