// What document 000 claims, each with what is measured for it and when it counts as so. Accuracies are compared by their spread over
// seeds, times by the rounds in which the configurations took turns.
import type { Claim, Verdict } from '../../report/report.js';
import { isAbove, type Above } from '../estimate.js';
import { median } from '../median.js';
import { changeOf, isSlower } from '../turns.js';
import type { PairFacts } from './pairs.js';
import * as results from './results.js';
import type { Group, Groups } from './results.js';
import { ENOUGH } from './trials.js';

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;

interface Judged {
  readonly measured: string;
  readonly verdict: Verdict;
}

/** So many times as many epochs are "much" slower. */
const MUCH_SLOWER = 1.5;
/** So much more accuracy is "much" better. */
const MUCH_BETTER = 0.01;
/** The level by which speed is measured, of the accuracy that both reach. */
const LEVEL = 0.95;
/** How far from the document's +33% a cost counts as it, and from how little it does not any more. */
const COST = { document: 1.33, same: 0.1, little: 1.1 } as const;
/** Validation accuracies this close to those read from the document's pictures are the same. */
const SAME_ACCURACY = 0.01;
/** Read from the last epoch of the pictures in its repository: ReLU and SELU with batch normalisation, then without. */
const DOCUMENT = { 'relu-bn': 0.827, 'selu-bn': 0.823, relu: 0.828, selu: 0.784 } as const;

const directional = (above: Above): Verdict => (above === 'clearly' ? 'yes' : above === 'barely' ? 'partly' : 'no');
const label = ({ configuration }: Group): string => configuration.label;

/** The first epoch at which a mean curve has the level. */
const epochAt = (group: Group, level: number): number =>
  results.meanCurve(group, 'acc').findIndex((value) => value >= level) + 1;

/**
 * Whether ReLU's accuracy while training lies higher than SELU's, and gets to its level much earlier. On validation pairs the first
 * epochs show how fast running averages follow.
 */
function judgeSpeed(relu: Group, selu: Group): Judged {
  const both = [relu, selu];
  const level = LEVEL * Math.min(...both.map((group) => Math.max(...results.meanCurve(group, 'acc'))));
  const epochs = both.map((group) => epochAt(group, level)) as [number, number];
  const [high, low] = both.map((group) => results.estimate(group, results.heightOf('acc')));
  const above = isAbove(high!, low!);
  const isMuch = epochs[1] >= MUCH_SLOWER * epochs[0];
  const validation = both.map((group) => percent(results.meanOf(group, results.heightOf('val_acc'))));
  return {
    measured: `Accuracy while training, mean over the epochs: ${label(relu)} ${percent(high!.mean)}, ${label(selu)} ${percent(low!.mean)}; on validation pairs ${validation.join(' and ')}. Training reaches ${percent(level)} in epoch ${epochs[0]} and ${epochs[1]}.`,
    verdict: above === 'clearly' && !isMuch ? 'partly' : directional(above),
  };
}

/** Whether ReLU ends much better than SELU. */
function judgeEnd(relu: Group, selu: Group): Judged {
  const [high, low] = [relu, selu].map((group) => results.estimate(group, results.bestValidation));
  const above = isAbove(high!, low!);
  const isMuch = high!.mean - low!.mean >= MUCH_BETTER;
  const tests = [relu, selu].map((group) => percent(results.meanOf(group, results.testAccuracy)));
  return {
    measured: `Validation accuracy at the lowest validation loss: ${label(relu)} ${percent(high!.mean)}, ${label(selu)} ${percent(low!.mean)}; test accuracy ${tests.join(' and ')}.`,
    verdict: above === 'clearly' && !isMuch ? 'partly' : directional(above),
  };
}

