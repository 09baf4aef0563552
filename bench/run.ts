// The micro benches beside the peers that are installed, in one run: each round asks every driver in turn, and a figure is
// the median over the rounds, so a machine that slows down slows all of them. Writes bench/results/.
//   npm run bench [-- pattern] [--rounds N] [--no-write]
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { TRIALS } from './trials.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '3' }, 'no-write': { type: 'boolean', default: false } },
});
const pattern = positionals[0] ?? '';
const python = process.env['SELFNORM_PEERS_PYTHON'] ?? 'python3';

interface Row {
  peer: string;
  version: string;
  bench: string;
  ms: number;
}

const DRIVERS: readonly (readonly string[])[] = [
  [process.execPath, '--import', 'tsx', 'bench/drivers/selfnorm.ts'],
  [python, 'bench/peers/torch_micro.py'],
  [python, 'bench/peers/keras_micro.py'],
  [process.execPath, 'bench/peers/tfjs_node_micro.cjs'],
];

const missing = new Map<string, string>();

function ask([command, ...args]: readonly string[], rows: string): Row[] {
  const done = spawnSync(command!, [...args, '--rows', rows], { encoding: 'utf8', maxBuffer: 2 ** 26 });
  return done.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .flatMap((line) => {
      const row = JSON.parse(line) as Row & { missing?: string };
      if (row.missing === undefined) return [row];
      missing.set(row.peer, row.missing);
      return [];
    });
}

const median = (list: number[]): number => {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
};

const figures = new Map<string, Map<string, number[]>>();
const versions = new Map<string, string>();
for (let round = 0; round < Number(values.rounds); round++) {
  for (const driver of DRIVERS) {
    for (const row of ask(driver, pattern)) {
      versions.set(row.peer, row.version);
      const byPeer = figures.get(row.bench) ?? new Map<string, number[]>();
      figures.set(row.bench, byPeer.set(row.peer, [...(byPeer.get(row.peer) ?? []), row.ms]));
    }
  }
}

const peers = [...versions.keys()].filter((peer) => peer !== 'selfnorm');
const report = TRIALS.filter(({ name }) => figures.has(name)).map(({ name }) => {
  const ms = Object.fromEntries([...figures.get(name)!].map(([peer, list]) => [peer, median(list)]));
  const rivals = peers.map((peer) => ms[peer]).filter((value) => value !== undefined);
  // Our time by the fastest peer's: below 1 is faster.
  return { bench: name, ms, ratio: rivals.length > 0 && ms['selfnorm'] ? ms['selfnorm'] / Math.min(...rivals) : null };
});

console.log(`| bench | selfnorm | ${peers.join(' | ')} | ours / fastest |`);
console.log(`|---|${'---|'.repeat(peers.length + 2)}`);
const show = (value: number | undefined): string => (value === undefined ? '' : value.toPrecision(3));
for (const { bench, ms, ratio } of report) {
  const cells = ['selfnorm', ...peers].map((peer) => show(ms[peer]));
  console.log(`| ${bench} | ${cells.join(' | ')} | ${ratio === null ? '' : ratio.toFixed(2)} |`);
}
for (const [peer, how] of missing) console.log(`${peer}: not installed: ${how}`);

if (!values['no-write']) {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const machine = { cpu: cpus()[0]!.model.trim(), cores: cpus().length, memory: totalmem(), load: loadavg() };
  const folder = `bench/results/${machine.cpu.toLowerCase().replace(/[^a-z0-9]+/g, '-')}-${machine.cores}`;
  mkdirSync(folder, { recursive: true });
  const file = `${folder}/${new Date().toISOString().slice(0, 10)}-${commit}${pattern === '' ? '' : `-${pattern.replace(/\W+/g, '-')}`}.json`;
  writeFileSync(
    file,
    `${JSON.stringify({ machine, versions: Object.fromEntries(versions), rounds: Number(values.rounds), report }, null, 2)}\n`,
  );
  console.log(`written: ${file}`);
}
