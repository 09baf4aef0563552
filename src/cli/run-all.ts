// `selfnorm run all`: one experiment after the other, each in a folder of its own, and a page that sums them up. One that fails
// is shown there and does not stop the others.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { failure, SelfnormError } from '../errors.js';
import { Interrupted, type Experiment, type RunSettings } from '../experiments/experiment.js';
import { RunFolder } from '../experiments/run-folder.js';
import { ALL, SummaryFolder } from '../experiments/summary-folder.js';
import { formatDuration } from '../report/duration.js';
import type { Report } from '../report/report.js';
import { claimsOf, countVerdicts, secondsOf, sumUp } from '../report/summary.js';
import {
  checkSameSettings,
  chooseDevice,
  freeFolder,
  lastFolder,
  resumeCommand,
  settingsOf,
  sizeOf,
  type Flags,
} from './run-flags.js';
import { carryOut, EXIT_INTERRUPTED, inSession, type Session } from './run-session.js';

/** The folder of a new run, or of the one to go on with. Sets the device. */
async function openFolder(experiments: readonly Experiment[], flags: Flags): Promise<SummaryFolder> {
  const base = `${ALL}-${sizeOf(flags)}`;
  if (flags.resume === true) {
    const folder = SummaryFolder.resume(flags.out ?? lastFolder(base));
    checkSameSettings(flags, folder.settings, ALL);
    await chooseDevice(flags, folder.settings);
    return folder;
  }
  const settings = settingsOf(ALL, flags, await chooseDevice(flags));
  const { describeEnvironment } = await import('../report/environment.js');
  return SummaryFolder.create(flags.out ?? freeFolder(base), settings, experiments, describeEnvironment());
}

/** The settings of an experiment: those of the run of all, without options that it does not take. */
function settingsFor({ name, options }: Experiment, all: RunSettings): RunSettings {
  const { epochs, steps, seeds, limit, size, seed, device } = all;
  const given = Object.entries({ epochs, steps, seeds, limit }).filter(
    ([option, value]) => value !== undefined && options.some((taken) => taken === option),
  );
  return { experiment: name, size, seed, device, ...(Object.fromEntries(given) as Partial<RunSettings>) };
}

interface Outcome {
  readonly report: Report;
  readonly html: string;
  readonly json: string;
}

/** An experiment whose report was written before, though the summary does not know of it: the process was killed in between. */
function writtenBefore(folder: RunFolder): Outcome | undefined {
  const [html, json] = [join(folder.path, 'report.html'), join(folder.path, 'report.json')];
  if (!folder.isFinished || !existsSync(html) || !existsSync(json)) return undefined;
  return { html, json, report: JSON.parse(readFileSync(json, 'utf8')) as Report };
}

async function runIn(all: SummaryFolder, experiment: Experiment, flags: Flags, session: Session): Promise<Outcome> {
  const { name, options } = experiment;
  const path = all.folderOf(name);
  const folder = RunFolder.holdsRun(path)
    ? RunFolder.resume(path)
    : RunFolder.create(path, settingsFor(experiment, all.settings));
  return (
    writtenBefore(folder) ??
    (await carryOut(experiment, folder, options.includes('data') ? flags.data : undefined, session))
  );
}

/** Runs an experiment and enters what came of it. @returns Whether it succeeded. @throws Interrupted */
async function runNext(all: SummaryFolder, experiment: Experiment, flags: Flags, session: Session): Promise<boolean> {
  const { name } = experiment;
  const begun = performance.now();
  try {
    const outcome = await runIn(all, experiment, flags, session);
    const { report, html, json } = outcome;
    await all.enter(name, outcome);
    const text = `${report.findings.join('\n')}\nin ${formatDuration(report.seconds)}; the report: ${html}\n`;
    session.say({ event: 'report', experiment: name, html, json, seconds: report.seconds }, text);
    return true;
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    const known = error instanceof SelfnormError;
    // What is not the library's own is a fault in the experiment: its place helps whoever mends it.
    if (!known) process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    const shown = known ? error : failure('ERR_INTERNAL', name, error instanceof Error ? error.message : String(error));
    session.complain(shown, { experiment: name });
    await all.enter(name, { error: shown.message, seconds: (performance.now() - begun) / 1000 });
    return false;
  }
}

/** Says how it all came out. */
async function conclude(all: SummaryFolder, failed: readonly string[], session: Session): Promise<void> {
  const { html, json } = await all.write();
  const { summary } = all;
  const seconds = secondsOf(summary);
  const claims = countVerdicts(claimsOf(summary));
  const text = `${sumUp(summary).join('\n')}\nin ${formatDuration(seconds)}; all of it: ${html}`;
  session.say({ event: 'summary', html, json, seconds, claims, failed }, text);
}

/**
 * Runs experiments one after the other.
 * @returns The exit code: 0 when all succeeded, 1 when one failed, 130 when interrupted.
 */
export function runAll(experiments: readonly Experiment[], flags: Flags): Promise<number> {
  return inSession(flags, async (session) => {
    const all = await openFolder(experiments, flags);
    const failed: string[] = [];
    try {
      for (const experiment of experiments) {
        if (all.isDone(experiment.name)) continue;
        if (session.signal.aborted) throw new Interrupted();
        if (!(await runNext(all, experiment, flags, session))) failed.push(experiment.name);
      }
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      const { html } = await all.write();
      const resume = resumeCommand(ALL, all.path, flags);
      const text = `interrupted; saved. So far: ${html}\nTo go on:\n  ${resume}`;
      session.say({ event: 'interrupted', folder: all.path, resume }, text);
      return EXIT_INTERRUPTED;
    }
    await conclude(all, failed, session);
    return failed.length === 0 ? 0 : 1;
  });
}
