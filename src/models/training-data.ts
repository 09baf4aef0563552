// The samples of a call: inputs, labels and weights as tensors of one length, checked before anything is computed.
import { failure, invalid } from '../errors.js';
import { formatShape } from '../layers/symbolic.js';
import { mul } from '../ops/arithmetic.js';
import { equal } from '../ops/comparison.js';
import { onesLike } from '../ops/creation.js';
import { argMax } from '../ops/reductions.js';
import { reshape } from '../ops/reshape.js';
import { slice } from '../ops/slice.js';
import { where } from '../ops/select.js';
import { withoutRecording } from '../autograd/tape.js';
import { castRaw } from '../tensor/convert.js';
import { tidy } from '../tensor/memory.js';
import type { Tensor } from '../tensor/tensor.js';
import { perOutput, type Compiled, type CompiledOutput } from './compile.js';
import type { Fed } from './feed.js';
import { fitted, type Feed, type Place } from './feed.js';

/** Weights of classes by their numbers; classes that are left out count 1. */
export type ClassWeight = Readonly<Record<number, number>>;
/** Class weights of one output, of each in a list, or by output. */
export type ClassWeights = ClassWeight | readonly ClassWeight[] | { readonly [outputName: string]: ClassWeight };

/** Samples on a device. `ys` and `weights` go with the trained outputs; a weight of null is 1 for every sample. */
export interface Samples {
  readonly size: number;
  readonly xs: readonly Tensor[];
  readonly ys: readonly Tensor[];
  readonly weights: readonly (Tensor | null)[];
  /** What their mean loss counts in that of the batch; less than 1 where other processes have the rest of it. */
  readonly share?: number;
}

/** Weights that may come with samples. */
export interface SampleOptions {
  readonly sampleWeight?: Feed | undefined;
  readonly classWeight?: ClassWeights | undefined;
}

const samplesOf = (op: string, argument: string, list: readonly Tensor[]): number => {
  const [first] = list;
  const size = first!.shape[0]!;
  const other = list.find((tensor) => tensor.shape[0] !== size);
  if (other !== undefined) {
    throw invalid('ERR_SHAPE', op, argument, `${size} samples in each of its tensors`, other.shape[0]);
  }
  return size;
};

/** The inputs, checked. */
export function inputSamples(op: string, x: unknown, inputs: readonly Place[], fed: Fed): Tensor[] {
  const names = inputs.map(({ name }) => name);
  const xs = fed
    .list(op, 'x', x, names)
    .map((tensor, i) => fitted(op, inputs.length === 1 ? 'x' : `x[${i}]`, fed, tensor, inputs[i]!));
  if (samplesOf(op, 'x', xs) === 0) throw invalid('ERR_ARGUMENT', op, 'x', 'at least one sample', 0);
  return xs;
}

/** Labels for one output. */
function labelsFor(op: string, argument: string, fed: Fed, tensor: Tensor, output: CompiledOutput): Tensor {
  const { loss, name, shape } = output;
  if (loss.labels === 'any') return tensor;
  if (loss.labels === 'like output') {
    try {
      return fitted(op, argument, fed, tensor, output);
    } catch (error) {
      const oneClass = tensor.rank === 1 || tensor.shape[tensor.rank - 1] === 1;
      if (loss.name !== 'categoricalCrossentropy' || !oneClass) throw error;
      const expected = `one-hot labels of shape ${formatShape([null, ...shape.slice(1)])} for ${name}`;
      const fix = "use oneHot(), or the loss 'sparseCategoricalCrossentropy' for class numbers";
      throw invalid('ERR_SHAPE', op, argument, expected, [...tensor.shape], fix);
    }
  }
  const wanted = shape.slice(1, -1);
  const given = tensor.shape.slice(1);
  const last = given.length === wanted.length + 1 && given[given.length - 1] === 1;
  const own = last ? given.slice(0, -1) : given;
  if (own.length === wanted.length && own.every((size, axis) => wanted[axis] === null || wanted[axis] === size)) {
    return tensor;
  }
  const expected = `class numbers of shape ${formatShape([null, ...wanted])} for ${name}`;
  const fix = "use the loss 'categoricalCrossentropy' for one-hot labels";
  throw invalid('ERR_SHAPE', op, argument, expected, [...tensor.shape], fix);
}

