// What document 001 says of the fixed point, each with what is measured for it and when it counts as reproduced.
import { failure } from '../../errors.js';
import type { Claim, Verdict } from '../../report/report.js';
import { constants } from '../../self-normalizing/constants.js';
import { estimateOf, isAbove, type Estimate } from '../estimate.js';
import { distance, endOf, isKept, type BeforeTraining, type Group, type Way } from './results.js';
import { ASKED, DEPTH, ENOUGH_EPOCHS, REFUSED, USUAL } from './trials.js';

/** The document's two numbers, as far as a double goes. */
const PUBLISHED = { alpha: 1.6732632423543772, scale: 1.0507009873554805 };
/** Accuracies this close are alike. */
const ALIKE = 0.005;
const TRAINING_IMAGES = 48_000;

interface Judged {
  readonly measured: string;
  readonly verdict: Verdict;
}

const two = (value: number): string => value.toFixed(2).replace('-', '−');
const four = (value: number): string => value.toFixed(4);

function judgeConstants(): Judged {
  const { alpha, scale } = constants();
  const error = Math.max(Math.abs(alpha - PUBLISHED.alpha), Math.abs(scale - PUBLISHED.scale));
  const measured = `Solved for mean 0 and variance 1: α = ${alpha.toFixed(14)}, λ = ${scale.toFixed(14)}; off by at most ${error.toExponential(0)}.`;
  return { measured, verdict: error < 1e-12 ? 'yes' : 'no' };
}

/** Pairs that no constants keep. */
function refused(): string[] {
  return REFUSED.flatMap(({ mean, variance }) => {
    try {
      constants({ mean, variance });
      return [];
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('selfNormalizing.constants'))
        return [`(${two(mean)}, ${variance})`];
      throw failure('ERR_INTERNAL', 'run', String(error));
    }
  });
}

function judgeAnyValues({ kept }: BeforeTraining): Judged {
  const ends = kept.map(({ profiles, target }) => ({ target, end: endOf(profiles) }));
  const off = ends.filter(({ end, target }) => !isKept(end, target));
  const worst = Math.max(...ends.map(({ end, target }) => distance(end, target).factor));
  const none = refused();
  const list = ends.map(({ target: { mean, variance } }) => `(${mean}, ${variance})`).join(', ');
  const held =
    off.length === 0
      ? `${DEPTH} layers keep all of ${list}: the variance is off by a factor of ${two(worst)} at most.`
      : `${ends.length - off.length} of ${ends.length} pairs are kept by ${DEPTH} layers; not ${off.map(({ target }) => target.label).join('; ')}.`;
  const limits =
    none.length === 0
      ? ''
      : ` But no constants keep ${none.join(' or ')}: every variance tried will do, not every mean.`;
  const verdict = off.length === ends.length ? 'no' : off.length > 0 || none.length > 0 ? 'partly' : 'yes';
  return { measured: held + limits, verdict };
}

function judgeChange({ kept, contrasts }: BeforeTraining): Judged {
  const own = kept.find(({ target }) => target === ASKED)!;
  const [right, wrong] = [endOf(own.profiles), endOf(contrasts.inputs.profiles)];
  const { alpha, scale } = own.constants;
  const measured =
    `Inputs of variance 4 have variance ${two(wrong.variance)} after ${DEPTH} layers with SELU’s own constants, and ` +
    `${two(right.variance)} with α = ${four(alpha)}, λ = ${four(scale)}.`;
  const verdict = isKept(right, ASKED) ? (isKept(wrong, ASKED) ? 'no' : 'yes') : 'no';
  return { measured, verdict };
}

function judgeWeights({ kept, contrasts }: BeforeTraining): Judged {
  const usual = kept.find(({ target }) => target === USUAL)!;
  const [right, wrong] = [endOf(usual.profiles), endOf(contrasts.weights.profiles)];
  const measured =
    `After ${DEPTH} layers: mean ${two(right.mean)} and variance ${two(right.variance)} with variance 1/n; mean ${two(wrong.mean)} ` +
    `and variance ${two(wrong.variance)} with He’s 2/n.`;
  return { measured, verdict: isKept(right, USUAL) ? (isKept(wrong, USUAL) ? 'partly' : 'yes') : 'no' };
}

