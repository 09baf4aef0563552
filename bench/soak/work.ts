// One round of what a long-lived process does: makes a model, trains it from tensors and from a pipeline, evaluates, predicts, saves,
// loads, goes on from the checkpoint, and lets everything go; some of it by dispose(), some of it left to the garbage collector.
import { join } from 'node:path';
import * as sn from '../../src/index.js';

const SAMPLES = 192;
const CLASSES = 4;

/** Layers have names, by which a checkpoint finds them. */
function dense(): sn.Sequential {
  const { layers } = sn;
  return sn.sequential({
    layers: [
      layers.dense({
        name: 'first',
        inputShape: [64],
        units: 48,
        activation: 'selu',
        kernelInitializer: 'leCunNormal',
      }),
      layers.alphaDropout({ name: 'dropout', rate: 0.1 }),
      layers.dense({ name: 'second', units: 32, activation: 'gelu' }),
      layers.dense({ name: 'out', units: CLASSES, activation: 'softmax' }),
    ],
  });
}

function convolutional(): sn.Sequential {
  const { layers } = sn;
  return sn.sequential({
    layers: [
      layers.reshape({ inputShape: [64], targetShape: [8, 8, 1] }),
      layers.conv2d({ name: 'conv', filters: 6, kernelSize: 3, activation: 'elu' }),
      layers.batchNormalization({ name: 'norm' }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.flatten(),
      layers.dense({ name: 'out', units: CLASSES, activation: 'softmax' }),
    ],
  });
}

const compiled = (model: sn.Sequential): sn.Sequential => {
  model.compile({ optimizer: sn.train.adam(0.01), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
};

/**
 * One round.
 * @param folder Where the model is saved, each time over the one before.
 * @throws Error when the loaded model predicts something else.
 */
export async function round(index: number, folder: string): Promise<void> {
  const make = index % 2 === 0 ? dense : convolutional;
  const model = compiled(make());
  const xs = sn.randomNormal([SAMPLES, 64]);
  const ys = sn.tidy(() => sn.oneHot(sn.argMax(sn.slice(xs, [0, 0], [-1, CLASSES]), -1), CLASSES));
  await model.fit(xs, ys, { epochs: 2, batchSize: 32, validationSplit: 0.25, verbose: 0 });
  const rows = Array.from({ length: 64 }, (_, i) => ({
    xs: [...Array(64).keys()].map((j) => (i * j) % 7),
    ys: [1, 0, 0, 0],
  }));
  await model.fitDataset(sn.data.array(rows).shuffle(16).batch(16), { epochs: 1, verbose: 0 });
  sn.dispose(model.evaluate(xs, ys, { batchSize: 64, verbose: 0 }));

  const path = join(folder, make.name);
  await model.save(path, { includeOptimizer: true });
  const loaded = (await sn.loadLayersModel(path)) as sn.Sequential;
  const [before, after] = [model.predict(xs) as sn.Tensor, loaded.predict(xs) as sn.Tensor];
  const [told, found] = [await before.data(), await after.data()];
  if (told.some((value, i) => value !== found[i]))
    throw new Error(`round ${index}: the loaded model predicts something else`);
  sn.dispose([before, after]);

  const resumed = compiled(make());
  await resumed.loadTrainingState(path);
  await resumed.fit(xs, ys, { epochs: 4, initialEpoch: 3, batchSize: 32, verbose: 0 });
  for (const each of [loaded, resumed]) each.dispose();
  // The first model, its optimizer, xs and ys are garbage, in every third round.
  if (index % 3 === 0) return;
  sn.dispose([xs, ys]);
  model.dispose();
}
