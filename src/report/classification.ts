// What a classifier confuses: a picture of its answers by class, and each class's precision and recall. For every experiment that
// classifies; a confusion matrix is the counts `counts[truth * classes + answer]`.
import type { HeatChart } from './chart.js';
import type { Table } from './report.js';

/** A class as a classifier treats it. */
export interface ClassScore {
  readonly name: string;
  /** Of the answers that are this class, the share that is right; undefined where it is never answered. */
  readonly precision: number | undefined;
  /** Of the images of this class, the share that is recognised; undefined where there are none. */
  readonly recall: number | undefined;
  /** Images of the class. */
  readonly support: number;
  /** The class that its images are taken for most often when they are not recognised. */
  readonly mostly: string | undefined;
}

/** Classes up to this many are all in the table; of more, the best and the worst. */
const FEW = 20;
const ENDS = 5;

/** The counts of several runs together. */
export const sumOfCounts = (all: readonly (readonly number[])[]): number[] =>
  all[0]!.map((_, i) => all.reduce((sum, counts) => sum + counts[i]!, 0));

const share = (part: number, whole: number): number | undefined => (whole === 0 ? undefined : part / whole);

/** Each class's scores, in the classes' order. */
export function scoresOf(counts: readonly number[], classNames: readonly string[]): ClassScore[] {
  const classes = classNames.length;
  return classNames.map((name, truth) => {
    const row = counts.slice(truth * classes, (truth + 1) * classes);
    const right = row[truth]!;
    const support = row.reduce((sum, count) => sum + count, 0);
    const answered = classNames.reduce((sum, _, from) => sum + counts[from * classes + truth]!, 0);
    const wrong = row.map((count, answer) => (answer === truth ? 0 : count));
    const most = Math.max(...wrong);
    const mostly = most > 0 ? classNames[wrong.indexOf(most)] : undefined;
    return { name, precision: share(right, answered), recall: share(right, support), support, mostly };
  });
}

/** Precision, recall and support of each class; where there are many, of the five recognised best and worst. */
export function classTable(counts: readonly number[], classNames: readonly string[], what: string): Table {
  const scores = scoresOf(counts, classNames);
  const byRecall = scores.filter(({ support }) => support > 0).sort((a, b) => b.recall! - a.recall!);
  const shown = scores.length <= FEW ? scores : [...byRecall.slice(0, ENDS), ...byRecall.slice(-ENDS)];
  const which =
    scores.length <= FEW ? '' : ` The ${ENDS} classes recognised best and the ${ENDS} worst of ${classNames.length}.`;
  return {
    caption: `${what}: each class on the test images.${which} Precision: how many of its answers are right; recall: how many of its images are recognised.`,
    columns: [
      { title: 'Class' },
      { title: 'Precision', digits: 3 },
      { title: 'Recall', digits: 3 },
      { title: 'Images', digits: 0 },
      { title: 'Otherwise mostly taken for' },
    ],
    rows: shown.map(({ name, precision, recall, support, mostly }) => [name, precision, recall, support, mostly]),
  };
}

/** Answers by class, one panel a classifier: a row is a class's images, its colours what they were taken for. */
export function confusionChart(
  classifiers: readonly { readonly title: string; readonly counts: readonly number[] }[],
  classes: number,
): HeatChart {
  const numbers = Array.from({ length: classes }, (_, i) => i);
  return {
    kind: 'heat',
    xTitle: 'answer',
    yTitle: 'class',
    columns: classifiers.length,
    x: numbers,
    y: numbers,
    scale: { kind: 'rising', title: 'share of the class', domain: [0, 1], ticks: [0, 0.5, 1], format: '.0%' },
    panels: classifiers.map(({ title, counts }) => ({
      title,
      cells: numbers.map((truth) => {
        const row = counts.slice(truth * classes, (truth + 1) * classes);
        const all = row.reduce((sum, count) => sum + count, 0);
        return row.map((count) => (count === 0 ? undefined : count / all));
      }),
    })),
  };
}
