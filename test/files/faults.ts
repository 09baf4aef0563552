// The test's side of faults.c: builds it, and tells it which call is to fail.
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Places in the control file, and how many calls it can name. */
const FIELDS = 32;
const MOST_CALLS = 1000;
const NEVER = 2 ** 40;

/** What happens to a call. */
export const FAULTS = {
  error: 0,
  shortWrite: 1,
  nothingWritten: 2,
  kill: 3,
} as const;

/** Builds the shim and its control file. @returns The environment of a process that is to meet the faults below `folder`. */
export function faultEnvironment(scratch: string, folder: string): Record<string, string> {
  const library = join(scratch, 'faults.so');
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, join(import.meta.dirname, 'faults.c'), '-ldl']);
  const control = join(scratch, 'control');
  writeFileSync(control, new Uint8Array(FIELDS + MOST_CALLS));
  return { LD_PRELOAD: library, FAULTS_CONTROL: control, FAULTS_FOLDER: folder };
}

/** The control file of this process or of one it starts. */
export class Faults {
  readonly #file: number;

  constructor(control: string) {
    this.#file = openSync(control, 'r+');
    this.off();
  }

  /** Of the calls from now on, number `first` and those behind it fail, `count` in all. */
  arm(first: number, count: number, kind: keyof typeof FAULTS, errno = 0): void {
    const fields = BigInt64Array.of(BigInt(first), BigInt(count), BigInt(FAULTS[kind] + errno * 2 ** 16), 0n);
    writeSync(this.#file, new Uint8Array(fields.buffer), 0, FIELDS, 0);
  }

  off(): void {
    this.arm(NEVER, 0, 'error');
  }

  /** The calls since the last `arm`, a letter each: o and r open for writing and reading, w writes, s flushes, m renames. */
  calls(): string {
    const bytes = Buffer.alloc(FIELDS + MOST_CALLS);
    readSync(this.#file, bytes, 0, bytes.length, 0);
    return bytes.toString('latin1', FIELDS, FIELDS + Math.min(MOST_CALLS, Number(bytes.readBigInt64LE(24))));
  }

  close(): void {
    closeSync(this.#file);
  }
}
