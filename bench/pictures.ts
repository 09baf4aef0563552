// The pictures of docs/performance.md, from the committed figures.
//   npm run docs:pictures
import { writeFileSync } from 'node:fs';
import { COLORS, type DotChart } from '../src/report/chart.js';
import { draw } from '../src/report/pictures.js';
import { opFigures, PEER_NAMES, shortName, trainingFigures } from './figures.js';

const FOLDER = 'docs/images';

/** Seconds an epoch of the MNIST network takes. */
function trainingChart(): DotChart {
  const rows = [...trainingFigures().report]
    .sort((a, b) => a.seconds - b.seconds)
    .map(({ peer, epochs }) => ({
      label: PEER_NAMES[peer]!,
      values: epochs,
      color: peer === 'selfnorm' ? COLORS.vermilion : COLORS.grey,
    }));
  return { kind: 'dots', xTitle: 'seconds an epoch, each of two and their mean', rows };
}

/** The time of single ops, as a share of the fastest peer's. */
function opChart(): DotChart {
  const colorOf = (bench: string): string =>
    bench.endsWith('forward') ? COLORS.blue : bench.endsWith('backward') ? COLORS.vermilion : COLORS.green;
  const rows = opFigures().report.map(({ bench, ratio }) => ({
    label: shortName(bench),
    values: [ratio],
    reference: 1,
    color: colorOf(bench),
  }));
  return { kind: 'dots', xTitle: 'time, as a share of the fastest peer’s', rows, referenceLabel: 'the fastest peer' };
}

for (const [name, chart] of Object.entries({ training: trainingChart(), ops: opChart() })) {
  const file = `${FOLDER}/performance-${name}.png`;
  writeFileSync(file, (await draw(chart)).png);
  console.log(`written: ${file}`);
}
