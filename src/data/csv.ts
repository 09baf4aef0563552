// Comma-separated values as a data set: read as a stream, so that a file may be larger than memory. csv-parse does the grammar
// (RFC 4180: quotes, line ends inside them); here columns get their names and values their types.
import { parse, CsvError, type Parser } from 'csv-parse';
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { pipeline, Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { failure, invalid, show, type SelfnormError } from '../errors.js';
import { Dataset } from './dataset.js';
import { BadRecords, checkPolicy, type BadRecordOptions } from './files/bad-records.js';
import { reasonOf } from './files/file-contents.js';

/** What a cell of a table may hold; undefined where it is empty and nothing is its default. */
export type CsvValue = number | boolean | string | undefined;
/** Values by column name. */
export type CsvRow = Record<string, CsvValue>;
/** A row; where columns are labels, the others in `xs` and those in `ys`. */
export type CsvElement = CsvRow | { xs: CsvRow; ys: CsvRow };

const DTYPES = ['float32', 'int32', 'bool', 'string'] as const;

/** What to do with a column. */
export interface CsvColumn {
  /** An empty field is an error, unless there is a default. */
  readonly required?: boolean;
  /** Default: a number where the field is one, else true or false where it is one, else text. */
  readonly dtype?: (typeof DTYPES)[number];
  /** Value of an empty field; without it, undefined. */
  readonly default?: CsvValue;
  /** The column is a label: elements become `{xs, ys}`. */
  readonly isLabel?: boolean;
}

/** Options of `data.csv`, as in tfjs. */
export interface CsvConfig extends BadRecordOptions {
  /** Whether the first line names the columns; default true. */
  readonly hasHeader?: boolean;
  /** Names of the columns; needed without a header, and replacing it otherwise. */
  readonly columnNames?: readonly string[];
  readonly columnConfigs?: Readonly<Record<string, CsvColumn>>;
  /** Whether only columns with a config are read; default false. */
  readonly configuredColumnsOnly?: boolean;
  /** What parts the fields; default ','. */
  readonly delimiter?: string;
}

interface Line {
  readonly record: string[];
  readonly info: { readonly lines: number };
}

/** Rows of a CSV file. `columnNames()` gives the names of its columns. */
export class CsvDataset extends Dataset<CsvElement> {
  readonly #names: () => Promise<string[]>;

  constructor(source: string, config: CsvConfig = {}) {
    checkConfig(config);
    super(() => rows(source, config), null);
    this.#names = async () => {
      const parser = await parserOf(source, config);
      try {
        const first = await firstLine(parser, source);
        return columnsOf(source, config, first);
      } finally {
        parser.destroy();
      }
    };
  }

  /** Names of the columns, in the order of the file. */
  columnNames(): Promise<string[]> {
    return this.#names();
  }
}

/**
 * A data set of the rows of a CSV file, each an object of its values by column name.
 * @param source Path of a file, or a file:, http: or https: address.
 * @throws FileFormatError naming the file, the line and the column when the file is iterated.
 */
export function csv(source: string, config: CsvConfig = {}): CsvDataset {
  if (typeof source !== 'string' || source === '') {
    throw invalid('ERR_ARGUMENT', 'data.csv', 'source', 'a path or an address', source);
  }
  return new CsvDataset(source, config);
}

function checkConfig({
  hasHeader = true,
  columnNames,
  columnConfigs = {},
  delimiter = ',',
  onBadRecord,
}: CsvConfig): void {
  if (!hasHeader && columnNames === undefined) {
    throw invalid('ERR_ARGUMENT', 'data.csv', 'columnNames', 'names, where hasHeader is false', columnNames);
  }
  if (typeof delimiter !== 'string' || delimiter.length === 0) {
    throw invalid('ERR_ARGUMENT', 'data.csv', 'delimiter', 'at least one character', delimiter);
  }
  checkPolicy('data.csv', onBadRecord);
  for (const [name, { dtype }] of Object.entries(columnConfigs)) {
    if (dtype === undefined || DTYPES.includes(dtype)) continue;
    throw invalid('ERR_ARGUMENT', 'data.csv', `columnConfigs.${name}.dtype`, `one of ${DTYPES.join(', ')}`, dtype);
  }
}

async function open(source: string): Promise<Readable> {
  if (/^https?:/.test(source)) {
    const response = await fetch(source);
    if (!response.ok || response.body === null) throw new Error(`HTTP status ${response.status}`);
    return Readable.fromWeb(response.body);
  }
  return createReadStream(source.startsWith('file:') ? fileURLToPath(source) : source);
}

async function parserOf(source: string, { delimiter = ',' }: CsvConfig): Promise<Parser> {
  const parser = parse({ bom: true, delimiter, info: true, skip_empty_lines: true, relax_column_count: true });
  try {
    // The parser passes an error of the stream on to its reader.
    pipeline(await open(source), parser, () => undefined);
  } catch (error) {
    throw unreadable(source, error);
  }
  return parser;
}

