// Losses: one for each element or row, weighted, and reduced in four ways.
import * as sn from '../../src/index.js';
import type { DType } from '../../src/tensor/dtype.js';
import { FLOATS, type Draw, type Operand, type Row } from './draw.js';
import { at, host, reduce, spreadAt, total, zip, type Host } from './host.js';

const { Reduction } = sn;
/** Losses are worked out in at least float32. */
const wide = (dtype: DType): DType => (dtype === 'float64' ? 'float64' : 'float32');

/** The reduction of weighted losses. */
function reduced(losses: Host, weights: Host | undefined, how: sn.Reduction): Host {
  const all = host(losses.shape, (index) => (weights === undefined ? 1 : spreadAt(weights, index)));
  const weighted = zip(losses, all, (loss, weight) => loss * weight);
  if (how === Reduction.NONE) return weighted;
  const sum = total([...Array.from(weighted.data)]);
  const counts = Array.from(all.data);
  const over =
    how === Reduction.SUM ? 1 : how === Reduction.MEAN ? total(counts) : counts.filter((weight) => weight !== 0).length;
  return { shape: [], data: [sum / over] };
}

interface Weighted {
  readonly weights: Operand | undefined;
  readonly how: sn.Reduction;
}

function weighted(draw: Draw, shape: readonly number[], dtype: DType): Weighted {
  const how = draw.pick([Reduction.NONE, Reduction.MEAN, Reduction.SUM, Reduction.SUM_BY_NONZERO_WEIGHTS]);
  const weights = draw.bool ? draw.operand(draw.narrower(shape), dtype, 'positive') : undefined;
  return { weights, how };
}

type Call = (labels: sn.Tensor, predictions: sn.Tensor, weights: sn.Tensor | undefined, how: sn.Reduction) => sn.Tensor;

/** A loss of each element. `unit`: labels and predictions are probabilities. */
function elementwise(call: Call, f: (label: number, prediction: number) => number, unit = false): Row {
  return (draw) => {
    const dtype = draw.dtype(FLOATS);
    const shape = draw.shape(0, 3, 1);
    const probability = (x: Operand): Operand =>
      unit ? { ...x, data: Float64Array.from(x.data, (value) => (Math.abs(value) % 1) / 2 + 0.25) } : x;
    const labels = probability(draw.operand(shape, dtype));
    const predictions = probability(draw.operand(shape, dtype));
    const { weights, how } = weighted(draw, shape, dtype);
    return {
      inputs: [labels, predictions, ...(weights === undefined ? [] : [weights])],
      call: (l, p, w) => call(l, p, w, how),
      expected: reduced(zip(labels, predictions, f), weights, how),
      dtypes: wide(dtype),
      kind: 'composite',
    };
  };
}

const softplus = (x: number): number => Math.max(0, x) + Math.log1p(Math.exp(-Math.abs(x)));
const { losses } = sn;

/** Cross-entropy of rows, whose labels are probabilities or numbers of classes. */
function rows(sparse: boolean): Row {
  return (draw) => {
    const dtype = draw.dtype(FLOATS);
    const outer = draw.shape(0, 2, 1);
    const classes = draw.size(1);
    const logits = draw.operand([...outer, classes], dtype);
    const numbers: Operand = {
      shape: outer,
      dtype: 'int32',
      data: Float64Array.from(draw.operand(outer, 'int32').data, () => draw.int(0, classes - 1)),
    };
    const hot = host(logits.shape, (index) => Number(at(numbers, index.slice(0, -1)) === index.at(-1)));
    const labels: Operand = sparse ? numbers : { ...hot, dtype };
    const { weights, how } = weighted(draw, outer, dtype);
    const terms = host(logits.shape, (index) => {
      const row = Array.from({ length: classes }, (_, k) => at(logits, [...index.slice(0, -1), k]));
      return at(hot, index) * Math.log(total(row.map((logit) => Math.exp(logit - at(logits, index)))));
    });
    const each = reduce(terms, [outer.length], false, total);
    return {
      inputs: [labels, logits, ...(weights === undefined ? [] : [weights])],
      call: (l, x, w) =>
        sparse ? losses.sparseSoftmaxCrossEntropy(l, x, w, how) : losses.softmaxCrossEntropy(l, x, w, 0, how),
      expected: reduced(each, weights, how),
      dtypes: wide(dtype),
      kind: 'composite',
    };
  };
}

export const LOSSES: Readonly<Record<string, Row>> = {
  'losses.absoluteDifference': elementwise(losses.absoluteDifference, (l, p) => Math.abs(l - p)),
  'losses.meanSquaredError': elementwise(losses.meanSquaredError, (l, p) => (l - p) ** 2),
  'losses.hingeLoss': elementwise(losses.hingeLoss, (l, p) => Math.max(0, 1 - (2 * l - 1) * p)),
  'losses.huberLoss': elementwise(
    (l, p, w, how) => losses.huberLoss(l, p, w, 0.75, how),
    (l, p) => {
      const error = Math.abs(l - p);
      return error <= 0.75 ? error ** 2 / 2 : 0.75 * (error - 0.75) + 0.75 ** 2 / 2;
    },
  ),
  'losses.logLoss': elementwise(
    (l, p, w, how) => losses.logLoss(l, p, w, 1e-3, how),
    (l, p) => -l * Math.log(p + 1e-3) - (1 - l) * Math.log(1 - p + 1e-3),
    true,
  ),
  'losses.sigmoidCrossEntropy': elementwise(
    (l, p, w, how) => losses.sigmoidCrossEntropy(l, p, w, 0, how),
    (l, p) => l * softplus(-p) + (1 - l) * softplus(p),
  ),
  'losses.softmaxCrossEntropy': rows(false),
  'losses.sparseSoftmaxCrossEntropy': rows(true),
  'losses.computeWeightedLoss': (draw) => {
    const each = draw.operand(draw.shape(0, 3, 1), draw.dtype(FLOATS));
    const { weights, how } = weighted(draw, each.shape, each.dtype);
    return {
      inputs: [each, ...(weights === undefined ? [] : [weights])],
      call: (x, w) => losses.computeWeightedLoss(x, w, how),
      expected: reduced(each, weights, how),
      dtypes: wide(each.dtype),
      kind: 'composite',
    };
  },
  'losses.cosineDistance': (draw) => {
    const dtype = draw.dtype(FLOATS);
    const shape = draw.shape(1, 3, 1);
    const [labels, predictions] = [draw.operand(shape, dtype, 'small'), draw.operand(shape, dtype, 'small')];
    const { given, axis } = draw.axis(shape.length);
    const products = zip(labels, predictions, (l, p) => l * p);
    const each = reduce(products, [axis], true, (values) => 1 - total(values));
    const { how } = weighted(draw, each.shape, dtype);
    return {
      inputs: [labels, predictions],
      call: (l, p) => losses.cosineDistance(l, p, given, undefined, how),
      expected: reduced(each, undefined, how),
      dtypes: wide(dtype),
      kind: 'composite',
    };
  },
};
