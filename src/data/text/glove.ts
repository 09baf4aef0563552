// Word vectors in GloVe's text format, trimmed to a vocabulary while they are read: of a file of gigabytes only the rows asked for
// are ever numbers. A row's width is checked on every line, whether its word is wanted or not.
import { failure, invalid } from '../../errors.js';
import { HostRandom } from '../../tensor/host-random.js';
import { BadRecords, type BadRecordOptions, type SkippedRecords } from '../files/bad-records.js';
import { lineBlocks, nameOf, type TextFile } from '../files/text-lines.js';
import { CATALOGUE } from '../sets/catalogue.js';
import { obtain, type DownloadOptions } from '../sets/download.js';
import type { DataSetEntry, VectorForm } from '../sets/entry.js';
import type { Location } from '../sets/locate.js';
import { Vocabulary } from './vocabulary.js';

const RELEASES = ['6b', '42b', '840b', 'twitter'] as const;

/** Options of `data.glove()`. */
export interface GloveOptions extends DownloadOptions, BadRecordOptions {
  /** The words wanted. Default: all of the file. */
  readonly vocabulary?: Vocabulary;
  /** A file in GloVe's format, of any source: text, gzip, or a zip archive with one file in it. Nothing else is looked for then. */
  readonly file?: string;
  /** The release: default `'6b'`, of Wikipedia and newspapers, 400,000 words in lower case. */
  readonly release?: (typeof RELEASES)[number];
  /** Numbers a word. Default 100, with `release: '42b'` or `'840b'` 300; where `file` is given, what it has. */
  readonly dimension?: number;
  /** Rows of words without a vector: zeros (default), or drawn from a normal distribution. */
  readonly missing?: 'zeros' | 'normal';
  /** With `missing: 'normal'`, what is drawn follows from it. Default 0. */
  readonly seed?: number;
  /** With `missing: 'normal'`, its standard deviation. Default: that of the vectors found. */
  readonly stddev?: number;
}

/** A part of what was looked for. */
export interface Share {
  readonly found: number;
  readonly total: number;
}

/** A matrix of word vectors for an embedding. */
export interface WordVectors {
  /** The words of the rows: that of the options, or one of all words of the file. */
  readonly vocabulary: Vocabulary;
  readonly dimension: number;
  /** float32 `[vocabulary.size, dimension]`, ready for `tensor(vectors, shape)`; row 0, the padding, is zeros. */
  readonly vectors: Float32Array;
  readonly shape: readonly [number, number];
  /** How much of the vocabulary has a vector: of its words, and of their occurrences in the texts it was made from. */
  readonly coverage: { readonly types: Share; readonly tokens: Share };
  /** Ids of the words without one, most frequent first. */
  readonly missing: Int32Array;
  readonly skipped: SkippedRecords;
  readonly file: string;
}

const OP = 'data.glove';

/** Where the numbers of a line begin, or what is wrong with it. */
function startOfNumbers(line: string, dimension: number): number | string {
  // From the back: a word of the largest release may have blanks in it.
  let at = line.length;
  for (let i = 0; i < dimension; i++) {
    at = line.lastIndexOf(' ', at - 1);
    if (at <= 0) return `expected a word and ${dimension} numbers, got ${i} numbers`;
  }
  const word = line.slice(0, at);
  const blank = word.indexOf(' ', 1);
  if (blank < 0) return at + 1;
  const extra = word.slice(blank + 1).split(' ');
  const isWider = extra.every((field) => field !== '' && Number.isFinite(Number(field)));
  return isWider ? `expected a word and ${dimension} numbers, got ${dimension + extra.length} numbers` : at + 1;
}

/** Numbers between single blanks into a row; false where one is none. */
function readNumbers(line: string, start: number, into: Float32Array, row: number, dimension: number): boolean {
  let from = start;
  for (let i = 0; i < dimension; i++) {
    const end = i === dimension - 1 ? line.length : line.indexOf(' ', from);
    const field = line.slice(from, end);
    const value = field === '' ? NaN : Number(field);
    if (!Number.isFinite(value)) return false;
    into[row * dimension + i] = value;
    from = end + 1;
  }
  return true;
}

/** Rows that are found; grows when the words are not known beforehand. */
class Rows {
  readonly words = new Map<string, number>();
  values = new Float32Array();
  has = new Uint8Array();
  found = 0;