/** Weights for the trained outputs: one tensor is for all. */
function sampleWeights(op: string, given: unknown, outputs: readonly CompiledOutput[], fed: Fed): (Tensor | null)[] {
  if (given === undefined || given === null) return outputs.map(() => null);
  const names = outputs.map(({ name }) => name);
  const several = Array.isArray(given) && outputs.length > 1 && given.length === outputs.length;
  const byName = typeof given === 'object' && !Array.isArray(given) && !ArrayBuffer.isView(given) && !('id' in given);
  if (several || byName) {
    return perOutput(op, 'sampleWeight', given, names).map((one, i) =>
      one === null ? null : fed.tensor(op, `sampleWeight of ${names[i]}`, one),
    );
  }
  const [tensor] = fed.list(op, 'sampleWeight', given, ['weights']);
  return outputs.map(() => tensor!);
}

/** The weight of each sample's class. */
function classWeightOf(op: string, weights: unknown, labels: Tensor, output: CompiledOutput): Tensor {
  const entries = Object.entries((weights ?? {}) as Record<string, unknown>);
  const valid = entries.every(
    ([key, value]) => /^\d+$/.test(key) && typeof value === 'number' && value >= 0 && value < Infinity,
  );
  if (typeof weights !== 'object' || Array.isArray(weights) || entries.length === 0 || !valid) {
    throw invalid('ERR_ARGUMENT', op, 'classWeight', 'an object of class numbers and weights of at least 0', weights);
  }
  return tidy(() => {
    const last = labels.shape[labels.rank - 1]!;
    const oneHot = output.loss.labels !== 'class numbers' && labels.rank > 1 && last > 1;
    const classes = oneHot ? argMax(labels, -1) : castRaw(labels, 'int32');
    let result = onesLike(castRaw(classes, 'float32'));
    for (const [key, value] of entries) result = where(equal(classes, Number(key)), value as number, result);
    const flat = result.rank > 1 && result.shape[result.rank - 1] === 1;
    return flat ? reshape(result, result.shape.slice(0, -1)) : result;
  });
}

/** Whether the keys are class numbers, not outputs' names. */
const isOneClassWeight = (given: unknown): boolean =>
  typeof given === 'object' &&
  given !== null &&
  !Array.isArray(given) &&
  Object.keys(given).every((key) => /^\d+$/.test(key));

function withClassWeights(
  op: string,
  given: ClassWeights | undefined,
  weights: (Tensor | null)[],
  ys: readonly Tensor[],
  outputs: readonly CompiledOutput[],
  fed: Fed,
): (Tensor | null)[] {
  if (given === undefined || given === null) return weights;
  const names = outputs.map(({ name }) => name);
  const lists = isOneClassWeight(given) ? names.map(() => given) : perOutput(op, 'classWeight', given, names);
  return weights.map((weight, i) => {
    if (lists[i] === null) return weight;
    const own = fed.adopt(classWeightOf(op, lists[i], ys[i]!, outputs[i]!));
    return weight === null ? own : fed.adopt(mul(own, castRaw(weight, 'float32')));
  });
}

/**
 * Inputs, labels and weights, checked to go together.
 * @throws ShapeError naming the input or output and both shapes; ArgumentError for empty data or unequal lengths.
 */
export function samplesFrom(
  op: string,
  x: unknown,
  y: unknown,
  inputs: readonly Place[],
  compiled: Compiled,
  { sampleWeight, classWeight }: SampleOptions,
  fed: Fed,
): Samples {
  return withoutRecording(() => {
    const { outputs } = compiled;
    const xs = inputSamples(op, x, inputs, fed);
    const size = xs[0]!.shape[0]!;
    const names = outputs.map(({ name }) => name);
    const labels = fed.list(op, 'y', y, names);
    const count = samplesOf(op, 'y', labels);
    if (count !== size) {
      throw failure(
        'ERR_SHAPE',
        op,
        `x and y: expected as many labels as samples, got ${size} samples and ${count} labels`,
      );
    }
    const ys = labels.map((tensor, i) =>
      labelsFor(op, outputs.length === 1 ? 'y' : `y[${i}]`, fed, tensor, outputs[i]!),
    );
    const given = sampleWeights(op, sampleWeight, outputs, fed);
    for (const weight of given) {
      if (weight === null || weight.shape[0] === size) continue;
      throw invalid('ERR_SHAPE', op, 'sampleWeight', `${size} weights, one for each sample`, weight.shape[0]);
    }
    return { size, xs, ys, weights: withClassWeights(op, classWeight, given, ys, outputs, fed) };
  });
}

/** Samples from `start` on: views, save of variables. */
export function samplesBetween(samples: Samples, start: number, end: number, fed: Fed): Samples {
  const part = (tensor: Tensor): Tensor =>
    fed.adopt(slice(tensor, [start, ...tensor.shape.slice(1).map(() => 0)], [end - start, ...tensor.shape.slice(1)]));
  return {
    size: end - start,
    xs: samples.xs.map(part),
    ys: samples.ys.map(part),
    weights: samples.weights.map((weight) => (weight === null ? null : part(weight))),
  };
}
