// What each size fits, as data. A trial is one activation with one kind of start: the document's two on the fixed grid or with
// fresh batches, random ones, or a map of (c, d).
import type { RunSettings, Size } from '../experiment.js';
import type { Approximator } from './activations.js';
import type { Start } from './fit.js';

/** The document's learning rate, and the one beside it. */
export const RATE = 0.1;
export const SMALL_RATE = 0.01;
/** The document's starts, by their d. */
export const DOCUMENT_STARTS: readonly Start[] = [
  [1, 0.5, 1, -0.5],
  [1, 0.5, 1, 0],
];
export const DOCUMENT_DS: readonly number[] = DOCUMENT_STARTS.map(([, , , d]) => d);
/** A start's d for people, with a minus sign. */
export const sayD = (d: number): string => `d = ${String(d).replace('-', '−')}`;
/** After so many steps the outcomes are named. */
export const DOCUMENT_STEPS = 1000;
/** Random starts lie in [-2, 2] along each axis, and so do the maps' c and d. */
export const REACH = 2;
/** What batches the document drew is not said; this many points is the grid's number too. */
export const BATCH = 256;

export type Part = 'grid' | 'fresh' | 'starts' | 'map';

/** One trial. */
export interface Trial {
  readonly name: string;
  readonly title: string;
  readonly part: Part;
  readonly approximator: Approximator;
  readonly learningRate: number;
  readonly batch: 'grid' | number;
  readonly steps: number;
  /** Runs from each start, random starts, or points along each axis of the map. */
  readonly count: number;
}

interface Plan {
  readonly gridSteps: number;
  readonly batches: readonly number[];
  readonly freshSteps: number;
  /** From each of the document's starts. */
  readonly freshRuns: number;
  readonly starts: number;
  /** Whether random starts are fitted with fresh batches too. */
  readonly freshStarts: boolean;
  /** Steps of random starts and of the map. */
  readonly steps: number;
  readonly mapPoints: number;
}

const PLANS: Readonly<Record<Size, Plan>> = {
  quick: {
    gridSteps: 3000,
    batches: [BATCH],
    freshSteps: 2000,
    freshRuns: 20,
    starts: 200,
    freshStarts: false,
    steps: 1000,
    mapPoints: 21,
  },
  default: {
    gridSteps: 20_000,
    batches: [16, BATCH, 4096],
    freshSteps: 3000,
    freshRuns: 20,
    starts: 200,
    freshStarts: true,
    steps: 2000,
    mapPoints: 41,
  },
  full: {
    gridSteps: 100_000,
    batches: [16, BATCH, 4096],
    freshSteps: 10_000,
    freshRuns: 50,
    starts: 2000,
    freshStarts: true,
    steps: 5000,
    mapPoints: 121,
  },
};

const batchWords = (batch: 'grid' | number): string => (batch === 'grid' ? 'fixed grid' : `fresh batches of ${batch}`);

/** The trials of a run, part by part, so that an early look compares activations. */
export function trialsOf(settings: RunSettings, all: readonly Approximator[]): Trial[] {
  const plan = PLANS[settings.size];
  const steps = (usual: number): number => settings.steps ?? usual;
  const parts: Omit<Trial, 'name' | 'title' | 'approximator'>[] = [
    ...[RATE, SMALL_RATE].map((learningRate) => ({
      part: 'grid' as const,
      learningRate,
      batch: 'grid' as const,
      steps: steps(plan.gridSteps),
      count: 1,
    })),
    ...plan.batches.map((batch) => ({
      part: 'fresh' as const,
      learningRate: RATE,
      batch,
      steps: steps(plan.freshSteps),
      count: plan.freshRuns,
    })),
    ...(plan.freshStarts ? (['grid', BATCH] as const) : (['grid'] as const)).map((batch) => ({
      part: 'starts' as const,
      learningRate: RATE,
      batch,
      steps: steps(plan.steps),
      count: plan.starts,
    })),
    {
      part: 'map',
      learningRate: RATE,
      batch: 'grid',
      steps: steps(plan.steps),
      count: plan.mapPoints,
    },
  ];
  return parts.flatMap((each) =>
    all.map((approximator) => ({
      ...each,
      approximator,
      name: [
        approximator.key,
        each.part,
        ...(each.batch === 'grid' ? [] : [`batch${each.batch}`]),
        ...(each.learningRate === RATE ? [] : [`rate${each.learningRate}`]),
      ].join('-'),
      title: `${approximator.label}, ${titleOf(each)}`,
    })),
  );
}

function titleOf({ part, batch, learningRate, count }: Omit<Trial, 'name' | 'title' | 'approximator'>): string {
  if (part === 'map') return `${count} × ${count} starts`;
  if (part === 'starts') return `${count} random starts, ${batchWords(batch)}`;
  return learningRate === RATE ? batchWords(batch) : `${batchWords(batch)}, rate ${learningRate}`;
}
