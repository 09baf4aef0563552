// The folder of a run: what was asked for (run.json), the record of every finished trial, the checkpoint of the one under way.
// Everything in it is written atomically, so a run that is killed at any moment can go on from its folder.
import { accessSync, constants, existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { failure, invalid } from '../errors.js';
import { reasonOf, writeAtomically } from '../files/write-atomically.js';
import type { RunRecord } from '../report/report.js';
import { version } from '../version.js';
import { parseExactly, stringifyExactly } from './exact-json.js';
import type { RunSettings } from './experiment.js';

/** run.json */
interface RunFile {
  readonly selfnorm: string;
  readonly settings: RunSettings;
  readonly started: string;
  /** Set once the report is written. */
  readonly finished?: string;
  /** Seconds spent, as far as the last save knows. */
  readonly seconds: number;
}

/** The folder that one run writes into. */
export class RunFolder {
  private readonly opened = performance.now();
  private readonly secondsBefore: number;

  private constructor(
    readonly path: string,
    private file: RunFile,
  ) {
    this.secondsBefore = file.seconds;
  }

  /**
   * Makes the folder of a new run.
   * @throws SelfnormError when it cannot be written, or holds a run already: no run's results are ever overwritten.
   */
  static create(path: string, settings: RunSettings): RunFolder {
    const at = resolve(path);
    openForWriting(at, join(at, 'trials'));
    if (RunFolder.holdsRun(at)) {
      const { finished } = readRunFile(at);
      const fix = finished === undefined ? 'go on with --resume, or name another folder' : 'name another folder';
      throw invalid('ERR_ARGUMENT', 'run', '--out', 'a new folder, or one without a run', path, fix);
    }
    const folder = new RunFolder(at, { selfnorm: version, settings, started: new Date().toISOString(), seconds: 0 });
    folder.save();
    return folder;
  }

  /** Opens the folder of a run to go on with it. @throws SelfnormError when there is none, or its file is damaged. */
  static resume(path: string): RunFolder {
    const at = resolve(path);
    if (!RunFolder.holdsRun(at)) {
      throw invalid(
        'ERR_ARGUMENT',
        'run',
        '--resume',
        'the folder of a run that was begun',
        path,
        'name it with --out',
      );
    }
    const file = readRunFile(at);
    if (file.selfnorm !== version) {
      throw invalid('ERR_ARGUMENT', 'run', '--resume', `a run begun by selfnorm ${version}`, file.selfnorm);
    }
    const folder = new RunFolder(at, file);
    folder.save();
    return folder;
  }

  static holdsRun(path: string): boolean {
    return existsSync(join(path, 'run.json'));
  }

  get settings(): RunSettings {
    return this.file.settings;
  }
  get started(): string {
    return this.file.started;
  }
  get isFinished(): boolean {
    return this.file.finished !== undefined;
  }
  /** Seconds spent on the run, those before an interruption included. */
  get seconds(): number {
    return this.secondsBefore + (performance.now() - this.opened) / 1000;
  }

  /** Where the trial under way keeps its checkpoint; the file need not exist. */
  checkpoint(trial: string): string {
    return join(this.path, 'trials', `${trial}.checkpoint.safetensors`);
  }

  /** The record of a trial, if it is finished. */
  record(trial: string): RunRecord | undefined {
    const path = this.recordPath(trial);
    return existsSync(path) ? (parse(path) as RunRecord) : undefined;
  }

  /** Keeps the record of a finished trial; its checkpoint is then no longer needed. */
  finishTrial(record: RunRecord): void {
    writeAtomically(this.recordPath(record.name), `${stringifyExactly(record, 1)}\n`);
    rmSync(this.checkpoint(record.name), { force: true });
    this.save();
  }

  /** Writes down the time spent so far. */
  save(): void {
    this.file = { ...this.file, seconds: this.seconds };
    writeAtomically(join(this.path, 'run.json'), `${JSON.stringify(this.file, null, 2)}\n`);
  }

  /** Marks the run as finished: its report is written. Removes what a killed process left half written. */
  finish(): void {
    if (this.isFinished) return;
    this.file = { ...this.file, finished: new Date().toISOString() };
    this.save();
    for (const folder of [this.path, join(this.path, 'trials')]) {
      for (const name of readdirSync(folder)) {
        if (/^\..*\.part$/.test(name)) rmSync(join(folder, name), { force: true });
      }
    }
  }

  private recordPath(trial: string): string {
    return join(this.path, 'trials', `${trial}.json`);
  }
}

/** Makes a folder, and one inside it, and sees whether it can be written. @throws SelfnormError when it cannot. */
export function openForWriting(at: string, inner = at): void {
  try {
    makeFolders(inner);
    accessSync(at, constants.W_OK);
  } catch (error) {
    throw failure('ERR_ARGUMENT', 'run', `--out: cannot write to ${at}: ${reasonOf(error)}`);
  }
}

/** One by one: Node's recursive mkdir never returns where the system refuses a folder with ENOENT, as under /proc. */
function makeFolders(path: string): void {
  if (existsSync(path)) return;
  makeFolders(dirname(path));
  mkdirSync(path);
}

function parse(path: string): unknown {
  try {
    return parseExactly(readFileSync(path, 'utf8'));
  } catch (error) {
    throw failure('ERR_FILE_FORMAT', 'run', `${path}: not readable as JSON: ${reasonOf(error)}`);
  }
}

function readRunFile(folder: string): RunFile {
  const path = join(folder, 'run.json');
  const file = parse(path) as Partial<RunFile> | null;
  if (typeof file?.settings?.experiment !== 'string' || typeof file.seconds !== 'number') {
    throw failure('ERR_FILE_FORMAT', 'run', `${path}: not the file of a run`);
  }
  return file as RunFile;
}
