// What a classifier confuses: precision, recall and support by hand, classes without images or answers, many classes.
import { expect, test } from 'vitest';
import { classTable, confusionChart, scoresOf } from '../../src/report/classification.js';
import { drawSvg } from '../../src/report/pictures.js';

// Rows are classes, columns answers.
const COUNTS = [
  [8, 2, 0],
  [1, 3, 0],
  [0, 0, 0],
].flat();
const NAMES = ['cat', 'dog', 'bird'];

test('precision, recall and support are those worked out by hand', () => {
  expect(scoresOf(COUNTS, NAMES)).toEqual([
    { name: 'cat', precision: 8 / 9, recall: 0.8, support: 10, mostly: 'dog' },
    { name: 'dog', precision: 0.6, recall: 0.75, support: 4, mostly: 'cat' },
    { name: 'bird', precision: undefined, recall: undefined, support: 0, mostly: undefined },
  ]);
});

test('a table has every class of a few, and of many the best and the worst that have images', () => {
  expect(classTable(COUNTS, NAMES, 'ReLU').rows.map(([name]) => name)).toEqual(NAMES);
  // Class i is recognised in i of 40 images; the last has none.
  const classes = 40;
  const counts = new Array<number>(classes * classes).fill(0);
  for (let i = 0; i < classes - 1; i++) {
    counts[i * classes + i] = i;
    counts[i * classes + ((i + 1) % classes)]! += 40 - i;
  }
  const table = classTable(
    counts,
    Array.from({ length: classes }, (_, i) => `class ${i}`),
    'ReLU',
  );
  expect(table.rows.map(([name]) => Number(String(name).slice(6)))).toEqual([38, 37, 36, 35, 34, 4, 3, 2, 1, 0]);
  expect(table.rows[0]).toEqual(['class 38', 38 / 41, 38 / 40, 40, 'class 39']);
  expect(table.caption).toContain('of 40');
});

test('the picture has the shares of each class, and nothing where nothing was answered', async () => {
  const chart = confusionChart([{ title: 'ReLU', counts: COUNTS }], 3);
  expect(chart.panels[0]!.cells).toEqual([
    [0.8, 0.2, undefined],
    [0.25, 0.75, undefined],
    [undefined, undefined, undefined],
  ]);
  expect(await drawSvg(chart)).toContain('>ReLU</text>');
});
