// The command line: parses, and hands over to one function a command.
import { Command } from 'commander';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../native/paths.js';
import { doctor } from './doctor.js';

/** Runs a command line (without node and script) and gives the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string };
  let code = 0;
  const program = new Command('selfnorm')
    .description('Train self-normalizing neural networks natively on NVIDIA GPUs')
    .version(version);
  program
    .command('doctor')
    .description('say what was found on this machine, what is missing and the command that gets it')
    .option('--json', 'for machines')
    .action(async (options: { json?: boolean }) => {
      code = await doctor({ json: options.json === true });
    });
  // Answered by bin/selfnorm.mjs before the library is loaded; named here for the help text.
  program.command('build').description('build the native addons for this machine');
  await program.parseAsync([...args], { from: 'user' });
  return code;
}
