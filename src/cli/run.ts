// `selfnorm run`: a subcommand for each experiment and one for all of them. What is run lies in src/experiments.
import { Option, type Command } from 'commander';
import type { Experiment, ExperimentOption } from '../experiments/experiment.js';
import { EXPERIMENTS } from '../experiments/registry.js';
import { ALL } from '../experiments/summary-folder.js';
import { runAll } from './run-all.js';
import { OPTIONS, RUNS, wholeNumber, type Flags } from './run-flags.js';
import { runOne } from './run-one.js';

interface Subcommand extends Pick<Experiment, 'name' | 'description' | 'sizes' | 'options'> {
  readonly run: (flags: Flags) => Promise<number>;
}

function addSubcommand(run: Command, subcommand: Subcommand, done: (code: number) => void): void {
  const { name, description, sizes, options } = subcommand;
  const command = run
    .command(name)
    .description(description)
    .addOption(new Option('--quick', sizes.quick).conflicts('full'))
    .addOption(new Option('--full', `${sizes.full} (without either: ${sizes.default})`))
    .option('--device <name>', 'cpu, cuda or cuda:N; by default CUDA if it works')
    .option('--seed <n>', 'the first seed (default: 1)', wholeNumber(0));
  for (const option of options) command.addOption(OPTIONS[option]());
  command
    .option('--out <folder>', `where everything is written (default: the next free folder in ${RUNS}/)`)
    .option('--json', 'for machines: one JSON object a line')
    .option('--resume', 'go on with an interrupted run; with --out, the one in that folder')
    .action(async (flags: Flags) => done(await subcommand.run(flags)));
}

/** Adds `run` with a subcommand for each experiment and for all; `done` gets the exit code. */
export function addRunCommand(program: Command, done: (code: number) => void): void {
  const run = program
    .command('run')
    .description('run an experiment, or all of them, and write a report')
    .usage('<experiment> | all [options]');
  for (const experiment of EXPERIMENTS) {
    const description = `${experiment.description} (document ${experiment.document})`;
    addSubcommand(run, { ...experiment, description, run: (flags) => runOne(experiment, flags) }, done);
  }
  addSubcommand(
    run,
    {
      name: ALL,
      description:
        'all of them, one after the other, and a page that links the reports and has every claim in one table; ' +
        'options that only some experiments take go to those',
      sizes: {
        quick: 'the quick size of each: minutes apiece on a CPU',
        default: 'the size of each that shows its document’s point: hours on a CPU',
        full: 'the documents’ own sizes: for a GPU',
      },
      options: Object.keys(OPTIONS) as ExperimentOption[],
      run: (flags) => runAll(EXPERIMENTS, flags),
    },
    done,
  );
}
