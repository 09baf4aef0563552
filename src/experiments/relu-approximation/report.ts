// The words and tables of the relu-approximation report, from its records.
import type { Cell, Claim, RunRecord, Section, Table } from '../../report/report.js';
import type { Approximator } from './activations.js';
import { judgeClaims } from './claims.js';
import { documentFigures, freshFigures, smallRateFigures, startFigures, surfaceFigures } from './pictures.js';
import { errorAfter, list, medianStep, Records, result, stepsOf } from './results.js';
import type { Surfaces } from './surface.js';
import { BATCH, DOCUMENT_DS, DOCUMENT_STEPS, sayD, SMALL_RATE } from './trials.js';

const say = (count: number): string => count.toLocaleString('en');
const step = (value: number): Cell => (Number.isFinite(value) ? value : 'never');

/** Errors and steps of every activation from the document's starts, on the grid. */
function gridTable(records: Records, all: readonly Approximator[]): Table {
  const steps = stepsOf(records.find('relu', 'grid')!);
  const at = Math.min(steps, DOCUMENT_STEPS);
  return {
    caption: `On the fixed grid of 256 points, learning rate 0.1: the error after ${say(at)} steps (a straight line has 0.0625), and the step by which ReLU is learnt, of ${say(steps)}.`,
    columns: [
      { title: 'Activation' },
      ...DOCUMENT_DS.flatMap((d) => [{ title: `${sayD(d)}: error`, digits: 4 }, { title: 'learnt by step' }]),
    ],
    rows: all.map(({ key, label }) => {
      const record = records.find(key, 'grid')!;
      return [
        label,
        ...DOCUMENT_DS.flatMap((d) => [errorAfter(record, d, at), step(result(record, `learnt at, d ${d}`))]),
      ];
    }),
  };
}

/** How many runs with fresh batches learn, and when half of them have. */
function freshTable(records: Records, all: readonly Approximator[]): Table {
  const runs = list(records.find('relu', 'fresh', { batch: BATCH })!, `learnt at, d ${DOCUMENT_DS[0]!}`).length;
  const steps = stepsOf(records.find('relu', 'fresh', { batch: BATCH })!);
  return {
    caption: `Fresh random points at every step, ${runs} runs from each start: runs that learn ReLU within ${say(steps)} steps, and the step by which half of them have.`,
    columns: [
      { title: 'Activation' },
      ...DOCUMENT_DS.flatMap((d) => records.batches.map((batch) => ({ title: `${sayD(d)}, batches of ${batch}` }))),
    ],
    rows: all.map(({ key, label }) => [
      label,
      ...DOCUMENT_DS.flatMap((d) =>
        records.batches.map((batch) => {
          const record = records.find(key, 'fresh', { batch })!;
          const learnt = result(record, `runs that learn, d ${d}`);
          const half = medianStep(record, d);
          return learnt === 0 ? 'none' : `${learnt}${Number.isFinite(half) ? `, by ${half}` : ''}`;
        }),
      ),
    ]),
  };
}

/** The outcomes with the smaller learning rate. */
function smallRateTable(records: Records, all: readonly Approximator[]): Table {
  const steps = stepsOf(records.find('relu', 'grid', { rate: SMALL_RATE })!);
  return {
    caption: `On the fixed grid, learning rate ${SMALL_RATE}: the error at the end of ${say(steps)} steps, and the step by which ReLU is learnt.`,
    columns: [
      { title: 'Activation' },
      ...DOCUMENT_DS.flatMap((d) => [{ title: `${sayD(d)}: error`, digits: 4 }, { title: 'learnt by step' }]),
    ],
    rows: all.map(({ key, label }) => {
      const record = records.find(key, 'grid', { rate: SMALL_RATE })!;
      return [
        label,
        ...DOCUMENT_DS.flatMap((d) => [result(record, `error, d ${d}`), step(result(record, `learnt at, d ${d}`))]),
      ];
    }),
  };
}