  constructor(
    readonly dimension: number,
    readonly vocabulary: Vocabulary | undefined,
  ) {
    this.#resize(vocabulary?.size ?? 1024);
  }

  /** The row for a word; undefined where it is not wanted or there already. */
  rowOf(word: string): number | undefined {
    const row = this.vocabulary === undefined ? this.words.size + 1 : this.vocabulary.idOf(word);
    if (row === undefined || (this.vocabulary === undefined ? this.words.has(word) : this.has[row] === 1))
      return undefined;
    if (row >= this.has.length) this.#resize(2 * row);
    return row;
  }

  take(word: string, row: number): void {
    this.has[row] = 1;
    this.found++;
    if (this.vocabulary === undefined) this.words.set(word, row);
  }

  #resize(rows: number): void {
    const [values, has] = [new Float32Array(rows * this.dimension), new Uint8Array(rows)];
    values.set(this.values);
    has.set(this.has);
    this.values = values;
    this.has = has;
  }
}

async function readRows(
  file: TextFile,
  wanted: number | undefined,
  options: GloveOptions,
): Promise<[Rows, SkippedRecords]> {
  const skipped = new BadRecords(OP, options.onBadRecord);
  const name = nameOf(file);
  let rows: Rows | undefined;
  const begin = (line: string): Rows => {
    const dimension = line.split(' ').length - 1;
    if (dimension < 1) throw skipped.fault(name, 1, 'expected a word and numbers, got no blank');
    if (wanted !== undefined && dimension !== wanted) {
      throw failure(
        'ERR_FILE_FORMAT',
        OP,
        `${name}:1: expected a word and ${wanted} numbers, got ${dimension}; change dimension`,
      );
    }
    return new Rows(dimension, options.vocabulary);
  };
  for await (const { first, lines } of lineBlocks(OP, file)) {
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i];
      const number = first + i;
      if (line === undefined) {
        skipped.add(name, number, 'expected UTF-8, got other bytes');
        continue;
      }
      // The count of words and of numbers, which some programs put before the vectors.
      if (number === 1 && /^\d+ \d+$/.test(line)) continue;
      rows ??= begin(line);
      const start = startOfNumbers(line, rows.dimension);
      if (typeof start === 'string') {
        skipped.add(name, number, start);
        continue;
      }
      const word = line.slice(0, start - 1);
      const row = rows.rowOf(word);
      if (row === undefined) continue;
      if (readNumbers(line, start, rows.values, row, rows.dimension)) rows.take(word, row);
      else {
        rows.values.fill(0, row * rows.dimension, (row + 1) * rows.dimension);
        skipped.add(
          name,
          number,
          `expected ${rows.dimension} numbers after ${JSON.stringify(word)}, got something else`,
        );
      }
    }
  }
  if (rows === undefined)
    throw failure('ERR_FILE_FORMAT', OP, `${name}: expected words and their vectors, got an empty file`);
  skipped.warn();
  return [rows, skipped];
}

function deviationOf(rows: Rows): number {
  let squares = 0;
  for (const value of rows.values) squares += value * value;
  return Math.sqrt(squares / Math.max(1, rows.found * rows.dimension));
}

/** Fills rows with normal numbers, two at a time (Box and Muller). */
function drawRows(rows: Rows, ids: Int32Array, { seed = 0, stddev = deviationOf(rows) }: GloveOptions): void {
  const random = new HostRandom([seed]);
  const uniform = (): number => (random.below(2 ** 32) + 0.5) / 2 ** 32;
  const { dimension, values } = rows;
  for (const id of ids) {
    for (let i = 0; i < dimension; i += 2) {
      const radius = stddev * Math.sqrt(-2 * Math.log(uniform()));
      const angle = 2 * Math.PI * uniform();
      values[id * dimension + i] = radius * Math.cos(angle);
      if (i + 1 < dimension) values[id * dimension + i + 1] = radius * Math.sin(angle);
    }
  }
}

