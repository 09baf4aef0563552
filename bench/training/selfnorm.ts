// selfnorm's part of the training bench: the conversation of bench/peers/mnist_training.py, and `profile`, which trains an
// epoch eagerly with a clock around every native call.
//   tsx bench/training/selfnorm.ts --data DIR [--images N] [--device cpu|cuda]
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import * as sn from '../../src/index.js';
import { currentBackend } from '../../src/tensor/device.js';
import { BATCH, mnistNetwork, VALIDATION_SPLIT } from './network.js';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    images: { type: 'string', default: '60000' },
    device: { type: 'string', default: 'cpu' },
  },
});

/** Seconds that native ops took while `body` ran, and how many there were; reading results back is not an op. */
async function timingCalls(body: () => Promise<void>): Promise<{ callSeconds: number; calls: number }> {
  const { addon } = currentBackend();
  const call = addon.call.bind(addon);
  let [milliseconds, calls] = [0, 0];
  addon.call = (...args) => {
    const start = performance.now();
    try {
      call(...args);
    } finally {
      milliseconds += performance.now() - start;
      calls++;
    }
  };
  try {
    await body();
  } finally {
    addon.call = call;
  }
  return { callSeconds: milliseconds / 1000, calls };
}

sn.setDevice(values.device);
sn.setSeed(0);
const { train } = await sn.data.mnist({ dataDir: values.data! });
const used = train.slice(0, Number(values.images));
const trained = used.size - Math.round(used.size * VALIDATION_SPLIT);
const [training, validation] = [used.slice(0, trained), used.slice(trained)];
const [x, y] = [training.pixels(), training.ys()];
const [xValidation, yValidation] = [validation.pixels(), validation.ys()];
const elu = (): sn.layers.Layer => sn.layers.elu({ alpha: 1 });
const model = mnistNetwork(elu);

/** One epoch by itself, as the tfjs peer: seconds of fit, and the loss. */
async function fitOnce(model: sn.Sequential): Promise<{ seconds: number; loss: number }> {
  const start = performance.now();
  const { history } = await model.fit(x, y, { batchSize: BATCH, epochs: 1, verbose: 0 });
  return { seconds: (performance.now() - start) / 1000, loss: history['loss']![0]! };
}

const say = (line: object): void => console.log(JSON.stringify(line));

say({ peer: 'selfnorm', version: sn.version, ready: true });
for await (const command of createInterface({ input: process.stdin })) {
  if (command === 'epoch') {
    const { seconds, loss } = await fitOnce(model);
    const scores = model.evaluate(xValidation, yValidation, { batchSize: BATCH }) as sn.Tensor[];
    say({ seconds, loss, accuracy: scores[1]!.dataSync()[0]! });
    sn.dispose(scores);
  } else if (command === 'profile') {
    let seconds = 0;
    const eager = mnistNetwork(elu, true);
    const timed = await timingCalls(async () => {
      ({ seconds } = await fitOnce(eager));
    });
    say({ seconds, ...timed });
  }
}
