// `selfnorm run`: options to settings, a folder, signals, and what the exit code says. What is run lies in src/experiments.
import { InvalidArgumentError, Option, type Command } from 'commander';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { failure, invalid, SelfnormError } from '../errors.js';
import {
  Interrupted,
  type Experiment,
  type ExperimentOption,
  type RunSettings,
  type Size,
} from '../experiments/experiment.js';
import { EXPERIMENTS } from '../experiments/registry.js';
import { RunFolder } from '../experiments/run-folder.js';
import { formatDuration } from '../report/duration.js';
import { barDisplay, jsonDisplay, plainDisplay, type Display } from './progress.js';

/** Ended by Ctrl-C, as shells count it: 128 + SIGINT. */
const EXIT_INTERRUPTED = 130;
/** Where runs go that name no folder. */
const RUNS = 'runs';

interface Flags {
  quick?: boolean;
  full?: boolean;
  device?: string;
  epochs?: number;
  steps?: number;
  seed?: number;
  seeds?: number;
  limit?: number;
  out?: string;
  data?: string;
  json?: boolean;
  resume?: boolean;
}

/** A parser of whole numbers from `least` on, for commander. */
const wholeNumber =
  (least: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`Expected a whole number of at least ${least}`);
    }
    return value;
  };

/** Options that only some experiments take. */
const OPTIONS: Readonly<Record<ExperimentOption, () => Option>> = {
  epochs: () => new Option('--epochs <n>', 'train each configuration for so many epochs').argParser(wholeNumber(1)),
  steps: () => new Option('--steps <n>', 'take so many steps in each fit').argParser(wholeNumber(1)),
  seeds: () => new Option('--seeds <n>', 'how many seeds, counting up from the first').argParser(wholeNumber(1)),
  limit: () => new Option('--limit <n>', 'use only the first n training samples').argParser(wholeNumber(1)),
  data: () => new Option('--data <folder>', 'where the data set lies'),
};

/** Adds `run` with a subcommand for each experiment; `done` gets the exit code. */
export function addRunCommand(program: Command, done: (code: number) => void): void {
  const run = program
    .command('run')
    .description('run an experiment and write its report')
    .usage('<experiment> [options]');
  for (const experiment of EXPERIMENTS) {
    const { name, document, description, sizes, options } = experiment;
    const command = run
      .command(name)
      .description(`${description} (document ${document})`)
      .addOption(new Option('--quick', sizes.quick).conflicts('full'))
      .addOption(new Option('--full', `${sizes.full} (without either: ${sizes.default})`))
      .option('--device <name>', 'cpu, cuda or cuda:N; by default CUDA if it works')
      .option('--seed <n>', 'the first seed (default: 1)', wholeNumber(0));
    for (const option of options) command.addOption(OPTIONS[option]());
    command
      .option('--out <folder>', `where everything is written (default: the next free folder in ${RUNS}/)`)
      .option('--json', 'for machines: one JSON object a line')
      .option('--resume', 'go on with an interrupted run; with --out, the one in that folder')
      .action(async (flags: Flags) => done(await runExperiment(experiment, flags)));
  }
}

function sizeOf(flags: Flags): Size {
  if (flags.quick === true) return 'quick';
  return flags.full === true ? 'full' : 'default';
}

/** `runs/mnist-elu-quick-1`, ...: the first that is free. */
function freeFolder(base: string): string {
  for (let n = 1; ; n++) {
    const folder = join(RUNS, `${base}-${n}`);
    if (!existsSync(folder)) return folder;
  }
}

/** The folder to go on in when none is named: the last one that was begun. */
function lastFolder(base: string): string {
  let last: string | undefined;
  for (let n = 1; existsSync(join(RUNS, `${base}-${n}`)); n++) last = join(RUNS, `${base}-${n}`);
  if (last === undefined) {
    throw failure(
      'ERR_ARGUMENT',
      'run',
      `--resume: no run ${join(RUNS, `${base}-1`)} was begun here; name one with --out`,
    );
  }
  return last;
}

