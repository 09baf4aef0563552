// The document's claims, each with what is measured for it and when it counts as reproduced. Outcomes are those after 1,000
// steps, where its pictures end too; what longer runs do is said beside them.
import type { Claim, RunRecord, Verdict } from '../../report/report.js';
import { PIECEWISE, type Approximator } from './activations.js';
import { LINE_ERROR, RANGE } from './fit.js';
import { errorAfter, list, medianStep, result, share, stepsOf, type Records } from './results.js';
import { LEARNT_ERROR, ON_LINE, SHAPES } from './shapes.js';
import { CUT, rowAt, type Surfaces } from './surface.js';
import { BATCH, DOCUMENT_DS, DOCUMENT_STARTS, DOCUMENT_STEPS } from './trials.js';

const [LOW, ZERO] = DOCUMENT_DS as readonly [number, number];
/** A share of starts from which on there are "many". */
const MANY = 0.1;
/** A wall is higher than what is rounding: the error rises by so much before it falls. */
const WALL = 0.001;

interface Judged {
  readonly measured: string;
  readonly verdict: Verdict;
}

/** What the rules ask of a run. */
class Evidence {
  constructor(
    readonly records: Records,
    readonly surfaces: Surfaces,
    private readonly all: readonly Approximator[],
  ) {}

  label(key: string): string {
    return this.all.find((each) => each.key === key)!.label;
  }
  grid(key: string): RunRecord {
    return this.records.find(key, 'grid')!;
  }
  fresh(key: string): RunRecord {
    return this.records.find(key, 'fresh', { batch: BATCH })!;
  }
  error(key: string, d: number): number {
    return errorAfter(this.grid(key), d, DOCUMENT_STEPS);
  }
  isStuck(key: string, d: number): boolean {
    return Math.abs(this.error(key, d) - LINE_ERROR) < ON_LINE;
  }
  hasLearnt(key: string, d: number): boolean {
    return this.error(key, d) < LEARNT_ERROR;
  }
  /** `ReLU 0.0627, SELU 0.0628`. */
  errors(keys: readonly string[], d: number): string {
    return keys.map((key) => `${this.label(key)} ${this.error(key, d).toFixed(4)}`).join(', ');
  }
  /** How many of the runs with fresh batches learn, and when half of them have. */
  escape(key: string, d: number): string {
    const record = this.fresh(key);
    const [learnt, runs] = [result(record, `runs that learn, d ${d}`), list(record, `learnt at, d ${d}`).length];
    const half = medianStep(record, d);
    return `${this.label(key)} in ${learnt} of ${runs}${Number.isFinite(half) ? ` (half of them by step ${half})` : ''}`;
  }
  /** What the fit on the grid comes to in the end. */
  later(key: string, d: number): string {
    const at = result(this.grid(key), `learnt at, d ${d}`);
    return Number.isFinite(at)
      ? `${this.label(key)} learns by step ${at.toLocaleString('en')}`
      : `${this.label(key)} never does`;
  }
  /** The highest rise of the lowest error while the kink moves into the range, and where it ends. */
  wall(key: string): { top: number; end: number } {
    const surface = this.surfaces.get(key)!;
    const row = rowAt(surface, CUT).filter((_, i) => surface.kinks[i]! >= RANGE[0]);
    return { top: Math.max(...row), end: row.at(-1)! };
  }
  /** The share of random starts or of the map that ends in a learnt ReLU, as `103 of 200`. */
  counts(record: RunRecord): string {
    const all = SHAPES.reduce((sum, shape) => sum + result(record, shape), 0);
    return `${result(record, 'learnt')} of ${all}`;
  }
}

