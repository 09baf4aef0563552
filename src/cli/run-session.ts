// What runs on the command line share: how they are shown, the signals that stop them, and the way from a folder to a report.
import { SelfnormError } from '../errors.js';
import { Interrupted, type Experiment } from '../experiments/experiment.js';
import type { RunFolder } from '../experiments/run-folder.js';
import type { Report } from '../report/report.js';
import type { WrittenReport } from '../report/write.js';
import { barDisplay, jsonDisplay, plainDisplay, type Display } from './progress.js';
import type { Flags } from './run-flags.js';

/** Ended by Ctrl-C, as shells count it: 128 + SIGINT. */
export const EXIT_INTERRUPTED = 130;

/** A run in front of somebody. */
export interface Session {
  readonly display: Display;
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** Says something: an object for machines, text for people. */
  say(fields: { event: string; [field: string]: unknown }, text: string): void;
  /** Says what went wrong, in one line. `fields` go into the object for machines. */
  complain(error: SelfnormError, fields?: Readonly<Record<string, string>>): void;
}

function chooseDisplay(json: boolean): Display {
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  if (json) return jsonDisplay(write);
  return process.stdout.isTTY ? barDisplay(process.stdout) : plainDisplay(write);
}

/** Aborts on the first Ctrl-C or SIGTERM; the second ends the process at once. */
function listenForSignals(stopping: () => void): { signal: AbortSignal; close(): void } {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(EXIT_INTERRUPTED);
    controller.abort();
    stopping();
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return { signal: controller.signal, close: () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal) };
}

/** Does something in a session. @returns What it gives, or 1 where it fails with an error of the library's. */
export async function inSession(flags: Flags, work: (session: Session) => Promise<number>): Promise<number> {
  const isForMachines = flags.json === true;
  const display = chooseDisplay(isForMachines);
  const say: Session['say'] = (fields, text) => {
    process.stdout.write(`${isForMachines ? JSON.stringify(fields) : text}\n`);
  };
  const complain: Session['complain'] = (error, fields = {}) => {
    display.close();
    if (isForMachines) say({ event: 'error', ...fields, code: error.code, message: error.message }, '');
    process.stderr.write(`selfnorm: ${error.message}\n`);
  };
  const signals = listenForSignals(() => {
    display.close();
    process.stderr.write('stopping after this batch; again to stop at once\n');
  });
  try {
    return await work({ display, say, complain, signal: signals.signal });
  } catch (error) {
    display.close();
    if (!(error instanceof SelfnormError)) throw error;
    complain(error);
    return 1;
  } finally {
    signals.close();
  }
}

/** Runs an experiment in its folder, from where it stands there, and writes its report. @throws Interrupted with all saved. */
export async function carryOut(
  experiment: Experiment,
  folder: RunFolder,
  data: string | undefined,
  { display, signal }: Session,
): Promise<WrittenReport & { readonly report: Report }> {
  try {
    const run = await experiment.load();
    const { settings } = folder;
    const report = await run({ settings, data, folder, signal, tell: (event) => display.show(event) });
    const { writeReport } = await import('../report/write.js');
    const written = await writeReport(folder.path, report);
    folder.finish();
    return { ...written, report };
  } catch (error) {
    if (error instanceof Interrupted) folder.save();
    throw error;
  } finally {
    display.close();
  }
}
