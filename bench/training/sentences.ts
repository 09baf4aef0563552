// The sentence bench: training steps of the SNLI network (docs: "SELU vs RELU activation in simple NLP models") on random
// sentences, with ReLU and with SELU, in selfnorm and in the peers that are installed. All take turns, a few steps at a time, so a
// machine that slows down slows all of them. The first turn of each is not counted. Writes bench/results/.
//   npm run bench:sentences [-- --turns N --steps N --peers REGEXP --no-write]
import { parseArgs } from 'node:util';
import * as sn from '../../src/index.js';
import { Absences, PeerProcess, PYTHON, type PeerLine } from '../peer-process.js';
import { median, row, writeResult } from '../record.js';

const { values } = parseArgs({
  options: {
    turns: { type: 'string', default: '7' },
    steps: { type: 'string', default: '10' },
    peers: { type: 'string', default: '' },
    'no-write': { type: 'boolean', default: false },
  },
});
const [turns, steps] = [Number(values.turns), Number(values.steps)];
const [WORDS, VECTOR, LENGTH, UNITS, BATCH] = [20_000, 300, 42, 300, 512];
const ACTIVATIONS = ['relu', 'selu'] as const;
type Activation = (typeof ACTIVATIONS)[number];
/** Seconds of so many steps; null when there is no answer any more. */
type Turn = (activation: Activation) => Promise<number | null>;

function network(activation: Activation): sn.Model {
  const { layers } = sn;
  const kernelInitializer = activation === 'relu' ? 'heNormal' : 'leCunNormal';
  const embed = layers.embedding({ inputDim: WORDS, outputDim: VECTOR, trainable: false });
  const translate = layers.timeDistributed({ layer: layers.dense({ units: UNITS, activation, kernelInitializer }) });
  const total = layers.lambda({ fn: (x) => x.sum(1), outputShape: [UNITS] });
  const inputs = [1, 2].map(() => sn.input({ shape: [LENGTH], dtype: 'int32' }));
  const sides = inputs.map((x) => layers.batchNormalization().apply(total.apply(translate.apply(embed.apply(x)))));
  let joint = layers.dropout({ rate: 0.2 }).apply(layers.concatenate().apply(sides));
  for (let i = 0; i < 3; i++) {
    const kernelRegularizer = sn.regularizers.l2({ l2: 4e-6 });
    joint = layers.dense({ units: 2 * UNITS, activation, kernelInitializer, kernelRegularizer }).apply(joint);
    joint = layers.batchNormalization().apply(layers.dropout({ rate: 0.2 }).apply(joint));
  }
  const model = sn.model({ inputs, outputs: layers.dense({ units: 3, activation: 'softmax' }).apply(joint) });
  model.compile({ optimizer: 'rmsprop', loss: 'sparseCategoricalCrossentropy' });
  return model;
}

function ourTurn(): Turn {
  const sentences = (seed: number): sn.Tensor => sn.randomUniform([steps * BATCH, LENGTH], 0, WORDS, 'int32', seed);
  const x = [sentences(1), sentences(2)];
  const y = sn.randomUniform([steps * BATCH], 0, 3, 'int32', 3);
  const models = { relu: network('relu'), selu: network('selu') };
  return async (activation) => {
    const start = performance.now();
    await models[activation].fit(x, y, { batchSize: BATCH, epochs: 1, verbose: 0 });
    return (performance.now() - start) / 1000;
  };
}

const absences = new Absences();

interface Ready extends PeerLine {
  readonly version: string;
}
interface Contender {
  readonly peer: string;
  readonly version: string;
  readonly turn: Turn;
  readonly end: () => Promise<unknown>;
  readonly seconds: Record<Activation, number[]>;
}

async function peerOf(script: string): Promise<Contender | null> {
  const process = new PeerProcess([PYTHON, script]);
  try {
    const line = await process.next<Ready>();
    if (line === null) throw new Error(`${script}: ended before it was ready`);
    if (!absences.admits(line)) return null;
    const turn: Turn = async (activation) => {
      process.send(`${activation} ${steps}`);
      return (await process.next<{ seconds: number }>())?.seconds ?? null;
    };
    return { peer: line.peer, version: line.version, turn, end: () => process.end(), seconds: { relu: [], selu: [] } };
  } catch (error) {
    absences.fail(error);
    return null;
  }
}

const us: Contender = {
  peer: 'selfnorm',
  version: sn.version,
  turn: ourTurn(),
  end: () => Promise.resolve(),
  seconds: { relu: [], selu: [] },
};
const contenders = [us];
for (const peer of ['keras', 'torch']) {
  const contender = new RegExp(values.peers).test(peer) ? await peerOf(`bench/peers/${peer}_snli.py`) : null;
  if (contender !== null) contenders.push(contender);
}
for (let i = 0; i <= turns; i++) {
  const first = i % contenders.length;
  for (const contender of [...contenders.slice(first), ...contenders.slice(0, first)]) {
    for (const activation of i % 2 === 0 ? ACTIVATIONS : [...ACTIVATIONS].reverse()) {
      const seconds = await contender.turn(activation);
      if (seconds === null) throw new Error(`${contender.peer}: ended before its turn was over`);
      if (i > 0) contender.seconds[activation].push(seconds / steps);
    }
  }
}
console.log(row(['peer', 'ReLU ms/step', 'SELU ms/step', 'SELU / ReLU', 'ours / theirs, ReLU', 'SELU', 'version']));
console.log(`|---|${'--:|'.repeat(5)}---|`);
const ours = { relu: median(us.seconds.relu), selu: median(us.seconds.selu) };
const report = contenders.map(({ peer, version, seconds }) => {
  const [relu, selu] = [median(seconds.relu), median(seconds.selu)];
  const figures = { relu, selu, seluOverRelu: selu / relu, ratioRelu: ours.relu / relu, ratioSelu: ours.selu / selu };
  const times = [relu, selu].map((value) => (1000 * value).toFixed(1));
  const ratios = [figures.seluOverRelu, figures.ratioRelu, figures.ratioSelu].map((ratio) => ratio.toFixed(3));
  console.log(row([peer, ...times, ...ratios, version]));
  return { peer, version, ...figures, turns: seconds };
});
for (const { end } of contenders) await end();
absences.print();
if (!values['no-write']) writeResult('sentences', { device: sn.device(), batch: BATCH, steps, turns, report });
