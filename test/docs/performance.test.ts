// docs/performance.md against the committed runs it tells of: every figure of its large tables, and its pictures.
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { FULL, rows } from '../../bench/gpu/rows.js';
import { opFigures, PEER_NAMES, sentenceFigures, shortName, trainingFigures } from '../../bench/figures.js';

const page = readFileSync('docs/performance.md', 'utf8');

/** The body of the table under a heading, by the first cell. */
function table(heading: string): Map<string, string[]> {
  const section = page.slice(page.indexOf(heading)).slice(heading.length).split('\n## ')[0]!;
  const cells = section
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .slice(2, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
  return new Map(cells.map(([first, ...rest]) => [first!, rest]));
}

/** A figure rounds to what is printed. */
function expectPrinted(printed: string | undefined, figure: number): void {
  expect(printed).toMatch(/^[\d.,]+$/);
  const decimals = printed!.split('.')[1]?.length ?? 0;
  const whole = figure >= 1000 ? printed!.replace(',', '') : printed!;
  expect(Math.abs(Number(whole) - figure)).toBeLessThanOrEqual(0.5000001 * 10 ** -decimals);
}

describe('docs/performance.md', () => {
  test('has the epochs of the MNIST network as they were measured', () => {
    const told = table('## Training: an epoch of the MNIST network');
    for (const { peer, seconds, ratio, peakBytes } of trainingFigures().report) {
      const name = [...told.keys()].find((key) => key.replace(/ \d[\d.]*( on .*)?/, '') === PEER_NAMES[peer]);
      const exact = told.get(name!)!;
      expectPrinted(exact[0], seconds);
      if (peer !== 'selfnorm') expectPrinted(exact[1], ratio);
      expectPrinted(exact[2], peakBytes / 2 ** 20);
    }
  });

  test('has the steps of the sentence network as they were measured', () => {
    const told = table('## Training: a step of the sentence network');
    for (const { peer, relu, selu, seluOverRelu, ratioRelu, ratioSelu } of sentenceFigures().report) {
      const cells = [...told].find(([name]) => name.startsWith(PEER_NAMES[peer]!))![1];
      [1000 * relu, 1000 * selu, seluOverRelu].forEach((figure, i) => expectPrinted(cells[i], figure));
      if (peer !== 'selfnorm') [ratioRelu, ratioSelu].forEach((figure, i) => expectPrinted(cells[i + 3], figure));
    }
  });

  test('has every single op as it was measured', () => {
    const told = table('## Single ops, float32 on the CPU');
    const { report } = opFigures();
    expect(report.length).toBeGreaterThan(20);
    for (const { bench, ms, ratio } of report) {
      const cells = told.get(shortName(bench));
      expect(cells, bench).toBeDefined();
      ['selfnorm', 'torch', 'keras', 'tfjs-node'].forEach((peer, i) => expectPrinted(cells![i], ms[peer]!));
      expectPrinted(cells![4], ratio);
    }
  });

  test('counts the rows that are to be measured on a GPU', () => {
    expect(page).toContain(`${rows(FULL).length} rows beside PyTorch`);
  });

  test('shows pictures that are there', () => {
    const pictures = [...page.matchAll(/!\[([^\]]+)\]\(([^)]+)\)/g)];
    expect(pictures.length).toBeGreaterThanOrEqual(2);
    for (const [, , file] of pictures) expect(existsSync(`docs/${file}`), file).toBe(true);
  });
});
