// The beginning and the end that every experiment's run has: what it tells first, and what its report says of the run itself.
import { describeEnvironment } from '../report/environment.js';
import type { Report } from '../report/report.js';
import { commandOf } from './command.js';
import type { RunContext } from './experiment.js';

/** Tells that the run begins, and how much of it is done. */
export function tellRun({ settings, folder, tell }: RunContext, trials: readonly { readonly name: string }[]): void {
  const finished = trials.filter(({ name }) => folder.record(name) !== undefined).length;
  tell({ event: 'run', settings, folder: folder.path, trials: trials.length, finished });
}

/** The report of a run that has just ended. */
export function reportOf(
  { settings, folder }: RunContext,
  contents: Pick<Report, 'title' | 'document' | 'findings' | 'sections' | 'claims' | 'runs' | 'settings'>,
): Report {
  return {
    ...contents,
    experiment: settings.experiment,
    command: commandOf(settings),
    settings: { Size: settings.size, ...contents.settings },
    environment: describeEnvironment(),
    started: folder.started,
    finished: new Date().toISOString(),
    seconds: folder.seconds,
  };
}
