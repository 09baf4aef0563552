// One step: the loss of a batch's samples with its gradients and the optimizer's update, or the loss alone. It reads nothing
// from the device and changes nothing but variables, so that it can be recorded.
import { failure, invalid } from '../errors.js';
import { gradientsByVariable } from '../autograd/gradients.js';
import { withoutRecording } from '../autograd/tape.js';
import { NonNeg } from '../constraints/norms.js';
import type { LayerWeight } from '../layers/weight.js';
import { wide } from '../losses/operands.js';
import { weighted } from '../losses/weighting.js';
import type { Part } from '../metrics/metric.js';
import { add, mul } from '../ops/arithmetic.js';
import { mean } from '../ops/reductions.js';
import { noting } from '../ops/noted.js';
import type { Optimizer } from '../optimizers/optimizer.js';
import { Tensor } from '../tensor/tensor.js';
import type { Variable } from '../tensor/variable.js';
import type { Compiled, CompiledOutput } from './compile.js';
import type { DataParallel } from './data-parallel.js';
import { inputForms, rescaledInputs, type InputForm } from './input-form.js';
import type { Model } from './model.js';
import type { RunningSums } from './running-sums.js';
import type { Samples } from './training-data.js';

/** What training a model needs at hand each step, worked out once an epoch. */
export interface Trained {
  readonly model: Model;
  readonly compiled: Compiled;
  readonly weights: readonly LayerWeight[];
  readonly penalties: readonly (() => Tensor)[];
  /** What the model's inputs take: samples come to a step in these forms. */
  readonly forms: readonly InputForm[];
  /** The other processes that have parts of each batch; null where there is none. */
  readonly parallel: DataParallel | null;
  /** Those that the optimizer's own launch keeps from being negative; the other constraints look at whole weights. */
  readonly nonNegative: ReadonlySet<Variable>;
}

/** The model's trained weights and penalties, as they stand. */
export function trainedParts(model: Model, compiled: Compiled, parallel: DataParallel | null = null): Trained {
  const weights = model.trainableLayerWeights;
  // A class derived from NonNeg may do something else.
  const clamped = weights.filter(({ constraint }) => constraint?.constructor === NonNeg);
  const nonNegative = new Set(clamped.map(({ variable }) => variable));
  const [penalties, forms] = [model.regularizationLosses(), inputForms(model.graph)];
  return { model, compiled, weights, penalties, forms, parallel, nonNegative };
}

/** An output's loss: the weighted sum over the number of values, Keras's sum_over_batch_size. */
function lossOf({ loss, name }: CompiledOutput, yTrue: Tensor, yPred: Tensor, weights: Tensor | null): Tensor {
  const given: unknown = loss.of(yTrue, yPred);
  if (!(given instanceof Tensor)) {
    throw invalid('ERR_ARGUMENT', 'compile', `loss of ${name}`, 'a function that returns a tensor', given);
  }
  const values = wide(given as Tensor);
  if (values.rank > 0) return mean(weighted(`loss of ${name}`, values, weights));
  if (weights === null) return values;
  const fix = 'return one loss for each sample';
  throw failure(
    'ERR_SHAPE',
    'fit',
    `sampleWeight: expected a loss with an axis of samples, got a scalar of ${name}; ${fix}`,
  );
}

/** The sum that is minimised, and each log's part of this batch. */
function lossAndParts(
  { model, compiled, penalties, forms }: Trained,
  { xs, ys, weights, size }: Samples,
  training: boolean,
): { total: Tensor; parts: Part[] } {
  const ranked = compiled.outputs.some(({ metrics }) => metrics.some(({ metric }) => metric.readsRanks));
  return noting(ranked, () => {
    const predictions = model.callAll(xs, { training, rescaled: rescaledInputs(xs, forms) });
    const losses = compiled.outputs.map((output, i) =>
      lossOf(output, ys[i]!, predictions[output.index]!, weights[i] ?? null),
    );
    const counted = losses.map((loss, i) => {
      const { lossWeight } = compiled.outputs[i]!;
      return lossWeight === 1 ? loss : mul(loss, lossWeight);
    });
    const total = [...counted, ...penalties.map((penalty) => penalty())].reduce(add);
    const parts = withoutRecording(() => {
      const perSample = (loss: Tensor): Part => [mul(loss, size), size];
      const several = model.outputs.length > 1;
      return [
        perSample(total),
        ...(several ? losses.map(perSample) : []),
        ...compiled.outputs.flatMap(({ metrics, index }, i) =>
          metrics.map((one) =>
            one.metric.part(ys[i]!, predictions[index]!, one.weighted ? (weights[i] ?? null) : null),
          ),
        ),
      ];
    });
    return { total, parts };
  });
}

/** Adds the parts of the samples' loss to the sums and takes one step. */
export function trainStep(trained: Trained, samples: Samples, optimizer: Optimizer, sums: RunningSums): void {
  const variables = trained.weights.map((weight) => weight.variable);
  const exchange = trained.parallel?.step(samples) ?? null;
  const { grads } = gradientsByVariable(
    'fit',
    () => {
      const { total, parts } = lossAndParts(trained, samples, true);
      withoutRecording(() => (exchange === null ? sums.add(parts) : exchange.add(sums.packed(parts))));
      return optimizer.scaleLoss(exchange === null ? total : exchange.counted(total));
    },
    variables,
    exchange?.gradient,
  );
  if (exchange === null) optimizer.apply(grads, trained.nonNegative);
  else exchange.finish(sums, (all) => optimizer.apply(all, trained.nonNegative));
  for (const { constraint, variable } of trained.weights) {
    if (constraint !== null && !trained.nonNegative.has(variable)) {
      optimizer.assignAfterStep(variable, constraint.apply(variable));
    }
  }
}

/** Adds the parts of the samples' loss to the sums. */
export function testStep(trained: Trained, samples: Samples, sums: RunningSums): void {
  withoutRecording(() => {
    const { parts } = lossAndParts(trained, samples, false);
    const exchange = trained.parallel?.step(samples) ?? null;
    if (exchange === null) return sums.add(parts);
    exchange.add(sums.packed(parts));
    exchange.finish(sums);
  });
}
