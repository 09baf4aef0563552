// The logs of every epoch as a table on disk. The file is a well-formed table at any moment: a row is added by one write, what is
// more than a row replaces the file whole, and a row that a dying process left unfinished is taken away when logging goes on.
import { parse } from 'csv-parse/sync';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { failure, invalid, SelfnormError } from '../errors.js';
import { reasonOf, writeAtomically } from '../files/write-atomically.js';
import { Callback, type CallbackState, type Logs } from './callback.js';

const OP = 'callbacks.csvLogger';
const EPOCH = 'epoch';
/** What stands where an epoch has no such log; Keras's. */
const MISSING = 'NA';

/** Options of callbacks.csvLogger. */
export interface CsvLoggerConfig {
  /** The file; its folder is made. */
  filename: string;
  /**
   * Whether to go on with a file that is there (default false: it is replaced). A training that goes on, with `initialEpoch` or a
   * restored state, writes the rows of its epochs anew where they are there already.
   */
  append?: boolean;
  /** The one character between fields (default ','). */
  separator?: string;
}

interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** The rows before those of a training that begins with epoch `first`: the last ones that it will write again are left out. */
function rowsBefore(first: number, rows: Table['rows']): Table['rows'] {
  let kept = rows.length;
  for (let behind = Infinity; kept > 0; kept--) {
    const epoch = Number(rows[kept - 1]![0]);
    // Epochs that fall from one row to the next belong to another training.
    if (!(epoch >= first && epoch < behind)) break;
    behind = epoch;
  }
  return rows.slice(0, kept);
}

/** Writes a table of the epochs' logs. */
export class CsvLogger extends Callback {
  override readonly onFirstRank = true;
  private readonly filename: string;
  private readonly append: boolean;
  private readonly separator: string;
  /** The columns of the file as it stands; null before the first row. */
  private columns: readonly string[] | null = null;
  private resumed = false;

  constructor({ filename, append = false, separator = ',' }: CsvLoggerConfig) {
    super();
    if (typeof filename !== 'string' || filename === '') {
      throw invalid('ERR_ARGUMENT', OP, 'filename', 'a path', filename);
    }
    if (typeof append !== 'boolean') throw invalid('ERR_ARGUMENT', OP, 'append', 'a boolean', append);
    if (typeof separator !== 'string' || !/^[^\w"\r\n.+-]$/.test(separator)) {
      const expected = 'one character that is in no number, no quote and no end of a line';
      throw invalid('ERR_ARGUMENT', OP, 'separator', expected, separator);
    }
    this.filename = filename;
    this.append = append;
    this.separator = separator;
  }

  override onTrainBegin(): void {
    const first = Number(this.params['initialEpoch'] ?? 0);
    const goesOn = this.resumed || first > 0;
    this.resumed = false;
    this.columns = null;
    this.attempt(() => {
      mkdirSync(dirname(this.filename), { recursive: true });
      accessSync(dirname(this.filename), constants.W_OK);
      if (statSync(this.filename, { throwIfNoEntry: false })?.isDirectory()) {
        throw Object.assign(new Error(), { code: 'EISDIR' });
      }
      if (!this.append || !existsSync(this.filename)) return;
      const { table, whole } = this.read();
      if (table === null) return;
      this.columns = table.columns;
      const rows = goesOn ? rowsBefore(first, table.rows) : table.rows;
      if (!whole || rows.length < table.rows.length) this.replace({ ...table, rows });
    });
  }

  override onEpochEnd(epoch: number, logs: Logs = {}): void {
    // It ends again when training goes on.
    if (this.brokenOff) return;
    this.attempt(() => {
      const names = Object.keys(logs).sort();
      const columns = this.columns ?? [EPOCH, ...names];
      const added = names.filter((name) => !columns.includes(name));
      const wide = [...columns, ...added];
      const row = wide.map((name) => (name === EPOCH ? String(epoch) : String(logs[name] ?? MISSING)));
      if (this.columns === null || !existsSync(this.filename)) this.replace({ columns: wide, rows: [row] });
      else if (added.length === 0) this.addRow(row);
      else {
        const rows = this.read().table?.rows ?? [];
        this.replace({ columns: wide, rows: [...rows.map((old) => [...old, ...added.map(() => MISSING)]), row] });
      }
      this.columns = wide;
    });
  }

  override getState(): CallbackState {
    return { values: {}, tensors: [] };
  }
  override setState(): void {
    this.resumed = true;
  }

  /** The table that the file has, null for none, and whether its last line is whole. */
  private read(): { table: Table | null; whole: boolean } {
    const text = readFileSync(this.filename, 'utf8');
    const lines = text.slice(0, text.lastIndexOf('\n') + 1);
    const lists: string[][] = parse(lines, { delimiter: this.separator });
    const [columns, ...rows] = lists;
    if (columns === undefined) return { table: null, whole: false };
    if (columns[0] !== EPOCH) {
      const fix = 'name another file, or leave append out to replace it';
      const what = `${this.filename}: line 1: expected a table whose first column is epoch, got "${columns[0]}"; ${fix}`;
      throw failure('ERR_FILE_FORMAT', OP, what);
    }
    return { table: { columns, rows }, whole: lines.length === text.length };
  }

  private line(fields: readonly string[]): string {
    const quoted = (field: string): string =>
      field.includes(this.separator) || /["\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
    return `${fields.map(quoted).join(this.separator)}\n`;
  }

  private replace({ columns, rows }: Table): void {
    writeAtomically(this.filename, [columns, ...rows].map((row) => this.line(row)).join(''));
  }

  /** Adds a row by one write; where the disk takes a part of it, the part is taken back. */
  private addRow(row: readonly string[]): void {
    const file = openSync(this.filename, 'r+');
    try {
      const { size } = fstatSync(file);
      const bytes = Buffer.from(this.line(row));
      try {
        if (writeSync(file, bytes, 0, bytes.length, size) === bytes.length) return;
        throw Object.assign(new Error(), { code: 'ENOSPC' });
      } catch (error) {
        ftruncateSync(file, size);
        throw error;
      }
    } finally {
      closeSync(file);
    }
  }

  private attempt(body: () => void): void {
    try {
      body();
    } catch (error) {
      if (error instanceof SelfnormError) throw error;
      throw failure('ERR_FILE_FORMAT', OP, `${this.filename}: ${reasonOf(error)}`);
    }
  }
}

/**
 * Writes the logs of every epoch as a row of a CSV file: `epoch` (from 0), then the logs by name, `NA` where an epoch has none. A log
 * that comes up later gets a column of its own. An epoch that was broken off has no row.
 * @example sn.callbacks.csvLogger({filename: 'run/log.csv', append: true})
 * @throws ArgumentError for a bad option; from fit, FileFormatError when the file cannot be written, or `append` finds another file.
 */
export function csvLogger(config: CsvLoggerConfig): CsvLogger {
  return new CsvLogger(config);
}
