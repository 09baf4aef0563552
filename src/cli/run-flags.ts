// The options of `selfnorm run`, of one experiment and of all: what they are, and what becomes of them in a run's settings.
import { InvalidArgumentError, Option } from 'commander';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { failure, invalid } from '../errors.js';
import type { ExperimentOption, RunSettings, Size } from '../experiments/experiment.js';

/** Where runs go that name no folder. */
export const RUNS = 'runs';

/** What a command line says. */
export interface Flags {
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
export const wholeNumber =
  (least: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^-?\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`Expected a whole number of at least ${least}`);
    }
    return value;
  };

/** Options that only some experiments take. */
export const OPTIONS: Readonly<Record<ExperimentOption, () => Option>> = {
  epochs: () => new Option('--epochs <n>', 'train each configuration for so many epochs').argParser(wholeNumber(1)),
  steps: () => new Option('--steps <n>', 'take so many steps in each fit').argParser(wholeNumber(1)),
  seeds: () => new Option('--seeds <n>', 'how many seeds, counting up from the first').argParser(wholeNumber(1)),
  limit: () => new Option('--limit <n>', 'use only the first n training samples').argParser(wholeNumber(1)),
  data: () => new Option('--data <folder>', 'where the data lie: the files of a set, or a folder for each set'),
};

/** The size that was asked for. */
export function sizeOf(flags: Flags): Size {
  if (flags.quick === true) return 'quick';
  return flags.full === true ? 'full' : 'default';
}

/** `runs/mnist-elu-quick-1`, ...: the first that is free. */
export function freeFolder(base: string): string {
  for (let n = 1; ; n++) {
    const folder = join(RUNS, `${base}-${n}`);
    if (!existsSync(folder)) return folder;
  }
}

/** The folder to go on in when none is named: the last one that was begun. */
export function lastFolder(base: string): string {
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
export function checkSameSettings(flags: Flags, known: RunSettings, experiment: string): void {
  if (known.experiment !== experiment) {
    throw invalid('ERR_ARGUMENT', 'run', '--resume', `a run of ${experiment}`, known.experiment);
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

/** Sets the device that was asked for, or the one that a run was begun on. @returns Its name. */
export async function chooseDevice(flags: Flags, known?: RunSettings): Promise<string> {
  const { device, setDevice } = await import('../tensor/device.js');
  const wanted = flags.device ?? known?.device;
  if (wanted !== undefined) setDevice(wanted);
  if (known !== undefined && device() !== known.device) {
    const fix = 'another device rounds differently; leave --device out';
    throw invalid('ERR_ARGUMENT', 'run', '--device', known.device, device(), fix);
  }
  return device();
}

/** The settings of a new run. */
export function settingsOf(experiment: string, flags: Flags, device: string): RunSettings {
  const { epochs, steps, seeds, limit } = flags;
  return {
    experiment,
    size: sizeOf(flags),
    seed: flags.seed ?? 1,
    device,
    ...(epochs === undefined ? {} : { epochs }),
    ...(steps === undefined ? {} : { steps }),
    ...(seeds === undefined ? {} : { seeds }),
    ...(limit === undefined ? {} : { limit }),
  };
}

/** A shell word; quoted when it has to be. */
const word = (text: string): string => (/^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** The command that goes on with a run. */
export function resumeCommand(experiment: string, folder: string, flags: Flags): string {
  const words = ['npx selfnorm run', experiment, '--resume --out', word(folder)];
  if (flags.data !== undefined) words.push('--data', word(flags.data));
  if (flags.json === true) words.push('--json');
  return words.join(' ');
}
