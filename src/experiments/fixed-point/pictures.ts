// The pictures of the fixed-point report: the map that a layer is, its pace, the units it makes, and moments through 32 layers.
import { COLORS } from '../../report/chart.js';
import type { PlaneChart, PlaneLine } from '../../report/plane-chart.js';
import { constants } from '../../self-normalizing/constants.js';
import type { Moments, SeluConstants } from '../../self-normalizing/moment-map.js';
import { theorem } from '../../self-normalizing/theorem.js';
import type { Profile } from './depth.js';
import type { Stacked, Way } from './results.js';
import { DEPTH } from './trials.js';

const span = (from: number, to: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => from + ((to - from) * i) / (count - 1));

const seluOf = ({ alpha, scale }: SeluConstants, x: number): number => scale * (x > 0 ? x : alpha * Math.expm1(x));

/** How much of a step an arrow shows: whole steps would cross. */
const ARROW = 0.3;

/** The plane of moments: where a layer moves them, and the ways that sampled networks took. */
export function mapChart(target: Moments, own: SeluConstants, ways: readonly Way[]): PlaneChart {
  const spread = Math.sqrt(target.variance);
  const x = { title: 'mean', domain: [-spread, spread] as const };
  const y = { title: 'variance', domain: [0, 2.25 * target.variance] as const };
  const arrows = span(-0.9, 0.9, 10).flatMap((across) =>
    span(0.1, 2.1, 9).map((up) => {
      const from = [across * spread, up * target.variance] as const;
      const to = theorem({ ...own, mean: from[0], variance: from[1] });
      return {
        from,
        to: [from[0] + ARROW * (to.mean - from[0]), from[1] + ARROW * (to.variance - from[1])] as const,
      };
    }),
  );
  const measured = ways.map(({ measured: { mean, variance } }): PlaneLine => ({
    label: 'measured',
    color: COLORS.blue,
    x: mean,
    y: variance,
    points: true,
  }));
  const predicted = ways.map(({ predicted: { mean, variance } }): PlaneLine => ({
    label: 'theorem',
    color: COLORS.vermilion,
    x: mean,
    y: variance,
    dashed: true,
  }));
  return {
    kind: 'plane',
    x,
    y,
    arrows,
    lines: [...measured, ...predicted],
    mark: { x: target.mean, y: target.variance, label: `(${target.mean}, ${target.variance})` },
  };
}

/** Variance after a layer by the variance before it, in units of the target's: flatter than the diagonal where they cross. */
export function crossingChart(
  targets: readonly { target: Moments; own: SeluConstants; label: string; color: string }[],
): PlaneChart {
  const before = span(0.01, 3, 120);
  const most = 3;
  const [{ target, own }] = targets as [(typeof targets)[0]];
  const stairs: { x: number[]; y: number[] } = { x: [], y: [] };
  for (let at = most, step = 0; step < 12; step++) {
    const next = theorem({ ...own, mean: target.mean, variance: at * target.variance }).variance / target.variance;
    stairs.x.push(at, next);
    stairs.y.push(next, next);
    at = next;
  }
  return {
    kind: 'plane',
    x: { title: 'variance before the layer ÷ chosen variance', domain: [0, most] },
    y: { title: 'after it ÷ chosen variance', domain: [0, most] },
    lines: [
      { label: 'no change', color: COLORS.grey, dashed: true, x: [0, most], y: [0, most] },
      ...targets.map((one) => ({
        label: one.label,
        color: one.color,
        x: before,
        y: before.map((value) => {
          const { mean, variance } = one.target;
          return theorem({ ...one.own, mean, variance: value * variance }).variance / variance;
        }),
      })),
      { label: 'layers from 3', color: COLORS.sky, ...stairs },
    ],
    mark: { x: 1, y: 1, label: 'fixed point' },
  };
}

const VARIANCES = [0.01, 0.25, 1, 4, 16, 100];

/** The units themselves, in units of the spread that they keep. */
export function shapeChart(): PlaneChart {
  const colors = [COLORS.grey, COLORS.green, COLORS.blue, COLORS.vermilion, COLORS.orange, COLORS.pink];
  const x = span(-3, 2, 101);
  return {
    kind: 'plane',
    x: { title: 'input ÷ standard deviation', domain: [-3, 2] },
    y: { title: 'output ÷ standard deviation', domain: [-3, 2.2] },
    lines: VARIANCES.map((variance, i) => {
      const own = constants({ variance });
      const spread = Math.sqrt(variance);
      const y = x.map((value) => seluOf(own, value * spread) / spread);
      return { label: `variance ${variance}`, color: colors[i]!, x, y };
    }),
  };
}

/** What is left of a deviation after a layer, by the variance that is kept. */
export function paceChart(): PlaneChart {
  const x = span(-2, 3, 101).map((power) => 10 ** power);
  const all = x.map((variance) => {
    const { jacobian, norm } = theorem({ ...constants({ variance }), variance });
    return { factor: Math.abs(jacobian[1][1]), norm };
  });
  return {
    kind: 'plane',
    x: {
      title: 'chosen variance (mean 0)',
      domain: [0.01, 1000],
      logarithmic: true,
      ticks: [0.01, 0.1, 1, 10, 100, 1000],
    },
    y: { title: 'left of a deviation after a layer', domain: [0.5, 1.1] },
    band: { from: 1, to: 1.1, label: 'deviations grow' },
    lines: [
      { label: 'eigenvalue', color: COLORS.blue, x, y: all.map(({ factor }) => factor) },
      {
        label: 'norm',
        color: COLORS.vermilion,
        dashed: true,
        x,
        y: all.map(({ norm }) => norm),
      },
    ],
  };
}

/** Moments by layer, the inputs being layer 0, for several kinds of networks and all their seeds. */
function depthLines(stacks: readonly Stacked[], of: (profile: Profile) => readonly number[]): PlaneLine[] {
  const x = span(0, DEPTH, DEPTH + 1);
  return stacks.flatMap(({ label, color, dashed, profiles }) =>
    profiles.map((profile) => ({ label, color, dashed: dashed === true, x, y: of(profile) })),
  );
}
const LAYERS = { title: 'layer', domain: [0, DEPTH], ticks: [0, 8, 16, 24, 32] } as const;

/** Variances by layer; the frame grows with what is to be shown. */
export function varianceChart(
  stacks: readonly Stacked[],
  [least, most]: readonly [number, number],
  ticks: readonly number[],
): PlaneChart {
  const lines = depthLines(stacks, ({ variance }) => variance);
  const highest = Math.max(...lines.flatMap(({ y }) => y).filter(Number.isFinite));
  const y = { title: 'variance', domain: [least, Math.max(most, 1.3 * highest)] as const, logarithmic: true, ticks };
  return { kind: 'plane', x: LAYERS, y, lines };
}

/** Means by layer, in the targets' standard deviations. */
export function meanChart(stacks: readonly Stacked[]): PlaneChart {
  const lines = stacks.flatMap((stack) =>
    depthLines([stack], ({ mean }) => mean.map((value) => value / Math.sqrt(stack.start.variance))),
  );
  return { kind: 'plane', x: LAYERS, y: { title: 'mean ÷ standard deviation', domain: [-1, 1] }, lines };
}
