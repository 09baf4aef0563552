// `selfnorm run <experiment>`: a folder, the run, and what the exit code says.
import { Interrupted, type Experiment } from '../experiments/experiment.js';
import { RunFolder } from '../experiments/run-folder.js';
import { formatDuration } from '../report/duration.js';
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
import { carryOut, EXIT_INTERRUPTED, inSession } from './run-session.js';

/** The folder of a new run, or of the one to go on with. Sets the device. */
async function openFolder({ name }: Experiment, flags: Flags): Promise<RunFolder> {
  const base = `${name}-${sizeOf(flags)}`;
  if (flags.resume === true) {
    const folder = RunFolder.resume(flags.out ?? lastFolder(base));
    checkSameSettings(flags, folder.settings, name);
    await chooseDevice(flags, folder.settings);
    return folder;
  }
  const device = await chooseDevice(flags);
  return RunFolder.create(flags.out ?? freeFolder(base), settingsOf(name, flags, device));
}

/** Runs an experiment. @returns The exit code: 0 on success, 1 on failure, 130 when interrupted. */
export function runOne(experiment: Experiment, flags: Flags): Promise<number> {
  return inSession(flags, async (session) => {
    const folder = await openFolder(experiment, flags);
    try {
      const { report, html, json } = await carryOut(experiment, folder, flags.data, session);
      const { seconds, findings } = report;
      const text = `${findings.join('\n')}\nin ${formatDuration(seconds)}; the report: ${html}`;
      session.say({ event: 'report', html, json, seconds }, text);
      return 0;
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      const resume = resumeCommand(experiment.name, folder.path, flags);
      session.say({ event: 'interrupted', folder: folder.path, resume }, `interrupted; saved. To go on:\n  ${resume}`);
      return EXIT_INTERRUPTED;
    }
  });
}