const offBy = ({ measured: { mean, variance } }: Way, layer: number): number => {
  const at = { mean: mean.at(layer)!, variance: variance.at(layer)! };
  return Math.hypot(at.mean - USUAL.mean, Math.log(at.variance / USUAL.variance));
};

function judgeContraction({ ways, kept }: BeforeTraining): Judged {
  const usual = ways.get(USUAL.key)!;
  const shares = usual.map((way) => offBy(way, -1) / offBy(way, 0));
  const { factor } = kept.find(({ target }) => target === USUAL)!;
  const layers = usual[0]!.measured.mean.length - 1;
  const expected = factor ** layers;
  const measured =
    `From four points around (0, 1), ${layers} layers leave at most ${(100 * Math.max(...shares)).toFixed(0)}% of the distance; ` +
    `the Jacobian’s eigenvalue of ${four(factor)} would leave ${(100 * expected).toFixed(0)}%.`;
  const worst = Math.max(...shares);
  return { measured, verdict: worst < 0.25 ? 'yes' : worst < 1 ? 'partly' : 'no' };
}

const accuracy = ({ runs }: Group): Estimate => estimateOf(runs.map(({ results }) => results['test_acc']!));

/** Two networks are alike when their accuracies are, whichever is ahead. */
function judgeRelative(groups: readonly Group[]): Judged {
  const [usual, asked] = [USUAL, ASKED].map((target) => groups.find((group) => group.target === target)!) as [
    Group,
    Group,
  ];
  const [one, other] = [accuracy(usual), accuracy(asked)];
  const gap = Math.abs(one.mean - other.mean);
  const [better, worse] = one.mean > other.mean ? [one, other] : [other, one];
  const clear = isAbove(better, worse) === 'clearly';
  const note = clear ? ` The difference is beyond the spread of ${usual.runs.length} seeds.` : '';
  const measured = `Test accuracy: ${four(one.mean)} with (0, 1), ${four(other.mean)} with (0, 4); alike would be within ${ALIKE}.${note}`;
  const verdict: Verdict = gap <= ALIKE ? (usual.runs.length === 1 ? 'partly' : 'yes') : clear ? 'no' : 'partly';
  const epochs = Math.min(...[usual, asked].flatMap(({ runs }) => runs.map(({ history }) => history['loss']!.length)));
  const images = Number(usual.runs[0]!.settings['trainingImages']);
  const lacks = [
    ...(epochs < ENOUGH_EPOCHS ? [`after ${epochs} of the ${ENOUGH_EPOCHS} epochs it takes to tell`] : []),
    ...(images < TRAINING_IMAGES ? [`on ${images} of the ${TRAINING_IMAGES} training images`] : []),
  ];
  return lacks.length === 0
    ? { measured, verdict }
    : { measured: `${measured} That is ${lacks.join(', ')}.`, verdict: 'open' };
}

/** Judges every claim. */
export function judgeClaims(before: BeforeTraining, groups: readonly Group[]): Claim[] {
  return [
    {
      claim: 'The scaling factors are 1.6732632423543772848 and 1.0507009873554804934.',
      ...judgeConstants(),
    },
    { claim: 'The mean and variance to keep “can be any values of your choice”.', ...judgeAnyValues(before) },
    {
      claim:
        'The factors target mean 0 and variance 1; “any change” of these “preludes to change these values as well”.',
      ...judgeChange(before),
    },
    {
      claim: 'One starts with the right values by weights of mean 0 and variance 1/n.',
      ...judgeWeights(before),
    },
    {
      claim: 'Any value that passes is contracted to the defined mean and variance.',
      ...judgeContraction(before),
    },
    {
      claim: '“These values are just relative so why 0 and 1 but not 0 and 4.” Training with either goes alike.',
      ...judgeRelative(groups),
    },
  ];
}