function judgePiecewise(evidence: Evidence): Judged {
  const stuck = PIECEWISE.filter((key) => evidence.isStuck(key, LOW));
  const free = PIECEWISE.filter((key) => result(evidence.fresh(key), `runs that learn, d ${LOW}`) > 0);
  const steps = stepsOf(evidence.grid('selu')).toLocaleString('en');
  const later = PIECEWISE.map((key) => evidence.later(key, LOW)).join(', ');
  const escapes = PIECEWISE.map((key) => evidence.escape(key, LOW)).join(', ');
  const measured =
    `Error on the fixed grid after ${DOCUMENT_STEPS.toLocaleString('en')} steps: ${evidence.errors(PIECEWISE, LOW)}; a straight line has 0.0625. ` +
    `Within ${steps} steps ${later}. With fresh batches of ${BATCH}, learnt: ${escapes}.`;
  const all = stuck.length === PIECEWISE.length;
  return { measured, verdict: all && free.length === 0 ? 'yes' : stuck.length > 0 ? 'partly' : 'no' };
}

/** The start nearest to the document's from which the fit did not learn. */
function counterexample(record: RunRecord): string {
  const failed = list(record, 'shape').flatMap((each, i) => (SHAPES[each] === 'learnt' ? [] : [i]));
  const start = (i: number): number[] => ['a', 'b', 'c', 'd'].map((letter) => list(record, letter)[i]!);
  const distance = (i: number): number => Math.hypot(...start(i).map((value, k) => value - DOCUMENT_STARTS[0]![k]!));
  const nearest = failed.reduce((best, i) => (distance(i) < distance(best) ? i : best));
  const words = start(nearest).map((value) => value.toFixed(2).replace('-', '−'));
  return `from (a, b, c, d) = (${words.join(', ')}) the error stays at ${list(record, 'error')[nearest]!.toFixed(4)}`;
}

function judgeSoftplusEverywhere(evidence: Evidence): Judged {
  const records = (['grid', BATCH] as const).flatMap(
    (batch) => evidence.records.find('softplus', 'starts', { batch }) ?? [],
  );
  const [grid, fresh] = records as [RunRecord, RunRecord?];
  const beside = ['tanh', 'sigmoid', 'gelu', 'elu', 'selu', 'relu']
    .map((key) => `${evidence.label(key)} ${result(evidence.records.find(key, 'starts')!, 'learnt')}`)
    .join(', ');
  const steps = stepsOf(grid).toLocaleString('en');
  const freshly = fresh === undefined ? '' : ` (${evidence.counts(fresh)} with fresh batches)`;
  const all = share(grid, 'learnt') === 1;
  const example = all ? '' : ` For one, ${counterexample(grid)}.`;
  return {
    measured: `Learnt within ${steps} steps from ${evidence.counts(grid)} random starts in [−2, 2]⁴${freshly}.${example} Beside it: ${beside}.`,
    verdict: all ? 'yes' : 'no',
  };
}

