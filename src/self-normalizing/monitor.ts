// Looks into a model while it computes: what every layer's units do over a batch, and what is wrong with them in words. Document
// 004's insight is part of it: a unit that only ever sees positive inputs is as useless as a dead one.
import { invalid } from '../errors.js';
import type { Layer } from '../layers/layer.js';
import type { UnitRanges } from '../layers/unit-ranges.js';
import type { Feed } from '../models/feed.js';
import { Model } from '../models/model.js';
import { problemsOf, type Observed, type Problem } from './problems.js';
import { queueStatistics, type UnitSummary } from './unit-statistics.js';

/** What a layer's units do. Shares are of its units, which are the last axis: outputs of a dense layer, channels of a convolution. */
export interface LayerReport {
  /** The layer's name; of a layer that is applied again, with the number of the call: `'dense_1 (2)'`. */
  readonly name: string;
  readonly className: string;
  /** The activation that the shares are judged by; null where units are not functions of one input each. */
  readonly activation: string | null;
  readonly units: number;
  /** Of all the layer's finite outputs. */
  readonly mean: number;
  readonly variance: number;
  /** Units whose output is 0 for every sample; null where that is not judged. */
  readonly dead: number | null;
  /** Units that see one straight piece of the activation only: plain linear maps. 0 where the activation is curved everywhere. */
  readonly linear: number | null;
  /** Units that are within 1% of a limit for every sample. 0 where the activation has no limit, or outputs do not tell. */
  readonly saturated: number | null;
  /** Units with NaN or infinite outputs. */
  readonly nonFinite: number;
}

/** What the monitor saw. */
export interface MonitorReport {
  readonly layers: readonly LayerReport[];
  /** Empty when nothing is wrong. */
  readonly problems: readonly Problem[];
  /** The problems in words, a line each; or that there are none. */
  readonly text: string;
}

const NOTHING_WRONG = 'no layer has dead, linear, saturated or drifting units, and all values are finite';

/**
 * What each layer's units do for a batch of inputs, in one pass over its output: mean and variance, the shares of units that are
 * dead, linear, saturated or not finite, and in words what is wrong. Layers compute as in `predict`, all samples at once.
 *
 * A unit counts once: as not finite, else dead, linear or saturated. A few samples make many units look linear or dead: take a
 * hundred or more. The moments of a SELU layer drift when they leave the surroundings of its fixed point (half a standard deviation, a
 * factor 2 of variance), those of others when the variance changes a hundredfold from the first.
 * @param model Sequential or functional; layers of nested models are looked at one by one.
 * @param x Inputs, as for `predict`.
 * @throws ArgumentError for what is no model; ShapeError naming the input and both shapes.
 * @example console.log(sn.selfNormalizing.monitor(model, x).text)
 */
export function monitor(model: Model, x: Feed): MonitorReport {
  const op = 'selfNormalizing.monitor';
  const given: unknown = model;
  if (!(given instanceof Model)) {
    throw invalid('ERR_ARGUMENT', op, 'model', 'a model from sequential() or model()', given);
  }
  const calls = new Map<Layer, number>();
  const seen: { name: string; className: string; ranges: UnitRanges | null; read: () => UnitSummary }[] = [];
  let samples = 0;
  model.observe(op, x, (layer, inputs, [y]) => {
    if (layer instanceof Model || y === undefined) return;
    const read = queueStatistics(y, inputs[0], layer.unitRanges);
    if (read === null) return;
    const call = (calls.get(layer) ?? 0) + 1;
    calls.set(layer, call);
    const name = call === 1 ? layer.name : `${layer.name} (${call})`;
    seen.push({ name, className: layer.getClassName(), ranges: layer.unitRanges, read });
    samples = y.shape[0] ?? 1;
  });
  const observed = seen.map(({ read, ...layer }) => ({ ...layer, summary: read() }));
  const problems = problemsOf(observed, samples);
  const text = problems.length === 0 ? NOTHING_WRONG : problems.map((problem) => problem.text).join('\n');
  return { layers: observed.map(reportOf), problems, text };
}

function reportOf({ name, className, ranges, summary }: Observed & { readonly className: string }): LayerReport {
  const { units, mean, variance, counts } = summary;
  const judged = (count: number): number | null => (ranges === null ? null : count / units);
  return {
    name,
    className,
    activation: ranges?.activation ?? null,
    units,
    mean,
    variance,
    dead: judged(counts.dead),
    linear: judged(counts.linear),
    saturated: judged(counts.saturated),
    nonFinite: counts.nonFinite / units,
  };
}
