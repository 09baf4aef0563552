// A convolutional network on MNIST, fed by a data set: images stay bytes until the batch that needs them, and the step is
// recorded once and replayed. Prints the accuracy on the test images and the digits of the first few.
//   npx tsx examples/mnist-cnn.ts [--quick]
import * as sn from '../src/index.js'; // In a project of your own: 'selfnorm'.

const quick = process.argv.includes('--quick');
const [images, epochs] = quick ? [1500, 2] : [60_000, 4];
sn.setSeed(1);

const mnist = await sn.data.mnist();
const train = mnist.train.slice(0, images);
const test = mnist.test.slice(0, Math.min(images, 10_000));

const model = sn.sequential();
model.add(sn.layers.conv2d({ inputShape: [28, 28, 1], filters: 16, kernelSize: 3, activation: 'elu' }));
model.add(sn.layers.maxPooling2d({ poolSize: 2 }));
model.add(sn.layers.conv2d({ filters: 32, kernelSize: 3, activation: 'elu' }));
model.add(sn.layers.maxPooling2d({ poolSize: 2 }));
model.add(sn.layers.flatten());
model.add(sn.layers.dropout({ rate: 0.25 }));
model.add(sn.layers.dense({ units: 10, activation: 'softmax' }));
model.compile({ optimizer: sn.train.adam(3e-3), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
model.summary();

await model.fitDataset(train.shuffle(images).batch(50).prefetch(2), {
  epochs,
  callbacks: { onEpochEnd: (epoch, logs) => console.log(`epoch ${epoch + 1}: loss ${logs!.loss!.toFixed(3)}`) },
});

const [, accuracy] = (await model.evaluateDataset(test.batch(250))) as sn.Tensor[];
console.log(`test accuracy ${accuracy!.dataSync()[0]!.toFixed(4)}, on ${sn.device()}`);
const guesses = sn.tidy(() => (model.predict(test.slice(0, 10).xs()) as sn.Tensor).argMax(-1).dataSync());
console.log(`digits ${[...test.labels.slice(0, 10)].join(' ')} were read as ${[...guesses].join(' ')}`);