function sectionsOf(records: Records, all: readonly Approximator[], surfaces: Surfaces): Section[] {
  const steps = say(stepsOf(records.find('relu', 'starts')!));
  return [
    {
      title: 'The document’s two starts',
      text: [
        'One unit is to learn ReLU itself: f(ax + b)c + d is fitted to max(x, 0) on [−0.5, 0.5], by Adam with learning rate 0.1 on the mean absolute difference. At the start a = 1 and b = 0.5, so that f sees positive inputs only, where ReLU, ELU and SELU are straight lines.',
        'On a fixed grid a fit that has become a straight line is not at rest: Adam’s steps of 0.1 keep it jumping, and a and c drift along the valley of equal lines. Where nothing stands in the way this brings the kink into view in the end.',
      ],
      tables: [],
      figures: documentFigures(records, all),
    },
    {
      title: 'Why SELU stays: a wall in front of its kink',
      text: [
        'Below 0 SELU is steeper (1.76) than above (1.05), so that a kink that has just come into view bends the wrong way. ELU’s slope only falls.',
      ],
      tables: [],
      figures: surfaceFigures(records, all, surfaces),
    },
    {
      title: 'Fresh batches in place of the grid',
      text: [
        'The document draws x at random. With a new batch at every step the gradient on the straight line is noise.',
      ],
      tables: [],
      figures: freshFigures(records, all),
    },
    {
      title: 'From which starts it works',
      text: [
        `Every activation of the library, with Adam at 0.1 for ${steps} steps. A fit has learnt ReLU when its error is below half of the best straight line’s.`,
      ],
      tables: [],
      figures: startFigures(records, all),
    },
    {
      title: `Learning rate ${SMALL_RATE}`,
      text: [
        'Smaller steps jump less: a fit that has become a straight line drifts less, and gets off it more rarely.',
      ],
      tables: [],
      figures: smallRateFigures(records, all),
    },
    {
      title: 'All numbers',
      text: [],
      tables: [gridTable(records, all), freshTable(records, all), smallRateTable(records, all)],
      figures: [],
    },
  ];
}

function findings(records: Records, claims: readonly Claim[]): string[] {
  const learnt = (key: string): number => result(records.find(key, 'starts')!, 'learnt');
  const lowest = (key: string, d: number): string =>
    errorAfter(records.find(key, 'grid')!, d, Math.min(DOCUMENT_STEPS, stepsOf(records.find(key, 'grid')!))).toFixed(4);
  const [low, zero] = DOCUMENT_DS as readonly [number, number];
  const selu = records.find('selu', 'fresh', { batch: BATCH })!;
  const runs = list(selu, `learnt at, d ${low}`).length;
  const freed = DOCUMENT_DS.map((d) => result(selu, `runs that learn, d ${d}`));
  const stays = freed.every((count) => count === 0);
  const random = list(records.find('softplus', 'starts')!, 'error').length;
  const counts = (['no', 'partly', 'yes', 'open'] as const).flatMap((verdict) => {
    const count = claims.filter((claim) => claim.verdict === verdict).length;
    return count === 0 ? [] : [`${count} “${verdict}”`];
  });
  return [
    stays
      ? `SELU goes straight and stays so: in none of its ${2 * runs} runs with fresh batches does it learn ReLU from the document’s starts, where its error is ${lowest('selu', low)} and ${lowest('selu', zero)} on the grid; a straight line has 0.0625.`
      : `SELU learns ReLU in ${freed.join(' and ')} of ${runs} runs from the document’s two starts with fresh batches.`,
    `Softplus does not converge from any start: of ${random} random ones it learns from ${learnt('softplus')}, ReLU from ${learnt('relu')}, ELU from ${learnt('elu')}, SELU from ${learnt('selu')}; tanh from ${learnt('tanh')} and sigmoid from ${learnt('sigmoid')}.`,
    `The document’s ${claims.length} claims: ${counts.join(', ')}.`,
  ];
}

/** What the report of these records says. */
export function describeRuns(
  runs: readonly RunRecord[],
  all: readonly Approximator[],
  surfaces: Surfaces,
): { findings: readonly string[]; sections: readonly Section[]; claims: readonly Claim[] } {
  const records = new Records(runs);
  const claims = judgeClaims(records, all, surfaces);
  return { findings: findings(records, claims), sections: sectionsOf(records, all, surfaces), claims };
}
