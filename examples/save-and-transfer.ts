// Transfer learning: a network learns the digits 0 to 4 and is saved; the file is loaded, its layers are frozen, and a new head
// learns 5 to 9 from few images on what the first task taught.
//   npx tsx examples/save-and-transfer.ts [--quick]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as sn from '../src/index.js'; // In a project of your own: 'selfnorm'.

const quick = process.argv.includes('--quick');
const [images, epochs] = quick ? [2000, 2] : [20_000, 5];
sn.setSeed(1);

/** The images of five digits, and their classes counted from `first`. */
function digits(set: sn.data.ImageDataset, first: number, most: number): { x: sn.Tensor; y: sn.Tensor } {
  const wanted = [...set.labels.keys()].filter((i) => set.labels[i]! >= first && set.labels[i]! < first + 5);
  const rows = sn.tensor(Int32Array.from(wanted.slice(0, most)));
  return { x: set.xs().gather(rows), y: set.classes().gather(rows).cast('int32').sub(first) };
}

const { train, test } = await sn.data.mnist();
const settings = { loss: 'sparseCategoricalCrossentropy', metrics: ['accuracy'] };
const few = train.slice(0, images);

const first = sn.sequential();
first.add(sn.layers.conv2d({ inputShape: [28, 28, 1], filters: 16, kernelSize: 5, strides: 2, activation: 'elu' }));
first.add(sn.layers.conv2d({ filters: 32, kernelSize: 3, strides: 2, activation: 'elu' }));
first.add(sn.layers.flatten({ name: 'features' }));
first.add(sn.layers.dense({ units: 5, activation: 'softmax' }));
first.compile({ optimizer: sn.train.adam(2e-3), ...settings });
const low = digits(few, 0, images);
await first.fit(low.x, low.y, { epochs, batchSize: 50 });

const folder = mkdtempSync(join(tmpdir(), 'selfnorm-example-'));
try {
  await first.save(join(folder, 'digits'));
  const base = await sn.loadLayersModel(join(folder, 'digits'));
  const same = sn.tidy(() =>
    (base.predict(low.x) as sn.Tensor)
      .sub(first.predict(low.x) as sn.Tensor)
      .abs()
      .max(),
  );
  console.log(`loaded: predictions differ by ${same.dataSync()[0]!}`);

  for (const layer of base.layers) layer.trainable = false;
  const features = base.getLayer('features').output as sn.SymbolicTensor;
  const head = sn.layers.dense({ units: 5, activation: 'softmax', name: 'head' });
  const second = sn.model({ inputs: base.inputs, outputs: head.apply(features) });
  second.compile({ optimizer: sn.train.adam(5e-3), ...settings });
  console.log(`${second.trainableWeights.length} of ${second.weights.length} weights are trained`);

  const high = digits(few, 5, 500);
  await second.fit(high.x, high.y, { epochs: epochs * 5, batchSize: 50 });
  const unseen = digits(test, 5, 1000);
  const [, accuracy] = second.evaluate(unseen.x, unseen.y) as sn.Tensor[];
  console.log(`digits 5 to 9 from ${high.y.size} images: test accuracy ${accuracy!.dataSync()[0]!.toFixed(3)}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
