// The cost of a small tfjs op on our backend beside tfjs-node: both processes stay alive and measure in turns.
//   npm run build:js && npm run bench:tfjs [-- --rounds N]
import { parseArgs } from 'node:util';
import { Absences, PeerProcess, type PeerLine } from './peer-process.js';
import { median, row } from './record.js';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '9' } } });
const rounds = Number(values.rounds);
const OURS = 'selfnorm/tfjs';
const THEIRS = 'tfjs-node';

type Round = Record<string, number>;
const absences = new Absences();
const contenders: { peer: string; process: PeerProcess; rounds: Round[] }[] = [];
for (const peer of [OURS, THEIRS]) {
  const process_ = new PeerProcess([process.execPath, 'bench/peers/tfjs_dispatch.cjs', '--package', peer]);
  const line = await process_.next<PeerLine>();
  if (line !== null && absences.admits(line)) contenders.push({ peer, process: process_, rounds: [] });
}
for (let i = 0; i < rounds; i++) {
  for (const contender of contenders) {
    contender.process.send('round');
    const line = await contender.process.next<Round>();
    if (line !== null) contender.rounds.push(line);
  }
}
const medianOf = (peer: string, name: string): number | null => {
  const found = contenders.find((contender) => contender.peer === peer);
  return found === undefined ? null : median(found.rounds.map((round) => round[name]!));
};
console.log(row(['op', `${OURS} us`, `${THEIRS} us`, 'ours / theirs']));
console.log('|---|--:|--:|--:|');
for (const name of Object.keys(contenders[0]?.rounds[0] ?? {})) {
  const [ours, theirs] = [medianOf(OURS, name), medianOf(THEIRS, name)];
  const ratio = ours === null || theirs === null ? '' : (ours / theirs).toFixed(2);
  console.log(row([name, ours?.toFixed(1) ?? '', theirs?.toFixed(1) ?? '', ratio]));
}
for (const { process: peer } of contenders) await peer.end();
absences.print();
