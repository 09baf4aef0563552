// Training bench of tfjs's backends for Node: the MNIST network by tfjs's layers API.
//
//     node tfjs_mnist.cjs --data DIR [--images N] [--package tfjs-node-gpu | selfnorm/tfjs]
//
// With selfnorm/tfjs (the built one) nothing changes but where tfjs comes from.
// Its conversation is that of mnist_training.py: a line "epoch" trains one epoch and gets one JSON line. `fit` is called once an
// epoch, on tensors that were split before: its own validation cannot be told apart by a clock from outside.
'use strict';

const { readFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');
const { createInterface } = require('node:readline');
const { parseArgs } = require('node:util');

const BATCH = 250;
const VALIDATION_SPLIT = 0.2;
const PIXELS = 28 * 28;
const IMAGE_HEADER = 16;
const LABEL_HEADER = 8;

const { values: options } = parseArgs({
  options: {
    data: { type: 'string' },
    images: { type: 'string', default: '60000' },
    package: { type: 'string', default: 'tfjs-node' },
  },
});

function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const ROOT = path.join(__dirname, '..', '..');

/** tfjs-node from the folder SELFNORM_TFJS_NODE or the current one, or our build; undefined where it is not there. */
function loadTfjs(name) {
  if (name === 'selfnorm/tfjs') {
    const { version } = require(path.join(ROOT, 'package.json'));
    return { tf: require(path.join(ROOT, 'dist', 'tfjs.cjs')), version };
  }
  const from = createRequire(path.join(path.resolve(process.env.SELFNORM_TFJS_NODE || '.'), 'resolved-from-here.js'));
  try {
    return { tf: from(`@tensorflow/${name}`), version: from(`@tensorflow/${name}/package.json`).version };
  } catch {
    return undefined;
  }
}

function network(tf) {
  const { layers } = tf;
  const he = { kernelInitializer: 'heNormal' };
  const model = tf.sequential({
    layers: [
      layers.conv2d({ inputShape: [28, 28, 1], filters: 32, kernelSize: 3, ...he }),
      layers.elu({ alpha: 1 }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.dropout({ rate: 0.25 }),
      layers.conv2d({ filters: 64, kernelSize: 3, ...he }),
      layers.elu({ alpha: 1 }),
      layers.maxPooling2d({ poolSize: 2 }),
      layers.dropout({ rate: 0.25 }),
      layers.flatten(),
      layers.dense({ units: 256, ...he }),
      layers.elu({ alpha: 1 }),
      layers.dense({ units: 10, activation: 'softmax', ...he }),
    ],
  });
  model.compile({ loss: 'categoricalCrossentropy', optimizer: tf.train.adam(), metrics: ['accuracy'] });
  return model;
}

/** The first training images in [0, 1] and their labels, one-hot; both split as Keras splits them: the last part validates. */
function dataSets(tf, folder, count) {
  const bytes = readFileSync(path.join(folder, 'train-images-idx3-ubyte')).subarray(IMAGE_HEADER);
  const digits = readFileSync(path.join(folder, 'train-labels-idx1-ubyte')).subarray(LABEL_HEADER);
  const used = Math.min(count, digits.length);
  const validating = Math.round(used * VALIDATION_SPLIT);
  return tf.tidy(() => {
    const pixels = Float32Array.from(bytes.subarray(0, used * PIXELS), (value) => value / 255);
    const x = tf.split(tf.tensor4d(pixels, [used, 28, 28, 1]), [used - validating, validating]);
    const labels = tf.oneHot(tf.tensor1d(Int32Array.from(digits.subarray(0, used)), 'int32'), 10).toFloat();
    const y = tf.split(labels, [used - validating, validating]);
    return { train: { x: x[0], y: y[0] }, validation: { x: x[1], y: y[1] } };
  });
}

async function trainEpoch(tf, model, { train, validation }) {
  const start = performance.now();
  const { history } = await model.fit(train.x, train.y, { batchSize: BATCH, epochs: 1, verbose: 0, shuffle: true });
  const seconds = (performance.now() - start) / 1000;
  const [loss, accuracy] = model.evaluate(validation.x, validation.y, { batchSize: BATCH, verbose: 0 });
  say({ seconds, loss: history.loss[0], accuracy: accuracy.dataSync()[0] });
  tf.dispose([loss, accuracy]);
}

async function main() {
  const peer = options.package;
  const found = loadTfjs(peer);
  if (found === undefined) {
    const missing = `npm install @tensorflow/${peer}@4.22.0 (see bench/peers/README.md) and set SELFNORM_TFJS_NODE to its folder`;
    say({ peer, missing });
    return;
  }
  const { tf, version } = found;
  const data = dataSets(tf, options.data, Number(options.images));
  const model = network(tf);
  say({ peer, version, ready: true });
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === 'epoch') await trainEpoch(tf, model, data);
  }
}

main();
