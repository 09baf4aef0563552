// What happens to a record that cannot be read or says what it must not: it ends the reading, or it is left out, counted and
// named. Every reader of records goes through here, so nothing is ever left out silently.
import { emitWarning } from 'node:process';
import { failure, invalid, type SelfnormError } from '../../errors.js';

/** `'error'`: the first bad record ends the reading; `'skip'`: bad records are left out, counted and named. */
export type OnBadRecord = 'error' | 'skip';

/** Option of everything that reads records. */
export interface BadRecordOptions {
  /** What to do with a record that is unreadable or wrong. Default `'error'`. */
  readonly onBadRecord?: OnBadRecord;
}

/** Where a bad record is and what is wrong with it. */
export interface BadRecord {
  readonly file: string;
  /** From 1; undefined where the file is one record, as an image is. */
  readonly line: number | undefined;
  readonly reason: string;
}

/** The records that were left out. */
export interface SkippedRecords {
  readonly count: number;
  /** The first of them, at most 100. */
  readonly first: readonly BadRecord[];
}

const MOST_NAMED = 100;

/** @throws ArgumentError for a policy that is none. */
export function checkPolicy(op: string, onBadRecord: OnBadRecord = 'error'): void {
  if (onBadRecord === 'error' || onBadRecord === 'skip') return;
  throw invalid('ERR_ARGUMENT', op, 'onBadRecord', "'error' or 'skip'", onBadRecord);
}

/** The bad records of one reading. */
export class BadRecords implements SkippedRecords {
  readonly #op: string;
  readonly #policy: OnBadRecord;
  readonly #met = new Set<string>();
  readonly first: BadRecord[] = [];
  count = 0;

  /** @throws ArgumentError for a policy that is none. */
  constructor(op: string, onBadRecord: OnBadRecord = 'error') {
    checkPolicy(op, onBadRecord);
    this.#op = op;
    this.#policy = onBadRecord;
  }

  /**
   * Leaves a record out.
   * @throws FileFormatError naming file, line and reason, unless bad records are to be skipped.
   */
  add(file: string, line: number | undefined, reason: string): void {
    if (this.#policy === 'error') throw this.fault(file, line, reason);
    this.count++;
    if (this.first.length < MOST_NAMED) this.first.push({ file, line, reason });
  }

  /** As `add`, for a file that is one record and may be met again in a later pass: it counts once. */
  addOnce(file: string, reason: string): void {
    if (this.#met.has(file)) return;
    this.add(file, undefined, reason);
    this.#met.add(file);
  }

  /** The error for a record. */
  fault(file: string, line: number | undefined, reason: string): SelfnormError {
    return failure('ERR_FILE_FORMAT', this.#op, `${place(file, line)}: ${reason}; onBadRecord: 'skip' leaves it out`);
  }

  /** Says, as a warning of the process, how many records were left out, if any were. */
  warn(): void {
    const [first] = this.first;
    if (first === undefined) return;
    const records = this.count === 1 ? '1 record' : `${this.count} records`;
    const text = `${this.#op}: left out ${records}, the first ${place(first.file, first.line)}: ${first.reason}`;
    emitWarning(text, { type: 'SelfnormWarning', code: 'SELFNORM_BAD_RECORD' });
  }
}

const place = (file: string, line: number | undefined): string => (line === undefined ? file : `${file}:${line}`);
