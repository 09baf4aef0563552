// The document's claims, each with what is measured for it and when it counts as reproduced. Differences between two
// configurations are judged by their spread over seeds; what a run was too short for stays open.
import type { Claim, Verdict } from '../../report/report.js';
import { isAbove, type Estimate } from '../estimate.js';
import * as results from './results.js';
import type { Group } from './results.js';
import { LONG_EPOCHS, SHORT_EPOCHS } from './trials.js';

/** Accuracies this close count as the document's: twice the standard error of 10,000 test images at 99%. */
const SAME_ACCURACY = 0.002;
/** Results this close are "similar". */
const SIMILAR_ACCURACY = 0.003;
/** So much worse, and one would need the other. */
const NEEDED_ACCURACY = 0.005;
/** A validation loss so far above its lowest has turned up. */
const RISEN = 1.15;
/** What the document trains on. */
const TRAINING_IMAGES = 48_000;
/** The validation accuracy by which speed is measured. */
const LEVEL = 0.985;

type Groups = ReadonlyMap<string, Group>;

const loss = (group: Group): Estimate => results.estimate(group, results.testLoss);
const accuracy = (group: Group): Estimate => results.estimate(group, results.testAccuracy);
const rise = (group: Group): number => results.estimate(group, results.overfit).mean;

const four = (value: number): string => value.toFixed(4);
const scores = (group: Group): string =>
  `${group.configuration.label}: loss ${four(loss(group).mean)}, accuracy ${four(accuracy(group).mean)}`;
const seedsOf = ({ runs }: Group): string => (runs.length === 1 ? 'one seed' : `mean of ${runs.length} seeds`);

/** What a directional claim gets: a difference within the spread is only partly what the document saw. */
function directional(above: 'clearly' | 'barely' | 'not'): Verdict {
  return above === 'clearly' ? 'yes' : above === 'barely' ? 'partly' : 'no';
}

const NOTES = {
  clearly: '',
  barely: ' The difference is within the spread.',
  not: ' The difference goes the other way.',
} as const;

function spreadNote(above: 'clearly' | 'barely' | 'not', group: Group): string {
  return above === 'barely' && group.runs.length === 1 ? ' One seed does not show the spread.' : NOTES[above];
}

interface Rule {
  readonly claim: string;
  /** The configurations that it compares, and the epochs they must have had. */
  readonly of: readonly string[];
  readonly epochs: number;
  readonly judge: (groups: readonly Group[]) => { readonly measured: string; readonly verdict: Verdict };
}

/** Whether stopping early gave a lower test loss than training to the end. */
function judgeStopping([stopped, whole]: readonly Group[]): { measured: string; verdict: Verdict } {
  const end = results.estimate(stopped!, ({ history }) => history['loss']!.length).mean;
  const best = results.estimate(stopped!, ({ results: found }) => found['best_epoch']!).mean;
  const at = (epoch: number): string => epoch.toFixed(epoch % 1 === 0 ? 0 : 1);
  if (end >= results.epochsOf(whole!)) {
    return {
      measured: `The validation loss fell to the end: nothing was stopped in ${at(end)} epochs.`,
      verdict: 'open',
    };
  }
  const above = isAbove(loss(whole!), loss(stopped!));
  const kept = `test loss ${four(loss(stopped!).mean)}, accuracy ${four(accuracy(stopped!).mean)}`;
  const last = `${four(loss(whole!).mean)}, ${four(accuracy(whole!).mean)}`;
  const measured = `Stopped after epoch ${at(end)}, took the weights of epoch ${at(best)}: ${kept}; trained to the end: ${last}.`;
  return { measured, verdict: directional(above) };
}

