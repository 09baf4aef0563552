// What is wrong with which layer, in words: units that add nothing, values that are lost, moments that wander off.
import type { UnitRanges } from '../layers/unit-ranges.js';
import type { Moments } from './moment-map.js';
import { fixedPoint } from './theorem.js';
import type { UnitKind, UnitSummary } from './unit-statistics.js';

/** What can be wrong with a layer. */
export type ProblemKind = Exclude<UnitKind, 'active'> | 'drift';

/** Something wrong with a layer. */
export interface Problem {
  readonly layer: string;
  readonly kind: ProblemKind;
  /** Share of the layer's units; 1 for drift. */
  readonly share: number;
  /** One sentence. */
  readonly text: string;
}

/** A layer as it was observed. */
export interface Observed {
  readonly name: string;
  readonly ranges: UnitRanges | null;
  readonly summary: UnitSummary;
}

/** A SELU's mean may be this many standard deviations off, and its variance this factor, before it has drifted. */
const DRIFTED_MEAN = 0.5;
const DRIFTED_VARIANCE = 2;
/** Other activations keep nothing: only a variance that has changed this much on its way is one that vanishes or explodes. */
const DRIFTED_FURTHER = 100;

/** Activations that are 0 on a whole side, and so is their slope. */
const CUT_OFF = new Set(['relu', 'relu6', 'thresholdedReLU', 'hardSigmoid']);

const short = (value: number): string => String(Number(value.toPrecision(3)));
const plural = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;

/** Everything wrong with the layers, in their order. */
export function problemsOf(layers: readonly Observed[], samples: number): Problem[] {
  const all = plural(samples, 'sample');
  const found = layers.flatMap((layer) => unitProblems(layer, all));
  const drifts = driftProblems(layers);
  const place = (problem: Problem): number => layers.findIndex(({ name }) => name === problem.layer);
  return [...merged(found, layers), ...drifts].sort((a, b) => place(a) - place(b));
}

function unitProblems({ name, ranges, summary }: Observed, all: string): Problem[] {
  const { units, counts } = summary;
  const activation = ranges?.activation ?? '';
  const sentences: Readonly<Record<Exclude<UnitKind, 'active'>, (one: boolean) => string>> = {
    nonFinite: (one) =>
      `${one ? 'gives' : 'give'} NaN or infinite values; lower the learning rate, or look at the layer's input`,
    dead: (one) =>
      `${one ? 'is' : 'are'} dead: the output is 0 for all of ${all}` +
      (CUT_OFF.has(activation) ? `, and so is the gradient through ${activation}` : ''),
    linear: (one) =>
      `${one ? 'is' : 'are'} linear: for all of ${all} the input lies on one straight piece of ${activation}, so ` +
      `${one ? 'it is a plain linear map' : 'they are plain linear maps'}`,
    saturated: (one) =>
      `${one ? 'is' : 'are'} saturated: for all of ${all} the output is next to a limit of ${activation}, where it has next to no slope`,
  };
  return (['nonFinite', 'dead', 'linear', 'saturated'] as const)
    .filter((kind) => counts[kind] > 0)
    .map((kind) => ({
      layer: name,
      kind,
      share: counts[kind] / units,
      text: `${name}: ${counts[kind]} of ${plural(units, 'unit')} ${sentences[kind](counts[kind] === 1)}`,
    }));
}

/** NaN spreads to every layer behind: only the first is told, with how far it went. */
function merged(problems: readonly Problem[], layers: readonly Observed[]): Problem[] {
  const first = problems.find(({ kind }) => kind === 'nonFinite');
  if (first === undefined) return [...problems];
  const more = problems.filter(({ kind }) => kind === 'nonFinite').length - 1;
  const text =
    more === 0
      ? first.text
      : `${first.text}; ${plural(more, 'layer')} behind it ${more === 1 ? 'has' : 'have'} them too`;
  const clean = layers[0]!.name === first.layer ? '' : '; the layers before it are finite';
  return problems.flatMap((problem) =>
    problem === first ? [{ ...first, text: text + clean }] : problem.kind === 'nonFinite' ? [] : [problem],
  );
}

const kept = new Map<string, Moments | null>();

/** The moments that a SELU keeps; null where its constants keep none. */
function keptBy({ alpha, scale }: { alpha: number; scale: number }): Moments | null {
  const key = `${alpha} ${scale}`;
  let moments = kept.get(key);
  if (moments === undefined) {
    try {
      const { mean, variance } = fixedPoint({ alpha, scale });
      moments = { mean: Math.abs(mean) < 1e-9 ? 0 : mean, variance };
    } catch {
      moments = null;
    }
    kept.set(key, moments);
  }
  return moments;
}

/** One problem for each row of layers that have drifted. */
function driftProblems(layers: readonly Observed[]): Problem[] {
  const problems: Problem[] = [];
  let first: { readonly name: string; readonly variance: number } | null = null;
  let begun: { readonly layer: string; readonly text: string; count: number } | null = null;
  const end = (): void => {
    if (begun === null) return;
    const { layer, text, count } = begun;
    const more = count === 1 ? '' : `; so have those of the ${plural(count - 1, 'layer')} behind it`;
    problems.push({ layer, kind: 'drift', share: 1, text: text + more });
    begun = null;
  };
  for (const { name, ranges, summary } of layers) {
    // Layers without an activation, and those along an axis, are not what is kept from layer to layer.
    if (ranges === null || ranges.activation === 'linear' || !Number.isFinite(summary.variance)) continue;
    const text = ranges.selu === undefined ? changeOf(summary, first) : departureOf(summary, keptBy(ranges.selu));
    first ??= { name, variance: summary.variance };
    if (text === null) end();
    else if (begun === null) begun = { layer: name, text: `${name}: moments have drifted: ${text}`, count: 1 };
    else begun.count++;
  }
  end();
  return problems;
}

function departureOf({ mean, variance }: Moments, to: Moments | null): string | null {
  if (to === null) return null;
  const off = Math.abs(mean - to.mean) / Math.sqrt(to.variance);
  const factor = variance / to.variance;
  if (off <= DRIFTED_MEAN && factor <= DRIFTED_VARIANCE && factor >= 1 / DRIFTED_VARIANCE) return null;
  return (
    `mean ${short(mean)} and variance ${short(variance)}, where selu keeps ${short(to.mean)} and ${short(to.variance)}; look at ` +
    `the inputs' moments and the initializer (leCunNormal)`
  );
}

function changeOf({ variance }: Moments, first: { name: string; variance: number } | null): string | null {
  if (first === null || first.variance === 0) return null;
  const factor = variance / first.variance;
  if (factor <= DRIFTED_FURTHER && factor >= 1 / DRIFTED_FURTHER) return null;
  return `the variance ${factor > 1 ? 'explodes' : 'vanishes'}, from ${short(first.variance)} in ${first.name} to ${short(variance)}`;
}
