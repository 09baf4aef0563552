// The micro benches beside the peers that are installed, in one run: each round asks every driver in turn, and a figure is
// the median over the rounds, so a machine that slows down slows all of them. Writes bench/results/.
//   npm run bench [-- pattern] [--rounds N] [--no-write]
import { parseArgs } from 'node:util';
import { Absences, PeerProcess, PYTHON, TSX, type PeerLine } from './peer-process.js';
import { median, row, writeResult } from './record.js';
import { TRIALS } from './trials.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '3' }, 'no-write': { type: 'boolean', default: false } },
});
const pattern = positionals[0] ?? '';

interface Figure extends PeerLine {
  version: string;
  bench: string;
  ms: number;
}

const DRIVERS: readonly (readonly string[])[] = [
  [...TSX, 'bench/drivers/selfnorm.ts'],
  [PYTHON, 'bench/peers/torch_micro.py'],
  [PYTHON, 'bench/peers/keras_micro.py'],
  [process.execPath, 'bench/peers/tfjs_node_micro.cjs'],
];

const absences = new Absences();

async function ask(driver: readonly string[]): Promise<Figure[]> {
  const figures: Figure[] = [];
  const peer = new PeerProcess([...driver, '--rows', pattern]);
  try {
    for (let line = await peer.next<Figure>(); line !== null; line = await peer.next<Figure>()) {
      if (absences.admits(line)) figures.push(line);
    }
  } catch (error) {
    absences.fail(error);
  }
  return figures;
}

const figures = new Map<string, Map<string, number[]>>();
const versions = new Map<string, string>();
for (let round = 0; round < Number(values.rounds); round++) {
  for (const driver of DRIVERS) {
    for (const { peer, version, bench, ms } of await ask(driver)) {
      versions.set(peer, version);
      const byPeer = figures.get(bench) ?? new Map<string, number[]>();
      figures.set(bench, byPeer.set(peer, [...(byPeer.get(peer) ?? []), ms]));
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

console.log(row(['bench', 'selfnorm', ...peers, 'ours / fastest']));
console.log(`|---|${'---|'.repeat(peers.length + 2)}`);
const show = (value: number | undefined): string => (value === undefined ? '' : value.toPrecision(3));
for (const { bench, ms, ratio } of report) {
  const cells = ['selfnorm', ...peers].map((peer) => show(ms[peer]));
  console.log(row([bench, ...cells, ratio === null ? '' : ratio.toFixed(2)]));
}
absences.print();

if (!values['no-write']) {
  writeResult(pattern, { versions: Object.fromEntries(versions), rounds: Number(values.rounds), report });
}