const RULES: readonly Rule[] = [
  {
    claim: 'Test accuracies after 25 epochs: 0.9915 and 0.9906 (ReLU and ELU, Glorot), 0.9918 and 0.9922 (He).',
    of: ['relu-glorot', 'elu-glorot', 'relu-he', 'elu-he'],
    epochs: SHORT_EPOCHS,
    judge(groups) {
      const off = groups.map((group) => Math.abs(accuracy(group).mean - group.configuration.document!.acc));
      const near = off.filter((distance) => distance <= SAME_ACCURACY).length;
      const means = groups.map((group) => `${group.configuration.label} ${four(accuracy(group).mean)}`).join('; ');
      return {
        measured: `${means} (${seedsOf(groups[0]!)}). ${near} of 4 within ${SAME_ACCURACY} of the document.`,
        verdict: near === 4 ? 'yes' : near > 0 ? 'partly' : 'no',
      };
    },
  },
  {
    claim: 'With Glorot initialisation ELU is slightly worse than ReLU: its loss is higher (0.0492 against 0.0308).',
    of: ['elu-glorot', 'relu-glorot'],
    epochs: SHORT_EPOCHS,
    judge([elu, relu]) {
      const above = isAbove(loss(elu!), loss(relu!));
      return {
        measured: `${scores(elu!)}. ${scores(relu!)}.${spreadNote(above, elu!)}`,
        verdict: directional(above),
      };
    },
  },
  {
    claim: 'With Glorot initialisation ELU starts to overfit within 25 epochs.',
    of: ['elu-glorot', 'relu-glorot'],
    epochs: SHORT_EPOCHS,
    judge([elu, relu]) {
      const [own, other] = [rise(elu!), rise(relu!)];
      const measured = `Validation loss after the last epoch over its lowest: ELU ${own.toFixed(2)}, ReLU ${other.toFixed(2)}.`;
      return { measured, verdict: own > RISEN ? (own > other ? 'yes' : 'partly') : 'no' };
    },
  },
  {
    claim: 'With He initialisation ELU is slightly better than ReLU (loss 0.0293 against 0.0305).',
    of: ['relu-he', 'elu-he'],
    epochs: SHORT_EPOCHS,
    judge([relu, elu]) {
      const above = isAbove(loss(relu!), loss(elu!));
      return {
        measured: `${scores(elu!)}. ${scores(relu!)}.${spreadNote(above, elu!)}`,
        verdict: directional(above),
      };
    },
  },
  {
    claim: 'With He initialisation the steep increase of ELU’s loss towards the 25th epoch is gone.',
    of: ['elu-he', 'elu-glorot'],
    epochs: SHORT_EPOCHS,
    judge([he, glorot]) {
      const [own, other] = [rise(he!), rise(glorot!)];
      const measured = `Validation loss after the last epoch over its lowest: He ${own.toFixed(2)}, Glorot ${other.toFixed(2)}.`;
      if (other <= RISEN) return { measured: `${measured} With Glorot there is none to begin with.`, verdict: 'no' };
      return { measured, verdict: own <= RISEN ? 'yes' : own < other ? 'partly' : 'no' };
    },
  },
  {
    claim: '“He init is necessary when using ELU, that’s clear.”',
    of: ['elu-he', 'elu-glorot'],
    epochs: SHORT_EPOCHS,
    judge([he, glorot]) {
      const gap = accuracy(he!).mean - accuracy(glorot!).mean;
      const lower = isAbove(loss(glorot!), loss(he!));
      const note =
        gap >= NEEDED_ACCURACY
          ? ''
          : ` Glorot costs ${(100 * Math.max(0, gap)).toFixed(2)} points of accuracy: He may help, but is not necessary.`;
      return {
        measured: `${scores(he!)}. ${scores(glorot!)}.${note}`,
        verdict: gap >= NEEDED_ACCURACY ? 'yes' : lower === 'clearly' ? 'partly' : 'no',
      };
    },
  },
  {
    claim: 'With only few epochs ELU shows results similar to ReLU’s.',
    of: ['relu-he', 'elu-he'],
    epochs: 2,
    judge(groups) {
      const [relu, elu] = groups.map((group) => accuracy(group).mean) as [number, number];
      const verdict = Math.abs(relu - elu) <= SIMILAR_ACCURACY ? 'yes' : 'no';
      const epochs = results.epochsOf(groups[0]!);
      return {
        measured: `Test accuracy with He after ${epochs} epochs: ReLU ${four(relu)}, ELU ${four(elu)}; similar would be within ${SIMILAR_ACCURACY}.`,
        verdict,
      };
    },
  },
  {
    claim: 'It is difficult to do better than ReLU on MNIST with Leaky ReLU and PReLU.',
    of: ['relu-he', 'leaky-relu-he', 'prelu-he'],
    epochs: SHORT_EPOCHS,
    judge(groups) {
      const [relu, ...others] = groups.map(accuracy) as [Estimate, ...Estimate[]];
      const above = others.map((other) => isAbove(other, relu));
      const means = groups.map((group) => `${group.configuration.label} ${four(accuracy(group).mean)}`).join('; ');
      return {
        measured: `Test accuracy: ${means}.`,
        verdict: above.includes('clearly') ? 'no' : above.includes('barely') ? 'partly' : 'yes',
      };
    },
  },
  {
    claim: 'ELU converges faster (seen over 250 epochs with dropout 0.5).',
    of: ['relu-he-long', 'elu-he-long'],
    epochs: LONG_EPOCHS,
    judge(groups) {
      const [relu, elu] = groups.map((group) => results.estimate(group, (run) => results.epochsUntil(run, LEVEL)));
      const measured = `Epochs until the validation accuracy reaches ${LEVEL}: ReLU ${relu!.mean.toFixed(1)}, ELU ${elu!.mean.toFixed(1)}.`;
      return { measured, verdict: directional(isAbove(relu!, elu!)) };
    },
  },
  {
    claim: 'Over 250 epochs with dropout 0.5 ELU overfits sooner and more (test loss 0.0862 against 0.0430).',
    of: ['elu-he-long', 'relu-he-long'],
    epochs: LONG_EPOCHS,
    judge([elu, relu]) {
      const above = isAbove(loss(elu!), loss(relu!));
      const rises = `Validation loss over its lowest: ELU ${rise(elu!).toFixed(2)}, ReLU ${rise(relu!).toFixed(2)}.`;
      const verdict = rise(elu!) > rise(relu!) ? directional(above) : 'no';
      return { measured: `${scores(elu!)}. ${scores(relu!)}. ${rises}`, verdict };
    },
  },
  {
    claim: 'Over 250 epochs, EarlyStopping with ModelCheckpoint stops ELU “at precisely the correct point”.',
    of: ['elu-he-long-stopped', 'elu-he-long'],
    epochs: LONG_EPOCHS,
    judge: judgeStopping,
  },
  {
    claim: 'The same over 25 epochs.',
    of: ['elu-he-stopped', 'elu-he'],
    epochs: SHORT_EPOCHS,
    judge: judgeStopping,
  },
];

/** Judges every claim by the runs there are. */
export function judgeClaims(all: readonly Group[]): Claim[] {
  const groups: Groups = new Map(all.map((group) => [group.configuration.key, group]));
  return RULES.map(({ claim, of, epochs, judge }) => {
    const found = of.map((key) => groups.get(key));
    if (!found.every((group) => group !== undefined)) {
      const how = of.some((key) => key.includes('long')) ? 'with --full' : 'at the usual size';
      return { claim, measured: `Not part of this run; run it ${how}.`, verdict: 'open' };
    }
    const had = Math.min(
      ...found.filter(({ configuration }) => configuration.patience === undefined).map(results.epochsOf),
    );
    const judged = judge(found);
    const images = Number(found[0]!.runs[0]!.settings['trainingImages'] ?? TRAINING_IMAGES);
    const lacks = [
      ...(had < epochs ? [`after ${had} of the ${epochs} epochs it takes to tell`] : []),
      ...(images < TRAINING_IMAGES ? [`on ${images} of the ${TRAINING_IMAGES} training images`] : []),
    ];
    if (lacks.length === 0) return { claim, ...judged };
    return { claim, measured: `${judged.measured} That is ${lacks.join(', ')}.`, verdict: 'open' };
  });
}
