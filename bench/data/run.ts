// How fast data arrives: SNLI's text as padded ids, and image files as batches beside what sharp alone decodes, in turns. Writes
// bench/results/.
//   npm run bench:data -- [--snli FOLDER] [--rounds N] [--no-write]
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { median, row, writeResult } from '../record.js';
import { imageTrials } from './images.js';
import type { Measured, Trial } from './measured.js';
import { textTrials } from './text.js';

const { values } = parseArgs({
  options: {
    snli: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    'no-write': { type: 'boolean', default: false },
  },
});

const { trials, dispose } = await imageTrials();
const all: Trial[] = [...(values.snli === undefined ? [] : await textTrials(values.snli)), ...trials];
const rounds = new Map<Trial, { own: Measured; other: Measured | undefined }[]>(all.map((trial) => [trial, []]));
try {
  // What comes first (threads, caches of files, compiled code) is not counted.
  for (const trial of all) await trial.run();
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const trial of all) {
      // Right before it each time: a machine that slows down slows both of them.
      const other = await all.find(({ name }) => name === trial.against)?.run();
      rounds.get(trial)!.push({ own: await trial.run(), other });
    }
  }
} finally {
  dispose();
}

const report = all.map((trial) => {
  const pairs = rounds.get(trial)!;
  const ratio = (of: (each: Measured) => number): number | null =>
    trial.against === undefined ? null : median(pairs.map(({ own, other }) => of(other!) / of(own)));
  return {
    name: trial.name,
    unit: trial.unit,
    rate: median(pairs.map(({ own }) => trial.count / own.seconds)),
    ofAlone: ratio(({ seconds }) => seconds),
    ofAloneInProcessorTime: ratio(({ processor }) => processor),
    busy: median(pairs.map(({ own }) => own.busy)),
  };
});
console.log(row(['what', 'a second', 'of sharp alone', 'in processor time', 'main thread busy']));
console.log('|---|--:|--:|--:|--:|');
for (const { name, unit, rate, ofAlone, ofAloneInProcessorTime, busy } of report) {
  const shares = [ofAlone, ofAloneInProcessorTime].map((share) => share?.toFixed(2) ?? '');
  console.log(row([name, `${Math.round(rate).toLocaleString('en')} ${unit}`, ...shares, busy.toFixed(2)]));
}
if (!values['no-write']) writeResult('data', { sharp: sharp.versions.sharp, rounds: Number(values.rounds), report });