/** Whether putting SELU in ReLU's place improves nothing. */
function judgeReplacing(pairs: readonly (readonly [Group, Group])[]): Judged {
  const found = pairs.map(([relu, selu]) => ({
    text: `${label(relu)} ${percent(results.meanOf(relu, results.testAccuracy))}, ${label(selu)} ${percent(results.meanOf(selu, results.testAccuracy))}`,
    better: isAbove(results.estimate(selu, results.testAccuracy), results.estimate(relu, results.testAccuracy)),
  }));
  const improved = found.filter(({ better }) => better === 'clearly').length;
  return {
    measured: `Test accuracy: ${found.map(({ text }) => text).join('; ')}. SELU is clearly ahead in ${improved} of ${found.length}.`,
    verdict: improved === 0 ? 'yes' : improved === found.length ? 'no' : 'partly',
  };
}

/** Whether SELU wins anywhere: its best configuration beside ReLU's best. */
function judgeBest(groups: Groups): Judged {
  const [relu, selu] = (['relu', 'selu'] as const).map((activation) => results.bestOf(groups, activation));
  const [a, b] = [selu!, relu!].map((group) => results.estimate(group, results.testAccuracy));
  return {
    measured: `Best test accuracy of SELU: ${label(selu!)}, ${percent(a!.mean)}; of ReLU: ${label(relu!)}, ${percent(b!.mean)}.`,
    verdict: directional(isAbove(a!, b!)),
  };
}

/** Whether the initialisation that SELU's authors recommend helps. */
function judgeInitialization(glorot: Group, leCun: Group): Judged {
  const [without, with_] = [glorot, leCun].map((group) => results.estimate(group, results.testAccuracy));
  return {
    measured: `Test accuracy: ${label(glorot)} (Glorot uniform) ${percent(without!.mean)}; ${label(leCun)} ${percent(with_!.mean)}.`,
    verdict: directional(isAbove(with_!, without!)),
  };
}

/** The times of SELU beside ReLU's, with and without batch normalisation. */
const ratiosOf = (pairs: readonly (readonly [Group, Group])[]): readonly { text: string; ratios: number[] }[] =>
  pairs.map(([relu, selu]) => {
    const ratios = results.timeRatios(selu, relu);
    return { text: `${label(selu)} beside ${label(relu)} ${changeOf(median(ratios))}`, ratios };
  });

function judgeCost(pairs: readonly (readonly [Group, Group])[]): Judged {
  const found = ratiosOf(pairs);
  const medians = found.map(({ ratios }) => median(ratios));
  const isSame = medians.every((ratio) => Math.abs(ratio - COST.document) <= COST.same);
  const isLittle = medians.every((ratio) => ratio < COST.little);
  const seconds = pairs.flat().map((group) => `${label(group)} ${results.secondsPerEpoch(group)!.toFixed(2)}`);
  return {
    measured: `Time of a training step: ${found.map(({ text }) => text).join('; ')}. Seconds of an epoch’s training: ${seconds.join(', ')}.`,
    verdict: isSame ? 'yes' : isLittle ? 'no' : 'partly',
  };
}

function judgeDearer(pairs: readonly (readonly [Group, Group])[]): Judged {
  const found = ratiosOf(pairs).map(({ text, ratios }) => {
    const slower = ratios.filter((ratio) => ratio > 1).length;
    return { text: `${text}, slower in ${slower} of ${ratios.length} rounds`, above: isSlower(ratios) };
  });
  const all = (above: Above): boolean => found.every((each) => each.above === above);
  return {
    measured: `${found.map(({ text }) => text).join('; ')}.`,
    verdict: all('clearly') ? 'yes' : all('not') ? 'no' : 'partly',
  };
}

/** Beside the numbers in the document's pictures, which the whole set alone can give. */
function judgeNumbers(groups: Groups, facts: PairFacts): Judged {
  const found = Object.entries(DOCUMENT).map(([key, document]) => {
    const group = groups.get(key)!;
    const mean = results.meanOf(group, results.lastValidation);
    return { text: `${label(group)} ${percent(mean)}`, isSame: Math.abs(mean - document) <= SAME_ACCURACY };
  });
  const same = found.filter(({ isSame }) => isSame).length;
  const measured = `After the last epoch: ${found.map(({ text }) => text).join('; ')}.`;
  if (!facts.whole) {
    const pairs = `${facts.parts[0]!.pairs.toLocaleString('en')} of ${facts.published.toLocaleString('en')} training pairs`;
    return { measured: `${measured} From ${pairs}: the whole set tells.`, verdict: 'open' };
  }
  return { measured, verdict: same === found.length ? 'yes' : same > 0 ? 'partly' : 'no' };
}

