// What can listen to a training: TensorBoard's files, checkpoints of the best epoch, a watch over the units, and a callback of
// one's own that ends it. Look at the curves with: tensorboard --logdir runs-example/logs
//   npx tsx examples/callbacks.ts [--quick] [folder]
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as sn from '../src/index.js'; // In a project of your own: 'selfnorm'.

const quick = process.argv.includes('--quick');
const [images, epochs] = quick ? [1000, 6] : [10_000, 30];
const folder = process.argv.slice(2).find((argument) => !argument.startsWith('--')) ?? 'runs-example';
sn.setSeed(1);

const train = (await sn.data.mnist()).train.slice(0, images);
const model = sn.sequential({
  layers: [
    sn.layers.flatten({ inputShape: [28, 28, 1] }),
    sn.layers.dense({ units: 64, activation: 'selu', kernelInitializer: 'leCunNormal' }),
    sn.layers.dense({ units: 10, activation: 'softmax' }),
  ],
});
model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy', metrics: ['accuracy'] });

/** Ends the training once it is good enough. */
class GoodEnough extends sn.Callback {
  constructor(private readonly accuracy: number) {
    super();
  }
  override onEpochEnd(epoch: number, logs?: sn.Logs): void {
    console.log(`epoch ${epoch + 1}: val_acc ${logs!.val_acc!.toFixed(3)}`);
    if (logs!.val_acc! >= this.accuracy) this.model.stopTraining = true;
  }
}

const { history } = await model.fit(train.xs(), train.ys(), {
  epochs,
  batchSize: 32,
  validationSplit: 0.2,
  callbacks: [
    sn.callbacks.tensorBoard({ logDir: join(folder, 'logs'), histogramFreq: 1 }),
    sn.callbacks.modelCheckpoint({ filepath: join(folder, 'best'), monitor: 'val_acc', saveBestOnly: true }),
    sn.callbacks.activationMonitor({ every: 2 }),
    sn.callbacks.terminateOnNaN(),
    new GoodEnough(0.8),
  ],
});
console.log(`${history.loss!.length} of ${epochs} epochs; in ${folder}: ${readdirSync(folder).sort().join(', ')}`);
const best = await sn.loadLayersModel(join(folder, 'best'));
console.log(`the best epoch's model has ${best.countParams()} parameters`);
