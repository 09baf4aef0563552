// The command line: parses, and hands over to one function a command.
import { Command, CommanderError } from 'commander';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../native/paths.js';
import { addDataCommand } from './data.js';
import { doctor } from './doctor.js';
import { list } from './list.js';
import { addRunCommand } from './run.js';

/** The command line itself was wrong. */
const EXIT_USAGE = 2;

/** Commander's messages as one line: `error: unknown option '--epocs' (did you mean --epochs?)`. */
function oneLine(message: string, command: Command): string {
  const text = message
    .trim()
    .replace(/\s*\n\s*\(Did you mean/, ' (did you mean')
    .replaceAll(/\s*\n\s*/g, ' ');
  const named = command.name() === 'run' ? text.replace('unknown command', 'unknown experiment') : text;
  const where = command.name() === 'run' ? 'selfnorm list' : `${pathOf(command)} --help`;
  return `selfnorm: ${named.replace(/^error: /, '')}; see ${where}\n`;
}

const pathOf = (command: Command): string =>
  command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;

/** Errors are thrown, not exited on, and say one line; for a command and all below it. */
function hardenErrors(command: Command): void {
  command.exitOverride().configureOutput({ outputError: (message, write) => write(oneLine(message, command)) });
  for (const below of command.commands) hardenErrors(below);
}

/** Runs a command line (without node and script) and gives the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string };
  let code = 0;
  const program = new Command('selfnorm')
    .description('Train self-normalizing neural networks natively on NVIDIA GPUs')
    .version(version);
  addRunCommand(program, (result) => {
    code = result;
  });
  program
    .command('list')
    .description('list the experiments')
    .option('--json', 'for machines')
    .action((options: { json?: boolean }) => list({ json: options.json === true }));
  program
    .command('doctor')
    .description('say what was found on this machine, what is missing and the command that gets it')
    .option('--json', 'for machines')
    .option('--kernels', 'say which engine computes what, by measuring')
    .action(async (options: { json?: boolean; kernels?: boolean }) => {
      code = await doctor({ json: options.json === true, kernels: options.kernels === true });
    });
  addDataCommand(program, (result) => {
    code = result;
  });
  // Answered by bin/selfnorm.mjs before the library is loaded; named here for the help text.
  program.command('build').description('build the native addons for this machine');
  hardenErrors(program);
  try {
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version that were asked for end well.
    return error.exitCode === 0 ? 0 : EXIT_USAGE;
  }
  return code;
}