/** Why a run cannot tell about accuracies; undefined when it can. */
function tooShort(groups: Groups): string | undefined {
  const [pairs, epochs] = ['trainingPairs', 'epochs'].map((name) => results.settingOf(groups, name)) as [
    number,
    number,
  ];
  const seeds = Math.min(...[...groups.values()].map(({ runs }) => runs.length));
  const lacks = [
    ...(pairs < ENOUGH.pairs ? [`${pairs} training pairs`] : []),
    ...(epochs < ENOUGH.epochs ? [`${epochs} epochs`] : []),
    ...(seeds < 2 ? ['one seed, which does not show the spread'] : []),
  ];
  return lacks.length === 0 ? undefined : `From ${lacks.join(', ')}: a run of the usual size tells.`;
}

/** Judges everything by the runs there are. */
export function judgeClaims(groups: Groups, facts: PairFacts): Claim[] {
  const short = tooShort(groups);
  const [reluNorm, seluNorm, relu, selu] = ['relu-bn', 'selu-bn', 'relu', 'selu'].map((key) => groups.get(key)!) as [
    Group,
    Group,
    Group,
    Group,
  ];
  const [reluAdam, seluAdam, alpha, leCun] = ['relu-adam', 'selu-adam', 'selu-alpha', 'selu-alpha-lecun'].map((key) =>
    groups.get(key),
  );
  const pairs = [[reluNorm, seluNorm] as const, [relu, selu] as const];
  const adam = reluAdam === undefined || seluAdam === undefined ? undefined : ([reluAdam, seluAdam] as const);
  const accuracy = (claim: string, judged: Judged | undefined): Claim => {
    if (judged === undefined) {
      return { claim, measured: 'Not among the configurations of a quick run.', verdict: 'open' };
    }
    const { measured, verdict } = judged;
    if (short === undefined || verdict === 'open') return { claim, measured, verdict };
    return { claim, measured: `${measured} ${short}`, verdict: 'open' };
  };
  return [
    accuracy('“RELU is clearly converging much faster than SELU”: with BatchNormalization.', judgeSpeed(...pairs[0]!)),
    accuracy(
      'Without BatchNormalization, “RELU seems to be doing a much better job than SELU for the default configuration.”',
      judgeEnd(...pairs[1]!),
    ),
    accuracy(
      '“This behavior remains more or less the same after iterating through hyperparameters”: with Adam, as in its picture.',
      adam && judgeEnd(...adam),
    ),
    accuracy(
      '“SELU authors recommend a specific initialization scheme for it to be effective”: LeCun’s helps.',
      alpha && leCun && judgeInitialization(alpha, leCun),
    ),
    accuracy('“It is still possible that SELU is better in some configurations.”', judgeBest(groups)),
    accuracy(
      '“Simply replacing RELU with SELU isn’t going to improve your existing models.”',
      judgeReplacing(adam === undefined ? pairs : [...pairs, adam]),
    ),
    accuracy(
      'Validation accuracy after 42 epochs, read from its pictures: 82.7% and 82.3% (ReLU and SELU with BatchNormalization), 82.8% and 78.4% (without).',
      judgeNumbers(groups, facts),
    ),
    { claim: 'SELU is “a bit more computationally expensive than RELU.”', ...judgeDearer(pairs) },
    {
      claim: 'An epoch takes 49 seconds with ReLU and 65 with SELU, “33% more” (on its GPU).',
      ...judgeCost(pairs),
    },
  ];
}