const RULES: readonly { readonly claim: string; readonly judge: (evidence: Evidence) => Judged }[] = [
  {
    claim:
      '“For c = 1 and d = −0.5 all common piecewise activation functions will fail, including SELU and ELU”: they become straight lines.',
    judge: judgePiecewise,
  },
  {
    claim: 'From that start softplus converges.',
    judge: (evidence) => ({
      measured: `Error after ${DOCUMENT_STEPS.toLocaleString('en')} steps: ${evidence.errors(['softplus'], LOW)}. With fresh batches of ${BATCH}, learnt: ${evidence.escape('softplus', LOW)}.`,
      verdict: evidence.hasLearnt('softplus', LOW) ? 'yes' : 'no',
    }),
  },
  {
    claim: '“There are even situations where SELU fails to converge whereas ReLU and ELU do”: d = 0.',
    judge(evidence) {
      const [relu, elu] = ['relu', 'elu'].map((key) => evidence.hasLearnt(key, ZERO));
      const stuck = evidence.isStuck('selu', ZERO);
      const keys = ['relu', 'elu', 'softplus', 'selu'];
      const escapes = ['relu', 'elu', 'selu'].map((key) => evidence.escape(key, ZERO)).join(', ');
      return {
        measured: `Error after ${DOCUMENT_STEPS.toLocaleString('en')} steps: ${evidence.errors(keys, ZERO)}. With fresh batches, learnt: ${escapes}. Within ${stepsOf(evidence.grid('selu')).toLocaleString('en')} steps on the grid ${evidence.later('selu', ZERO)}.`,
        verdict: relu && elu && stuck ? 'yes' : stuck ? 'partly' : 'no',
      };
    },
  },
  {
    claim:
      '“The initial increase in gradient below 0 creates an insurmountable wall of increased loss” in front of SELU’s kink; ELU has none.',
    judge(evidence) {
      const [selu, elu] = [evidence.wall('selu'), evidence.wall('elu')];
      const high = selu.top - LINE_ERROR > WALL;
      const free = elu.top - LINE_ERROR < WALL;
      const crossed = DOCUMENT_DS.map((d) => result(evidence.fresh('selu'), `runs that learn, d ${d}`));
      const kept = crossed.every((count) => count === 0);
      return {
        measured: `While its kink moves into the range (a = ${CUT}, best c and d), SELU’s error rises from ${LINE_ERROR.toFixed(4)} to ${selu.top.toFixed(4)} before it falls to ${selu.end.toFixed(4)}; ELU’s never rises above ${elu.top.toFixed(4)} and falls to ${elu.end.toFixed(4)}. Runs with fresh batches that get over it: ${crossed.join(' and ')} of ${list(evidence.fresh('selu'), `learnt at, d ${LOW}`).length} from each start.`,
        verdict: high && free ? (kept ? 'yes' : 'partly') : 'no',
      };
    },
  },
  {
    claim: 'With ReLU, “for many starting points of c and d this will still converge” (a = 1, b = 0.5).',
    judge(evidence) {
      const record = evidence.records.find('relu', 'map')!;
      return {
        measured: `From ${evidence.counts(record)} starts (c, d) in [−2, 2]² (${(100 * share(record, 'learnt')).toFixed(0)}%) within ${stepsOf(record).toLocaleString('en')} steps on the fixed grid.`,
        verdict: share(record, 'learnt') >= MANY ? 'yes' : 'no',
      };
    },
  },
  {
    claim: '“Using softplus in place of f in the toy example allows it to converge from any starting point.”',
    judge: judgeSoftplusEverywhere,
  },
  {
    claim: 'The title: “SELUs don’t actually solve the dying ReLU problem.”',
    judge(evidence) {
      const [relu, selu] = ['relu', 'selu'].map((key) => evidence.records.find(key, 'starts')!) as [
        RunRecord,
        RunRecord,
      ];
      const dead = (record: RunRecord): string =>
        `${result(record, 'constant')} dead, ${result(record, 'line')} straight`;
      const fixed = result(selu, 'constant') === 0;
      const trapped = result(selu, 'line') > 0;
      return {
        measured: `Of the random starts ReLU ends ${dead(relu)}; SELU ${dead(selu)}. ${fixed ? 'No SELU unit ends dead, so that problem is solved' : 'Some SELU units end dead too'}; ${trapped ? 'but many end straight, which is no better here' : 'and none ends straight'}. Learnt: ReLU ${evidence.counts(relu)}, SELU ${evidence.counts(selu)}.`,
        verdict: fixed ? (trapped ? 'partly' : 'no') : 'yes',
      };
    },
  },
];

/** Judges every claim by the records. Fewer steps than the document's leave them open. */
export function judgeClaims(records: Records, all: readonly Approximator[], surfaces: Surfaces): Claim[] {
  const evidence = new Evidence(records, surfaces, all);
  const steps = Math.min(
    ...[evidence.grid('relu'), evidence.fresh('relu'), records.find('relu', 'map')!].map((record) => stepsOf(record)),
  );
  if (steps < DOCUMENT_STEPS) {
    const measured = `After ${steps} of the ${DOCUMENT_STEPS} steps it takes to tell.`;
    return RULES.map(({ claim }) => ({ claim, measured, verdict: 'open' }));
  }
  return RULES.map(({ claim, judge }) => ({ claim, ...judge(evidence) }));
}