function checkOptions({
  vocabulary,
  release = '6b',
  dimension,
  missing = 'zeros',
  seed = 0,
  stddev,
}: GloveOptions): void {
  if (vocabulary !== undefined && !(vocabulary instanceof Vocabulary)) {
    throw invalid('ERR_ARGUMENT', OP, 'vocabulary', 'one of data.vocabulary()', vocabulary);
  }
  if (!RELEASES.includes(release)) {
    throw invalid('ERR_ARGUMENT', OP, 'release', `one of ${RELEASES.join(', ')}`, release);
  }
  if (dimension !== undefined && !(Number.isSafeInteger(dimension) && dimension > 0)) {
    throw invalid('ERR_ARGUMENT', OP, 'dimension', 'an integer of at least 1', dimension);
  }
  if (missing !== 'zeros' && missing !== 'normal') {
    throw invalid('ERR_ARGUMENT', OP, 'missing', "'zeros' or 'normal'", missing);
  }
  if (!Number.isSafeInteger(seed)) throw invalid('ERR_ARGUMENT', OP, 'seed', 'a safe integer', seed);
  if (stddev !== undefined && !(Number.isFinite(stddev) && stddev >= 0)) {
    throw invalid('ERR_ARGUMENT', OP, 'stddev', 'a number of at least 0', stddev);
  }
}

/** The release's forms that can have this dimension. */
function entryFor(release: (typeof RELEASES)[number], dimension: number): DataSetEntry<VectorForm> {
  const row: DataSetEntry<VectorForm> = CATALOGUE[`glove-${release}`];
  const [first, ...others] = row.forms.filter((form) => form.dimension === undefined || form.dimension === dimension);
  if (first?.dimension === dimension) return { ...row, forms: [first, ...others] };
  const dimensions = [...new Set(row.forms.flatMap((form) => form.dimension ?? []))].sort((a, b) => a - b);
  throw invalid(
    'ERR_ARGUMENT',
    OP,
    'dimension',
    `one of ${dimensions.join(', ')}, as release ${release} has`,
    dimension,
  );
}

/** The file of a release that was found. */
function fileOf({ form: { archive, file }, paths }: Location<VectorForm>): TextFile {
  return archive === undefined ? { path: paths.get(file)! } : { path: paths.get(archive)!, entry: file };
}

async function sourceOf(options: GloveOptions): Promise<{ file: TextFile; dimension: number | undefined }> {
  const { file, release = '6b' } = options;
  if (file !== undefined) return { file: { path: file }, dimension: options.dimension };
  const usual = release === '42b' || release === '840b' ? 300 : 100;
  const dimension = options.dimension ?? usual;
  const found = await obtain(entryFor(release, dimension), options);
  return { file: fileOf(found), dimension: found.form.dimension ?? options.dimension };
}

/**
 * GloVe word vectors, as a matrix whose rows are a vocabulary's ids. Read from `file`, else from `dataDir` (the release's archive, a
 * file of it as `glove.6B.100d.txt`, or `glove.txt`, packed or not), else from the cache, into which the release is downloaded (6b:
 * 0.9 GB; it stays packed). The file is read as a stream.
 * @throws FileFormatError naming file and line of a row of another width or that is no UTF-8, unless `onBadRecord` is `'skip'`;
 *   ArgumentError when files are missing and cannot be downloaded.
 */
export async function glove(options: GloveOptions = {}): Promise<WordVectors> {
  checkOptions(options);
  const { file, dimension } = await sourceOf(options);
  return vectorsOf(file, dimension, options);
}

/** All vectors of the files of a release. */
export function readVectors(found: Location<VectorForm>): Promise<WordVectors> {
  return vectorsOf(fileOf(found), found.form.dimension, {});
}

async function vectorsOf(file: TextFile, dimension: number | undefined, options: GloveOptions): Promise<WordVectors> {
  const [rows, skipped] = await readRows(file, dimension, options);
  const vocabulary = options.vocabulary ?? new Vocabulary(new Map([...rows.words.keys()].map((word) => [word, 0])));
  const { size } = vocabulary;
  const lacking: number[] = [];
  let tokens = 0;
  for (let id = 1; id < size; id++) {
    if (rows.has[id] === 1) tokens += vocabulary.counts[id]!;
    else lacking.push(id);
  }
  const missing = Int32Array.from(lacking);
  if (options.missing === 'normal') drawRows(rows, missing, options);
  return {
    vocabulary,
    dimension: rows.dimension,
    vectors: rows.values.subarray(0, size * rows.dimension),
    shape: [size, rows.dimension],
    coverage: {
      types: { found: size - 1 - missing.length, total: size - 1 },
      tokens: { found: tokens, total: vocabulary.seen.tokens },
    },
    missing,
    skipped,
    file: nameOf(file),
  };
}
