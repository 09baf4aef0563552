// What recording a step gains: epochs of a small dense network and of the MNIST network, recorded and eager in turns, in one
// process. The first epoch of each is not counted. Writes bench/results/.
//   npm run bench:programs [-- --epochs N --images N --no-write]
import * as sn from '../../src/index.js';
import { median, row, writeResult } from '../record.js';
import { BATCH, mnistNetwork } from './network.js';
import { trainingOptions } from './options.js';

const { epochs, images, writes } = trainingOptions();

/** Two hidden layers of 64 units: most of an eager step is the host's. */
function smallNetwork(): sn.Sequential {
  const hidden = { units: 64, activation: 'selu', kernelInitializer: 'leCunNormal' } as const;
  return sn.sequential({
    layers: [
      sn.layers.dense({ inputShape: [64], ...hidden }),
      sn.layers.dense(hidden),
      sn.layers.dense({ units: 10, activation: 'softmax' }),
    ],
  });
}

interface Contest {
  readonly name: string;
  readonly network: () => sn.Sequential;
  readonly loss: string;
  readonly batchSize: number;
  readonly x: sn.Tensor;
  readonly y: sn.Tensor;
}

const SAMPLES = 8000;
sn.setSeed(0);
const { train } = await sn.data.mnist();
const used = train.slice(0, images);
const CONTESTS: readonly Contest[] = [
  {
    name: 'dense 64-64-64-10, batch 16',
    network: smallNetwork,
    loss: 'sparseCategoricalCrossentropy',
    batchSize: 16,
    x: sn.randomNormal([SAMPLES, 64]),
    y: sn.randomUniform([SAMPLES], 0, 10, 'int32'),
  },
  {
    name: `MNIST network, batch ${BATCH}`,
    network: () => mnistNetwork(() => sn.layers.elu({ alpha: 1 })),
    loss: 'categoricalCrossentropy',
    batchSize: BATCH,
    x: used.pixels(),
    y: used.ys(),
  },
];

console.log(row(['steps', 'eager ms/step', 'recorded', 'recorded / eager', 'launches', 'arena MiB', 'of the peak']));
console.log('|---|--:|--:|--:|--:|--:|--:|');
const report: object[] = [];
for (const { name, network, loss, batchSize, x, y } of CONTESTS) {
  const sides = [true, false].map((runEagerly) => {
    const model = network();
    model.compile({ optimizer: sn.train.adam(), loss, metrics: ['accuracy'], runEagerly });
    return { model, times: [] as number[] };
  });
  const steps = Math.ceil(x.shape[0]! / batchSize);
  let program: sn.ProgramMemory | undefined;
  const callbacks = {
    onEpochEnd: () => {
      program = sn.memory().programs[0] ?? program;
    },
  };
  for (let epoch = 0; epoch <= epochs; epoch++) {
    for (const { model, times } of epoch % 2 === 0 ? sides : [...sides].reverse()) {
      const start = performance.now();
      await model.fit(x, y, { batchSize, epochs: 1, verbose: 0, callbacks });
      if (epoch > 0) times.push((performance.now() - start) / steps);
    }
  }
  const [eager, recorded] = sides.map(({ times }) => median(times)) as [number, number];
  const { launches, arenaBytes, liveBytes } = program!;
  const ofPeak = arenaBytes / liveBytes;
  report.push({ name, eager, recorded, ratio: recorded / eager, launches, arenaBytes, liveBytes });
  const cells = [eager.toFixed(3), recorded.toFixed(3), (recorded / eager).toFixed(3), String(launches)];
  console.log(row([name, ...cells, (arenaBytes / 2 ** 20).toFixed(2), ofPeak.toFixed(3)]));
}
if (writes) writeResult('programs', { device: sn.device(), images, epochs, report });
