// Reads files of sentence pairs. Three syntaxes: JSON lines with SNLI's names, SICK's one table, and the tables of SemEval.
import { nameOf, lineBlocks, type TextFile } from '../files/text-lines.js';
import { BadRecords, type OnBadRecord } from '../files/bad-records.js';
import type { Location } from '../sets/locate.js';
import type { DataSetEntry, PairForm } from '../sets/entry.js';
import { INFERENCE_CLASSES, SentencePairs, type PairSets } from './sentence-pairs.js';

/** A line's pair; `label` undefined: its annotators agreed on none. */
interface Parsed {
  readonly premise: string;
  readonly hypothesis: string;
  readonly label: number | undefined;
  readonly relatedness?: number;
}

/** A line's pair, null where the line belongs to another part, or what is wrong with it. */
type Parse = (line: string, number: number) => Parsed | string | null;

const shown = (line: string): string => JSON.stringify(line.length > 60 ? `${line.slice(0, 60)}...` : line);
const labelOf = (name: string): number => (INFERENCE_CLASSES as readonly string[]).indexOf(name);
const LABELS = INFERENCE_CLASSES.join(', ');

function parseJson(line: string): Parsed | string {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch {
    return `expected a JSON object, got ${shown(line)}`;
  }
  if (typeof record !== 'object' || record === null) return `expected a JSON object, got ${shown(line)}`;
  const { gold_label: gold, sentence1, sentence2, relatedness } = record as Record<string, unknown>;
  if (typeof sentence1 !== 'string' || typeof sentence2 !== 'string') {
    return `expected texts as sentence1 and sentence2, got ${shown(line)}`;
  }
  const label = typeof gold === 'string' ? labelOf(gold) : -1;
  if (label < 0 && gold !== '-') return `expected a gold_label of ${LABELS} or -, got ${JSON.stringify(gold)}`;
  if (relatedness !== undefined && !isRelatedness(relatedness)) {
    return `expected a relatedness from 1 to 5, got ${JSON.stringify(relatedness)}`;
  }
  const pair = { premise: sentence1, hypothesis: sentence2, label: label < 0 ? undefined : label };
  return relatedness === undefined ? pair : { ...pair, relatedness };
}

const isRelatedness = (value: unknown): value is number => typeof value === 'number' && value >= 1 && value <= 5;

/** A table's columns by what they hold. */
interface Columns {
  readonly count: number;
  readonly label: number;
  readonly relatedness: number;
  /** The column that says which part a pair belongs to, and the part asked for. */
  readonly part?: readonly [column: number, name: string];
}

function parseTable({ count, label: labelAt, relatedness: relatednessAt, part }: Columns): Parse {
  return (line, number) => {
    const fields = line.split('\t');
    if (fields.length !== count) return `expected ${count} fields between tabs, got ${fields.length}`;
    if (number === 1 && fields[0]!.toLowerCase() === 'pair_id') return null;
    if (part !== undefined && fields[part[0]] !== part[1]) {
      const known = ['TRAIN', 'TRIAL', 'TEST'].includes(fields[part[0]]!);
      return known ? null : `expected a part of TRAIN, TRIAL or TEST, got ${JSON.stringify(fields[part[0]])}`;
    }
    const label = labelOf(fields[labelAt]!.toLowerCase());
    if (label < 0) return `expected a label of ${LABELS}, got ${JSON.stringify(fields[labelAt])}`;
    const relatedness = Number(fields[relatednessAt]);
    if (!isRelatedness(relatedness)) {
      return `expected a relatedness from 1 to 5, got ${JSON.stringify(fields[relatednessAt])}`;
    }
    return { premise: fields[1]!, hypothesis: fields[2]!, label, relatedness };
  };
}

const SICK_PARTS = { train: 'TRAIN', validation: 'TRIAL', test: 'TEST' } as const;
type Part = keyof typeof SICK_PARTS;

function parserFor({ format }: PairForm, part: Part): Parse {
  if (format === 'snli') return parseJson;
  if (format === 'semeval') return parseTable({ count: 5, relatedness: 3, label: 4 });
  return parseTable({ count: 12, label: 3, relatedness: 4, part: [11, SICK_PARTS[part]] });
}

async function readPart(op: string, file: TextFile, parse: Parse, onBadRecord?: OnBadRecord): Promise<SentencePairs> {
  const premises: string[] = [];
  const hypotheses: string[] = [];
  const labels: number[] = [];
  const relatedness: number[] = [];
  const skipped = new BadRecords(op, onBadRecord);
  const name = nameOf(file);
  let unlabelled = 0;
  for await (const { first, lines } of lineBlocks(op, file)) {
    lines.forEach((line, i) => {
      const number = first + i;
      const pair = line === undefined ? 'expected UTF-8, got other bytes' : parse(line, number);
      if (pair === null) return;
      if (typeof pair === 'string') return skipped.add(name, number, pair);
      if (pair.label === undefined) return void unlabelled++;
      premises.push(pair.premise);
      hypotheses.push(pair.hypothesis);
      labels.push(pair.label);
      if (pair.relatedness !== undefined) relatedness.push(pair.relatedness);
    });
  }
  skipped.warn();
  return new SentencePairs({
    premises,
    hypotheses,
    labels: Uint8Array.from(labels),
    relatedness: relatedness.length === labels.length && labels.length > 0 ? Float32Array.from(relatedness) : undefined,
    unlabelled,
    skipped,
    files: [name],
  });
}

/** Labelled pairs for training, validation and testing, as published; SICK has two releases. */
const PUBLISHED: Readonly<Record<string, readonly (readonly number[])[]>> = {
  snli: [[549_367, 9_842, 9_824]],
  sick: [
    [4_500, 500, 4_927],
    [4_439, 495, 4_906],
  ],
};

/** Reads the three parts of a set. */
export async function readPairs(
  { name, op }: DataSetEntry<PairForm>,
  { form, folder, paths }: Location<PairForm>,
  onBadRecord?: OnBadRecord,
): Promise<PairSets> {
  const read = (part: Part): Promise<SentencePairs> => {
    const file = form[part];
    const { archive } = form;
    const source = archive === undefined ? { path: paths.get(file)! } : { path: paths.get(archive)!, entry: file };
    return readPart(op, source, parserFor(form, part), onBadRecord);
  };
  const [train, validation, test] = [await read('train'), await read('validation'), await read('test')];
  const sizes = [train, validation, test].map(({ size }) => size);
  const full = PUBLISHED[name]!.some((published) => published.every((count, i) => count === sizes[i]));
  return { train, validation, test, full, folder };
}
