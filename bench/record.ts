// How figures are kept: medians, the machine they are of, and a JSON file a run under bench/results/<machine>/.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';

/** The middle value; of an even number of them, the mean of the two in the middle. */
export function median(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** A row of a Markdown table. */
export const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/**
 * Writes a run's figures with the machine, the load it has now and the commit, and says where.
 * @param suffix Follows date and commit in the file's name.
 */
export function writeResult(suffix: string, figures: object): void {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const machine = { cpu: cpus()[0]!.model.trim(), cores: cpus().length, memory: totalmem(), load: loadavg() };
  const folder = `bench/results/${machine.cpu.toLowerCase().replace(/[^a-z0-9]+/g, '-')}-${machine.cores}`;
  mkdirSync(folder, { recursive: true });
  const name = [new Date().toISOString().slice(0, 10), commit, suffix.replace(/\W+/g, '-')].filter(
    (part) => part !== '',
  );
  const file = `${folder}/${name.join('-')}.json`;
  writeFileSync(file, `${JSON.stringify({ machine, ...figures }, null, 2)}\n`);
  console.log(`written: ${file}`);
}