function unreadable(source: string, error: unknown): SelfnormError {
  if (error instanceof CsvError) {
    const line = typeof error['lines'] === 'number' ? `:${error['lines']}` : '';
    return failure('ERR_FILE_FORMAT', 'data.csv', `${nameOf(source)}${line}: ${error.message}`);
  }
  return failure('ERR_ARGUMENT', 'data.csv', `${source}: cannot be read: ${reasonOf(error)}`);
}

const nameOf = (source: string): string => basename(source);

async function firstLine(parser: Parser, source: string): Promise<string[]> {
  try {
    for await (const line of parser) return (line as Line).record;
  } catch (error) {
    throw unreadable(source, error);
  }
  return [];
}

function columnsOf(source: string, { hasHeader = true, columnNames }: CsvConfig, first: readonly string[]): string[] {
  if (hasHeader && first.length === 0)
    throw failure('ERR_FILE_FORMAT', 'data.csv', `${nameOf(source)}:1: expected column names, got an empty file`);
  const names = [...(columnNames ?? first)];
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    throw failure(
      'ERR_FILE_FORMAT',
      'data.csv',
      `${nameOf(source)}:1: expected column names that differ, got ${show(twice)} twice`,
    );
  }
  if (hasHeader && first.length !== names.length) {
    throw failure(
      'ERR_ARGUMENT',
      'data.csv',
      `columnNames: expected ${first.length} names, as the header has, got ${names.length}`,
    );
  }
  return names;
}

async function* rows(source: string, config: CsvConfig): AsyncGenerator<CsvElement> {
  const { hasHeader = true, columnConfigs = {}, configuredColumnsOnly = false } = config;
  const parser = await parserOf(source, config);
  const hasLabels = Object.values(columnConfigs).some(({ isLabel }) => isLabel === true);
  const bad = new BadRecords('data.csv', config.onBadRecord);
  let names: string[] | undefined;
  try {
    for await (const { record, info } of parser as AsyncIterable<Line>) {
      if (names === undefined) {
        names = columnsOf(source, config, record);
        const unknown = Object.keys(columnConfigs).find((name) => !names!.includes(name));
        if (unknown !== undefined) {
          throw invalid(
            'ERR_ARGUMENT',
            'data.csv',
            'columnConfigs',
            `columns of the file (${names.join(', ')})`,
            unknown,
          );
        }
        if (hasHeader) continue;
      }
      const row = rowOf(record, names, columnConfigs, configuredColumnsOnly);
      if (typeof row === 'string') bad.add(nameOf(source), info.lines, row);
      else yield hasLabels ? row : row.xs;
    }
    bad.warn();
    // An empty file has no header either.
    if (names === undefined && hasHeader) columnsOf(source, config, []);
  } catch (error) {
    throw error instanceof CsvError || (error instanceof Error && 'syscall' in error)
      ? unreadable(source, error)
      : error;
  } finally {
    parser.destroy();
  }
}

function numberIn(field: string): number | undefined {
  const value = field.trim() === '' ? NaN : Number(field);
  return Number.isNaN(value) && field.trim() !== 'NaN' ? undefined : value;
}

function booleanIn(field: string): boolean | undefined {
  const word = field.trim().toLowerCase();
  if (word === 'true' || word === '1') return true;
  return word === 'false' || word === '0' ? false : undefined;
}

/** What is wrong with a row's field. */
class BadField extends Error {}

/** A row's values, or what is wrong with it. */
function rowOf(
  record: readonly string[],
  names: readonly string[],
  columnConfigs: Readonly<Record<string, CsvColumn>>,
  configuredColumnsOnly: boolean,
): { xs: CsvRow; ys: CsvRow } | string {
  if (record.length !== names.length) return `expected ${names.length} fields, got ${record.length}`;
  const row: { xs: CsvRow; ys: CsvRow } = { xs: {}, ys: {} };
  for (const [i, name] of names.entries()) {
    const column = columnConfigs[name];
    if (column === undefined && configuredColumnsOnly) continue;
    try {
      row[column?.isLabel === true ? 'ys' : 'xs'][name] = valueOf(record[i]!, column ?? {});
    } catch (error) {
      if (error instanceof BadField) return `column ${show(name)}: ${error.message}`;
      throw error;
    }
  }
  return row;
}

function valueOf(field: string, { dtype, required, default: missing }: CsvColumn): CsvValue {
  const wrong = (expected: string): BadField => new BadField(`expected ${expected}, got ${show(field)}`);
  if (field === '') {
    if (missing === undefined && required === true) throw wrong('a value');
    return missing;
  }
  if (dtype === 'string') return field;
  if (dtype === 'bool') {
    const value = booleanIn(field);
    if (value === undefined) throw wrong('true or false');
    return value;
  }
  const value = numberIn(field);
  if (dtype === undefined) return value ?? (/^\s*(true|false)\s*$/i.test(field) ? booleanIn(field) : field);
  if (value === undefined) throw wrong('a number');
  if (dtype === 'int32' && (value | 0) !== value) throw wrong('an integer of 32 bits');
  return value;
}
