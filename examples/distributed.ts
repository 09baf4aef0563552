// One network trained by several processes, which comes to what one process comes to:
//   npx tsx examples/distributed.ts
//   mpirun -np 2 npx tsx examples/distributed.ts
import * as sn from '../src/index.js';

const { rank, worldSize } = await sn.distributed.init();
sn.setSeed(1);
const x = sn.randomNormal([2048, 8]);
const y = sn.cast(x.square().sum(1).greater(7), 'int32');

const selu = { units: 32, activation: 'selu', kernelInitializer: 'leCunNormal' } as const;
const model = sn.sequential({
  layers: [
    sn.layers.dense({ ...selu, inputShape: [8] }),
    sn.layers.dense(selu),
    sn.layers.dense({ units: 2, activation: 'softmax' }),
  ],
});
model.compile({ optimizer: sn.train.adam(0.01), loss: 'sparseCategoricalCrossentropy', metrics: ['acc'] });
const { history } = await model.fit(x, y, { batchSize: 128, epochs: 5, verbose: 0, distributed: true });
if (rank === 0) {
  const accuracy = history['acc']!.map((value) => Number(value).toFixed(4));
  console.log(`${worldSize} process${worldSize === 1 ? '' : 'es'}, accuracy by epoch: ${accuracy.join(' ')}`);
}
await sn.distributed.close();
