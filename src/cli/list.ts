// `selfnorm list`: the experiments, the document each belongs to, and what its sizes run.
import { EXPERIMENTS } from '../experiments/registry.js';

/** Prints the experiments. @param options `json`: for machines. */
export function list(
  options: { readonly json: boolean },
  write = (text: string): void => void process.stdout.write(`${text}\n`),
): void {
  if (options.json) {
    const rows = EXPERIMENTS.map(({ name, document, description, sizes }) => ({ name, document, description, sizes }));
    write(JSON.stringify(rows, null, 2));
    return;
  }
  for (const { name, document, description, sizes } of EXPERIMENTS) {
    write(`${name}\n  document ${document}\n  ${description}`);
    write(`  --quick    ${sizes.quick}\n  (default)  ${sizes.default}\n  --full     ${sizes.full}\n`);
  }
  write('selfnorm run <experiment> [--quick | --full], or all of them: selfnorm run all');
}
