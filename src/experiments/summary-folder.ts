// The folder of a run of all experiments: a folder for each, and index.json with index.html, written anew after each of them, so
// that what is done can be read while the rest runs, and a run that is killed goes on from here.
import { existsSync, readFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { failure, invalid } from '../errors.js';
import { reasonOf, writeAtomically, writeTogether } from '../files/write-atomically.js';
import type { Environment } from '../report/environment.js';
import type { Report } from '../report/report.js';
import { excerptOf, type Summary, type SummaryEntry } from '../report/summary.js';
import { version } from '../version.js';
import { commandOf } from './command.js';
import type { Experiment, RunSettings } from './experiment.js';
import { openForWriting, RunFolder } from './run-folder.js';

/** The name of a run of all experiments, in settings and on the command line. */
export const ALL = 'all';

const INDEX = 'index.json';

/** index.json */
type SummaryFile = Summary & { readonly selfnorm: string; readonly settings: RunSettings };

/** The folder that a run of all experiments writes into. */
export class SummaryFolder {
  private constructor(
    readonly path: string,
    private file: SummaryFile,
  ) {}

  /**
   * Makes the folder of a new run.
   * @throws SelfnormError when it cannot be written, or holds a run already: no run's results are ever overwritten.
   */
  static create(
    path: string,
    settings: RunSettings,
    experiments: readonly Experiment[],
    environment: Environment,
  ): SummaryFolder {
    const at = resolve(path);
    openForWriting(at);
    if (RunFolder.holdsRun(at) || existsSync(join(at, INDEX))) {
      const fix = 'go on with --resume, or name another folder';
      throw invalid('ERR_ARGUMENT', 'run', '--out', 'a new folder, or one without a run', path, fix);
    }
    const entries = experiments.map(({ name, document, sizes }): SummaryEntry => ({
      experiment: name,
      document,
      extent: sizes[settings.size],
      state: 'waiting',
      seconds: 0,
    }));
    const folder = new SummaryFolder(at, {
      selfnorm: version,
      settings,
      size: settings.size,
      command: commandOf(settings),
      environment,
      entries,
      started: new Date().toISOString(),
    });
    writeAtomically(join(at, INDEX), folder.text);
    return folder;
  }

  /** Opens the folder of a run to go on with it. @throws SelfnormError when there is none, or its file is damaged. */
  static resume(path: string): SummaryFolder {
    const at = resolve(path);
    const index = join(at, INDEX);
    if (!existsSync(index)) {
      const fix = 'name it with --out';
      throw invalid('ERR_ARGUMENT', 'run', '--resume', 'the folder of a run of all that was begun', path, fix);
    }
    const file = read(index);
    if (file.selfnorm !== version) {
      throw invalid('ERR_ARGUMENT', 'run', '--resume', `a run begun by selfnorm ${version}`, file.selfnorm);
    }
    return new SummaryFolder(at, file);
  }

  get settings(): RunSettings {
    return this.file.settings;
  }
  get summary(): Summary {
    return this.file;
  }
  /** Where an experiment's own run goes. */
  folderOf(experiment: string): string {
    return join(this.path, experiment);
  }

  /** Whether an experiment has its report already. */
  isDone(experiment: string): boolean {
    return this.file.entries.some((entry) => entry.experiment === experiment && entry.state === 'finished');
  }

  /** Takes what an experiment came to into the summary, and writes it. @returns The paths of the page and of its data. */
  async enter(
    experiment: string,
    outcome: { readonly report: Report; readonly html: string } | { readonly error: string; readonly seconds: number },
  ): Promise<{ html: string; json: string }> {
    const entries = this.file.entries.map((entry): SummaryEntry => {
      if (entry.experiment !== experiment) return entry;
      const { document, extent } = entry;
      const known = { experiment, document, extent };
      if ('error' in outcome) return { ...known, ...outcome, state: 'failed' };
      const { report, html } = outcome;
      // As an address, on Windows too.
      const page = `${experiment}/${basename(relative(this.path, html))}`;
      return { ...known, state: 'finished', report: excerptOf(report, page), seconds: report.seconds };
    });
    const isOver = entries.every(({ state }) => state !== 'waiting');
    this.file = { ...this.file, entries, ...(isOver ? { finished: new Date().toISOString() } : {}) };
    return this.write();
  }

  /** Writes the page and its data. */
  async write(): Promise<{ html: string; json: string }> {
    const { renderSummary } = await import('../report/summary-page.js');
    const [html, json] = [join(this.path, 'index.html'), join(this.path, INDEX)];
    writeTogether([
      { path: html, content: renderSummary(this.file) },
      { path: json, content: this.text },
    ]);
    return { html, json };
  }

  private get text(): string {
    return `${JSON.stringify(this.file, null, 2)}\n`;
  }
}

function read(path: string): SummaryFile {
  let file: Partial<SummaryFile> | null;
  try {
    file = JSON.parse(readFileSync(path, 'utf8')) as Partial<SummaryFile> | null;
  } catch (error) {
    throw failure('ERR_FILE_FORMAT', 'run', `${path}: not readable as JSON: ${reasonOf(error)}`);
  }
  if (file?.settings?.experiment !== ALL || !Array.isArray(file.entries)) {
    throw failure('ERR_FILE_FORMAT', 'run', `${path}: not the file of a run of all experiments`);
  }
  return file as SummaryFile;
}
