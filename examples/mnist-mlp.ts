// A self-normalizing network on MNIST: standardised inputs, LeCun's initial weights, SELU, and AlphaDropout where others have
// Dropout. The monitor then says whether every layer's units kept mean 0 and variance 1, as the paper promises.
//   npx tsx examples/mnist-mlp.ts [--quick]
import * as sn from '../src/index.js'; // In a project of your own: 'selfnorm'.

const quick = process.argv.includes('--quick');
const [images, epochs] = quick ? [1000, 3] : [60_000, 10];
sn.setSeed(1);

const mnist = await sn.data.mnist();
const standardised = (set: sn.data.ImageDataset): sn.Tensor =>
  sn.tidy(() => set.xs().reshape([set.size, 784]).sub(0.1307).div(0.3081));
const train = mnist.train.slice(0, images);
const test = mnist.test.slice(0, Math.min(images, 10_000));
const [x, testX] = [standardised(train), standardised(test)];

const hidden = (first: object = {}): sn.layers.Layer =>
  sn.layers.dense({ ...first, units: 256, activation: 'selu', kernelInitializer: 'leCunNormal' });
const model = sn.sequential({
  layers: [
    hidden({ inputShape: [784] }),
    sn.layers.alphaDropout({ rate: 0.05 }),
    hidden(),
    sn.layers.alphaDropout({ rate: 0.05 }),
    hidden(),
    sn.layers.dense({ units: 10, activation: 'softmax' }),
  ],
});
model.compile({ optimizer: sn.train.adam(1e-3), loss: 'categoricalCrossentropy', metrics: ['accuracy'] });

const { history } = await model.fit(x, train.ys(), { epochs, batchSize: 128 });
console.log(`training loss by epoch: ${history.loss!.map((loss) => Number(loss).toFixed(3)).join(' ')}`);
const [loss, accuracy] = (model.evaluate(testX, test.ys()) as sn.Tensor[]).map((value) => value.dataSync()[0]!);
console.log(`test loss ${loss!.toFixed(3)}, accuracy ${accuracy!.toFixed(4)}, on ${sn.device()}`);

const { layers, text } = sn.selfNormalizing.monitor(model, testX.slice(0, 500));
for (const { name, activation, mean, variance } of layers) {
  if (activation === 'selu') console.log(`${name}: mean ${mean.toFixed(2)}, variance ${variance.toFixed(2)}`);
}
console.log(text);