/** Refuses flags that would make the rest of a run another run. */
function checkSameSettings(flags: Flags, known: RunSettings, experiment: Experiment): void {
  if (known.experiment !== experiment.name) {
    throw invalid('ERR_ARGUMENT', 'run', '--resume', `a run of ${experiment.name}`, known.experiment);
  }
  const size = sizeOf(flags);
  if (size !== 'default' && size !== known.size) {
    throw invalid('ERR_ARGUMENT', 'run', `--${size}`, `the size of the run, ${known.size}`, size, 'leave it out');
  }
  for (const name of ['epochs', 'steps', 'seed', 'seeds', 'limit'] as const) {
    const given = flags[name];
    if (given !== undefined && given !== known[name]) {
      const had =
        known[name] === undefined ? 'none, as when the run was begun' : `${known[name]}, as when it was begun`;
      throw invalid('ERR_ARGUMENT', 'run', `--${name}`, had, given, 'leave it out');
    }
  }
}

/** The folder of a new run, or of the one to go on with. Sets the device. */
async function openFolder(experiment: Experiment, flags: Flags): Promise<RunFolder> {
  const { device, setDevice } = await import('../tensor/device.js');
  const size = sizeOf(flags);
  const base = `${experiment.name}-${size}`;
  if (flags.resume === true) {
    const folder = RunFolder.resume(flags.out ?? lastFolder(base));
    checkSameSettings(flags, folder.settings, experiment);
    setDevice(flags.device ?? folder.settings.device);
    if (device() !== folder.settings.device) {
      const fix = 'another device rounds differently; leave --device out';
      throw invalid('ERR_ARGUMENT', 'run', '--device', folder.settings.device, device(), fix);
    }
    return folder;
  }
  if (flags.device !== undefined) setDevice(flags.device);
  const { epochs, steps, seeds, limit } = flags;
  return RunFolder.create(flags.out ?? freeFolder(base), {
    experiment: experiment.name,
    size,
    seed: flags.seed ?? 1,
    device: device(),
    ...(epochs === undefined ? {} : { epochs }),
    ...(steps === undefined ? {} : { steps }),
    ...(seeds === undefined ? {} : { seeds }),
    ...(limit === undefined ? {} : { limit }),
  });
}

function chooseDisplay(json: boolean): Display {
  const write = (line: string): void => void process.stdout.write(`${line}\n`);
  if (json) return jsonDisplay(write);
  return process.stdout.isTTY ? barDisplay(process.stdout) : plainDisplay(write);
}

/** A shell word; quoted when it has to be. */
const word = (text: string): string => (/^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** The command that goes on with a run. */
function resumeCommand(experiment: Experiment, folder: RunFolder, flags: Flags): string {
  const words = ['npx selfnorm run', experiment.name, '--resume --out', word(folder.path)];
  if (flags.data !== undefined) words.push('--data', word(flags.data));
  if (flags.json === true) words.push('--json');
  return words.join(' ');
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

/** Runs an experiment. @returns The exit code: 0 on success, 1 on failure, 130 when interrupted. */
async function runExperiment(experiment: Experiment, flags: Flags): Promise<number> {
  const display = chooseDisplay(flags.json === true);
  const say = (fields: { event: string; [field: string]: unknown }, text: string): void => {
    process.stdout.write(`${flags.json === true ? JSON.stringify(fields) : text}\n`);
  };
  const signals = listenForSignals(() => {
    display.close();
    process.stderr.write('stopping after this batch; again to stop at once\n');
  });
  try {
    const folder = await openFolder(experiment, flags);
    try {
      const run = await experiment.load();
      const { settings } = folder;
      const report = await run({
        settings,
        data: flags.data,
        folder,
        signal: signals.signal,
        tell: (event) => display.show(event),
      });
      const { writeReport } = await import('../report/write.js');
      const { html, json } = await writeReport(folder.path, report);
      folder.finish();
      display.close();
      const seconds = report.seconds;
      const findings = report.findings.join('\n');
      say({ event: 'report', html, json, seconds }, `${findings}\nin ${formatDuration(seconds)}; the report: ${html}`);
      return 0;
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      folder.save();
      display.close();
      const resume = resumeCommand(experiment, folder, flags);
      say({ event: 'interrupted', folder: folder.path, resume }, `interrupted; saved. To go on:\n  ${resume}`);
      return EXIT_INTERRUPTED;
    }
  } catch (error) {
    display.close();
    if (!(error instanceof SelfnormError)) throw error;
    if (flags.json === true) say({ event: 'error', code: error.code, message: error.message }, '');
    process.stderr.write(`selfnorm: ${error.message}\n`);
    return 1;
  } finally {
    signals.close();
  }
}
