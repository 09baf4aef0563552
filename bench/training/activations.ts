// What an activation costs in training: epochs of the MNIST network with ReLU, ELU and SELU in turns, in one process. The first
// epoch of each is not counted. Writes bench/results/.
//   npm run bench:activations [-- --epochs N --images N --no-write]
import * as sn from '../../src/index.js';
import { median, row, writeResult } from '../record.js';
import { BATCH, mnistNetwork } from './network.js';
import { trainingOptions } from './options.js';

const { epochs, images, writes } = trainingOptions();

const ACTIVATIONS = {
  relu: () => sn.layers.reLU(),
  elu: () => sn.layers.elu({ alpha: 1 }),
  selu: () => sn.layers.activation({ activation: 'selu' }),
} satisfies Record<string, () => sn.layers.Layer>;

sn.setSeed(0);
const { train } = await sn.data.mnist();
const used = train.slice(0, images);
const [x, y] = [used.pixels(), used.ys()];
const contenders = Object.entries(ACTIVATIONS).map(([name, layer]) => ({
  name,
  model: mnistNetwork(layer),
  seconds: [] as number[],
}));
for (let epoch = 0; epoch <= epochs; epoch++) {
  const first = epoch % contenders.length;
  for (const { model, seconds } of [...contenders.slice(first), ...contenders.slice(0, first)]) {
    const start = performance.now();
    await model.fit(x, y, { batchSize: BATCH, epochs: 1, verbose: 0 });
    if (epoch > 0) seconds.push((performance.now() - start) / 1000);
  }
}

const relu = median(contenders[0]!.seconds);
const report = contenders.map(({ name, seconds }) => {
  return { activation: name, seconds: median(seconds), ratio: median(seconds) / relu, epochs: seconds };
});
console.log(row(['activation', 's/epoch', 'by ReLU']));
console.log('|---|--:|--:|');
for (const { activation, seconds, ratio } of report)
  console.log(row([activation, seconds.toFixed(3), ratio.toFixed(3)]));
if (writes) writeResult('activations', { device: sn.device(), images, epochs, report });
